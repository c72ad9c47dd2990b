"""A process that starts, and the migration, wait for rights that IAM does not know of yet; a query of a tenant does not."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from botocore.exceptions import ClientError

SECRET = "superset/metadata"


@pytest.fixture
def asked(monkeypatch):
    """A Secrets Manager that denies the first requests, and how long was waited between them."""
    from superset_tenancy.connections import credentials

    denials: list[str] = []
    waited: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            denied = denials.pop(0) if denials else None
            body = {"__type": denied, "Message": "no"} if denied else {"SecretString": "{}", "VersionId": "1"}
            self.send_response(400 if denied else 200)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("botocore.endpoint.time.sleep", waited.append)

    def read(denied: list[str], client=credentials.patient_secrets_manager) -> list[float]:
        denials[:] = denied
        waited.clear()
        client.__wrapped__(0).get_secret_value(SecretId=SECRET)
        return waited

    yield read
    server.shutdown()


def test_a_process_waits_for_its_rights(asked):
    assert asked(["AccessDeniedException"] * 6) == [1, 2, 4, 8, 15, 15]


def test_for_three_minutes(asked):
    assert sum(asked(["AccessDeniedException"] * 15)) == 180
    with pytest.raises(ClientError, match="AccessDenied"):
        asked(["AccessDeniedException"] * 16)


def test_any_other_answer_is_not_waited_for(asked):
    with pytest.raises(ClientError, match="ResourceNotFound"):
        asked(["ResourceNotFoundException"])


def test_the_login_of_a_tenant_is_not_waited_for(asked):
    from superset_tenancy.connections import credentials

    with pytest.raises(ClientError, match="AccessDenied"):
        asked(["AccessDeniedException"], credentials.secrets_manager)
