-- The tables of the example, as a tenant's ETL makes them in the tenant's database with the loader's login. The tenant reads them
-- from then on. `tenant_id` is there so that anybody can see whose rows they are: no policy needs it.

CREATE TABLE analytics.orders (
  order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL,
  ordered_at timestamptz NOT NULL,
  customer text NOT NULL,
  product text NOT NULL,
  quantity integer NOT NULL,
  amount numeric(12, 2) NOT NULL
);

CREATE TABLE analytics.events (
  tenant_id uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  kind text NOT NULL,
  duration_ms integer NOT NULL
);

CREATE TABLE analytics.notes (
  note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  written_at timestamptz NOT NULL,
  author text NOT NULL,
  body text NOT NULL
);
