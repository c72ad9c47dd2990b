/** All that PostgreSQL says of AWS's own roles and databases. */
export const AWS_STATE = `
  SELECT 'role' AS kind, to_jsonb(a) - 'rolpassword' AS what FROM pg_authid a WHERE rolname ~ '^rds'
   UNION ALL
  SELECT 'member', jsonb_build_array(roleid::regrole, member::regrole, grantor::regrole, admin_option) FROM pg_auth_members
   WHERE roleid::regrole::text ~ '^rds' OR member::regrole::text ~ '^rds'
   UNION ALL
  SELECT 'database', jsonb_build_array(datname, datdba::regrole, datacl::text) FROM pg_database WHERE datname ~ '^rds'
   UNION ALL
  SELECT 'session', jsonb_build_array(pid, usename, datname) FROM pg_stat_activity WHERE usename = 'rdsproxyadmin'
   ORDER BY 1, 2`;
