"""Queries run as they did without the wall; nothing else does, however it is spelled."""

import re
from contextlib import suppress
from itertools import product

import psycopg2
import pytest

from superset_tenancy.sql.guard import check
from superset_tenancy.sql.parse_tree import MAX_BYTES
from superset_tenancy.sql.refused import SqlRefused

QUERIES = r"""
SELECT 1
SELECT * FROM orders
select count(*) from orders;
SELECT * FROM analytics.orders LIMIT 1001
SELECT DATE_TRUNC('day', order_date) AS order_date, COUNT(DISTINCT customer_id) AS "COUNT_DISTINCT(customer_id)" FROM analytics.orders WHERE order_date >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND order_date < TO_TIMESTAMP('2026-02-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('day', order_date) ORDER BY "COUNT_DISTINCT(customer_id)" DESC LIMIT 10000
SELECT region AS region, sum(amount) AS "SUM(amount)" FROM (SELECT * FROM orders WHERE amount > 0) AS virtual_table GROUP BY region ORDER BY "SUM(amount)" DESC LIMIT 50000
SELECT DATE_TRUNC('month', ts) AS ts, region AS region, sum(x) AS s FROM t JOIN (SELECT region AS region__, sum(x) AS mme_inner__ FROM t GROUP BY region ORDER BY mme_inner__ DESC LIMIT 10) AS anon_1 ON region = region__ GROUP BY DATE_TRUNC('month', ts), region ORDER BY s DESC
SELECT CAST(amount AS NUMERIC(10, 2)), amount::int, amount::double precision, '5'::text::int FROM orders
SELECT date '2026-01-01' + interval '1 day' * 3, interval '1' day, interval '1 day 2 hours'
SELECT now() - INTERVAL '7 days', CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIMESTAMP, current_user, session_user
SELECT created_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' FROM orders
SELECT EXTRACT(epoch FROM created_at), EXTRACT(DOW FROM created_at), date_part('year', created_at) FROM orders
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY region) FROM orders
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY amount) FROM orders
SELECT region, rank() OVER (PARTITION BY region ORDER BY amount DESC), lag(amount, 1) OVER w FROM orders WINDOW w AS (ORDER BY id)
SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM orders
SELECT sum(amount) OVER (ORDER BY created_at RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW) FROM orders
SELECT * FROM orders WHERE region ILIKE '%north%' AND note NOT LIKE 'a\_%' AND code SIMILAR TO '(a|b)%'
SELECT * FROM orders WHERE note LIKE '50!%' ESCAPE '!'
SELECT payload -> 'a' ->> 'b', payload #>> '{a,b}', payload @> '{"a": 1}', payload ? 'key', payload ?| ARRAY['a'] FROM events
SELECT payload['a']['b'], jsonb_path_query(payload, '$.items[*].price'), payload @? '$.a' FROM events
SELECT tags[1], tags[1:2], array_length(tags, 1), 'x' = ANY(tags), ARRAY[1, 2] || 3, tags && ARRAY['a'] FROM events
SELECT * FROM orders WHERE id = ANY (ARRAY[1, 2, 3]) OR id IN (SELECT id FROM returns) OR region = ANY('{a,b}')
SELECT * FROM orders WHERE note ~* '^n.*\d+$' AND note !~ 'x' AND note ~* ANY(ARRAY['a', 'b'])
SELECT o.id, l.n FROM orders o, LATERAL (SELECT count(*) AS n FROM lines WHERE lines.order_id = o.id) l
SELECT o.id, x FROM orders o CROSS JOIN LATERAL unnest(o.tags) WITH ORDINALITY AS u (x, n)
SELECT d::date FROM generate_series('2026-01-01'::timestamp, '2026-12-31', '1 day') AS d
SELECT string_agg(region, ', ' ORDER BY region), array_agg(DISTINCT region) FROM orders
SELECT count(*) FILTER (WHERE amount > 100), sum(amount) FILTER (WHERE region = 'n') OVER () FROM orders GROUP BY amount, region
SELECT region, kind, sum(amount) FROM orders GROUP BY GROUPING SETS ((region, kind), (region), ())
SELECT region, kind, sum(amount), grouping(region) FROM orders GROUP BY ROLLUP (region, kind)
SELECT region, kind FROM orders GROUP BY CUBE (region, kind) HAVING sum(amount) > 10
SELECT DISTINCT ON (region) region, id FROM orders ORDER BY region, created_at DESC NULLS LAST
SELECT "Order Date", "größe", "a ""quoted"" name" FROM "My Schema"."My Table"
SELECT größe, straße FROM umsätze
SELECT CASE WHEN amount > 100 THEN 'big' WHEN amount IS NULL THEN NULL ELSE 'small' END AS size FROM orders
SELECT CASE region WHEN 'n' THEN 1 END FROM orders
SELECT COALESCE(a, b, 0), NULLIF(a, 0), GREATEST(a, b), LEAST(a, b) FROM t
SELECT a FROM t UNION ALL SELECT a FROM u INTERSECT SELECT a FROM v EXCEPT SELECT a FROM w ORDER BY 1
(SELECT a FROM t ORDER BY a LIMIT 3) UNION (SELECT a FROM u LIMIT 3)
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT 2 AS y) SELECT * FROM a, b
WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n) FROM t
VALUES (1, 'a'), (2, 'b')
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (id, name)
(SELECT 1)
((SELECT 1) UNION (SELECT 2))
SELECT substring(name FROM 1 FOR 3), substring(name, 1, 3), overlay(name placing 'x' from 1 for 1), position('a' IN name) FROM t
SELECT trim(BOTH ' ' FROM name), upper(name), left(name, 2), split_part(path, '\', 1), regexp_replace(name, '\s+', ' ', 'g') FROM t
SELECT to_char(created_at, 'YYYY-MM'), to_date('2026-01-01', 'YYYY-MM-DD'), age(created_at), make_date(2026, 1, 1) FROM t
SELECT E'tab\there', E'it''s', E'it\'s', $$a 'quoted' ; text$$, $tag$ $$ $tag$
SELECT 'it''s; DROP TABLE x', '-- no comment', '/* none */'
SELECT 1 -- a comment; SET x = 1
/* before */ SELECT /* in /* nested */ side */ 1 /* after */
SELECT * FROM a JOIN b USING (id) LEFT JOIN c ON c.id = a.id FULL JOIN d ON true CROSS JOIN e NATURAL JOIN f
SELECT * FROM orders TABLESAMPLE SYSTEM (10)
SELECT a.*, (b).c, row(a.x, 1), (SELECT max(x) FROM t) FROM a, b
SELECT EXISTS (SELECT 1 FROM t), NOT EXISTS (SELECT FROM t), a IS DISTINCT FROM b, a BETWEEN 1 AND 2 FROM t
SELECT * FROM t ORDER BY a ASC NULLS FIRST, b DESC OFFSET 10 ROWS FETCH FIRST 5 ROWS ONLY
SELECT -a, +b, - -c, ~d, a % 2, a ^ 2, |/ 25, @ -5, a << 1, a & 3, a # 1, 1e5, .5, 1.5e-3, 2. FROM t
SELECT embedding <-> '[1,2]' FROM items ORDER BY embedding <=> '[1,2]' LIMIT 5
SELECT x'1F', b'101', N'national'
SELECT make_interval(days => 3), make_interval(days := 3)
SELECT row_to_json(t), to_jsonb(t), json_build_object('a', 1), jsonb_agg(t), jsonb_object_agg(a, b) FROM t
SELECT * FROM jsonb_to_recordset('[{"a":1}]') AS x (a int, b text)
SELECT * FROM json_each_text('{"a":1}'), unnest(ARRAY[1, 2]) AS n
SELECT to_tsvector('english', body) @@ plainto_tsquery('word'), ts_rank(v, q) FROM docs
SELECT width_bucket(amount, 0, 100, 10), ntile(4) OVER (ORDER BY amount), corr(a, b), stddev_pop(a) FROM t
SELECT random(), gen_random_uuid(), md5(name), clock_timestamp(), version(), current_database() FROM t
SELECT pg_typeof(a), pg_size_pretty(100::bigint), pg_column_size(a) FROM t
SELECT lo_orderdate, lineorder.lo_revenue, pg_rating, "update", "into", "table" FROM lineorder
SELECT name COLLATE "C", a::varchar(10), a::timestamp with time zone, a::timestamptz(3), a::int[] FROM t
SELECT tenancy.current_tenant(), pg_catalog.lower('A'), public.unaccent('é')
SELECT (TIMESTAMP '2026-01-01', TIMESTAMP '2026-02-01') OVERLAPS (TIMESTAMP '2026-01-15', INTERVAL '1 month')
SELECT int4range(1, 5) @> 3, '[1,5)'::int4range * '[2,3)', isfinite(now()), a IS JSON FROM t
SELECT country, year, key, value, name, type, date, time, text, level, position, no, share FROM facts
SELECT a OPERATOR(pg_catalog.+) b, a IS TRUE, a IS NOT UNKNOWN, NOT a FROM t
SELECT ST_Distance(a.geom, b.geom) FROM places a, places b WHERE ST_DWithin(a.geom, b.geom, 100) AND a.geom && b.geom
SELECT 1; SELECT 2;
TABLE orders
(TABLE orders)
SELECT * FROM (TABLE orders) t
SELECT 1 UNION TABLE orders
SELECT U&'d\0061t\+000061', U&"d\0061ta" FROM t
SELECT 1_000, 0x1F, 0b11
WITH RECURSIVE a (n) AS (SELECT 1 UNION SELECT n FROM a) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c USING p SELECT * FROM a
SELECT m.pg_rating, a.set_limit, a.nextval, sum(update), sum(into_), max(m.lo_get) FROM m JOIN a ON m.update = a.update
WITH pg_sales AS (SELECT 1 AS n), nextval AS (SELECT 2 AS m) SELECT pg_sales.n, nextval.m FROM pg_sales, nextval
SELECT u.pg_rating, u.lo_x FROM unnest(ARRAY[1], ARRAY[2]) AS u (pg_rating, lo_x)
SELECT x.pg_rating FROM jsonb_to_recordset('[{"pg_rating": 1}]') AS x (pg_rating int)
SELECT 'new'::order_status, '(1,2)'::analytics.address, ROW(1, 2)::address, '{a}'::order_status[]
""".strip().splitlines()

