"""The window in which a tenant is moved: its people see what they have, and change nothing of it.

`superset tenancy apply` keeps it so. What an ETL writes is not Superset's to stop: that nothing was written is verified instead.
"""

from collections.abc import Callable

from superset import db

from superset_tenancy.provisioning.apply import alone
from superset_tenancy.provisioning.changes import Change, Refused
from superset_tenancy.provisioning.databases import find_database
from superset_tenancy.provisioning.records import read_record, write_record
from superset_tenancy.provisioning.roles import ensure_roles, permission_numbers


def set_frozen(tenant: str, frozen: bool, say: Callable[[str], None]) -> None:
    """From the next request of each user on."""
    with alone(say):
        if find_database(tenant) is None:
            raise Refused([f"there is no tenant {tenant} in this Superset"])
        record = read_record(tenant)
        record.frozen = frozen
        changes = list(ensure_roles(tenant, permission_numbers(), frozen))
        write_record(tenant, record)
        db.session.commit()
        for change in changes:
            say(change.said(False))
        if not any(isinstance(change, Change) for change in changes):
            say("nothing to change")
