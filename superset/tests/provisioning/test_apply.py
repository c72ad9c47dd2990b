"""`superset tenancy apply`: whatever Superset's metadata held before, it then holds what the environment file asks for."""

import json
import zipfile

import pytest

from applying import CONTOSO, NORTHWIND, Content
from superset_tenancy import names
from world import all_metadata, as_owner

pytest_plugins = ["applying"]

GRANTS = """
    SELECT p.name, v.name FROM ab_role r
      JOIN ab_permission_view_role rp ON rp.role_id = r.id JOIN ab_permission_view pv ON pv.id = rp.permission_view_id
      JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id
     WHERE r.name = %s"""
ROLES_OF = """
    SELECT r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id JOIN ab_role r ON r.id = ur.role_id
     WHERE u.username = %s ORDER BY 1"""


class TestRoles:
    def test_each_capability_may_do_what_is_written_for_it_and_nothing_else(self, superset):
        from superset_tenancy.provisioning.capabilities import CAPABILITY_PERMISSIONS

        superset.apply(NORTHWIND, CONTOSO)
        database = superset.values("SELECT id FROM dbs WHERE uuid = %s", str(names.database_uuid("tk4q9w")))[0]
        own = {("database_access", f"[Northwind Traders (tk4q9w)].(id:{database})")}
        for capability, permissions in CAPABILITY_PERMISSIONS.items():
            held = set(superset.rows(GRANTS, f"tenant:tk4q9w:{capability}"))
            assert held == set(permissions) | (own if capability != "viewer" else set())

    def test_every_permission_of_this_superset_is_given_or_refused_on_purpose(self, superset):
        from superset_tenancy.provisioning import capabilities
        from superset_tenancy.sql.mutator import EXPLAIN_PERMISSION

        groups = (
            capabilities.BE_SIGNED_IN,
            capabilities.SEE_DASHBOARDS,
            capabilities.DESIGN,
            capabilities.SQL_LAB,
            capabilities.TAKE_OUT,
            *capabilities.NOT_FOR_TENANTS.values(),
        )
        sorted_ones = [permission for group in groups for permission in group]
        assert len(set(sorted_ones)) == len(sorted_ones)
        existing = superset.rows(
            "SELECT p.name, v.name FROM ab_permission_view pv"
            " JOIN ab_permission p ON p.id = pv.permission_id JOIN ab_view_menu v ON v.id = pv.view_menu_id"
        )
        # Ours, of a role that an operator gives.
        assert set(sorted_ones) == set(existing) - {EXPLAIN_PERMISSION}

    def test_a_permission_added_by_hand_is_taken_away(self, superset):
        superset.apply(NORTHWIND)
        superset.rows("""
            INSERT INTO ab_permission_view_role (id, role_id, permission_view_id)
            SELECT nextval('ab_permission_view_role_id_seq'), r.id, pv.id FROM ab_role r, ab_permission_view pv
              JOIN ab_permission p ON p.id = pv.permission_id
             WHERE r.name = 'tenant:tk4q9w:viewer' AND p.name = 'all_datasource_access'""")
        said = superset.apply(NORTHWIND)
        assert (
            "tenant tk4q9w: role tenant:tk4q9w:viewer: permission all_datasource_access on all_datasource_access taken away"
            in said
        )
        assert ("all_datasource_access", "all_datasource_access") not in superset.rows(GRANTS, "tenant:tk4q9w:viewer")

    def test_a_permission_taken_away_by_hand_is_granted_again(self, superset):
        superset.apply(NORTHWIND)
        superset.rows("DELETE FROM ab_permission_view_role")
        said = superset.apply(NORTHWIND)
        assert "tenant tk4q9w: role tenant:tk4q9w:analyst: permission can_sqllab on Superset granted" in said
        assert superset.apply(NORTHWIND)[-1] == "nothing to change: 1 tenants are as they should be"

    def test_a_permission_that_this_superset_does_not_have_is_named(self, superset):
        superset.rows("""
            DELETE FROM ab_permission_view_role WHERE permission_view_id IN (SELECT pv.id FROM ab_permission_view pv
              JOIN ab_permission p ON p.id = pv.permission_id WHERE p.name = 'can_execute_sql_query')""")
        superset.rows("""
            DELETE FROM ab_permission_view WHERE permission_id IN
              (SELECT id FROM ab_permission WHERE name = 'can_execute_sql_query')""")
        assert "no permission can_execute_sql_query on SQLLab" in superset.refused(NORTHWIND)

    def test_nobody_may_explain_unless_an_operator_says_so(self, superset):
        superset.apply(NORTHWIND)
        assert superset.rows(GRANTS, "tenancy:explain") == [("can_explain", "TenancySql")]
        for capability in names.CAPABILITIES:
            assert ("can_explain", "TenancySql") not in superset.rows(GRANTS, f"tenant:tk4q9w:{capability}")

    def test_superset_init_leaves_all_roles_as_they_are(self, superset, app):
        from superset import appbuilder, security_manager

        superset.apply(NORTHWIND)
        with as_owner(app), app.app_context():
            appbuilder.add_permissions(update_perms=True)
            security_manager.sync_role_definitions()
        assert superset.apply(NORTHWIND)[-1].startswith("nothing to change")


