"""Worlds of peers: scores of people by empirical Bayes, beside raw rates and the truth."""

import duckdb
import numpy as np
import pandas as pd

# Peers: how many, from how many to how many audits each, and how far their error rates are spread
# (the standard deviation of their logarithm, around an error rate of 7 %).
PEERS = [
    (n_people, audits, spread)
    for n_people in (12, 40, 120)
    for audits in ((10, 30), (30, 120), (100, 400))
    for spread in (0.2, 0.4, 0.7)
]


def people(worlds: int, seed: int, sql: str) -> pd.DataFrame:
    """Scores of people by empirical Bayes, beside raw rates and the truth, in many worlds of peers.

    Returns one row per kind of peers: the mean squared errors of scores and of raw rates, and how
    often the score's interval covers the truth.
    """
    rng = np.random.default_rng([seed, worlds])
    rows = []
    for n_people, (least, most), spread in PEERS:
        shape = (worlds, n_people)
        errors = 0.07 * np.exp(rng.normal(-(spread**2) / 2, spread, shape))
        truth = 1 - np.minimum(errors, 0.6)
        n = rng.integers(least, most + 1, shape)
        rates = pd.DataFrame(
            {
                "world": np.repeat(np.arange(worlds), n_people),
                "person": np.tile(np.arange(n_people), worlds),
                "effective_n": n.ravel().astype(float),
                "estimate": (rng.binomial(n, truth) / n).ravel(),
            }
        )
        with duckdb.connect() as database:
            database.register("rates", rates)
            scores = database.execute(sql).df()
        both = rates.assign(truth=truth.ravel()).merge(scores, on=["world", "person"])
        rows.append(
            {
                "people": n_people,
                "audits": f"{least} to {most}",
                "spread": spread,
                "raw_error": ((both["estimate"] - both["truth"]) ** 2).mean(),
                "score_error": ((both["eb_estimate"] - both["truth"]) ** 2).mean(),
                "coverage": both["truth"].between(both["ci_low"], both["ci_high"]).mean(),
            }
        )
    return pd.DataFrame(rows)
