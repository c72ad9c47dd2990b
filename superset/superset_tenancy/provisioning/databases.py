"""The one Database object of each tenant: whose it is, and what may be done through it. It leads nowhere by itself."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from superset import db
from superset.connectors.sqla.models import SqlaTable
from superset.models.core import ConfigurationMethod, Database
from superset.models.slice import Slice

from superset_tenancy import names
from superset_tenancy.provisioning.changes import Change
from superset_tenancy.provisioning.desired_state import DesiredTenant

_EXTRA = {
    # One database of the server, the tenant's own.
    "allow_multi_catalog": False,
    # EXPLAIN tells about others.
    "cost_estimate_enabled": False,
    "allows_virtual_table_explore": True,
    "disable_data_preview": False,
    "cancel_query_on_windows_unload": True,
    "engine_params": {},
    "metadata_params": {},
    "schemas_allowed_for_file_upload": [],
}


def ensure_database(tenant: DesiredTenant) -> Iterator[Change]:
    """Makes the tenant's Database as it should be.

    By the model, whose listeners make its permission: Superset's own commands would connect to the tenant's data, and there is
    nobody here whose data that could be.
    """
    wanted = _wanted(tenant)
    database = find_database(tenant.id)
    if database is None:
        db.session.add(Database(uuid=names.database_uuid(tenant.id), **wanted))
        db.session.flush()
        yield Change(f'Database "{tenant.database_name}"', "created")
        return
    old_name = database.database_name
    for setting, value in wanted.items():
        if _value(setting, getattr(database, setting)) != _value(setting, value):
            setattr(database, setting, value)
            yield Change(f'Database "{old_name}": {setting}', "set back" if setting != "database_name" else "changed")
    db.session.flush()
    if database.database_name != old_name:
        _rename_schema_permissions(database, old_name)


def hide_database(tenant: str) -> Iterator[Change]:
    """No query starts from it any more; what was made over it stays."""
    database = find_database(tenant)
    if database and database.expose_in_sqllab:
        database.expose_in_sqllab = False
        yield Change(f'Database "{database.database_name}"', "hidden from SQL Lab")


def find_database(tenant: str) -> Database | None:
    return db.session.query(Database).filter_by(uuid=names.database_uuid(tenant)).one_or_none()


def problems_with_databases(tenants: list[DesiredTenant]) -> Iterator[str]:
    """What a Database of the platform's would stand in the way of."""
    wanted = {tenant.database_name: tenant for tenant in tenants}
    rows = db.session.execute(select(Database.database_name, Database.uuid).where(Database.database_name.in_(wanted)))
    for name, uuid in rows:
        if uuid != names.database_uuid(wanted[name].id):
            yield f'tenant {wanted[name].id}: another Database is called "{name}"; rename that one'


def _wanted(tenant: DesiredTenant) -> dict[str, Any]:
    return {
        "database_name": tenant.database_name,
        "sqlalchemy_uri": names.database_uri(tenant.id, tenant.proxy),
        "configuration_method": ConfigurationMethod.SQLALCHEMY_FORM,
        "expose_in_sqllab": True,
        "allow_run_async": True,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "force_ctas_schema": None,
        "impersonate_user": False,
        "extra": json.dumps(_EXTRA),
        # No credentials are stored in Superset.
        "password": None,
        "encrypted_extra": None,
        "server_cert": None,
    }


def _value(setting: str, value: Any) -> Any:
    return json.loads(value or "{}") if setting == "extra" else value or None


def _rename_schema_permissions(database: Database, old_name: str) -> None:
    """What Superset leaves to its API when a Database is renamed, where it asks the database for its schemas."""
    old, new = f"[{old_name}].", f"[{database.database_name}]."
    datasets = select(SqlaTable.id).where(SqlaTable.database_id == database.id)
    for model, of_database in ((SqlaTable, SqlaTable.id.in_(datasets)), (Slice, Slice.datasource_id.in_(datasets))):
        for column in (model.schema_perm, model.catalog_perm):
            db.session.query(model).filter(of_database, column.startswith(old, autoescape=True)).update(
                {column: new + func.substr(column, len(old) + 1)}, synchronize_session=False
            )
