"""Accuracy and its standard error by month and queue, with samplics, from a file of audits."""

import sys
import warnings

import numpy as np
import pandas as pd

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # samplics says that it is archived
    from samplics import PopParam, TaylorEstimator
    from samplics.utils.types import SinglePSUEst


def estimates(audits: pd.DataFrame) -> pd.DataFrame:
    """Estimate every domain of audits (domain, correct, weight, pool, fraction)."""
    estimator = TaylorEstimator(PopParam.mean)
    estimator.estimate(
        # samplics divides by the estimate: a share plus one is never 0, and errs by as much.
        y=audits["correct"].to_numpy() + 1.0,
        samp_weight=audits["weight"].to_numpy(),
        stratum=audits["pool"].to_numpy(),
        psu=np.arange(len(audits)),
        domain=audits["domain"].to_numpy(),
        fpc=(1 - audits.groupby("pool")["fraction"].first()).to_dict(),
        # What still has one audit has one decision: it is certain, and adds nothing.
        single_psu=SinglePSUEst.skip,
    )
    found = {"estimate": estimator.point_est, "standard_error": estimator.stderror}
    return pd.DataFrame(found).rename_axis("domain").assign(estimate=lambda rows: rows.estimate - 1)


if __name__ == "__main__":
    estimates(pd.read_csv(sys.argv[1])).to_csv(sys.argv[2])
