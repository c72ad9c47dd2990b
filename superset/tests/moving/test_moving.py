"""A tenant moves: from a shared database to one of its own, on to a server of its own, and back."""

import gzip
import hashlib
import io
import itertools
import json
import os
import uuid
from contextlib import contextmanager

import pytest
from moving import BUCKET, KEY, MOVER, NEIGHBOUR, TENANTS

from servers import SUPERSET
from world import adhoc, all_metadata, query_context, rows

pytest_plugins = ["applying", "moving"]


@pytest.fixture(scope="module")
def made(moving):
    """The tenant in the shared environment, with what its people made there."""
    shared = moving.shared
    shared.apply(*TENANTS)
    shared.people(*[(f"{role}-{tenant['id']}", role) for tenant in TENANTS for role in ("analyst", "viewer")])
    own = f"tenant_{MOVER}"
    shared.sql(MOVER, f"SET search_path = {own}; " + (SUPERSET / "tests" / "moving" / "kinds.sql").read_text())
    for table in ("kinds", "details"):
        shared.sql(MOVER, f"ALTER TABLE {own}.{table} OWNER TO tenancy_loader; GRANT SELECT ON {own}.{table} TO {own}")
    with shared.here():
        for tenant in TENANTS:
            make_content(shared.person(f"analyst-{tenant['id']}"), tenant["id"])
    return moving


def make_content(analyst, tenant: str) -> None:
    (database,) = [it["id"] for it in analyst.get("/api/v1/database/").json["result"]]
    virtual = analyst.create(
        "dataset",
        database=database,
        schema="analytics",
        table_name="per product",
        sql="SELECT product, sum(amount) AS amount FROM orders GROUP BY product",
    )
    datasets = {it["table_name"]: it["id"] for it in analyst.get("/api/v1/dataset/?q=(page_size:100)").json["result"]}
    dashboard = analyst.create("dashboard", dashboard_title="My own", published=True, slug=f"my-own-{tenant}")
    for name, dataset, metric in (("Sum of my own", virtual, "SUM(amount)"), ("Notes of my own", datasets["notes"], "COUNT(*)")):
        chart = analyst.create(
            "chart",
            slice_name=name,
            viz_type="big_number_total",
            datasource_id=dataset,
            datasource_type="table",
            params=json.dumps({"metric": adhoc(metric), "datasource": f"{dataset}__table"}),
            query_context=json.dumps(query_context(dataset, metrics=[adhoc(metric)])),
            dashboards=[dashboard],
        )
        assert analyst.post(f"/api/v1/chart/{chart}/favorites/", {}).status_code == 200
    for label in ("Notes", "notes"):
        query = {"db_id": database, "label": label, "sql": "SELECT * FROM notes", "schema": f"tenant_{tenant}"}
        assert analyst.post("/api/v1/saved_query/", query).status_code == 201


_NUMBERS = itertools.count()


class Move:
    """A dump, and what was before and after it was imported."""

    def __init__(self, moving, source, target) -> None:
        self.moving, self.source, self.target = moving, source, target
        self.before = source.of(MOVER, moving.value[MOVER])
        self.neighbours = [
            (it, it.of(NEIGHBOUR, moving.value[NEIGHBOUR])) for it in (source, target) if it is not moving.instance
        ]
        self.prefix = f"dump-{next(_NUMBERS)}/"
        self.dump = moving.export(source, self.prefix)

    def run(self, *options: str) -> list[str]:
        return self.target.done("import", "--tenant", MOVER, *self.dump, *options)

    def is_complete(self) -> bool:
        after = self.target.of(MOVER, self.moving.value[MOVER])
        assert after == self.before
        for environment in (self.source, self.target):
            said = environment.done("verify-move", "--tenant", MOVER, *self.dump)
            assert said[-1] == f"tenant {MOVER}: all is as in the dump"
        return True

    def left_neighbours_alone(self) -> bool:
        for environment, before in self.neighbours:
            assert environment.of(NEIGHBOUR, self.moving.value[NEIGHBOUR]) == before
        return True


