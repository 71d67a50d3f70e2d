"""Build the layer on ConvAbuse and print how far its annotators agree, and each with itself."""

import json
import os
import subprocess
from pathlib import Path

import click
import duckdb
import pandas as pd
from reporting.words import percent, percent_interval
from rich.console import Console
from rich.table import Table
from warehouse import must_be_writable

DATABASE = Path("data/convabuse.duckdb")
CONSISTENCY = "self_consistency_calibration_"
KINDS = {"action_group": "abusive or not", "severity": "five grades"}


def build(file: Path, database: Path) -> None:
    """Build and test the layer on the file.

    Raises:
        click.ClickException: where the file cannot be written, or dbt fails, which says why.
    """
    variables = {"raw_connector": "convabuse", "convabuse_file": str(file)}
    must_be_writable(database)
    command = ["dbt", "--quiet", "build", "--target-path", "target/convabuse"]
    # They read no raw data.
    command += ["--exclude-resource-types", "unit_test"]
    # It is there to say that nothing was audited, and here nothing is.
    command += ["--exclude", "there_are_audits"]
    done = subprocess.run(
        [*command, "--vars", json.dumps(variables)],
        env=os.environ | {"MODERATION_QUALITY_DATABASE": str(database)},
        check=False,
    )
    if done.returncode:
        raise click.ClickException("dbt build failed; what it said is above.")


def agreement_table(rows: pd.DataFrame) -> Table:
    """Every coefficient, for all dialogues and for each bot."""
    table = Table(title="Agreement of ConvAbuse's annotators", title_justify="left")
    table.add_column("Label")
    table.add_column("Of")
    names = ["Items", "Ratings", "Agreement", "AC1", "interval", "Fleiss' κ", "α", "ordinal α"]
    for name in names:
        table.add_column(name, justify="right")
    group = ["label_kind", "dimension_name", "dimension_value"]
    for (kind, dimension, value), of_group in rows.groupby(group):
        found = of_group.set_index("coefficient")
        ac1 = found.loc["gwets_ac1"]
        table.add_row(
            KINDS[kind],
            "all" if dimension == "overall" else value,
            f"{ac1.n_items:,}",
            f"{ac1.n_ratings:,}",
            percent(found.estimate["percent_agreement"]),
            f"{ac1.estimate:.3f}",
            f"{ac1.ci_low:.3f} to {ac1.ci_high:.3f}",
            f"{found.estimate['fleiss_kappa']:.3f}",
            f"{found.estimate['krippendorffs_alpha_nominal']:.3f}",
            f"{found.estimate['krippendorffs_alpha_ordinal']:.3f}",
        )
    return table


def consistency_table(rows: pd.DataFrame) -> Table:
    """How often an annotator gave a dialogue turn the same label again."""
    table = Table(title="Its annotators with themselves", title_justify="left")
    table.add_column("Label")
    for name in ["Annotators", "Repeats", "The same", "interval"]:
        table.add_column(name, justify="right")
    for row in rows.itertuples():
        table.add_row(
            KINDS[row.metric_id.removeprefix(CONSISTENCY)],
            f"{row.n_people}",
            f"{row.n:,}",
            percent(row.estimate),
            percent_interval(row.ci_low, row.ci_high),
        )
    return table


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--database", type=click.Path(path_type=Path), default=DATABASE, show_default=True,
              help="The warehouse to build.")  # fmt: skip
def main(file: Path, database: Path) -> None:
    """Build the layer on ConvAbuse: how far its annotators agree, and each with itself.

    FILE has one row per label: example_no, item_key, annotator_id, bot, severity. The warehouse is
    a file of its own, so that the sample data stay as they are.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    console = Console(width=None if Console().is_terminal else 150)
    with console.status("Building the layer on ConvAbuse"):
        build(file, database)
    with duckdb.connect(str(database), read_only=True) as connection:
        agreement = connection.execute(
            "select * from rates.rater_agreement where period_type = 'month' "
            "and label_kind in ('action_group', 'severity') and n > 0 "
            "and dimension_name in ('overall', 'session')"
        ).df()
        consistency = connection.execute(
            "select * from rates.quality_rates where period_type = 'month' "
            "and metric_id in ($1 || 'action_group', $1 || 'severity') "
            "and dimension_name = 'overall' order by metric_id",
            [CONSISTENCY],
        ).df()
    console.print(agreement_table(agreement))
    console.print(
        "Most turns are not abusive: much agreement is expected by chance, which κ and α take off\n"
        "in full. AC1 does not collapse for that.\n"
    )
    console.print(consistency_table(consistency))


if __name__ == "__main__":
    main()
