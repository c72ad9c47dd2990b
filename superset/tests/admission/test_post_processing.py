"""Post-processing within bounds: what is over one is refused with the option's name and what is allowed."""

import pytest

from world import adhoc, rows

#: An operation that no dashboard asks for, and what the answer names.
OVER = {
    "histogram of 100,000 bins": ("histogram", {"column": "n", "bins": 100_000}, "histogram.bins"),
    "histogram of no bins": ("histogram", {"column": "n", "bins": 0}, "histogram.bins"),
    "histogram that counts its bins itself": ("histogram", {"column": "n", "bins": "fd"}, "histogram.bins"),
    "histogram of a list of bins": ("histogram", {"column": "n", "bins": [1, 2]}, "histogram.bins"),
    "histogram of many groups": ("histogram", {"column": "n", "groupby": ["n"] * 21, "bins": 5}, "histogram.groupby"),
    "rolling window": ("rolling", {"rolling_type": "mean", "columns": {"n": "n"}, "window": 10**8}, "rolling.window"),
    "rolling window of a text": ("rolling", {"rolling_type": "mean", "columns": {"n": "n"}, "window": "1ns"}, "rolling.window"),
    "rolling with another engine": (
        "rolling",
        {"rolling_type": "mean", "columns": {"n": "n"}, "window": 2, "rolling_type_options": {"engine": "numba"}},
        "rolling.rolling_type_options",
    ),
    "rolling by any function": ("rolling", {"rolling_type": "apply", "columns": {"n": "n"}, "window": 2}, "rolling.rolling_type"),
    "rolling min_periods": (
        "rolling",
        {"rolling_type": "sum", "columns": {"n": "n"}, "window": 2, "min_periods": -1},
        "rolling.min_periods",
    ),
    "resample by a long rule": ("resample", {"rule": "1" * 5000 + "D", "method": "sum"}, "resample.rule"),
    "resample by any method": ("resample", {"rule": "1D", "method": "to_pickle"}, "resample.method"),
    "resample fill_value": ("resample", {"rule": "1D", "method": "asfreq", "fill_value": [1] * 100}, "resample.fill_value"),
    "prophet periods": ("prophet", {"time_grain": "P1D", "periods": 10**7, "confidence_interval": 0.8}, "prophet.periods"),
    "prophet seasonality": (
        "prophet",
        {"time_grain": "P1D", "periods": 1, "confidence_interval": 0.8, "yearly_seasonality": 10**6},
        "prophet.yearly_seasonality",
    ),
    "prophet confidence": (
        "prophet",
        {"time_grain": "P1D", "periods": 1, "confidence_interval": 7},
        "prophet.confidence_interval",
    ),
    "diff periods": ("diff", {"columns": {"n": "n"}, "periods": 10**12}, "diff.periods"),
    "diff axis": ("diff", {"columns": {"n": "n"}, "axis": 7}, "diff.axis"),
    "cum operator": ("cum", {"operator": "mangle", "columns": {"n": "n"}}, "cum.operator"),
    "cum columns": ("cum", {"operator": "sum", "columns": {str(i): "n" for i in range(5000)}}, "cum.columns"),
    "compare precision": (
        "compare",
        {"source_columns": ["n"], "compare_columns": ["n"], "compare_type": "ratio", "precision": 10**9},
        "compare.precision",
    ),
    "boxplot percentiles": (
        "boxplot",
        {"groupby": [], "metrics": ["n"], "whisker_type": "percentile", "percentiles": [1, 10**6]},
        "boxplot.percentiles",
    ),
    "boxplot metrics": ("boxplot", {"groupby": [], "metrics": ["n"] * 51, "whisker_type": "tukey"}, "boxplot.metrics"),
    "aggregate of many percentiles": (
        "aggregate",
        {"groupby": [], "aggregates": {"p": {"column": "n", "operator": "percentile", "options": {"q": [1] * 10**5}}}},
        "aggregate.aggregates",
    ),
    "aggregate groups": ("aggregate", {"groupby": ["n"] * 51, "aggregates": {}}, "aggregate.groupby"),
    "pivot index": ("pivot", {"index": ["n"] * 21, "aggregates": {"n": {"operator": "sum"}}}, "pivot.index"),
    "pivot aggregates": (
        "pivot",
        {"index": ["n"], "aggregates": {str(i): {"operator": "sum"} for i in range(2000)}},
        "pivot.aggregates",
    ),
    "pivot fill value": (
        "pivot",
        {"index": ["n"], "aggregates": {"n": {"operator": "sum"}}, "metric_fill_value": "x" * 10**6},
        "pivot.metric_fill_value",
    ),
    "contribution time shifts": ("contribution", {"time_shifts": ["1 day ago"] * 51}, "contribution.time_shifts"),
    "sort": ("sort", {"by": ["n"] * 5000}, "sort.by"),
    "rename": ("rename", {"columns": {str(i): "x" for i in range(5000)}}, "rename.columns"),
    "an option that does not exist": ("flatten", {"to_sql": "x"}, "flatten.to_sql"),
}


def ask(me, *operations, **query):
    query = {"metrics": [adhoc("COUNT(*)")], **query}
    return me.viewer.chart_data(
        me.datasets["orders"], dashboard=me.dashboard, chart=me.chart, post_processing=list(operations), **query
    )


def operation(name, options):
    return {"operation": name, "options": options}


