"""People: each tenant's first administrator, and whom an operator without single sign-on adds by hand."""

import json
import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import func, or_
from sqlalchemy.orm import selectinload
from superset import db, security_manager
from werkzeug.security import generate_password_hash

from superset_tenancy import names
from superset_tenancy.connections.credentials import patient_secrets_manager
from superset_tenancy.provisioning.changes import Change, Note, Refused
from superset_tenancy.provisioning.desired_state import DesiredTenant


@dataclass(frozen=True)
class Person:
    """Who should be a user, of which tenant, to do what."""

    tenant: str
    role: str
    username: str
    email: str
    first_name: str
    last_name: str


def administrator(tenant: DesiredTenant) -> Person:
    return Person(
        tenant=tenant.id,
        role="admin",
        username=tenant.admin_email,
        email=tenant.admin_email,
        first_name="Administrator",
        last_name=tenant.display_name[:64],
    )


def problems_with_administrators(tenants: list[DesiredTenant]) -> Iterator[str]:
    """Names and addresses that are taken, by somebody of another tenant or of the platform."""
    found = KnownUsers(map(administrator, tenants))
    for tenant in tenants:
        person = administrator(tenant)
        for user in found.of(person):
            if whose := other_owner(user, tenant.id):
                yield f"tenant {tenant.id}: {person.username} cannot be its administrator: that user is {whose}"
        if len(found.of(person)) > 1:
            yield f"tenant {tenant.id}: one user is called {person.username}, and another has that e-mail address"


def ensure_administrator(tenant: DesiredTenant, returned: Container[int] = ()) -> Iterator[Change | Note]:
    """The user that the environment file names administers the tenant. Whoever else does, goes on: to end that is a decision.

    The password is that of Secrets Manager, set once: it is the person's own afterwards. With a tenant that was removed and is
    back the secret is new, so that the administrator gets its password if among those who returned with it, by their numbers.
    """
    person = administrator(tenant)
    role = security_manager.find_role(names.role_name(tenant.id, "admin"))
    users = KnownUsers([person]).of(person)
    if not users:
        others = sorted(user.username for user in administrators(tenant.id))
        _create(person, _initial_password(tenant.id))
        yield Change(f"administrator {person.username}", "created", f"; {', '.join(others)} stays one" if others else "")
        return
    (user,) = users
    if role not in user.roles:
        user.roles = [role, *(held for held in user.roles if names.tenant_of_role(held.name) != tenant.id)]
        yield Change(f"user {user.username}", "made administrator")
    if user.active and user.id in returned:
        user.password = _hashed(_initial_password(tenant.id))
        yield Change(f"user {user.username}", "given the password of the tenant's new secret")
    if not user.active:
        yield Note(f"administrator {user.username} is deactivated, and stays so; activate that user if it was a mistake")


def administrators(tenant: str) -> list:
    """The tenant's active administrators."""
    role = security_manager.find_role(names.role_name(tenant, "admin"))
    return sorted((user for user in role.user if user.active), key=lambda user: user.id)


def add_users(people: list[tuple[Person, str]]) -> Iterator[Change | Note]:
    """Creates people with their passwords; raises Refused if somebody else has a name or an address, before it creates any."""
    found = KnownUsers(person for person, _ in people)
    missing = {person.tenant for person, _ in people if _role(person) is None}
    problems = [f"there is no tenant {tenant}" for tenant in sorted(missing)]
    for person, _ in people:
        problems += [f"{person.username}: {problem}" for problem in _problems_with(person, found.of(person))]
    if problems:
        raise Refused(problems)
    for person, password in people:
        if not found.of(person):
            _create(person, password)
            yield Change(f"tenant {person.tenant}: {person.role} {person.username}", "created")


def _problems_with(person: Person, users: list) -> Iterator[str]:
    wanted = names.role_name(person.tenant, person.role)
    for user in users:
        held = sorted(role.name for role in user.roles)
        if whose := other_owner(user, person.tenant):
            yield f"that user is {whose}"
        elif wanted not in held:
            yield f"that user has another role, {', '.join(held)}"
    if len(users) > 1 or any(user.username.lower() != person.username.lower() for user in users):
        yield f"the e-mail address {person.email} is that of another user"


class KnownUsers:
    """The users that have the name or the address of one of these people."""

    def __init__(self, people: Iterable[Person]) -> None:
        wanted = {text.lower() for person in people for text in (person.username, person.email)}
        model = security_manager.user_model
        self._found = (
            db.session.query(model)
            .options(selectinload(model.roles))
            .filter(or_(func.lower(model.username).in_(wanted), func.lower(model.email).in_(wanted)))
            .all()
        )

    def of(self, person: Person) -> list:
        username, email = person.username.lower(), person.email.lower()
        return [user for user in self._found if user.username.lower() == username or user.email.lower() == email]


def _role(person: Person):
    return security_manager.find_role(names.role_name(person.tenant, person.role))


def other_owner(user, tenant: str) -> str | None:
    """Whose user it is, in words, if not the tenant's alone."""
    held = [role.name for role in user.roles]
    tenants = {names.tenant_of_role(name) for name in held} - {None}
    if tenants - {tenant}:
        return "of tenant " + " and ".join(sorted(tenants - {tenant}))
    if not tenants or "Admin" in held:
        return f"of the platform ({', '.join(sorted(held)) or 'without a role'})"
    return None


def _create(person: Person, password: str) -> None:
    created = security_manager.add_user(
        person.username,
        person.first_name,
        person.last_name,
        person.email,
        _role(person),
        password=password,
        commit=False,
    )
    if not created:
        raise RuntimeError(f"Superset cannot create the user {person.username}; its log says why")
    db.session.flush()


def _hashed(password: str) -> str:
    """As Flask-AppBuilder does."""
    return generate_password_hash(
        password,
        method=current_app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt"),
        salt_length=current_app.config.get("FAB_PASSWORD_HASH_SALT_LENGTH", 16),
    )


def _initial_password(tenant: str) -> str:
    secret = os.environ["SUPERSET_TENANT_ADMIN_SECRET"].format(tenant=tenant)
    answer = patient_secrets_manager(os.getpid()).get_secret_value(SecretId=secret)
    return json.loads(answer["SecretString"])["password"]
