"""Superset's security manager, with the tenant in every answer.

What Superset's own permissions allow is allowed only if it is the tenant's own; and what is cached for one tenant is found by
that tenant only. Without a tenant, so for the platform's administrators, there is metadata but no data.
"""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from superset.security import SupersetSecurityManager

from superset_tenancy import names
from superset_tenancy.identity import TenantUnresolved, acting_user, current_tenant, tenant_of_database, tenants_of
from superset_tenancy.permissions import PermissionsOfRequest
from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.sign_in.manager import SignInManager

if TYPE_CHECKING:
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard


class TenantSecurityManager(SignInManager, PermissionsOfRequest, SupersetSecurityManager):
    """CUSTOM_SECURITY_MANAGER."""

    def get_rls_cache_key(self, datasource: Any) -> list[str]:
        """Part of the key of each cached result: the tenant, or what nobody finds again."""
        try:
            owner = current_tenant()
        except TenantUnresolved:
            owner = str(uuid.uuid4())
        return [f"tenant:{owner}", *super().get_rls_cache_key(datasource)]

    def raise_for_access(self, dashboard: "Dashboard | None" = None, **resources: Any) -> None:
        """Raises unless Superset allows it, and all of it is the tenant's."""
        self._find_chart_of_guest(resources.get("query_context"))
        super().raise_for_access(dashboard=dashboard, **resources)
        self._keep_guest_to_saved_questions(resources.get("query_context"), resources.get("viz"))
        query = resources.get("query")
        if query is not None:
            # Results that were stored for somebody: not even for an administrator of the platform.
            current_tenant()
            if not self._is_own_query(query):
                raise TenancyRefusal("This query was run by another person. Run it yourself in SQL Lab.")
        user = acting_user()
        tenants = tenants_of(user) if user else set()
        if not tenants and user and self.is_admin():
            return
        if dashboard is not None and _tenants_of_dashboard(dashboard) != tenants:
            raise TenancyRefusal("This dashboard does not belong to your account.")
        for database in _databases(**resources):
            if {tenant_of_database(database)} != tenants:
                raise TenancyRefusal("This database does not belong to your account.")

    def can_access_schema(self, datasource: Any) -> bool:
        """Superset 6.1.0 asks this about all that a chart can show, and has no answer for a query of SQL Lab."""
        return super().can_access_schema(datasource) or self._is_own_query(datasource)

    def _is_own_query(self, query: Any) -> bool:
        """Superset itself lets everybody use a query in which it finds no table."""
        from superset.models.sql_lab import Query

        number = getattr(acting_user(), "id", None)
        is_own = isinstance(query, Query) and number is not None and query.user_id == number
        return is_own and self.can_access_database(query.database)

    def _find_chart_of_guest(self, query_context: Any) -> None:
        """Superset compares what a guest asks with the saved chart, which it looks for as the guest, who finds no charts."""
        if query_context is None or not self.is_guest_user() or query_context.slice_ is not None:
            return
        from superset.models.slice import Slice

        number = (query_context.form_data or {}).get("slice_id")
        query_context.slice_ = self.session.get(Slice, number) if number is not None else None

    def _keep_guest_to_saved_questions(self, query_context: Any, viz: Any) -> None:
        if (query_context is not None or viz is not None) and self.is_guest_user():
            from superset_tenancy.requests.guests import refuse_other_questions

            refuse_other_questions(query_context, viz)

    def get_schemas_accessible_by_user(
        self, database: "Database", catalog: str | None, schemas: set[str], hierarchical: bool = True
    ) -> set[str]:
        """The schemas to choose from: not those of other tenants, nor what the provisioner keeps for itself."""
        accessible = super().get_schemas_accessible_by_user(database, catalog, schemas, hierarchical)
        own = names.schema_name(tenant_of_database(database) or "")
        return {schema for schema in accessible if schema == own or not names.is_schema_of_tenancy(schema)}


def _tenants_of_dashboard(dashboard: "Dashboard") -> set[str | None]:
    # Superset's settings name this module before its models can be loaded.
    from superset_tenancy.requests.ownership import tenants_of_dashboard

    return tenants_of_dashboard(dashboard)


def _databases(
    database: "Database | None" = None,
    datasource: Any = None,
    query: Any = None,
    query_context: Any = None,
    viz: Any = None,
    chart: Any = None,
    **_others: Any,
) -> Iterable["Database"]:
    if database is not None:
        yield database
    for source in (datasource, query, *(getattr(thing, "datasource", None) for thing in (query_context, viz, chart))):
        if source is not None and getattr(source, "database", None) is not None:
            yield source.database
