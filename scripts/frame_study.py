"""How far a derived frame can be trusted: weeks of known truth are audited, and their frame lost.

Simulated weeks are audited again and again; the draws are forgotten, and strata and their sizes are
counted from the decisions, as the variable derive_sampling_frame does; the project's own SQL gives
the interval. Some draws are at random within those strata and some are not.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
import simulate as simulator
from oracles.raw_tables import RawTables
from oracles.sample import read_sample
from project_sql import render
from rich.console import Console
from rich.progress import track
from scipy import stats
from simulator.world import Settings
from studies.estimator import ESTIMATOR
from studies.judging import LEAST_PUBLISHED
from studies.scenarios import allocate

PAGE = Path("docs/derived_frame.md")
SEEDS = (11, 12, 13)
AUDITS = (150, 400, 1200)
# How much likelier a wrong decision is to be drawn than a right one of the same stratum.
FAVOURS = (1.25, 1.5, 2.0, 4.0)
# How much likelier a decision under the policies with most errors is to be drawn.
POLICY_FAVOUR = 4
# As published (dbt_project.yml).
LEAST = {"n_audits": 30, "effective_n": 30, "covered": 0.95}
MEAN_COVERAGE, LEAST_COVERAGE, MOST_TOO_HIGH = 0.95, 0.915, 0.05
TEMPLATE = """# How far a derived frame can be trusted

