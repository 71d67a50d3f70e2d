"""Recompute the marts' numbers from the raw files with pandas and libraries, and compare.

No code is shared with the layer's SQL: where the two agree, both are right or both misread the same
sentence of the definition.
"""

import functools
import json
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import click
import duckdb
import numpy as np
import oracles
import pandas as pd
from oracles.raw_tables import RawTables
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).resolve().parents[1]
console = Console()


def families() -> dict[str, ModuleType]:
    """The modules of oracles that recompute marts, by name."""
    modules = {
        part.name: import_module(f"oracles.{part.name}") for part in iter_modules(oracles.__path__)
    }
    return {name: module for name, module in modules.items() if hasattr(module, "recompute")}


@functools.cache
def recompute(family: str, raw: Path, warehouse: Path) -> dict[str, pd.DataFrame]:
    """Recompute the marts of a family, once for those who compare several warehouses with it.

    Args:
        family: a name of `families`.
        raw: the folder of raw tables.
        warehouse: the file that lists which groups are suppressed.

    Returns:
        {mart: its key columns and recomputed values}.
    """
    return families()[family].recompute(RawTables(raw, warehouse))


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
    if expected.empty:  # of no rows pandas does not know the types
        expected = expected.astype(found[key].dtypes)
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
        if all(_is_number(column) for column in (ours, theirs)):
            off = _apart(name, ours, theirs)
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


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _apart(name: str, ours: pd.Series, theirs: pd.Series) -> pd.Series:
    """How far two columns are apart, relative to the larger of the mart's number and 1."""
    if name.endswith("standard_error"):
        # What is computed is the variance. One that is truly 0 is 0 to sixteen digits, and its root
        # to eight: errors are compared by their squares, per unit of the larger error.
        larger = np.maximum(ours, theirs).clip(lower=1e-7)
        return (ours**2 - theirs**2).abs() / larger
    if name == "z":  # a root too, with a sign
        ours, theirs = ours * ours.abs(), theirs * theirs.abs()
    return (ours - theirs).abs() / theirs.abs().clip(lower=1)


def key_of(name: str, manifest: dict) -> list[str]:
    """The columns that tell a mart's rows apart: those of its unique_key test.

    Raises:
        click.ClickException: it has no such test.
    """
    for node in manifest["nodes"].values():
        metadata = node.get("test_metadata") or {}
        if metadata.get("name") == "unique_key" and (node.get("attached_node") or "").endswith(
            f".{name.split('.')[1]}"
        ):
            return metadata["kwargs"]["columns"]
    raise click.ClickException(f"{name} has no test unique_key, so that its rows have no key.")


@click.command()
@click.option("--raw", type=click.Path(path_type=Path), default=PROJECT / "data" / "raw",
              show_default="data/raw", help="The folder of raw tables.")  # fmt: skip
@click.option("--warehouse", type=click.Path(path_type=Path),
              default=PROJECT / "data" / "warehouse.duckdb", show_default="data/warehouse.duckdb",
              help="The DuckDB file that was built from them.")  # fmt: skip
@click.option("--manifest", type=click.Path(path_type=Path),
              default=PROJECT / "target" / "manifest.json", show_default="target/manifest.json",
              help="dbt's manifest of that build.")  # fmt: skip
@click.option("--family", multiple=True, help="Only these modules of scripts/oracles.")
@click.option("--tolerance", default=1e-9, show_default=True, help="The largest difference.")
def main(
    raw: Path, warehouse: Path, manifest: Path, family: tuple[str, ...], tolerance: float
) -> None:
    """Recompute the marts' numbers from RAW by other means, and compare them with WAREHOUSE.

    Exit codes: 0 all agree; 1 something differs; 2 wrong usage.
    """
    known = families()
    unknown = set(family) - set(known)
    if unknown:
        raise click.UsageError(f"no family {', '.join(unknown)}; there are {', '.join(known)}")
    nodes = json.loads(manifest.read_text())
    table = Table("mart", "rows", "columns", "largest difference", "verdict")
    failed = False
    for name, module in known.items():
        if family and name not in family:
            continue
        with console.status(f"Recomputing {name}"):
            recomputed = recompute(name, raw, warehouse)
        for mart, expected in recomputed.items():
            # Where a metric has but one version, the oracle says none.
            key = [
                column
                for column in key_of(mart, nodes)
                if column != "metric_version" or column in expected
            ]
            scope = getattr(module, "SCOPE", {}).get(mart, "true")
            allowed = getattr(module, "TOLERANCES", {}).get(mart, tolerance)
            with duckdb.connect(warehouse, read_only=True) as connection:
                found = connection.sql(f"from {mart} where {scope}").df()
            largest, problems = difference(expected, found, key)
            agrees = not problems and largest <= allowed
            failed |= not agrees
            verdict = "[green]agrees" if agrees else "[red]differs"
            values = len(expected.columns) - len(key)
            table.add_row(mart, f"{len(expected):,}", str(values), f"{largest:.1e}", verdict)
            for problem in problems:
                console.print(f"{mart}: {problem}", style="red", highlight=False)
    console.print(table)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
