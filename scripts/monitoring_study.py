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
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
from explain import Periods, explain, statements
from project_sql import PROJECT, dump, load, parsed, run_dbt
from rich.console import Console
from rich.progress import Progress
from simulate import simulate
from simulator.world import Settings

QUEUES = 8
DAYS = 364
DECISIONS = 1000  # a day
LEARNING = 42
WORLDS_AT_ONCE = 12
GRACE = 14  # days after its end in which an incident still counts as found
D_BANDS = [("below 3", 0, 3), ("3 to 5", 3, 5), ("5 to 7", 5, 7), ("7 and more", 7, float("inf"))]
# A pair is named after its parts, but for one that was there before.
PARTS = {"queue_and_decider": ["queue", "decided_by"]}
# The feed that an incident of this kind disturbs.
FEEDS = {
    "missing_day": "statements_of_reasons",
    "bulk_close": "auto_closed",
    "broken_feed": "no_language",
    "mix_shift": "decisions",
    "partial_loss": "decisions",
}
LATER, EARLIER = 14, 91  # days that are compared, every six weeks
GOALS = (
    "At most 1 false alarm a queue and year, of feeds 0.1; 95 % of incidents with D of 7 and more "
    "and 70 % of those of 5 to 7; half within 7 days of data and nine in ten within 14; the begin "
    "within 3 days in 80 %; the planted driver first in 95 % and among three in 99 % where its own "
    "z is 3 or more; a driver in at most 10 % of comparisons in which nothing happened; intervals "
    "of the parts of a change that hold the true part in 92 %."
)
# What a world is scored by; audited_by is when nine in ten audits of an alarm's last week were in.
KEPT = {
    "alerts": """
        select alerts.*,
            (
                select quantile_disc(cast(audits.audited_at as date), 0.9)
                from built.cells.audit_slices as slices
                inner join built.facts.fct_audits as audits using (audit_id)
                where slices.dimension_name = alerts.dimension_name
                    and slices.dimension_value = alerts.dimension_value
                    and slices.decided_on between alerts.first_alarm_on - 6
                        and alerts.first_alarm_on
            ) as audited_by
        from built.monitoring.alerts as alerts
        where direction = 'worse'
    """,
    "drivers": "from built.monitoring.alert_drivers where driver_round = 1",
    "feed_alarms": "from built.monitoring.feed_alarms where alarm_kind <> 'learning'",
}
TRUE_RATES = """
    select
        decisions.queue_id as dimension_value,
        decisions.decided_on between $later_from and $later_to as is_later,
        count(*) as n,
        avg(cast(truth.is_correct as int)) as rate
    from built.facts.fct_decisions as decisions
    inner join read_parquet($truth) as truth using (decision_id)
    where decisions.is_eligible and decisions.decided_on between $earlier_from and $later_to
    group by all
"""


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

    def name(self, seed: int) -> str:
        """A folder's name for the world of a seed."""
        return f"{self.incidents}-{self.audits}-{100 * self.variation:.0f}-{seed}"


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


def build(plan: Plan, seed: int, manifest: bytes, sql: dict[str, str], kept: Path) -> Path:
    """Simulate a world, build what monitoring needs, and keep what it is scored by.

    Returns:
        the folder of these tables, within `kept`. Where it is there already, nothing is done.
    """
    folder = kept / plan.name(seed)
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(prefix="monitoring-study-") as scratch:
        world, database = Path(scratch), Path(scratch) / "memory.duckdb"
        simulate(plan.settings(seed), world, workers=1, force=True)
        run = run_dbt(
            [
                *("build", "--exclude-resource-types", "test", "unit_test"),
                *("--select", "+alerts", "+alert_drivers", "+feed_alarms"),
                "+int_people__suppressed_groups",
                *("--vars", json.dumps({"raw_path": str(world / "raw")})),
                *("--threads", "1", "--no-write-json", "--quiet", "--log-level-file", "none"),
                *("--target-path", str(world), "--log-path", str(world)),
            ],
            load(manifest),
            PROJECT,
            MODERATION_QUALITY_DATABASE=str(database),
            MODERATION_QUALITY_MEMORY="4GB",
        )
        if run.returncode:
            raise click.ClickException(f"A world did not build: {run.stops or run.stdout[-2000:]}")
        written = world / "kept"
        written.mkdir()
        for name, table in outcome(database, world / "truth", sql).items():
            table.to_parquet(written / f"{name}.parquet")
        kept.mkdir(parents=True, exist_ok=True)
        written.rename(folder)
    return folder


