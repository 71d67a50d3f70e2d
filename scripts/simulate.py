"""Simulate a moderation platform in the raw contract's shape, with its truth kept apart."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from simulator.columns import DAY, RAW_TABLES, Delivery, coded, dates, raw_table, real, times, write
from simulator.incidents import incident_table, schedule
from simulator.plans import PlanError, read_plan
from simulator.week import Summary, simulate_week
from simulator.world import (
    Settings,
    World,
    build_world,
    people_table,
    reference_tables,
)

MADE_BY = "scripts/simulate.py"
PLANS = ("none", "default", "random")
MEASURES = ["row_count", "distinct_items", "sum_handling_seconds"]
# Tables whose rows arrive in later weeks than their decisions, and how their files are named.
LATE = [
    ("raw/audits", ""),
    ("raw/audit_scores", ""),
    ("raw/disputes", ""),
    ("raw/appeals", ""),
    ("raw/decisions", "-appeals"),
    ("raw/review_jobs", "-appeals"),
]


class ForeignFolderError(Exception):
    """The output folder holds something that this script did not make."""


def check_folder(out: Path) -> None:
    """Raise ForeignFolderError unless `out` has no raw data, or only a simulated world's."""
    raw, truth = out / "raw", out / "truth"
    found = [folder for folder in (raw, truth) if folder.exists() and any(folder.iterdir())]
    if not found:
        return
    try:
        ours = json.loads((truth / "world.json").read_text())["made_by"] == MADE_BY
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    allowed = {f"{name}{end}" for name in RAW_TABLES for end in ("", ".parquet")}
    strange = sorted({path.name for path in raw.glob("*")} - allowed)
    if not ours or strange:
        what = f"raw/{strange[0]}" if ours else " and ".join(str(f.name) for f in found)
        raise ForeignFolderError(
            f"{out} holds {what}, which this script did not make. "
            "Choose another --out, or say --force to replace raw/ and truth/ there."
        )


def install(made: Path, out: Path) -> None:
    """Put a finished world in the place of the old one, by renames."""
    for name in ("raw", "truth"):
        if (out / name).exists():
            (out / name).rename(made / f"old-{name}")
        (made / name).rename(out / name)


