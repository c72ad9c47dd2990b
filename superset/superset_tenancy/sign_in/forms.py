"""Superset's classic form for the own password, which asks for the present one."""

from typing import Any

from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget
from flask_appbuilder.security import views
from flask_appbuilder.security.forms import ResetPasswordForm
from wtforms import PasswordField, ValidationError
from wtforms.validators import DataRequired

from superset_tenancy.sign_in.own_password import problem_with_present
from superset_tenancy.sign_in.password_policy import LEAST_LENGTH

_RULE = f"At least {LEAST_LENGTH} characters; not a common password, your user name or your e-mail address."


def _new(field: Any, **changed: Any) -> PasswordField:
    """The field again: forms show fields in the order in which they were made."""
    return PasswordField(*field.args, **{**field.kwargs, **changed})


class _OwnPasswordForm(ResetPasswordForm):
    current_password = PasswordField("Current password", validators=[DataRequired()], widget=BS3PasswordFieldWidget())
    password = _new(ResetPasswordForm.password, description=_RULE)
    conf_password = _new(ResetPasswordForm.conf_password)

    def validate_current_password(self, field: Any) -> None:
        if problem := problem_with_present(field.data):
            raise ValidationError(problem)


class _OthersPasswordForm(ResetPasswordForm):
    password = _new(ResetPasswordForm.password, description=_RULE)
    conf_password = _new(ResetPasswordForm.conf_password)


class ResetMyPasswordView(views.ResetMyPasswordView):
    """Changes the password of the signed-in user."""

    form = _OwnPasswordForm


class ResetPasswordView(views.ResetPasswordView):
    """Sets another user's password, for administrators of the platform."""

    form = _OthersPasswordForm
