"""What a request names, wherever it stands: path, query, form, JSON, Rison, and JSON in a text of these.

Each field with the name of an identifier is resolved; one that belongs to another tenant is answered like one that is not there.
What does not exist is left to Superset.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import prison
from flask import Request
from werkzeug.exceptions import BadRequest

from superset_tenancy.requests.fields import IDENTIFIES, OPAQUE, PATH_PARTS, RESOURCES, SCHEMAS

#: Superset's own requests stay far below both.
_DEEPEST = 40
_MOST_VALUES = 200_000

Named = tuple[str, Any]


def named_in(request: Request) -> Iterator[Named]:
    """Each name in the request with its value, those of path and query first."""
    resource = _resource(request)
    reader = _Reader(resource)
    for part, value in (request.view_args or {}).items():
        yield (resource if resource and part in PATH_PARTS else _by_type(part, request.view_args or {})), value
    for name in request.args:
        for text in request.args.getlist(name):
            value = _rison(text) if name == "q" else text
            if isinstance(value, list) and resource:
                yield resource, value
            yield from reader.read(_by_type(name, request.args), value)
    for name in request.form:
        for text in request.form.getlist(name):
            yield from reader.read(name, text)
    yield from reader.read("", _body(request))


def _resource(request: Request) -> str | None:
    """What the API is about, by the name of a field that identifies it."""
    parts = request.path.split("/")
    return RESOURCES.get(parts[3]) if request.path.startswith("/api/v1/") and len(parts) > 3 else None


def _body(request: Request) -> Any:
    if request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return None
    return _json(request.get_data(cache=True, as_text=True))


def _rison(text: str) -> Any:
    try:
        return prison.loads(text)
    except Exception:
        return _json(text)


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except RecursionError as error:
        raise BadRequest("This request is nested too deep.") from error
    except ValueError:
        return None


def _by_type(name: str, fields: Mapping[str, Any]) -> str:
    """The number beside the type "query" is that of a query of SQL Lab."""
    return "query_id" if name == "datasource_id" and fields.get("datasource_type") == "query" else name


class _Reader:
    """Reads one request, within bounds."""

    def __init__(self, resource: str | None) -> None:
        self.resource = resource
        self.values = 0

    def read(self, name: str, value: Any, depth: int = 0) -> Iterator[Named]:
        self.values += 1
        if depth > _DEEPEST or self.values > _MOST_VALUES:
            raise BadRequest(f"This request is nested deeper than {_DEEPEST} or has over {_MOST_VALUES:,} values.")
        if name in OPAQUE:
            return
        if name in IDENTIFIES or name in SCHEMAS:
            yield name, value
        if isinstance(value, str):
            value = _json(value)
        if isinstance(value, dict):
            yield from self._read_object(value, depth)
        elif isinstance(value, list):
            for element in value:
                yield from self.read("", element, depth + 1) if name != "annotation_layers" else self._read_layer(element)

    def _read_object(self, value: dict[str, Any], depth: int) -> Iterator[Named]:
        if isinstance(value.get("col"), str) and "opr" in value:
            # A filter of one of Superset's lists.
            yield value["col"], value.get("value")
        for key, inner in value.items():
            yield from self.read(_by_type(str(key), value), inner, depth + 1)

    def _read_layer(self, layer: Any) -> Iterator[Named]:
        """The source of an annotation: a chart, or a layer that all tenants share."""
        self.values += 1
        if isinstance(layer, dict):
            if layer.get("sourceType") == "NATIVE":
                yield "annotation_layer", layer.get("value")
            elif layer.get("annotationType") != "FORMULA" or layer.get("sourceType") in ("line", "table"):
                yield "chart", layer.get("value")