@pytest.fixture(scope="module")
def moved(made):
    """Moved from the shared database to one of its own."""
    return begin(made)


def begin(made) -> Move:
    made.database.reset()
    made.database.apply(*TENANTS)
    move = Move(made, made.shared, made.database)
    assert move.run()[-1] == f"tenant {MOVER}: imported and verified"
    return move


def answers(environment) -> dict[str, list[dict]]:
    """What each chart of the tenant answers to its analyst, by its name."""
    with environment.here():
        analyst = environment.person(f"analyst-{MOVER}")
        charts = analyst.get("/api/v1/chart/?q=(page_size:100)").json["result"]
        return {chart["slice_name"]: rows(analyst.get(f"/api/v1/chart/{chart['id']}/data/?force=true")) for chart in charts}


class TestToADatabaseOfItsOwn:
    def test_every_row_and_everything_in_superset_arrives(self, moved):
        assert moved.is_complete()
        assert {name: len(found) > 20 for name, found in moved.before["rows"].items()} == dict.fromkeys(
            ("orders", "events", "notes", "kinds", "details"), True
        )

    def test_others_are_left_alone(self, moved):
        assert moved.left_neighbours_alone()

    def test_tables_are_made_as_they_were(self, moved):
        definitions = """
            SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attcollation,
                   pg_get_expr(adbin, adrelid)
              FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
             WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum
        """
        constraints = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass ORDER BY 1"
        indexes = "SELECT replace(pg_get_indexdef(indexrelid), %s, '') FROM pg_index WHERE indrelid = %s::regclass ORDER BY 1"
        for table in ("orders", "events", "notes", "kinds"):
            there, here = (it.table(MOVER, table) for it in (moved.source, moved.target))
            for statement in (definitions, constraints):
                assert moved.target.sql(MOVER, statement, here) == moved.source.sql(MOVER, statement, there)
            if table != "orders":
                schemas = [name.split(".")[0] + "." for name in (there, here)]
                assert moved.target.sql(MOVER, indexes, schemas[1], here) == [
                    (text.replace(" ON ONLY ", " ON "),) for (text,) in moved.source.sql(MOVER, indexes, schemas[0], there)
                ]

    def test_charts_answer_as_before_to_users_with_their_passwords_of_before(self, moved):
        shown = answers(moved.source)
        assert {"Sum of my own", "Notes of my own"} < shown.keys()
        assert answers(moved.target) == shown

    def test_the_deployment_after_it_changes_nothing(self, moved):
        assert moved.target.apply(*TENANTS)[-1].startswith("nothing to change")

    def test_a_second_run_changes_nothing(self, moved):
        said = moved.run()
        assert [line for line in said if "loaded" in line] == []
        assert f"tenant {MOVER}: Superset: all is there already" in said
        assert moved.is_complete()

    def test_the_next_row_gets_the_next_number(self, moved):
        highest = moved.source.sql(MOVER, f"SELECT max(id) FROM tenant_{MOVER}.kinds")[0][0]
        insert = """INSERT INTO analytics.kinds ("Odd "" Name") VALUES ('next') RETURNING id"""
        assert moved.target.sql(MOVER, insert)[0][0] == highest + 1
        moved.target.sql(MOVER, """DELETE FROM analytics.kinds WHERE "Odd "" Name" = 'next'""")

    def test_all_of_the_dump_is_under_the_tenants_key(self, moved):
        s3 = moved.moving.s3
        objects = [it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET, Prefix=moved.prefix)["Contents"]]
        assert len(objects) == 7
        for name in objects:
            head = s3.head_object(Bucket=BUCKET, Key=name)
            assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)

    def test_what_was_made_here_since_is_not_overwritten(self, moved):
        with moved.target.here():
            analyst = moved.target.person(f"analyst-{MOVER}")
            (chart,) = [
                it["id"]
                for it in analyst.get("/api/v1/chart/?q=(page_size:100)").json["result"]
                if it["slice_name"] == "Sum of my own"
            ]
            assert analyst.put(f"/api/v1/chart/{chart}", {"description": "new"}).status_code == 200
            dashboard = analyst.create("dashboard", dashboard_title="Since", published=False)
            moved.target.sql(MOVER, "INSERT INTO analytics.notes (written_at, author, body) VALUES (now(), 'me', 'since')")
        before = moved.target.of(MOVER)
        refused = moved.target.refused("import", "--tenant", MOVER, *moved.dump)
        assert "was changed here by analyst-tk4q9w; --replace overwrites that" in refused
        assert 'dashboard "Since"' in refused and "is here, and not in the dump; --replace removes it" in refused
        assert moved.target.of(MOVER) == before
        verified = moved.target.refused("verify-move", "--tenant", MOVER, *moved.dump)
        assert "table notes: " in verified and 'chart "Sum of my own"' in verified and 'dashboard "Since"' in verified
        assert dashboard
        said = moved.run("--replace")
        assert any('dashboard "Since" removed' in line for line in said)
        assert moved.is_complete() and moved.left_neighbours_alone()


