"""The people, roles and Databases to choose from in each of Superset's lists: those of the tenant.

Superset lets each API say how such a list is filtered; some say nothing, and all of them add what `include_ids` names without a
filter. This is asked for each list, of each API; a list of something else than these is not given to tenants.
"""

from functools import wraps
from typing import Any

from flask_appbuilder.models.filters import BaseFilter, Filters
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import false
from sqlalchemy.orm import Query
from superset import db, security_manager

from superset_tenancy import names
from superset_tenancy.identity import acting_user, tenants_of

_PATCHED = "_of_the_tenant"


def own_users(query: Query) -> Query:
    """EXTRA_RELATED_QUERY_FILTERS for users."""
    return _own(security_manager.user_model, query)


def own_roles(query: Query) -> Query:
    """EXTRA_RELATED_QUERY_FILTERS for roles."""
    return _own(security_manager.role_model, query)


def _own(model: Any, query: Query) -> Query:
    """Those of the caller's tenants; the platform's administrators see all."""
    # Superset's settings name this module before its models can be loaded.
    from superset.models.core import Database

    user = acting_user()
    if user and security_manager.is_admin():
        return query
    tenants = tenants_of(user) if user else set()
    roles = [names.role_name(tenant, capability) for tenant in tenants for capability in names.CAPABILITIES]
    role = security_manager.role_model
    if model is security_manager.user_model:
        return query.filter(model.roles.any(role.name.in_(roles)))
    if model is role:
        return query.filter(role.name.in_(roles))
    if model is Database:
        return query.filter(Database.uuid.in_([names.database_uuid(tenant) for tenant in tenants]))
    return query.filter(false())


class _OfTheTenant(BaseFilter):
    name = "of the tenant"

    def apply(self, query: Query, _value: Any) -> Query:
        return _own(self.model, query)


def apply() -> None:
    """Lays it over the API that all others extend; a second call changes nothing."""
    from superset.views.base_api import BaseSupersetModelRestApi

    get_filter = BaseSupersetModelRestApi._get_related_filter
    add_extra_ids = BaseSupersetModelRestApi._add_extra_ids_to_result
    if getattr(get_filter, _PATCHED, False):
        return

    @wraps(get_filter)
    def own_filter(self: Any, datamodel: SQLAInterface, column_name: str, value: str) -> Filters:
        filters = get_filter(self, datamodel, column_name, value)
        filters.add_filter_list([[datamodel.get_pk_name(), _OfTheTenant, None]])
        return filters

    @wraps(add_extra_ids)
    def add_own_ids(self: Any, datamodel: SQLAInterface, column_name: str, ids: list[int], result: list[dict[str, Any]]) -> None:
        key = datamodel.get_pk()
        numbers = [number for number in ids or () if isinstance(number, int)]
        own = _own(datamodel.obj, db.session.query(datamodel.obj)).filter(key.in_(numbers)) if numbers else ()
        add_extra_ids(self, datamodel, column_name, [datamodel.get_pk_value(row) for row in own], result)

    setattr(own_filter, _PATCHED, True)
    BaseSupersetModelRestApi._get_related_filter = own_filter
    BaseSupersetModelRestApi._add_extra_ids_to_result = add_own_ids
