"""Functions, types and schemas that a query may name.

PostgreSQL's functions that only compute are listed from a server in `postgres.json`; an operator adds more, in
`superset.allowedFunctions` of the environment file. What is not listed is refused.
"""

import json
import os
import re
from functools import cached_property
from pathlib import Path

from superset_tenancy import names
from superset_tenancy.sql.identifiers import is_system_schema

#: Functions that an operator allows besides, separated by commas, with or without their schema.
ALLOWED_FUNCTIONS = "SUPERSET_ALLOWED_SQL_FUNCTIONS"

#: Functions of extensions that are not at hand where the list is made: pgvector's, and PostGIS's but for those that read tables.
_VECTORS = frozenset(
    """
    l1_distance l2_distance inner_product cosine_distance hamming_distance jaccard_distance
    vector_dims vector_norm l2_norm l2_normalize binary_quantize subvector
    """.split()
)
_POSTGIS = re.compile(r"st_(?!estimated_?extent|find_?extent)[a-z0-9_]+")
_SAMPLING = frozenset(("system", "bernoulli", "system_rows", "system_time"))
_TENANT = "tenancy", "current_tenant"

_REASONS = {
    "changes the session, which serves other queries as well": r"set_config|setseed|set_limit",
    "runs SQL or reads tables that it gets as a text": (
        r".*_to_xml.*|ts_stat|ts_rewrite|crosstab.*|connectby.*|xpath_table|xslt_process|currtid.*|st_.*extent"
    ),
    "reaches beyond this database": r"dblink.*|postgres_fdw_.*|query_export_to_s3|table_import_from_s3|lambda_invoke|aws_.*",
    "takes numbers from a sequence": r"nextval|setval|currval|lastval",
    "works on large objects or files": r"lo_.*|loread|lowrite|get_raw_page",
    "works on the server, its locks, transactions or other sessions": (
        r"pg_.*|txid_.*|binary_upgrade_.*|brin_.*|gin_.*|plpgsql_.*"
    ),
}
_REASONS_OF = {reason: re.compile(pattern) for reason, pattern in _REASONS.items()}


class KnownNames:
    """What is allowed in one process."""

    @cached_property
    def _postgres(self) -> dict[str, frozenset[str]]:
        listed = json.loads((Path(__file__).parent / "postgres.json").read_text())
        return {kind: frozenset(entries) for kind, entries in listed.items()}

    @cached_property
    def _added(self) -> frozenset[str]:
        return frozenset(name.strip().lower() for name in os.environ.get(ALLOWED_FUNCTIONS, "").split(",") if name.strip())

    def reason_to_refuse_function(self, schema: str, name: str) -> str | None:
        """Why a function may not be called, or None if it may; the schema is empty if it is not named."""
        if {name, f"{schema}.{name}"} & self._added or (schema, name) == _TENANT:
            return None
        if is_system_schema(schema) and schema != "pg_catalog":
            return "tells about the server, its roles or its tables"
        if schema not in ("", "pg_catalog"):
            allowed = name in self._postgres["extensions"] or name in _VECTORS or _POSTGIS.fullmatch(name)
        else:
            allowed = name in self._postgres["functions"] or name in self._postgres["types"] or self._is_of_extension(name)
        return None if allowed else self._reason(name)

    def may_be_refused_function(self, name: str) -> bool:
        """Whether PostgreSQL, or an extension, may have a function of that name which may not be called."""
        return name not in self._added | self._postgres["functions"] and (
            name in self._postgres["refusedFunctions"] or any(reason.fullmatch(name) for reason in _REASONS_OF.values())
        )

    def is_refused_type(self, schema: str, name: str) -> bool:
        """Whether values of a type tell about the server, or are names of roles, schemas and tables found by number."""
        element = name.lstrip("_")
        if is_system_schema(schema) and schema != "pg_catalog":
            return True
        if element in self._postgres["types"]:
            return False
        return schema == "pg_catalog" or element in self._postgres["refusedTypes"] or element.startswith("pg_")

    @staticmethod
    def is_sampling_method(name: str) -> bool:
        return name in _SAMPLING

    @staticmethod
    def _is_of_extension(name: str) -> bool:
        return name in _VECTORS or bool(_POSTGIS.fullmatch(name))

    @staticmethod
    def reason_to_refuse_schema(schema: str, own: str | None) -> str | None:
        """Why tables of a schema may not be read, or None if they may; without an own schema, any tenant's may."""
        if is_system_schema(schema):
            return "tells about the server and about others"
        is_own = schema == own or (own is None and schema.startswith("tenant_"))
        return None if is_own or not names.is_schema_of_tenancy(schema) else "belongs to the platform or to another account"

    def _reason(self, name: str) -> str:
        for reason, pattern in _REASONS_OF.items():
            if pattern.fullmatch(name):
                return reason
        if name in self._postgres["refusedFunctions"]:
            return "tells about the server, its roles or its tables"
        return "is not among the functions that only compute"


KNOWN = KnownNames()
