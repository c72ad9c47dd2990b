-- The rows of one tenant. The setting `example.tenant` holds the tenant's value, and search_path leads with the tenant's
-- schema. How many rows there are follows from the value, so that each tenant has another number.

INSERT INTO orders (tenant_id, ordered_at, customer, product, quantity, amount)
SELECT current_setting('example.tenant')::uuid,
       timestamptz '2026-01-01' + n * interval '7 hours',
       'customer ' || n % 97,
       (ARRAY['chair', 'desk', 'lamp', 'shelf', 'sofa', 'table'])[1 + n % 6],
       1 + n % 5,
       round((20 + (n * 7919) % 480 + n % 100 / 100.0)::numeric, 2)
  FROM generate_series(1, 1000 + abs(hashtext(current_setting('example.tenant')) % 500)) AS n;

INSERT INTO events (tenant_id, occurred_at, kind, duration_ms)
SELECT current_setting('example.tenant')::uuid,
       timestamptz '2026-01-01' + n * interval '53 minutes',
       (ARRAY['view', 'search', 'basket', 'purchase'])[1 + n % 4],
       10 + (n * 104729) % 900
  FROM generate_series(1, 3000 + abs(hashtext(current_setting('example.tenant')) % 1500)) AS n;

INSERT INTO notes (written_at, author, body)
SELECT timestamptz '2026-01-01' + n * interval '3 days', 'analyst ' || n % 3, 'What we saw in week ' || n
  FROM generate_series(1, 20 + abs(hashtext(current_setting('example.tenant')) % 10)) AS n;
