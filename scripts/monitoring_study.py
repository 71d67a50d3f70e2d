"""How often does monitoring cry wolf, and what does it find? Simulated worlds, built and scored.

Worlds without incidents say how often it alarms for nothing; worlds with planted ones, whose place,
days, size and detectability (D) are known, say what it finds, after how many days, when it says
that it began, and whether the driver that it ranks first is the planted one. The constants of
monitoring were chosen on other worlds.
"""

import json
import multiprocessing
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
from project_sql import PROJECT, dump, load, parsed, run_dbt
from rich.console import Console
from rich.progress import Progress
from simulate import simulate
from simulator.world import Settings

QUEUES = 8
DAYS = 364
DECISIONS = 1000  # a day
LEARNING = 42
GRACE = 14  # days after its end in which an incident still counts as found
D_BANDS = [("below 3", 0, 3), ("3 to 5", 3, 5), ("5 to 7", 5, 7), ("7 and more", 7, float("inf"))]
# A pair is named after its parts, but for one that was there before.
PARTS = {"queue_and_decider": ["queue", "decided_by"]}
GOALS = (
    "At most 1 false alarm a queue and year; 95 % of incidents with D of 7 and more and 70 % of "
    "those of 5 to 7; half within 7 days of data and nine in ten within 14; the begin within 3 "
    "days in 80 %; the planted driver first in 95 % and among three in 99 % where its own z is 3 "
    "or more."
)


@dataclass(frozen=True)
class Plan:
    """Worlds of one kind.

    Attributes:
        audits: of a queue in a week.
        variation: relative standard deviation of a queue's weekly error rate, besides chance.
        incidents: none or random.
    """

    audits: int
    variation: float
    incidents: str

    def settings(self, seed: int) -> Settings:
        """The world of a seed."""
        return Settings(
            seed=seed,
            days=DAYS,
            decisions_per_day=DECISIONS,
            queues=QUEUES,
            audit_rate=min(1.0, self.audits * QUEUES / (7 * DECISIONS)),
            variation=self.variation,
            incidents=self.incidents,
        )


NULL = [Plan(40, 0, "none"), Plan(100, 0, "none"), Plan(400, 0, "none"), Plan(100, 0.15, "none")]
PLANTED = [Plan(40, 0, "random"), Plan(100, 0, "random"), Plan(400, 0, "random")]


def parts(dimension: str, value: str) -> set[tuple[str, str]]:
    """A slice as dimension and value pairs: ('queue', 'q02') and so on."""
    names = PARTS.get(dimension) or dimension.split("_and_")
    return set(zip(names, value.split(" | "), strict=True))


def planted(cell: str) -> set[tuple[str, str]]:
    """A planted cell as pairs."""
    return {tuple(pair.partition("=")[::2]) for pair in cell.split("|")}


def names_it(found: set[tuple[str, str]], cell: set[tuple[str, str]]) -> bool:
    """Whether a slice is the planted cell, a part of it, or one of its dimensions."""
    return found <= cell or cell <= found


def score(warehouse: Path, truth: Path) -> dict[str, list[dict[str, Any]]]:
    """What a built world found: its alarms that lead, and each planted accuracy incident."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        alerts = connection.execute("from monitoring.alerts where direction = 'worse'").df()
        drivers = connection.execute("from monitoring.alert_drivers where driver_round = 1").df()
    incidents = pd.read_parquet(truth / "incidents.parquet")
    alerts["pairs"] = [
        parts(row.dimension_name, row.dimension_value) for row in alerts.itertuples()
    ]
    leads = alerts[alerts["explained_by"].isna() & ~alerts["is_data_suspect"]]
    told = [{"level": row.alert_level, "kind": row.suspected_kind} for row in leads.itertuples()]
    found = []
    worse = incidents[incidents["cell"].notna() & (incidents["detectability"] > 0)]
    for row in worse.itertuples():
        cell = planted(row.cell)
        first, last = row.starts_at.tz_localize(None), row.ends_at.tz_localize(None)
        hits = alerts[
            [names_it(pairs, cell) for pairs in alerts["pairs"]]
            & (alerts["first_alarm_on"] >= first)
            & (alerts["first_alarm_on"] < last + pd.Timedelta(days=GRACE))
        ].sort_values("first_alarm_on")
        said: dict[str, Any] = {
            "kind": row.kind,
            "detectability": row.detectability,
            "days": (last - first).days,
            "is_found": len(hits) > 0,
        }
        if len(hits):
            hit = hits.iloc[0]
            ranked = drivers[drivers["alert_id"] == hit["incident_id"]].sort_values("driver_rank")
            named = [
                names_it(parts(one.dimension_name, one.dimension_value), cell)
                for one in ranked.itertuples()
            ]
            said |= {
                "delay": (hit["first_alarm_on"] - first).days + 1,
                "begin_error": (hit["since"] - first).days,
                "is_first": any(named[:1]),
                "is_among_three": any(named[:3]),
                "z": float(hit["z"]),
            }
        found.append(said)
    return {"alarms": told, "incidents": found}


def build(plan: Plan, seed: int, manifest: bytes) -> dict[str, Any]:
    """Simulate a world, build what monitoring needs, and score it."""
    with tempfile.TemporaryDirectory(prefix="monitoring-study-") as scratch:
        folder = Path(scratch)
        simulate(plan.settings(seed), folder, workers=1, force=True)
        run = run_dbt(
            [
                *("build", "--exclude-resource-types", "test", "unit_test"),
                *("--select", "+alerts", "+alert_drivers"),
                *("--vars", json.dumps({"raw_path": str(folder / "raw")})),
                *("--threads", "1", "--no-write-json", "--quiet", "--log-level-file", "none"),
                *("--target-path", str(folder), "--log-path", str(folder)),
            ],
            load(manifest),
            PROJECT,
            MODERATION_QUALITY_DATABASE=str(folder / "memory.duckdb"),
        )
        if run.returncode:
            raise click.ClickException(f"A world did not build: {run.stops or run.stdout[-2000:]}")
        said = asdict(plan) | {"seed": seed, "incidents_plan": plan.incidents}
        return said | score(folder / "memory.duckdb", folder / "truth")


def worlds(n_null: int, n_planted: int, seed: int, workers: int) -> Iterator[dict[str, Any]]:
    """Each world's score, as it comes."""
    manifest = dump(parsed(None))
    jobs = [(plan, seed + i, manifest) for plan in NULL for i in range(n_null)]
    jobs += [(plan, seed + 1000 + i, manifest) for plan in PLANTED for i in range(n_planted)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, max_tasks_per_child=4) as executor:
        for done in as_completed([executor.submit(build, *job) for job in jobs]):
            yield done.result()


