"""Runs of `superset tenancy apply`: twice, half-way, two at once, with a tenant that fails, with many tenants."""

import json
import os
import re
import signal
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from applying import CONTOSO, NORTHWIND, Content

pytest_plugins = ["applying"]


def many(servers, count: int) -> list[dict]:
    """Made-up tenants, whose administrators have their secrets."""
    tenants = [
        {"id": f"t{number:05}", "displayName": f"Tenant {number}", "adminEmail": f"admin@{number}.example"}
        for number in range(count)
    ]
    for tenant in tenants:
        servers.set_secret(f"superset/tenant/{tenant['id']}/admin_login", {"username": tenant["adminEmail"], "password": "x"})
    return tenants


@contextmanager
def statements(app):
    """What the metadata database is asked meanwhile."""
    from superset import db

    asked: list[str] = []

    def listen(_connection, _cursor, statement, *_others):
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", listen)


class TestSecondRun:
    def test_it_changes_nothing_writes_nothing_and_says_so(self, superset, app):
        superset.apply(NORTHWIND, CONTOSO, content=Content())
        before = superset.dump()
        with statements(app) as asked:
            said = superset.apply(NORTHWIND, CONTOSO, content=Content())
        assert said == ["nothing to change: 2 tenants are as they should be"]
        # What is said in front of a statement is whose the transaction is.
        asked = [re.sub(r"^(SET LOCAL [^;]+; )+", "", statement) for statement in asked]
        assert len(asked) > 10 and [statement for statement in asked if not statement.startswith("SELECT")] == []
        assert superset.dump() == before


class TestDryRun:
    def test_it_says_what_would_be_and_changes_nothing(self, superset):
        before = superset.dump()
        would = superset.apply(NORTHWIND, CONTOSO, content=Content(), options=("--dry-run",))
        assert superset.dump() == before
        did = superset.apply(NORTHWIND, CONTOSO, content=Content())
        assert [line.replace(" would be ", " ") for line in would[:-1]] == did[:-1]
        assert would[-1] == did[-1].replace("were made", "would be made")

    def test_it_changes_nothing_of_what_is_there(self, superset):
        superset.apply(NORTHWIND, CONTOSO, content=Content())
        superset.rows("UPDATE dbs SET allow_dml = true")
        content = Content()
        content.file("charts/Orders")["slice_name"] = "Another"
        before = superset.dump()
        would = superset.apply({**NORTHWIND, "displayName": "Other"}, content=content, options=("--dry-run",))
        assert superset.dump() == before
        for line in (
            'tenant tk4q9w: Database "Northwind Traders (tk4q9w)": allow_dml would be set back',
            'tenant tk4q9w: chart "Another" would be updated',
            "tenant tz81mm: user ben@contoso.example would be deactivated",
        ):
            assert line in would


class TestFailure:
    def test_one_tenants_is_not_the_others(self, superset, servers):
        unknown = {"id": "tnosecret", "displayName": "No secret", "adminEmail": "x@x.example"}
        done = superset.run("apply", superset.write(NORTHWIND, unknown, CONTOSO, content=Content()))
        assert done.exit_code == 1
        assert "tenant tnosecret: administrator FAILED, and nothing of it was changed" in done.output
        assert done.output.splitlines()[-1].startswith("1 failed: tenant tnosecret")
        assert superset.values("SELECT count(*) FROM dbs") == [2]
        assert not superset.values("SELECT 1 FROM ab_role WHERE name LIKE 'tenant:tnosecret:%'")
        servers.set_secret("superset/tenant/tnosecret/admin_login", {"username": "x", "password": "x"})
        said = superset.apply(NORTHWIND, unknown, CONTOSO, content=Content())
        assert "tenant tnosecret: administrator x@x.example created" in said

    def test_a_run_that_was_killed_half_way_is_completed_by_the_next(self, superset, servers):
        tenants = many(servers, 20)
        run = superset.command("apply", superset.write(*tenants, content=Content()))
        for line in run.stdout:
            if line.startswith("tenant t00005"):
                break
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        made = superset.values("SELECT count(*) FROM dbs")[0]
        assert 5 <= made < 20
        said = superset.apply(*tenants, content=Content())
        assert f"tenant t{made:05}: " in "\n".join(said) and "tenant t00000" not in "\n".join(said)
        assert superset.values("SELECT count(*) FROM dashboards") == [20]
        assert superset.apply(*tenants, content=Content())[-1].startswith("nothing to change: 20 tenants")

    def test_no_password_is_said(self, superset, servers):
        done = superset.run("apply", superset.write(NORTHWIND))
        assert "admin of tk4q9w" not in done.output


class TestTwoAtOnce:
    def test_the_second_waits_for_the_first(self, superset):
        from superset_tenancy.provisioning import apply

        with superset.connected() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (apply._LOCK,))
            run = superset.command("apply", superset.write(NORTHWIND, CONTOSO))
            said = [next(run.stdout), next(run.stdout)]
            assert said[-1] == "another run of superset tenancy apply is at work; waiting for its end\n"
            time.sleep(1)
            assert run.poll() is None and not superset.values("SELECT 1 FROM dbs")
        assert run.wait(60) == 0
        assert superset.values("SELECT count(*) FROM dbs") == [2]


@pytest.mark.parametrize("count", [1, 10, 100])
def test_many_tenants(superset, servers, count, capsys):
    """Seconds, not minutes. The figures are for the docs, so they are printed."""
    tenants = many(servers, count)
    state = superset.write(*tenants, content=Content())
    for run in ("first", "second"):
        started = time.monotonic()
        process = superset.command("apply", state)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, output
        seconds, memory = time.monotonic() - started, usage.ru_maxrss / 1024
        figures = {"tenants": count, "run": run, "seconds": round(seconds, 1), "peakMiB": round(memory)}
        with capsys.disabled():
            print(f"\n{json.dumps(figures)}")
    assert output.splitlines()[-1] == f"nothing to change: {count} tenants are as they should be"
