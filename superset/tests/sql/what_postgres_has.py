"""Functions and types of PostgreSQL as a server lists them, sorted into those that compute and those that do or tell more.

Writes `superset_tenancy/sql/postgres.json`, which the guard reads:
    SUPERUSER='host=... user=...' python tests/sql/what_postgres_has.py
"""

import json
import os
from contextlib import suppress
from pathlib import Path

import psycopg2

FILE = Path(__file__).parents[2] / "superset_tenancy" / "sql" / "postgres.json"

#: What analytics may ask for and only computes. Extensions that a server lacks are left out.
EXTENSIONS = """
    btree_gin btree_gist citext cube dict_int earthdistance fuzzystrmatch hstore intarray isn ltree pg_trgm pgcrypto seg tablefunc
    tsm_system_rows tsm_system_time unaccent uuid-ossp
""".split()

#: Types whose values are made inside of the server, or are names of its roles and of all tenants' tables, found by number.
_TYPES_OF_THE_SERVER = """
    internal cstring trigger event_trigger language_handler fdw_handler index_am_handler table_am_handler tsm_handler
    aclitem oid oidvector regclass regrole regnamespace regproc regprocedure regoper regoperator regtype regcollation
    xid xid8 cid refcursor txid_snapshot gtsvector
""".split()
#: As names of types in a statement: a number may be used as one, and says nothing.
_HARMLESS_TYPES = "oid oidvector regcollation xid xid8 cid tid pg_lsn pg_snapshot txid_snapshot".split()

#: They tell about the server, its roles, settings, tables or other sessions, whatever PostgreSQL says of what they change.
_TELLING = (
    r"^pg_|^has_.*privilege$|_to_xml|^current_setting$|^inet_(client|server)_|_description$|^to_reg|acl|^format_type$"
    r"|^row_security_active$|^ts_(stat|rewrite)$|^lo_|^txid_|^binary_upgrade_|^currtid|^connectby|^crosstab|^xpath_table"
    r"|^show_limit$|^dblink|^get_raw_page"
)
_HARMLESS = """
    pg_typeof pg_column_size pg_size_bytes pg_size_pretty pg_collation_for pg_client_encoding
    random random_normal gen_random_uuid clock_timestamp timeofday array_sample array_shuffle current_query
    gen_salt gen_random_bytes uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 normal_rand uuidv4 uuidv7
    pgp_sym_encrypt pgp_sym_encrypt_bytea pgp_pub_encrypt pgp_pub_encrypt_bytea
""".split()

_FUNCTIONS = """
SELECT p.proname, e.extname,
       p.prokind IN ('f', 'a', 'w')
           AND NOT EXISTS (
               SELECT FROM unnest(p.proargtypes::oid[] || p.proallargtypes || p.prorettype) used (type)
               JOIN pg_type t ON t.oid = used.type LEFT JOIN pg_type of_array ON of_array.oid = t.typelem AND t.typlen = -1
               WHERE coalesce(of_array.typname, t.typname) = ANY (%(types)s) OR t.typname LIKE 'pg\\_%%'
           ) OR p.proname = ANY (%(harmless)s) AS computes,
       p.proname !~ %(telling)s AND p.provolatile <> 'v' OR p.proname = ANY (%(harmless)s) AS harmless
FROM pg_proc p LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE p.pronamespace = 'pg_catalog'::regnamespace OR e.extname IS NOT NULL
"""
_TYPES = """
SELECT t.typname, coalesce(of_array.typname, t.typname) <> ALL (%(types)s) AND t.typname !~ '^_?pg_' AND t.typtype <> 'c'
                  OR coalesce(of_array.typname, t.typname) = ANY (%(harmless)s) AS harmless
FROM pg_type t LEFT JOIN pg_type of_array ON of_array.oid = t.typelem AND t.typlen = -1
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND (t.typtype <> 'c' OR t.typname !~ '^_?pg_')
"""


def read(connection) -> dict[str, list[str]]:
    """What the server has, with each extension of the list that it can have, all of which is undone."""
    with connection.cursor() as cursor:
        for extension in EXTENSIONS:
            cursor.execute("SAVEPOINT extension")
            with suppress(psycopg2.Error):
                cursor.execute(f'CREATE EXTENSION IF NOT EXISTS "{extension}" CASCADE')
                continue
            cursor.execute("ROLLBACK TO extension")
        cursor.execute(_FUNCTIONS, {"types": _TYPES_OF_THE_SERVER, "harmless": _HARMLESS, "telling": _TELLING})
        functions = [row for row in cursor if row[1] is None or row[1] in EXTENSIONS]
        cursor.execute(_TYPES, {"types": _TYPES_OF_THE_SERVER, "harmless": _HARMLESS_TYPES})
        types = cursor.fetchall()
    connection.rollback()
    harmful = {name for name, _, _, harmless in functions if not harmless}
    names = {name for name, *_ in functions}
    computing = {name for name, _, computes, _ in functions if computes} - harmful
    return {
        "functions": sorted(computing),
        "extensions": sorted({name for name, extension, *_ in functions if extension} & computing),
        "refusedFunctions": sorted(names - computing),
        "types": sorted({name for name, harmless in types if harmless}),
        "refusedTypes": sorted({name for name, harmless in types if not harmless}),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(read(psycopg2.connect(os.environ["SUPERUSER"])), indent=1) + "\n")
