"""Schema and catalog names that reach Superset from outside are names, not SQL.

Superset puts the schema of a request, or of a saved dataset, between double quotes into `set search_path`. Names follow the rule
of the environment file; schemas of the system are refused, since a search path on them reads the catalogs by plain table names.
"""

import re
from typing import Any

from superset_tenancy.refusals.refusal import TenancyRefusal

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def is_system_schema(schema: str) -> bool:
    """Whether the schema tells about the server, its roles and all tenants' tables."""
    return schema == "information_schema" or schema.startswith("pg_")


def require_names(catalog: Any, schema: Any) -> None:
    """Raises TenancyRefusal unless both are names, or missing."""
    for what, name in (("catalog", catalog), ("schema", schema)):
        if name and not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise TenancyRefusal(
                f"{_shown(name)} is not a {what} name: names have 1 to 63 lower-case letters, digits and underscores, "
                f"and do not start with a digit. Choose a {what} from the list."
            )
    if schema and is_system_schema(schema):
        raise TenancyRefusal(f"The schema {schema} is not allowed here: it tells about the server. Choose another schema.")


def search_path_query(schema: str | None) -> list[str]:
    """Statement that selects the schema, which is quoted as an identifier whatever it holds."""
    return ['set search_path = "{}"'.format(schema.replace('"', '""'))] if schema else []


def quote_search_path() -> None:
    """Superset's statement that selects a schema has the schema quoted."""
    # It cannot be loaded before Superset stands.
    from superset.db_engine_specs.postgres import PostgresEngineSpec

    def get_prequeries(cls: type, database: Any, catalog: str | None = None, schema: str | None = None) -> list[str]:
        require_names(catalog, schema)
        return search_path_query(schema)

    PostgresEngineSpec.get_prequeries = classmethod(get_prequeries)


def _shown(name: Any) -> str:
    text = str(name)
    return repr(text if len(text) <= 40 else text[:40] + "…")