class TestDatabases:
    SETTINGS = """
        SELECT database_name, sqlalchemy_uri, expose_in_sqllab, allow_run_async, allow_ctas, allow_cvas, allow_dml,
               allow_file_upload, impersonate_user, password, encrypted_extra
          FROM dbs WHERE uuid = %s"""
    RIGHT = ("postgresql+psycopg2://tk4q9w@overlay.invalid/", True, True, *[False] * 5, None, None)

    def test_a_database_names_the_proxy_of_a_tenant_that_logs_in_with_tokens(self, superset):
        uuid = str(names.database_uuid("tk4q9w"))
        for proxy, host in (("proxy-a", "proxy-a.overlay.invalid"), (None, "overlay.invalid")):
            superset.apply({**NORTHWIND, **({"proxy": proxy} if proxy else {})})
            uri = superset.values("SELECT sqlalchemy_uri FROM dbs WHERE uuid = %s", uuid)
            assert uri == [f"postgresql+psycopg2://tk4q9w@{host}/"]
        assert "proxy" in superset.refused({**NORTHWIND, "proxy": "elsewhere.example.com"})

    def test_a_database_leads_nowhere_and_lets_nothing_be_written(self, superset):
        superset.apply(NORTHWIND)
        uuid = str(names.database_uuid("tk4q9w"))
        assert superset.rows(self.SETTINGS, uuid) == [("Northwind Traders (tk4q9w)", *self.RIGHT)]
        extra = json.loads(superset.values("SELECT extra FROM dbs WHERE uuid = %s", uuid)[0])
        assert not extra["allow_multi_catalog"] and not extra["cost_estimate_enabled"]

    def test_what_was_changed_by_hand_is_set_back(self, superset):
        superset.apply(NORTHWIND)
        superset.rows("""
            UPDATE dbs SET allow_dml = true, allow_file_upload = true, sqlalchemy_uri = 'postgresql://elsewhere/x',
                           extra = '{"allow_multi_catalog": true}'""")
        said = superset.apply(NORTHWIND)
        for setting in ("allow_dml", "allow_file_upload", "sqlalchemy_uri", "extra"):
            assert f'tenant tk4q9w: Database "Northwind Traders (tk4q9w)": {setting} set back' in said
        assert superset.rows(self.SETTINGS, str(names.database_uuid("tk4q9w")))[0][1:] == self.RIGHT

    def test_a_new_display_name_leaves_everybody_their_rights(self, superset):
        superset.apply(NORTHWIND, CONTOSO, content=Content())
        said = superset.apply({**NORTHWIND, "displayName": "Südwind]. [x"}, CONTOSO, content=Content())
        assert 'tenant tk4q9w: Database "Northwind Traders (tk4q9w)": database_name changed' in said
        database, name = superset.rows("SELECT id, database_name FROM dbs WHERE sqlalchemy_uri LIKE '%tk4q9w@%'")[0]
        assert name == "Südwind]. [x (tk4q9w)"
        granted = [view for permission, view in superset.rows(GRANTS, "tenant:tk4q9w:analyst") if permission == "database_access"]
        assert granted == [f"[{name}].(id:{database})"]
        for table, condition in (("tables", f"database_id = {database}"), ("slices", "perm LIKE '%Südwind%'")):
            perms = superset.rows(f"SELECT perm, schema_perm FROM {table} WHERE {condition}")
            assert perms and all(perm.startswith(f"[{name}]") and schema.startswith(f"[{name}].[") for perm, schema in perms)
        assert not superset.values("SELECT 1 FROM slices WHERE perm LIKE '%Northwind%' OR schema_perm LIKE '%Northwind%'")
        again = superset.apply({**NORTHWIND, "displayName": "Südwind]. [x"}, CONTOSO, content=Content())
        assert again[-1].startswith("nothing to change")

    def test_nothing_connects_to_a_tenants_data(self, superset, monkeypatch):
        from superset_tenancy.connections import pools

        def refuse(*_arguments):
            raise AssertionError("connects")

        monkeypatch.setattr(pools, "borrow", refuse)
        monkeypatch.setattr("superset.models.core.Database._get_sqla_engine", refuse)
        superset.apply(NORTHWIND, CONTOSO, content=Content())
        superset.apply({**NORTHWIND, "displayName": "Another"}, content=Content())

    def test_a_name_that_another_database_has_is_refused(self, superset):
        superset.apply(NORTHWIND)
        superset.rows("UPDATE dbs SET uuid = gen_random_uuid()")
        assert 'another Database is called "Northwind Traders (tk4q9w)"' in superset.refused(NORTHWIND)


