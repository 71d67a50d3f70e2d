"""The published interval once more: a stratified Wilson interval whose z is split over the strata.

Formulas of docs/decisions.md ("The estimator"), in numpy; the project's are the macro
stratified_wilson, in SQL.
"""

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

Z = stats.norm.ppf(0.975)
# One-sided, at 1.4 times 5 %.
NEAR_Z = stats.norm.ppf(1 - 1.4 * 0.05)
PSEUDO_AUDITS = 2.0


def score_bound(rate: np.ndarray, spread: np.ndarray, sign: int) -> np.ndarray:
    """Wilson's bound of a rate, below (-1) or above (1); spread is z² / n."""
    root = np.sqrt(spread * (rate * (1 - rate) + spread / 4))
    return np.clip((rate + spread / 2 + sign * root) / (1 + spread), 0, 1)


def upper_bound(p: float, n: float) -> float:
    """Wilson's bound, or, where fewer than half are errors, the Poisson bound beyond it."""
    _, high = proportion_confint(p * n, n, alpha=0.05, method="wilson")
    if 0.5 <= p < 1:
        errors = n * (1 - p)
        root = 1 - 1 / (9 * errors) - NEAR_Z / (3 * np.sqrt(errors))
        high = max(high, 1 - errors / n * max(root, 0) ** 3)
    return min(max(high, p), 1)


def inverse_n(population: np.ndarray, n: np.ndarray) -> np.ndarray:
    """1 / n*, with n* = n (N - 1) / (N - n): 0 for a census."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n >= population, 0, (population - n) / ((population - 1) * n))


def stratified_wilson(
    share: np.ndarray,
    weight: np.ndarray,
    n: np.ndarray,
    k: np.ndarray,
    *,
    part: np.ndarray | None = None,
    centre: np.ndarray | None = None,
    is_part: bool | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a weighted share.

    Args:
        share: of each stratum, W_h.
        weight: decisions that an audit of the stratum speaks for.
        n: audits of each stratum (of the group).
        k: successes among them. Strata are the last axis; of any of these the others may be groups.
        part: 1 - n / all audits of the stratum; none where the group is all of its strata.
        centre: what the rates of strata differ from for the variance of the group's size; the
            group's rate where none is given.
        is_part: whether some stratum has audits outside the group, where `part` does not say.

    Returns:
        low and high, of the shape of k without its last axis.
    """
    part = np.zeros_like(n) if part is None else part
    is_part = (part > 0).any(axis=-1) if is_part is None else is_part
    p = (share * k / n).sum(axis=-1)
    seen = np.minimum(1 / weight, 1)
    spread = Z**2 * inverse_n(weight * n, n)
    bounds = []
    for sign, found in ((-1, k), (1, n - k)):
        rate = (k + PSEUDO_AUDITS * p[..., None]) / (n + PSEUDO_AUDITS)
        bound = score_bound(rate, spread, sign)
        for _ in range(2):
            added = share**2 * spread * bound * (1 - bound)
            total = added.sum(axis=-1, keepdims=True)
            of_z = np.divide(added, total, out=np.zeros_like(added), where=total > 0)
            drawn = PSEUDO_AUDITS * (1 - of_z)
            rate = (k + drawn * p[..., None]) / (n + drawn)
            bound = score_bound(rate, spread * of_z, sign)
        reach = (share * np.abs(bound - rate)).sum(axis=-1)
        middle = p[..., None] if centre is None else centre
        size = (share**2 * (1 - seen) * part * (rate - middle) ** 2 / n).sum(axis=-1)
        reach = np.sqrt(reach**2 + Z**2 * size)
        # As errors from here on: how far the truth may be on the side where `found` is counted.
        few = p if sign < 0 else 1 - p
        left = few - reach
        variance = ((share / n) ** 2 * (1 - seen) * found).sum(axis=-1)
        safe = np.where(few > 0, few, 1)
        near = (
            few
            * np.maximum(1 - variance / (9 * safe**2) - NEAR_Z / 3 * np.sqrt(variance) / safe, 0)
            ** 3
        )
        left = np.where((few > 0) & (few <= 0.5), np.minimum(left, near), left)
        at_least = np.where(is_part, 0, (share * seen * found / n).sum(axis=-1))
        left = np.minimum(np.maximum(left, at_least), few)
        bounds.append(left if sign < 0 else 1 - left)
    return bounds[0], bounds[1]


def ratio_of_shares(
    kept: float,
    lost: float,
    kept_bounds: tuple[float, float],
    lost_bounds: tuple[float, float],
    correlation: float,
) -> tuple[float, float]:
    """The interval of kept / (kept + lost): MOVER-R (Donner and Zou 2012) of lost / kept."""

    def odds(of_lost: float, of_kept: float, sign: int) -> float:
        a = lost * kept - correlation * of_lost * of_kept
        b, c = kept**2 - of_kept**2, lost**2 - of_lost**2
        root = np.sqrt(max(a * a - b * c, 0))
        if sign > 0:
            return (a + root) / b if b > 0 else np.inf
        if b > 0:
            return max(a - root, 0) / b
        return max(c / (a + root), 0) if a + root > 0 else 0

    high = odds(lost_bounds[1] - lost, kept - kept_bounds[0], 1)
    low = odds(lost - lost_bounds[0], kept_bounds[1] - kept, -1)
    p = kept / (kept + lost)
    return min(1 / (1 + high), p), max(1 / (1 + low), p)
