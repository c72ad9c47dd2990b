"""Makes Superset's metadata what the desired state says, tenant by tenant.

All is checked before anything is touched. Then each tenant is a transaction of its own: a run that dies is completed by the next,
and a tenant that fails does not hold up the others. What is right already is left alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text
from superset import db

from superset_tenancy.metadata.scope import as_scope
from superset_tenancy.provisioning.capabilities import Permission
from superset_tenancy.provisioning.changes import Change, Note, Refused
from superset_tenancy.provisioning.content import ensure_content, notice_changes
from superset_tenancy.provisioning.databases import ensure_database, problems_with_databases
from superset_tenancy.provisioning.desired_state import DesiredState, DesiredTenant
from superset_tenancy.provisioning.records import read_record, write_record
from superset_tenancy.provisioning.removal import remove, restore
from superset_tenancy.provisioning.roles import (
    ensure_platform_roles,
    ensure_roles,
    permission_numbers,
    tenants_with_roles,
)
from superset_tenancy.provisioning.users import ensure_administrator, problems_with_administrators

#: Its name, and what it changes as it is gone through.
Step = tuple[str, Iterator[Change | Note]]

#: Any number: whoever holds the advisory lock of this number on the metadata database applies a state.
_LOCK = 5_104_871_263


def apply_state(state: DesiredState, dry_run: bool, say: Callable[[str], None]) -> bool:
    """Applies the state, or says what it would do; False if a tenant failed. Raises Refused before it touches anything."""
    with alone(say):
        numbers = permission_numbers()
        problems = [*problems_with_databases(state.tenants), *problems_with_administrators(state.tenants)]
        if problems:
            raise Refused(problems)
        run = _Run(dry_run, say)
        run.transaction("platform", iter([("roles", ensure_platform_roles(numbers))]))
        for tenant in state.tenants:
            with as_scope(tenant.id):
                run.transaction(f"tenant {tenant.id}", _steps(tenant, state, numbers))
        for tenant in sorted(tenants_with_roles() - {tenant.id for tenant in state.tenants}):
            with as_scope(tenant):
                run.transaction(f"tenant {tenant}", _steps_of_removal(tenant))
        run.summary(len(state.tenants))
        return not run.failures


def _steps(tenant: DesiredTenant, state: DesiredState, numbers: dict[Permission, int]) -> Iterator[Step]:
    record = read_record(tenant.id)
    notice_changes(tenant.id, record)
    yield "Database", ensure_database(tenant)
    yield "roles", ensure_roles(tenant.id, numbers, record.frozen)
    returned = frozenset(record.deactivated_users)
    yield "return", restore(record)
    yield "administrator", ensure_administrator(tenant, returned)
    yield "content", ensure_content(tenant.id, state.content, record)
    write_record(tenant.id, record)


def _steps_of_removal(tenant: str) -> Iterator[Step]:
    record = read_record(tenant)
    notice_changes(tenant, record)
    yield "removal", remove(tenant, record)
    write_record(tenant, record)


class _Run:
    """The transactions of one run, and what is said of them."""

    def __init__(self, dry_run: bool, say: Callable[[str], None]) -> None:
        self.dry_run = dry_run
        self.say = say
        self.changes = 0
        self.failures: list[str] = []

    def transaction(self, who: str, steps: Iterator[Step]) -> None:
        step = "record"
        said: list[Change | Note] = []
        try:
            for name, changes in steps:
                step = name
                said += changes
                db.session.flush()
            step = "commit"
            db.session.rollback() if self.dry_run else db.session.commit()
        except Exception as error:
            # A tenant's failure is not the others'.
            db.session.rollback()
            self.failures.append(who)
            self.say(f"{who}: {step} FAILED, and nothing of it was changed: {reason(error)}")
            return
        finally:
            # Of a hundred tenants, one is in memory.
            db.session.remove()
        for line in said:
            self.say(f"{who}: {line.said(self.dry_run)}")
        self.changes += sum(isinstance(line, Change) for line in said)

    def summary(self, tenants: int) -> None:
        if self.failures:
            self.say(f"{len(self.failures)} failed: {', '.join(self.failures)}. The next run goes on from here.")
        elif not self.changes:
            self.say(f"nothing to change: {tenants} tenants are as they should be")
        else:
            self.say(f"{self.changes} changes {'would be' if self.dry_run else 'were'} made")


def reason(error: Exception) -> str:
    """Without the parameters of a statement, which may be secrets."""
    text = str(getattr(error, "orig", None) or error)
    return f"{type(error).__name__}: {' '.join(text.split())}"


@contextmanager
def alone(say: Callable[[str], None]) -> Iterator[None]:
    """One run at a time: a deployment that is tried again waits for the one before. The lock ends with its connection."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
            say("another run of superset tenancy apply is at work; waiting for its end")
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
