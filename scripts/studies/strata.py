"""Scenarios audited many times over, and what their estimates say of the truth."""

import hashlib

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from .coverage import covered_by
from .scenarios import Scenario

CELLS_PER_QUERY = 2_500_000


def estimates(
    scenarios: list[Scenario], replications: int, seed: int, sql: str
) -> dict[str, np.ndarray]:
    """Audit every scenario `replications` times, and estimate all in one query.

    Returns {column: array of (domains of all scenarios in order, replications)}. The draw of a
    scenario depends on its content and the seed alone, not on what else is in the list.
    """
    strata, cells, first_stratum, first_domain = [], [], 0, 0
    for number, scenario in enumerate(scenarios):
        frame = scenario.strata
        keys = first_stratum + np.arange(len(frame))
        content = hashlib.sha256(
            frame[["population_size", "n_errors", "n_audits"]].to_csv().encode()
        )
        rng = np.random.default_rng([seed, int.from_bytes(content.digest()[:8], "big")])
        n_errors = rng.hypergeometric(
            frame.n_errors,
            frame.population_size - frame.n_errors,
            frame.n_audits,
            size=(replications, len(frame)),
        )
        successes = frame.n_audits.to_numpy() - n_errors
        strata.append(
            pd.DataFrame(
                {
                    "stratum_key": keys,
                    "design_key": number,
                    "queue_key": frame.queue,
                    "population_size": frame.population_size,
                    "n_audits": frame.n_audits,
                }
            )
        )
        for domain_key, domain in enumerate(scenario.domains, start=first_domain):
            cells.append(
                {
                    "domain_key": np.full(domain.sum() * replications, domain_key),
                    "replication": np.repeat(np.arange(replications), domain.sum()),
                    "stratum_key": np.tile(keys[domain], replications),
                    "n": np.tile(frame.n_audits[domain], replications),
                    "kept": successes[:, domain].ravel(),
                }
            )
        first_stratum += len(frame)
        first_domain += len(scenario.domains)
    with duckdb.connect(config={"threads": 2}) as database:
        database.register("strata", pd.concat(strata, ignore_index=True))
        columns = {name: np.concatenate([c[name] for c in cells]) for name in cells[0]}
        shares = {"n_base": columns["n"], "n_cannot_err": 0, "interval_kind": "share"}
        rows = pd.DataFrame(columns | shares)
        database.register("cells", rows.assign(lost=rows["n"] - rows["kept"]))
        found = database.execute(sql).fetchnumpy()
    found.pop("standard_error_reason")
    return {
        name: np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).reshape(-1, replications)
        for name, values in found.items()
    }


def measure(scenarios: list[Scenario], found: dict[str, np.ndarray]) -> pd.DataFrame:
    """What the replications of each domain say.

    Returns one row per scenario and domain: what it is, bias, mean_se, sd, and for each interval
    its coverage and mean width. A replication without an interval does not cover.
    """
    domains = [(scenario, domain) for scenario in scenarios for domain in scenario.domains]
    truth = np.array([[scenario.truth(domain)] for scenario, domain in domains])
    of_what = pd.DataFrame(
        {
            "scenario": [
                i for i, scenario in enumerate(scenarios) for _ in range(len(scenario.domains))
            ],
            "group": [scenario.group for scenario, _ in domains],
            "errors": [scenario.errors for scenario, _ in domains],
            "plan": [scenario.plan for scenario, _ in domains],
            "n_strata": [len(scenario.strata) for scenario, _ in domains],
            "n_audits": [scenario.n_audits for scenario, _ in domains],
            "accuracy": [scenario.accuracy for scenario, _ in domains],
            "level": [
                "overall" if domain is scenario.domains[0] else "queue"
                for scenario, domain in domains
            ],
            "n": [scenario.strata.n_audits[domain].sum() for scenario, domain in domains],
        }
    )
    return of_what.join(covered_by(truth, found))


def study(
    scenarios: list[Scenario], replications: int, seed: int, sql: str, console: Console
) -> pd.DataFrame:
    """Run all scenarios, as many in one query as memory likes; rows as `measure` gives them."""
    batches, cells = [[]], 0
    for scenario in scenarios:
        size = replications * sum(domain.sum() for domain in scenario.domains)
        if cells and cells + size > CELLS_PER_QUERY:
            batches.append([])
            cells = 0
        batches[-1].append(scenario)
        cells += size
    measured, first = [], 0
    for batch in track(batches, "Auditing again and again", console=console):
        rows = measure(batch, estimates(batch, replications, seed, sql))
        measured.append(rows.assign(scenario=rows.scenario + first))
        first += len(batch)
    return pd.concat(measured, ignore_index=True)
