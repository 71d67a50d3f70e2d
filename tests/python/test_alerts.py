"""What `make alerts` says and how it ends, on a warehouse of a few rows."""

import json
from pathlib import Path

import duckdb
import pytest
from alerts import main
from click.testing import CliRunner

COLUMNS = {
    "alert_id": "'queue|q1|worse|2026-05-14'",
    "incident_id": "'queue|q1|worse|2026-05-14'",
    "explained_by": "cast(null as varchar)",
    "direction": "'worse'",
    "slice_label": "'Queue: Images'",
    "suspected_kind": "'accuracy_drop'",
    "alert_level": "'strong'",
    "alert_status": "'open'",
    "is_data_suspect": "false",
    "since": "date '2026-05-12'",
    "window_starts_on": "date '2026-05-11'",
    "window_ends_on": "date '2026-05-14'",
    "first_alarm_on": "date '2026-05-14'",
    "last_alarm_on": "date '2026-05-14'",
    "n_audits": "32",
    "n_errors": "14",
    "expected_errors": "3.5",
    "ratio": "4.0",
    "ratio_ci_low": "2.3",
    "ratio_ci_high": "6.9",
    "accuracy_now": "0.7",
    "accuracy_now_ci_low": "0.5",
    "accuracy_now_ci_high": "0.8",
    "accuracy_before": "0.95",
    "excess_wrong_decisions": "350.0",
    "excess_ci_low": "200.0",
    "excess_ci_high": "500.0",
    "excess_per_day_ci_low": "50.0",
}


def warehouse(folder: Path, *alerts: dict[str, str]) -> list[str]:
    """A warehouse with these alarms, each a change of COLUMNS; the options that name it."""
    database, manifest = folder / "few.duckdb", folder / "manifest.json"
    database.unlink(missing_ok=True)
    relations = {
        "alerts": " union all ".join(
            "select " + ", ".join(f"{sql} as {name}" for name, sql in (COLUMNS | alert).items())
            for alert in alerts or [{}]
        )
        + ("" if alerts else " limit 0"),
        "alert_kinds": "select 'accuracy_drop' as suspected_kind, 'More errors' as kind_label, "
        "'Read a few.' as what_to_check",
        "monitored_slices": "select 'queue' as dimension_name, 'q1' as dimension_value, "
        "date '2026-05-14' as last_day, 2.5 as detectable_ratio_28_days",
        "dim_queues": "select 'q1' as queue_id, 'Images' as queue_name",
    }
    nodes = {}
    with duckdb.connect(database) as connection:
        for name, sql in relations.items():
            connection.execute(f"create table {name} as {sql}").fetchall()
            nodes[name] = {
                "name": name,
                "resource_type": "model",
                "relation_name": f'"few"."main"."{name}"',
                "config": {"meta": {"readers": "everybody"}},
            }
    manifest.write_text(json.dumps({"nodes": nodes, "metadata": {}}))
    return ["--database", str(database), "--manifest", str(manifest)]


def said(folder: Path, *alerts: dict[str, str]) -> tuple[int, str]:
    """The exit code and what is printed, of one run after another in a folder."""
    options = [*warehouse(folder, *alerts), "--output", str(folder / "alerts")]
    result = CliRunner().invoke(main, options, catch_exceptions=False)
    return result.exit_code, result.stdout


def test_a_new_strong_alarm_ends_with_1_once(tmp_path: Path) -> None:
    """It is told in a sentence with number, interval, days, kind and what to check."""
    code, text = said(tmp_path, {})
    assert code == 1
    assert "NEW, strong: Queue: Images: 14 errors in 32 audits" in text
    assert "11 May to 14 May 2026, where 3.5 were to be expected: 4.0 times as many" in text
    assert "(2.3 to 6.9). Most likely since 12 May." in text
    assert "200 to 500 wrong decisions more" in text
    assert "Looks like: more errors. Read a few." in text
    assert (tmp_path / "alerts" / "message.md").read_text() == text
    (alert,) = json.loads((tmp_path / "alerts" / "alerts.json").read_text())["alerts"]
    assert (alert["since"], alert["is_new"], alert["explained_by"]) == ("2026-05-12", True, None)
    assert said(tmp_path, {})[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"alert_level": "'alert'"},
        {"alert_status": "'closed'"},
        {"alert_status": "'data_suspect'"},
        {"alert_status": "'accepted'"},
        {"direction": "'better'"},
        {"explained_by": "'queue|q2|worse|2026-05-14'"},
    ],
    ids=str,
)
def test_what_is_weak_over_or_explained_does_not_end_with_1(
    tmp_path: Path, change: dict[str, str]
) -> None:
    """Only a strong alarm that goes on, and leads, does."""
    assert said(tmp_path, change)[0] == 0


def test_silence_says_what_could_not_be_seen(tmp_path: Path) -> None:
    """Without an alarm the message is no all-clear."""
    code, text = said(tmp_path)
    assert code == 0
    assert text.startswith("Nothing alarms now. No alarm does not mean that nothing happened.")
    assert "2.5 times what it was to be seen in Images" in text


def test_a_file_of_somebody_else_is_not_read_as_known(tmp_path: Path) -> None:
    """What is there and cannot be read stops with the file's name."""
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "alerts.json").write_text("[1]")
    options = [*warehouse(tmp_path, {}), "--output", str(tmp_path / "alerts")]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1
    assert "alerts.json is not what this script wrote" in result.stderr
