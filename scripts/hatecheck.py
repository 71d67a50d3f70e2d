"""Build the layer on HateCheck and compare it with the truth, which its gold labels tell."""

import json
import os
import subprocess
from pathlib import Path

import click
import duckdb
import pandas as pd
from reporting.words import percent_interval
from rich.console import Console
from rich.table import Table
from warehouse import must_be_writable

DATABASE = Path("data/hatecheck.duckdb")


def build(file: Path, audits: int, seed: int, database: Path) -> None:
    """Build and test the layer on the file.

    Raises:
        click.ClickException: where the file cannot be written, or dbt fails, which says why.
    """
    variables = {
        "raw_connector": "hatecheck",
        "hatecheck_file": str(file),
        "hatecheck_audits": audits,
        "hatecheck_seed": seed,
    }
    must_be_writable(database)
    command = ["dbt", "--quiet", "build", "--target-path", "target/hatecheck"]
    # They read no raw data.
    command += ["--exclude-resource-types", "unit_test"]
    done = subprocess.run(
        [*command, "--vars", json.dumps(variables)],
        env=os.environ | {"MODERATION_QUALITY_DATABASE": str(database)},
        check=False,
    )
    if done.returncode:
        raise click.ClickException("dbt build failed; what it said is above.")


def accuracy_table(rows: pd.DataFrame) -> Table:
    """True, weighted and pooled accuracy, one row for all and one per functional class."""
    table = Table(title="Accuracy of HateCheck's annotators", title_justify="left")
    table.add_column("Of")
    for name in ["Labels", "Audited", "True", "Weighted", "interval", "", "Pooled", "interval", ""]:
        table.add_column(name, justify="right")
    table.add_column("Not reportable because")
    for row in rows.itertuples():
        table.add_row(
            "all labels" if row.dimension_name == "overall" else row.dimension_value,
            f"{row.n_decisions:,}",
            f"{row.n_audits:,}",
            f"{100 * row.true_accuracy:.3f} %",
            f"{100 * row.weighted_rate:.2f} %",
            percent_interval(row.weighted_ci_low, row.weighted_ci_high),
            "holds it" if row.is_covered_by_weighted else "misses it",
            f"{100 * row.pooled_rate:.2f} %",
            percent_interval(row.pooled_ci_low, row.pooled_ci_high),
            "holds it" if row.is_covered_by_pooled else "misses it",
            "" if pd.isna(row.reason_code) else row.reason_code.replace("_", " "),
            end_section=row.dimension_name == "overall",
        )
    return table


def facts_table(rows: pd.DataFrame) -> Table:
    """What HateCheck's README says of the file beside what the file holds."""
    table = Table(title="What the publication says of its file", title_justify="left")
    table.add_column("Fact")
    for name in ["Published", "In the file", "Difference"]:
        table.add_column(name, justify="right")
    for row in rows.itertuples():
        difference = "" if row.is_equal else f"{row.difference:+,}"
        table.add_row(row.fact, f"{row.published:,}", f"{row.in_file:,}", difference)
    return table


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--audits", type=click.IntRange(1), default=600, show_default=True,
              help="Labels to audit, about; the plan rounds by stratum.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="The seed of the draw.")
@click.option("--database", type=click.Path(path_type=Path), default=DATABASE, show_default=True,
              help="The warehouse to build.")  # fmt: skip
def main(file: Path, audits: int, seed: int, database: Path) -> None:
    """Build the layer on HateCheck and compare it with the truth, which its gold labels tell.

    FILE is the published all_annotations.csv (or the copy without text; text is never read). The
    warehouse is a file of its own, so that the sample data stay as they are.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    console = Console(width=None if Console().is_terminal else 150)
    with console.status("Building the layer on HateCheck"):
        build(file, audits, seed, database)
    with duckdb.connect(str(database), read_only=True) as connection:
        rates = connection.execute(
            "select * from reconciliation.hatecheck_accuracy "
            "order by dimension_name, true_accuracy, dimension_value"
        ).df()
        facts = connection.execute("select * from reconciliation.hatecheck_published_facts").df()
    console.print(accuracy_table(rates))
    console.print(
        "The audit plan is risk-heavy on purpose: pooled, its audits answer for the plan;\n"
        "weighted, they answer for the labels.\n"
    )
    console.print(facts_table(facts))
    n_unequal = int((~facts["is_equal"]).sum())
    console.print(f"{n_unequal} of {len(facts)} differ. Nothing is adjusted here.")


if __name__ == "__main__":
    main()
