"""The PostgreSQL roles of Superset's metadata, and what each may do with each table.

`superset_web` logs in and owns nothing. `superset_platform` and `superset_provisioner` do not log in: the first is taken on for
the platform's administrator and for tasks about all tenants, the second by the owner while it provisions one tenant.
"""

from typing import Any

from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from superset_tenancy.metadata.tables import BY_NAME, READ, READ_WRITE, SharedTable, TenantTable

WEB = "superset_web"
PLATFORM = "superset_platform"
PROVISIONER = "superset_provisioner"


def ensure_roles(cursor: Any) -> None:
    """Creates what is missing. A login that does not inherit is platform only while it says so, in PostgreSQL 15 as well."""
    # NOLOGIN until it has a password.
    for role, options in ((WEB, "NOINHERIT"), (PLATFORM, ""), (PROVISIONER, "")):
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN " + options).format(sql.Identifier(role)))
    for role, member in ((PLATFORM, sql.Identifier(WEB)), (PROVISIONER, sql.SQL("CURRENT_USER"))):
        cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), member))


def set_web_password(cursor: Any, password: str) -> None:
    """Lets the web log in. The server is sent a verifier, so that no log of statements holds the password."""
    verifier = encrypt_password(password, WEB, cursor.connection, "scram-sha-256")
    cursor.execute(sql.SQL("ALTER ROLE {} LOGIN NOINHERIT PASSWORD {}").format(sql.Identifier(WEB), sql.Literal(verifier)))


def grant_on_database(cursor: Any) -> None:
    """No role makes objects of its own: one in a schema that is searched first would stand in for Superset's."""
    cursor.execute("SELECT current_database()")
    (database,) = cursor.fetchone()
    for statement in (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {web}",
        "GRANT USAGE ON SCHEMA public TO {web}, {platform}, {provisioner}",
    ):
        cursor.execute(
            sql.SQL(statement).format(
                database=sql.Identifier(database),
                web=sql.Identifier(WEB),
                platform=sql.Identifier(PLATFORM),
                provisioner=sql.Identifier(PROVISIONER),
            )
        )


def grant_on_table(cursor: Any, name: str) -> None:
    """Exactly what the list says, whatever was granted before."""
    everything = READ if name == "alembic_version" else READ_WRITE
    roles = {WEB: web_privileges(BY_NAME[name]), PLATFORM: everything, PROVISIONER: everything}
    # Those of Flask-AppBuilder's tables belong to no column.
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace AND (relname = %s OR oid IN"
        " (SELECT objid FROM pg_depend WHERE deptype IN ('a', 'i') AND refobjid = to_regclass(%s)))",
        (f"{name}_id_seq", f"public.{name}"),
    )
    sequences = [row[0] for row in cursor.fetchall()]
    table = sql.Identifier("public", name)
    for role, privileges in roles.items():
        who = sql.Identifier(role)
        cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, who))
        if privileges:
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(", ").join(map(sql.SQL, privileges)), table, who))
        for sequence in sequences:
            numbers = sql.Identifier("public", sequence)
            cursor.execute(sql.SQL("REVOKE ALL ON SEQUENCE {} FROM {}").format(numbers, who))
            if "INSERT" in privileges:
                cursor.execute(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(numbers, who))


def web_privileges(table: TenantTable | SharedTable) -> tuple[str, ...]:
    return table.web if isinstance(table, SharedTable) else READ_WRITE
