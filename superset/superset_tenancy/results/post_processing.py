"""Bounds on post-processing: Superset computes with pandas what a chart asks for, after the query.

The options are checked before the query runs. How large the outcome of an operation becomes depends on the rows, so that is
computed before each operation from what the operation is given.
"""

from typing import Any

import pandas as pd
from superset.exceptions import QueryObjectValidationError

from superset_tenancy.results.limits import OF_RESULT
from superset_tenancy.results.operation_rules import OPERATIONS

MAX_OPERATIONS = 20
#: Calls of a function in Python, one for each group and aggregate: about 50 µs each.
MAX_GROUPS = 100_000


def check_options(operations: list[Any]) -> None:
    """Raises unless each operation is known, and each of its options within its bounds."""
    if len(operations) > MAX_OPERATIONS:
        raise refused("post_processing", f"{len(operations)} operations", f"at most {MAX_OPERATIONS}")
    for operation in operations:
        name = operation.get("operation") if isinstance(operation, dict) else operation
        rules = OPERATIONS.get(name) if isinstance(name, str) else None
        if rules is None:
            raise refused("post_processing", name, "one of " + ", ".join(OPERATIONS))
        options = operation.get("options") or {}
        if not isinstance(options, dict):
            raise refused(f"{name}.options", options, "an object")
        for option, value in options.items():
            if option not in rules:
                raise refused(f"{name}.{option}", value, "one of the options " + ", ".join(rules))
            if allowed := rules[option](value):
                raise refused(f"{name}.{option}", value, allowed)


def check_size(frame: pd.DataFrame, name: str, options: dict[str, Any]) -> None:
    """Raises if the operation would compute too much from these rows."""
    cells, groups = _SIZES.get(name, _unchanged)(frame, options)
    if cells > OF_RESULT.cells:
        raise refused(name, f"a table of {cells:,} values", f"at most {OF_RESULT.cells:,}: group or filter more")
    if groups > MAX_GROUPS:
        raise refused(name, f"{groups:,} groups", f"at most {MAX_GROUPS:,}: group or filter more")


def refused(what: str, given: Any, allowed: str) -> QueryObjectValidationError:
    shown = repr(given) if not isinstance(given, str) else given
    return QueryObjectValidationError(f"Post-processing: {what} is {shown[:100]}; allowed is {allowed}.")


def _unchanged(frame: pd.DataFrame, _options: dict[str, Any]) -> tuple[int, int]:
    return frame.size, 0


def _groups_of(frame: pd.DataFrame, columns: Any, all_combinations: bool = False) -> int:
    columns = [column for column in _listed(columns) if column in frame]
    if not columns:
        return 1
    if all_combinations:
        groups = 1
        for column in columns:
            groups *= frame[column].nunique(dropna=False)
        return groups
    return int((~frame.duplicated(subset=columns)).sum())


def _listed(columns: Any) -> list:
    return [columns] if isinstance(columns, str) else list(columns or ())


def _of_aggregate(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    groups = _groups_of(frame, options.get("groupby")) * max(len(options.get("aggregates") or ()), 1)
    return groups, groups


def _of_boxplot(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    groups = _groups_of(frame, options.get("groupby")) * max(len(_listed(options.get("metrics"))), 1) * 8
    return groups, groups


def _of_histogram(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    groups = _groups_of(frame, options.get("groupby"))
    return groups * options.get("bins", 5), groups


def _of_pivot(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    index, columns = _listed(options.get("index")), _listed(options.get("columns"))
    aggregates = max(len(options.get("aggregates") or ()), 1)
    everything = options.get("drop_missing_columns") is False
    rows = _groups_of(frame, index, everything)
    cells = rows * _groups_of(frame, columns, everything) * aggregates
    return cells, _groups_of(frame, index + columns) * aggregates


def _of_rank(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    return frame.size, _groups_of(frame, options.get("group_by"))


def _of_resample(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    if not isinstance(frame.index, pd.DatetimeIndex) or frame.empty:
        return frame.size, 0
    try:
        offset = pd.tseries.frequencies.to_offset(options.get("rule"))
    except ValueError as error:
        raise refused("resample.rule", options.get("rule"), "a frequency of pandas, such as 1D or 1H") from error
    if offset is None or offset.n < 1:
        raise refused("resample.rule", options.get("rule"), "a frequency of pandas above 0, such as 1D or 1H")
    span = frame.index.max() - frame.index.min()
    # A frequency of no fixed length is a business day at least.
    step = pd.Timedelta(offset) if isinstance(offset, pd.offsets.Tick) else pd.Timedelta(hours=1)
    return (int(span / step) + 2) * max(len(frame.columns), 1), 0


def _of_prophet(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    """A model for each series takes about a second."""
    series = max(len(frame.columns) - 1, 0)
    if series > 20:
        raise refused("prophet", f"{series} series", "at most 20")
    return (len(frame) + options.get("periods", 0)) * series * 4, 0


def _of_win_type(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[int, int]:
    """Weights make each value of the outcome a sum over its window."""
    weighted = frame.size * (options.get("window") or 1) if options.get("win_type") else 0
    return frame.size * 2, weighted // 10_000


_SIZES = {
    "aggregate": _of_aggregate,
    "boxplot": _of_boxplot,
    "histogram": _of_histogram,
    "pivot": _of_pivot,
    "prophet": _of_prophet,
    "rank": _of_rank,
    "resample": _of_resample,
    "rolling": _of_win_type,
}