class TestOnAndBack:
    def test_on_to_a_server_of_its_own(self, moved):
        instance = moved.moving.instance
        instance.apply(TENANTS[0])
        move = Move(moved.moving, moved.target, instance)
        shown = answers(moved.target)
        move.run()
        assert move.is_complete() and move.left_neighbours_alone()
        assert answers(instance) == shown
        assert instance.apply(TENANTS[0])[-1].startswith("nothing to change")

    def test_back_into_the_shared_database_among_the_rows_of_others(self, moved):
        made = moved.moving
        private = made.database
        private.sql(
            MOVER,
            "INSERT INTO analytics.orders (tenant_id, ordered_at, customer, product, quantity, amount)"
            " VALUES (%s, now(), 'new', 'lamp', 1, 1); DELETE FROM analytics.events WHERE kind = 'view'",
            made.value[MOVER],
        )
        with private.here():
            analyst = private.person(f"analyst-{MOVER}")
            (old,) = [
                it["id"]
                for it in analyst.get("/api/v1/dashboard/?q=(page_size:100)").json["result"]
                if it["dashboard_title"] == "My own"
            ]
            assert analyst.delete(f"/api/v1/dashboard/{old}").status_code == 200
        move = Move(made, private, made.shared)
        refused = made.shared.refused("import", "--tenant", MOVER, *move.dump)
        assert "is here, and not in the dump; --replace removes it" in refused and "nothing was changed" in refused
        move.run("--replace")
        assert move.is_complete() and move.left_neighbours_alone()
        shown = answers(private)
        assert answers(made.shared) == shown
        (leftover,) = made.shared.sql(MOVER, "SELECT count(*) FROM pg_class WHERE relname LIKE 'tenancy_moving%%'")[0]
        assert leftover == 0
        sequence = made.shared.sql(
            MOVER, "SELECT pg_sequence_last_value(pg_get_serial_sequence('analytics.orders', 'order_id')::regclass)"
        )
        assert sequence >= made.shared.sql(MOVER, "SELECT max(order_id) FROM analytics.orders")
        assert made.shared.apply(*TENANTS)[-1].startswith("nothing to change")

    def test_rows_that_a_tenant_gave_another_ones_value_do_not_get_among_those(self, moved):
        """A tenant's own ETL writes what it likes into the tenant's own database."""
        made = moved.moving
        statement = "UPDATE analytics.orders SET tenant_id = %s WHERE customer = 'customer 7'"
        made.database.sql(MOVER, statement, made.value[NEIGHBOUR])
        try:
            move = Move(made, made.database, made.shared)
            stopped = made.shared.refused("import", "--tenant", MOVER, *move.dump, "--replace")
            assert f"rows of the dump have another tenant_id than {made.value[MOVER]}" in stopped
            assert move.left_neighbours_alone()
        finally:
            made.database.sql(MOVER, "UPDATE analytics.orders SET tenant_id = %s", made.value[MOVER])
        move = Move(made, made.database, made.shared)
        move.run("--replace")
        assert move.is_complete() and move.left_neighbours_alone()


