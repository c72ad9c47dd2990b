"""A guest asks what the saved chart asks: with the dashboard's filters, another time range, and less of it; nothing else.

Superset compares metrics, columns and sorting with the saved chart, if the request names one. This asks for the chart, or for a
native filter of the dashboard, and refuses each part of the question that is not theirs.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from superset import db
from superset.common.chart_data import ChartDataResultType
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from superset_tenancy.refusals.refusal import TenancyRefusal

#: Rows as the chart shows them. Others show SQL, or rows that no chart shows.
_RESULTS = {ChartDataResultType.FULL, ChartDataResultType.RESULTS, ChartDataResultType.POST_PROCESSED}
#: What the filters for a time column and a time grain choose from.
_CHOICES = {ChartDataResultType.COLUMNS, ChartDataResultType.TIMEGRAINS}
#: Measures of a filter for a range of numbers.
_RANGE = {"MIN", "MAX"}
#: What a page adds to the form data of a legacy chart, and what changes how it looks.
_FROM_PAGE = {
    "adhoc_filters",
    "annotation_layers",
    "applied_time_extras",
    "color_scheme",
    "dashboardId",
    "dashboards",
    "datasource",
    "extra_filters",
    "extra_form_data",
    "filters",
    "force",
    "label_colors",
    "map_label_colors",
    "own_color_scheme",
    "shared_label_colors",
    "slice_id",
    "slice_name",
    "time_grain_sqla",
    "time_range",
    "url_params",
    "viz_type",
}


def refuse_other_questions(query_context: Any = None, viz: Any = None) -> None:
    """Raises unless a guest's request asks what the dashboard asks. Whose dashboard it is, Superset has asked."""
    form_data = (query_context or viz).form_data or {}
    dashboard = _get(Dashboard, form_data.get("dashboardId"))
    if dashboard is None:
        raise _refusal("names no dashboard")
    allowed = _Allowed(dashboard)
    if query_context is not None and form_data.get("type") == "NATIVE_FILTER":
        allowed.check_native_filter(query_context, form_data.get("native_filter_id"))
        return
    chart = _get(Slice, form_data.get("slice_id"))
    if chart is None:
        raise _refusal("names no chart")
    if viz is not None:
        allowed.check_legacy(viz, chart)
    else:
        allowed.check_chart(query_context, chart)


def _get(model: Any, number: Any) -> Any:
    return db.session.get(model, number) if isinstance(number, int) and not isinstance(number, bool) else None


def _refusal(why: str) -> TenancyRefusal:
    return TenancyRefusal(f"A guest sees what the dashboard shows. This request {why}.")


