"""What people save changes nothing of others, and a refusal says why."""

import io
import json
import uuid
import zipfile

import pytest
import yaml
from test_named import form_data

from world import Guest, all_metadata


def exported(app, kind: str, number: int) -> dict[str, str]:
    """The files of an export, as Superset makes them."""
    from superset import db, security_manager
    from superset.commands.chart.export import ExportChartsCommand
    from superset.commands.dashboard.export import ExportDashboardsCommand
    from superset.commands.dataset.export import ExportDatasetsCommand
    from superset.utils.core import override_user

    command = {"chart": ExportChartsCommand, "dashboard": ExportDashboardsCommand, "dataset": ExportDatasetsCommand}[kind]
    with all_metadata(app), app.test_request_context(), override_user(security_manager.find_user("platform")):
        files = {name: content() for name, content in command([number]).run()}
        db.session.rollback()
    return files


def imported(person, kind: str, files: dict[str, str], **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(f"export/{name}", content)
    stream.seek(0)
    data = {"formData": (stream, "export.zip"), "overwrite": "true", **options}
    return person.client.post(f"/api/v1/{kind}/import/", data=data, headers=person.headers)


def with_changes(files: dict[str, str], folder: str, **changes) -> dict[str, str]:
    return {
        name: yaml.safe_dump({**yaml.safe_load(content), **changes}) if name.startswith(folder) else content
        for name, content in files.items()
    }


@pytest.fixture
def colleague(app, me, request):
    """Another analyst of the same tenant, who owns nothing."""
    from superset import security_manager

    from superset_tenancy import names
    from world import PASSWORD, Person

    name = f"colleague-{me.id}"
    with all_metadata(app):
        if not security_manager.find_user(name):
            role = security_manager.find_role(names.role_name(me.id, "analyst"))
            security_manager.add_user(name, "C", "C", f"{name}@example.com", role, PASSWORD)
    return Person(app.test_client(), name)


def owners(app, kind: str, number: int) -> list[str]:
    from superset_tenancy.requests.ownership import find

    with all_metadata(app):
        return sorted(owner.username for owner in find(kind, number).owners)


def test_an_import_with_the_name_of_a_colleagues_dataset(app, me, colleague, every_route):
    number = me.datasets["events"]
    files = with_changes(exported(app, "dataset", number), "datasets/", uuid=str(uuid.uuid4()), description="mine now")
    before = owners(app, "dataset", number)
    answer = imported(colleague, "dataset", files)
    assert answer.status_code == 400 and "is not yours" in answer.text, answer.text
    assert owners(app, "dataset", number) == before
    at_home = imported(me.analyst, "dataset", files)
    assert at_home.status_code == 200, at_home.text


def test_an_import_into_the_database_of_the_other(app, me, other):
    files = exported(app, "dataset", other.datasets["events"])
    answer = imported(me.analyst, "dataset", files)
    assert 400 <= answer.status_code < 500 and "unknown reason" not in answer.text, answer.text
    assert owners(app, "dataset", other.datasets["events"]) == [other.analyst.username]


def test_an_import_that_is_not_plain_yaml(app, me):
    files = exported(app, "dataset", me.datasets["events"])
    name = next(name for name in files if name.startswith("datasets/"))
    answer = imported(me.analyst, "dataset", {**files, name: "!!python/object/apply:os.system ['true']"})
    assert 400 <= answer.status_code < 500, answer.text


def test_the_query_of_a_colleagues_chart(me, colleague):
    body = {"query_context": json.dumps({"queries": []}), "query_context_generation": True}
    answer = colleague.put(f"/api/v1/chart/{me.chart}", body)
    assert answer.status_code == 400 and "is not yours" in answer.text, answer.text
    saved = me.analyst.get(f"/api/v1/chart/{me.chart}").json["result"]["query_context"]
    at_home = me.analyst.put(f"/api/v1/chart/{me.chart}", {**body, "query_context": saved})
    assert at_home.status_code == 200, at_home.text


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", " JaVa\tScript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_links_lead_to_web_pages(me, scheme):
    path = f"/api/v1/dataset/{me.datasets['orders']}"
    answer = me.analyst.put(path, {"default_endpoint": scheme})
    assert answer.status_code == 400 and "default_endpoint" in answer.text, answer.text
    for address in ("https://example.com/a:b", "/superset/welcome/", None):
        assert me.analyst.put(path, {"default_endpoint": address}).status_code == 200


def test_a_uuid_that_the_shared_content_may_have(me):
    from superset_tenancy import names

    body = {"dashboard_title": "x", "uuid": str(names.content_uuid(me.id, str(uuid.uuid4())))}
    answer = me.analyst.post("/api/v1/dashboard/", body)
    assert answer.status_code == 400, answer.text
    assert me.analyst.post("/api/v1/dashboard/", {**body, "uuid": str(uuid.uuid4())}).status_code == 201


def test_an_identifier_that_exists(me, other):
    """Is refused in words; one of another tenant is free, and names two dashboards from then on."""
    answer = me.analyst.post("/api/v1/dashboard/", {"dashboard_title": "x", "uuid": str(uuid_of(me))})
    assert answer.status_code == 422 and "exists already" in answer.text, answer.text
    same = me.analyst.create("dashboard", dashboard_title="x", uuid=uuid_of(other))
    assert uuid_of(other) == me.analyst.get(f"/api/v1/dashboard/{same}").json["result"]["uuid"]
    assert same != other.dashboard and me.analyst.get(f"/api/v1/dashboard/{uuid_of(other)}").json["result"]["id"] == same
    me.analyst.delete(f"/api/v1/dashboard/{same}")


def uuid_of(tenant) -> str:
    return tenant.analyst.get(f"/api/v1/dashboard/{tenant.dashboard}").json["result"]["uuid"]


def test_an_owner_who_is_of_another_tenant_by_now(app, me, other):
    """The dashboard stays the first tenant's, whose people see and save it; neither sees the other any more."""
    from superset import db, security_manager

    from superset_tenancy import names
    from world import PASSWORD, Person

    name = f"leaver-{uuid.uuid4().hex[:6]}"
    with all_metadata(app):
        role = security_manager.find_role(names.role_name(me.id, "analyst"))
        roles = [security_manager.find_role(names.role_name(me.id, of)).id for of in names.CAPABILITIES]
        security_manager.add_user(name, "L", "L", f"{name}@example.com", role, PASSWORD)
        number = security_manager.find_user(me.analyst.username).id
        leaver = security_manager.find_user(name).id
    person = Person(app.test_client(), name)
    body = {"dashboard_title": "of one who leaves", "published": True, "roles": roles, "owners": [leaver, number]}
    dashboard = person.create("dashboard", **body)
    path = f"/api/v1/dashboard/{dashboard}"
    assert me.viewer.get(path).status_code == 200
    with all_metadata(app):
        user = security_manager.find_user(name)
        user.roles = [security_manager.find_role(names.role_name(other.id, "analyst"))]
        db.session.commit()
    assert me.viewer.get(path).status_code == 200
    shown = [owner["id"] for owner in me.analyst.get(path).json["result"]["owners"]]
    assert shown == [number]
    assert me.analyst.put(path, {"dashboard_title": "still ours", "owners": shown}).status_code == 200
    assert me.analyst.put(path, {"owners": [leaver, number]}).status_code == 422
    assert Person(app.test_client(), name).get(path).status_code in (403, 404)


def test_the_guest_of_a_dashboard_of_text_only(app, me, other, platform):
    number = me.analyst.create("dashboard", dashboard_title=f"Words of {me.id}", published=True)
    answer = platform.post(f"/api/v1/dashboard/{number}/embedded", {"allowed_domains": []})
    guest = Guest(app.test_client(), platform, answer.json["result"]["uuid"], "visitor")
    at_home = guest.client.get(f"/api/v1/dashboard/{number}", headers=guest.headers)
    assert at_home.status_code == 200 and f"Words of {me.id}" in at_home.text, at_home.text
    for dashboard in (other.dashboard, me.dashboard):
        assert guest.client.get(f"/api/v1/dashboard/{dashboard}", headers=guest.headers).status_code in (403, 404)


def test_form_data_stays_usable(me):
    """A chart of the person's own is saved and changed as ever."""
    body = {"datasource_id": me.datasets["orders"], "datasource_type": "table", "viz_type": "table"}
    chart = me.analyst.create("chart", slice_name="mine", params=json.dumps(form_data(me)), **body)
    assert me.analyst.put(f"/api/v1/chart/{chart}", {"slice_name": "still mine"}).status_code == 200
