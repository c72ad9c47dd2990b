"""Requests for every route, generated from the route map and from the description that Superset's API gives of itself.

A path, a query and a body name objects of the caller's tenant, or in one place at a time one of the other tenant. A new route of
Superset gets requests without a line of code: by the names of its parameters.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import prison
from crawl_objects import Belongings, Thing
from flask import Flask
from werkzeug.routing import Rule

#: Kinds of objects by the word that names them in a path, a query or a body.
KIND_OF_WORD = {
    "database": "database", "database_id": "database", "db_id": "database", "database_ids": "database",
    "datasource_id": "dataset", "dataset_id": "dataset", "table_id": "dataset", "base_model_id": "dataset", "datasets": "dataset",
    "dashboard_id": "dashboard", "dashboards": "dashboard", "dashboard_id_or_slug": "dashboard", "dashboard_ids": "dashboard",
    "chart_id": "chart", "slice_id": "chart", "charts": "chart", "chart_ids": "chart",
    "owners": "user", "user_id": "user", "include_ids": "user", "users": "user",
    "roles": "role", "tags": "tag", "tag": "tag", "tagIds": "tag",
    "client_id": "query", "query_id": "query", "saved_query_id": "saved_query", "tab_state_id": "tab", "tab_id": "tab",
    "schema": "schema", "schema_name": "schema", "table_name": "table", "name": "table", "column_name": "column",
    "form_data_key": "form_data", "permalink_key": "explore_permalink", "permalink": "explore_permalink",
    "table_schema_id": "table_schema", "annotation_id": "annotation", "layer_id": "annotation_layer",
}  # fmt: skip
#: Kinds by the beginning of a path, for `pk`, `uuid`, `key`, `q=!(1)` and the like. The longest that fits counts.
KIND_OF_PATH = {
    "/api/v1/dashboard/": "dashboard", "/api/v1/chart/": "chart", "/api/v1/dataset/": "dataset", "/api/v1/database/": "database",
    "/api/v1/dashboard/permalink/": "dashboard_permalink", "/superset/dashboard/p/": "dashboard_permalink",
    "/api/v1/explore/form_data": "form_data", "/api/v1/explore/permalink": "explore_permalink",
    "/superset/explore/p/": "explore_permalink", "/embedded/": "embedded", "/api/v1/embedded_dashboard/": "embedded",
    "/api/v1/query/": "query", "/api/v1/saved_query/": "saved_query", "/api/v1/sqllab/": "query",
    "/api/v1/css_template/": "css_template", "/api/v1/annotation_layer/": "annotation_layer", "/api/v1/report/": "report",
    "/api/v1/tag/": "tag", "/api/v1/log/": "log", "/dataset/": "dataset", "/superset/dashboard/": "dashboard",
    "/users/": "user", "/roles/": "role", "/superset/slice/": "chart", "/api/v1/user/": "user", "/tabstateview/": "tab",
}  # fmt: skip
FIXED_WORDS = {
    "datasource_type": "table", "version": "v1", "lang": "en", "locale": "en", "filename": "assets/manifest.json",
    "digest": "x", "cache_key": "x", "activation_hash": "x", "page_size": 100, "sql": "SELECT 1", "viz_type": "table",
    "provider": "db", "expression": "1", "value": "{}", "form_data": "{}", "allowed_domains": [], "actions": [],
    "force": True, "object_type": 3, "last_updated_ms": 0, "time_range": "Last week", "json_metadata": "{}",
}  # fmt: skip


class Request(NamedTuple):
    """A request, and which of its references are the other tenant's."""

    method: str
    rule: str
    path: str
    foreign: str
    query: dict[str, Any] | None = None
    body: Any = None
    form: dict[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.rule} [{self.foreign or 'own'}]"


class Description:
    """What Superset's API says about itself."""

    def __init__(self, app: Flask) -> None:
        from flask_appbuilder.api import BaseApi
        from flask_appbuilder.api.manager import OpenApi

        with app.test_request_context("/"):
            spec = OpenApi._create_api_spec("v1")
            for view in app.appbuilder.baseviews:
                if isinstance(view, BaseApi) and view.version == "v1":
                    view.add_api_spec(spec)
            document = spec.to_dict()
        self.paths = document["paths"]
        self.schemas = document["components"]["schemas"]

    def operation(self, rule: Rule, method: str) -> dict[str, Any]:
        path = "".join(f"{{{part}}}" if is_argument else part for is_argument, part in rule._trace)
        return self.paths.get(path.removeprefix("|"), {}).get(method.lower(), {})

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        return self.schemas.get(schema["$ref"].split("/")[-1], {}) if "$ref" in schema else schema