class TestInterrupted:
    def test_an_import_that_was_killed_is_completed_by_the_next(self, made):
        move = begin(made)
        made.database.sql(
            MOVER, "TRUNCATE analytics.orders, analytics.events, analytics.notes, analytics.kinds, analytics.details"
        )
        with made.database.blocked(MOVER, "analytics.details"):
            process = made.database.process("import", "--tenant", MOVER, *move.dump)
            loaded = 0
            for line in process.stdout:
                loaded += "loaded and verified" in line
                if loaded == 4:
                    break
            process.kill()
            process.wait()
        assert not made.database.rows(MOVER)["details"]
        said = move.run()
        assert sum("are there already" in line for line in said) == 4 and sum("loaded and verified" in line for line in said) == 1
        assert move.is_complete()

    def test_a_failure_in_superset_leaves_nothing_half_made_there(self, made):
        made.database.reset()
        made.database.apply(*TENANTS)
        move = Move(made, made.shared, made.database)
        before = made.database.of(MOVER)["superset"]
        made.database.metadata_rows("ALTER TABLE saved_query ADD CONSTRAINT no CHECK (label IS NULL) NOT VALID")
        stopped = made.database.refused("import", "--tenant", MOVER, *move.dump)
        assert "stopped: CheckViolation" in stopped or "stopped: IntegrityError" in stopped
        assert "scrypt" not in stopped and "pbkdf2" not in stopped
        assert made.database.of(MOVER)["superset"] == before
        made.database.metadata_rows("ALTER TABLE saved_query DROP CONSTRAINT no")
        move.run()
        assert move.is_complete()

    def test_tables_that_an_etl_made_otherwise_are_refused_before_any_row_is_loaded(self, made):
        made.database.reset()
        made.database.apply(*TENANTS)
        move = Move(made, made.shared, made.database)
        made.database.sql(
            MOVER,
            "CREATE TABLE analytics.notes (note_id int, written_at timestamptz NOT NULL, author text);"
            "ALTER TABLE analytics.notes OWNER TO tenancy_loader_tk4q9w; GRANT SELECT ON analytics.notes TO tenant_tk4q9w",
        )
        refused = made.database.refused("import", "--tenant", MOVER, *move.dump)
        assert "table notes: column note_id is integer here, and was bigint" in refused
        assert "table notes: column body (text) is missing here" in refused
        assert made.database.rows(MOVER) == {"notes": []}


