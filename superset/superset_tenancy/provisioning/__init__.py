"""What `superset tenancy` does: it makes Superset's metadata what the environment file asks for."""