STATEMENTS = r"""
SET search_path = x
SET LOCAL a.b = 'c'
RESET ALL
SHOW search_path
BEGIN
START TRANSACTION
COMMIT
END
ROLLBACK
ABORT
SAVEPOINT a
PREPARE p AS SELECT 1
PREPARE TRANSACTION 'a'
EXECUTE p
DEALLOCATE p
DECLARE c CURSOR FOR SELECT 1
FETCH ALL FROM c
MOVE c
CLOSE c
LISTEN a
UNLISTEN *
NOTIFY a
LOCK orders
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE
COPY orders TO STDOUT
COPY (SELECT 1) TO PROGRAM 'cat'
DO $$ BEGIN NULL; END $$
CALL p()
CREATE TABLE a (b int)
CREATE TABLE a AS SELECT 1
CREATE TEMP VIEW a AS SELECT 1
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE EXTENSION dblink
ALTER ROLE CURRENT_USER PASSWORD 'x'
DROP TABLE orders
GRANT SELECT ON orders TO public
REVOKE SELECT ON orders FROM public
REASSIGN OWNED BY a TO b
COMMENT ON TABLE orders IS 'x'
SECURITY LABEL ON TABLE orders IS 'x'
INSERT INTO orders VALUES (1)
UPDATE orders SET a = 1
DELETE FROM orders
MERGE INTO orders USING a ON true WHEN MATCHED THEN DELETE
TRUNCATE orders
DISCARD ALL
VACUUM
ANALYZE orders
CLUSTER
CHECKPOINT
REINDEX TABLE orders
REFRESH MATERIALIZED VIEW a
LOAD 'auto_explain'
IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c
EXPLAIN SELECT 1
EXPLAIN ANALYZE SELECT 1
SELECT 1 INTO a
SELECT * INTO TEMP a FROM orders
SELECT * FROM orders FOR UPDATE
SELECT * FROM orders FOR NO KEY UPDATE SKIP LOCKED
SELECT * FROM orders FOR SHARE OF orders
SELECT * FROM orders FOR KEY SHARE NOWAIT
SELECT * FROM (SELECT * FROM orders FOR UPDATE) o
WITH a AS (SELECT 1) DELETE FROM orders
WITH a AS (SELECT 1) INSERT INTO orders SELECT * FROM a
WITH a AS (DELETE FROM orders RETURNING *) SELECT * FROM a
WITH a AS MATERIALIZED (UPDATE orders SET a = 1 RETURNING *) SELECT * FROM a
WITH a AS (INSERT INTO orders VALUES (1) RETURNING *) SELECT * FROM a
SELECT * FROM (WITH a AS (DELETE FROM orders RETURNING *) SELECT * FROM a) b
WITH RECURSIVE a (n) AS (SELECT 1 UNION SELECT n FROM a) SEARCH DEPTH FIRST BY n SET o DELETE FROM orders
WITH RECURSIVE a (n) AS (SELECT 1 UNION SELECT n FROM a) CYCLE n SET o USING p UPDATE orders SET a = 1
EXECUTE IMMEDIATE 'SELECT 1'
USE other
KILL 1
orders
1
'SELECT 1'
"SELECT" 1
$$SELECT 1$$
""".strip().splitlines()

