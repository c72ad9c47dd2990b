"""SQL Lab answers 404 for a Database that the caller does not have. Superset 6.1.0 answers 500."""

from superset.commands.sql_lab.execute import ExecuteSqlCommand
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetErrorException
from superset.models.core import Database


def apply() -> None:
    ExecuteSqlCommand._validate_query_db = staticmethod(_require)


def _require(database: Database | None) -> None:
    if not database:
        error = SupersetError(
            message="This database does not exist, or is not your account's.",
            error_type=SupersetErrorType.DATABASE_NOT_FOUND_ERROR,
            level=ErrorLevel.ERROR,
        )
        raise SupersetErrorException(error, status=404)
