"""What a user types as a password or a key is in no log; the rest is, as it was typed."""

import json
import logging

import pytest

from superset_tenancy.sql.masking import mask_logs, mask_secrets
from world import all_metadata

SECRET = "hunter2 o''clock"
TEXTS = [
    f"ALTER ROLE me PASSWORD '{SECRET}'",
    f"alter role me with encrypted password E'{SECRET}' valid until '2030-01-01'",
    f"SELECT * FROM t WHERE api_key = '{SECRET}' AND region = 'north'",
    f"SELECT pgp_sym_decrypt(data, '{SECRET}') FROM t",
    f"SELECT hmac(data, '{SECRET}', 'sha256')",
    f"SELECT set_config('app.token', '{SECRET}', false)",
    f"SELECT * FROM t WHERE password = $x${SECRET}$x$",
    f"CREATE USER MAPPING FOR me SERVER s OPTIONS (user 'a', password '{SECRET}')",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_is_masked(text):
    assert SECRET not in mask_secrets(text) and "'***'" in mask_secrets(text)


def test_keys_and_urls_are_masked():
    assert mask_secrets("AKIAIOSFODNN7EXAMPLE at postgresql://me:pass@host/db") == "*** at postgresql://me:***@host/db"


def test_the_rest_stays():
    text = "SELECT region, 'north', count(*) FROM orders WHERE note LIKE '%token%' AND id IN (1, 2) -- it's"
    assert mask_secrets(text) == text


def test_each_logger_masks_message_and_trace(caplog):
    mask_logs()
    with caplog.at_level("INFO"):
        try:
            raise ValueError(TEXTS[0])
        except ValueError:
            logging.getLogger("somewhere").exception("failed: %s", TEXTS[1])
    assert "failed: alter role me" in caplog.text and SECRET not in caplog.text


def test_superset_log_of_actions_has_none(app, me):
    from superset import db
    from superset.models.core import Log

    me.analyst.sql(me.database, TEXTS[0])
    me.analyst.sql(me.database, "SELECT 'a secret that is none' AS plain")
    with all_metadata(app):
        logged = json.dumps([line.json for line in db.session.query(Log).order_by(Log.id.desc()).limit(20)])
    assert "hunter2" not in logged and "that is none" in logged