Do not edit; written by `{command}`.
What a derived frame is, and when not to use one: [own_data.md](own_data.md#no-frame).

Three simulated weeks of about {size:,.0f} eligible decisions each, whose every truth is known (true
accuracy {truths}), are audited again and again; then the draws are forgotten, and
strata and N_h are counted by week, queue, who decided and action group ({strata} strata a week).
The project's own SQL estimates accuracy of the week. {replications:,} replications for each week,
way of drawing and number of audits ({audits}); coverage is of the draws that would be
published (30 audits, 30 effective ones, {least:.0%} of decisions spoken for).

| audits were drawn | assumption | published | bias | mean coverage | lowest | too high | width |
|---|---|---|---|---|---|---|---|
{table}

Bias is the mean of the estimate minus the truth, over all draws; bias and width are in points; too
high: the interval lies wholly above the truth, at worst.

Where the assumption holds, the goals are those of the [coverage study](coverage_study.md), of the
ways together as there of the plans together:

| goal | measured | verdict |
|---|---|---|
{verdicts}

Where it does not hold, the interval is honest about chance and silent about the choice, and more
audits make it narrower around the wrong number. Nothing in the data tells the two apart: an audit
that was chosen because something looked wrong is `targeted`, and no rate counts it.
"""


@dataclass(frozen=True)
class Week:
    """A simulated week: its decisions by stratum, kind (is it right, is its policy a bad one)."""

    cells: pd.DataFrame
    strata: pd.DataFrame

    @property
    def accuracy(self) -> float:
        """The true share of right decisions."""
        return self.cells.loc[self.cells.is_right, "size"].sum() / self.cells["size"].sum()


def week(seed: int) -> Week:
    """Simulate a week and count its decisions by what a derived frame sees, and by the truth."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        simulator.simulate(Settings(days=9, decisions_per_day=10_000, seed=seed), out, workers=1)
        decisions = read_sample(RawTables(out / "raw")).decisions
        truth = pd.concat(map(pd.read_parquet, (out / "truth" / "decisions").glob("*.parquet")))
    rows = decisions[decisions["stratum"] >= 0].merge(
        truth[["decision_id", "error_class"]], on="decision_id"
    )
    rows = rows[rows["error_class"] != "technical"].assign(
        is_right=lambda at: at["error_class"] == "correct",
        policy=lambda at: at["primary_policy_id"].where(at["has_enforced"], "none"),
    )
    # A quarter of decisions, under the policies with the most errors.
    by_policy = rows.groupby("policy")["is_right"].agg(["mean", "size"]).sort_values("mean")
    worst = by_policy[by_policy["size"].cumsum() <= len(rows) / 4].index
    rows["is_bad_policy"] = rows["policy"].isin(worst)
    keys = ["queue_id", "decided_by_type", "has_enforced"]
    strata = rows.groupby(keys).size().rename("population_size").reset_index()
    strata["queue"] = strata["queue_id"].astype("category").cat.codes
    strata["is_enforced"] = strata["has_enforced"]
    rows = rows.merge(strata.reset_index(names="stratum")[[*keys, "stratum"]], on=keys,
                      suffixes=("_delivered", ""))  # fmt: skip
    cells = rows.groupby(["stratum", "is_bad_policy", "is_right"]).size().rename("size")
    return Week(cells.reset_index(), strata)


def within(
    cells: pd.DataFrame, n: int, odds: np.ndarray, replications: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw n decisions of a stratum one after the other, each as likely as its odds say.

    Returns how many of each cell are drawn, a row a replication. Odds are of two kinds at most: how
    many of the likelier kind are drawn is Wallenius' distribution; each kind is drawn at random.
    """
    size = cells["size"].to_numpy()
    likelier = odds > odds.min()
    n_likelier = np.zeros(replications, dtype=int)
    if likelier.any():
        of_kind = stats.nchypergeom_wallenius(
            size.sum(), size[likelier].sum(), n, odds.max() / odds.min()
        )
        n_likelier = of_kind.rvs(size=replications, random_state=rng)
    drawn = np.zeros((replications, len(size)), dtype=int)
    for kind, wanted in ((likelier, n_likelier), (~likelier, n - n_likelier)):
        rest = size[kind].sum()
        for cell in np.flatnonzero(kind):
            rest -= size[cell]
            left = wanted - drawn[:, kind].sum(axis=1)
            drawn[:, cell] = rng.hypergeometric(size[cell], rest, left)
    return drawn


def ways(world: Week, n_audits: int) -> dict[str, tuple[bool, np.ndarray | None, np.ndarray]]:
    """How audits are drawn: {name: (does the assumption hold, audits a stratum, odds a cell)}.

    No number of audits a stratum: at random from everything, whatever the stratum.
    """
    cells, even = world.cells, np.ones(len(world.cells))
    names = ("proportional", "risk-heavy")
    plans = {name: allocate(name, world.strata, n_audits) for name in names}
    found = {
        "at random from all decisions": (True, None, even),
        "at random within the strata, in proportion": (True, plans["proportional"], even),
        "at random within the strata, risk-heavy": (True, plans["risk-heavy"], even),
        f"decisions of the worst policies {POLICY_FAVOUR} times as likely":
            (False, plans["proportional"], np.where(cells.is_bad_policy, POLICY_FAVOUR, 1.0)),
    }  # fmt: skip
    for favour in FAVOURS:
        odds = np.where(cells.is_right, 1.0, favour)
        name = f"wrong decisions {favour:g} times as likely as right ones"
        found[name] = (False, plans["proportional"], odds)
    return found


def draw(
    world: Week, n_audits: int, way: tuple, replications: int, rng: np.random.Generator
) -> np.ndarray:
    """Audit a week so many times: audits of each cell, a row a replication."""
    _, plan, odds = way
    if plan is None:
        return rng.multivariate_hypergeometric(
            world.cells["size"], n_audits, size=replications, method="marginals"
        )
    drawn = np.zeros((replications, len(world.cells)), dtype=int)
    for stratum, here in world.cells.groupby("stratum").indices.items():
        part = world.cells.iloc[here]
        drawn[:, here] = within(part, plan[stratum], odds[here], replications, rng)
    return drawn


def estimated(world: Week, drawn: np.ndarray, sql: str) -> pd.DataFrame:
    """The project's estimate of each replication, with the share of decisions covered."""
    replications, n_strata = len(drawn), len(world.strata)
    stratum = world.cells.stratum.to_numpy()
    of_stratum = stratum[:, None] == np.arange(n_strata)
    n = drawn @ of_stratum
    kept = (drawn * world.cells.is_right.to_numpy()) @ of_stratum
    replication = np.repeat(np.arange(replications), n_strata)
    strata = pd.DataFrame(
        {
            "stratum_key": np.arange(replications * n_strata),
            # Each draw has its own number of audits a stratum, and so its own design.
            "design_key": replication,
            "queue_key": np.tile(world.strata.queue, replications),
            "population_size": np.tile(world.strata.population_size, replications),
            "n_audits": n.ravel(),
        }
    )
    cells = pd.DataFrame(
        {
            "domain_key": 0,
            "replication": replication,
            "stratum_key": strata.stratum_key,
            "n": n.ravel(),
            "kept": kept.ravel(),
            "lost": (n - kept).ravel(),
            "n_base": n.ravel(),
            "n_cannot_err": 0,
            "interval_kind": "share",
        }
    )
    with duckdb.connect(config={"threads": 2}) as database:
        database.register("strata", strata)
        database.register("cells", cells[cells["n"] > 0])
        rows = database.execute(sql).df()
    size = world.strata.population_size.to_numpy()
    return rows.assign(covered=((n > 0) @ size / size.sum())[rows.replication.astype(int)])


def measure(world: Week, rows: pd.DataFrame) -> dict[str, float]:
    """What the replications of one way and number of audits say."""
    truth = world.accuracy
    shown = rows[np.logical_and.reduce([rows[name] >= least for name, least in LEAST.items()])]
    covers = (shown.ci_low <= truth) & (truth <= shown.ci_high)
    return {
        "published": len(shown) / len(rows),
        "bias": (rows.estimate - truth).mean(),
        "coverage": covers.mean(),
        "too_high": (shown.ci_low > truth).mean(),
        "width": (shown.ci_high - shown.ci_low).mean(),
    }


def study(replications: int, seed: int, sql: str, console: Console) -> tuple[list, pd.DataFrame]:
    """All weeks, numbers of audits and ways: the weeks, and a row each."""
    worlds = [week(number) for number in track(SEEDS, "Simulating weeks", console=console)]
    rows = []
    tasks = [(i, n) for i in range(len(worlds)) for n in AUDITS]
    for i, n_audits in track(tasks, "Auditing again and again", console=console):
        for name, way in ways(worlds[i], n_audits).items():
            rng = np.random.default_rng([seed, i, n_audits])
            found = measure(
                worlds[i],
                estimated(worlds[i], draw(worlds[i], n_audits, way, replications, rng), sql),
            )
            rows.append({"way": name, "holds": way[0], "n_audits": n_audits, **found})
    return worlds, pd.DataFrame(rows)


def judged(rows: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """The ways in which the assumption holds against the goals: (goal, measured, is met)."""
    shown = rows[rows.holds & (rows.published >= LEAST_PUBLISHED)]
    mean, lowest, too_high = shown.coverage.mean(), shown.coverage.min(), shown.too_high.max()
    return [
        (f"mean coverage is at least {MEAN_COVERAGE:.0%}", f"{mean:.1%}", mean >= MEAN_COVERAGE),
        (f"lowest coverage is at least {LEAST_COVERAGE:.1%}", f"{lowest:.1%}",
         lowest >= LEAST_COVERAGE),
        (f"too high in at most {MOST_TOO_HIGH:.0%}", f"{too_high:.1%}", too_high <= MOST_TOO_HIGH),
    ]  # fmt: skip


def table(rows: pd.DataFrame) -> str:
    """A line for each way of drawing, over weeks and numbers of audits."""
    lines = []
    for name, part in rows.groupby("way", sort=False):
        shown = part[part.published >= LEAST_PUBLISHED]
        lines.append(
            f"| {name} | {'holds' if part.holds.all() else 'does not hold'} | "
            f"{part.published.mean():.0%} | {100 * part.bias.mean():+.2f} | "
            f"{shown.coverage.mean():.1%} | {shown.coverage.min():.1%} | "
            f"{shown.too_high.max():.1%} | {100 * shown.width.mean():.1f} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--replications", type=click.IntRange(2), default=1000, show_default=True,
              help="Draws for each week, way and number of audits.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="The seed of the draws.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE,
              show_default=True, help="The page to write.")  # fmt: skip
def main(replications: int, seed: int, page: Path) -> None:
    """Measure how often intervals by a derived frame cover the truth; write docs/derived_frame.md.

    Exits with 1 where the assumption holds and the intervals cover too seldom.
    """
    console = Console()
    worlds, rows = study(replications, seed, render(ESTIMATOR), console)
    said, verdicts = table(rows), judged(rows)
    page.write_text(
        TEMPLATE.format(
            command=f"python scripts/frame_study.py --replications {replications} --seed {seed}",
            size=np.mean([world.cells["size"].sum() for world in worlds]),
            truths=", ".join(f"{world.accuracy:.1%}" for world in worlds),
            strata=" or ".join(str(n) for n in sorted({len(world.strata) for world in worlds})),
            replications=replications,
            audits=", ".join(f"{n:,}" for n in AUDITS),
            least=LEAST["covered"],
            table=said,
            verdicts="\n".join(
                f"| {goal} | {found} | {'pass' if is_met else '**FAIL**'} |"
                for goal, found, is_met in verdicts
            ),
        ),
        encoding="utf-8",
    )
    console.print(said, markup=False)
    if not all(is_met for _, _, is_met in verdicts):
        raise click.ClickException("intervals cover the truth too seldom.")


if __name__ == "__main__":
    main()
