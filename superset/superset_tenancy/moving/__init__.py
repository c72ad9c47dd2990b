"""What moves a tenant from one environment to another: its rows, what its people made in Superset, and its people."""
