"""Why did accuracy change between two periods? By rate and mix, with intervals.

It reads rows of facts, which are for those who look after people, and so is what it says.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
from project_sql import render
from reporting import charts, words
from reporting.read import built, variables_of
from rich.console import Console
from rich.table import Table
from warehouse import quoted

# The project's macros on two periods of rows: what the model accuracy_change does with cells.
STEPS = {
    "cells": """
        with decisions as ({{ by_dimension('asked_decisions', {'n_decisions': '1'}) }}),
        audits as (
            {{ by_dimension('asked_audits', {'n_audits': '1', 'n_correct': 'n_correct'}) }}
        ),
        counted as (
            select *, 0 as n_audits, 0 as n_successes from decisions
            union all by name
            select * exclude (n_correct), n_correct as n_successes, 0 as n_decisions from audits
        )
        select sides.comparison_id, sides.side, counted.* exclude (dimension_value),
            case when hidden.dimension_value is null then counted.dimension_value
                else 'suppressed' end as dimension_value
        from counted
        inner join sides on counted.decided_on between sides.starts_on and sides.ends_on
        left join hidden using (dimension_name, dimension_value)
        where dimension_name <> 'confidence'
    """,
    "few": """
        select side, {{ grouped_dimension(reporting_dimensions()) }}
        from (
            select side, coalesce(moderator_key, 'unknown') as moderator_key,
                {% for name, value in reporting_dimensions().items() -%}
                {{ value }} as dim_{{ name }}{{ ', ' if not loop.last }}
                {%- endfor %}
            from asked_audits
            where is_counted and decided_by_type = 'human'
        ) as of_people
        {{ group_by_each_dimension(['side'], reporting_dimensions()) }}
        having count(distinct moderator_key) < {{ var('min_people') }}
    """,
    "counted_cells": "select * from cells where exclusion_reason is null",
    "change": "{{ rate_and_mix('counted_cells', 'design', ['comparison_id']) }}",
    "drivers": """
        with slices as (select * from asked_slices),
        daily as (
            select dimension_name, dimension_value, risk_cell, decided_on,
                count(*) as n_audits, cast(sum(n_errors) as bigint) as n_errors
            from slices
            group by all
        ),
        comparisons as (
            select 'asked' as comparison_id, $direction as direction,
                earlier.starts_on as base_from, earlier.ends_on as base_to,
                later.starts_on as window_from, later.ends_on as window_to
            from sides as earlier
            inner join sides as later on earlier.side = 'earlier' and later.side = 'later'
        ),
        {{ ranked_drivers() }},
        people as (
            select dimension_name, dimension_value,
                count(distinct moderator_key) filter (where side = 'later') as n_people
            from slices
            group by all
        )
        select drivers.* exclude (comparison_id, evidence_score)
        from drivers
        inner join people using (dimension_name, dimension_value)
        where driver_rank <= 5 and (driver_round = 1 or is_driver)
            and (n_people = 0 or n_people >= {{ var('min_people') }})
        order by driver_round, driver_rank
    """,
    "gate": "{{ change_checks('sides', 'cells', 'daily', 'design', 'change') }}",
    "filters": """
        {% for name, value in reporting_dimensions().items() -%}
        select '{{ name }}' as name, $sql${{ value }}$sql$ as expression
        {{ 'union all' if not loop.last }}
        {% endfor %}
    """,
    "tolerances": "{{ ref('tolerances') }}",
}
BREAK = "/* next */"
SETTINGS = ("confidence_level", "min_coverage_rate", "min_people", "scan_natural_variation")
CANNOT = (
    "This says where, not why. Each dimension splits the same change again, so do not add them up, "
    "and a large part may only be a large segment."
)


@dataclass(frozen=True)
class Periods:
    """Two periods that are compared, each with its first and last day."""

    starts_on: date
    ends_on: date
    earlier_starts_on: date
    earlier_ends_on: date

    def __post_init__(self) -> None:
        """Look that they can be compared.

        Raises:
            click.ClickException: a period ends before it begins, or the earlier one is not earlier.
        """
        if self.ends_on < self.starts_on or self.earlier_ends_on < self.earlier_starts_on:
            raise click.ClickException("A period ends before it begins.")
        if self.earlier_ends_on >= self.starts_on:
            raise click.ClickException("The earlier period must end before the later one begins.")

    @property
    def are_months(self) -> bool:
        """Whether both begin and end with a month."""
        firsts = (self.starts_on, self.earlier_starts_on)
        lasts = (self.ends_on, self.earlier_ends_on)
        return all(day.day == 1 for day in firsts) and all(
            (day + timedelta(days=1)).day == 1 for day in lasts
        )


@dataclass(frozen=True)
class Found:
    """What was found: parts of the change, the gate, drivers, and examples where asked."""

    change: pd.DataFrame
    gate: pd.DataFrame
    drivers: pd.DataFrame
    examples: pd.DataFrame | None

    def total(self, dimension: str) -> Any:
        """The total of a dimension."""
        rows = self.change[self.change["dimension_name"] == dimension]
        return next(rows[rows["row_type"] == "total"].itertuples())

    def segments(self, dimension: str) -> pd.DataFrame:
        """The segments of a dimension, the largest part first."""
        rows = self.change[
            (self.change["dimension_name"] == dimension) & (self.change["row_type"] == "segment")
        ]
        return rows.sort_values("contribution", key=abs, ascending=False, kind="stable")


def statements(**variables: Any) -> dict[str, str]:
    """The SQL of each step, rendered by dbt at once."""
    rendered = render(f"\n{BREAK}\n".join(STEPS.values()), **variables)
    sql = dict(zip(STEPS, rendered.split(BREAK), strict=True))
    relation = sql.pop("tolerances").strip()
    return {name: step.replace(relation, "tolerances") for name, step in sql.items()}


def explain(
    database: Path, periods: Periods, where: dict[str, str], by: str, sql: dict[str, str],
    *, examples: bool = False,
) -> Found:  # fmt: skip
    """Split the change of accuracy between two periods.

    Args:
        database: the warehouse that dbt built.
        periods: the two periods.
        where: {dimension: value} of the decisions that are asked about.
        by: the dimension whose leading segment the examples are from.
        sql: the project's, as `statements` gives it.
        examples: whether to read errors of the leading segment.

    Raises:
        click.ClickException: there is nothing to compare.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(database)} as built (read_only)")
        connection.execute("create view tolerances as from built.reference.tolerances")
        expressions = dict(connection.execute(sql["filters"]).fetchall())
        if unknown := {*where, by} - expressions.keys():
            known = ", ".join(expressions)
            raise click.ClickException(f"no such dimension: {min(unknown)}. There are {known}.")
        _ask(connection, periods, {expressions[name]: value for name, value in where.items()})
        _hide(connection, periods, sql["few"])
        for name in ("cells", "counted_cells", "change"):
            connection.execute(f"create table {name} as {sql[name]}")
        change = connection.execute("from change").df()
        if change.empty or change["contribution"].isna().all():
            raise click.ClickException(
                "No audit that counts in one of the periods, of what was asked: nothing to compare."
            )
        gate = connection.execute(sql["gate"]).df()
        moved = change.loc[change["row_type"] == "total", "contribution"].iloc[0]
        direction = "better" if moved > 0 else "worse"
        drivers = connection.execute(sql["drivers"], {"direction": direction}).df()
        found = Found(change, gate, drivers, None)
        if examples:
            leading = found.segments(by)["dimension_value"].iloc[0]
            rows = connection.execute(
                f"""
                select decision_id, cast(decided_on as text) as decided_on, queue_id,
                    decided_policy_id, truth_policy_id, error_class
                from asked_audits
                where is_counted and error_class <> 'correct' and side = 'later'
                    and ({expressions[by]}) = $leading
                order by weight desc, decision_id
                limit 10
                """,
                {"leading": leading},
            ).df()
            found = Found(change, gate, drivers, rows)
    return found


