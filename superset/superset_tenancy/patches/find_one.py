"""One row is looked for by columns of its own table.

Superset 6.1.0 calls `filter_by` after the filter of what a user may see, which joins another table; `filter_by` then means the
columns of that one. So every user without Admin got an error for copying a dataset.
"""

from typing import Any

from superset.daos.base import BaseDAO
from superset.extensions import db


def apply() -> None:
    BaseDAO.find_one_or_none = classmethod(_find)


def _find(dao: type[BaseDAO], skip_base_filter: bool = False, **values: Any) -> Any | None:
    query = dao._apply_base_filter(db.session.query(dao.model_cls), skip_base_filter)
    # A name may be in several schemas: any of them will do.
    return query.filter(*(getattr(dao.model_cls, name) == value for name, value in values.items())).first()
