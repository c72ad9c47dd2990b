-- The tables of the example, as an ETL makes them with the loader's login. No tenant can read them until a reconcile has
-- protected them.

-- Strategy `column`: one table for all.
CREATE TABLE analytics.orders (
  order_id bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id uuid NOT NULL,
  ordered_at timestamptz NOT NULL,
  customer text NOT NULL,
  product text NOT NULL,
  quantity integer NOT NULL,
  amount numeric(12, 2) NOT NULL,
  PRIMARY KEY (tenant_id, order_id)
);

-- Strategy `partitioned`: the reconcile makes a partition for each tenant.
CREATE TABLE analytics.events (
  tenant_id uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  kind text NOT NULL,
  duration_ms integer NOT NULL
) PARTITION BY LIST (tenant_id);

-- Strategy `schema`: the pattern. The reconcile makes a table like it in each tenant's schema; this one stays empty.
CREATE TABLE analytics.notes (
  note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  written_at timestamptz NOT NULL,
  author text NOT NULL,
  body text NOT NULL
);