class TestAdministrators:
    def test_the_first_one_signs_in_with_the_password_of_the_secret(self, superset, app):
        superset.apply(NORTHWIND)
        assert superset.values(ROLES_OF, "ada@northwind.example") == ["tenant:tk4q9w:admin"]
        body = {"username": "ada@northwind.example", "password": "admin of tk4q9w", "provider": "db"}
        assert app.test_client().post("/api/v1/security/login", json=body).status_code == 200

    def test_a_password_of_ones_own_stays(self, superset):
        superset.apply(NORTHWIND)
        superset.rows("UPDATE ab_user SET password = 'another'")
        assert superset.apply(NORTHWIND)[-1].startswith("nothing to change")
        assert superset.values("SELECT password FROM ab_user") == ["another"]

    def test_another_address_adds_an_administrator_and_shuts_nobody_out(self, superset):
        superset.apply(NORTHWIND)
        said = superset.apply({**NORTHWIND, "adminEmail": "ann@northwind.example"})
        assert "tenant tk4q9w: administrator ann@northwind.example created; ada@northwind.example stays one" in said
        assert superset.values("SELECT active FROM ab_user") == [True, True]

    def test_one_who_was_shut_out_stays_out(self, superset):
        superset.apply(NORTHWIND)
        superset.rows("UPDATE ab_user SET active = false")
        said = superset.apply(NORTHWIND)
        assert any("ada@northwind.example is deactivated, and stays so" in line for line in said)
        assert superset.values("SELECT active FROM ab_user") == [False]

    def test_a_person_of_another_tenant_is_refused_with_both_named(self, superset):
        superset.apply(NORTHWIND)
        refused = superset.refused(NORTHWIND, {**CONTOSO, "adminEmail": "ADA@northwind.example"})
        assert "ADA" in refused or "ada@northwind.example is to administer tk4q9w and tz81mm" in refused
        refused = superset.refused(
            {**NORTHWIND, "adminEmail": "ann@northwind.example"}, {**CONTOSO, "adminEmail": "Ada@northwind.example"}
        )
        assert "tenant tz81mm: Ada@northwind.example cannot be its administrator: that user is of tenant tk4q9w" in refused

    def test_a_person_of_the_platform_is_refused(self, superset, app):
        from superset import security_manager

        with all_metadata(app):
            role = security_manager.find_role("Admin")
            security_manager.add_user("root", "R", "R", "ada@northwind.example", role, "x")
        assert "that user is of the platform (Admin)" in superset.refused(NORTHWIND)


