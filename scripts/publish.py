"""Keep what was published, for good, and say what changed it since."""

import contextlib
import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from publishing import causes, ledger
from reporting.read import built, code_version, variables_of
from rich.console import Console
from rich.progress import track
from rich.table import Table

if TYPE_CHECKING:
    from publishing.on_spark import OnSpark

SHOWN = 20
LARGEST_GAP = 1e-9

# Of what is kept: files without a row have types too, so that all are read together.
OF_A_NUMBER = {
    "metric_id": pa.string(),
    "metric_version": pa.int64(),
    "period_type": pa.string(),
    "period_starts_on": pa.date32(),
    "dimension_name": pa.string(),
    "dimension_value": pa.string(),
}
SHARES = pa.schema(
    OF_A_NUMBER
    | {"period_status": pa.string(), "published_as_of": pa.timestamp("us")}
    | {name: pa.float64() for name in ("published", "current", "difference")}
    | {"cause": pa.string(), "share": pa.float64()}
)
KEY = list(OF_A_NUMBER)
ROWS = pa.schema(OF_A_NUMBER | {"cause": pa.string(), "audit_id": pa.string()})


@dataclass
class State:
    """The warehouse as it is now: what would be published."""

    publication: ledger.Publication
    numbers: pa.Table
    audits: pa.Table


def read_state(database: Path, manifest: Path, target: str | None = None) -> State:
    """What the built warehouse would publish.

    Args:
        database: the DuckDB file that dbt built.
        manifest: manifest.json of that build.
        target: a target of profiles.yml on Spark, to be read instead of the file.

    Raises:
        click.ClickException: one of them is not there, or was not built whole.
    """
    for path in (manifest,) if target else (database, manifest):
        if not path.exists():
            raise click.ClickException(f"{path} is not there: run `make build` first.")
    nodes: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))

    def state(warehouse: ledger.Built) -> State:
        definitions, code = ledger.fingerprints(warehouse, nodes, variables_of(manifest))
        return State(*ledger.current(warehouse, definitions, code, code_version()))

    if target:
        with on_spark(target) as warehouse:
            return state(warehouse)
    with duckdb.connect(database, read_only=True) as connection:
        try:
            return state(ledger.OnDuckDB(connection))
        except duckdb.CatalogException as error:
            raise click.ClickException(f"{database} was not built whole: {error}") from error


def on_spark(target: str) -> contextlib.AbstractContextManager["OnSpark"]:
    """A connection to a target on Spark."""
    from publishing.on_spark import connected  # noqa: PLC0415 (dbt takes seconds)

    return connected(target)


def register(target: str | None, name: str, files: Path) -> None:
    """Where the warehouse is on Spark, show files of the ledger as a table there."""
    if not target:
        return
    with on_spark(target) as warehouse:
        click.echo(f"On Spark they are {warehouse.register(name, files)}.")


