"""Whose a dataset, chart or dashboard is, for the commands of the operator.

A UUID or a slug does not say it: a tenant's user can choose both. The Database of the data and the roles do; owners count where
there is neither data nor role.
"""

from superset import db
from superset.connectors.sqla.models import SqlaTable
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from superset_tenancy import names
from superset_tenancy.identity import tenant_of_database, tenants_of


def is_of_tenant(thing: SqlaTable | Slice | Dashboard, tenant: str) -> bool:
    """Whether it is this tenant's and no other's."""
    return (_by_data_and_roles(thing) or _by_owners(thing)) == {tenant}


def described_owners(thing: SqlaTable | Slice | Dashboard) -> str:
    """Whose it is, in words, for an operator."""
    tenants = sorted((_by_data_and_roles(thing) or _by_owners(thing)) - {None})
    return f"of tenant {' and '.join(tenants)}" if tenants else "of no tenant"


def _by_data_and_roles(thing: SqlaTable | Slice | Dashboard) -> set[str | None]:
    if isinstance(thing, SqlaTable):
        return {tenant_of_database(thing.database)} if thing.database else set()
    if isinstance(thing, Slice):
        dataset = db.session.get(SqlaTable, thing.datasource_id) if thing.datasource_id else None
        return _by_data_and_roles(dataset) if dataset else set()
    tenants = set().union(*map(_by_data_and_roles, thing.slices))
    return tenants | ({names.tenant_of_role(role.name) for role in thing.roles} - {None})


def _by_owners(thing: SqlaTable | Slice | Dashboard) -> set[str | None]:
    return set().union(*(tenants_of(owner) for owner in thing.owners))