class Generator:
    """The requests of a caller of one tenant, with references to the other."""

    def __init__(self, app: Flask, own: Belongings, other: Belongings) -> None:
        self.app = app
        self.description = Description(app)
        self.own = own
        self.other = other

    def requests(self, rule: Rule, method: str, replace: Any = None) -> Iterator[Request]:
        """`replace` gives an own object that the request may change, by kind."""
        operation = self.description.operation(rule, method)
        for path, foreign in self._paths(rule, replace):
            payloads = self._payloads(rule, method, operation, None if foreign else replace)
            if foreign:
                payloads = itertools.islice(payloads, 1)
            for named, query, body, form in payloads:
                yield Request(method, rule.rule, path, foreign or named, query, body, form)

    def _kind(self, rule: Rule, word: str) -> str:
        if word in KIND_OF_WORD:
            return KIND_OF_WORD[word]
        if word == "key" and "filter_state" in rule.rule:
            return "filter_state"
        fitting = [start for start in KIND_OF_PATH if rule.rule.startswith(start)]
        return KIND_OF_PATH[max(fitting, key=len)] if fitting else ""

    def _paths(self, rule: Rule, replace: Any) -> Iterator[tuple[str, str]]:
        adapter = self.app.url_map.bind("localhost")
        choices: list[list[tuple[str, Any, str]]] = []
        for word in sorted(rule.arguments):
            is_number = type(rule._converters[word]).__name__ == "IntegerConverter"
            if word == "name" and "/action/" in rule.rule:
                choices.append([(word, "resetpasswords", "")])
            elif word in FIXED_WORDS:
                choices.append([(word, FIXED_WORDS[word], "")])
            elif word == "column_name" and (related := self._columns(rule)):
                choices.append([(word, column, "") for column in related])
            else:
                kind = self._kind(rule, word)
                own = (replace and replace(kind)) or self.own.of(kind)
                values = [(word, value, "") for value in names_of(own, is_number)[:1]]
                values += [(word, value, f"path: {kind or word}") for value in names_of(self.other.of(kind), is_number)]
                values += [(word, value, "path: no object") for value in ([2**40] if is_number else ["no such thing"])]
                choices.append(values)
        for chosen in itertools.product(*choices):
            foreign = ", ".join(sorted({mark for _, _, mark in chosen if mark}))
            values = {word: value for word, value, _ in chosen}
            yield adapter.build(rule.endpoint, values, force_external=False), foreign

    def _columns(self, rule: Rule) -> list[str]:
        """The columns that a list's filters may ask for, and some that they may not."""
        view = getattr(self.app.view_functions[rule.endpoint], "__self__", None)
        if "/related/" in rule.rule:
            return sorted({*getattr(view, "allowed_rel_fields", ()), "owners", "created_by", "roles", "user", "database"})
        return sorted({*getattr(view, "allowed_distinct_fields", ()), "schema"}) if "/distinct/" in rule.rule else []

    def _payloads(self, rule: Rule, method: str, operation: dict[str, Any], replace: Any) -> Iterator[tuple]:
        """The query and the body with own references, then with a foreign one in each place."""
        from crawl_payloads import PAYLOADS

        if payload := PAYLOADS.get((method, rule.rule)):
            yield ("", *payload(self.own, self.own))
            yield ("payload", *payload(self.own, self.other))
            return
        slots = [slot for slot in self._slots(rule, operation)]
        own = [self._filled(rule, slot, self.own, replace) for slot in slots]
        yield ("", *_assembled(slots, own))
        for index, (place, word, _schema) in enumerate(slots):
            foreign = self._filled(rule, slots[index], self.other, None)
            if foreign != own[index]:
                yield (f"{place}: {word}", *_assembled(slots, [*own[:index], foreign, *own[index + 1 :]]))

    def _slots(self, rule: Rule, operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Each place for a value: where, its word, its schema."""
        for parameter in operation.get("parameters", []):
            if parameter.get("in") != "query":
                continue
            content = parameter.get("content", {}).get("application/json", {}).get("schema")
            if content is None:
                yield "query", parameter["name"], parameter.get("schema", {})
                continue
            schema = self.description.resolved(content)
            if schema.get("type") == "array":
                yield "q", "", schema
            for word, described in schema.get("properties", {}).items():
                if word in FIXED_WORDS or word in KIND_OF_WORD or word in schema.get("required", ()) or word in ("key", "filter"):
                    yield "q", word, described
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            schema = self.description.resolved(content.get("schema", {}))
            for word, described in schema.get("properties", {}).items():
                if word in KIND_OF_WORD or word in schema.get("required", ()) or word in FIXED_WORDS:
                    yield "body" if media == "application/json" else "form", word, described
            break

    def _filled(self, rule: Rule, slot: tuple[str, str, dict[str, Any]], whose: Belongings, replace: Any) -> Any:
        _place, word, schema = slot
        if word in FIXED_WORDS and word not in KIND_OF_WORD:
            return FIXED_WORDS[word]
        is_list = schema.get("type") == "array"
        item = self.description.resolved(schema.get("items", {})) if is_list else schema
        if word == "include_ids":
            return [whose.of(kind).number for kind in ("user", "role", "database", "dashboard", "chart", "dataset")]
        kind = self._kind(rule, word)
        thing = (replace and not word and replace(kind)) or whose.of(kind)
        is_number = item.get("type", "integer" if word.endswith("id") or is_list else "string") in ("integer", "number")
        values = names_of(thing, is_number) if kind else ([1] if is_number else [word or "crawl"])
        return values[:1] if is_list else values[0]


def names_of(thing: Thing, is_number: bool) -> list[Any]:
    """How a request may name it: by number only, or by text, which the number is, too."""
    if is_number:
        return [thing.number]
    texts = [text for text in thing.texts if text]
    return texts if thing.number == Thing().number else [str(thing.number), *texts]


def _assembled(slots: list[tuple], values: list[Any]) -> tuple[dict[str, Any] | None, Any, dict[str, str] | None]:
    query: dict[str, Any] = {}
    asked: Any = {}
    body: dict[str, Any] = {}
    form: dict[str, str] = {}
    for (place, word, _schema), value in zip(slots, values, strict=True):
        if place == "q" and not word:
            asked = value
        else:
            {"query": query, "q": asked, "body": body, "form": form}[place][word] = value
    if asked or any(place == "q" for place, _, _ in slots):
        query["q"] = prison.dumps(asked)
    return query or None, body or None, {word: str(value) for word, value in form.items()} or None