class TestAddUsers:
    PERSON = {"tenant": "tk4q9w", "role": "analyst", "username": "mia", "email": "mia@x.example", "password": "s3cret!"}

    def test_a_person_is_created_once(self, superset):
        superset.apply(NORTHWIND)
        first, second = superset.add_users(self.PERSON), superset.add_users(self.PERSON)
        assert "tenant tk4q9w: analyst mia created" in first.output and "0 of 1 users" in second.output
        assert superset.values(ROLES_OF, "mia") == ["tenant:tk4q9w:analyst"]
        assert "s3cret!" not in first.output + second.output

    def test_all_that_is_wrong_is_said_at_once_and_nobody_is_created(self, superset):
        superset.apply(NORTHWIND, CONTOSO)
        superset.add_users(self.PERSON)
        before = superset.dump()
        done = superset.add_users(
            {**self.PERSON, "tenant": "tz81mm"},
            {**self.PERSON, "username": "eve", "email": "eve@x.example", "tenant": "unknown"},
            {**self.PERSON, "username": "max", "email": "max@x.example"},
            {**self.PERSON, "username": "ada", "email": "ada@northwind.example"},
        )
        assert done.exit_code == 1 and superset.dump() == before
        for problem in (
            "mia: that user is of tenant tk4q9w",
            "there is no tenant unknown",
            "ada: that user has another role, tenant:tk4q9w:admin",
            "ada: the e-mail address ada@northwind.example is that of another user",
        ):
            assert problem in done.output, done.output

    def test_another_role_of_the_same_tenant_is_refused(self, superset):
        superset.apply(NORTHWIND)
        superset.add_users(self.PERSON)
        done = superset.add_users({**self.PERSON, "role": "admin"})
        assert done.exit_code == 1 and "mia: that user has another role, tenant:tk4q9w:analyst" in done.output

    def test_a_broken_line_is_refused_without_its_password(self, superset):
        superset.apply(NORTHWIND)
        done = superset.add_users({**self.PERSON, "email": "nobody", "role": "boss", "passwort": "s3cret!"})
        assert done.exit_code == 1 and "s3cret!" not in done.output
        for field in ("email", "role", "passwort"):
            assert f"line 1: {field}" in done.output


class TestState:
    @pytest.mark.parametrize(
        ("state", "problem"),
        [
            ('{"version": 2, "tenants": []}', "version: Must be equal to 1"),
            ('{"version": 1}', "tenants: Missing data"),
            ('{"version": 1, "tenants": [{"id": "T K"}]}', "tenants.0.displayName: Missing data"),
            ("{", "is not JSON"),
            ('{"version": 1, "tenants": [], "content": "../content.zip"}', "content: String does not match"),
            ('{"version": 1, "tenants": [], "content": "content.zip"}', "content.zip cannot be read"),
        ],
    )
    def test_what_is_wrong_is_named_before_anything_is_touched(self, superset, state, problem, tmp_path):
        before = superset.dump()
        (tmp_path / "desired-state.json").write_text(state)
        done = superset.run("apply", str(tmp_path))
        assert done.exit_code == 1 and problem in done.output and superset.dump() == before, done.output

    def test_a_tenant_that_is_there_twice_is_refused(self, superset):
        refused = superset.refused(NORTHWIND, {**NORTHWIND, "displayName": "Other"})
        assert "tenant tk4q9w is there twice" in refused and "is to administer tk4q9w and tk4q9w" in refused

    def test_a_zip_file_is_read_as_the_directory_is(self, superset, tmp_path):
        directory = superset.write(NORTHWIND, content=Content())
        archive = tmp_path / "state.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            for name in ("desired-state.json", "content.zip"):
                zipped.write(f"{directory}/{name}", name)
        assert superset.run("apply", str(archive)).exit_code == 0
        assert superset.apply(NORTHWIND, content=Content())[-1].startswith("nothing to change")

    def test_s3(self, superset, monkeypatch):
        """What CDK uploads: an asset that is a zip file."""
        import io

        import boto3
        from botocore.response import StreamingBody
        from botocore.stub import Stubber

        directory = superset.write(NORTHWIND)
        asset = io.BytesIO()
        with zipfile.ZipFile(asset, "w") as zipped:
            zipped.write(f"{directory}/desired-state.json", "desired-state.json")

        bucket = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="any", aws_secret_access_key="any")
        body = StreamingBody(io.BytesIO(asset.getvalue()), len(asset.getvalue()))
        stub = Stubber(bucket)
        stub.add_response("get_object", {"Body": body}, {"Bucket": "assets", "Key": "a/b.zip"})
        stub.activate()
        real = boto3.Session.client
        monkeypatch.setattr(boto3.Session, "client", lambda self, name, **o: bucket if name == "s3" else real(self, name, **o))
        done = superset.run("apply", "s3://assets/a/b.zip")
        assert done.exit_code == 0, done.output
        stub.assert_no_pending_responses()