class TestDamagedDumps:
    @pytest.fixture
    def stored(self, moved):
        """The dump's objects, put back after."""
        s3, prefix = moved.moving.s3, moved.prefix
        names = [it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]]
        contents = {name: s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}

        class Stored(dict):
            def put(self, name: str, content: bytes) -> None:
                s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=content)

        yield Stored({name.removeprefix(prefix): content for name, content in contents.items()})
        for name, content in contents.items():
            s3.put_object(Bucket=BUCKET, Key=name, Body=content, ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY)

    def refused(self, moved) -> str:
        made = moved.moving
        made.instance.reset()
        made.instance.apply(TENANTS[0])
        before = made.instance.of(MOVER)
        refused = made.instance.refused("import", "--tenant", MOVER, *moved.dump)
        assert made.instance.of(MOVER) == before
        return refused

    @pytest.mark.parametrize("name", ["tables/0003.copy.gz", "superset.zip"])
    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: content[: len(content) // 2],
            lambda content: content + b"more",
            lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
            lambda content: gzip.compress(gzip.decompress(content) + b"\n"),
            lambda content: b"",
        ],
        ids=["cut off", "longer", "one bit", "packed anew", "empty"],
    )
    def test_an_object_that_is_not_as_it_was_written(self, moved, stored, name, damage):
        stored.put(name, damage(stored[name]))
        assert f"{name} is not as the export wrote it" in self.refused(moved)

    def test_a_manifest_that_fits_what_was_put_in_the_place_of_an_object(self, moved, stored):
        manifest = json.loads(stored["manifest.json"])
        forged = gzip.compress(gzip.decompress(stored["superset.zip"]))
        manifest["objects"] |= {"sha256": hashlib.sha256(forged).hexdigest(), "bytes": len(forged)}
        stored.put("superset.zip", forged)
        stored.put("manifest.json", json.dumps(manifest).encode())
        assert "the dump here is " in self.refused(moved)

    def test_an_export_that_did_not_end(self, moved, stored):
        moved.moving.s3.delete_object(Bucket=BUCKET, Key=f"{moved.prefix}manifest.json")
        assert "no dump can be read here" in self.refused(moved)

    def test_a_dump_of_another_tenant(self, moved):
        made = moved.moving
        dump = made.export(made.shared, "neighbour", NEIGHBOUR)
        assert f"refused: the dump is of tenant {NEIGHBOUR}" in made.database.refused("import", "--tenant", MOVER, *dump)


class TestAnExportThatFails:
    def test_content_that_is_not_finished_is_not_stored(self, made):
        from superset_tenancy.moving.dump import Dump

        def fail(sink) -> None:
            sink.write(os.urandom(1024 * 1024))
            raise InterruptedError("half-way")

        with made.shared.here(), pytest.raises(InterruptedError):
            Dump(f"s3://{BUCKET}/unfinished", KEY).write("it", fail)
        assert objects(made.s3, "unfinished/") == []

    def test_a_bucket_that_cannot_be_written_to_is_said(self, made):
        stopped = made.shared.refused("export", "--tenant", MOVER, "--to", "s3://no-such-bucket/x", "--key", KEY)
        assert "stopped: " in stopped and "NoSuchBucket" in stopped


_ALTER = "ALTER TABLE analytics.orders "
_OWN = "tenant_id = (SELECT tenancy.current_tenant())"
#: What a table may say of itself although rows of others can be read in it, and how to take it back.
LIES = {
    "without row-level security": (_ALTER + "DISABLE ROW LEVEL SECURITY", _ALTER + "ENABLE ROW LEVEL SECURITY"),
    "not forced": (_ALTER + "NO FORCE ROW LEVEL SECURITY", _ALTER + "FORCE ROW LEVEL SECURITY"),
    "one policy more": ("CREATE POLICY more ON analytics.orders USING (true)", "DROP POLICY more ON analytics.orders"),
    "the policy of another condition": (
        "ALTER POLICY tenancy_isolation ON analytics.orders USING (true)",
        f"ALTER POLICY tenancy_isolation ON analytics.orders USING ({_OWN})",
    ),
    "the loader's policy for all": (
        "ALTER POLICY tenancy_loader ON analytics.orders TO PUBLIC",
        "ALTER POLICY tenancy_loader ON analytics.orders TO tenancy_loader",
    ),
    "a table of another tenant below one's own": (
        f"CREATE TABLE tenant_{NEIGHBOUR}.more () INHERITS (tenant_{MOVER}.notes)",
        f"DROP TABLE tenant_{NEIGHBOUR}.more",
    ),
}


