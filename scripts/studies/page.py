"""The study as Markdown: docs/coverage_study.md."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from project_sql import PROJECT

from .cells import CELL_GROUPS
from .judging import LEAST_PUBLISHED, judged_parts, mean_of, verdicts
from .scenarios import GRIDS, LEAST_QUEUE_AUDITS, POPULATION


def fingerprint(replications: int, seed: int, sql: str) -> str:
    """Hash what the figures hang on: the rendered SQL but its comments, the code, the settings."""
    bare = " ".join(" ".join(line.split("--")[0] for line in sql.splitlines()).split())
    files = [PROJECT / "scripts" / "coverage_study.py", *sorted(Path(__file__).parent.glob("*.py"))]
    code = "".join(file.read_text() for file in files)
    text = f"{bare}\n{code}\n{replications}\n{seed}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def report(rows: pd.DataFrame, scores: pd.DataFrame, replications: int, seed: int, sql: str) -> str:
    """Write the study as Markdown: the same rows and settings give the same text."""
    parts = judged_parts(rows)
    of_cells = rows[rows.group.isin(CELL_GROUPS)]
    grids = {name: rows[rows.group == name] for name in GRIDS}
    grids = {name: part for name, part in grids.items() if len(part)}
    hard_rows = rows[rows.group.isin(["hard", "own family", "hatecheck"])]
    tools = ", ".join(
        f"{name} {version(name)}" for name in ("dbt-core", "duckdb", "numpy", "scipy")
    )
    python = ".".join(platform.python_version_tuple()[:2])
    return TEMPLATE.format(
        command=f"python scripts/coverage_study.py --replications {replications} --seed {seed}",
        fingerprint=fingerprint(replications, seed, sql),
        tools=f"Python {python}, {tools}",
        replications=replications,
        n_domains=len(rows),
        n_judged=sum(map(len, parts.values())),
        criteria=_markdown(
            ["part", "goal", "measured", "verdict"],
            [[*said, "pass" if is_met else "**FAIL**"] for *said, is_met in verdicts(rows, scores)],
        ),
        families=_families(hard_rows, "errors"),
        levels="\n\n".join(f"{name}:\n\n{_families(part, 'plan')}" for name, part in grids.items()),
        candidates="\n\n".join(f"{name}:\n\n{_candidates(part)}" for name, part in parts.items()),
        of_cells=_families(of_cells, "level") if len(of_cells) else "Not run.",
        scores=_scores(scores),
        stress=_families(rows[rows.group == "stress"], "plan"),
        noise=np.sqrt(0.92 * 0.08 / replications),
        least_queue_audits=LEAST_QUEUE_AUDITS,
        population=POPULATION,
        least_published=LEAST_PUBLISHED,
        table=_overall(
            rows[rows.group.isin([*GRIDS, "stress"])],
            ["errors", "plan", "n_strata", "n_audits", "accuracy"],
        ),
    )


def _markdown(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _families(rows: pd.DataFrame, by: str) -> str:
    """Coverage, tails and width by family, of all designs and of those that are published."""
    body = []
    for keys, part in rows.groupby(["group", by, "level"] if by == "plan" else ["group", by]):
        shown = part[part.reportable >= LEAST_PUBLISHED]
        body.append(
            [
                *(str(key) for key in keys[by != "level" :]),
                str(len(part)),
                f"{part.published_coverage.mean():.1%}",
                f"{part.published_coverage.min():.1%}",
                str(len(shown)),
                *(
                    [
                        f"{shown.coverage_if_reportable.mean():.1%}",
                        f"{shown.coverage_if_reportable.min():.1%}",
                        f"{shown.too_high_if_reportable.max():.1%}",
                        f"{shown.too_low.max():.1%}",
                        f"{shown.published_width.mean():.4f}",
                        f"{shown.korn_graubard_width.mean():.4f}",
                        f"{shown.korn_graubard_coverage.min():.1%}",
                        f"{shown.pooled_coverage.mean():.1%}",
                    ]
                    if len(shown)
                    else [""] * 8
                ),
            ]
        )
    head = ["plan", "level"] if by == "plan" else ["family"]
    if by == "level":
        head = ["group", "metric"]
    head += ["domains", "mean", "lowest", "published", "mean", "lowest", "too high", "too low"]
    return _markdown([*head, "width", "K-G width", "K-G lowest", "pooled covers"], body)


def _scores(scores: pd.DataFrame) -> str:
    body = [
        [
            str(row.people),
            row.audits,
            f"{row.spread:.1f}",
            f"{np.sqrt(row.raw_error):.4f}",
            f"{np.sqrt(row.score_error):.4f}",
            f"{row.score_error / row.raw_error:.2f}",
            f"{row.coverage:.1%}",
        ]
        for row in scores.itertuples()
    ]
    head = ["people", "audits each", "spread", "raw error", "score's error", "ratio of squares"]
    return _markdown([*head, "covers"], body)


def _candidates(rows: pd.DataFrame) -> str:
    """The intervals side by side on the same draws."""
    names = {
        "published": "published",
        "korn_graubard": "Korn-Graubard on n/deff, capped at n",
        "wilson": "Wilson on n/deff, capped at n",
        "wald": "Wald on the standard error",
        "pooled": "pooled: Wilson without weights",
    }
    return _markdown(
        ["interval", "lowest", "below 92 %", "mean coverage", "mean width"],
        [
            [
                label,
                f"{rows[f'{name}_coverage'].min():.1%}",
                f"{(rows[f'{name}_coverage'] < 0.92).sum()} of {len(rows)}",
                f"{mean_of(rows, f'{name}_coverage'):.2%}",
                f"{mean_of(rows, f'{name}_width'):.4f}",
            ]
            for name, label in names.items()
        ],
    )


def _overall(rows: pd.DataFrame, keys: list[str]) -> str:
    """One line per scenario: its overall rate in full, and its queues in short."""
    head = [key.removeprefix("n_") for key in keys] + [
        *("bias", "SE/SD", "covers", "±", "width", "K-G width", "no interval"),
        *("pooled covers", "queues", "lowest", "mean", "width"),
    ]
    shown = {"accuracy": lambda value: f"{value:.3f}"}
    body = []
    for _, part in rows.groupby("scenario", sort=True):
        (row,) = part[part.level == "overall"].itertuples()
        queues = part[part.level == "queue"]
        error = np.sqrt(row.published_coverage * (1 - row.published_coverage) / row.replications)
        body.append(
            [shown.get(key, str)(getattr(row, key)) for key in keys]
            + [
                f"{row.bias:+.4f}",
                f"{row.mean_se / row.sd:.2f}" if row.sd > 0 else "",
                f"{row.published_coverage:.1%}",
                f"{error:.1%}",
                f"{row.published_width:.4f}",
                f"{row.korn_graubard_width:.4f}",
                f"{row.no_interval:.1%}",
                f"{row.pooled_coverage:.1%}",
                str(len(queues)),
                f"{queues.published_coverage.min():.1%}" if len(queues) else "",
                f"{queues.published_coverage.mean():.1%}" if len(queues) else "",
                f"{queues.published_width.mean():.4f}" if len(queues) else "",
            ]
        )
    return _markdown(head, body)


TEMPLATE = """# Coverage study

