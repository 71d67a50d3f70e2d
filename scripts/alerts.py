"""Say what alarms now, for a person, a chat and a scheduler."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import pandas as pd
from reporting import sentences
from reporting.read import ALERTS, SLICES, Warehouse, built

NEW = 1


def known_before(folder: Path) -> set[str]:
    """The alarms that the last run wrote; none where there was none."""
    file = folder / "alerts.json"
    if not file.exists():
        return set()
    try:
        return {
            alert["alert_id"] for alert in json.loads(file.read_text(encoding="utf-8"))["alerts"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{file} is not what this script wrote: remove it, and all alarms are new."
        ) from error


def as_json(row: Any, is_new: bool) -> dict[str, Any]:
    """A row of alerts for tools: dates as text, null where there is none."""
    values = {
        name: None if pd.isna(value) else value.date().isoformat()
        if isinstance(value, pd.Timestamp) else value
        for name, value in row._asdict().items()
    }  # fmt: skip
    return values | {"is_new": is_new, "message": sentences.alert(row)}


def message(alerts: list[dict[str, Any]], silence: str) -> str:
    """What to send: new alarms first, each in a sentence; what silence means where none goes on."""
    if not alerts:
        return f"Nothing alarms now. {silence}\n"
    lines = [
        f"- {'NEW, ' if alert['is_new'] else ''}{alert['alert_level']}: {alert['message']}"
        for alert in sorted(alerts, key=lambda alert: not alert["is_new"])
    ]
    return "\n".join([f"{len(alerts)} of our slices alarm:", *lines]) + "\n"


@click.command()
@built
@click.option("--output", type=click.Path(file_okay=False, path_type=Path),
              default=Path("report/alerts"), show_default=True,
              help="The folder to write to; alarms that it has are not new.")  # fmt: skip
def main(database: Path, manifest: Path, output: Path) -> None:
    """Print what alarms now, and write it for tools (alerts.json) and for a chat (message.md).

    Exit codes: 0 no new strong alarm, 1 a new strong alarm or nothing to read, 2 wrong usage.
    """
    frames = Warehouse(database, manifest).read({"alerts": ALERTS, "slices": SLICES})
    before = known_before(output)
    rows = frames["alerts"]
    now = rows[(rows["direction"] == "worse") & rows["alert_status"].isin(sentences.GOING_ON)]
    alerts = [as_json(row, row.alert_id not in before) for row in now.itertuples(index=False)]
    text = message(alerts, sentences.silence(frames["slices"]))
    output.mkdir(parents=True, exist_ok=True)
    (output / "message.md").write_text(text, encoding="utf-8")
    (output / "alerts.json").write_text(
        json.dumps({"alerts": alerts}, indent=2, default=float) + "\n", encoding="utf-8"
    )
    click.echo(text, nl=False)
    click.echo(f"Written: {output}/alerts.json and message.md.", err=True)
    if any(alert["is_new"] and alert["alert_level"] == "strong" for alert in alerts):
        sys.exit(NEW)


if __name__ == "__main__":
    main()