class TestNoRowOfOthers:
    @pytest.mark.parametrize("lie", LIES)
    def test_a_table_that_could_show_them_is_not_exported(self, made, lie):
        said, taken_back = LIES[lie]
        made.shared.sql(MOVER, said)
        try:
            refused = made.shared.refused("export", "--tenant", MOVER, "--to", f"s3://{BUCKET}/lies", "--key", KEY)
        finally:
            made.shared.sql(MOVER, taken_back)
        assert "does not hold back the rows of other tenants" in refused or "is inherited by another table" in refused
        assert not [it for it in objects(made.s3, "lies/") if "tables/" in it]

    def test_whatever_the_export_is_told_of_a_table_postgresql_gives_it_the_tenants_rows_only(self, made):
        """Each check of ours is left out: this is the wall behind them."""
        from superset_tenancy.moving.dump import Dump, Stored
        from superset_tenancy.moving.rows_out import _export
        from superset_tenancy.moving.sessions import Place, reading
        from superset_tenancy.moving.tables import Column, Table

        columns = [Column("tenant_id", "uuid", True), Column("customer", "text", True)]
        lying = Table("orders", own=False, partitioned=False, tenant_column=None, columns=columns)
        with made.shared.here(), all_metadata(made.shared.app):
            dump = Dump(f"s3://{BUCKET}/wall", KEY)
            with reading(MOVER) as cursor:
                it = _export(cursor, lying, Place(MOVER, False, "analytics"), dump, 0, print)
            lines = dump.read_all(Stored(**it["stored"])).decode().splitlines()
        (count,) = made.shared.sql(MOVER, "SELECT count(*) FROM analytics.orders WHERE tenant_id = %s", made.value[MOVER])[0]
        assert len(lines) == count > 1000
        assert {line.split("\t")[0] for line in lines} == {made.value[MOVER]}

    def test_a_partition_and_the_table_of_another_tenant_cannot_be_read(self, made):
        import psycopg2

        from superset_tenancy.moving.sessions import reading

        for table in (f"tenant_{NEIGHBOUR}.notes", f"tenancy_partitions.events_{NEIGHBOUR}"):
            with made.shared.here(), all_metadata(made.shared.app):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege), reading(MOVER) as cursor:
                    cursor.copy_expert(f"COPY (SELECT * FROM {table}) TO STDOUT", io.BytesIO())

    def test_through_a_proxy_it_is_the_same_dump(self, made, servers, monkeypatch):
        from superset_tenancy.connections import proxies

        direct = made.export(made.shared, "direct")
        server = proxies.Endpoint(servers.superuser["host"], int(servers.superuser["port"]))
        proxy = proxies.Endpoint(servers.proxy["host"], int(servers.proxy["port"]))
        monkeypatch.setattr(proxies, "PROXIES", {server: proxy})
        proxied = made.export(made.shared, "proxied")
        tables = [
            json.loads(made.s3.get_object(Bucket=BUCKET, Key=f"{it}/manifest.json")["Body"].read())["tables"]
            for it in ("direct", "proxied")
        ]
        assert tables[0] == tables[1] and direct != proxied