class TestOptions:
    @pytest.mark.parametrize("case", OVER)
    def test_over_the_bound(self, me, case):
        name, options, named = OVER[case]
        answer = ask(me, operation(name, options))
        assert answer.status_code == 400, answer.text
        assert f"Post-processing: {named} is" in answer.text and "allowed is" in answer.text, answer.text

    def test_a_function_that_is_no_operation(self, me):
        answer = ask(me, operation("escape_separator", {}))
        assert answer.status_code == 400

    def test_many_operations(self, me):
        answer = ask(me, *[operation("flatten", {})] * 21)
        assert answer.status_code == 400 and "at most 20" in answer.text


class TestSizes:
    """What depends on the rows."""

    @pytest.fixture
    def checked(self, app):
        """Runs operations on a table as Superset does after a query."""
        from superset.common.query_object import QueryObject

        def run(frame, *operations):
            with app.test_request_context():
                return QueryObject(post_processing=list(operations)).exec_post_processing(frame)

        return run

    @pytest.fixture
    def refuses(self, checked):
        from superset.exceptions import QueryObjectValidationError

        def run(frame, *operations):
            with pytest.raises(QueryObjectValidationError, match="Post-processing"):
                checked(frame, *operations)

        return run

    def test_resample_of_years_by_the_nanosecond(self, checked, refuses):
        import pandas as pd

        days = pd.DataFrame({"n": [1, 2]}, index=pd.to_datetime(["2020-01-01", "2026-01-01"]))
        refuses(days, operation("resample", {"rule": "1N", "method": "asfreq"}))
        refuses(days, operation("resample", {"rule": "1S", "method": "ffill"}))
        assert len(checked(days, operation("resample", {"rule": "1D", "method": "asfreq"}))) == 2193

    def test_resample_by_no_frequency(self, refuses):
        import pandas as pd

        days = pd.DataFrame({"n": [1, 2]}, index=pd.to_datetime(["2020-01-01", "2026-01-01"]))
        refuses(days, operation("resample", {"rule": "nonsense", "method": "asfreq"}))

    def test_pivot_of_all_combinations(self, checked, refuses):
        import pandas as pd

        def pivot(rows):
            frame = pd.DataFrame({"a": range(rows), "b": range(rows), "n": range(rows)})
            return frame, operation(
                "pivot",
                {"index": ["a"], "columns": ["b"], "aggregates": {"n": {"operator": "mean"}}, "drop_missing_columns": False},
            )

        refuses(*pivot(2000))
        assert checked(*pivot(100)).shape == (100, 100)

    def test_boxplot_of_a_group_for_each_row(self, checked, refuses):
        import pandas as pd

        def boxplot(rows):
            frame = pd.DataFrame({"a": range(rows), "n": range(rows)})
            return frame, operation("boxplot", {"groupby": ["a"], "metrics": ["n"], "whisker_type": "tukey"})

        refuses(*boxplot(50_000))
        assert len(checked(*boxplot(50))) == 50

    def test_histogram_of_many_groups(self, checked, refuses):
        import pandas as pd

        def histogram(rows):
            frame = pd.DataFrame({"a": range(rows), "n": range(rows)})
            return frame, operation("histogram", {"column": "n", "groupby": ["a"], "bins": 1000})

        refuses(*histogram(5000))
        assert len(checked(*histogram(50))) == 50


_PIVOT = {"index": ["product"], "columns": [], "aggregates": {"n": {"operator": "mean"}}, "drop_missing_columns": False}
_MEDIAN = {"n": {"operator": "percentile", "column": "n", "options": {"q": 50}}}
_BOXES = {"metrics": ["n"], "whisker_type": "tukey", "percentiles": None}

CHARTS = [
    [operation("histogram", {"column": "n", "groupby": [], "bins": 10, "cumulative": False, "normalize": False})],
    [operation("pivot", _PIVOT), operation("flatten", {})],
    [operation("cum", {"operator": "sum", "columns": {"n": "n"}})],
    [operation("rolling", {"rolling_type": "mean", "window": 7, "min_periods": 0, "columns": {"n": "n"}})],
    [operation("contribution", {"orientation": "column", "columns": ["n"], "rename_columns": ["%n"]})],
    [operation("boxplot", {**_BOXES, "groupby": ["product"]})],
    [operation("boxplot", {**_BOXES, "groupby": [], "whisker_type": "percentile", "percentiles": [10, 90]})],
    [operation("rank", {"metric": "n", "group_by": "product"})],
    [operation("rename", {"columns": {"n": "orders"}}), operation("sort", {"by": "orders", "ascending": False})],
    [operation("aggregate", {"groupby": [], "aggregates": _MEDIAN})],
]


class TestCharts:
    """What dashboards ask for works."""

    @pytest.mark.parametrize("operations", CHARTS, ids=lambda operations: operations[0]["operation"])
    def test_of_superset(self, me, operations):
        answer = ask(me, *operations, columns=["product"])
        assert rows(answer), answer.text

    def test_a_time_series_as_explore_makes_it(self, me):
        axis = {"timeGrain": "P1D", "columnType": "BASE_AXIS", "sqlExpression": "ordered_at", "label": "ordered_at"}
        pivot = {"index": ["ordered_at"], "columns": ["product"], "aggregates": {"n": {"operator": "mean"}}}
        answer = me.analyst.chart_data(
            me.datasets["orders"],
            metrics=[adhoc("COUNT(*)")],
            columns=[{**axis, "expressionType": "SQL"}, "product"],
            post_processing=[
                operation("pivot", {**pivot, "drop_missing_columns": False}),
                operation("resample", {"rule": "1D", "method": "asfreq", "fill_value": 0}),
                operation("flatten", {}),
            ],
        )
        assert rows(answer), answer.text
