"""Forged requests, probes without a sign-in, embedding's origins and the administrator's pages for users."""

import re
import uuid
from unittest.mock import patch

import pytest

from world import PASSWORD, all_metadata


@pytest.fixture
def with_csrf(app):
    with patch.dict(app.config, WTF_CSRF_ENABLED=True):
        yield


@pytest.fixture
def administrator(app, platform):
    client = app.test_client()
    client.post("/login/", data={"username": platform.username, "password": PASSWORD})
    return client


class TestForgedRequests:
    BODY = {"user": {"username": "visitor"}, "rls": []}

    def test_a_program_with_a_token_needs_neither_cookie_nor_referer(self, world, platform, guest_of, with_csrf):
        with patch.dict(platform.client.application.config, WTF_CSRF_ENABLED=False):
            guest_of(world["tk4q9w"], "visitor")
        platform.client = platform.client.application.test_client()
        dashboard = {"type": "dashboard", "id": str(world["tk4q9w"].dashboard)}
        answer = platform.client.post(
            "/api/v1/security/guest_token/",
            json={**self.BODY, "resources": [dashboard]},
            headers=platform.headers,
            base_url="https://superset.example",
        )
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}], ids=["cookie", "cookie and a token"])
    def test_a_browser_needs_the_token_of_its_page(self, administrator, with_csrf, headers):
        path, body = "/api/v1/security/guest_token/", {**self.BODY, "resources": []}
        refused = administrator.post(path, json=body, headers=headers)
        assert refused.status_code != 200 and not (refused.is_json and "token" in refused.json)
        token = administrator.get("/api/v1/security/csrf_token/").json["result"]
        answer = administrator.post(path, json=body, headers={"X-CSRFToken": token})
        assert answer.status_code == 200, answer.text


def test_a_probe_stores_no_session(app, tenancy):
    store = app.config["SESSION_REDIS"]
    before = set(store.keys(app.config["SESSION_KEY_PREFIX"] + "*"))
    answer = app.test_client().get("/health")
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert set(store.keys(app.config["SESSION_KEY_PREFIX"] + "*")) == before


@pytest.mark.parametrize("domains", [["https://shop.example"], ["http://localhost", "shop.example"]])
def test_an_origin_that_could_not_embed_is_refused_with_the_reason(world, platform, domains):
    path = f"/api/v1/dashboard/{world['tk4q9w'].dashboard}/embedded"
    answer = platform.post(path, {"allowed_domains": domains})
    assert answer.status_code == 400 and "shop.example" in answer.text and "frame-ancestors" in answer.text
    assert platform.post(path, {"allowed_domains": ["http://localhost"]}).status_code == 200


def test_the_origin_of_a_shop_is_refused(world, platform):
    path = f"/api/v1/dashboard/{world['tk4q9w'].dashboard}/embedded"
    assert platform.post(path, {"allowed_domains": ["https://shop.example"]}).status_code == 400


class TestUsersPages:
    """As a platform administrator's browser."""

    def test_they_list_add_edit_and_deactivate(self, app, administrator):
        from superset import security_manager

        with all_metadata(app):
            role = security_manager.find_role("tenant:tk4q9w:viewer").id
        name = f"added-{uuid.uuid4().hex[:8]}"
        form = {"first_name": "A", "last_name": "B", "username": name, "email": f"{name}@example.com", "roles": [str(role)]}
        password = {"password": "quiet rivers carry boats", "conf_password": "quiet rivers carry boats"}
        added = administrator.post("/users/add", data={**form, **password, "active": "y"}, follow_redirects=True)
        assert added.status_code == 200, added.text
        listed = administrator.get(f"/users/list/?_flt_0_username={name}", follow_redirects=True)
        assert listed.status_code == 200 and name in listed.text
        with all_metadata(app):
            number = security_manager.find_user(name).id
        edited = administrator.post(f"/users/edit/{number}", data={**form, "last_name": "Changed"}, follow_redirects=True)
        assert edited.status_code == 200
        with all_metadata(app):
            user = security_manager.find_user(name)
            assert user.last_name == "Changed" and not user.is_active

    def test_a_weak_password_is_refused_in_words(self, administrator):
        form = {"first_name": "A", "last_name": "B", "username": "weak-one", "email": "w@x.example", "active": "y"}
        answer = administrator.post("/users/add", data={**form, "password": "abc", "conf_password": "abc"})
        assert answer.status_code == 200 and re.search("needs at least 12", answer.text)

    @pytest.mark.parametrize(
        "path", ["/users/", "/users/list/", "/users/add", "/api/v1/security/users/", "/api/v1/security/roles/"]
    )
    def test_nobody_else_reaches_them(self, app, world, path):
        for who in (world["tk4q9w"].analyst, world["tk4q9w"].viewer):
            client = app.test_client()
            client.post("/login/", data={"username": who.username, "password": PASSWORD})
            assert client.get("/api/v1/me/").status_code == 200
            answer = client.get(path, follow_redirects=True)
            assert "analyst-tz81mm" not in answer.text and "platform@example.com" not in answer.text
