"""A brand lies over Superset's own settings; without one nothing changes, and one that cannot be read ends the start."""

import json
import re
from email.utils import parseaddr

import pytest
from flask import Flask, render_template

BRAND = {
    "name": 'Northwind "Insights"',
    "logo": "data:image/svg+xml;base64,PHN2Zy8+",
    "favicon": "data:image/png;base64,iVBORw==",
    "primaryColor": "#14532d",
    "loginText": 'For <b>us</b></style><script>alert("1")</script> only \\ ünd',
    "emailSender": "insights@northwind.example",
}


@pytest.fixture
def branded(app, monkeypatch):
    """Puts Superset's settings under a brand, in a Flask of its own."""
    from superset_tenancy.brand import apply_brand

    def brand(text: str | None) -> Flask:
        if text is None:
            monkeypatch.delenv("SUPERSET_BRAND", raising=False)
        else:
            monkeypatch.setenv("SUPERSET_BRAND", text)
        other = Flask("superset", root_path=app.root_path, template_folder="templates")
        other.config.update(app.config)
        apply_brand(other)
        return other

    return brand


def test_without_a_brand_nothing_changes(app, branded):
    assert dict(branded(None).config) == dict(app.config)
    with branded(None).app_context():
        assert "<style>" not in render_template("head_custom_extra.html")


def test_name_colour_and_images_are_in_the_theme(branded):
    config = branded(json.dumps(BRAND)).config
    theme = config["THEME_DEFAULT"]
    expected = {
        "brandAppName": BRAND["name"],
        "brandLogoAlt": BRAND["name"],
        "brandLogoUrl": BRAND["logo"],
        "colorPrimary": "#14532d",
        "colorLink": "#14532d",
    }
    assert theme["token"] | expected == theme["token"]
    assert theme["token"]["fontFamily"].startswith("Inter")
    assert theme["algorithm"] == "default"
    assert config["FAVICONS"] == [{"href": BRAND["favicon"], "type": "image/png"}]


def test_a_colour_ends_the_dark_theme_in_which_it_would_not_be_legible(branded):
    assert branded(json.dumps(BRAND)).config["THEME_DARK"] is None
    dark = branded(json.dumps({"name": "Northwind"})).config["THEME_DARK"]
    assert dark["algorithm"] == "dark" and dark["token"]["brandAppName"] == "Northwind"


def test_emails_come_from_the_brand(branded):
    config = branded(json.dumps(BRAND)).config
    assert config["SMTP_MAIL_FROM"] == '"Northwind \\"Insights\\"" <insights@northwind.example>'
    abroad = branded(json.dumps({"name": "Zürich", "emailSender": "insights@zuerich.example"})).config
    assert parseaddr(abroad["SMTP_MAIL_FROM"])[1] == "insights@zuerich.example"
    assert abroad["SMTP_MAIL_FROM"].isascii()
    assert config["EMAIL_REPORTS_SUBJECT_PREFIX"] == '[Northwind "Insights"] '


def test_the_settings_of_superset_itself_stay_as_they_are(app, branded):
    branded(json.dumps(BRAND))
    assert app.config["THEME_DEFAULT"]["token"]["colorPrimary"] == "#2893B3"


def test_a_login_text_stays_a_text_whatever_is_in_it(branded):
    with branded(json.dumps(BRAND)).app_context():
        head = render_template("head_custom_extra.html")
    assert head.count("<") == 2 and "script" not in head
    [content] = re.findall(r'content:"([^"]*)"', head)
    assert re.fullmatch(r"(\\[0-9a-f]{6})+", content)
    assert "".join(chr(int(code, 16)) for code in content.split("\\")[1:]) == BRAND["loginText"]


@pytest.mark.parametrize("text", ["{", json.dumps({**BRAND, "shadow": "none"})])
def test_one_that_cannot_be_read_ends_the_start(branded, text):
    with pytest.raises((RuntimeError, ValueError)):
        branded(text)