SPELLINGS = {
    "as it is": "{}",
    "lower case": "{lower}",
    "after a comment": "/* SELECT */ -- SELECT\n {}",
    "after a query": "SELECT 1; {}",
    "before a query": "{}; SELECT 1",
    "after empty statements": ";;\n; {};",
}

FUNCTIONS = """
set_config setseed query_to_xml query_to_xml_and_xmlschema query_to_xmlschema table_to_xml schema_to_xml database_to_xml
cursor_to_xml ts_stat ts_rewrite crosstab crosstab2 connectby xpath_table dblink dblink_connect dblink_connect_u
postgres_fdw_get_connections nextval setval currval lastval lo_import lo_export lo_get lo_from_bytea lo_creat lo_unlink loread
lowrite pg_sleep pg_sleep_for pg_read_file pg_ls_dir pg_stat_file pg_stat_get_activity pg_terminate_backend pg_cancel_backend
pg_notify pg_advisory_lock pg_try_advisory_lock pg_export_snapshot pg_logical_emit_message pg_relation_size pg_database_size
pg_total_relation_size pg_get_userbyid pg_get_viewdef pg_has_role pg_lock_status pg_something_new txid_current
txid_current_snapshot current_setting has_table_privilege inet_server_addr to_regrole shobj_description currtid2
""".split()