def _ask(connection: duckdb.DuckDBPyConnection, periods: Periods, filters: dict[str, str]) -> None:
    """Make the tables that the steps read: two sides, and the rows asked about."""
    connection.execute(
        "create table sides (comparison_id text, side text, starts_on date, ends_on date)"
    )
    connection.executemany(
        "insert into sides values ('asked', ?, ?, ?)",
        [
            ["earlier", periods.earlier_starts_on, periods.earlier_ends_on],
            ["later", periods.starts_on, periods.ends_on],
        ],
    )
    condition = " and ".join([f"({expression}) = ?" for expression in filters] or ["true"])
    for name, fact in (("decisions", "fct_decisions"), ("audits", "fct_audits")):
        connection.execute(
            f"""
            create table asked_{name} as
            select sides.side, of_fact.*
            from built.facts.{fact} as of_fact
            inner join sides on of_fact.decided_on between sides.starts_on and sides.ends_on
            where {condition}
            """,
            list(filters.values()),
        )
    connection.execute(
        "create table asked_slices as select side, slices.* "
        "from built.cells.audit_slices as slices inner join asked_audits using (audit_id)"
    )
    connection.execute(
        "create table daily as select decided_on, count(*) as n_decisions "
        "from asked_decisions where is_eligible group by decided_on"
    )
    connection.execute("create view design as from built.facts.int_sampling__strata")