def restatements(
    then: pd.DataFrame, audits_then: pd.DataFrame, state: State, changed_only: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The numbers of a publication beside today's, the differences, and their causes.

    Args:
        then: the numbers of the publication.
        audits_then: the audits behind them.
        state: today's.
        changed_only: leave out the numbers that did not move.

    Returns:
        A row per number and cause (cause null where the difference is not split), with the share;
        and a row per number, cause and audit that changed.
    """
    now = state.numbers.to_pandas()
    both = then.merge(now, on=KEY, how="left", suffixes=("_published", "_current"))
    both["difference"] = both["estimate_current"] - both["estimate_published"]
    moved = both["difference"].abs() > 1e-12
    gone = both["estimate_published"].notna() & both["estimate_current"].isna()
    if changed_only:
        both = both[moved | gone]
    is_code = bool(len(then)) and (
        then["definitions"].iloc[0] == state.publication.definitions
        and then["code"].iloc[0] != state.publication.code
    )
    changes = causes.compare(audits_then, state.audits.to_pandas(), is_code=is_code)
    otherwise = "code_changed" if is_code else "definition_changed"
    shares: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for number in track(
        both.to_dict("records"), "Looking for causes", console=Console(stderr=True), transient=True
    ):
        said = {name: number[name] for name in KEY} | {
            "period_status": number["period_status_published"],
            "published_as_of": number["as_of"],
            "published": number["estimate_published"],
            "current": number["estimate_current"],
            "difference": number["difference"],
        }
        split: dict[str, float] = {}
        metric = (number["metric_id"], number["metric_version"])
        if (
            metric in causes.CLASSES
            and number["dimension_name"] in causes.DIMENSIONS
            and pd.notna(number["difference"])
        ):
            part = causes.Slice(
                changes,
                metric,
                number["period_starts_on"],
                number["period_ends_on_published"],
                number["dimension_name"],
                number["dimension_value"],
            )
            found = causes.restate(part)
            # The rate by the published audits must be the published one; what is left when all that
            # the audits tell is taken into account is in how the mart makes a rate of them.
            if found.shares or abs(found.published - number["estimate_published"]) <= LARGEST_GAP:
                # What changes beside the slice, in its strata, moves nothing in it.
                split = {
                    cause: share for cause, share in found.shares.items() if abs(share) > 1e-15
                }
                left = number["difference"] - sum(split.values())
                if abs(left) > 1e-12:
                    split[otherwise] = split.get(otherwise, 0.0) + left
                rows += [
                    {name: number[name] for name in KEY} | {"cause": cause, "audit_id": audit}
                    for cause, ids in found.rows.items()
                    if cause in split
                    for audit in ids
                ]
        for cause, share in (split or {None: None}).items():
            shares.append(said | {"cause": cause, "share": share})
    columns = [*KEY, "period_status", "published_as_of", "published", "current", "difference"]
    return (
        pd.DataFrame(shares, columns=[*columns, "cause", "share"]),
        pd.DataFrame(rows, columns=[*KEY, "cause", "audit_id"]),
    )


def table_of(found: pd.DataFrame) -> Table:
    """Restatements as a table for people, the largest first."""
    table = Table(title="What is another number than was published", title_justify="left")
    for name in ("Metric", "Period", "Of"):
        table.add_column(name)
    for name in ("Published", "Current", "Points"):
        table.add_column(name, justify="right")
    table.add_column("Because of")
    order = found["difference"].abs().groupby([found[name] for name in KEY], dropna=False).max()
    for key in order.sort_values(ascending=False, na_position="first").index[:SHOWN]:
        rows = found
        for name, value in zip(KEY, key, strict=True):
            rows = rows[rows[name] == value]
        first = rows.iloc[0]
        why = [
            f"{row.cause.replace('_', ' ')} {100 * row.share:+.2f}"
            for row in rows.itertuples()
            if isinstance(row.cause, str)
        ]
        table.add_row(
            first["metric_id"].replace("_", " "),
            f"{first['period_type'].replace('_', ' ')} {first['period_starts_on']:%Y-%m-%d}",
            f"{first['dimension_name']} {first['dimension_value']}",
            f"{100 * first['published']:.2f} %",
            "-" if pd.isna(first["current"]) else f"{100 * first['current']:.2f} %",
            "-" if pd.isna(first["difference"]) else f"{100 * first['difference']:+.2f}",
            ", ".join(why) or "not split: see docs/reconciliation.md",
        )
    return table


on_a_target = click.option(
    "--target", help="A target of profiles.yml on Spark, to read instead of the database."
)


@click.group()
def main() -> None:
    """Keep what was published, for good, and say what changed it since."""


@main.command()
@built
@click.option("--store", type=click.Path(path_type=Path), show_default="published/, beside it",
              help="The folder of the ledger.")  # fmt: skip
@on_a_target
def add(database: Path, manifest: Path, store: Path | None, target: str | None) -> None:
    """Add the numbers of the last build to the ledger, unless this state is there already.

    Exit codes: 0 added, or there already; 1 it could not.
    """
    state = read_state(database, manifest, target)
    store = store or ledger.store_of(database)
    if ledger.publish(store, state.publication, state.numbers, state.audits):
        click.echo(f"Published {len(state.numbers):,} numbers as of {state.publication.as_of:%F %T}"
                   f" UTC: {store / state.publication.name}.")  # fmt: skip
    else:
        click.echo("This state is in the ledger already: nothing was added.")
    register(target, "numbers", store.resolve() / "*.parquet")


@main.command()
@built
@click.option("--store", type=click.Path(path_type=Path), show_default="published/, beside it",
              help="The folder of the ledger.")  # fmt: skip
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]),
              help="Compare with the last as of this day or before, not the last.")  # fmt: skip
@click.option("--largest-move", default=0.01, show_default=True,
              help="The most that a number published as final may move.")  # fmt: skip
@on_a_target
def changes(  # noqa: PLR0917 click gives them by name
    database: Path,
    manifest: Path,
    store: Path | None,
    since: Any,
    largest_move: float,
    target: str | None,
) -> None:
    """Say which published numbers are others now, by how much, and why.

    Exit codes: 0 no final number moved by more than that; 1 one did; 2 nothing was published.
    """
    state = read_state(database, manifest, target)
    store = store or ledger.store_of(database)
    last: date | None = since.date() if since else None
    names = [
        path
        for path in ledger.publications(store)
        if last is None or path.name[:8] <= f"{last:%Y%m%d}"
    ]
    if not names:
        click.echo(f"{store} has no publication: `make publish` adds one.", err=True)
        sys.exit(2)
    then = pq.read_table(names[-1]).to_pandas()
    audits_then = pq.read_table(store / "restricted" / names[-1].name).to_pandas()
    found, rows = restatements(then, audits_then, state)
    results = store / "restatements"
    results.mkdir(exist_ok=True)
    ledger.write_whole(
        pa.Table.from_pandas(found, schema=SHARES, preserve_index=False), results / names[-1].name
    )
    (store / "restricted" / "restatements").mkdir(exist_ok=True)
    ledger.write_whole(
        pa.Table.from_pandas(rows, schema=ROWS, preserve_index=False),
        store / "restricted" / "restatements" / names[-1].name,
    )
    register(target, "restatements", results.resolve() / "*.parquet")
    console = Console(width=None if Console().is_terminal else 130)
    n_moved = len(found.drop_duplicates(KEY))
    console.print(
        f"Of {len(then):,} numbers published as of {then['as_of'].iloc[0]:%F %T} UTC, "
        f"{n_moved:,} are others as of {state.publication.as_of:%F %T}."
    )
    if n_moved:
        console.print(table_of(found))
    final = found[(found["period_status"] == "final") & (found["difference"].abs() > largest_move)]
    final = final.drop_duplicates(KEY)
    if len(final):
        console.print(
            f"{len(final):,} numbers that were published as final moved by more than "
            f"{100 * largest_move:g} points.",
            style="red",
        )
    console.print(f"All of them, with causes: {results / names[-1].name}.")
    sys.exit(1 if len(final) else 0)


if __name__ == "__main__":
    main()
