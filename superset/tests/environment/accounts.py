"""People that a test may sign out, deactivate or give another role without a word to other tests."""

import json
import uuid

from world import PASSWORD, Person, all_metadata, as_owner


class Account:
    """A new analyst, with as many browsers and programs as a test wants."""

    def __init__(self, app, tenant="tk4q9w"):
        self.app = app
        self.name = f"person-{uuid.uuid4().hex[:8]}"
        line = {"tenant": tenant, "role": "analyst", "username": self.name, "email": f"{self.name}@example.com"}
        with as_owner(app):
            done = app.test_cli_runner().invoke(args=["tenancy", "add-users"], input=json.dumps({**line, "password": PASSWORD}))
        assert done.exit_code == 0, done.output

    def browser(self, password=PASSWORD):
        client = self.app.test_client()
        client.post("/login/", data={"username": self.name, "password": password})
        return client

    def program(self, password=PASSWORD):
        return Person(self.app.test_client(), self.name, password)

    def tokens(self):
        body = {"username": self.name, "password": PASSWORD, "provider": "db", "refresh": True}
        return self.app.test_client().post("/api/v1/security/login", json=body).json

    def refresh(self, tokens):
        headers = {"Authorization": f"Bearer {tokens['refresh_token']}"}
        return self.app.test_client().post("/api/v1/security/refresh", headers=headers)

    def change(self, how):
        from superset import db, security_manager

        with all_metadata(self.app):
            how(security_manager.find_user(self.name), security_manager)
            db.session.commit()
