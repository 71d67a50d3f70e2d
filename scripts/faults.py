"""The fault catalogue: spoil a healthy world in every way we know, and see what says so.

Each fault is put to the test alone: the raw tables are spoilt, the project's own models and data
tests run on them, and the published numbers are held against those of the healthy world.
"""

import json
import multiprocessing
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click
import project_sql
from rich.console import Console
from rich.progress import track
from simulator.world import Settings
from spoiling.catalogue import FAULTS
from spoiling.healthy import SETTINGS, Healthy
from spoiling.trial import MOST_ERRORS, MOST_POINTS, Fault, Outcome, folder_of, try_fault

# Worlds in which nothing may be raised: 20 seeds, and of each another size, start and calendar.
ZONES = ("UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland", "Europe/Berlin")
HEALTHY_WORLDS = [
    (
        Settings(
            seed=seed,
            start=date(2025, 1 + seed % 12, 1 + seed),
            days=(14, 21, 35, 50)[seed % 4],
            decisions_per_day=(100, 150, 300)[seed % 3],
            moderators=(6, 20, 40)[seed % 3],
            queues=2 + seed % 4,
            audit_rate=(0.05, 0.15, 0.3)[seed % 3],
        ),
        {
            "reporting_timezone": ZONES[seed % len(ZONES)],
            "week_starts_on": ("monday", "sunday", "saturday")[seed % 3],
        },
    )
    for seed in range(20)
]


def try_all(
    faults: list[Fault], healthy: Healthy, workers: int, until_named: bool = False
) -> Iterator[Outcome]:
    """Put faults to the test, in their order; until_named: build each only until it is named."""
    # By their names: what a fault does to files is a function, which no process gives to another.
    yield from _each(partial(_try, healthy, until_named), [fault.id for fault in faults], workers)


def _try(healthy: Healthy, until_named: bool, name: str) -> Outcome:
    (fault,) = (fault for fault in FAULTS if fault.id == name)
    # In its own folder below that of the world, so that whoever cleans up has one place.
    return try_fault(fault, healthy, folder_of(healthy.folder, fault), until_named)


def raised_by(manifest: bytes, world: tuple[Settings, dict[str, str]]) -> list[str]:
    """What a build of a healthy world warns of or fails: nothing, if the checks are sound."""
    settings, variables = world
    with tempfile.TemporaryDirectory(prefix="healthy-") as folder:
        return Healthy.make(Path(folder), settings, manifest, variables).said


def raised_by_all(manifest: bytes, workers: int) -> Iterator[list[str]]:
    """What each healthy world raises."""
    yield from _each(partial(raised_by, manifest), HEALTHY_WORLDS, workers)


