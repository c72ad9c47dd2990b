"""The profile page's button for a new password opens the form that asks for the present password.

The dialog of Superset 6.1.0 behind that button has no field for it, and is part of the compiled user interface. So a script takes
the click.
"""

from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

_SCRIPT = """
<script nonce="{{ csp_nonce() if csp_nonce is defined }}">
  document.addEventListener('click', function (event) {
    if (event.target.closest('[data-test="reset-password-button"]')) {
      event.stopPropagation();
      window.location.assign({{ url_for('ResetMyPasswordView.this_form_get') | tojson }});
    }
  }, true);
</script>
"""


def lead_to_password_form(app: Flask) -> None:
    # Superset's own is empty, and there for this.
    ours = DictLoader({"tail_js_custom_extra.html": _SCRIPT})
    app.jinja_loader = ChoiceLoader([ours, app.jinja_loader] if app.jinja_loader else [ours])
