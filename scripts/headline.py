"""Print the headline table: the analysis first_look on the warehouse that was built last."""

from pathlib import Path

import click
import pandas as pd
from reporting import words
from reporting.read import Warehouse, built
from rich.console import Console
from rich.table import Table

ANALYSIS = Path("analyses/first_look.sql")


def headline_table(rows: pd.DataFrame) -> Table:
    """The rows of first_look as a table for people."""
    table = Table(title="Accuracy of moderation decisions", title_justify="left")
    for name in ["Month", "", "Of"]:
        table.add_column(name)
    level = f"{100 * rows['confidence_level'].iloc[0]:g} % interval" if len(rows) else "Interval"
    for name in ["Decisions", "Audits", "Accuracy", level, "Unweighted", "Covered"]:
        table.add_column(name, justify="right")
    table.add_column("Not reportable because")
    previous = None
    for row in rows.itertuples():
        if previous not in (None, row.dimension_name):
            table.add_section()
        previous = row.dimension_name
        table.add_row(
            f"{row.month_starts_on:%Y-%m}",
            row.accuracy_status,
            row.dimension_value if row.dimension_name != "overall" else "all decisions",
            words.count(row.n_eligible_decisions),
            words.count(row.n_audits),
            words.percent(row.accuracy),
            words.percent_interval(row.ci_low, row.ci_high),
            words.percent(row.unweighted_rate),
            words.percent(row.coverage_rate),
            "" if pd.isna(row.reason_code) else row.reason_code.replace("_", " "),
        )
    if (rows["weighting"] == "derived_frame").any():
        table.caption = (
            "frame: derived. What an audit stands for was counted from the decisions; it holds if "
            "audits were drawn at random within week, queue, decider and action group."
        )
        table.caption_justify = "left"
    return table


@click.command()
@built
def main(database: Path, manifest: Path) -> None:
    """Print the headline table: the analysis first_look on the warehouse that was built last."""
    rows = Warehouse(database, manifest).read({"rows": ANALYSIS.read_text("utf-8")})["rows"]
    rows["month_starts_on"] = pd.to_datetime(rows["month_starts_on"])
    console = Console(width=None if Console().is_terminal else 130)
    overall = rows[rows["dimension_name"] == "overall"]
    queues = rows[rows["dimension_name"] == "queue"]
    console.print(headline_table(pd.concat([overall, queues])))
    console.print(
        "Accuracy weighs each audit by the decisions it speaks for; the unweighted rate only shows "
        "what pooling\nan uneven audit plan would claim. The table is analyses/first_look.sql on "
        "the mart accuracy_rates;\nthe definitions are in docs/decisions.md."
    )


if __name__ == "__main__":
    main()
