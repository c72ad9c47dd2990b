"""The metadata database itself: what the web's login may do, what is refused, and what a run that dies leaves behind."""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from applying import CONTOSO, NORTHWIND, WORK
from servers import OWNER, PROGRAMS, SUPERSET
from superset_tenancy.metadata.roles import grant_on_database
from superset_tenancy.metadata.tables import BY_NAME, PEOPLE_TABLES, TENANT_TABLES
from world import as_owner

pytest_plugins = ["applying"]

CLOSED = [table.name for table in (*TENANT_TABLES, *PEOPLE_TABLES)]


@pytest.fixture
def web(app, superset):
    """A connection of the web's login."""
    superset.apply(NORTHWIND, CONTOSO)
    # A copy of a database has its own rights.
    with superset.connected() as owner, owner.cursor() as cursor:
        grant_on_database(cursor)
    connection = app.config["SQLALCHEMY_ENGINE_OPTIONS"]["creator"]()
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def migrate(superset, *tenants) -> subprocess.CompletedProcess:
    return subprocess.run(
        [PROGRAMS / "superset", "tenancy", "migrate", superset.write(*tenants)],
        env={**os.environ, **OWNER, "SUPERSET_DATABASE_NAME": WORK},
        cwd=SUPERSET,
        capture_output=True,
        text=True,
    )


def test_every_table_of_superset_is_in_the_list(superset):
    assert set(superset.values("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) == set(BY_NAME)


def test_a_forgotten_setting_shows_nothing(web, superset):
    assert superset.values("SELECT count(*) FROM dbs") == [2]
    for setting in (None, "", "tk4q9w' OR true --", "@nobody", "@none"):
        if setting is not None:
            web.execute("SELECT set_config('tenancy.tenant', %s, true)", (setting,))
        for table in TENANT_TABLES:
            web.execute(f"SELECT count(*) FROM {table.name}")
            assert web.fetchone() == (0,), (setting, table.name)
    web.execute("SELECT set_config('tenancy.tenant', 'tk4q9w', true)")
    web.execute("SELECT tenant FROM dbs")
    assert web.fetchall() == [("tk4q9w",)]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE dbs DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenancy ON dbs",
        "ALTER TABLE dbs DISABLE TRIGGER tenancy",
        "TRUNCATE dashboards",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE TABLE public.dbs2 (id int)",
        "CREATE TEMPORARY TABLE dbs (id int)",
        "INSERT INTO ab_user_role (id, user_id, role_id) VALUES (1000, 1, 1)",
        "UPDATE ab_role SET name = 'Admin' WHERE name LIKE 'tenant:%'",
        "DELETE FROM rls_filter_roles",
        "INSERT INTO row_level_security_filters (clause) VALUES ('true')",
        "INSERT INTO dashboards (dashboard_title, tenant) VALUES ('x', 'tz81mm')",
        "UPDATE dbs SET tenant = 'tz81mm'",
        "SET ROLE superset_provisioner",
        "SET ROLE postgres",
    ],
)
def test_the_webs_login_is_refused(web, statement):
    web.execute("SELECT set_config('tenancy.tenant', 'tk4q9w', true)")
    with pytest.raises(psycopg2.Error) as refused:
        web.execute(statement)
    assert isinstance(refused.value, (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ForeignKeyViolation)), refused.value


def test_a_child_of_a_foreign_parent_is_refused_and_one_of_an_own_parent_gets_its_tenant(web):
    web.execute("SELECT set_config('tenancy.tenant', 'tk4q9w', true)")
    web.execute("SET LOCAL ROLE superset_platform")
    web.execute("SELECT tenant, id FROM dbs")
    numbers = dict(web.fetchall())
    web.execute("RESET ROLE")
    insert = "INSERT INTO saved_query (id, db_id, label) VALUES (nextval('saved_query_id_seq'), %s, 'q') RETURNING tenant"
    web.execute(insert, (numbers["tk4q9w"],))
    assert web.fetchone() == ("tk4q9w",)
    with pytest.raises(psycopg2.errors.ForeignKeyViolation, match="no such dbs"):
        web.execute(insert, (numbers["tz81mm"],))