How often the published intervals cover the truth. Do not edit; written by
`{command}`.

- fingerprint: `{fingerprint}` (the rendered estimator, the study's code, replications and seed; a
  test compares it)
- made with: {tools}

## Verdict

{criteria}

{n_domains:,} domains (a whole population, a queue, a policy, a part of strata) of {replications:,}
replications each. Judged are the {n_judged:,} that are published by their plan in at least
{least_published:.0%} of draws (30 audits, 30 effective ones, 95 % of decisions spoken for, and for
recall 70 % in sight); coverage is that of the draws that are published. "Too high": the interval
lies wholly above the truth, nominally in 2.5 %. A mean is over scenarios, each counted once overall
and once for the mean of its queues; the lowest is over every domain. The Monte-Carlo error of a
coverage near 92 % is {noise:.2%}, so the lowest of a thousand domains is expected to be 1.5 to 2
points below its true value.

What was chosen with some of these families in sight (docs/decisions.md, "The estimator"): two
rounds, two pseudo-audits, 7 % on the side of few errors. The small queues were written after that.

Tests enumerate every possible sample of the designs on which the interval before this one failed
(`tests/python/test_intervals.py`).

## Hard designs, and real labels

"domains" are all designs of a family, "published" those that are judged. HateCheck's labels are
each known to be right or wrong, under the connector's own plan and the four of the grids, overall
and by functional class. "Pooled covers" is Wilson's interval without weights.

{families}

## The grids, by plan

{levels}

## Policies, parts of strata, weeks of a month, and misses where hardly anybody looks

Policies: a simulated week of 140,000 decisions whose every truth is known, under a risk-heavy plan;
one is studied where at least {least_queue_audits} of its denominator are to be expected. Parts:
groups that cut through strata, of which the largest hardly reaches them. Weeks of a month: groups
in weekly strata with few audits; a stratum of the plan counts as one in all weeks. Misses: recall
where all misses are in the stratum with the fewest audits per decision. For recall, "published"
asks for what the plan can see.

{of_cells}

## Scores of people

Worlds of peers whose error rates differ: each person's score by empirical Bayes (the mart
`restricted.moderator_accuracy`) beside the raw rate and the truth. Errors are root mean squared
ones; the fewer audits and the more alike the people, the more a score gains.

{scores}

## What else was tried

The same draws, other intervals (all from columns that the estimator gives), of the judged domains:

{candidates}

## Stress, not judged

Plans that look in the wrong place: nearly all errors are in the decisions that were not enforced,
which the risk-heavy plan samples least. Eight strata only. No plan of this kind should be kept for
long; the intervals are shown so that nobody thinks them proof against it.

{stress}

## How to read the table

- errors: where they are. "where expected": enforced decisions are wrong six times as often, and
  queues differ fourfold; "even": every stratum has the same accuracy; "opposite": the stress.
- plan, strata, audits, accuracy: the plan, how many strata (two a queue), audits in all, the truth.
  Strata are of {population:,} decisions; queue sizes fall as 1 / rank^0.8. Every stratum has at
  least one audit, so plans with fewer audits than strata are left out; one-audit strata are in.
- bias: mean estimate less the truth. SE/SD: mean standard_error over the estimates' real spread
  (where no draw shows a variance, no standard error is given).
- covers, ±: how often ci_low ≤ truth ≤ ci_high, and the Monte-Carlo error of that share.
- width, K-G width: mean width, and that of Korn-Graubard's interval on n/deff, capped at n.
- no interval: replications for which none could be given. They count as not covered.
- pooled covers: how often Wilson's interval without weights covers.
- queues, lowest, mean, width: how many queues have at least {least_queue_audits} audits (the grid's
  smallest plan), and the coverage and width of their own rates. With two strata the only queue is
  the whole.

## Every scenario of the grids

{table}
"""