def outcome(database: Path, truth: Path, sql: dict[str, str]) -> dict[str, pd.DataFrame]:
    """What a built world is scored by: its alarms and drivers, comparisons, and the truth."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as built (read_only)")
        tables = {name: connection.execute(query).df() for name, query in KEPT.items()}
        tables["comparisons"] = pd.DataFrame(compared(connection, database, truth, sql))
    return tables | {"incidents": pd.read_parquet(truth / "incidents.parquet")}


def compared(
    connection: duckdb.DuckDBPyConnection, database: Path, truth: Path, sql: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """Parts of changes beside the true ones: two weeks and the 13 before, by queue."""
    ((start, n_days),) = connection.execute(
        "select min(decided_on), count(distinct decided_on) from built.facts.fct_decisions"
    ).fetchall()
    for day in range(LATER + EARLIER, n_days + 1, 42):
        last: date = start + timedelta(days=day - 1)
        first = last - timedelta(days=LATER - 1)
        periods = Periods(first, last, first - timedelta(days=EARLIER), first - timedelta(days=1))
        found = explain(database, periods, {}, "queue", sql)
        rates = connection.execute(
            TRUE_RATES,
            {
                "truth": str(truth / "decisions" / "*.parquet"),
                "earlier_from": periods.earlier_starts_on,
                "later_from": first,
                "later_to": last,
            },
        ).df()
        sides = rates.pivot(index="dimension_value", columns="is_later", values=["n", "rate"])
        shares = sides["n"] / sides["n"].sum()
        true = shares.mean(axis=1) * (sides["rate"][True] - sides["rate"][False])
        for row in found.segments("queue").itertuples():
            yield {
                "part": "of a queue",
                "value": true.get(row.dimension_value),
                "low": row.rate_contribution_ci_low,
                "high": row.rate_contribution_ci_high,
                "names_driver": None,
            }
        total = found.total("queue")
        whole = (shares * sides["rate"]).sum()
        for part, value, low, high in (
            ("of rates", true.sum(), total.rate_contribution_ci_low,
             total.rate_contribution_ci_high),
            ("whole change", whole[True] - whole[False], total.contribution_ci_low,
             total.contribution_ci_high),
        ):  # fmt: skip
            yield {
                "part": part,
                "value": value,
                "low": low,
                "high": high,
                "names_driver": bool(found.drivers["is_driver"].any()),
            }


def score(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """What a built world found, from its `outcome`: alarms, each planted incident, comparisons."""
    alerts, incidents = tables["alerts"].copy(), tables["incidents"].copy()
    for column in ("starts_at", "ends_at"):
        incidents[column] = incidents[column].dt.tz_localize(None)
    alerts["pairs"] = [
        parts(row.dimension_name, row.dimension_value) for row in alerts.itertuples()
    ]
    leads = alerts[(alerts["alert_id"] == alerts["incident_id"]) & ~alerts["is_data_suspect"]]
    return {
        "alarms": [told(row, incidents) for row in leads.itertuples()],
        "feed_alarms": len(tables["feed_alarms"]),
        "incidents": [
            found_of(row, alerts, tables["drivers"])
            for row in incidents[incidents["detectability"] > 0].itertuples()
        ],
        "feeds": [
            {"kind": row.kind, "is_found": bool(disturbed(row, tables["feed_alarms"]).any())}
            for row in incidents[incidents["kind"].isin(FEEDS)].itertuples()
        ],
        "comparisons": tables["comparisons"].to_dict("records"),
    }


def told(alarm: Any, incidents: pd.DataFrame) -> dict[str, Any]:
    """What there was to an alarm that leads: a planted place, another one then, or nothing."""
    at_the_time = incidents[
        (incidents["starts_at"] <= alarm.first_alarm_on)
        & (alarm.first_alarm_on < incidents["ends_at"] + pd.Timedelta(days=GRACE))
    ]
    cells = at_the_time.loc[at_the_time["detectability"] > 0, "cell"]
    if any(names_it(alarm.pairs, planted(cell)) for cell in cells):
        truth = "place"
    else:
        truth = "other place" if len(at_the_time) else "nothing"
    return {"level": alarm.alert_level, "truth": truth}


def found_of(incident: Any, alerts: pd.DataFrame, drivers: pd.DataFrame) -> dict[str, Any]:
    """Whether and when a planted incident was found, and what was ranked first of its alarm."""
    cell, first = planted(incident.cell), incident.starts_at
    is_named = pd.Series(
        [names_it(pairs, cell) for pairs in alerts["pairs"]], index=alerts.index, dtype=bool
    )
    hits = alerts[
        is_named
        & (alerts["first_alarm_on"] >= first)
        & (alerts["first_alarm_on"] < incident.ends_at + pd.Timedelta(days=GRACE))
    ].sort_values(["first_alarm_on", "z"], ascending=[True, False])
    said = {
        "kind": incident.kind,
        "detectability": incident.detectability,
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
            "as_of_delay": (hit["audited_by"] - first).days + 1,
            "begin_error": (hit["since"] - first).days,
            "is_first": any(named[:1]),
            "is_among_three": any(named[:3]),
            "z": float(hit["z"]),
        }
    return said


def disturbed(incident: Any, feed_alarms: pd.DataFrame) -> pd.Series:
    """Which alarms are of the feed, place and days of an incident."""
    places = ["all", incident.dimension_value]
    return (
        (feed_alarms["feed_measure"] == FEEDS[incident.kind])
        & feed_alarms["dimension_value"].isin(places)
        & (feed_alarms["first_day"] < incident.ends_at)
        & (feed_alarms["last_day"] >= incident.starts_at)
    )


def worlds(
    n_null: int, n_planted: int, seed: int, workers: int, kept: Path
) -> Iterator[dict[str, Any]]:
    """Each world's score, as it comes."""
    manifest, sql = dump(parsed(None)), statements()
    jobs = [(plan, seed + i) for plan in NULL for i in range(n_null)]
    jobs += [(plan, seed + 1000 + i) for plan in PLANTED for i in range(n_planted)]
    # Workers grow with each world, and those with a limit of tasks hang in Python 3.11 (gh-115634):
    # new ones now and then.
    context = multiprocessing.get_context("spawn")
    for first in range(0, len(jobs), WORLDS_AT_ONCE):
        with ProcessPoolExecutor(workers, context) as executor:
            running = {
                executor.submit(build, plan, world_seed, manifest, sql, kept): plan
                for plan, world_seed in jobs[first : first + WORLDS_AT_ONCE]
            }
            for done in as_completed(running):
                tables = {file.stem: pd.read_parquet(file) for file in done.result().glob("*")}
                yield {"plan": running[done]} | score(tables)


