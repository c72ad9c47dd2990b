import { Login } from '../secrets';

/** Role of RDS whose members log in by a token of IAM, and by no password (RDS User Guide, "Creating a database account using IAM authentication"). */
export const IAM_ROLE = 'rds_iam';

/** A login whose password is a token, which the function's own role signs: RDS takes it for 15 minutes. */
export async function iamLogin(login: Omit<Login, 'password'>): Promise<Login> {
  // Only when somebody logs in so: it takes longer to read than all else of this function.
  const { Signer } = await import('@aws-sdk/rds-signer');
  const signer = new Signer({ hostname: login.host, port: login.port, username: login.username });
  return { ...login, password: await signer.getAuthToken() };
}
