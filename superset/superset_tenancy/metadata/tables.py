"""Every table of Superset's metadata: it holds things of tenants, or it is shared on purpose.

The migration fails with the name of a table that is in neither list, so a new version of Superset is read before it is served.
"""

from collections.abc import Iterable
from dataclasses import dataclass

READ = ("SELECT",)
READ_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Parent:
    """A row that a row refers to: both belong to one tenant."""

    column: str
    table: str
    #: Column and value by which the reference is one to this table; empty if it always is.
    when: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Unique:
    """A unique constraint or index of Superset's, which holds per tenant instead."""

    name: str
    columns: tuple[str, ...]
    is_index: bool = False
    #: Whether rows without a tenant exclude each other, too: only where the columns are never null.
    nulls_distinct: bool = True


@dataclass(frozen=True)
class TenantTable:
    """A table whose rows belong to tenants."""

    name: str
    parents: tuple[Parent, ...] = ()
    unique: tuple[Unique, ...] = ()
    #: Column of the user whose tenant an existing row without a parent has.
    user: str | None = None
    #: Whether a row tells what a user did: then one that refers to another tenant's things is neither's.
    history: bool = False
    #: Who else may read which rows, a key of `policies.READABLE`.
    readable: str | None = None
    #: Whether a row may be written before the sign-in.
    before_sign_in: bool = False


@dataclass(frozen=True)
class SharedTable:
    """A table without tenants, with the reason; `web` lists what the web's login may do with it."""

    name: str
    reason: str
    web: tuple[str, ...] = ()


def _uuid(table: str, name: str | None = None) -> Unique:
    return Unique(name or f"uq_{table}_uuid", ("uuid",), nulls_distinct=False)


_DATABASE = Parent("database_id", "dbs")
_DATASET = Parent("table_id", "tables")
_DASHBOARD = Parent("dashboard_id", "dashboards")
_REPORT = Parent("report_schedule_id", "report_schedule")
_TAG = Parent("tag_id", "tag")
_MAKER = "created_by_fk"

TENANT_TABLES = (
    # Names and UUIDs of Databases stay unique in all: permissions are called by the name, and the UUID says whose it is.
    TenantTable("dbs", unique=(Unique("dbs_verbose_name_key", ("verbose_name",)),)),
    TenantTable("tables", (_DATABASE,), (_uuid("tables"),)),
    TenantTable("table_columns", (_DATASET,), (_uuid("table_columns"),)),
    TenantTable("sql_metrics", (_DATASET,), (_uuid("sql_metrics"),)),
    TenantTable("sqlatable_user", (_DATASET,)),
    TenantTable("query", (_DATABASE,), (Unique("client_id", ("client_id",)),), user="user_id", history=True),
    TenantTable("saved_query", (Parent("db_id", "dbs"),), (_uuid("saved_query"),), user=_MAKER),
    TenantTable(
        "slices",
        tuple(
            Parent("datasource_id", table, ("datasource_type", kind))
            for kind, table in (("table", "tables"), ("query", "query"), ("saved_query", "saved_query"))
        ),
        (_uuid("slices"),),
        user=_MAKER,
    ),
    TenantTable("slice_user", (Parent("slice_id", "slices"),)),
    TenantTable("dashboards", unique=(Unique("idx_unique_slug", ("slug",)), _uuid("dashboards")), user=_MAKER),
    TenantTable("dashboard_slices", (_DASHBOARD, Parent("slice_id", "slices"))),
    TenantTable("dashboard_user", (_DASHBOARD,)),
    TenantTable("dashboard_roles", (_DASHBOARD,)),
    TenantTable("embedded_dashboards", (_DASHBOARD,), readable="before_sign_in"),
    TenantTable("tab_state", (_DATABASE, Parent("saved_query_id", "saved_query")), user="user_id", history=True),
    TenantTable("table_schema", (_DATABASE, Parent("tab_state_id", "tab_state")), history=True),
    TenantTable("ssh_tunnels", (_DATABASE,)),
    TenantTable("database_user_oauth2_tokens", (_DATABASE,), user="user_id"),
    TenantTable("css_templates", user=_MAKER, readable="platform_rows"),
    TenantTable("annotation_layer", user=_MAKER),
    TenantTable("annotation", (Parent("layer_id", "annotation_layer"),)),
    TenantTable(
        "report_schedule",
        (_DASHBOARD, Parent("chart_id", "slices"), _DATABASE),
        (Unique("uq_report_schedule_name_type", ("name", "type")),),
        user=_MAKER,
    ),
    TenantTable("report_recipient", (_REPORT,)),
    TenantTable("report_execution_log", (_REPORT,)),
    TenantTable("report_schedule_user", (_REPORT,)),
    TenantTable(
        "favstar",
        (Parent("obj_id", "slices", ("class_name", "slice")), Parent("obj_id", "dashboards", ("class_name", "Dashboard"))),
        user="user_id",
        history=True,
    ),
    # A salt that was made before tenants had their own still opens the permalinks of that time.
    TenantTable(
        "key_value",
        unique=(Unique("ix_key_value_uuid", ("uuid",), is_index=True, nulls_distinct=False),),
        user=_MAKER,
        readable="platform_salts",
    ),
    TenantTable("tag", unique=(Unique("tag_name_key", ("name",)),), user=_MAKER),
    TenantTable(
        "tagged_object",
        (
            _TAG,
            *(
                Parent("object_id", table, ("object_type", kind))
                for kind, table in (
                    ("chart", "slices"),
                    ("dashboard", "dashboards"),
                    ("query", "saved_query"),
                    ("dataset", "tables"),
                )
            ),
        ),
    ),
    TenantTable("user_favorite_tag", (_TAG,)),
    TenantTable("user_attribute", (Parent("welcome_dashboard_id", "dashboards"),), user="user_id"),
    TenantTable("tasks", unique=(Unique("idx_tasks_dedup_key", ("dedup_key",), is_index=True),), user="user_id"),
    TenantTable("task_subscribers", (Parent("task_id", "tasks"),)),
    TenantTable("cache_keys"),
    # What a client says it looked at is no reference. A line of a failed sign-in is the platform's.
    TenantTable("logs", user="user_id", before_sign_in=True),
)

