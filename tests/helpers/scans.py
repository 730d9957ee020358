"""What the scans of a plan that was carried out read, as EXPLAIN (ANALYZE, FORMAT JSON) tells it."""

from collections.abc import Collection
from typing import Any


def rows_read(plan: dict[str, Any], tables: Collection[str]) -> list[float]:
    """Returns how many rows each scan of one of the tables read, those it threw away too."""
    below = [rows for child in plan.get("Plans", []) for rows in rows_read(child, tables)]
    if plan.get("Relation Name") not in tables or plan["Node Type"] == "ModifyTable":
        return below
    rows_each = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return [rows_each * plan["Actual Loops"], *below]