def control_totals(world: World, summaries: list[Summary]) -> pa.Table:
    """What the sources report about themselves: a row per day, measure and queue (null = all)."""
    n_queues = len(world.all_queues)
    days = np.arange(world.start, world.horizon, DAY)
    totals = np.zeros((len(days), 1 + n_queues, len(MEASURES)))
    statements = np.zeros(len(days))
    for summary in summaries:
        for day, found in summary.totals.items():
            if world.start <= day < world.horizon:
                totals[(day - world.start) // DAY] += found
        for day, count in summary.statements.items():
            statements[(day - world.start) // DAY] += count
    day, queue, measure = (index.ravel() for index in np.indices(totals.shape))
    n = len(day)
    of_statements = np.arange(n + len(days)) >= n
    day = np.concatenate([day, np.arange(len(days))])
    queue = np.concatenate([queue - 1, np.full(len(days), -1)])
    measure = np.concatenate([measure, np.zeros(len(days), int)])
    reported = days[day] + DAY + 6 * 3600
    kept = np.lexsort((measure, queue, of_statements, reported))
    kept = kept[reported[kept] + 60 < world.horizon]
    of_statements = of_statements[kept].astype(np.int8)
    return raw_table(
        "control_totals",
        reported[kept] + 60,
        source_system=coded(of_statements, ["moderation_platform", "compliance_desk"]),
        table_name=coded(of_statements, ["decisions", "statements_of_reasons"]),
        business_date=dates(days[day[kept]]),
        measure=coded(measure[kept], MEASURES),
        dimension_name=coded(np.where(queue[kept] >= 0, 0, -1), ["queue_id"]),
        dimension_value=coded(queue[kept], world.all_queues),
        value=real(np.concatenate([totals.ravel(), statements])[kept]),
        reported_at=times(reported[kept]),
    )


def evidence_of(summaries: list[Summary]) -> dict[int, np.ndarray]:
    """What the weeks' audits can show of each incident (cases.evidence), summed."""
    audited: dict[int, np.ndarray] = {}
    # In the order of weeks: sums do not depend on which was done first.
    for summary in sorted(summaries, key=lambda summary: summary.week):
        for which, found in summary.audited.items():
            audited[which] = audited.get(which, 0) + found
    return audited


def _drain(world: World, out: Path, home: str, suffix: str) -> dict[str, int]:
    delivery = Delivery(out, world.horizon)
    delivery.drain(home, [world.monday(week) for week in range(world.weeks)], suffix)
    return delivery.rows


def _one_thread_each() -> None:
    pa.set_cpu_count(1)


@contextmanager
def _pool(workers: int) -> Iterator[Callable]:
    """A function that runs (function, list of arguments) and yields results as they come."""
    if workers == 1:
        yield lambda work, jobs: (work(*job) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _one_thread_each) as executor:

        def run(work: Callable, jobs: list[tuple]) -> Iterator:
            for done in as_completed([executor.submit(work, *job) for job in jobs]):
                yield done.result()

        yield run


def simulate(
    settings: Settings,
    out: Path,
    workers: int = 2,
    force: bool = False,
    progress: Progress | None = None,
) -> dict:
    """Simulate a world into `out`/raw and `out`/truth; return its manifest (truth/world.json).

    Nothing appears in `out` before everything is written. Raises ForeignFolderError where `out`
    holds raw data from elsewhere, PlanError where a plan of incidents cannot be carried out.
    """
    if not force:
        check_folder(out)
    world = schedule(build_world(settings))
    out.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".simulating-", dir=out))
    try:
        rows: dict[str, int] = {}
        for name, table in reference_tables(world).items():
            write(table, made / "raw" / f"{name}.parquet")
            rows[f"raw/{name}"] = len(table)
        write(people_table(world), made / "truth" / "people.parquet")
        with _pool(workers) as run:
            task = progress and progress.add_task("weeks", total=world.weeks)
            summaries = []
            for summary in run(simulate_week, [(world, w, made) for w in range(world.weeks)]):
                summaries.append(summary)
                for name, count in summary.rows.items():
                    rows[name] = rows.get(name, 0) + count
                if progress:
                    progress.advance(task)
            task = progress and progress.add_task("late tables", total=len(LATE))
            for counted in run(_drain, [(world, made, *late) for late in LATE]):
                for name, count in counted.items():
                    rows[name] = rows.get(name, 0) + count
                if progress:
                    progress.advance(task)
        shutil.rmtree(made / "spool")
        table = incident_table(world, evidence_of(summaries))
        write(table, made / "truth" / "incidents.parquet")
        totals = control_totals(world, summaries)
        write(totals, made / "raw" / "control_totals.parquet")
        rows["raw/control_totals"] = len(totals)
        # A table without rows is an empty table, not a missing one.
        for name, columns in RAW_TABLES.items():
            if not rows.setdefault(f"raw/{name}", 0):
                write(pa.schema(columns).empty_table(), made / "raw" / f"{name}.parquet")
        decisions = sum(summary.decisions for summary in summaries)
        manifest = {
            "made_by": MADE_BY,
            "settings": asdict(settings) | {"start": settings.start.isoformat()},
            "rows": dict(sorted(rows.items())),
            "judged_decisions": decisions,
            "true_accuracy": sum(summary.correct for summary in summaries) / max(decisions, 1),
        }
        (made / "truth" / "world.json").write_text(json.dumps(manifest, indent=2) + "\n")
        install(made, out)
        return manifest
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _plan(_context: click.Context, _option: click.Parameter, chosen: str) -> str | list:
    """What --incidents says: a word as it is, a file as its entries."""
    if chosen in PLANS:
        return chosen
    if not Path(chosen).is_file():
        raise click.BadParameter(f"`{chosen}` is no file, and none of {', '.join(PLANS)}")
    try:
        return read_plan(Path(chosen))
    except PlanError as error:
        raise click.BadParameter(str(error)) from error


