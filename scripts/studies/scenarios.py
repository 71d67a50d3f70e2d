"""Populations whose truth is known, and the plans by which they are audited."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from project_sql import compiled_models

PLANS = ("proportional", "equal", "risk-heavy", "badly allocated")
# Strata, audits and accuracies. The estimator's constants were chosen with the first grid in sight;
# the second was not looked at before they were.
GRIDS = {
    "grid": ((2, 8, 40), (20, 60, 200, 600, 1500), (0.85, 0.95, 0.99, 0.998)),
    "second grid": ((4, 24), (35, 100, 350, 1000), (0.88, 0.93, 0.97, 0.995)),
}
HATECHECK_AUDITS = (300, 600, 1500)
POPULATION = 100_000
# A queue is studied where the plan gives it as many audits as the smallest plan of the grid has.
LEAST_QUEUE_AUDITS = 20
# How error rates differ between not enforced (four in five decisions) and enforced ones, and from
# queue to queue.
SPREADS = {
    "where expected": ((0.5, 3.0), (1.0, 2.0, 0.5)),
    "even": ((1.0, 1.0), (1.0,)),
    "opposite": ((1.2, 0.2), (2.0, 1.0, 0.5)),
}


@dataclass(frozen=True)
class Scenario:
    """A population whose truth is known, and a plan by which it is audited.

    strata: one row per stratum: queue (a number), population_size, n_errors, n_audits.
    group: what it is judged with (judged_parts); stress is shown and not judged.
    """

    group: str
    errors: str
    plan: str
    n_audits: int
    strata: pd.DataFrame
    domains: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        """Name the domains: everything, and each queue with enough audits, as masks of strata."""
        queue = self.strata.queue.to_numpy()
        audits = self.strata.groupby("queue").n_audits.sum()
        queues = audits.index[audits >= LEAST_QUEUE_AUDITS] if len(audits) > 1 else []
        everything = np.ones(len(queue), dtype=bool)
        object.__setattr__(self, "domains", [everything, *(queue == one for one in queues)])

    @property
    def accuracy(self) -> float:
        """The true accuracy of the whole population."""
        return self.truth(self.domains[0])

    def truth(self, domain: np.ndarray) -> float:
        """Give the true accuracy in a domain, as a share."""
        in_domain = self.strata[domain]
        return 1 - in_domain.n_errors.sum() / in_domain.population_size.sum()


def population(n_strata: int, accuracy: float, errors: str) -> pd.DataFrame:
    """Make a population: n_strata / 2 queues, each with a not enforced and an enforced stratum.

    Returns one row per stratum: queue, is_enforced, population_size, n_errors. Queues shrink as
    1 / rank^0.8; the n_errors add up to the accuracy, but for rounding.
    """
    by_action, by_queue = SPREADS[errors]
    n_queues = n_strata // 2
    queue_size = 1 / np.arange(1, n_queues + 1) ** 0.8
    size = np.round(POPULATION * np.outer(queue_size / queue_size.sum(), (0.8, 0.2)).ravel())
    rate = np.outer(np.resize(by_queue, n_queues), by_action).ravel()
    rate *= (1 - accuracy) * size.sum() / (rate * size).sum()
    return pd.DataFrame(
        {
            "queue": np.repeat(np.arange(n_queues), 2),
            "is_enforced": np.tile([False, True], n_queues),
            "population_size": size.astype(int),
            "n_errors": np.round(np.minimum(rate, 0.95) * size).astype(int),
        }
    )


def allocate(plan: str, strata: pd.DataFrame, n_audits: int) -> np.ndarray:
    """Share n_audits among the strata; each gets at least one, none more than it holds.

    badly allocated: three audits (at 20 in all, fewer) in each of the largest quarter of strata,
    and the rest shared evenly among the small ones.
    """
    size = strata.population_size.to_numpy()
    if plan == "badly allocated":
        large = np.zeros(len(size), dtype=bool)
        large[np.argsort(-size, kind="stable")[: max(1, len(size) // 4)]] = True
        shares = np.where(large, min(3, max(1, n_audits // (2 * large.sum()))), 0)
        shares[~large] = _rounded(np.ones((~large).sum()), n_audits - shares.sum())
        return np.minimum(shares, size)
    wanted = {
        "proportional": size,
        "equal": np.ones(len(size)),
        "risk-heavy": size * np.where(strata.is_enforced, 6, 1),
    }[plan]
    return np.minimum(_rounded(wanted, n_audits), size)


def _rounded(wanted: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers of at least one, in proportion to what is wanted, that add up to total."""
    above_one = wanted / wanted.sum() * (total - len(wanted))
    shares = np.floor(above_one).astype(int)
    most_cut = np.argsort(shares - above_one, kind="stable")
    shares[most_cut[: total - len(wanted) - shares.sum()]] += 1
    return shares + 1