class _Allowed:
    """What a dashboard's guests may ask."""

    def __init__(self, dashboard: Dashboard) -> None:
        metadata = _json(dashboard.json_metadata)
        filters = metadata.get("native_filter_configuration") or []
        self.filters = {one.get("id"): one for one in filters if isinstance(one, dict)}
        self.charts = dashboard.slices

    def _columns_to_filter(self, datasource: Any) -> set[str]:
        """Targets of native filters, what charts are grouped by (which is what a click on them filters), and times."""
        columns = {_name(target.get("column")) for one in self.filters.values() for target in one.get("targets") or ()}
        for chart in self.charts:
            params = _json(chart.params)
            for name in ("groupby", "columns", "groupbyColumns", "groupbyRows", "series", "entity", "x_axis", "all_columns"):
                columns |= {column for column in _list(params.get(name)) if isinstance(column, str)}
        columns |= {column.column_name for column in datasource.columns if column.is_dttm}
        return {column for column in columns if column}

    def check_chart(self, query_context: Any, chart: Slice) -> None:
        params, saved = _json(chart.params), _json(chart.query_context)
        queries = [query for query in saved.get("queries") or [] if isinstance(query, dict)]
        if query_context.result_type not in _RESULTS:
            raise _refusal("asks for something else than the chart's result")
        for query in query_context.queries:
            self._check_query(query, query_context.datasource, params, queries)

    def _check_query(self, query: Any, datasource: Any, params: dict, saved: list[dict]) -> None:
        if query.result_type not in (None, *_RESULTS):
            raise _refusal("asks for something else than the chart's result")
        for name in ("metrics", "columns", "series_columns", "orderby", "annotation_layers"):
            known = _values(params, saved, name, *(("groupby", "x_axis") if name.endswith("columns") else ()))
            known |= {_frozen(metric) for metric in _list(params.get("metric"))} if name == "metrics" else set()
            if any(_frozen(value) not in known for value in getattr(query, name, None) or ()):
                raise _refusal(f"has other {name.replace('_', ' ')} than the chart")
        self._check_conditions(query, datasource, params, saved)
        self._check_rows(query, params, saved)

    def _check_conditions(self, query: Any, datasource: Any, params: dict, saved: list[dict]) -> None:
        extras = query.extras or {}
        for clause in ("where", "having"):
            typed = [one for one in _list(params.get("adhoc_filters")) if isinstance(one, dict)]
            known = {_text((one.get("extras") or {}).get(clause)) for one in saved} | {""}
            known.add(" AND ".join(f"({one['sqlExpression']})" for one in typed if _is_sql(one, clause)))
            if _text(extras.get(clause)) not in known:
                raise _refusal(f"has another {clause.upper()} than the chart")
        self._check_filters(query.filter, datasource, [one for of in saved for one in of.get("filters") or ()])

    def _check_filters(self, filters: Iterable[dict], datasource: Any, saved: list[dict]) -> None:
        columns = self._columns_to_filter(datasource)
        known = {_frozen(one.get("col")) for one in saved if isinstance(one, dict)}
        for one in filters or ():
            column = one.get("col")
            if not (_frozen(column) in known or (isinstance(column, str) and column in columns)):
                raise _refusal("filters by a column that the dashboard does not filter by")

    @staticmethod
    def _check_rows(query: Any, params: dict, saved: list[dict]) -> None:
        is_paged = bool(params.get("server_pagination"))
        limits = [one.get("row_limit") for one in saved] + [params.get("row_limit")]
        numbers = [int(limit) for limit in limits if str(limit).isdigit() and int(limit) > 0]
        if numbers and not is_paged and query.row_limit and query.row_limit > max(numbers):
            raise _refusal("asks for more rows than the chart")
        if (query.row_offset or query.is_rowcount) and not is_paged:
            raise _refusal("asks for other rows than the chart")

    def check_native_filter(self, query_context: Any, number: Any) -> None:
        one = self.filters.get(number)
        if one is None:
            raise _refusal("names no filter of the dashboard")
        if query_context.result_type not in _RESULTS | _CHOICES:
            raise _refusal("asks for something else than a filter's values")
        targets = {_name(target.get("column")) for target in one.get("targets") or ()} - {""}
        metric = _frozen(one.get("sortMetric"))
        typed = [part for part in one.get("adhoc_filters") or () if isinstance(part, dict)]
        for query in query_context.queries:
            of_filter = [
                *(name not in targets for name in query.columns or ()),
                *(not (_frozen(value) == metric or _is_range(value, targets)) for value in query.metrics or ()),
                query.result_type not in (None, *_RESULTS, *_CHOICES),
                bool(query.series_columns) or bool(query.annotation_layers) or bool(query.row_offset) or query.is_rowcount,
                *(
                    _text((query.extras or {}).get(clause))
                    not in {"", " AND ".join(f"({part['sqlExpression']})" for part in typed if _is_sql(part, clause))}
                    for clause in ("where", "having")
                ),
                *(_sorted_by(by) not in {*targets, one.get("sortMetric"), metric} for by in query.orderby or ()),
            ]
            if any(of_filter):
                raise _refusal("asks for something else than a filter's values")
            saved = [{"col": part.get("subject")} for part in typed]
            self._check_filters(query.filter, query_context.datasource, saved)

    def check_legacy(self, viz: Any, chart: Slice) -> None:
        """The chart as it was saved, field by field."""
        params = {**_json(chart.params), "viz_type": chart.viz_type}
        if viz.form_data.get("viz_type") != params["viz_type"] or viz.datasource != chart.datasource:
            raise _refusal("asks for another chart than the saved one")
        for name, value in viz.form_data.items():
            if name not in _FROM_PAGE and value not in (None, "", [], {}) and _frozen(value) != _frozen(params.get(name)):
                raise _refusal(f'has another "{name}" than the chart')
        if _frozen(viz.form_data.get("annotation_layers") or []) != _frozen(params.get("annotation_layers") or []):
            raise _refusal("has other annotations than the chart")
        typed = {_frozen(_question(one)) for one in _list(params.get("adhoc_filters"))}
        columns = self._columns_to_filter(viz.datasource)
        for one in _conditions(viz.form_data):
            if _frozen(_question(one)) not in typed and not (
                one.get("expressionType", "SIMPLE") == "SIMPLE" and (one.get("subject") or one.get("col")) in columns
            ):
                raise _refusal("filters by a column that the dashboard does not filter by")


def _conditions(form_data: dict) -> Iterator[dict]:
    extra = form_data.get("extra_form_data") or {}
    for source in (form_data, extra if isinstance(extra, dict) else {}):
        for name in ("adhoc_filters", "filters", "extra_filters"):
            for one in _list(source.get(name)):
                yield one if isinstance(one, dict) else {"expressionType": "SQL"}


def _question(condition: Any) -> Any:
    names = ("expressionType", "sqlExpression", "subject", "operator", "comparator", "clause")
    return {name: condition.get(name) for name in names} if isinstance(condition, dict) else condition


def _values(params: dict, saved: list[dict], *names: str) -> set[str]:
    sources = [params, *saved]
    aliases = [*names, *(("columns",) if "series_columns" in names else ())]
    return {_frozen(value) for source in sources for name in aliases for value in _list(source.get(name))}


def _is_sql(condition: dict, clause: str) -> bool:
    return condition.get("expressionType") == "SQL" and str(condition.get("clause")).lower() == clause


def _is_range(metric: Any, targets: set[str]) -> bool:
    return (
        isinstance(metric, dict)
        and metric.get("expressionType") == "SIMPLE"
        and metric.get("aggregate") in _RANGE
        and _name(metric.get("column")) in targets
    )


def _sorted_by(by: Any) -> Any:
    column = by[0] if isinstance(by, list | tuple) and by else by
    return column if isinstance(column, str) else _frozen(column)


def _name(column: Any) -> str:
    name = (column.get("name") or column.get("column_name") or column.get("columnName")) if isinstance(column, dict) else column
    return name if isinstance(name, str) else ""


def _text(clause: Any) -> str:
    return clause or ""


def _list(value: Any) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def _json(text: Any) -> dict:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _frozen(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