def _hide(connection: duckdb.DuckDBPyConnection, periods: Periods, few: str) -> None:
    """List what is not shown: what open marts suppress then, and audits of few people."""
    connection.execute(
        f"""
        create table hidden as
        select distinct dimension_name, dimension_value
        from built.restricted.int_people__suppressed_groups
        inner join sides
            on period_starts_on <= ends_on
            and period_starts_on + case period_type
                when 'week' then interval 6 day else interval 1 month - interval 1 day
            end >= starts_on
        where basis = 'accuracy'
            and (period_type = 'month' or period_type = 'week' and not $are_months)
        union
        select dimension_name, dimension_value from ({few}) where dimension_name <> 'overall'
        """,
        {"are_months": periods.are_months},
    )


def sentences(found: Found, by: str, level: float) -> list[str]:
    """What moved and how sure that is, by what, what to look at, and what nobody can say."""
    total = found.total(by)
    change, low, high = total.contribution, total.contribution_ci_low, total.contribution_ci_high
    from_to = f"from {words.percent(total.rate_earlier)} to {words.percent(total.rate_later)}"
    interval = f"{100 * level:g} % interval {words.points_interval(low, high)}"
    moved = f"{words.signed(abs(change)).lstrip('+')} points"
    if low <= 0 <= high:
        first = (
            f"The audits cannot tell whether accuracy changed: the estimate went {from_to} "
            f"({words.points(change)}; {interval}, which contains 0)."
        )
    else:
        verb = "rose" if change > 0 else "fell"
        first = f"Accuracy {verb} by {moved}, {from_to} ({interval})."
    rate, mix = (
        f"{words.points(value)} ({words.points_interval(low, high)})"
        for value, low, high in (
            (
                total.rate_contribution,
                total.rate_contribution_ci_low,
                total.rate_contribution_ci_high,
            ),
            (
                total.mix_contribution,
                total.mix_contribution_ci_low,
                total.mix_contribution_ci_high,
            ),
        )
    )
    rest = change - total.rate_contribution - total.mix_contribution
    largest = next(found.segments(by).itertuples())
    second = (
        f"By {plain(by)}, rates within segments account for {rate}, the mix of work for {mix}, and "
        f"chance in the sampled mix for {words.points(rest)}; the largest part is "
        f"{largest.dimension_value}, {words.points(largest.contribution)}."
    )
    look = found.gate[found.gate["gate_status"] != "ok"]["gate_check"]
    names = words.listed([plain(name) for name in look])
    third = (
        f"Before believing it, look at: {names}." if names else "The checks before it are in order."
    )
    return [first, second, third, driven(found.drivers), CANNOT]


def driven(drivers: pd.DataFrame) -> str:
    """Where the errors sit that are more, or fewer, than the earlier period leads to expect."""
    found = drivers[drivers["is_driver"]]
    if found.empty:
        return "No driver stands out: no slice alone explains it."
    said = [
        f"{plain(row.dimension_name)} {row.dimension_value} ({words.count(row.n_errors)} errors "
        f"where {row.expected_errors:.1f} were to be expected)"
        for row in found.itertuples()
    ]
    return f"Errors compared with those to be expected, what stands out: {words.listed(said)}."


def plain(name: str) -> str:
    """A name of a column as words."""
    return name.replace("_", " ")


