"""How often do the published intervals cover the truth? The project's own SQL, many times over.

Populations whose every decision is known are audited again and again under sampling plans, good
and bad; the macros sampling_design and stratified_ratio estimate accuracy, or recall, from each
draw; and the truth is looked up. HateCheck, a census of real labels, is audited in the same way.
"""

import sys
from pathlib import Path

import click
import pandas as pd
from project_sql import PROJECT, render
from rich.console import Console
from rich.table import Table
from studies.cells import parts_and_misses, policies
from studies.estimator import ESTIMATOR, SCORES
from studies.judging import verdicts
from studies.page import report
from studies.scenarios import grid, hard, hatecheck
from studies.scores import people
from studies.strata import study


@click.command()
@click.option("--replications", type=click.IntRange(min=2), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=PROJECT / "docs" / "coverage_study.md",
    help="The Markdown file to write.  [default: docs/coverage_study.md]",
)
@click.option(
    "--hatecheck-file",
    type=click.Path(path_type=Path),
    default=PROJECT / ".." / "shared" / "real" / "hatecheck" / "all_annotations.csv",
    help="HateCheck's published file; without it that part is skipped.",
)
@click.option("--check", is_flag=True, help="Exit with 1 if a criterion is not met.")
def main(replications: int, seed: int, output: Path, hatecheck_file: Path, check: bool) -> None:
    """Count how often the intervals cover the truth, and write the table into docs/.

    Exit codes: 0 done; 1 with --check, a criterion is not met; 2 wrong usage.
    """
    console = Console(stderr=True)
    sql = render(ESTIMATOR)
    real = list(hatecheck(hatecheck_file))
    if not real:
        console.print(f"HateCheck is skipped: no file {hatecheck_file}", style="yellow")
    rows = study([*real, *grid(), *hard()], replications, seed, sql, console)
    console.print("A simulated week, by policy; parts of strata; misses out of the way")
    of_cells = [policies(replications, seed, sql), parts_and_misses(replications, seed, sql)]
    rows = pd.concat([rows, *of_cells], ignore_index=True)
    scores = people(replications, seed, render(SCORES))
    output.write_text(report(rows, scores, replications, seed, sql))
    table = Table("part", "criterion", "measured", "verdict")
    judged = verdicts(rows, scores)
    for *said, is_met in judged:
        table.add_row(*said, "[green]pass" if is_met else "[red]FAIL")
    console.print(table)
    console.print(f"Written: {output}")
    if check and not all(is_met for *_, is_met in judged):
        sys.exit(1)


if __name__ == "__main__":
    main()
