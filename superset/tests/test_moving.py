"""A tenant moves: from a shared database to one of its own, to a server of its own, and back."""

import json

import pytest
from moving import KEY, MOVER, NEIGHBOUR, TENANTS, moving, moving_servers  # noqa: F401

from applying import pristine  # noqa: F401
from world import Person, adhoc, query_context, rows

PASSWORD = "a password of before"


@pytest.fixture(scope="module")
def made(moving):  # noqa: F811
    """The tenant in the shared environment, with what its people made there."""
    shared = moving.shared
    shared.apply(*TENANTS)
    people = [
        {
            "tenant": tenant["id"],
            "role": role,
            "username": f"{role}-{tenant['id']}",
            "email": f"{role}-{tenant['id']}@x.example",
            "password": PASSWORD,
        }
        for tenant in TENANTS
        for role in ("analyst", "viewer")
    ]
    shared.done("add-users", stdin="\n".join(map(json.dumps, people)))
    with shared.here():
        analyst = Person(shared.app.test_client(), f"analyst-{MOVER}", PASSWORD)
        (database,) = [it["id"] for it in analyst.get("/api/v1/database/").json["result"]]
        virtual = analyst.create(
            "dataset",
            database=database,
            schema="analytics",
            table_name="per product",
            sql="SELECT product, sum(amount) AS amount FROM orders GROUP BY product",
        )
        chart = analyst.create(
            "chart",
            slice_name="Sum of my own",
            viz_type="big_number_total",
            datasource_id=virtual,
            datasource_type="table",
            params=json.dumps({"metric": adhoc("SUM(amount)"), "datasource": f"{virtual}__table"}),
            query_context=json.dumps(query_context(virtual, metrics=[adhoc("SUM(amount)")])),
        )
        analyst.create("dashboard", dashboard_title="My own", published=True, slug="my-own")
        answer = analyst.post(
            "/api/v1/saved_query/",
            {"db_id": database, "label": "Notes", "sql": "SELECT * FROM notes", "schema": f"tenant_{MOVER}"},
        )
        assert answer.status_code == 201, answer.text
        assert analyst.post(f"/api/v1/chart/{chart}/favorites/", {}).status_code == 200
    return moving


def answers(environment) -> dict[str, list[dict]]:
    """What each chart of the tenant answers, by its name."""
    with environment.here():
        analyst = Person(environment.app.test_client(), f"analyst-{MOVER}", PASSWORD)
        found = analyst.get("/api/v1/chart/?q=(page_size:100)").json["result"]
        assert len(found) > 5
        answered = {}
        for chart in found:
            answer = analyst.get(f"/api/v1/chart/{chart['id']}/data/?force=true")
            if answer.status_code == 400 and "query context" in answer.text:
                continue
            answered[chart["slice_name"]] = rows(answer)
        return answered


def test_from_the_shared_database_to_one_of_its_own(made):
    before = made.shared.rows(MOVER, made.value[MOVER])
    shown = answers(made.shared)
    made.database.apply(*TENANTS)
    dump = made.export(made.shared, "first")
    said = made.database.done("import", "--tenant", MOVER, *dump)
    assert said[-1] == f"tenant {MOVER}: imported and verified"
    assert made.database.rows(MOVER) == before
    assert answers(made.database) == shown
    assert made.database.apply(*TENANTS)[-1].startswith("nothing to change")
    for environment in (made.shared, made.database):
        assert environment.done("verify-move", "--tenant", MOVER, *dump)[-1] == f"tenant {MOVER}: all is as in the dump"