POSITIONS = r"""
SELECT {f}('a')
SELECT {f}  ('a')
SELECT {f}/* a */('a')
SELECT {f} -- (\n ('a')
SELECT "{f}"('a')
SELECT pg_catalog.{f}('a')
SELECT PG_CATALOG . "{f}" ('a')
SELECT {F}('a')
SELECT ('a'::text).{f}
SELECT ('a'::text)."{f}"
SELECT x.{f} FROM unnest(ARRAY['a']) AS x
SELECT {f}(a => 1)
SELECT {f}(VARIADIC ARRAY['a'])
SELECT a FROM t WHERE {f}('a') IS NULL
SELECT * FROM {f}('a')
SELECT * FROM {f}('a') AS t (a text)
SELECT * FROM ROWS FROM ({f}('a'), unnest(ARRAY['b'])) AS t
SELECT * FROM t, LATERAL {f}(t.a) AS u
SELECT * FROM t JOIN u ON {f}(t.a) = u.b
SELECT a FROM t ORDER BY {f}(a)
SELECT a FROM t GROUP BY {f}(a) HAVING {f}(a) IS NULL
SELECT a FROM t LIMIT {f}('a')
SELECT count(*) FILTER (WHERE {f}('a') IS NULL) FROM t
SELECT sum(a) OVER (ORDER BY {f}(a)) FROM t
SELECT max({f}('a')::text) FROM t
SELECT CASE WHEN a THEN {f}('a') END FROM t
SELECT tags[{f}('a')] FROM t
SELECT ARRAY[{f}('a')], ROW({f}('a')), -{f}('a')
SELECT (SELECT {f}('a'))
SELECT * FROM (SELECT {f}('a')) AS virtual_table
WITH a AS MATERIALIZED (SELECT {f}('a')) SELECT * FROM t
VALUES ({f}('a'))
SELECT 1 UNION SELECT {f}('a')
SELECT 1; SELECT {f}('a')
SELECT $$'$$, {f}('a'), $$'$$
SELECT E'\'', {f}('a'), '''', {f}('\')
SELECT 1 /* /* */ ' */, {f}('a') /* ' */
SELECT 1 --'\n , {f}('a') --'
SELECT 1 #--\n 2, {f}('a')
SELECT a$b$, {f}('a') AS c$b$
""".strip().splitlines()

