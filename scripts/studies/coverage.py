"""How estimates and intervals stand to the truth: what covers it, and how wide it is."""

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
# What is published, by its plan (dbt_project.yml).
REPORTABLE = {"n_base_audits": 30, "effective_n": 30, "cell_coverage": 0.95, "share_in_sight": 0.7}


def korn_graubard(estimate: np.ndarray, effective_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clopper and Pearson's bounds on effective_n (Korn and Graubard 1998), the reference."""
    pairs, where = np.unique(
        np.stack([estimate.ravel(), effective_n.ravel()]), axis=1, return_inverse=True
    )
    share, n = pairs
    x, tail = share * n, (1 - CONFIDENCE) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(share > 0, stats.beta.ppf(tail, x, n - x + 1), 0)
        high = np.where(share < 1, stats.beta.ppf(1 - tail, x + 1, n - x), 1)
    return low[where].reshape(estimate.shape), high[where].reshape(estimate.shape)


def covered_by(truth: np.ndarray, found: dict[str, np.ndarray]) -> pd.DataFrame:
    """How the estimates and intervals of replications stand to the truth.

    Args:
        truth: of each domain, as a column.
        found: the estimator's columns: domains x replications.
    """
    z = stats.norm.ppf(0.5 + CONFIDENCE / 2)
    estimate, se = found["estimate"], found["standard_error"]
    intervals = {
        "published": (found["ci_low"], found["ci_high"]),
        "korn_graubard": korn_graubard(estimate, found["uncapped_n"]),
        "wilson": (found["wilson_low"], found["wilson_high"]),
        "wald": (estimate - z * se, estimate + z * se),
        "pooled": (found["pooled_low"], found["pooled_high"]),
    }
    rows = pd.DataFrame(
        {
            "bias": np.nanmean(estimate - truth, axis=1),
            "mean_se": np.ma.masked_invalid(se).mean(axis=1).filled(np.nan),
            "sd": np.nanstd(estimate, axis=1, ddof=1),
            "no_interval": np.isnan(found["ci_low"]).mean(axis=1),
            "replications": estimate.shape[1],
        }
    )
    # A bound that equals the truth covers it, whatever the last bit says.
    hair = 1e-12
    too_high = found["ci_low"] > truth + hair
    rows["too_high"] = too_high.mean(axis=1)
    rows["too_low"] = (found["ci_high"] < truth - hair).mean(axis=1)
    for name, (low, high) in intervals.items():
        covers = (low <= truth + hair) & (truth <= high + hair)
        rows[f"{name}_coverage"] = covers.mean(axis=1)
        rows[f"{name}_width"] = np.ma.masked_invalid(high - low).mean(axis=1).filled(np.nan)
        if name == "published":
            # Of the draws that are published, what is asked of those who read them.
            shown = np.ones(estimate.shape, dtype=bool)
            for asked, least in REPORTABLE.items():
                if asked in found:
                    shown &= ~(found[asked] < least)
            rows["reportable"] = shown.mean(axis=1)
            n_shown = np.where(shown.any(axis=1), shown.sum(axis=1), np.nan)
            rows["coverage_if_reportable"] = (covers & shown).sum(axis=1) / n_shown
            rows["too_high_if_reportable"] = (too_high & shown).sum(axis=1) / n_shown
    return rows
