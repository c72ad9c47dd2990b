"""The body of PUT /api/v1/me/, which needs the present password beside a new one."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from superset.views.users.schemas import CurrentUserPutSchema

from superset_tenancy.sign_in.own_password import ASK_FOR_OLD, problem_with_present


class OwnPasswordSchema(CurrentUserPutSchema):
    """Superset's fields, and the present password."""

    current_password = fields.String()

    @validates_schema
    def _with_old(self, data: dict[str, Any], **_: Any) -> None:
        given = data.pop("current_password", None)
        if "password" in data and given is None:
            raise ValidationError(ASK_FOR_OLD, "current_password")
        if "password" in data and (problem := problem_with_present(given)):
            raise ValidationError(problem, "current_password")
