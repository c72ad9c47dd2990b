"""Sessions, tokens, passwords: who is signed in, for how long, and what ends it."""

from unittest.mock import patch

import pytest

from world import PASSWORD

NEW = "quiet rivers carry boats"
ME = "/api/v1/me/"
COOKIE = "__Host-session"


def is_in(client):
    return client.get(ME).status_code == 200


def session_id(client):
    return client.get_cookie(COOKIE).value


def give_role(name):
    def change(user, manager):
        user.roles = [manager.find_role(name)]

    return change


def deactivate(user, _manager):
    user.active = False


def set_password(user, manager):
    manager.reset_password(user.id, NEW)


def test_the_cookie_is_of_this_host_alone_and_over_tls_only(account, monkeypatch):
    """A browser refuses a cookie of that name which is without Secure, has a Domain, or another Path."""
    monkeypatch.setitem(account.app.config, "SESSION_COOKIE_SECURE", True)
    client = account.app.test_client()
    answer = client.post("/login/", data={"username": account.name, "password": PASSWORD}, base_url="https://localhost")
    (cookie,) = [cookie for cookie in answer.headers.getlist("Set-Cookie") if "session" in cookie]
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-session=") and {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert not [attribute for attribute in attributes if attribute.startswith("Domain")]


class TestWhatEndsASignIn:
    def test_a_sign_in_has_a_session_id_that_nobody_knew_before(self, account):
        client = account.app.test_client()
        client.get("/login/")
        client.set_cookie(COOKIE, "chosen-by-somebody-else")
        with client.session_transaction() as session:
            session["x"] = 1
        before = session_id(client)
        client.post("/login/", data={"username": account.name, "password": PASSWORD})
        assert is_in(client) and session_id(client) != before
        client.set_cookie(COOKIE, before)
        assert not is_in(client)

    def test_sign_out_ends_every_session_and_token(self, account):
        here, there, program, tokens = account.browser(), account.browser(), account.program(), account.tokens()
        assert is_in(here) and is_in(there) and program.get(ME).status_code == 200
        assert account.refresh(tokens).status_code == 200
        here.get("/logout/", headers={"Sec-Fetch-Site": "same-origin"})
        assert not is_in(here) and not is_in(there)
        assert program.get(ME).status_code == 401
        assert account.refresh(tokens).status_code == 401
        assert is_in(account.browser())

    @pytest.mark.parametrize(
        "change",
        [set_password, deactivate, give_role("tenant:tk4q9w:viewer"), give_role("tenant:tz81mm:analyst")],
        ids=["password", "deactivated", "role", "tenant"],
    )
    def test_a_changed_account_signs_in_again(self, account, change):
        browser, program, tokens = account.browser(), account.program(), account.tokens()
        assert is_in(browser) and program.get(ME).status_code == 200 and account.refresh(tokens).status_code == 200
        account.change(change)
        assert not is_in(browser)
        assert program.get(ME).status_code == 401
        assert account.refresh(tokens).status_code == 401

    def test_a_new_password_signs_out(self, account):
        browser = account.browser()
        assert is_in(browser)
        account.change(set_password)
        assert not is_in(browser)

    def test_tokens_end_by_themselves(self, app, account):
        import jwt
        import superset_config

        with patch.dict(app.config, JWT_ACCESS_TOKEN_EXPIRES=superset_config.JWT_ACCESS_TOKEN_EXPIRES):
            tokens = account.tokens()
        for name, most in (("access_token", 15 * 60), ("refresh_token", 8 * 3600)):
            claims = jwt.decode(tokens[name], options={"verify_signature": False})
            assert claims["exp"] - claims["iat"] <= most

    def test_a_guest_token_ends_with_the_embedding(self, world, guest_of, platform):
        me = world["tk4q9w"]
        guest = guest_of(me, "visitor")
        body = {"resources": [{"type": "dashboard", "id": str(me.dashboard)}], "user": {"username": "v"}, "rls": []}
        by_number = platform.post("/api/v1/security/guest_token/", body).json["token"]
        assert guest.chart_data(me, me.dashboard).status_code == 200
        assert platform.delete(f"/api/v1/dashboard/{me.dashboard}/embedded").status_code == 200
        assert guest.chart_data(me, me.dashboard).status_code == 403
        guest.headers = {"X-GuestToken": by_number}
        assert guest.chart_data(me, me.dashboard).status_code == 404


