"""The goals, and whether what was measured meets them."""

import pandas as pd

# The lowest of many simulated coverages is below the true one by chance; the family of
# recalls is small, and has no such allowance.
MEAN_COVERAGE = (0.95, 0.975)
LEAST_COVERAGE = 0.915
LEAST_RECALL_COVERAGE = 0.92
MOST_TOO_HIGH = 0.05
SCORE_COVERAGE = {"mean": 0.95, "lowest": 0.91}
# What is published in a smaller share of draws is not judged.
LEAST_PUBLISHED = 0.1


def mean_of(rows: pd.DataFrame, column: str) -> float:
    """Average over scenarios; each counts once overall and once for the mean of its queues."""
    return rows.groupby(["scenario", "level"])[column].mean().mean()


def judged_parts(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows that are judged, of designs that are published: {part: its rows}."""
    shown = rows[rows.reportable >= LEAST_PUBLISHED]
    is_recall = shown.level == "recall"
    parts = {
        "grid": shown[shown.group == "grid"],
        "second grid": shown[shown.group == "second grid"],
        "real labels": shown[shown.group == "hatecheck"],
        "hard designs": shown[shown.group == "hard"],
        "small queues, a family of its own": shown[shown.group == "own family"],
        "parts of strata": shown[shown.group == "a part of strata"],
        "weeks of a month": shown[shown.group == "weeks of a month"],
        "policies": shown[(shown.group == "policies") & ~is_recall],
        "recall": shown[is_recall],
    }
    return {name: part for name, part in parts.items() if len(part)}


def verdicts(rows: pd.DataFrame, scores: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    """Hold the whole study against the goals: (part, goal, measured, is met)."""
    return [*judge(rows), *judge_scores(scores)]


def judge_scores(scores: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    """Whether scores are nearer to the truth than raw rates, and their intervals cover it."""
    ratio = scores["score_error"] / scores["raw_error"]
    name, found = "scores of people", {"mean": scores["coverage"].mean(),
                                       "lowest": scores["coverage"].min()}  # fmt: skip
    return [
        (
            name,
            "mean squared error is below the raw rates'",
            f"{ratio.min():.2f} to {ratio.max():.2f} of it",
            bool((ratio < 1).all()),
        )
    ] + [
        (
            name,
            f"{which} coverage is at least {SCORE_COVERAGE[which]:.0%}",
            f"{found[which]:.2%}",
            bool(found[which] >= SCORE_COVERAGE[which]),
        )
        for which in SCORE_COVERAGE
    ]


def judge(rows: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    """Hold the published rows against the goals: (part, goal, measured, is met)."""
    return [
        (name, *verdict) for name, part in judged_parts(rows).items()
        for verdict in _judge_part(name, part)
    ]  # fmt: skip


def _judge_part(name: str, rows: pd.DataFrame) -> list[tuple[str, str, bool]]:
    mean = mean_of(rows, "coverage_if_reportable")
    least, too_high = rows.coverage_if_reportable.min(), rows.too_high_if_reportable.max()
    floor = LEAST_RECALL_COVERAGE if name == "recall" else LEAST_COVERAGE
    low, high = MEAN_COVERAGE
    verdicts = [
        (f"lowest coverage is at least {floor:.1%}", f"{least:.2%}", bool(least >= floor)),
        (
            f"too high in at most {MOST_TOO_HIGH:.0%}",
            f"{too_high:.2%}",
            bool(too_high <= MOST_TOO_HIGH),
        ),
    ]
    if name in ("grid", "second grid", "real labels"):
        verdicts.insert(
            0,
            (
                f"mean coverage is {low:.1%} to {high:.1%}",
                f"{mean:.2%}",
                bool(low <= mean <= high),
            ),
        )
    # Of recall Korn and Graubard's interval covers too seldom, and is no yardstick.
    if name != "recall":
        width, other = mean_of(rows, "published_width"), mean_of(rows, "korn_graubard_width")
        verdicts.append(
            ("narrower than Korn-Graubard", f"{width:.4f} against {other:.4f}", bool(width < other))
        )
    return verdicts
