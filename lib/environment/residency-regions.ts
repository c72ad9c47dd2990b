import { Residency } from '../tenant/tenant-instance';

/** Regions of each residency (AWS Global Infrastructure, "AWS Regions and their locations"): their names do not say where they are. */
export const REGIONS_OF: Record<Residency, readonly string[]> = {
  [Residency.EUROPEAN_UNION]: ['eu-central-1', 'eu-west-1', 'eu-west-3', 'eu-north-1', 'eu-south-1', 'eu-south-2'],
  [Residency.SWITZERLAND]: ['eu-central-2'],
  [Residency.UNITED_KINGDOM]: ['eu-west-2'],
  [Residency.UNITED_STATES]: ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
  [Residency.CANADA]: ['ca-central-1', 'ca-west-1'],
  [Residency.AUSTRALIA]: ['ap-southeast-2', 'ap-southeast-4'],
  [Residency.JAPAN]: ['ap-northeast-1', 'ap-northeast-3'],
  [Residency.INDIA]: ['ap-south-1', 'ap-south-2'],
  [Residency.SINGAPORE]: ['ap-southeast-1'],
  [Residency.BRAZIL]: ['sa-east-1'],
};