class TestReadOnlyWindow:
    @contextmanager
    def frozen(self, environment):
        environment.done("freeze", "--tenant", MOVER)
        try:
            yield
        finally:
            environment.done("thaw", "--tenant", MOVER)

    def test_each_permission_that_writes_is_taken_or_left_on_purpose(self):
        from superset_tenancy.provisioning.capabilities import CAPABILITY_PERMISSIONS, WRITE

        given = frozenset().union(*CAPABILITY_PERMISSIONS.values())
        writing = {permission for permission in given if "write" in permission.name}
        # What a page needs to be looked at: it is not moved.
        looking = {
            "DashboardFilterStateRestApi",
            "DashboardPermalinkRestApi",
            "ExploreFormDataRestApi",
            "ExplorePermalinkRestApi",
            "SqlLabPermalinkRestApi",
        }
        assert {permission.view for permission in writing - WRITE} == looking and WRITE <= given

    def test_people_read_and_change_nothing(self, made):
        shared = made.shared
        shown = answers(shared)
        before = shared.of(MOVER, made.value[MOVER])
        with self.frozen(shared):
            assert any("is frozen" in line for line in shared.apply(*TENANTS))
            assert answers(shared) == shown
            with shared.here():
                analyst = shared.person(f"analyst-{MOVER}")
                chart = analyst.get("/api/v1/chart/").json["result"][0]["id"]
                dashboard = analyst.get("/api/v1/dashboard/").json["result"][0]["id"]
                dataset = analyst.get("/api/v1/dataset/").json["result"][0]["id"]
                (database,) = [it["id"] for it in analyst.get("/api/v1/database/").json["result"]]
                assert analyst.sql(database, "SELECT 1 AS one").status_code == 200
                for answer in (
                    analyst.put(f"/api/v1/chart/{chart}", {"description": "x"}),
                    analyst.put(f"/api/v1/dashboard/{dashboard}", {"css": "x"}),
                    analyst.put(f"/api/v1/dataset/{dataset}", {"description": "x"}),
                    analyst.delete(f"/api/v1/chart/{chart}"),
                    analyst.post("/api/v1/dashboard/", {"dashboard_title": "x"}),
                    analyst.post("/api/v1/saved_query/", {"db_id": database, "label": "x", "sql": "SELECT 1"}),
                    analyst.put("/api/v1/me/", {"password": "another password"}),
                ):
                    assert answer.status_code == 403, answer.text
                neighbour = shared.person(f"analyst-{NEIGHBOUR}")
                made_by_neighbour = neighbour.create("dashboard", dashboard_title="Meanwhile", published=False)
                assert neighbour.delete(f"/api/v1/dashboard/{made_by_neighbour}").status_code == 200
        assert shared.of(MOVER, made.value[MOVER]) == before
        assert shared.apply(*TENANTS)[-1].startswith("nothing to change")
        with shared.here():
            analyst = shared.person(f"analyst-{MOVER}")
            again = analyst.create("dashboard", dashboard_title="After", published=False)
            assert analyst.delete(f"/api/v1/dashboard/{again}").status_code == 200

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO {own}.notes (written_at, author, body) VALUES (now(), 'x', 'late')",
            "UPDATE {own}.notes SET body = body || ' ' WHERE author = 'analyst 1'",
            "UPDATE {own}.notes SET author = CASE author WHEN 'analyst 1' THEN 'analyst 2' ELSE 'analyst 1' END",
            "DELETE FROM {own}.notes WHERE note_id = 3",
            "INSERT INTO {own}.notes (note_id, written_at, author, body) OVERRIDING SYSTEM VALUE"
            " SELECT note_id + 1000, written_at, author, body FROM {own}.notes",
        ],
    )
    def test_a_row_that_an_etl_writes_meanwhile_is_found(self, made, statement):
        dump = made.export(made.shared, "window")
        own = f"tenant_{MOVER}"
        made.shared.sql(MOVER, f"CREATE TABLE {own}.notes_kept AS TABLE {own}.notes; " + statement.format(own=own))
        try:
            stopped = made.shared.refused("verify-move", "--tenant", MOVER, *dump)
            assert "table notes: " in stopped and "1 tables and 0 things of Superset's are not as in the dump" in stopped
        finally:
            put_back = f"TRUNCATE {own}.notes; INSERT INTO {own}.notes OVERRIDING SYSTEM VALUE TABLE {own}.notes_kept;"
            made.shared.sql(MOVER, put_back + f"DROP TABLE {own}.notes_kept")
        assert made.shared.done("verify-move", "--tenant", MOVER, *dump)[-1].endswith("all is as in the dump")


