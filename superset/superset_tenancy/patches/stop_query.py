"""Only the user who runs a query stops it.

Superset 6.1.0 looks a query up by its client id, which the browser chose, and cancels it for anybody.
"""

from functools import wraps

from superset.daos.query import QueryDAO
from superset.exceptions import QueryNotFoundException
from superset.extensions import db
from superset.models.sql_lab import Query
from superset.utils.core import get_user_id

_PATCHED = "_stops_own_queries_only"


def apply() -> None:
    original = QueryDAO.stop_query
    if getattr(original, _PATCHED, False):
        return

    @wraps(original)
    def stop_own_query(client_id: str) -> None:
        mine = db.session.query(Query).filter_by(client_id=client_id, user_id=get_user_id()).one_or_none()
        if mine is None:
            raise QueryNotFoundException(f"Query with client_id {client_id} not found")
        original(client_id)

    setattr(stop_own_query, _PATCHED, True)
    QueryDAO.stop_query = staticmethod(stop_own_query)
