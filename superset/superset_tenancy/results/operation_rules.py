"""What post-processing may be asked for: each operation with each of its options, and nothing else.

A rule gets the option's value and returns None, or what is allowed instead.
"""

from collections.abc import Callable
from typing import Any

Rule = Callable[[Any], str | None]

MAX_NAMES = 1000
MAX_TEXT = 1000


def whole_number(least: int, most: int, optional: bool = True) -> Rule:
    def rule(value: Any) -> str | None:
        ok = (value is None and optional) or (isinstance(value, int) and not isinstance(value, bool) and least <= value <= most)
        return None if ok else f"a whole number from {least:,} to {most:,}"

    return rule


def number(least: float, most: float) -> Rule:
    def rule(value: Any) -> str | None:
        ok = value is None or (isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most)
        return None if ok else f"a number from {least:,} to {most:,}"

    return rule


def text(most: int = MAX_TEXT) -> Rule:
    def rule(value: Any) -> str | None:
        return None if value is None or (isinstance(value, str) and len(value) <= most) else f"a text of at most {most:,} letters"

    return rule


def one_of(*allowed: Any) -> Rule:
    def rule(value: Any) -> str | None:
        ok = any(value == choice and type(value) is type(choice) for choice in allowed)
        return None if ok else "one of " + ", ".join(map(str, allowed))

    return rule


def flag(value: Any) -> str | None:
    return None if value is None or isinstance(value, bool) else "true or false"


def scalar(value: Any) -> str | None:
    ok = value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= MAX_TEXT)
    return None if ok else f"a number, or a text of at most {MAX_TEXT:,} letters"


def names(most: int = MAX_NAMES) -> Rule:
    """A list of columns, or one of them."""

    def rule(value: Any) -> str | None:
        ok = value is None or isinstance(value, str) or (isinstance(value, list) and len(value) <= most)
        return None if ok and all(isinstance(name, str | int) for name in value or ()) else f"at most {most:,} names of columns"

    return rule


def renaming(value: Any) -> str | None:
    """Names of columns to other names."""
    ok = value is None or (isinstance(value, dict) and len(value) <= MAX_NAMES)
    ok = ok and all(new is None or isinstance(new, str | int) for new in (value or {}).values())
    return None if ok else f"at most {MAX_NAMES:,} names of columns with their new names"


def numbers_by_name(value: Any) -> str | None:
    ok = value is None or (isinstance(value, dict) and len(value) <= MAX_NAMES)
    ok = ok and all(total is None or isinstance(total, int | float) for total in (value or {}).values())
    return None if ok else f"at most {MAX_NAMES:,} names of columns with a number"


def flags(value: Any) -> str | None:
    ok = isinstance(value, bool) or (isinstance(value, list) and len(value) <= MAX_NAMES)
    return None if ok else "true or false, or a list of them"


def percentiles(value: Any) -> str | None:
    ok = value is None or (isinstance(value, list) and len(value) == 2)
    ok = ok and all(number(0, 100)(percent) is None and percent is not None for percent in value or ())
    return None if ok else "two numbers from 0 to 100"


def options_of(**rules: Rule) -> Rule:
    """An object with these options and no others."""

    def rule(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            return "an object"
        for name, given in value.items():
            if name not in rules:
                return "an object with " + ", ".join(rules)
            if allowed := rules[name](given):
                return f"an object whose {name} is {allowed}"
        return None

    return rule


_OF_AGGREGATE = options_of(
    column=text(),
    operator=text(100),
    options=options_of(q=number(0, 100), ddof=whole_number(0, 10), axis=whole_number(0, 0)),
)


def aggregates(value: Any) -> str | None:
    if not isinstance(value, dict) or len(value) > MAX_NAMES:
        return f"at most {MAX_NAMES:,} names with a column and an operator"
    return next((f"names with {allowed}" for given in value.values() if (allowed := _OF_AGGREGATE(given))), None)


_SEASONS = ("auto", "additive", "multiplicative")


def seasonality(value: Any) -> str | None:
    if value is None or isinstance(value, bool) or value in _SEASONS:
        return None
    return whole_number(0, 50)(int(value) if isinstance(value, str) and value.isdecimal() else value)


#: What a dashboard of Superset 6.1 asks for, with room above what its forms offer.
OPERATIONS: dict[str, dict[str, Rule]] = {
    "aggregate": {"groupby": names(50), "aggregates": aggregates},
    "boxplot": {
        "groupby": names(50),
        "metrics": names(50),
        "whisker_type": one_of("tukey", "min/max", "percentile"),
        "percentiles": percentiles,
    },
    "compare": {
        "source_columns": names(),
        "compare_columns": names(),
        "compare_type": one_of("difference", "percentage", "ratio"),
        "drop_original_columns": flag,
        "precision": whole_number(0, 20),
    },
    "contribution": {
        "orientation": one_of("column", "row"),
        "columns": names(),
        "time_shifts": names(50),
        "rename_columns": names(),
        "contribution_totals": numbers_by_name,
    },
    "cum": {"operator": one_of("sum", "prod", "min", "max"), "columns": renaming},
    "diff": {"columns": renaming, "periods": whole_number(-10_000, 10_000), "axis": one_of(0, 1)},
    "flatten": {"reset_index": flag, "drop_levels": names(50)},
    "geodetic_parse": {"geodetic": text(), "longitude": text(), "latitude": text(), "altitude": text()},
    "geohash_decode": {"geohash": text(), "longitude": text(), "latitude": text()},
    "geohash_encode": {"geohash": text(), "longitude": text(), "latitude": text()},
    "histogram": {
        "column": text(),
        "groupby": names(20),
        "bins": whole_number(1, 1000, optional=False),
        "cumulative": flag,
        "normalize": flag,
    },
    "pivot": {
        "index": names(20),
        "columns": names(20),
        "aggregates": aggregates,
        "metric_fill_value": scalar,
        "column_fill_value": scalar,
        "drop_missing_columns": flag,
        "combine_value_with_metric": flag,
        "marginal_distributions": flag,
        "marginal_distribution_name": text(),
    },
    "prophet": {
        "time_grain": text(100),
        "periods": whole_number(0, 1000, optional=False),
        "confidence_interval": number(0, 1),
        "yearly_seasonality": seasonality,
        "weekly_seasonality": seasonality,
        "daily_seasonality": seasonality,
        "index": text(),
    },
    "rank": {"metric": text(), "group_by": text()},
    "rename": {"columns": renaming, "inplace": flag, "level": scalar},
    "resample": {
        "rule": text(30),
        "method": one_of("asfreq", "bfill", "ffill", "linear", "median", "mean", "sum"),
        "fill_value": number(-1e15, 1e15),
    },
    "rolling": {
        "rolling_type": one_of(
            "count", "corr", "cov", "kurt", "max", "mean", "median", "min", "std", "skew", "sum", "var", "quantile"
        ),
        "columns": renaming,
        "window": whole_number(1, 10_000),
        "rolling_type_options": options_of(
            quantile=number(0, 1), q=number(0, 1), ddof=whole_number(0, 10), std=number(0, 1e6), interpolation=text(20)
        ),
        "center": flag,
        "win_type": text(30),
        "min_periods": whole_number(0, 10_000),
    },
    "select": {"columns": names(), "exclude": names(), "rename": renaming},
    "sort": {"is_sort_index": flag, "by": names(), "ascending": flags},
}
