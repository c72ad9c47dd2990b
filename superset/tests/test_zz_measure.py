import resource, time
from moving import MOVER, BUCKET, KEY, TENANTS
pytest_plugins = ["applying", "moving"]
def test_measure(moving):
    made = moving
    made.shared.apply(*TENANTS)
    made.instance.apply(TENANTS[0])
    made.shared.sql(MOVER, "INSERT INTO analytics.orders (tenant_id, ordered_at, customer, product, quantity, amount) SELECT %s, timestamptz '2020-01-01' + n * interval '1 minute', 'customer ' || n %% 9973, 'product ' || md5(n::text), n %% 7, n / 100.0 FROM generate_series(1, 3000000) n", made.value[MOVER])
    print(made.shared.sql(MOVER, "SELECT pg_size_pretty(pg_total_relation_size('analytics.orders'))"))
    def run(env, *args):
        t = time.monotonic()
        p = env.process(*args)
        out = p.stdout.read()
        p.wait()
        print(args[0], round(time.monotonic() - t, 1), "s", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "MiB max", out[-400:])
        return out
    for n in range(2):
        out = run(made.shared, "export", "--tenant", MOVER, "--to", f"s3://{BUCKET}/big{n}", "--key", KEY)
        fp = out.split()[-1]
        dump = ("--from", f"s3://{BUCKET}/big{n}", "--fingerprint", fp)
        run(made.instance, "import", "--tenant", MOVER, *dump, "--replace")
        run(made.shared, "verify-move", "--tenant", MOVER, *dump)
        made.instance.sql(MOVER, "TRUNCATE analytics.orders")
    run(made.shared, "import", "--tenant", MOVER, *dump)
    made.shared.sql(MOVER, "DELETE FROM analytics.orders WHERE tenant_id = %s", made.value[MOVER])
    run(made.shared, "import", "--tenant", MOVER, *dump)
