"""Superset's metadata are reached with any password that RDS may make."""

import json
import os
import subprocess
import sys

from servers import OWNER, SUPERSET

TELLING = "a%41#?':&+ b"


def test_is_what_the_migration_and_every_engine_of_its_uri_logs_in_with(servers, metadata):
    looks = """
import json, sqlalchemy
from superset.app import create_app
app = create_app()
with app.app_context():
    from superset.extensions import db
    password = app.config["SQLALCHEMY_ENGINE_OPTIONS"]["creator"]().info.password
    engine = sqlalchemy.create_engine(app.config["SQLALCHEMY_DATABASE_URI"], poolclass=sqlalchemy.pool.NullPool)
    users = [each.execute(sqlalchemy.text("SELECT current_user")).scalar() for each in (engine, db.engine)]
    print("\\n" + json.dumps([password, app.config["SQLALCHEMY_DATABASE_URI"], *users]))
"""
    for secret, user in ((OWNER, "postgres"), ({}, "superset_web")):
        environment = {**os.environ, **servers.environment, **secret}
        done = subprocess.run([sys.executable, "-c", looks], env=environment, cwd=SUPERSET, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        password, uri, *users = json.loads(done.stdout.splitlines()[-1])
        assert users == [user, user]
        assert secret == {} or password.endswith(TELLING)
        assert password not in uri and "%41" not in uri
