import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import {
  AdminLoginSecret,
  MetadataDatabase,
  ShardsProvisioner,
  SupersetCache,
  SupersetService,
  TenancyNetwork,
  TenantDatabaseServer,
} from '../../lib';
import { regionsWithRoot } from '../../lib/database/rds-authorities';
import { environmentProblems } from '../../lib/environment/environment-rules';
import { REGIONS_OF } from '../../lib/environment/residency-regions';
import { ConfigurationError } from '../../lib/validation/configuration-error';
import { example, tenants } from '../tenancy/environments';

/** Regions that aws-cdk-lib knows, and the certificates do not have. Newer certificates take regions out of this list. */
const WITHOUT = [
  ...['ap-east-2', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'ca-west-1', 'cn-north-1', 'cn-northwest-1'],
  ...['eu-isoe-west-1', 'eusc-de-east-1', 'il-central-1', 'mx-central-1', 'us-gov-east-1', 'us-gov-west-1'],
  ...['us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1', 'us-isob-west-1', 'us-isof-east-1', 'us-isof-south-1'],
];

const REGIONS = RegionInfo.regions.map(({ name }) => name);

test('which regions have a root certificate is known, region by region', () => {
  expect(REGIONS.filter((region) => !regionsWithRoot().has(region)).sort()).toEqual(WITHOUT.sort());
});

test('the function trusts what the image trusts', () => {
  const root = join(__dirname, '..', '..');
  const certificates = (file: string) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)]
      .map(([, body]) => body.replace(/\\n|\s/g, ''))
      .sort();
  const image = certificates('superset/rds-global-bundle.pem');

  expect(image.length).toBeGreaterThan(100);
  expect(certificates('lib/provisioning/handler.bundle/index.js')).toEqual(image);
});

describe.each([...WITHOUT, 'me-west-1'])('in %s', (region) => {
  const message = new RegExp(
    `region is "${region}", for which this library has no root certificate.*eu-central-1.*take`,
  );

  test.each(Object.entries(CONNECTING()))('%s is refused, with the way out', (_, make) => {
    expect(() => make(region)).toThrow(message);
  });

  test('a file is refused', () => {
    const codes = environmentProblems({ ...example(), region }).map(({ code }) => code);
    const ofThisForm = region.startsWith('eusc') ? 'VALUE_INVALID' : 'REGION_WITHOUT_RDS_ROOT';
    expect(codes).toContain(REGIONS.includes(region) ? ofThisForm : 'REGION_UNKNOWN');
  });
});

test.each(Object.entries(CONNECTING()))(
  '%s is made where there is a root certificate, or where nobody knows',
  (_, make) => {
    for (const region of ['eu-central-1', 'af-south-1', 'me-central-1']) expect(() => make(region)).not.toThrow();
    expect(codeOf(() => make(undefined))).not.toBe('REGION_WITHOUT_RDS_ROOT');
  },
);

test('no message advises to take a region that is refused', () => {
  const instance = { region: 'eu-central-1', residency: 'ca' };
  const environment = { ...example(), model: 'instance-per-tenant', tenants: [{ ...tenants(1)[0], instance }] };
  const problems = environmentProblems(environment);

  expect(REGIONS_OF.ca).toContain('ca-west-1');
  expect(problems.find(({ code }) => code === 'RESIDENCY_CONTRADICTED')?.allowed).toBe('a region of it: ca-central-1');
  const [unknown] = environmentProblems({ ...example(), region: 'ca-west-2' });
  expect(unknown.code).toBe('REGION_UNKNOWN');
  expect(unknown.allowed).not.toContain('ca-west-1');
});

/** What connects to PostgreSQL, made by itself: its parts are in a stack whose region nobody knows. */
function CONNECTING(): Record<string, (region: string | undefined) => unknown> {
  const parts = (region: string | undefined) => {
    const app = new App();
    const elsewhere = new Stack(app, 'Parts');
    const network = new TenancyNetwork(elsewhere, 'Network');
    return { stack: new Stack(app, 'Prod', { env: { region } }), elsewhere, network };
  };
  return {
    'a server': (region) => {
      const { stack, network } = parts(region);
      return new TenantDatabaseServer(stack, 'Server', { network });
    },
    'a provisioner': (region) => {
      const { stack, elsewhere, network } = parts(region);
      const server = new TenantDatabaseServer(elsewhere, 'Server', { network, databaseName: 'tenancy' });
      return new ShardsProvisioner(stack, 'P', { network, shards: [{ name: 'a', server, connections: 5 }] });
    },
    Superset: (region) => {
      const { stack, elsewhere, network } = parts(region);
      const arn = `arn:aws:acm:${region ?? 'eu-central-1'}:123456789012:certificate/0f`;
      return new SupersetService(stack, 'S', {
        network,
        metadataDatabase: new MetadataDatabase(elsewhere, 'M', { network }),
        cache: new SupersetCache(elsewhere, 'C', { network }),
        domainName: 'superset.example.com',
        certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn),
        tenants: tenants(1).map((tenant) => ({
          tenant,
          adminLogin: new AdminLoginSecret(stack, tenant.id, { tenant }),
        })),
      });
    },
  };
}

function codeOf(making: () => unknown): string {
  try {
    making();
    return '';
  } catch (error) {
    return error instanceof ConfigurationError ? error.code : String(error);
  }
}
