/** Two environments whose apps know nothing of each other. */
export const PROD = '123456789012/eu-central-1/Prod/Tenancy';
export const DEV = '123456789012/eu-central-1/Dev/Tenancy';

/** How the second one is refused. */
export const REFUSED = new RegExp(
  `the server belongs to environment ${PROD}, and this is environment ${DEV}: nothing was changed.*UPDATE tenancy.environment SET name = '${DEV}'`,
);

/** Runs as the function of an environment does; of none, as before there was a record. */
export async function asEnvironment<Result>(
  environment: string | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  if (environment) process.env.TENANCY_ENVIRONMENT = environment;
  try {
    return await run();
  } finally {
    delete process.env.TENANCY_ENVIRONMENT;
  }
}

/** Statement that shows the roles and databases of a server. */
export const ROLES_AND_DATABASES = `
  SELECT (SELECT json_agg(r ORDER BY r.rolname) FROM (SELECT rolname, rolcanlogin, rolconnlimit, rolconfig FROM pg_roles) r) AS roles,
         (SELECT json_agg(d ORDER BY d.datname) FROM (SELECT datname, datacl::text FROM pg_database) d) AS databases`;
