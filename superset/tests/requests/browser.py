"""A person who has signed in by the form, as a browser does: the legacy routes know nobody else."""

from flask import Flask
from flask.testing import FlaskClient

from world import PASSWORD, Person


class Browser:
    """The same person, by a session."""

    def __init__(self, app: Flask, person: Person) -> None:
        self.client: FlaskClient = app.test_client()
        answer = self.client.post("/login/", data={"username": person.username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text

    def get(self, path: str):
        return self.client.get(path)

    def post(self, path: str, **arguments):
        return self.client.post(path, **arguments)