def _each(work: partial, jobs: list, workers: int) -> Iterator:
    if workers == 1:
        yield from map(work, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as executor:
        yield from executor.map(work, jobs)


def state() -> str:
    """Say which state of the project is put to the test, and when: no date is in the numbers."""
    said = []
    for command in (["log", "-1", "--format=%h of %cs"], ["status", "--porcelain"]):
        run = subprocess.run(
            ["git", *command], cwd=project_sql.PROJECT, capture_output=True, text=True, check=False
        )
        said.append(run.stdout.strip())
    commit = f"commit {said[0]}" if said[0] else "no commit"
    changed = ", with changes" if said[1] else ""
    return f"Run on {datetime.now(UTC).date()}, on {commit}{changed}."


def report(outcomes: list[Outcome], raised: list[list[str]] | None, state: str = "") -> str:
    """Write the catalogue as Markdown: but for the state, the same project gives the same text."""
    by_id = {fault.id: fault for fault in FAULTS}
    moved = [outcome for outcome in outcomes if outcome.is_moved]
    severities = Counter(outcome.severity or "nothing" for outcome in outcomes)
    told = [outcome for outcome in outcomes if outcome.named_by]
    missed = [outcome for outcome in outcomes if outcome.is_missed]
    undetectable = [one for one in missed if by_id[one.id].undetectable]
    lines = [
        "# The fault catalogue",
        "",
        "Ways to spoil a healthy world, one at a time, and what says so. Do not edit; written by",
        "`make faults`. A fault counts as moving numbers if a number that is published as",
        f"reportable is off by more than {MOST_POINTS} points or {MOST_ERRORS:g} standard error",
        "(of the healthy world). Numbers behind a failing test are what would have been published.",
        *([state] if state else []),
        "",
        _table(
            ["", "faults"],
            [
                ["all", len(outcomes)],
                ["named by a stop before or in a model", severities["stop"]],
                ["named by a failing test", severities["error"]],
                ["named by a warning alone", severities["warn"]],
                ["named by nothing", severities["nothing"]],
                ["move a published number", len(moved)],
                ["move one and are named by nothing", len(missed)],
                ["of these: nobody could tell, with the reason below", len(undetectable)],
                ["named, and the message says what to do",
                 sum(one.says_what_to_do for one in told)],
            ],
        ),
        "",
    ]  # fmt: skip
    if raised is not None:
        n_raised = sum(map(bool, raised))
        lines += [
            f"Of {len(raised)} healthy worlds (other seeds, sizes, time zones and weeks) "
            f"{n_raised or 'none'} raised anything.",
            "",
            *sorted({f"- {said}" for one in raised for said in one}),
            "",
        ]
    lines += ["## Missed", ""] + [
        f"- `{one.id}`: {by_id[one.id].story} {_moved(one)}."
        + (f" Nobody could tell: {by_id[one.id].undetectable}" * bool(by_id[one.id].undetectable))
        for one in missed
    ] + ([] if missed else ["None."]) + [""]  # fmt: skip
    for family in dict.fromkeys(fault.family for fault in FAULTS):
        part = [one for one in outcomes if by_id[one.id].family == family]
        if part:
            lines += [
                f"## {family[0].upper()}{family[1:]}",
                "",
                _table(
                    ["fault", "named by", "severity", "moved", "says what to do"],
                    [
                        [
                            f"**{one.id}** {by_id[one.id].story}",
                            _named_by(one),
                            one.severity or ("**missed**" if one.is_missed else ""),
                            _moved(one),
                            "" if not one.named_by else "yes" if one.says_what_to_do else "no",
                        ]
                        for one in part
                    ],
                ),
                "",
            ]
    return "\n".join(lines)


def _named_by(outcome: Outcome) -> str:
    names = list(dict.fromkeys(naming.name for naming in outcome.named_by))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more or "nothing"


def _moved(outcome: Outcome) -> str:
    if outcome.headline is None and not outcome.n_published:
        return "not built"
    said = []
    if outcome.headline is not None and outcome.headline >= 0.05:
        said.append(f"headline {outcome.headline:.1f} points")
    if outcome.is_moved:
        said.append(
            f"{outcome.n_moved} numbers, at most "
            f"{outcome.most_points.points:.1f} points ({outcome.most_points.number}), "
            f"{outcome.most_errors.errors:.1f} standard errors"
        )
    if outcome.n_gone:
        said.append(f"{outcome.n_gone} numbers no longer published")
    if outcome.decisions is not None and abs(outcome.decisions) >= 0.0005:
        said.append(f"decisions {outcome.decisions:+.1%}")
    return "; ".join(said) or "nothing"


def _table(head: list[str], body: list[list[object]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |"
                     for line in lines)  # fmt: skip


@click.command()
@click.option("--only", default="", help="Faults whose id or family has this text.")
@click.option("--healthy/--no-healthy", default=True, help="Also build 20 healthy worlds.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The Markdown file to write.  [default: docs/faults.md where all faults are tried]",
)
@click.option(
    "--details",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A file to which all that was said is added in full, a line of JSON per fault.",
)
def main(only: str, healthy: bool, workers: int, output: Path | None, details: Path | None) -> None:
    """Spoil a healthy world in every way of the catalogue, and write docs/faults.md.

    Exit codes: 0 every fault that moves a number is named and a healthy world raises nothing;
    1 not so; 2 wrong usage.
    """
    console = Console(stderr=True)
    faults = [fault for fault in FAULTS if only in fault.id or only in fault.family]
    if not faults:
        raise click.BadParameter("no fault has this in its id or family", param_hint="--only")
    at = state()
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        manifest = project_sql.dump(project_sql.parsed(None))
        world = Healthy.make(Path(scratch), SETTINGS, manifest)
        said_first = world.said
        for said in said_first:
            console.print(f"The healthy world raises: {said}", style="red")
        trials = try_all(faults, world, workers)
        outcomes = []
        for outcome in track(trials, "faults", total=len(faults), console=console):
            outcomes.append(outcome)
            if details:
                with details.open("a") as file:
                    file.write(json.dumps(_in_full(outcome)) + "\n")
    raised = None
    if healthy:
        worlds = raised_by_all(manifest, workers)
        raised = list(track(worlds, "healthy", total=len(HEALTHY_WORLDS), console=console))
    by_id = {fault.id: fault for fault in faults}
    missed = [one for one in outcomes if one.is_missed and not by_id[one.id].undetectable]
    for one in missed:
        console.print(f"missed: {one.id}: {by_id[one.id].story} {_moved(one)}", style="red")
    for said in sorted({said for one in raised or [] for said in one}):
        console.print(f"a healthy world raises: {said}", style="red")
    if output or not only:
        output = output or project_sql.PROJECT / "docs" / "faults.md"
        output.write_text(report(outcomes, raised, at))
        console.print(f"Written: {output}")
    console.print(f"{len(missed)} missed of {len(outcomes)}")
    sys.exit(bool(missed or said_first or any(raised or [])))


def _in_full(outcome: Outcome) -> dict:
    return {
        "id": outcome.id,
        "severity": outcome.severity,
        "moved": _moved(outcome),
        "is_missed": outcome.is_missed,
        "named_by": [vars(naming) for naming in outcome.named_by],
    }


if __name__ == "__main__":
    main()
