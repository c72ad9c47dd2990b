"""The way from the profile page to the form for the own password; test/e2e/superset-browser.test.ts walks it."""

from pathlib import Path

import superset
from browser import Browser

BUTTON = "reset-password-button"


def test_superset_has_the_button():
    """And one alone: when it is named otherwise, nobody is led to the form."""
    assets = (Path(superset.__file__).parent / "static" / "assets").glob("*.js")
    assert sum(f'"data-test":"{BUTTON}"' in asset.read_text() for asset in assets) == 1


def test_the_page_has_the_script(app, me):
    page = Browser(app, me.analyst).get("/user_info/").text
    assert BUTTON in page and '"/resetmypassword/form"' in page
