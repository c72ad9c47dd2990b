CREATE SCHEMA corpus; SET LOCAL search_path = corpus, public;
CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE TYPE status AS ENUM ('new', 'paid', 'sent'); CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
CREATE TYPE address AS (street text, city text);
CREATE TABLE orders (id int, customer text, region text, status status, amount numeric, quantity positive, ordered_at timestamptz, due date,
  tags text[], home address, active boolean, "update" int, "Größe" int, note text);
CREATE TABLE lines (order_id int, product text, price numeric, pg_rating int, lo_revenue numeric, nextval int);
CREATE TABLE events (at timestamp, payload jsonb, raw json, kind text, span tsrange, days daterange, spans int4multirange, ip inet, u uuid, body text, doc xml, place point, area box);
CREATE TABLE staff (id int, boss int, name text, salary numeric);
INSERT INTO orders SELECT n, 'c' || n % 5, (ARRAY['north','south','east'])[n % 3 + 1], 'paid', n * 10, n, '2026-01-01'::timestamptz + n * interval '1 day', date '2026-01-01' + n, ARRAY['a', 'b'], '(s,c)'::address, n % 2 = 0, n, n, 'note' FROM generate_series(1, 30) n;
INSERT INTO lines SELECT n, 'p' || n % 3, n, n, n, n FROM generate_series(1, 30) n;
INSERT INTO events SELECT timestamp '2026-01-01' + n * interval '1 hour', '{"a": {"b": 1}, "items": [{"price": 2}, {"price": 3}]}', '{"a": 1}', 'k', '[2026-01-01,2026-02-01)', '[2026-01-01,2026-02-01)', '{[1,3)}', '10.0.0.1', gen_random_uuid(), 'the quick fox', '<a><b>1</b></a>', '(1,2)', '((0,0),(1,1))' FROM generate_series(1, 10) n;
INSERT INTO staff VALUES (1, NULL, 'a', 3), (2, 1, 'b', 2), (3, 1, 'c', 2), (4, 2, 'd', 1);