RELATIONS = r"""
SELECT * FROM pg_roles
SELECT * FROM pg_catalog.pg_class
SELECT * FROM "pg_catalog"."pg_class"
SELECT * FROM PG_STAT_ACTIVITY
SELECT * FROM analytics.pg_catalog.pg_class
SELECT * FROM information_schema.tables
SELECT * FROM Information_Schema."columns"
SELECT * FROM pg_toast.pg_toast_1255
SELECT a FROM t WHERE a IN (SELECT rolname FROM pg_authid)
SELECT * FROM t, pg_stats
SELECT * FROM t JOIN (u CROSS JOIN pg_locks) ON true
SELECT * FROM ONLY pg_class
WITH a AS (SELECT * FROM pg_database) SELECT * FROM a
SELECT (SELECT datname FROM pg_database LIMIT 1)
SELECT 16384::regrole
SELECT CAST(16384 AS regclass)
SELECT regrole '10'
SELECT "regnamespace"('a')
SELECT tableoid::pg_catalog.regclass FROM orders
""".strip().splitlines()

#: What sqlglot reads in another way than PostgreSQL, or PostgreSQL in another way than a reader expects.
STRANGE = {
    "a name's escapes written as Unicode": 'SELECT U&"set\\005fconfig"(1)',
    "strings that PostgreSQL joins, with the first one's escapes": "SELECT E'a'\n'\\', set_config('a', 'b', false) --'",
    "bit strings without an escape": "SELECT b'0''1'",
    "a string that does not end": "SELECT 'a",
    "a string that ends with an escape": "SELECT E'\\'",
    "a name that does not end": 'SELECT "a',
    "a dollar-quoted string that does not end": "SELECT $a$ $b$",
    "a comment that does not end": "SELECT 1 /* /* */",
    "a comment that has ended": "SELECT 1 */",
    "a command of psql": "SELECT 1 \\gexec",
    "a parameter": "SELECT $1",
    "a character that ends the driver's text": "SELECT 1 --\0\n",
    "a number that runs into a name": "SELECT 1a",
    "a number that runs into dots": "SELECT 1..2",
    "a letter of a name that looks like a space": "SELECT\u00a01",
    "a letter of a name that capitals make a keyword": "\u017felect 1",
    "braces": "SELECT {{ a }}",
    "a call that does not end": "SELECT f(",
    "parentheses that do not match": "SELECT (1",
    "two queries without a semicolon": "SELECT 1 SELECT 2 SELECT 3",
}


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_runs(sql):
    check(sql)


