"""What an error says of the request that met it, if it is the request's fault.

Superset 6.1.0 wraps refusals in errors without a reason, or lets them through where an API does not expect them.
"""

from collections.abc import Iterator

import psycopg2
from marshmallow import ValidationError
from psycopg2.errors import ForeignKeyViolation, InsufficientPrivilege, UniqueViolation
from sqlalchemy.exc import DataError, NoSuchTableError, StatementError
from superset.commands.dataset.exceptions import DatasetForbiddenDataURI
from superset.commands.exceptions import ImportFailedError
from superset.exceptions import SupersetErrorException, SupersetException
from superset.key_value.exceptions import KeyValueParseKeyError
from werkzeug.exceptions import HTTPException
from yaml import YAMLError

from superset_tenancy.refusals.refusal import Refusal, TenancyRefusal
from superset_tenancy.results.bounded_cursor import BoundedCursor

#: What PostgreSQL's refusals mean to people where it keeps the metadata of tenants apart.
OF_METADATA: dict[type[BaseException], Refusal] = {
    UniqueViolation: Refusal(422, "Something with this name, slug or identifier exists already. Choose another one.", True),
    ForeignKeyViolation: Refusal(422, "Something that this refers to does not exist, or is not your account's.", True),
    InsufficientPrivilege: Refusal(403, "This is the platform's, not your account's to read or change.", True),
}
#: Those of an import that are raised with a reason; their subclasses wrap any error at all.
_REFUSED_IMPORTS = (ImportFailedError, DatasetForbiddenDataURI)
#: SQLSTATEs that begin so are the server's fault: connection, resources, shutdown, system, internal (PostgreSQL documentation,
#: "PostgreSQL Error Codes"). All others are about the statement.
_FAULTS_OF_POSTGRESQL = ("08", "53", "57P", "58", "XX")


def reason_of(error: BaseException | None) -> Refusal | None:
    """The innermost refusal in the chain of errors, which says most; None if the server is at fault."""
    found = [refusal for cause in _causes(error) if (refusal := _refusal(cause))]
    return found[-1] if found else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refusal(error: BaseException) -> Refusal | None:
    match error:
        case TenancyRefusal():
            return Refusal(error.status, str(error))
        case HTTPException(code=int(code)) if 400 <= code < 500:
            return Refusal(code, str(error.description))
        case KeyValueParseKeyError():
            return Refusal(404, "Not found")
        case DataError() | StatementError(orig=ValueError()):
            return Refusal(400, "A value in the request has the wrong form: numbers and UUIDs name objects.")
        case YAMLError():
            return Refusal(400, "The file is not plain YAML: tags are not read.")
        # What a tenant asked of its data; the metadata have another cursor.
        case psycopg2.Error(cursor=BoundedCursor(), pgcode=str(code)) if not code.startswith(_FAULTS_OF_POSTGRESQL):
            return Refusal(400, error.diag.message_primary or str(error))
        case NoSuchTableError():
            return Refusal(404, f"The table {error} does not exist, or your account may not read it.")
        # Not a lack of permission, which may be one to the tenant's own data.
        case UniqueViolation() | ForeignKeyViolation():
            return OF_METADATA[type(error)]
        case ValidationError():
            return Refusal(400, f"The request was refused: {error}")
        case ImportFailedError() if type(error) in _REFUSED_IMPORTS:
            return Refusal(400, f"The request was refused: {error}")
        case SupersetErrorException(status=int(status)) | SupersetException(status=int(status)) if 400 <= status < 500:
            return Refusal(status, str(error))
    return None
