"""The guard of SQL: what tenants' users may run, and what Superset does with their texts before and after."""
