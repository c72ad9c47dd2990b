"""What the guard lets through changes nothing and reads nothing of the server, as PostgreSQL itself reads it.

More cases: TENANCY_FUZZ_CASES=5000 npx tsx superset/tests/run.ts tests/sql/test_fuzz.py
"""

import json
import os
import re
from contextlib import suppress

import psycopg2
import pytest
from fuzzing import Fuzzer
from what_postgres_has import FILE

from superset_tenancy.sql.guard import check
from superset_tenancy.sql.refused import SqlRefused

CASES = int(os.environ.get("TENANCY_FUZZ_CASES", "500"))


@pytest.fixture(scope="module")
def harm_of(servers):
    """What a text would do, by the parse trees that the server logs of it: empty, None if it is no SQL to the server."""
    listed = json.loads(FILE.read_text())
    connection = psycopg2.connect(**servers.superuser)
    cursor = connection.cursor()
    cursor.execute("SELECT oid FROM pg_proc WHERE proname = ANY (%s) AND oid < 16384", [listed["refusedFunctions"]])
    functions = {oid for (oid,) in cursor}
    cursor.execute("SELECT oid FROM pg_type WHERE typname = ANY (%s) AND typtype = 'b'", [listed["refusedTypes"]])
    types = {oid for (oid,) in cursor} - {2275}  # cstring, which each cast by text goes through.
    # Casts and operators call such as these by themselves.
    cursor.execute("SELECT castfunc FROM pg_cast UNION SELECT oprcode::oid FROM pg_operator")
    functions -= {oid for (oid,) in cursor}

    def run(sql):
        connection.rollback()
        cursor.execute("SET TRANSACTION READ ONLY; SET LOCAL client_min_messages = log; SET LOCAL debug_print_parse = on")
        cursor.execute("SET LOCAL statement_timeout = '2s'")
        connection.notices.clear()
        with suppress(psycopg2.Error):
            cursor.execute(sql)
        trees = re.sub(r"\s+", " ", " ".join(notice for notice in connection.notices if "parse tree:" in notice))

        def numbers(fields):
            return {int(number) for number in re.findall(rf":(?:{fields}) (\d+)", trees)}

        if not trees:
            return None
        return (
            numbers("commandType") - {1}
            | numbers("funcid") & functions
            | numbers("resulttype|consttype|funcresulttype") & types
            | {oid for oid in numbers("relid") if 0 < oid < 16_384}
            | ({-1} if ":rowMarks (" in trees else set())
        )

    yield run
    connection.close()


def test_what_is_let_through_does_no_harm(harm_of):
    fuzzer, passed, refused, harmful = Fuzzer(20_261_126), 0, 0, 0
    for _ in range(CASES):
        text = fuzzer.text()
        try:
            check(text)
        except SqlRefused:
            refused += 1
            harmful += bool(harm_of(text))
            continue
        assert not harm_of(text), text
        passed += 1
    # Both judges have something to say.
    assert passed > CASES * 0.1 and refused > CASES * 0.1 and harmful > CASES * 0.01, (passed, refused, harmful)
    print(f"{passed} passed, {refused} refused, {harmful} of them harmful to PostgreSQL")


class TestLists:
    """Functions and types that the guard knows are those that a server has."""

    def test_are_those_of_a_server(self, servers):
        from what_postgres_has import read

        connection = psycopg2.connect(**servers.superuser)
        found, listed = read(connection), json.loads(FILE.read_text())
        connection.close()
        assert {kind: sorted(set(found[kind]) ^ set(listed[kind])) for kind in listed} == {kind: [] for kind in listed}

    def test_each_name_is_in_one_list(self):
        listed = {kind: set(entries) for kind, entries in json.loads(FILE.read_text()).items()}
        assert not listed["functions"] & listed["refusedFunctions"] and not listed["types"] & listed["refusedTypes"]
        assert listed["extensions"] <= listed["functions"] and len(listed["functions"]) > 1_500

    def test_no_operator_does_more_than_compute(self, servers):
        refused = json.loads(FILE.read_text())["refusedFunctions"]
        found = servers.as_superuser(
            "SELECT o.oprname, p.proname FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode"
            " WHERE o.oid < 16384 AND p.provolatile = 'v'"
        )
        assert found == [] and "set_config" in refused

    def test_an_operators_functions_are_allowed_by_name(self, monkeypatch):
        from superset_tenancy.sql.known_names import ALLOWED_FUNCTIONS, KnownNames

        assert KnownNames().reason_to_refuse_function("", "margin") and KnownNames().reason_to_refuse_function(
            "analytics", "margin"
        )
        monkeypatch.setenv(ALLOWED_FUNCTIONS, "analytics.margin, fiscal_year")
        assert KnownNames().reason_to_refuse_function("analytics", "margin") is None
        assert KnownNames().reason_to_refuse_function("public", "margin")
        assert KnownNames().reason_to_refuse_function("any", "fiscal_year") is None
