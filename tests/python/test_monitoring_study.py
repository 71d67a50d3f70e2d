"""How the study of monitoring counts: what names a planted cell, and what a page says of rows."""

import pandas as pd
import pytest
from explain import statements
from monitoring_study import (
    DAYS,
    LEARNING,
    NULL,
    PLANTED,
    QUEUES,
    names_it,
    outcome,
    parts,
    planted,
    report,
    score,
)
from projects import ROOT

CELL = planted("language=fr|queue=q02")


@pytest.mark.parametrize(
    ("dimension", "value", "is_named"),
    [
        ("queue", "q02", True),
        ("queue", "q03", False),
        ("queue_and_language", "q02 | fr", True),
        ("queue_and_language", "q02 | en", False),
        ("queue_and_decider", "q02 | human", False),
        ("site_and_language", "lisbon | fr", False),
    ],
)
def test_a_slice_names_a_planted_cell(dimension: str, value: str, is_named: bool) -> None:
    """The cell, one of its parts, or a part of it; not what shares one part and has another."""
    assert names_it(parts(dimension, value), CELL) == is_named


def test_a_part_of_a_planted_queue_names_it() -> None:
    """People of a planted queue are in it, under the name that the dimension had before pairs."""
    assert parts("queue_and_decider", "q02 | human") == {("queue", "q02"), ("decided_by", "human")}
    assert names_it(parts("queue_and_decider", "q02 | human"), planted("queue=q02"))


def day(text):
    return pd.Timestamp(text)


def alarm(name, on, **more):
    return {
        "alert_id": name, "incident_id": name, "dimension_name": "queue", "dimension_value": name,
        "first_alarm_on": day(on), "since": day(on) - pd.Timedelta(days=3), "alert_level": "alert",
        "audited_by": day(on) + pd.Timedelta(days=6), "is_data_suspect": False, "z": 4.0,
    } | more  # fmt: skip


@pytest.fixture
def tables():
    """Queue q02 is planted on ten days of May, and its alarm, of the fifth, is explained by q01's.

    Of the other alarms, one is of the same days, one of none, one is explained, one suspect. The
    feed's incident is found in its queue; what is before it or of another queue is not it.
    """
    planted = {"starts_at": day("2026-05-10"), "ends_at": day("2026-05-20")}
    feed = {"feed_measure": "no_language", "dimension_value": "q07"}
    return {
        "alerts": pd.DataFrame(
            [
                alarm("q02", "2026-05-14", incident_id="q01"),
                alarm("q01", "2026-05-13"),
                alarm("q02", "2026-03-01", alert_id="earlier", incident_id="earlier"),
                alarm("q03", "2026-05-15", is_data_suspect=True),
            ]
        ),
        "drivers": pd.DataFrame(
            [
                {"alert_id": "q01", "driver_rank": rank, "dimension_name": "queue",
                 "dimension_value": queue}
                for rank, queue in enumerate(["q01", "q04", "q02"], 1)
            ]
        ),
        "feed_alarms": pd.DataFrame(
            [
                feed | {"first_day": day("2026-06-02"), "last_day": day("2026-06-02")},
                feed | {"first_day": day("2026-05-31"), "last_day": day("2026-05-31")},
            ]
        ),
        "incidents": pd.DataFrame(
            [
                planted | {"kind": "accuracy_change", "dimension_value": "q02", "cell": "queue=q02",
                           "detectability": 8.0},
                {"kind": "broken_feed", "dimension_value": "q07", "cell": "queue=q07",
                 "starts_at": day("2026-06-01"), "ends_at": day("2026-06-03")},
                {"kind": "broken_feed", "dimension_value": "q06", "cell": "queue=q06",
                 "starts_at": day("2026-06-01"), "ends_at": day("2026-06-03")},
            ]
        ).assign(
            starts_at=lambda x: x["starts_at"].dt.tz_localize("UTC"),
            ends_at=lambda x: x["ends_at"].dt.tz_localize("UTC"),
        ),
        "comparisons": pd.DataFrame(),
    }  # fmt: skip


def test_a_world_is_scored_by_place_and_days(tables) -> None:
    """Found is what names the place in its days; drivers are those of the alarm that leads."""
    said = score(tables)
    assert said["alarms"] == [
        {"level": "alert", "truth": "other place"},
        {"level": "alert", "truth": "nothing"},
    ]
    assert said["incidents"] == [
        {
            "kind": "accuracy_change", "detectability": 8.0, "is_found": True, "delay": 5,
            "as_of_delay": 11, "begin_error": 1, "is_first": False, "is_among_three": True,
            "z": 4.0,
        }
    ]  # fmt: skip
    assert said["feeds"] == [
        {"kind": "broken_feed", "is_found": True},
        {"kind": "broken_feed", "is_found": False},
    ]


