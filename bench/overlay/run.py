"""The overlay beside stock Superset, on the same servers; prints what it saw as JSON."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY / "superset" / "tests" / "environment"), str(REPOSITORY / "superset")]

from servers import PROGRAMS, Servers
from world import PASSWORD

RUNS = 5
QUERIES = 200
CHARTS = 30
PREPARE = """
from superset import db, security_manager
from superset.models.core import Database
import os
db.session.add(Database(database_name="stock", sqlalchemy_uri=os.environ["STOCK_TENANT_URI"]))
db.session.commit()
security_manager.add_user("platform", "P", "A", "p@example.com", security_manager.find_role("Admin"), os.environ["PASSWORD"])
"""


def main() -> None:
    servers = Servers()
    tenant = servers.tenants[0]
    environments = {"overlay": servers.environment, "stock": stock(servers)}
    prepare(servers, tenant, environments["stock"])
    people = {
        "overlay": ("analyst", PASSWORD, f"{tenant.displayName} ({tenant.id})"),
        "stock": ("platform", PASSWORD, "stock"),
    }
    measured = {name: Measured(environments[name], people[name]) for name in people}
    runs = [
        {
            f"{name}_{kind}": measured[name].ask(kind, count)
            for kind, count in (("query", QUERIES), ("chart", CHARTS))
            for name in order
        }
        for order in alternating(RUNS)
    ]
    for process in measured.values():
        process.end()
    memory = [{name: memory_of_worker(environments[name], people[name]) for name in order} for order in alternating(RUNS)]
    print(json.dumps({"runs": runs, "memory": memory}))
    servers.process.stdin.close()
    servers.process.wait(60)


def alternating(runs: int) -> list[tuple[str, str]]:
    return [("overlay", "stock") if run % 2 == 0 else ("stock", "overlay") for run in range(runs)]


def stock(servers: Servers) -> dict[str, str]:
    metadata = ask_secret(servers.environment, "metadata")
    tenant = ask_secret(servers.environment, f"superset/tenant/{servers.tenants[0].id}/db_credentials")
    env = servers.environment
    tls = f"?sslmode=verify-full&sslrootcert={env['PGSSLROOTCERT']}"
    address = f"{env['SUPERSET_DATABASE_HOST']}:{env['SUPERSET_DATABASE_PORT']}/{env['SUPERSET_DATABASE_NAME']}"
    return {
        **env,
        "SUPERSET_CONFIG_PATH": str(HERE / "stock_superset_config.py"),
        "STOCK_METADATA_URI": (
            f"postgresql+psycopg2://{metadata['username']}:{quote(metadata['password'], safe='')}@{address}{tls}"
        ),
        "STOCK_TENANT_URI": (
            f"postgresql+psycopg2://{tenant['username']}:{quote(tenant['password'], safe='')}"
            f"@{tenant['host']}:{tenant['port']}/{tenant['database']}{tls}"
        ),
    }


def ask_secret(environment: dict[str, str], id: str) -> dict:
    request = urllib.request.Request(
        environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"],
        json.dumps({"SecretId": id}).encode(),
        {"X-Amz-Target": "secretsmanager.GetSecretValue"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(json.load(answer)["SecretString"])


def prepare(servers: Servers, tenant, stock_environment: dict[str, str]) -> None:
    state = tempfile.mkdtemp()
    desired = {"id": tenant.id, "displayName": tenant.displayName, "adminEmail": tenant.adminEmail}
    Path(state, "desired-state.json").write_text(json.dumps({"version": 1, "tenants": [desired]}))
    analyst = {"tenant": tenant.id, "role": "analyst", "username": "analyst", "email": "a@example.com", "password": PASSWORD}
    for arguments, stdin in (
        (("tenancy", "migrate", state), None),
        (("tenancy", "add-users"), json.dumps(analyst)),
    ):
        done = servers.run_superset(*arguments, input=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(
        [PROGRAMS / "superset", "shell"],
        env={**os.environ, **stock_environment, "PASSWORD": PASSWORD},
        input=PREPARE,
        text=True,
        check=True,
        capture_output=True,
    )


class Measured:
    """A Superset that answers how long it takes."""

    def __init__(self, environment: dict[str, str], person: tuple[str, str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE / "measure.py", *person],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.answer("ready")

    def answer(self, expected: str | None = None) -> str:
        for line in self.process.stdout:
            if expected is None or line.strip() == expected:
                return line
        raise RuntimeError("Superset has ended")

    def ask(self, kind: str, count: int) -> float:
        self.process.stdin.write(f"{kind} {count}\n")
        self.process.stdin.flush()
        return float(self.answer())

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)


def memory_of_worker(environment: dict[str, str], person: tuple[str, str, str]) -> float:
    """MiB that a web worker holds after some charts (its resident set size)."""
    port = free_port()
    arguments = ["--workers=1", "--worker-class=gthread", "--threads=16", "--timeout=110", f"--bind=127.0.0.1:{port}"]
    process = subprocess.Popen(
        [PROGRAMS / "gunicorn", *arguments, "superset.app:create_app()"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/health")
        username, password, _ = person
        token = post(f"{base}/api/v1/security/login", {"username": username, "password": password, "provider": "db"})[
            "access_token"
        ]
        dataset = find(base, token, "dataset")
        body = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [{"columns": [], "metrics": [{"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "n"}]}],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        for _ in range(CHARTS):
            post(f"{base}/api/v1/chart/data", body, token)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        status = Path(f"/proc/{children[0]}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024
    finally:
        process.terminate()
        process.wait(60)


def find(base: str, token: str, kind: str) -> int:
    request = urllib.request.Request(f"{base}/api/v1/{kind}/", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        return max(json.load(answer)["ids"])


def post(url: str, body: dict, token: str | None = None) -> dict:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url).read()
            return
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


main()
