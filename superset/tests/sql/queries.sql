-- basics
SELECT 1
SELECT * FROM orders
SELECT customer, amount FROM corpus.orders WHERE amount > 100 ORDER BY amount DESC LIMIT 10
SELECT count(*) FROM orders;
SELECT o.* FROM orders AS o
SELECT DISTINCT region FROM orders
SELECT DISTINCT ON (region) region, id FROM orders ORDER BY region, ordered_at DESC NULLS LAST
SELECT ALL region FROM orders
SELECT FROM orders
SELECT * FROM orders ORDER BY amount USING <, id
SELECT * FROM orders ORDER BY 1 OFFSET 5 ROWS FETCH FIRST 5 ROWS ONLY
SELECT * FROM orders ORDER BY region FETCH FIRST 3 ROWS WITH TIES
SELECT * FROM orders LIMIT ALL
SELECT * FROM orders LIMIT (SELECT 5)
SELECT * FROM ONLY orders
SELECT * FROM orders *
TABLE orders
TABLE orders LIMIT 3
VALUES (1, 'a'), (2, 'b')
VALUES (1), (2) ORDER BY 1 DESC LIMIT 1
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (id, name)
(SELECT 1)
((SELECT 1) UNION (SELECT 2)) ORDER BY 1
SELECT 1; SELECT 2
/* before */ SELECT /* in /* nested */ side */ 1 -- after
SELECT current_date, current_time, current_timestamp, localtime, localtimestamp, current_user, session_user, current_schema
SELECT version(), current_database()
-- names
SELECT "Größe", "update" FROM orders
SELECT sum(update), max("update") FROM orders
SELECT l.pg_rating, l.nextval, l.lo_revenue FROM lines l
SELECT lines.nextval FROM lines
SELECT corpus.lines.pg_rating FROM corpus.lines
WITH pg_sales AS (SELECT 1 AS n) SELECT pg_sales.n FROM pg_sales
WITH nextval AS (SELECT 1 AS set_config) SELECT nextval.set_config FROM nextval
SELECT 1 AS "select", 2 AS into_, 3 AS "a ""quoted"" name"
SELECT größe FROM (SELECT 1 AS größe) AS straße
SELECT U&"d\0061ta" FROM (SELECT 1 AS data) d
SELECT U&'d\0061t\+000061', U&'d!0061ta' UESCAPE '!'
SELECT 数 FROM (SELECT 1 AS 数) t
SELECT year, month, day, name, type, level, position, text, value, key FROM (VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)) t (year, month, day, name, type, level, position, text, value, key)
SELECT t."a.b", t."c d" FROM (SELECT 1 AS "a.b", 2 AS "c d") t
SELECT u.pg_rating FROM unnest(ARRAY[1, 2]) AS u (pg_rating)
-- literals
SELECT 1, 1.5, .5, 1e5, 1.5e-3, -1, +1, 0x1F, 0b11, 0o17, 1_000_000
SELECT 'it''s', E'tab\there', E'it\'s', $$a 'quoted' ; text$$, $tag$ $$ $tag$, N'national'
SELECT b'101', x'1F', true, false, NULL
SELECT date '2026-01-01', timestamp '2026-01-01 10:00', interval '1 day', time '10:00', interval '1-2' year to month
SELECT 'SELECT 1; DROP TABLE x', '; COMMIT; --'
SELECT '{{ 1 + 1 }}', '{% raw %}', '-- no comment', '/* none */'
SELECT ARRAY[1, 2], ARRAY[[1, 2], [3, 4]], '{1,2}'::int[], ROW(1, 'a'), (1, 'a')
SELECT float8 'NaN', numeric 'Infinity', 'infinity'::timestamp
-- casts
SELECT CAST(amount AS int), amount::text, amount::double precision, '5'::text::int FROM orders
SELECT CAST('1' AS numeric(10, 2)), 'a'::varchar(10), 'a'::char(3), 'a'::"char", 'x'::name
SELECT ordered_at::date, ordered_at::time, ordered_at::timestamp(3), due::timestamptz FROM orders
SELECT '{"a": 1}'::json, '{"a": 1}'::jsonb, '$.a'::jsonpath, '1.2.3.4'::inet, '10.0.0.0/8'::cidr
SELECT 'new'::status, 5::positive, '(s,c)'::address, '{new,paid}'::status[], 'paid'::corpus.status
SELECT int4(1.5), text(true), float8(1), date('2026-01-01')
SELECT '1010'::bit(4), '101'::bit varying(5), '\xDEADBEEF'::bytea, '12.34'::money
SELECT 'english'::regconfig, 'simple'::regdictionary
SELECT amount::numeric(10, 1)::text || '€' FROM orders
SELECT 1::bool, 'yes'::bool, 'on'::boolean
-- conditions
SELECT CASE WHEN amount > 100 THEN 'big' WHEN amount IS NULL THEN NULL ELSE 'small' END FROM orders
SELECT CASE region WHEN 'north' THEN 1 WHEN 'south' THEN 2 END FROM orders
SELECT COALESCE(note, customer, 'none'), NULLIF(amount, 0), GREATEST(1, 2, NULL), LEAST(amount, 5) FROM orders
SELECT * FROM orders WHERE region IN ('north', 'south') AND status NOT IN ('new')
SELECT * FROM orders WHERE amount BETWEEN 10 AND 20 OR amount NOT BETWEEN SYMMETRIC 30 AND 20
SELECT * FROM orders WHERE note IS NULL OR note IS NOT NULL OR note ISNULL OR note NOTNULL
SELECT * FROM orders WHERE active IS TRUE OR active IS NOT FALSE OR active IS UNKNOWN
SELECT * FROM orders WHERE region IS DISTINCT FROM 'north' AND region IS NOT DISTINCT FROM 'south'
SELECT * FROM orders WHERE (region, status) = ('north', 'paid') AND (amount, id) > (10, 1)
SELECT * FROM orders WHERE (region, amount) IN (SELECT region, max(amount) FROM orders GROUP BY region)
SELECT * FROM orders WHERE amount = ANY (ARRAY[10, 20]) OR amount <> ALL ('{1,2}') OR amount > SOME (SELECT price FROM lines)
SELECT * FROM orders WHERE NOT (amount > 10 AND region = 'north') OR active
SELECT (due, due + 5) OVERLAPS (date '2026-01-05', interval '1 month') FROM orders
SELECT ROW(1, NULL) IS NULL, ROW(1, 2) IS NOT NULL, ROW(1, 2) < ROW(1, 3)
SELECT num_nulls(note, region), num_nonnulls(note) FROM orders
-- strings
SELECT upper(customer), lower(region), initcap(region), length(note), char_length(note), octet_length(note), bit_length(note) FROM orders
SELECT substring(note FROM 1 FOR 2), substring(note, 2), substring(note FROM 'n(.)'), substring(note SIMILAR '#"n#"%' ESCAPE '#') FROM orders
SELECT trim(BOTH ' ' FROM note), trim(LEADING 'n' FROM note), ltrim(note), rtrim(note, 'e'), btrim(note) FROM orders
SELECT overlay(note PLACING 'x' FROM 1 FOR 1), position('o' IN note), strpos(note, 'o'), left(note, 2), right(note, -1) FROM orders
SELECT customer || ':' || region, concat(customer, 1, NULL), concat_ws(', ', customer, region), format('%s is %I %L', 1, 'a b', 'c') FROM orders
SELECT split_part('a,b,c', ',', 2), string_to_array('a,b', ','), array_to_string(tags, ';'), string_to_table('a,b', ',') FROM orders
SELECT lpad('5', 3, '0'), rpad('5', 3), repeat('ab', 3), reverse('abc'), replace('abc', 'b', 'x'), translate('abc', 'ab', 'xy')
SELECT ascii('a'), chr(97), md5('a'), sha256('a'), encode('a', 'base64'), decode('YQ==', 'base64'), to_hex(255), to_bin(5)
SELECT quote_ident('a b'), quote_literal('it''s'), quote_nullable(NULL), starts_with('abc', 'a'), 'abc' ^@ 'a'
SELECT normalize('é', NFC), 'é' IS NORMALIZED, 'é' IS NFC NORMALIZED, unistr('d\0061ta'), unaccent('é')
SELECT string_agg(customer, ', ' ORDER BY customer DESC), string_agg(DISTINCT region, '/') FROM orders
SELECT customer COLLATE "C" FROM orders ORDER BY customer COLLATE "C", region
SELECT collation for ('a'::text), pg_typeof(1), pg_column_size('a'), pg_size_pretty(1024::bigint)
SELECT similarity('abc', 'abd'), 'abc' % 'abd', word_similarity('a', 'ab'), 'abc' <-> 'abd'
SELECT convert_from('\x61', 'UTF8'), convert_to('a', 'UTF8'), parse_ident('a.b')
SELECT 'a' < 'b', 'a' ~>=~ 'b', 'a' LIKE 'b'
-- patterns
SELECT * FROM orders WHERE region LIKE 'n%' AND region NOT LIKE '%x_' AND region ILIKE 'N%'
SELECT * FROM orders WHERE note LIKE '50!%' ESCAPE '!' OR note LIKE ANY (ARRAY['a%', 'b%'])
SELECT * FROM orders WHERE region SIMILAR TO '(north|south)%'
SELECT * FROM orders WHERE note ~ '^n.*e$' AND note ~* 'N' AND note !~ '\d+' AND note !~* 'x'
SELECT regexp_replace(note, '\s+', ' ', 'g'), regexp_match(note, '(n)(o)'), regexp_matches(note, 'o', 'g') FROM orders
SELECT regexp_split_to_array('a b', '\s'), regexp_split_to_table('a b', ' '), regexp_count('aaa', 'a'), regexp_instr('abc', 'c'), regexp_substr('abc', 'b.'), regexp_like('a', 'A', 'i')
SELECT (regexp_match(note, '(n)(o)'))[1] FROM orders
SELECT note ~~ 'n%', note ~~* 'N%', note !~~ 'x' FROM orders
-- numbers
SELECT abs(-1), ceil(1.2), floor(1.8), round(1.55, 1), trunc(1.59, 1), sign(-3), mod(7, 3), 7 % 3, div(7, 2), sqrt(4), cbrt(8), power(2, 3), 2 ^ 3
SELECT exp(1), ln(2), log(100), log(2, 8), pi(), sin(1), cos(1), tan(1), atan2(1, 2), degrees(1), radians(180), sind(30)
SELECT width_bucket(amount, 0, 300, 10), random(), random(1, 10), gcd(12, 8), lcm(4, 6), factorial(5), scale(1.50), min_scale(1.50), trim_scale(1.50) FROM orders
SELECT 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 16 >> 2, |/ 25, ||/ 27, @ -5, - -5
SELECT amount * 100.0 / sum(amount) OVER () FROM orders
SELECT to_number('1,234.5', '9G999D9'), to_char(1234.5, '9,999.99'), to_char(amount, 'FM999') FROM orders
SELECT 1 = 1, 1 <> 2, 1 != 2, 1 < 2, 1 <= 2, 1 >= 2, 1 OPERATOR(pg_catalog.+) 2
SELECT bit_count(b'101'), get_bit(b'01', 0), set_bit(b'01', 1, 1), erf(0.5)
-- dates
SELECT now(), clock_timestamp(), statement_timestamp(), transaction_timestamp(), timeofday()
SELECT date_trunc('month', ordered_at), date_trunc('day', ordered_at, 'Europe/Berlin'), date_bin('15 minutes', ordered_at, timestamptz '2026-01-01') FROM orders
SELECT extract(year FROM ordered_at), extract(epoch FROM ordered_at), extract(dow FROM due), date_part('week', due), extract(isodow FROM due), extract(quarter FROM due) FROM orders
SELECT ordered_at AT TIME ZONE 'UTC', ordered_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo', ordered_at AT LOCAL FROM orders
SELECT now() - interval '7 days', due + 1, due - date '2026-01-01', due + interval '1 month' * 2, age(now(), ordered_at), age(due) FROM orders
SELECT make_date(2026, 1, 1), make_time(10, 0, 0), make_timestamp(2026, 1, 1, 0, 0, 0), make_timestamptz(2026, 1, 1, 0, 0, 0, 'UTC'), make_interval(days => 3), make_interval(hours := 2)
SELECT to_char(ordered_at, 'YYYY-MM-DD HH24:MI'), to_date('2026-01-01', 'YYYY-MM-DD'), to_timestamp('2026', 'YYYY'), to_timestamp(0) FROM orders
SELECT justify_days(interval '40 days'), justify_hours(interval '30 hours'), justify_interval(interval '1 mon -1 hour'), isfinite(due) FROM orders
SELECT d::date FROM generate_series(timestamp '2026-01-01', '2026-01-31', '1 day') AS d
SELECT generate_series(date '2026-01-01', date '2026-02-01', interval '1 week')
SELECT interval '1 day' > interval '23 hours', interval '1' day, interval '3' hour, interval '1 12:59' day to minute
SELECT timezone('UTC', now()), timestamptz '2026-01-01 00:00+02', time with time zone '10:00+01', date_add(now(), '1 day'), date_subtract(now(), '1 day', 'UTC')
SELECT date_trunc('quarter', due) + interval '3 months - 1 day' FROM orders
SELECT extract(century FROM due), extract(decade FROM due), extract(julian FROM due), extract(day FROM ordered_at - timestamptz '2026-01-01') FROM orders
-- aggregates
SELECT count(*), count(note), count(DISTINCT region), sum(amount), avg(amount), min(due), max(due) FROM orders
SELECT region, sum(amount) FROM orders GROUP BY region HAVING sum(amount) > 10 ORDER BY 2 DESC
SELECT region, sum(amount) FILTER (WHERE active), count(*) FILTER (WHERE status = 'paid') FROM orders GROUP BY region
SELECT array_agg(id ORDER BY id DESC), array_agg(DISTINCT region), json_agg(o), jsonb_agg(region), jsonb_object_agg(id, region) FROM orders o
SELECT bool_and(active), bool_or(active), every(active), bit_and(id), bit_or(id), bit_xor(id), any_value(region) FROM orders
SELECT stddev(amount), stddev_pop(amount), stddev_samp(amount), variance(amount), var_pop(amount), var_samp(amount) FROM orders
SELECT corr(id, amount), covar_pop(id, amount), covar_samp(id, amount), regr_slope(id, amount), regr_intercept(id, amount), regr_r2(id, amount), regr_count(id, amount) FROM orders
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), percentile_disc(0.9) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY region) FROM orders
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY amount::float8) FROM orders
SELECT rank(15) WITHIN GROUP (ORDER BY amount), dense_rank(15) WITHIN GROUP (ORDER BY amount), percent_rank(15) WITHIN GROUP (ORDER BY amount), cume_dist(15) WITHIN GROUP (ORDER BY amount) FROM orders
SELECT region, status, sum(amount) FROM orders GROUP BY GROUPING SETS ((region, status), (region), ())
SELECT region, status, sum(amount), grouping(region, status) FROM orders GROUP BY ROLLUP (region, status)
SELECT region, status, count(*) FROM orders GROUP BY CUBE (region, status)
SELECT region, status, active FROM orders GROUP BY region, ROLLUP (status, active), GROUPING SETS ((), (region))
SELECT region FROM orders GROUP BY DISTINCT ROLLUP (region, status), ROLLUP (region)
SELECT count(*) FROM orders GROUP BY ()
SELECT date_trunc('month', ordered_at) AS m, count(*) FROM orders GROUP BY m ORDER BY m
SELECT range_agg(span), range_intersect_agg(span), xmlagg(doc ORDER BY at) FROM events
SELECT json_object_agg(kind, 1), json_objectagg(kind: 1 WITH UNIQUE KEYS RETURNING jsonb), json_arrayagg(kind ORDER BY at ABSENT ON NULL) FROM (SELECT 'k' AS kind, 1 AS at) e
SELECT count(*) FROM orders HAVING count(*) > 1
SELECT sum(DISTINCT amount), avg(ALL amount), max(amount) - min(amount) FROM orders
-- windows
SELECT region, rank() OVER (PARTITION BY region ORDER BY amount DESC) FROM orders
SELECT row_number() OVER (), dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, ntile(4) OVER w FROM orders WINDOW w AS (ORDER BY amount)
SELECT lag(amount) OVER w, lag(amount, 2, 0) OVER w, lead(amount, 1) OVER w FROM orders WINDOW w AS (PARTITION BY region ORDER BY ordered_at)
SELECT first_value(amount) OVER w, last_value(amount) OVER w, nth_value(amount, 2) OVER w FROM orders WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM orders
SELECT avg(amount) OVER (ORDER BY ordered_at RANGE BETWEEN interval '7 days' PRECEDING AND interval '1 day' FOLLOWING) FROM orders
SELECT sum(amount) OVER (ORDER BY region GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM orders
SELECT sum(amount) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING EXCLUDE TIES) FROM orders
SELECT sum(amount) OVER w1, count(*) OVER w2 FROM orders WINDOW w1 AS (PARTITION BY region), w2 AS (w1 ORDER BY id)
SELECT sum(amount) FILTER (WHERE active) OVER (PARTITION BY region) FROM orders
SELECT sum(sum(amount)) OVER (ORDER BY region) FROM orders GROUP BY region
SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY region ORDER BY amount DESC) AS n FROM orders) t WHERE n <= 3
SELECT amount - lag(amount) OVER (ORDER BY ordered_at) AS change FROM orders
SELECT ratio FROM (SELECT amount / NULLIF(sum(amount) OVER (PARTITION BY region), 0) AS ratio FROM orders) t
-- joins
SELECT * FROM orders o JOIN lines l ON l.order_id = o.id
SELECT * FROM orders o LEFT JOIN lines l ON l.order_id = o.id AND l.price > 5 WHERE l.order_id IS NULL
SELECT * FROM orders o RIGHT OUTER JOIN lines l ON l.order_id = o.id
SELECT * FROM orders o FULL JOIN lines l ON l.order_id = o.id
SELECT * FROM orders CROSS JOIN staff
SELECT * FROM staff a JOIN staff b USING (id)
SELECT * FROM staff a JOIN staff b USING (id) AS j
SELECT * FROM staff a NATURAL JOIN staff b
SELECT * FROM staff a, staff b WHERE a.boss = b.id
SELECT a.name, b.name FROM staff a LEFT JOIN staff b ON b.id = a.boss
SELECT * FROM (staff a JOIN staff b ON a.id = b.boss) JOIN staff c ON c.id = b.id
SELECT o.id, l.n FROM orders o, LATERAL (SELECT count(*) AS n FROM lines WHERE lines.order_id = o.id) l
SELECT o.id, t FROM orders o CROSS JOIN LATERAL unnest(o.tags) AS t
SELECT o.id, l.product FROM orders o LEFT JOIN LATERAL (SELECT product FROM lines WHERE order_id = o.id ORDER BY price LIMIT 1) l ON true
SELECT * FROM orders TABLESAMPLE SYSTEM (50)
SELECT * FROM orders TABLESAMPLE BERNOULLI (50) REPEATABLE (1)
SELECT j.id FROM (orders o JOIN lines l ON l.order_id = o.id) AS j
-- subqueries
SELECT (SELECT max(amount) FROM orders), ARRAY(SELECT id FROM orders ORDER BY id)
SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id)
SELECT * FROM orders WHERE NOT EXISTS (SELECT FROM lines WHERE order_id = orders.id AND price > 100)
SELECT * FROM orders WHERE id IN (SELECT order_id FROM lines) AND id NOT IN (SELECT boss FROM staff WHERE boss IS NOT NULL)
SELECT * FROM orders o WHERE amount > (SELECT avg(amount) FROM orders WHERE region = o.region)
SELECT * FROM (SELECT region, sum(amount) AS total FROM orders GROUP BY region) AS t WHERE total > 10
SELECT * FROM (SELECT * FROM (SELECT * FROM orders) a) b
SELECT * FROM (SELECT 1) AS t (n)
SELECT (SELECT row(1, 2)) = ROW(1, 2), (SELECT o FROM orders o LIMIT 1)
SELECT amount >= ALL (SELECT price FROM lines) FROM orders
SELECT x FROM (SELECT 1 UNION SELECT 2) t (x)
-- sets
SELECT region FROM orders UNION SELECT product FROM lines
SELECT id FROM orders UNION ALL SELECT order_id FROM lines ORDER BY 1 LIMIT 5
SELECT id FROM orders INTERSECT SELECT boss FROM staff
SELECT id FROM orders EXCEPT ALL SELECT boss FROM staff
(SELECT id FROM orders ORDER BY id LIMIT 3) UNION (SELECT id FROM staff LIMIT 3)
SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 EXCEPT SELECT 3
TABLE staff UNION ALL TABLE staff
VALUES (1) UNION VALUES (2)
SELECT 1 UNION DISTINCT SELECT 1
-- with
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT 2 AS y) SELECT * FROM a, b
WITH a (n) AS (VALUES (1), (2)) SELECT sum(n) FROM a
WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n) FROM t
WITH RECURSIVE tree AS (SELECT id, boss, name, 1 AS depth FROM staff WHERE boss IS NULL UNION ALL SELECT s.id, s.boss, s.name, depth + 1 FROM staff s JOIN tree ON s.boss = tree.id) SELECT * FROM tree
WITH RECURSIVE tree (id, boss) AS (SELECT id, boss FROM staff WHERE boss IS NULL UNION ALL SELECT s.id, s.boss FROM staff s JOIN tree ON s.boss = tree.id) SEARCH DEPTH FIRST BY id SET path SELECT * FROM tree ORDER BY path
WITH RECURSIVE tree (id, boss) AS (SELECT id, boss FROM staff WHERE boss IS NULL UNION ALL SELECT s.id, s.boss FROM staff s JOIN tree ON s.boss = tree.id) SEARCH BREADTH FIRST BY id SET o SELECT * FROM tree ORDER BY o
WITH RECURSIVE tree (id, boss) AS (SELECT id, boss FROM staff UNION ALL SELECT s.id, s.boss FROM staff s JOIN tree ON s.boss = tree.id) CYCLE id SET looped USING path SELECT * FROM tree
WITH RECURSIVE tree (id, boss) AS (SELECT id, boss FROM staff UNION ALL SELECT s.id, s.boss FROM staff s JOIN tree ON s.boss = tree.id) CYCLE id SET looped TO 'y' DEFAULT 'n' USING path SELECT id FROM tree
SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a) t
WITH a AS (WITH b AS (SELECT 1 AS x) SELECT * FROM b) SELECT * FROM a
WITH a AS (SELECT 1 AS x) SELECT (SELECT x FROM a), EXISTS (SELECT FROM a)
WITH fib AS (SELECT 1) (SELECT * FROM fib) UNION ALL (SELECT 2)
WITH a AS (TABLE staff) SELECT count(*) FROM a
-- json
SELECT payload -> 'a' ->> 'b', payload #> '{a,b}', payload #>> '{a,b}', raw -> 'a' FROM events
SELECT payload @> '{"a": {"b": 1}}', '{"a": 1}' <@ payload, payload ? 'a', payload ?| ARRAY['a'], payload ?& ARRAY['a', 'items'] FROM events
SELECT payload['a']['b'], payload['items'][0]['price'] FROM events
SELECT payload || '{"c": 1}', payload - 'a', payload - ARRAY['a'], payload #- '{a,b}' FROM events
SELECT payload @? '$.items[*] ? (@.price > 2)', payload @@ '$.a.b == 1' FROM events
SELECT jsonb_path_query(payload, '$.items[*].price'), jsonb_path_query_array(payload, '$.items[*]'), jsonb_path_exists(payload, '$.a') FROM events
SELECT jsonb_path_query_first(payload, '$.items[*] ? (@.price > $x)', '{"x": 2}'), jsonb_path_match(payload, '$.a.b == 1') FROM events
SELECT e.key, e.value FROM events, jsonb_each(payload) AS e
SELECT key, value FROM events, jsonb_each_text(payload)
SELECT x.price FROM events, jsonb_to_recordset(payload -> 'items') AS x (price int)
SELECT item ->> 'price' FROM events, jsonb_array_elements(payload -> 'items') AS item
SELECT * FROM json_to_record('{"a": 1, "b": "x"}') AS x (a int, b text)
SELECT jsonb_typeof(payload), jsonb_array_length(payload -> 'items'), jsonb_object_keys(payload), jsonb_pretty(payload), jsonb_strip_nulls(payload) FROM events
SELECT jsonb_set(payload, '{a,b}', '2'), jsonb_insert(payload, '{a,c}', '1'), jsonb_set_lax(payload, '{a}', NULL) FROM events
SELECT to_json(o), to_jsonb(o), row_to_json(o), row_to_json(o, true), array_to_json(tags) FROM orders o
SELECT json_build_object('a', 1, 'b', ARRAY[1]), json_build_array(1, 'a'), jsonb_build_object('x', 1), json_object('{a,1}'), json_object(ARRAY['a'], ARRAY['1'])
SELECT json_object('a': 1, 'b': 2 ABSENT ON NULL), json_array(1, 2 NULL ON NULL), json_array(SELECT id FROM staff)
SELECT payload IS JSON, kind IS JSON OBJECT, '[]' IS JSON ARRAY WITH UNIQUE KEYS, '1' IS NOT JSON SCALAR FROM events
SELECT json_value(payload, '$.a.b' RETURNING int DEFAULT 0 ON EMPTY NULL ON ERROR), json_query(payload, '$.items' WITH WRAPPER), json_exists(payload, '$.a') FROM events
SELECT json_query(payload, '$.a' RETURNING text OMIT QUOTES), json_value(payload, '$.items[$n].price' PASSING 0 AS n) FROM events
SELECT t.* FROM events, JSON_TABLE(payload, '$.items[*]' COLUMNS (n FOR ORDINALITY, price int PATH '$.price', has boolean EXISTS PATH '$.price')) AS t
SELECT t.* FROM events, JSON_TABLE(payload, '$' COLUMNS (b int PATH '$.a.b', NESTED PATH '$.items[*]' COLUMNS (price int PATH '$.price'))) AS t
SELECT json('{"a": 1}'), json_scalar(1), json_serialize('{"a": 1}' RETURNING bytea)
SELECT jsonb_populate_record(NULL::address, '{"city": "x"}'), (jsonb_populate_record(NULL::address, '{"city": "x"}')).city
-- arrays
SELECT tags[1], tags[1:2], tags[:1], tags[2:], tags[array_upper(tags, 1)] FROM orders
SELECT array_length(tags, 1), cardinality(tags), array_ndims(tags), array_dims(tags), array_lower(tags, 1) FROM orders
SELECT tags || 'c'::text, 'c'::text || tags, tags || ARRAY['d'], array_append(tags, 'c'), array_prepend('c', tags), array_cat(tags, tags) FROM orders
SELECT tags @> ARRAY['a'], tags <@ ARRAY['a', 'b'], tags && ARRAY['x'], 'a' = ANY (tags) FROM orders
SELECT array_position(tags, 'b'), array_positions(tags, 'b'), array_remove(tags, 'a'), array_replace(tags, 'a', 'x'), array_fill(0, ARRAY[3]), trim_array(tags, 1) FROM orders
SELECT unnest(tags), generate_subscripts(tags, 1) FROM orders
SELECT x, n FROM orders, unnest(tags) WITH ORDINALITY AS u (x, n)
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS t (a, b)
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS t (a, b, n)
SELECT array_sample(ARRAY[1, 2, 3], 2), array_shuffle(ARRAY[1, 2]), (ARRAY['a', 'b'])[1]
SELECT (ARRAY[[1, 2], [3, 4]])[2][1], ARRAY[1, 2] = ARRAY[1, 2], ARRAY[]::int[]
-- ranges
SELECT span @> at, span && tsrange('2026-01-01', '2026-01-02'), lower(span), upper(span), isempty(span) FROM events
SELECT int4range(1, 5), int4range(1, 5, '[]'), numrange(1, NULL), '[1,5)'::int4range * '[2,3)', '[1,3)'::int4range + '[3,5)'::int4range
SELECT int4range(1, 5) -|- int4range(5, 6), int4range(1, 3) << int4range(4, 5), lower_inc(days), upper_inf(days), range_merge(days, days) FROM events
SELECT spans @> 1, int4multirange(int4range(1, 2)), unnest(spans), multirange(int4range(1, 2)) FROM events
SELECT daterange(date '2026-01-01', date '2026-02-01', '[]'), tstzrange(now(), NULL), upper(days) - lower(days) FROM events
-- full text
SELECT to_tsvector('english', body) @@ to_tsquery('english', 'fox & quick') FROM events
SELECT to_tsvector(body) @@ plainto_tsquery('fox'), phraseto_tsquery('quick fox'), websearch_to_tsquery('"quick fox" -dog') FROM events
SELECT ts_rank(to_tsvector(body), q), ts_rank_cd(to_tsvector(body), q), ts_headline('english', body, q) FROM events, to_tsquery('fox') AS q
SELECT setweight(to_tsvector('a'), 'A') || to_tsvector('b'), strip(to_tsvector('a')), numnode('a & b'::tsquery), querytree('a'::tsquery), tsvector_to_array(to_tsvector('a b'))
SELECT 'fat:1 cat:2'::tsvector, 'a <-> b'::tsquery, 'a'::tsquery && 'b'::tsquery, !! 'a'::tsquery
-- types of their own
SELECT status, status > 'new', enum_first(status), enum_range(NULL::status) FROM orders
SELECT (home).city, (home).*, home = ROW('s', 'c')::address FROM orders
SELECT (o.home).street, o.home IS NULL FROM orders o
SELECT quantity::positive + 1, CAST(5 AS corpus.positive) FROM orders
SELECT ROW(o.*) FROM orders o
SELECT gen_random_uuid(), u::text, u = gen_random_uuid() FROM events
SELECT ip << '10.0.0.0/8', host(ip), network(ip), masklen(ip), family(ip), abbrev(ip), set_masklen(ip, 24), broadcast(ip), netmask(ip), ip + 1 FROM events
SELECT '08:00:2b:01:02:03'::macaddr, '08:00:2b:01:02:03:04:05'::macaddr8, trunc('08:00:2b:01:02:03'::macaddr)
SELECT amount::money, '12'::money / 2, cash_words('1.50'::money) FROM orders
-- geometry
SELECT place <-> point '(0,0)', area @> place, center(area), area && box '((0,0),(2,2))' FROM events
SELECT point(1, 2), circle(point(0, 0), 1), box(point(0, 0), point(1, 1)), lseg(point(0, 0), point(1, 1)), line(point(0, 0), point(1, 1)), polygon(box '((0,0),(1,1))'), path '((0,0),(1,1))'
SELECT height(area), width(area), area(area), diameter(circle '<(0,0),2>'), radius(circle '<(0,0),2>'), npoints(polygon '((0,0),(1,1),(2,0))'), place[0] FROM events
SELECT box '((0,0),(1,1))' ?# box '((0,0),(2,2))' , place ~= point '(1,2)', ?- lseg '((0,0),(1,0))', @-@ path '((0,0),(1,1))', # path '((0,0),(1,1))' FROM events
-- xml
SELECT xpath('/a/b/text()', doc), xpath_exists('/a', doc), doc IS DOCUMENT, xml_is_well_formed('<a/>') FROM events
SELECT xmlelement(name a, xmlattributes(1 AS b), 'c'), xmlforest(1 AS a, 2 AS b), xmlconcat('<a/>', '<b/>'), xmlcomment('x'), xmlpi(name php, 'x'), xmlroot('<a/>', version '1.0')
SELECT t.* FROM events, XMLTABLE('/a' PASSING doc COLUMNS b int PATH 'b', n FOR ORDINALITY) AS t
SELECT XMLPARSE(CONTENT '<a/>'), XMLSERIALIZE(CONTENT '<a/>'::xml AS text), XMLEXISTS('/a' PASSING BY VALUE doc) FROM events
-- functions in from
SELECT * FROM generate_series(1, 5)
SELECT * FROM generate_series(1, 10, 3) AS n
SELECT n, n * 2 FROM generate_series(1, 3) AS t (n)
SELECT * FROM generate_series(1, 3) WITH ORDINALITY
SELECT * FROM current_date AS d
SELECT * FROM regexp_matches('abab', 'a', 'g')
SELECT * FROM json_each('{"a": 1}') AS e (k, v)
SELECT s.a FROM string_to_table('a,b', ',') AS s (a)
-- superset's own
SELECT DATE_TRUNC('day', ordered_at) AS ordered_at, COUNT(DISTINCT customer) AS "COUNT_DISTINCT(customer)" FROM corpus.orders WHERE ordered_at >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND ordered_at < TO_TIMESTAMP('2026-02-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('day', ordered_at) ORDER BY "COUNT_DISTINCT(customer)" DESC LIMIT 10000
SELECT region AS region, sum(amount) AS "SUM(amount)" FROM (SELECT * FROM orders WHERE amount > 0) AS virtual_table GROUP BY region ORDER BY "SUM(amount)" DESC LIMIT 50000
SELECT DATE_TRUNC('month', ordered_at) AS ordered_at, orders.region AS region, sum(amount) AS s FROM orders JOIN (SELECT region AS region__, sum(amount) AS mme_inner__ FROM orders GROUP BY region ORDER BY mme_inner__ DESC LIMIT 10) AS anon_1 ON region = region__ GROUP BY DATE_TRUNC('month', ordered_at), orders.region ORDER BY s DESC
SELECT COUNT(*) AS rowcount FROM (SELECT region AS region FROM corpus.orders GROUP BY region LIMIT 1000) AS rowcount_qry
SELECT MIN(ordered_at) AS "MIN(ordered_at)", (amount) AS "amount" FROM orders WHERE ((region = 'north') AND (amount IS NOT NULL)) GROUP BY (amount)
SELECT DATE_TRUNC('week', ordered_at::TIMESTAMP) AS __timestamp, CASE WHEN amount >= 50 THEN 'high' ELSE 'low' END AS "My column" FROM orders LIMIT 100
-- sales as analysts ask
SELECT region, round(100.0 * count(*) FILTER (WHERE active) / count(*), 1) AS share FROM orders GROUP BY region
SELECT due, sum(amount) OVER (ORDER BY due) AS running, avg(amount) OVER (ORDER BY due ROWS 6 PRECEDING) AS week FROM orders
WITH days AS (SELECT generate_series(date '2026-01-01', date '2026-01-31', '1 day')::date AS d) SELECT d, coalesce(sum(amount), 0) FROM days LEFT JOIN orders ON due = d GROUP BY d ORDER BY d
SELECT customer, max(ordered_at) AS last, now() - max(ordered_at) > interval '30 days' AS lost FROM orders GROUP BY customer
SELECT date_trunc('month', ordered_at)::date AS m, count(DISTINCT customer), sum(amount) / count(DISTINCT customer) FROM orders GROUP BY 1
WITH firsts AS (SELECT customer, min(due) AS f FROM orders GROUP BY customer) SELECT f, due - f AS age, count(*) FROM orders JOIN firsts USING (customer) GROUP BY f, age
SELECT region, ntile(4) OVER (ORDER BY sum(amount)) AS quartile FROM orders GROUP BY region
SELECT a.product, b.product, count(*) FROM lines a JOIN lines b ON a.order_id = b.order_id AND a.product < b.product GROUP BY 1, 2
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY amount) - percentile_cont(0.05) WITHIN GROUP (ORDER BY amount) FROM orders
SELECT sum(CASE WHEN status = 'paid' THEN amount ELSE 0 END) AS paid, sum(CASE WHEN status = 'new' THEN amount END) AS open FROM orders
SELECT extract(hour FROM ordered_at) AS hour, to_char(ordered_at, 'Dy') AS weekday, count(*) FROM orders GROUP BY hour, weekday
SELECT customer, amount, amount > 2 * avg(amount) OVER (PARTITION BY customer) AS unusual FROM orders
WITH steps AS (SELECT kind, at, lead(kind) OVER (ORDER BY at) AS next FROM events) SELECT kind, next, count(*) FROM steps GROUP BY kind, next
SELECT kind, at, sum(CASE WHEN gap > interval '30 minutes' THEN 1 ELSE 0 END) OVER (ORDER BY at) AS visit FROM (SELECT kind, at, at - lag(at) OVER (ORDER BY at) AS gap FROM events) g
SELECT region, array_to_string(array_agg(customer ORDER BY amount DESC), ', ') FROM orders GROUP BY region
SELECT width_bucket(amount, ARRAY[0, 50, 100, 200]) AS bucket, count(*), min(amount), max(amount) FROM orders GROUP BY bucket ORDER BY bucket
SELECT corr(amount, quantity), regr_slope(amount, quantity) FROM orders WHERE amount IS NOT NULL
SELECT o.region, l.product, sum(l.price * o.quantity) AS total FROM orders o JOIN lines l ON l.order_id = o.id GROUP BY ROLLUP (o.region, l.product) ORDER BY grouping(o.region), total DESC
SELECT tag, count(*) FROM orders, unnest(tags) AS tag GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 10
SELECT payload -> 'a' ->> 'b' AS b, avg((payload #>> '{items,0,price}')::numeric) FROM events GROUP BY 1