def test_a_query_of_many_lines_runs():
    check("-- Sales\n\nSELECT region, -- where\r\n  sum(amount)\tAS total\nFROM orders\nGROUP BY 1\n;\n-- end")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_no_query_is_refused(statement, spelling):
    with pytest.raises(SqlRefused):
        check(SPELLINGS[spelling].format(statement, lower=statement.lower()))


@pytest.mark.parametrize("position", POSITIONS)
def test_a_function_that_does_more_than_compute_is_refused_wherever_it_stands(position):
    for function in FUNCTIONS:
        sql = position.replace(r"\n", "\n").replace("{f}", function).replace("{F}", function.upper())
        with pytest.raises(SqlRefused, match=f"^{function} is not allowed here: it "):
            check(sql)


@pytest.mark.parametrize("sql", RELATIONS)
def test_what_tells_of_others_is_refused(sql):
    with pytest.raises(SqlRefused, match="not allowed here: it"):
        check(sql)


@pytest.mark.parametrize("what", STRANGE)
def test_what_may_be_read_in_two_ways_is_refused(what):
    with pytest.raises(SqlRefused):
        check(STRANGE[what])


@pytest.mark.parametrize("sql", ["", "  ", ";", ";;\n;", "-- only a comment", "/* only a comment */", "()", "(", ")"])
def test_no_query_at_all_is_refused(sql):
    with pytest.raises(SqlRefused):
        check(sql)


class TestExplain:
    @pytest.mark.parametrize(
        "sql",
        [
            "EXPLAIN SELECT 1",
            "explain verbose select * from orders",
            "EXPLAIN (COSTS off, FORMAT JSON, VERBOSE) WITH a AS (SELECT 1) SELECT * FROM a",
            "EXPLAIN (SELECT 1) UNION (SELECT 2)",
            "EXPLAIN ((SELECT 1))",
            "SHOW search_path",
            "SHOW ALL",
            "SHOW TRANSACTION ISOLATION LEVEL",
            "show app.current_tenant",
        ],
    )
    def test_runs_for_whoever_may(self, sql):
        check(sql, explain_allowed=lambda: True)
        with pytest.raises(SqlRefused):
            check(sql)

    @pytest.mark.parametrize(
        "sql",
        [
            "EXPLAIN",
            "EXPLAIN ()",
            "EXPLAIN (VERBOSE)",
            "EXPLAIN (VERBOSE",
            "EXPLAIN ANALYZE SELECT 1",
            "EXPLAIN ANALYSE VERBOSE SELECT 1",
            "EXPLAIN (ANALYZE) SELECT 1",
            "EXPLAIN (VERBOSE, ANALYSE true) SELECT 1",
            'EXPLAIN ("analyze") SELECT 1',
            "EXPLAIN EXPLAIN SELECT 1",
            "EXPLAIN DELETE FROM orders",
            "EXPLAIN VERBOSE EXECUTE p",
            "EXPLAIN (VERBOSE) CREATE TABLE a AS SELECT 1",
            "EXPLAIN SELECT set_config('a', 'b', false)",
            "EXPLAIN SELECT * FROM pg_roles",
            "EXPLAIN SHOW search_path",
            "SHOW search_path; SET a = 1",
            "SHOW (SELECT 1)",
            "SET a = 1",
        ],
    )
    def test_is_for_queries_only(self, sql):
        with pytest.raises(SqlRefused):
            check(sql, explain_allowed=lambda: True)