def share(part: float, whole: float) -> str:
    """A share with its counts; a dash where there is nothing to count."""
    return f"{100 * part / whole:.0f} % ({part:.0f} of {whole:.0f})" if whole else "–"


def line(*cells: object) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def report(rows: list[dict[str, Any]], seed: int) -> str:
    """The study as Markdown: the same worlds give the same text."""
    years = (DAYS - LEARNING) / 365
    quiet = [row for row in rows if row["incidents_plan"] == "none"]
    text = [
        "# What monitoring finds, and how often it cries wolf",
        "",
        "Written by `make monitoring-study`; do not edit. Worlds of "
        f"{DAYS} days, {DECISIONS:,} decisions a day, {QUEUES} queues, seeds from {seed} on, which "
        "had no part in choosing thresholds. D is how far an incident stands out of the audits of "
        "its own cell (docs/simulator.md).",
        "",
        f"Goals: {GOALS}",
        "",
        "## Alarms in worlds without incidents",
        "",
        line("audits a queue and week", "variation", "platform-years", "false alarms a queue-year",
             "strong ones"),
        line(*["---"] * 5),
    ]  # fmt: skip
    for plan in NULL:
        of = [r for r in quiet if (r["audits"], r["variation"]) == (plan.audits, plan.variation)]
        exposure = len(of) * years * QUEUES
        alarms = [alarm for row in of for alarm in row["alarms"]]
        strong = sum(alarm["level"] == "strong" for alarm in alarms)
        text.append(
            line(
                plan.audits, f"{100 * plan.variation:.0f} %", f"{len(of) * years:.1f}",
                f"{len(alarms) / exposure:.2f} ({len(alarms)})" if of else "–",
                f"{strong / exposure:.2f} ({strong})" if of else "–",
            )
        )  # fmt: skip
    found = pd.DataFrame([one for row in rows for one in row["incidents"]])
    text += ["", "## Planted incidents", ""]
    if found.empty:
        return "\n".join([*text, "None.", ""])
    text += [
        line("D", "found", "days of data until then: half, nine in ten", "begin within 3 days",
             "planted driver first", "among three"),
        line(*["---"] * 6),
    ]  # fmt: skip
    for name, low, high in D_BANDS:
        band = found[found["detectability"].between(low, high, inclusive="left")]
        hits = band[band["is_found"]]
        sure = hits[hits["z"] >= 3] if len(hits) else hits
        delay = (
            f"{hits['delay'].median():.0f}, {hits['delay'].quantile(0.9):.0f}" if len(hits) else "–"
        )
        text.append(
            line(
                name,
                share(len(hits), len(band)),
                delay,
                share((hits["begin_error"].abs() <= 3).sum() if len(hits) else 0, len(hits)),
                share(sure["is_first"].sum() if len(sure) else 0, len(sure)),
                share(sure["is_among_three"].sum() if len(sure) else 0, len(sure)),
            )
        )
    text += ["", "By kind, D of 5 and more:", "", line("kind", "found"), line("---", "---")]
    for kind, group in found[found["detectability"] >= 5].groupby("kind"):
        text.append(line(kind, share(group["is_found"].sum(), len(group))))
    return "\n".join([*text, ""])


@click.command(help=__doc__)
@click.option("--null", "n_null", type=click.IntRange(0), default=3, show_default=True,
              help="Worlds without incidents, for each number of audits.")  # fmt: skip
@click.option("--planted", "n_planted", type=click.IntRange(0), default=10, show_default=True,
              help="Worlds with incidents, for each number of audits.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=20_000, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path),
              default=PROJECT / "docs" / "monitoring_study.md", help="The file.")  # fmt: skip
def main(n_null: int, n_planted: int, seed: int, workers: int, output: Path) -> None:
    """Simulate, build and score worlds, and write the page."""
    console = Console(stderr=True)
    rows = []
    total = n_null * len(NULL) + n_planted * len(PLANTED)
    with Progress(console=console) as progress:
        task = progress.add_task("worlds", total=total)
        for row in worlds(n_null, n_planted, seed, workers):
            rows.append(row)
            progress.advance(task)
    rows.sort(key=lambda row: (row["incidents_plan"], row["audits"], row["variation"], row["seed"]))
    output.write_text(report(rows, seed), encoding="utf-8")
    console.print(f"Written: {output}")


if __name__ == "__main__":
    main()
