"""Recompute the marts' numbers from the raw files with pandas and libraries, and compare.

No code is shared with the layer's SQL: where the two agree, both are right or both misread the same
sentence of the definition.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import oracles
import pandas as pd
from rich.console import Console

PROJECT = Path(__file__).resolve().parents[1]
console = Console()


def families() -> dict[str, object]:
    """The modules of oracles that recompute marts, by name."""
    modules = {
        part.name: import_module(f"oracles.{part.name}") for part in iter_modules(oracles.__path__)
    }
    return {name: module for name, module in modules.items() if hasattr(module, "recompute")}


def difference(
    expected: pd.DataFrame, found: pd.DataFrame, key: list[str]
) -> tuple[float, list[str]]:
    """Compare a recomputed mart with the mart.

    Args:
        expected: what was recomputed: key columns and value columns.
        found: the mart.
        key: the columns that tell its rows apart.

    Returns:
        The largest difference of a number, relative to the larger of it and 1, and what cannot be
        expressed so: rows on one side only, a null on one side only, other texts.
    """
    problems: list[str] = []
    values = [column for column in expected.columns if column not in key]
    both = expected.merge(
        found[[*key, *values]], on=key, how="outer", indicator=True, suffixes=("", " found")
    )
    for side, text in (("left_only", "not in the mart"), ("right_only", "not recomputed")):
        alone = both[both["_merge"] == side]
        if len(alone):
            problems.append(f"{len(alone)} rows {text}, first {alone[key].iloc[0].to_dict()}")
    both = both[both["_merge"] == "both"]
    largest = 0.0
    for name in values:
        ours, theirs = both[name], both[f"{name} found"]
        apart = ours.isna() != theirs.isna()
        known = ~(ours.isna() | theirs.isna())
        if pd.api.types.is_numeric_dtype(ours) and pd.api.types.is_numeric_dtype(theirs):
            off = (ours - theirs).abs() / theirs.abs().clip(lower=1)
            largest = max(largest, float(off[known].max()) if known.any() else 0.0)
        else:
            apart |= known & (ours.astype(str) != theirs.astype(str))
        if apart.any():
            row = both[apart].iloc[0]
            problems.append(
                f"{name} differs in {int(apart.sum())} rows, first {row[key].to_dict()}: "
                f"recomputed {row[name]}, mart {row[f'{name} found']}"
            )
    return largest, problems