class TestRemoval:
    def test_a_removed_tenant_is_shut_out_and_loses_nothing(self, superset, app):
        superset.apply(NORTHWIND, CONTOSO, content=Content())
        superset.add_users(TestAddUsers.PERSON)
        before = superset.dump()
        said = superset.apply(CONTOSO, content=Content())
        for line in (
            "user ada@northwind.example deactivated",
            "user mia deactivated",
            'dashboard "Orders" unpublished',
            'Database "Northwind Traders (tk4q9w)" hidden from SQL Lab',
        ):
            assert f"tenant tk4q9w: {line}" in said
        assert not superset.rows(GRANTS, "tenant:tk4q9w:analyst")
        body = {"username": "ada@northwind.example", "password": "admin of tk4q9w", "provider": "db"}
        assert app.test_client().post("/api/v1/security/login", json=body).status_code == 401
        for table in ("slices", "tables", "table_columns", "ab_user_role", "dashboard_roles", "slice_user"):
            assert superset.dump()[table] == before[table]
        assert superset.apply(CONTOSO, content=Content())[-1].startswith("nothing to change")

    def test_a_tenant_that_returns_finds_all_as_it_was(self, superset):
        superset.apply(NORTHWIND, CONTOSO, content=Content())
        superset.add_users(TestAddUsers.PERSON, {**TestAddUsers.PERSON, "username": "out", "email": "out@x.example"})
        superset.rows("UPDATE ab_user SET active = false WHERE username = 'out'")
        state = "SELECT username, active FROM ab_user ORDER BY 1"
        grants = superset.rows(GRANTS, "tenant:tk4q9w:admin")
        before = superset.rows(state)
        superset.apply(CONTOSO, content=Content())
        said = superset.apply(NORTHWIND, CONTOSO, content=Content())
        assert "tenant tk4q9w: user mia activated again" in said
        assert superset.rows(state) == before
        assert sorted(superset.rows(GRANTS, "tenant:tk4q9w:admin")) == sorted(grants)
        assert superset.values("SELECT published FROM dashboards") == [True, True]
        assert superset.apply(NORTHWIND, CONTOSO, content=Content())[-1].startswith("nothing to change")

    def test_the_administrator_who_returns_with_the_tenant_has_the_password_of_its_new_secret(self, superset, servers, app):
        def signs_in(password):
            body = {"username": "ada@northwind.example", "password": password, "provider": "db"}
            return app.test_client().post("/api/v1/security/login", json=body).status_code

        name, old = "superset/tenant/tk4q9w/admin_login", {"username": "ada@northwind.example", "password": "admin of tk4q9w"}
        superset.apply(NORTHWIND, CONTOSO)
        superset.apply(CONTOSO)
        servers.set_secret(name, {**old, "password": "a new one"})
        try:
            said = superset.apply(NORTHWIND, CONTOSO)
            assert "tenant tk4q9w: user ada@northwind.example given the password of the tenant's new secret" in said
            assert (signs_in("a new one"), signs_in("admin of tk4q9w")) == (200, 401)
            # Once: what the person sets afterwards stays.
            servers.set_secret(name, {**old, "password": "another"})
            assert superset.apply(NORTHWIND, CONTOSO)[-1].startswith("nothing to change")
            assert (signs_in("a new one"), signs_in("another")) == (200, 401)
        finally:
            servers.set_secret(name, old)

    def test_an_administrator_whom_an_operator_shut_out_stays_out_when_the_tenant_returns(self, superset):
        superset.apply(NORTHWIND, CONTOSO)
        superset.rows("UPDATE ab_user SET active = false WHERE username = 'ada@northwind.example'")
        password = "SELECT password FROM ab_user WHERE username = 'ada@northwind.example' AND NOT active"
        before = superset.values(password)
        superset.apply(CONTOSO)
        superset.apply(NORTHWIND, CONTOSO)
        assert superset.values(password) == before != []

    def test_an_administrator_of_the_platform_stays_active(self, superset, app):
        from superset import security_manager

        superset.apply(NORTHWIND)
        with all_metadata(app):
            roles = [security_manager.find_role(name) for name in ("Admin", "tenant:tk4q9w:analyst")]
            security_manager.add_user("root", "R", "R", "root@x.example", roles, "x")
        said = superset.apply()
        assert any("user root has other roles, too (Admin), and stays active" in line for line in said)
        assert superset.values("SELECT active FROM ab_user WHERE username = 'root'") == [True]