def grid() -> Iterator[Scenario]:
    """Every scenario of both grids, and the stress scenarios."""
    for group, settings in GRIDS.items():
        for errors, plan, n_strata, n_audits, accuracy in itertools.product(
            SPREADS, PLANS, *settings
        ):
            # A plan with fewer audits than strata leaves some uncovered: it speaks for less.
            is_stress = errors == "opposite"
            if n_audits < n_strata or (is_stress and n_strata != 8):
                continue
            strata = population(n_strata, accuracy, errors)
            strata["n_audits"] = allocate(plan, strata, n_audits)
            yield Scenario("stress" if is_stress else group, errors, plan, n_audits, strata)


def hard(seed: int = 20261128) -> Iterator[Scenario]:
    """Designs that happen and that an interval breaks on, asked of the whole.

    `small queues` had no part in any choice: it was written after the interval was.
    """
    rng = np.random.default_rng(seed)

    def scenario(
        family: str, size: ArrayLike, accuracy: ArrayLike, n_audits: ArrayLike, group: str = "hard"
    ) -> Scenario:
        size = np.asarray(size).astype(int)
        strata = pd.DataFrame(
            {
                "queue": 0,
                "is_enforced": False,
                "population_size": size,
                "n_errors": np.round((1 - np.asarray(accuracy)) * size).astype(int),
                "n_audits": np.clip(np.asarray(n_audits).astype(int), 1, size),
            }
        )
        return Scenario(group, family, family, int(strata.n_audits.sum()), strata)

    choices = itertools.product(
        (500, 2_000), (8, 20, 30, 60), (60, 450), (0.8, 0.95, 0.99), (0.1, 0.5, 0.9)
    )
    for small, few, many, large_rate, small_rate in choices:
        yield scenario(
            "few audits where nearly all is", [20_000, small], [large_rate, small_rate], [few, many]
        )
    choices = itertools.product(
        (2_000, 13_356), (40, 6_149), (30, 60, 200), (0.85, 0.95, 0.99), (0.5, 0.98)
    )
    for sampled, whole, n_audits, rate, census_rate in choices:
        yield scenario(
            "a census beside a sample", [whole, sampled], [census_rate, rate], [whole, n_audits]
        )
    for rate in (0.5, 0.9, 1.0):
        yield scenario("whole census", [40, 700], [rate, 0.98], [40, 700])
    for seen, rate, other in itertools.product((0.9, 0.97), (0.8, 0.95, 0.99), (0.5, 0.97)):
        size = np.array([200, 1_000, 60])
        yield scenario("nearly a census", size, [rate, rate, other], size * seen)
    for n_strata, rate in itertools.product((30, 60, 150, 300), (0.85, 0.95, 0.99)):
        for _ in range(2):
            size = 10 + 400 * rng.lognormal(0, 1, n_strata)
            accuracy = rng.beta(8 * rate, 8 * (1 - rate), n_strata)
            yield scenario("one audit a stratum", size, accuracy, rng.integers(1, 4, n_strata))
    for n_strata in (3, 6, 12, 25):
        for _ in range(15):
            size = 20 + 2_000 * rng.lognormal(0, 1.5, n_strata)
            accuracy = rng.beta(4, rng.uniform(0.1, 2), n_strata)
            yield scenario(
                "random weights and rates", size, accuracy, 2 + 15 * rng.lognormal(0, 1, n_strata)
            )
    for _ in range(40):
        size = rng.integers(15, 300, 12)
        accuracy = 1 - rng.beta(0.3, 4, 12)
        yield scenario(
            "small queues", size, accuracy, size * rng.uniform(0.05, 0.7, 12), group="own family"
        )


def hatecheck(file: Path) -> Iterator[Scenario]:
    """HateCheck's labels under the connector's own plan and others; nothing if file is absent."""
    if not file.exists():
        return
    names = ["hatecheck__labels", "hatecheck__queues", "hatecheck__sampling_frame"]
    models = compiled_models(
        names,
        raw_connector="hatecheck",
        hatecheck_file=str(file.resolve()),
        # A variable of the session: compiled once, run for every number of audits.
        hatecheck_audits="getvariable('n_audits')",
    )
    for n_audits in HATECHECK_AUDITS:
        with duckdb.connect() as database:
            database.execute(f"set variable n_audits = {n_audits}")
            for model in models.values():
                database.execute(f"create schema if not exists {model.relation.rsplit('.', 1)[0]}")
                database.execute(f"create table {model.relation} as {model.sql}")
            labels, _, frame = (model.relation for model in models.values())
            strata = database.sql(f"""
                select
                    dense_rank() over (order by frame.queue_id) - 1 as queue,
                    frame.action_group = 'enforced' as is_enforced,
                    frame.population_size,
                    errors.n_errors,
                    frame.planned_sample_size as n_audits
                from {frame} as frame
                inner join (
                    select functional_class, has_enforced,
                        count(*) filter (where not is_correct) as n_errors
                    from {labels}
                    group by all
                ) as errors
                    on frame.queue_id = errors.functional_class
                    and (frame.action_group = 'enforced') = errors.has_enforced
                order by frame.stratum_id
            """).df()
        yield Scenario("hatecheck", "HateCheck", "its own", n_audits, strata.astype(int))
        for plan in PLANS:
            strata["n_audits"] = allocate(plan, strata, n_audits)
            yield Scenario("hatecheck", "HateCheck", plan, n_audits, strata.astype(int))