def test_a_table_that_nobody_has_decided_on_stops_the_migration(superset):
    superset.rows("CREATE TABLE brand_new (id int)")
    done = migrate(superset, NORTHWIND)
    assert done.returncode == 1 and "table brand_new is not in metadata/tables.py" in done.stderr, done.stderr


def test_a_second_run_takes_nothing_away(superset):
    before = superset.rows("SELECT oid, polname FROM pg_policy ORDER BY oid")
    done = migrate(superset, NORTHWIND)
    assert done.returncode == 0 and "all tables are protected already" in done.stdout, done.stdout + done.stderr
    assert superset.rows("SELECT oid, polname FROM pg_policy ORDER BY oid") == before


def test_what_somebody_switched_off_is_switched_on_again(superset):
    superset.rows("ALTER TABLE dashboards DISABLE ROW LEVEL SECURITY")
    superset.rows("DROP POLICY tenancy ON slices")
    assert migrate(superset, NORTHWIND).returncode == 0
    assert superset.values("SELECT relrowsecurity FROM pg_class WHERE relname = 'dashboards'") == [True]
    assert superset.values("SELECT polname FROM pg_policy WHERE polrelid = 'slices'::regclass AND polname = 'tenancy'")


def test_a_deadlock_with_the_services_is_tried_again(superset):
    """They write to two tables in the other order, while the migration alters both."""
    for table in ("dbs", "slices"):
        superset.rows(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'slices'::regclass"
    with superset.connected() as connection, connection.cursor() as service, ThreadPoolExecutor(1) as threads:
        service.execute("BEGIN; LOCK TABLE slices IN ROW EXCLUSIVE MODE")
        migrating = threads.submit(migrate, superset, NORTHWIND)
        while superset.values(waits) == [0]:
            assert not migrating.done(), migrating.result()
            time.sleep(0.05)
        # Who waits longer looks for a deadlock first, after a second: the migration.
        service.execute("LOCK TABLE dbs IN ROW EXCLUSIVE MODE")
        service.execute("COMMIT")
        done = migrating.result()
    assert done.returncode == 0, done.stdout + done.stderr
    assert superset.values("SELECT relrowsecurity FROM pg_class WHERE relname = 'dbs'") == [True]


def test_a_run_that_dies_leaves_tables_closed_and_the_next_completes(superset, app):
    from superset_tenancy.metadata.protection import open_for_upgrade

    superset.apply(NORTHWIND, CONTOSO)
    with superset.connected() as connection, connection.cursor() as cursor:
        open_for_upgrade(cursor)
    web = app.config["SQLALCHEMY_ENGINE_OPTIONS"]["creator"]()
    with web.cursor() as cursor:
        cursor.execute("SELECT set_config('tenancy.tenant', 'tk4q9w', true)")
        for table in CLOSED:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table
    web.close()
    assert migrate(superset, NORTHWIND, CONTOSO).returncode == 0
    assert superset.values("SELECT count(*) FROM pg_policy WHERE polname = 'tenancy'") == [len(CLOSED)]


def unprotected(superset) -> None:
    """As a version without row-level security left it."""
    for table in TENANT_TABLES:
        superset.rows(f"DROP TRIGGER tenancy ON {table.name}")
        superset.rows(f"ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY")
        superset.rows(f"ALTER TABLE {table.name} DROP COLUMN tenant CASCADE")


CHART = """INSERT INTO slices (id, slice_name, datasource_id, datasource_type)
    SELECT nextval('slices_id_seq'), 'sales', id, 'table' FROM tables RETURNING id"""
DATASET = """INSERT INTO tables (id, table_name, database_id)
    SELECT nextval('tables_id_seq'), 'orders', id FROM dbs WHERE sqlalchemy_uri LIKE '%tk4q9w%'"""

OWNER_OF_CONTOSO = """INSERT INTO slice_user (id, slice_id, user_id)
    SELECT nextval('slice_user_id_seq'), s.id, u.id FROM slices s, ab_user u WHERE u.email = 'ben@contoso.example'"""


class TestExistingMetadata:
    def test_get_their_tenants(self, superset):
        superset.apply(NORTHWIND, CONTOSO)
        unprotected(superset)
        superset.rows(DATASET)
        superset.rows(CHART)
        superset.rows("INSERT INTO annotation_layer (id, name) VALUES (nextval('annotation_layer_id_seq'), 'of nobody')")
        done = migrate(superset, NORTHWIND, CONTOSO)
        assert done.returncode == 0, done.stdout + done.stderr
        assert superset.values("SELECT tenant FROM dbs ORDER BY 1") == ["tk4q9w", "tz81mm"]
        assert superset.values("SELECT tenant FROM slices UNION ALL SELECT tenant FROM tables") == ["tk4q9w", "tk4q9w"]
        assert superset.values("SELECT tenant FROM annotation_layer") == [None]

    def test_of_tasks_that_ran_on_get_theirs_at_the_next_migration(self, superset):
        """Those of before log in as the owner until they are replaced."""
        superset.apply(NORTHWIND, CONTOSO)
        superset.rows(
            "INSERT INTO dashboards (id, dashboard_title, created_by_fk) SELECT nextval('dashboards_id_seq'), 'late', id"
            " FROM ab_user WHERE email = 'ben@contoso.example'"
        )
        assert superset.values("SELECT tenant FROM dashboards") == [None]
        done = migrate(superset, NORTHWIND, CONTOSO)
        assert done.returncode == 0 and "all tables are protected already" in done.stdout, done.stdout + done.stderr
        assert superset.values("SELECT tenant FROM dashboards") == ["tz81mm"]

    def test_that_contradict_each_other_stop_the_migration_by_name(self, superset):
        superset.apply(NORTHWIND, CONTOSO)
        unprotected(superset)
        superset.rows(DATASET)
        (chart,) = superset.values(CHART)
        superset.rows(OWNER_OF_CONTOSO)
        done = migrate(superset, NORTHWIND, CONTOSO)
        assert done.returncode == 1, done.stdout
        assert f'slices {chart} "sales" belongs to tk4q9w, but its owners to tz81mm' in done.stderr
        columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'dbs' AND column_name = 'tenant'"
        assert superset.values(columns) == [0]

    def test_keep_their_tenant_when_an_owner_has_changed_tenant_since(self, superset):
        superset.apply(NORTHWIND, CONTOSO)
        superset.rows(DATASET)
        superset.rows(CHART)
        superset.rows(OWNER_OF_CONTOSO)
        superset.rows("DROP POLICY tenancy ON slices")
        done = migrate(superset, NORTHWIND, CONTOSO)
        assert done.returncode == 0, done.stderr
        assert superset.values("SELECT tenant FROM slices") == ["tk4q9w"]


class TestServing:
    @pytest.fixture
    def started(self, app):
        """As a process that has answered nothing yet."""
        app.extensions.pop("tenancy_metadata_found_safe", None)
        yield app.test_client()
        app.extensions.pop("tenancy_metadata_found_safe", None)

    def test_the_owner_does_not_serve(self, superset, app, started):
        assert started.get("/health").status_code == 200
        app.extensions.pop("tenancy_metadata_found_safe")
        with as_owner(app):
            answer = started.get("/health")
        assert answer.status_code == 503 and 'refuses to serve: it logs in as "postgres"' in answer.text, answer.text

    def test_an_unprotected_table_is_not_served(self, superset, started):
        superset.rows("ALTER TABLE dashboards DISABLE ROW LEVEL SECURITY")
        answer = started.get("/health")
        assert answer.status_code == 503 and "no row-level security: dashboards" in answer.text, answer.text

    def test_a_scope_that_is_none_does_not_reach_a_statement(self):
        from superset_tenancy.metadata.scope import prefix

        for scope in ("", "x", "tk4q9w'; RESET ROLE; --", "@none:1 OR", "Tk4q9w", json.dumps("a")):
            with pytest.raises(ValueError, match="no scope"):
                prefix(scope)


def test_metadata_of_a_newer_superset_are_refused_before_anything_is_taken_away(superset):
    policies = superset.values("SELECT count(*) FROM pg_policies")
    superset.rows("UPDATE alembic_version SET version_num = 'fedcba987654'")
    done = migrate(superset, NORTHWIND)
    assert done.returncode == 1 and "fedcba987654, which this image does not know" in done.stdout + done.stderr, done
    assert superset.values("SELECT count(*) FROM pg_policies") == policies