class TestSigningOut:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
            {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"},
            {"Referer": "https://elsewhere.example/"},
            {},
        ],
        ids=["link of another site", "picture", "referer of another site", "no word of where it is from"],
    )
    def test_another_page_does_not_sign_out(self, account, headers):
        browser = account.browser()
        answer = browser.get("/logout/", headers=headers)
        assert answer.status_code == 403 and "You are still signed in" in answer.text
        assert is_in(browser)

    def test_a_link_of_another_site_does_not_sign_out(self, account):
        browser = account.browser()
        browser.get("/logout/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"})
        assert is_in(browser)

    def test_the_menu_signs_out(self, account):
        browser = account.browser()
        browser.get("/logout/", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"})
        assert not is_in(browser)

    def test_the_embedded_page_does_not_sign_out(self, world, platform, account):
        path = f"/api/v1/dashboard/{world['tk4q9w'].dashboard}/embedded"
        embedded = platform.post(path, {"allowed_domains": []}).json["result"]["uuid"]
        browser = account.browser()
        assert browser.get(f"/embedded/{embedded}").status_code == 200
        assert is_in(browser)


class TestOwnPassword:
    def test_the_api_asks_for_the_old_one(self, account):
        program = account.program()
        answer = program.put(ME, {"password": NEW})
        assert answer.status_code == 400 and "current_password" in answer.text
        answer = program.put(ME, {"password": NEW, "current_password": "not this one"})
        assert answer.status_code == 400 and "not your present password" in answer.text
        assert program.put(ME, {"first_name": "Mia"}).status_code == 200
        assert program.put(ME, {"password": NEW, "current_password": PASSWORD}).status_code == 200
        assert program.get(ME).status_code == 401
        assert account.program(NEW).get(ME).status_code == 200

    def test_the_form_asks_for_the_old_one(self, account):
        browser = account.browser()
        new = {"password": NEW, "conf_password": NEW}
        assert "current_password" in browser.get("/resetmypassword/form").text
        browser.post("/resetmypassword/form", data=new)
        browser.post("/resetmypassword/form", data={**new, "current_password": "not this one"})
        assert is_in(browser)
        browser.post("/resetmypassword/form", data={**new, "current_password": PASSWORD})
        assert not is_in(browser) and is_in(account.browser(NEW))

    @pytest.mark.parametrize(
        "password", ["a", "elevenchars", "aaaaaaaaaaaaaaaa", "password2026!", "123456789012", "qwertyuiopas"]
    )
    def test_a_weak_one_is_refused_with_the_reason(self, account, password):
        answer = account.program().put(ME, {"password": password, "current_password": PASSWORD})
        assert answer.status_code == 400 and "The password" in answer.text, answer.text

    def test_a_short_one_is_refused(self, account):
        assert account.program().put(ME, {"password": "short", "current_password": PASSWORD}).status_code == 400

    @pytest.mark.parametrize("form", ["{}", "{}@example.com", "{}2026"])
    def test_the_own_name_is_refused(self, account, form):
        answer = account.program().put(ME, {"password": form.format(account.name), "current_password": PASSWORD})
        assert answer.status_code == 400 and "user name" in answer.text, answer.text


class TestWrongPasswords:
    @staticmethod
    def by_api(client, name, password="wrong"):
        return client.post("/api/v1/security/login", json={"username": name, "password": password, "provider": "db"})

    @staticmethod
    def by_form(client, name, password="wrong"):
        return client.post("/login/", data={"username": name, "password": password})

    @pytest.mark.parametrize("first, then", [("by_api", "by_form"), ("by_form", "by_api")])
    def test_too_many_are_refused_on_every_route_with_the_time_to_wait(self, account, client, first, then):
        for _ in range(5):
            assert getattr(self, first)(client, account.name).status_code != 429
        for way in (first, then):
            answer = getattr(self, way)(client, account.name, PASSWORD)
            assert answer.status_code == 429 and "Try again in" in answer.text
            assert 0 < int(answer.headers["Retry-After"]) <= 300
        assert not is_in(client)

    def test_they_count_for_this_address_only(self, account, client):
        account.program()
        for _ in range(6):
            self.by_api(client, account.name)
        assert self.by_api(client, account.name, PASSWORD).status_code == 429
        assert account.program().get(ME).status_code == 200

    def test_a_right_one_starts_anew(self, account, client):
        for _ in range(3):
            for _ in range(4):
                self.by_api(client, account.name)
            assert self.by_api(client, account.name, PASSWORD).status_code == 200

    def test_one_address_cannot_try_all_accounts(self, account, client):
        for number in range(50):
            assert self.by_api(client, f"nobody-{number}").status_code == 401
        assert self.by_api(client, account.name, PASSWORD).status_code == 429

    def test_the_old_password_is_no_way_round(self, account):
        program = account.program()
        for _ in range(5):
            program.put(ME, {"password": NEW, "current_password": "wrong"})
        answer = program.put(ME, {"password": NEW, "current_password": PASSWORD})
        assert answer.status_code == 400 and "Try again in" in answer.text
