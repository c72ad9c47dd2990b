"""What roles permit is read once for a request: the answers are Superset's own, and hold no longer than the request."""

from contextlib import contextmanager

import pytest
from superset.security import SupersetSecurityManager
from superset.utils.core import override_user

from superset_tenancy import names
from world import all_metadata, as_owner

NAMES = ("database_access", "datasource_access", "schema_access", "catalog_access", "all_database_access")


@contextmanager
def request_of(app, name):
    from superset import security_manager

    with all_metadata(app), app.test_request_context():
        user = security_manager.find_user(name)
        with override_user(user):
            yield user


def answers(user, manager) -> dict:
    """To every question that there is about the user of the request, by a class of security managers."""
    from superset import security_manager as sm

    roles = [role.id for role in sm.get_user_roles(user)]
    pairs = [(pair.permission.name, pair.view_menu.name) for pair in sm.session.query(sm.permissionview_model)]
    return {
        "roles": {(name, view) for name, view in pairs if manager.exist_permission_on_roles(sm, view, name, roles)},
        "everybody": {(name, view) for name, view in pairs if manager.is_item_public(sm, name, view)},
        "names": {name: manager.user_view_menu_names(sm, name) for name in NAMES},
    }


@pytest.mark.parametrize("role", ["analyst", "viewer", "platform"])
def test_the_answers_are_supersets_own(app, me, role, permitted_to_everybody):
    with request_of(app, role if role == "platform" else f"{role}-{me.id}") as user:
        ours = answers(user, type(app.appbuilder.sm))
        assert ours == answers(user, SupersetSecurityManager)
    assert ours["roles"] and ours["everybody"] == {permitted_to_everybody}


def test_more_than_is_read_at_once_is_asked_one_by_one(app, me, monkeypatch):
    with request_of(app, f"analyst-{me.id}") as user:
        at_once = answers(user, type(app.appbuilder.sm))
    monkeypatch.setattr("superset_tenancy.permissions.MOST_PERMISSIONS", 3)
    with request_of(app, f"analyst-{me.id}") as user:
        assert answers(user, type(app.appbuilder.sm)) == at_once


def test_a_permission_that_is_taken_away_is_gone_with_the_next_request(app, me):
    from superset import db, security_manager

    path = f"/api/v1/dashboard/{me.dashboard}"
    assert me.analyst.get(path).status_code == 200
    with as_owner(app), all_metadata(app):
        pair = security_manager.find_permission_view_menu("can_read", "Dashboard")
        role = security_manager.find_role(names.role_name(me.id, "analyst"))
        role.permissions = [each for each in role.permissions if each != pair]
        db.session.commit()
    try:
        assert me.analyst.get(path).status_code == 403
    finally:
        with as_owner(app), all_metadata(app):
            role = security_manager.find_role(names.role_name(me.id, "analyst"))
            role.permissions = [*role.permissions, security_manager.find_permission_view_menu("can_read", "Dashboard")]
            db.session.commit()
    assert me.analyst.get(path).status_code == 200


@pytest.fixture
def permitted_to_everybody(app):
    """The role Public has a permission while the test runs: it is empty otherwise."""
    from superset import db, security_manager

    with as_owner(app), all_metadata(app):
        role, before = security_manager.get_public_role(), list(security_manager.get_public_permissions())
        role.permissions = [security_manager.find_permission_view_menu("can_read", "Chart")]
        db.session.commit()
    yield "can_read", "Chart"
    with as_owner(app), all_metadata(app):
        ids = [each.id for each in before]
        model = security_manager.permissionview_model
        security_manager.get_public_role().permissions = db.session.query(model).filter(model.id.in_(ids)).all()
        db.session.commit()
