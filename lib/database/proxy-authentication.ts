/** How tenants log in by RDS Proxy. */
export enum ProxyAuthentication {
  /** With the password in a secret of each tenant's own, of which a proxy takes 200. */
  SECRETS = 'secrets',
  /**
   * With tokens of IAM, which Superset's role signs for 15 minutes each: end-to-end IAM authentication. No tenant has a password or a
   * secret in the database, and a proxy takes any number of them.
   */
  IAM = 'iam',
}
