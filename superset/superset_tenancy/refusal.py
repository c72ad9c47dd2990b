"""The error that a user sees when tenancy says no."""

from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException


class TenancyRefusal(SupersetSecurityException):
    """Status 403, with the reason in words."""

    def __init__(self, message: str) -> None:
        super().__init__(
            SupersetError(
                message=message,
                error_type=SupersetErrorType.DATABASE_SECURITY_ACCESS_ERROR,
                level=ErrorLevel.ERROR,
            )
        )
