import { Construct } from 'constructs';
import { ConfigurationError } from '../validation/configuration-error';
import { CUSTOM_RESOURCE_REQUEST_BYTES, exceeds } from '../validation/quotas';

/**
 * Checks that the tenants of a custom resource fit into one request of CloudFormation.
 *
 * @param references how many attributes of resources the state carries.
 */
export function checkRequestSize(scope: Construct, state: object, tenants: number, references: number): void {
  const bytes = JSON.stringify(state).length + references * REFERENCE_BYTES;
  // An update carries the old state too.
  const request = 2 * bytes + ENVELOPE_BYTES;
  if (request > CUSTOM_RESOURCE_REQUEST_BYTES.limit) {
    throw new ConfigurationError(
      scope,
      'TENANT_BATCH_TOO_LARGE',
      `${tenants} tenants make ${exceeds(request, CUSTOM_RESOURCE_REQUEST_BYTES)}. Move some to another batch, or to another environment.`,
    );
  }
}

/** What an ARN or a host name takes more than the token that stands for it. */
const REFERENCE_BYTES = 120;

/** What CloudFormation and the provider framework put around the state. */
const ENVELOPE_BYTES = 8 * 1024;