def share(part: float, whole: float) -> str:
    """A share with its counts; a dash where there is nothing to count."""
    return f"{100 * part / whole:.0f} % ({part:.0f} of {whole:.0f})" if whole else "–"


def line(*cells: object) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(*rows: tuple[object, ...]) -> list[str]:
    """A Markdown table, its first row the heading, and the line after it."""
    return [line(*rows[0]), line(*["---"] * len(rows[0])), *(line(*row) for row in rows[1:]), ""]


def report(rows: list[dict[str, Any]], seed: int) -> str:
    """The study as Markdown: the same worlds give the same text."""
    quiet = [row for row in rows if row["plan"].incidents == "none"]
    return "\n".join(
        [
            "# What monitoring finds, and how often it cries wolf",
            "",
            "Written by `make monitoring-study`; do not edit. Worlds of "
            f"{DAYS} days, {DECISIONS:,} decisions a day, {QUEUES} queues, seeds from {seed} on, "
            "which had no part in choosing thresholds. D is how far an incident stands out of the "
            "audits of its own cell (docs/simulator.md).",
            "",
            f"Goals: {GOALS}",
            "",
            *alarms_section(quiet),
            *incidents_section([row for row in rows if row["plan"].incidents != "none"]),
            *comparisons_section(rows, quiet),
        ]
    )


def alarms_section(quiet: list[dict[str, Any]]) -> list[str]:
    """False alarms."""
    years = (DAYS - LEARNING) / 365
    heading = (
        "audits a queue and week", "variation", "platform-years", "false alarms a queue-year",
        "strong ones", "of feeds",
    )  # fmt: skip
    counted: list[tuple[object, ...]] = [heading]
    for plan in NULL:
        of = [row for row in quiet if row["plan"] == plan]
        levels = [alarm["level"] for row in of for alarm in row["alarms"]]
        counts = [len(levels), levels.count("strong"), sum(row["feed_alarms"] for row in of)]
        counted.append(
            (
                plan.audits,
                f"{100 * plan.variation:.0f} %",
                f"{len(of) * years:.1f}",
                *(f"{n / (len(of) * years * QUEUES):.2f} ({n})" if of else "–" for n in counts),
            )
        )
    return ["## Alarms in worlds without incidents", "", *table(*counted)]