def test_an_alarm_after_its_grace_finds_nothing(tables) -> None:
    """Two weeks after its end an incident is over."""
    tables["alerts"].loc[0, "first_alarm_on"] = day("2026-06-02")
    assert score(tables)["incidents"][0]["is_found"]
    tables["alerts"].loc[0, "first_alarm_on"] = day("2026-06-03")
    assert not score(tables)["incidents"][0]["is_found"]


def test_the_page_counts_what_the_worlds_say() -> None:
    """Two false alarms, one of them strong, in one world; of two incidents one is found."""
    parts_of = [
        {"part": "whole change", "value": 0.1, "low": 0.0, "high": 0.2, "names_driver": True},
        {"part": "whole change", "value": 0.3, "low": 0.0, "high": 0.2, "names_driver": False},
    ]
    quiet = {
        "plan": NULL[0],
        "alarms": [{"level": "alert", "truth": "nothing"}, {"level": "strong", "truth": "nothing"}],
        "feed_alarms": 1,
        "incidents": [],
        "feeds": [],
        "comparisons": parts_of,
    }
    of_incidents = {"kind": "accuracy_change"}
    found = {"is_found": True, "delay": 5, "as_of_delay": 12, "begin_error": 4, "is_first": True}
    planted_in = quiet | {
        "plan": PLANTED[0],
        "alarms": [{"level": "alert", "truth": "place"}, {"level": "alert", "truth": "nothing"}],
        "incidents": [
            of_incidents | {"detectability": 8.0, "z": 4.0, "is_among_three": True} | found,
            of_incidents | {"detectability": 7.5, "is_found": False},
        ],
        "feeds": [{"kind": "bulk_close", "is_found": True}],
    }
    text = report([quiet, planted_in], 5)
    rate = 2 / (QUEUES * (DAYS - LEARNING) / 365)
    of_one = f"{rate / 2:.2f} (1)"
    assert f"| 40 | 0 % | 0.9 | {rate:.2f} (2) | {of_one} | {of_one} |" in text
    assert (
        "| 7 and more | 50 % (1 of 2) | 5, 5 | 12, 12 | 0 % (0 of 1) | 100 % (1 of 1) "
        "| 100 % (1 of 1) |" in text
    )
    assert "| below 3 | – | – | – | – | – | – |" in text
    assert "| accuracy_change | 50 % (1 of 2) |" in text
    assert "| name a planted cell then | 50 % (1 of 2) |" in text
    assert "| when nothing was planted | 50 % (1 of 2) |" in text
    assert "| bulk_close | 100 % (1 of 1) |" in text
    assert "| 400 | 0 % | 0.0 | – | – | – |" in text
    assert "Where nothing happened, 50 % (1 of 2) name a driver." in text
    assert "| whole change | 50 % (2 of 4) |" in text
    assert "None." in report([quiet], 5)


def test_the_sample_finds_what_its_audits_can_show(parsed_project) -> None:
    """The study on the one world that is built anyway (8 s): its planted queue stands out by D 7.9.

    It is found within a week of its begin and as the first driver, the cohort too, and the policy,
    D 2.2, is not. Of the feeds all are. Most intervals hold the true part.
    """
    data = ROOT / "data"
    if not (data / "warehouse.duckdb").exists():
        pytest.skip("no sample data: run make build")
    said = score(outcome(data / "warehouse.duckdb", data / "truth", statements()))
    found = {one["kind"]: one for one in said["incidents"]}
    assert {kind: one["is_found"] for kind, one in found.items()} == {
        "queue_accuracy_drop": True, "vendor_cohort": True, "policy_change": False,
    }  # fmt: skip
    drop = found["queue_accuracy_drop"]
    assert abs(drop["begin_error"]) <= 7
    assert drop["is_first"]
    assert drop["as_of_delay"] > drop["delay"] > 0
    assert all(feed["is_found"] for feed in said["feeds"])
    assert len(said["feeds"]) == 4
    holds = [part["low"] <= part["value"] <= part["high"] for part in said["comparisons"]]
    assert len(holds) > 5 and sum(holds) > len(holds) / 2