@click.command(context_settings={"show_default": True})
@click.option("--out", type=click.Path(path_type=Path), default=Path("data"), help="Output folder.")
@click.option(
    "--seed", type=click.IntRange(0), default=Settings.seed, help="Same seed, same files."
)
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default=str(Settings.start), help="UTC."
)
@click.option("--days", type=click.IntRange(1), default=Settings.days, help="Length of the world.")
@click.option("--decisions-per-day", type=click.IntRange(1), default=Settings.decisions_per_day)
@click.option("--moderators", type=click.IntRange(2, 9999), default=Settings.moderators)
@click.option("--queues", type=click.IntRange(2, 99), default=Settings.queues)
@click.option(
    "--automation-share",
    type=click.FloatRange(0, 0.9),
    default=Settings.automation_share,
    help="Share of decisions by models.",
)
@click.option(
    "--error-rate",
    type=click.FloatRange(0, 0.5),
    default=Settings.error_rate,
    help="Roughly the share of wrong decisions.",
)
@click.option(
    "--audit-rate",
    type=click.FloatRange(0, 1),
    default=Settings.audit_rate,
    help="Share of decisions that the weekly plan audits, at least two per stratum.",
)
@click.option(
    "--auditor-error-rate",
    type=click.FloatRange(0, 0.5),
    default=Settings.auditor_error_rate,
    help="Share of audits that misjudge.",
)
@click.option(
    "--auditor-strictness",
    type=click.FloatRange(0, 0.5),
    default=Settings.auditor_strictness,
    help="Share of right decisions that an average auditor calls wrong; each has an own one.",
)
@click.option(
    "--variation",
    type=click.FloatRange(0, 1),
    default=Settings.variation,
    help="How much a queue's error rate differs from week to week (relative sd).",
)
@click.option(
    "--season",
    type=click.FloatRange(0, 0.5),
    default=Settings.season,
    help="Yearly swing of the volume; holidays have twice as much less.",
)
@click.option(
    "--growth",
    type=click.FloatRange(-0.9, 10),
    default=Settings.growth,
    help="Of the volume in a year, relative.",
)
@click.option(
    "--incidents",
    metavar="none|default|random|PLAN.yml",
    callback=_plan,
    default=Settings.incidents,
    help="What goes wrong; a plan lists kind, place, size, begin and days.",
)
@click.option("--workers", type=click.IntRange(1), default=2, help="Processes; no effect on files.")
@click.option("--force", is_flag=True, help="Replace raw/ and truth/ made by something else.")
@click.option("--quiet", is_flag=True, help="No progress, no table.")
def main(
    out: Path,
    start: datetime,
    workers: int,
    force: bool,
    quiet: bool,
    **chosen: float | str,
) -> None:
    """Simulate a moderation platform: raw tables into OUT/raw, the truth into OUT/truth.

    Exit codes: 0 done, 1 OUT holds data from elsewhere, 2 wrong usage.
    """
    if start.year < 2000:
        raise click.BadParameter("the world begins in 2000 or later", param_hint="--start")
    console = Console(stderr=True, quiet=quiet)
    settings = Settings(start=start.replace(tzinfo=UTC).date(), **chosen)
    began = time.monotonic()
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*bars, TimeElapsedColumn(), console=console) as progress:
            manifest = simulate(settings, out, workers, force, progress)
    except PlanError as error:
        raise click.BadParameter(str(error), param_hint="--incidents") from error
    except ForeignFolderError as error:
        console.quiet = False
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(1)
    table = Table("table", "rows", title=f"simulated in {time.monotonic() - began:.1f} s")
    table.columns[1].justify = "right"
    for name, count in manifest["rows"].items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print(f"true accuracy {manifest['true_accuracy']:.4f}")


if __name__ == "__main__":
    main()