class TestMessages:
    @pytest.mark.parametrize(
        ("sql", "message"),
        [
            (
                "set search_path = x",
                "SET is not allowed: only queries run here (SELECT, WITH, VALUES or TABLE). Ask your administrator if you need it.",
            ),
            (
                "SELECT PG_SLEEP(1)",
                "pg_sleep is not allowed here: it works on the server, its locks, transactions or other sessions "
                "(line 1, column 8). Only functions that compute are allowed; ask your administrator if you need it.",
            ),
            (
                "SELECT FROM WHERE GROUP",
                'This SQL could not be understood: syntax error at or near "WHERE" (line 1, column 13). '
                "Please check what stands there.",
            ),
            (
                "SELECT 1\nFROM t, pg_roles",
                "pg_roles is not allowed here: it tells about the server and about others (line 2, column 9). "
                "Only tables of your own data are allowed; ask your administrator if you need it.",
            ),
            (
                "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
                "DELETE is not allowed: only queries run here (SELECT, WITH, VALUES or TABLE). "
                "Ask your administrator if you need it.",
            ),
            (
                "SELECT '{{ a }}', {{ b }}",
                'This SQL could not be understood: syntax error at or near "{" (line 1, column 19). '
                "Please check what stands there. Jinja templates are not allowed here.",
            ),
        ],
    )
    def test_says_what_and_what_else(self, sql, message):
        with pytest.raises(SqlRefused) as refusal:
            check(sql)
        assert str(refusal.value) == message

    def test_is_short_whatever_was_typed(self):
        for sql in (
            "a" * 90_000,
            "SELECT \\" + "a" * 90_000,
            "SELECT pg_" + "a" * 90_000 + "()",
            "SELECT $" + "a" * 90_000 + "$",
        ):
            with pytest.raises(SqlRefused) as refusal:
                check(sql)
            assert len(str(refusal.value)) < 300


class TestBounds:
    def test_length(self):
        check("SELECT 1" + " " * (MAX_BYTES - 8))
        with pytest.raises(SqlRefused, match="1,000,001 bytes; up to 1,000,000"):
            check("SELECT 1" + " " * (MAX_BYTES - 7))

    def test_number_of_parts(self):
        with pytest.raises(SqlRefused, match="too many parts"):
            check("SELECT 1" + ",1" * 400_000)

    @pytest.mark.parametrize(
        "opening",
        ["(", "[", "f(", "ARRAY[", "- ", "NOT ", "CASE WHEN ", "(SELECT ", "a IN (", "/*", "DATE (", "struct(", "a[", "x."],
    )
    @pytest.mark.parametrize("depth", [25, 10_000])
    def test_what_does_not_end_is_refused_whatever_its_depth(self, opening, depth):
        with pytest.raises(SqlRefused):
            check("SELECT " + opening * depth)

    @pytest.mark.parametrize(("opening", "closing"), [("ARRAY[", "]"), ("abs(", ")"), ("(SELECT ", ")"), ("CASE WHEN ", " END")])
    def test_depth_is_refused_in_order(self, opening, closing):
        with pytest.raises(SqlRefused, match="nested too deeply|syntax error"):
            check("SELECT " + opening * 2_000 + "1" + closing * 2_000)

    def test_forty_levels_run(self):
        for opening, closing in (("ARRAY[", "]"), ("abs(", ")"), ("(", ")"), ("(SELECT ", ")")):
            check("SELECT " + opening * 40 + "1" + closing * 40)

    def test_long_chains_run(self):
        check("SELECT " + " || ".join(["a"] * 200))
        check(" UNION ALL ".join(["SELECT 1"] * 200))
        check("SELECT 1 WHERE " + " AND ".join(["a = 1"] * 5_000))

    def test_ten_thousand_values_run(self):
        check(
            "SELECT a FROM t WHERE a IN ("
            + ", ".join(f"'a value of forty characters, number {n:5}'" for n in range(10_000))
            + ")"
        )


HARMLESS = {
    *("array_sample", "array_shuffle", "clock_timestamp", "current_query"),
    *("gen_random_uuid", "random", "random_normal", "timeofday"),
}