def incidents_section(rows: list[dict[str, Any]]) -> list[str]:
    """Planted incidents: what was found of them, and what else alarmed."""
    heading = ["## Planted incidents", ""]
    found = pd.DataFrame([one for row in rows for one in row["incidents"]])
    if found.empty:
        return [*heading, "None.", ""]
    for column in ("delay", "as_of_delay", "begin_error", "is_first", "is_among_three", "z"):
        found[column] = found.get(column)
    bands: list[tuple[object, ...]] = [
        ("D", "found", "days of data until then: half, nine in ten", "until the audits are in",
         "begin within 3 days", "planted driver first", "among three"),
    ]  # fmt: skip
    for name, low, high in D_BANDS:
        band = found[found["detectability"].between(low, high, inclusive="left")]
        hits = band[band["is_found"]]
        sure = hits[hits["z"].astype(float) >= 3]
        bands.append(
            (
                name,
                share(len(hits), len(band)),
                half_and_most(hits["delay"]),
                half_and_most(hits["as_of_delay"]),
                share((hits["begin_error"].astype(float).abs() <= 3).sum(), len(hits)),
                share(sure["is_first"].astype(bool).sum(), len(sure)),
                share(sure["is_among_three"].astype(bool).sum(), len(sure)),
            )
        )
    by_kind = found[found["detectability"] >= 5].groupby("kind")["is_found"]
    alarms = pd.Series([alarm["truth"] for row in rows for alarm in row["alarms"]], dtype=str)
    feeds = pd.DataFrame(
        [one for row in rows for one in row["feeds"]], columns=["kind", "is_found"]
    )
    return [
        *heading,
        *table(*bands),
        "Found is an alarm of the planted cell, a part of it or one of its dimensions, until two "
        "weeks after its end. Audits are in when nine in ten of the alarm's last week are.",
        "",
        *table(
            ("kind, D of 5 and more", "found"),
            *((kind, share(of.sum(), len(of))) for kind, of in by_kind),
        ),
        *table(
            ("alarms that lead an incident", "share"),
            *(
                (text, share((alarms == truth).sum(), len(alarms)))
                for truth, text in (
                    ("place", "name a planted cell then"),
                    ("other place", "are of another place while something was planted"),
                    ("nothing", "when nothing was planted"),
                )
            ),
        ),
        *table(
            ("feeds", "found"),
            *(
                (kind, share(of.sum(), len(of)))
                for kind, of in (feeds.groupby("kind")["is_found"] if len(feeds) else [])
            ),
        ),
    ]  # fmt: skip


def half_and_most(days: pd.Series) -> str:
    """Median and ninth decile of days."""
    days = days.astype(float)
    return f"{days.median():.0f}, {days.quantile(0.9):.0f}" if len(days) else "–"


def comparisons_section(rows: list[dict[str, Any]], quiet: list[dict[str, Any]]) -> list[str]:
    """Comparisons of two weeks with the 13 before: drivers of nothing, and intervals."""
    named = [
        one["names_driver"]
        for row in quiet
        if not row["plan"].variation
        for one in row["comparisons"]
        if one["part"] == "whole change"
    ]
    parts_of = pd.DataFrame([one for row in rows for one in row["comparisons"]])
    text = [
        f"## Comparisons of {LATER} days with the {EARLIER} before",
        "",
        f"Where nothing happened, {share(sum(named), len(named))} name a driver.",
        "",
    ]
    if parts_of.empty:
        return text
    parts_of = parts_of.dropna(subset=["value", "low", "high"])
    parts_of["holds"] = parts_of["value"].between(parts_of["low"], parts_of["high"])
    return [
        *text,
        *table(
            ("part of the change", "intervals that hold the true one"),
            *((part, share(of.sum(), len(of))) for part, of in parts_of.groupby("part")["holds"]),
        ),
    ]


@click.command(help=__doc__)
@click.option("--null", "n_null", type=click.IntRange(0), default=3, show_default=True,
              help="Worlds without incidents, for each kind of them.")  # fmt: skip
@click.option("--planted", "n_planted", type=click.IntRange(0), default=11, show_default=True,
              help="Worlds with incidents, for each number of audits.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=30_000, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--kept", type=click.Path(file_okay=False, path_type=Path),
              help="Keep what each world says here, and take what is there: a long run goes on "
              "where it stopped. Empty it when a model changes.")  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path),
              default=PROJECT / "docs" / "monitoring_study.md", help="The file.")  # fmt: skip
def main(
    *, n_null: int, n_planted: int, seed: int, workers: int, kept: Path | None, output: Path
) -> None:
    """Simulate, build and score worlds, and write the page."""
    console = Console(stderr=True)
    rows = []
    total = n_null * len(NULL) + n_planted * len(PLANTED)
    here = nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="monitoring-study-")
    with here as folder, Progress(console=console) as progress:
        task = progress.add_task("worlds", total=total)
        for row in worlds(n_null, n_planted, seed, workers, Path(folder)):
            rows.append(row)
            progress.advance(task)
    output.write_text(report(rows, seed), encoding="utf-8")
    console.print(f"Written: {output}")


if __name__ == "__main__":
    main()
