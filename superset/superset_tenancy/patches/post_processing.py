"""Post-processing within bounds.

Superset 6.1.0 calls whatever function of `superset.utils.pandas_postprocessing` a request names, with the options that it gives.
"""

from functools import wraps
from typing import Any

from superset.common.query_object import QueryObject
from superset.exceptions import QueryObjectValidationError

from superset_tenancy.results.post_processing import check_options, check_size

_PATCHED = "_is_bounded"


def apply() -> None:
    if getattr(QueryObject.exec_post_processing, _PATCHED, False):
        return
    validate, run_operations = QueryObject.validate, QueryObject.exec_post_processing

    @wraps(validate)
    def validate_operations(self: QueryObject, raise_exceptions: bool | None = True) -> QueryObjectValidationError | None:
        try:
            check_options(self.post_processing)
        except QueryObjectValidationError as refusal:
            if raise_exceptions:
                raise
            return refusal
        return validate(self, raise_exceptions)

    @wraps(run_operations)
    def run_checked(self: QueryObject, df: Any) -> Any:
        operations = self.post_processing
        check_options(operations)
        try:
            for operation in operations:
                check_size(df, operation["operation"], operation.get("options") or {})
                self.post_processing = [operation]
                df = run_operations(self, df)
            check_size(df, "post_processing", {})
        finally:
            self.post_processing = operations
        return df

    setattr(run_checked, _PATCHED, True)
    QueryObject.exec_post_processing = run_checked
    QueryObject.validate = validate_operations