class TestOthersInTheWay:
    def test_nothing_of_anybody_elses_is_written(self, made):
        """The UUID of a chart, the slug of a dashboard, a user's name, an embedding: all taken by the neighbour at the target."""
        target = made.database
        target.reset()
        target.apply(*TENANTS)
        with made.shared.here():
            number = made.shared.person(f"analyst-{MOVER}").create(
                "dashboard", dashboard_title="Slug", slug=f"slug-{MOVER}", published=True
            )
        embed = "INSERT INTO embedded_dashboards (uuid, dashboard_id) VALUES ('{}', {})"
        embedding = str(uuid.uuid4())
        made.shared.metadata_rows(embed.format(embedding, number))
        move = Move(made, made.shared, target)
        target.people((f"analyst-{NEIGHBOUR}", "analyst"))
        with target.here():
            neighbour = target.person(f"analyst-{NEIGHBOUR}")
            theirs = neighbour.create("dashboard", dashboard_title="Theirs", slug=f"slug-{MOVER}", published=True)
        things = {thing["title"]: thing["uuid"] for thing in move.before["superset"][0]}
        content = [thing for thing in target.of(NEIGHBOUR)["superset"][0] if thing["kind"] == "chart"]
        target.metadata_rows(f"UPDATE slices SET uuid = '{things['Sum of my own']}' WHERE uuid = '{content[0]['uuid']}'")
        target.metadata_rows(f"UPDATE ab_user SET username = 'viewer-{MOVER}' WHERE username = 'analyst-{NEIGHBOUR}'")
        target.metadata_rows(embed.format(embedding, theirs))
        before = target.of(NEIGHBOUR), target.of(MOVER)
        refused = target.refused("import", "--tenant", MOVER, *move.dump, "--replace")
        assert f"another dashboard is embedded here by its UUID {embedding}" in refused
        assert f"user viewer-{MOVER}: that name or e-mail address is taken here by a user of tenant {NEIGHBOUR}" in refused
        assert "nothing was changed" in refused and refused.count("\n") == 3, refused
        assert (target.of(NEIGHBOUR), target.of(MOVER)) == before
        target.metadata_rows(f"UPDATE ab_user SET username = 'analyst-{NEIGHBOUR}' WHERE username = 'viewer-{MOVER}'")
        target.metadata_rows(f"DELETE FROM embedded_dashboards WHERE uuid = '{embedding}'")
        before = target.of(NEIGHBOUR)
        move.run("--replace")
        assert move.is_complete() and target.of(NEIGHBOUR) == before

    def test_a_role_of_another_tenant_does_not_go_along(self, made):
        """Somebody who was given roles of two tenants by mistake reads nothing there; nor does the move give them anything."""
        roles = [f"tenant:{MOVER}:viewer", f"tenant:{NEIGHBOUR}:analyst", "tenancy:explain"]
        made.shared.give_roles(f"viewer-{MOVER}", *roles)
        try:
            move = begin(made)
        finally:
            made.shared.give_roles(f"viewer-{MOVER}", roles[0])
        assert move.is_complete()
        held = "SELECT r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id JOIN ab_role r ON r.id = ur.role_id"
        assert made.database.metadata_rows(f"{held} WHERE u.username = 'viewer-{MOVER}'") == [(roles[0],)]

    def test_supersets_own_rules_of_rows_go_along(self, made):
        with made.shared.here(), all_metadata(made.shared.app):
            from superset import db, security_manager
            from superset.connectors.sqla.models import RowLevelSecurityFilter

            from superset_tenancy.moving.objects import things_of

            (orders,) = [it for it in things_of(MOVER)["dataset"] if it.table_name == "per product"]
            role = security_manager.find_role(f"tenant:{MOVER}:viewer")
            rule = RowLevelSecurityFilter(
                name="lamps", filter_type="Regular", clause="product = 'lamp'", roles=[role], tables=[orders]
            )
            db.session.add(rule)
            db.session.commit()
        move = begin(made)
        assert move.is_complete()
        assert move.before["superset"][2][0]["clause"] == "product = 'lamp'"


def objects(s3, prefix: str) -> list[str]:
    return [it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
