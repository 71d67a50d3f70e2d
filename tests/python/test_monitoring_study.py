"""How the study of monitoring counts: what names a planted cell, and what a page says of rows."""

import pytest
from monitoring_study import DAYS, LEARNING, NULL, QUEUES, names_it, parts, planted, report

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


def test_the_page_counts_what_the_worlds_say() -> None:
    """Two false alarms, one of them strong, in one world; of two incidents one is found."""
    quiet = {
        "audits": NULL[0].audits,
        "variation": NULL[0].variation,
        "incidents_plan": "none",
        "seed": 1,
        "alarms": [{"level": "alert", "kind": "x"}, {"level": "strong", "kind": "x"}],
        "incidents": [],
    }
    of_incidents = {"kind": "accuracy_change", "days": 7}
    found = {"is_found": True, "delay": 5, "begin_error": 4, "is_first": True}
    planted_in = quiet | {
        "incidents_plan": "random",
        "alarms": [],
        "incidents": [
            of_incidents | {"detectability": 8.0, "z": 4.0, "is_among_three": True} | found,
            of_incidents | {"detectability": 7.5, "is_found": False},
        ],
    }
    text = report([quiet, planted_in], 5)
    rate = 2 / (QUEUES * (DAYS - LEARNING) / 365)
    assert f"| 40 | 0 % | 0.9 | {rate:.2f} (2) | {rate / 2:.2f} (1) |" in text
    assert "| 7 and more | 50 % (1 of 2) | 5, 5 | 0 % (0 of 1) | 100 % (1 of 1) |" in text
    assert "| accuracy_change | 50 % (1 of 2) |" in text
    assert "| 400 | 0 % | 0.0 | – | – |" in text
    assert "None." in report([quiet], 5)
