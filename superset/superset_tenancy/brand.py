"""The name and the face of this Superset, from the task's variable SUPERSET_BRAND; Superset's own without it.

Images come as `data:` URIs, which is all that the content security policy lets pages load beside their own files. A variable that
cannot be read ends the start: nobody is shown somebody else's face, or none.
"""

import json
import os
from email.utils import formataddr

from flask import Flask
from jinja2 import ChoiceLoader, DictLoader


def apply_brand(app: Flask) -> None:
    """Lays the brand over the settings."""
    text = os.environ.get("SUPERSET_BRAND")
    if not text:
        return
    brand = json.loads(text)
    unknown = brand.keys() - {"name", "logo", "favicon", "primaryColor", "loginText", "emailSender"}
    if unknown:
        raise RuntimeError(f"SUPERSET_BRAND has {', '.join(sorted(unknown))}, which this image does not know: it is too old")
    name = brand.get("name", app.config["APP_NAME"])
    app.config["APP_NAME"] = name
    tokens = {"brandAppName": name, "brandLogoAlt": name}
    if logo := brand.get("logo"):
        app.config["APP_ICON"] = logo
        tokens["brandLogoUrl"] = logo
    if color := brand.get("primaryColor"):
        tokens |= {"colorPrimary": color, "colorLink": color}
    for theme in ("THEME_DEFAULT", "THEME_DARK"):
        if settings := app.config[theme]:
            app.config[theme] = {**settings, "token": {**settings["token"], **tokens}}
    if color:
        # The dark theme makes a colour darker still, on black: one that is legible under white is not there.
        app.config["THEME_DARK"] = None
    if favicon := brand.get("favicon"):
        app.config["FAVICONS"] = [{"href": favicon, "type": favicon.removeprefix("data:").partition(";")[0]}]
    if sender := brand.get("emailSender"):
        app.config["SMTP_MAIL_FROM"] = formataddr((name, sender))
    app.config["EMAIL_REPORTS_SUBJECT_PREFIX"] = f"[{name}] "
    app.config["EMAIL_REPORTS_CTA"] = f"Explore in {name}"
    if login_text := brand.get("loginText"):
        _show_under_login_form(app, login_text)


def _show_under_login_form(app: Flask, text: str) -> None:
    """By a style, in which a text stays a text; the page itself has no place for one."""
    style = (
        '<style>[data-test="login-form"]{flex-wrap:wrap;align-content:center}'
        '[data-test="login-form"]::after{flex-basis:100%;text-align:center;padding:16px;content:"'
        + "".join(f"\\{ord(character):06x}" for character in text)
        + '"}</style>'
    )
    # Superset's own is empty, and there for this.
    ours = DictLoader({"head_custom_extra.html": style})
    app.jinja_loader = ChoiceLoader([ours, app.jinja_loader] if app.jinja_loader else [ours])
