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


def _new_password() -> PasswordField:
    kwargs = {**ResetPasswordForm.password.kwargs, "description": _RULE}
    return PasswordField(*ResetPasswordForm.password.args, **kwargs)


class _OwnPasswordForm(ResetPasswordForm):
    current_password = PasswordField("Current password", validators=[DataRequired()], widget=BS3PasswordFieldWidget())
    password = _new_password()

    def validate_current_password(self, field: Any) -> None:
        if problem := problem_with_present(field.data):
            raise ValidationError(problem)


class _OthersPasswordForm(ResetPasswordForm):
    password = _new_password()


class ResetMyPasswordView(views.ResetMyPasswordView):
    """Changes the password of the signed-in user."""

    form = _OwnPasswordForm


class ResetPasswordView(views.ResetPasswordView):
    """Sets another user's password, for administrators of the platform."""

    form = _OthersPasswordForm