def gate_table(gate: pd.DataFrame) -> Table:
    """What to look at before."""
    table = Table(title="Before believing it", title_justify="left")
    table.add_column("")
    for name in ("earlier", "later", "threshold"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in gate.sort_values("gate_status").itertuples():
        show = words.count if row.gate_check == "days_without_decisions" else words.percent
        values = [show(value) for value in (row.value_earlier, row.value_later, row.threshold)]
        table.add_row(plain(row.gate_check), *values, row.gate_status)
    return table


def totals_table(change: pd.DataFrame) -> Table:
    """What each dimension says of the change."""
    table = Table(title="The same change, split by each dimension (points)", title_justify="left")
    table.add_column("dimension")
    for column in ("rate", "interval", "mix", "interval", "sampled mix", "together"):
        table.add_column(column, justify="right")
    rest = change[change["row_type"] == "sampling_of_the_mix"]
    rest = rest.set_index("dimension_name")["contribution"]
    totals = change[change["row_type"] == "total"].sort_values("dimension_name")
    for row in totals.itertuples():
        table.add_row(
            plain(row.dimension_name),
            *_parts(row),
            words.signed(rest[row.dimension_name]),
            words.signed(row.contribution),
        )
    return table


def segments_table(rows: pd.DataFrame, by: str) -> Table:
    """The segments of a dimension."""
    table = Table(title=f"By {plain(by)} (points)", title_justify="left")
    table.add_column(plain(by))
    for column in ("audits", "share", "accuracy", "rate", "interval", "mix", "interval", "status"):
        table.add_column(column, justify="left" if column == "status" else "right")
    for row in rows.itertuples():
        table.add_row(
            row.dimension_value,
            f"{words.count(row.n_audits_earlier)} → {words.count(row.n_audits_later)}",
            f"{words.percent(row.share_earlier)} → {words.percent(row.share_later)}",
            f"{words.percent(row.rate_earlier)} → {words.percent(row.rate_later)}",
            *_parts(row),
            "" if row.segment_status == "in_both" else plain(row.segment_status),
        )
    return table


def _parts(row: Any) -> list[str]:
    """Rate and mix in points, each with its interval; a dash where there is none."""
    found = []
    for name in ("rate_contribution", "mix_contribution"):
        low, high = getattr(row, f"{name}_ci_low"), getattr(row, f"{name}_ci_high")
        span = "–" if words.is_missing(low) else f"{words.signed(low)} to {words.signed(high)}"
        found += [words.signed(getattr(row, name)), span]
    return found


def drivers_table(drivers: pd.DataFrame) -> Table:
    """The slices that explain the change best; further rounds leave out drivers found before."""
    table = Table(title="Where it sits", title_justify="left")
    for name in ("dimension", "value"):
        table.add_column(name)
    for name in ("audits", "errors", "expected", "times", "z", "q", "evidence", "explains"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in drivers.itertuples():
        table.add_row(
            plain(row.dimension_name),
            row.dimension_value,
            words.count(row.n_audits),
            words.count(row.n_errors),
            f"{row.expected_errors:.1f}",
            f"{row.ratio:.1f}",
            f"{row.z:.1f}",
            f"{row.q_value:.2f}",
            words.percent(row.share_of_evidence),
            words.percent(row.explained_share),
            f"driver, round {row.driver_round}" if row.is_driver else "",
        )
    return table


def examples_table(rows: pd.DataFrame, title: str) -> Table:
    """Decisions with an error."""
    table = Table(title=title, title_justify="left")
    for name in rows.columns:
        table.add_column(plain(name))
    for row in rows.itertuples(index=False):
        table.add_row(*["–" if words.is_missing(value) else str(value) for value in row])
    return table


def asked(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict:
    """The options --where as a dictionary.

    Raises:
        click.BadParameter: one is not of the form dimension=value.
    """
    found = dict(value.partition("=")[::2] for value in values)
    if not all(found.values()):
        raise click.BadParameter("write dimension=value, as queue=q02", context, parameter)
    return found


def of_alert(database: Path, alert: str, baseline_days: int) -> list[pd.Timestamp]:
    """The window of an alert, and the days before: first and last day of both.

    Raises:
        click.ClickException: there is no such alert.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(database)} as built (read_only)")
        rows = connection.execute(
            "select window_starts_on, window_ends_on from built.monitoring.alerts "
            "where alert_id = ?",
            [alert],
        ).df()
    if rows.empty:
        raise click.ClickException(f"The mart alerts has no alert_id {alert}.")
    first, last = rows.iloc[0]
    before = first - timedelta(days=1)
    return [first, last, before - timedelta(days=baseline_days - 1), before]


DAY = click.DateTime(["%Y-%m-%d"])


@click.command(help=__doc__)
@click.option("--metric", type=click.Choice(["accuracy"]), default="accuracy", show_default=True)
@click.option("--from", "since", type=DAY, help="First day of the later period.")
@click.option("--to", "until", type=DAY, help="Its last day.")
@click.option("--alert", help="An alert_id of the mart alerts, instead of periods.")
@click.option(
    "--against-from", type=DAY, help="First day of the earlier; default: as long, just before."
)
@click.option("--against-to", type=DAY, help="Its last day; default: the day before --from.")
@click.option(
    "--where", multiple=True, callback=asked, help="Only these decisions: queue=q02. Repeatable."
)
@click.option("--by", default=None, help="The dimension whose segments are shown.")
@click.option("--examples", is_flag=True, help="Ten errors of the leading segment, by decision id.")
@click.option("--chart", type=click.Path(path_type=Path), default=Path("report/explain.svg"),
              show_default=True, help="Where the chart goes: .svg or .png.")  # fmt: skip
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="All numbers, as a file."
)
@built
def main(
    *, metric: str, since: Any, until: Any, alert: str | None, against_from: Any, against_to: Any,
    where: dict[str, str], by: str | None, examples: bool, chart: Path, json_file: Path | None,
    database: Path, manifest: Path,
) -> None:  # fmt: skip
    """Compare two periods, print what moved, draw it, and keep it as JSON."""
    if not database.exists():
        raise click.ClickException(f"{database} is not there: run `make build` first.")
    variables = variables_of(manifest)
    if alert:
        since, until, against_from, against_to = of_alert(
            database, alert, variables["scan_baseline_days"]
        )
    if not (since and until):
        raise click.UsageError("Say --from and --to, or --alert.")
    last = (against_to or since - timedelta(days=1)).date()
    first = against_from.date() if against_from else last - (until - since)
    periods = Periods(since.date(), until.date(), first, last)
    sql = statements(**{name: variables[name] for name in SETTINGS})
    by = by or ("policy_parent" if "queue" in where else "queue")
    found = explain(database, periods, where, by, sql, examples=examples)
    console = Console(width=None if Console().is_terminal else 150)
    said = sentences(found, by, variables["confidence_level"])
    of = ", ".join(f"{plain(name)} {value}" for name, value in where.items()) or "all decisions"
    console.print(
        f"[bold]{words.plain(metric)} of {of}[/bold], {periods.starts_on} to {periods.ends_on} "
        f"against {periods.earlier_starts_on} to {periods.earlier_ends_on}\n"
    )
    for sentence in said:
        console.print(sentence)
    console.print(gate_table(found.gate))
    console.print(totals_table(found.change))
    segments = found.segments(by)
    console.print(segments_table(segments, by))
    console.print(drivers_table(found.drivers))
    if found.examples is not None:
        leading = segments["dimension_value"].iloc[0]
        console.print(examples_table(found.examples, f"Errors in {plain(by)} {leading}"))
        console.print(
            "Decision ids are of rows of people's work: only for those who may read facts."
        )
    canvas = charts.paper()
    drawing = charts.contributions(segments.assign(label=segments["dimension_value"]), canvas)
    chart.parent.mkdir(parents=True, exist_ok=True)
    if chart.suffix == ".png":
        chart.write_bytes(charts.png(drawing, canvas))
    else:
        chart.write_text(charts.svg(drawing, canvas), encoding="utf-8")
    console.print(f"The chart is {chart}. Restricted: it was made from rows of facts.")
    if json_file:
        json_file.write_text(as_json(metric, periods, where, said, found), encoding="utf-8")


def as_json(
    metric: str, periods: Periods, where: dict[str, str], said: list[str], found: Found
) -> str:
    """All that was found."""

    def rows(frame: pd.DataFrame) -> list[dict]:
        return json.loads(frame.drop(columns="comparison_id", errors="ignore").to_json(
            orient="records", date_format="iso", double_precision=15
        ))  # fmt: skip

    return json.dumps(
        {
            "metric": metric,
            "periods": {name: str(value) for name, value in vars(periods).items()},
            "where": where,
            "sentences": said,
            "gate": rows(found.gate),
            "parts": rows(found.change),
            "drivers": rows(found.drivers),
            "examples": None if found.examples is None else rows(found.examples),
        },
        indent=2,
    )


if __name__ == "__main__":
    main()