#: What may hide a statement or a function from a reader, or be mistaken for its end.
COVERS = [
    *("1", "'a'", "''''", "'\\'", "E'\\''", "E'\\\\'", "e'''\\''", "'--'", "'/*'", "b'1'", "x'F'", "n'a'"),
    *("$$'$$", "$a$ $$ ' $a$", "$$--$$", "'a' LIKE 'a' ESCAPE '\\'", "interval'1'day"),
    *('1 AS "a""b"', '1 AS "\'"', '1 AS "--"', "1 AS a$b", "1 AS a$$b$$", "1 AS e"),
    *("1 AS \u00e4$a$", "1 AS \u017fet", "1 AS a\u00a0"),
    *("1 --'\n", "1 --\r", "1--'\r\n", "1 /*'*/", "1 /*/**/'*/", "1 /*/*/*/'*/*/*/", "1 /***/"),
    *("1*/*'*/1", "1 +--'\n1", "1#--'\n1", "1 -/*-*/1", "1=-1", "@-1", "|/4"),
    *("1e5", ".5", "1.", "1::text", "ARRAY[1][1]", "(ARRAY[1,2])[1:2]"),
]
PAYLOADS = [
    *("; SET a.b = 'c'", "; SELECT set_config('a.b', 'c', false)", ", set_config('a.b', 'c', false)", "; COMMIT"),
    *("; TABLE pg_roles", ", (2::bigint).pg_try_advisory_xact_lock", " FROM pg_roles", " INTO TEMP a"),
    *(" FROM analytics.orders FOR UPDATE", "; CREATE TEMP TABLE a (b int)", "; SET a.b = 'c' -- '", "; SET a.b = 'c' /* '*/"),
]
HARMLESS_PAYLOADS = ["", " -- ; SET a.b = 'c'", " /* ; SET a.b = 'c' */"]


@pytest.fixture(scope="module")
def what_runs(servers):
    """What PostgreSQL makes of a text: numbers of commands (1 is SELECT), called functions and system relations."""
    connection = psycopg2.connect(**servers.superuser)
    cursor = connection.cursor()
    cursor.execute("SELECT oid FROM pg_proc WHERE proname IN ('set_config', 'pg_try_advisory_xact_lock')")
    dangerous = {oid for (oid,) in cursor}

    def run(sql):
        connection.rollback()
        cursor.execute("SET TRANSACTION READ ONLY; SET LOCAL client_min_messages = log; SET LOCAL debug_print_parse = on")
        connection.notices.clear()
        with suppress(psycopg2.Error):
            cursor.execute(sql)
        trees = re.sub(r"\s+", " ", " ".join(notice for notice in connection.notices if "parse tree:" in notice))

        def numbers(field):
            return {int(number) for number in re.findall(rf":{field} (\d+)", trees)}

        commands = numbers("commandType") | ({"locks"} if ":rowMarks (" in trees else set())
        return commands, numbers("funcid") & dangerous, {oid for oid in numbers("relid") if 0 < oid < 16_384}

    yield run
    connection.close()


class TestAgainstPostgres:
    def test_what_is_let_through_is_a_query_to_the_server_as_well(self, what_runs):
        ran = 0
        for cover, payload in product(COVERS, PAYLOADS + HARMLESS_PAYLOADS):
            for sql in (f"SELECT {cover}{payload}", f"SELECT 1{payload}, {cover}", f"SELECT {cover}{payload}{cover}"):
                try:
                    check(sql)
                except SqlRefused:
                    continue
                commands, functions, relations = what_runs(sql)
                assert commands <= {1} and not functions and not relations, sql
                ran += bool(commands)
        assert ran > len(COVERS)

    @pytest.mark.parametrize("payload", PAYLOADS)
    def test_the_server_would_tell(self, what_runs, payload):
        commands, functions, relations = what_runs("SELECT 1" + payload)
        assert not commands <= {1} or functions or relations

    def test_every_volatile_function_is_refused_or_known_to_be_harmless(self, servers):
        volatile = servers.as_superuser(
            """
            SELECT DISTINCT proname FROM pg_proc
            WHERE provolatile = 'v' AND prokind = 'f' AND pronamespace = 'pg_catalog'::regnamespace
              AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
              AND NOT 'internal'::regtype = ANY (proargtypes)
            """
        )
        let_through = set()
        for (name,) in volatile:
            try:
                check(f"SELECT {name}()")
                let_through.add(name)
            except SqlRefused:
                pass
        assert len(volatile) > 150 and let_through == HARMLESS