#: Policies by the tenant of the user's roles, without a column: a role's name says whose it is.
PEOPLE_TABLES = (
    SharedTable("ab_user", "a user's tenant is that of the user's roles", ("SELECT", "UPDATE")),
    SharedTable("ab_role", "a role's name says whose it is", READ),
)

_WRITTEN_BY_PLATFORM = "read at each check of a permission; only the platform's administrator gives roles"

SHARED_TABLES = (
    SharedTable("ab_permission", "names of what can be permitted", ("SELECT", "INSERT")),
    SharedTable("ab_view_menu", "names of what is permitted, listed for administrators only", READ_WRITE),
    SharedTable("ab_permission_view", "pairs of the two above", READ_WRITE),
    # Superset deletes a dataset's permission with the dataset.
    SharedTable("ab_permission_view_role", _WRITTEN_BY_PLATFORM, ("SELECT", "DELETE")),
    SharedTable("ab_user_role", _WRITTEN_BY_PLATFORM, READ),
    SharedTable("ab_user_group", _WRITTEN_BY_PLATFORM, READ),
    SharedTable("ab_group", _WRITTEN_BY_PLATFORM, READ),
    SharedTable("ab_group_role", _WRITTEN_BY_PLATFORM, READ),
    SharedTable("ab_register_user", "accounts cannot be requested"),
    SharedTable("ab_api_key", "API keys are off"),
    SharedTable("alembic_version", "version of the schema", READ),
    SharedTable("dynamic_plugin", "chart plug-ins are the platform's", READ),
    SharedTable("keyvalue", "not used any more"),
    # A rule that a tenant could not see would not filter its rows.
    SharedTable("row_level_security_filters", "rules hold for whoever asks, and are the platform's", READ),
    SharedTable("rls_filter_roles", "rules hold for whoever asks, and are the platform's", READ),
    SharedTable("rls_filter_tables", "rules hold for whoever asks, and are the platform's", READ),
    SharedTable("themes", "the look of the platform", READ),
)

BY_NAME = {table.name: table for table in (*TENANT_TABLES, *PEOPLE_TABLES, *SHARED_TABLES)}


def unknown_tables(existing: Iterable[str]) -> list[str]:
    """Tables that nobody has decided on."""
    return sorted(set(existing) - BY_NAME.keys())
