"""models/monitoring: alarms of feeds and control charts, with medians and averages of libraries."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy.stats import median_abs_deviation, power_divergence

from .raw_tables import RawTables, looked_up
from .sample import known_at

KNOWN_DAYS = Path(__file__).resolve().parents[2] / "seeds" / "known_days.csv"
DAY = pd.Timedelta(days=1)
WEEKS, SPREAD_DAYS, MIN_WEEKS, MIN_SPREAD = 6, 56, 2, 0.05
SERIES = ["feed_measure", "dimension_name", "dimension_value"]
VOLUMES = ["decisions", "statements_of_reasons"]
# Of a share: from which z and change on it alarms, and as what.
SHARES = {"auto_closed": "bulk_close", "no_language": "broken_feed", "no_views": "broken_feed"}
CHART = ["dimension_name", "dimension_value"]
KEY = ["metric_id", "period_type", "period_starts_on", *CHART]
VALUES = [
    "estimate", "effective_n", "nth_week", "centre", "sigma_z", "ewma", "p_low", "p_high",
    "p_prime_low", "p_prime_high", "ewma_low", "ewma_high",
]  # fmt: skip
WEIGHT = 0.2


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The marts of monitoring, and what each day of a feed scored."""
    scores = pd.concat([_scored(*series) for series in _series(raw)], ignore_index=True)
    columns = [
        "is_share", "n_of_feed", "n_observed", "n_expected", "residual", "residual_spread", "z",
    ]  # fmt: skip
    scores["is_share"] = scores["is_share"].astype(object)
    return {
        "restricted.int_monitoring__feed_scores": scores[[*SERIES, "calendar_date", *columns]],
        "monitoring.feed_alarms": _alarms(scores),
        "monitoring.control_charts": _charts(raw),
    }


# --- feeds -----------------------------------------------------------------------------------


def _series(raw: RawTables) -> Iterator[tuple[str, str, str, pd.Series, pd.Series | None]]:
    """Each measure of a feed: its name, dimension and value, what is counted a day, and of what."""
    last = known_at(raw).normalize() - DAY

    def by_day(day: pd.Series, counted: pd.Series | None = None) -> pd.Series:
        of_day = day.value_counts() if counted is None else counted.groupby(day).sum()
        return of_day.reindex(pd.date_range(day.min(), last), fill_value=0).astype(float)

    statements = raw.latest("statements_of_reasons", ["statement_id"], ["submitted_at"])
    if len(statements):
        day = statements["submitted_at"].dt.normalize()
        yield "statements_of_reasons", "overall", "all", by_day(day), None
    rows = raw.latest("decisions", ["decision_id"], [
        "job_id", "decided_at", "action_code", "views_at_decision",
    ])  # fmt: skip
    jobs = raw.latest("review_jobs", ["job_id"], ["queue_id", "language"]).set_index("job_id")
    language = looked_up(rows["job_id"], jobs["language"])
    counted = {
        "auto_closed": rows["action_code"] == "auto_close",
        "no_language": language.isna() | (language == ""),
        "no_views": rows["views_at_decision"].isna(),
    }
    queue = looked_up(rows["job_id"], jobs["queue_id"]).replace("", None).fillna("unknown")
    groups = {("overall", "all"): queue.notna()}
    groups |= {("queue", name): queue == name for name in queue.unique()}
    for of, is_in in groups.items():
        day = rows["decided_at"].dt.normalize()[is_in]
        volume = by_day(day)
        yield "decisions", *of, volume, None
        for name, is_counted in counted.items():
            yield name, *of, by_day(day, is_counted[is_in]), volume


def _scored(
    measure: str, dimension: str, value: str, count: pd.Series, of: pd.Series | None
) -> pd.DataFrame:
    """What each day of a series was, was expected to be, and how far it is from it."""
    if of is None:
        holidays = pd.to_datetime(pd.read_csv(KNOWN_DAYS)["day"])
        known = count.where(~count.index.isin(holidays))
    else:
        known = count / of.where(of > 0)
    usual, n_usual = _before(known, range(7, 7 * WEEKS + 1, 7), np.median)
    with np.errstate(divide="ignore", invalid="ignore"):
        if of is None:
            residual = np.log((known + 0.5) / (usual + 0.5))
            noise = np.maximum(1 / np.sqrt(usual.clip(lower=1)), MIN_SPREAD)
            expected = usual
        else:
            p = (of * usual + 0.5) / (of + 1)
            fit = power_divergence(
                np.array([count, of - count]), np.array([of * p, of * (1 - p)]),
                lambda_="log-likelihood",
            )  # fmt: skip
            residual = np.sign(count - of * p) * np.sqrt(fit.statistic)
            residual = residual.where(known.notna())
            noise = 1 + 0 * usual
            expected = of * usual
    spread, n_spread = _before(
        residual, range(1, SPREAD_DAYS + 1), lambda days: median_abs_deviation(days, scale="normal")
    )
    spread = np.fmax(noise, spread)
    is_known = (n_usual >= MIN_WEEKS) & (n_spread >= 7 * (MIN_WEEKS - 1))
    return pd.DataFrame({
        "feed_measure": measure,
        "dimension_name": dimension,
        "dimension_value": value,
        "calendar_date": count.index,
        "is_share": of is not None,
        "n_of_feed": count.to_numpy() if of is None else of.to_numpy(),
        "n_observed": count.to_numpy(),
        "n_expected": expected.to_numpy(),
        "residual": residual.to_numpy(),
        "residual_spread": spread.where(is_known).to_numpy(),
        "z": (residual / spread).where(is_known).to_numpy(),
    })  # fmt: skip


def _before(
    values: pd.Series, lags: range, statistic: Callable[[np.ndarray], float]
) -> tuple[pd.Series, pd.Series]:
    """A statistic of what is known so many days before each day, and of how many days."""
    found, n_known = [], []
    array = values.to_numpy()
    for place in range(len(array)):
        days = array[[place - lag for lag in lags if lag <= place]]
        days = days[~np.isnan(days)]
        n_known.append(len(days))
        found.append(statistic(days) if len(days) else np.nan)
    return pd.Series(found, values.index), pd.Series(n_known, values.index)


def _kind(day: pd.Series) -> str | None:
    """As what a day alarms; None where it does not."""
    change = day["n_observed"] - day["n_expected"]
    if day["is_share"]:
        far = day["z"] > 5 and change >= 0.05 * day["n_of_feed"]
        return SHARES[day["feed_measure"]] if far else None
    if day["z"] < -4.5 and day["n_observed"] <= 0.5 * day["n_expected"]:
        return "missing_data"
    far = abs(day["z"]) > 4.5 and abs(change) >= 0.25 * day["n_expected"]
    return "volume" if far else None


def _alarms(scores: pd.DataFrame) -> pd.DataFrame:
    """Runs of days of one kind and direction, and what could not be judged."""
    rows = []
    for series, days in scores.groupby(SERIES):
        judged = days.loc[days["z"].notna(), "calendar_date"].min()
        of = dict(zip(SERIES, series, strict=True)) | {"judged_since": judged}
        first, last = days["calendar_date"].min(), days["calendar_date"].max()
        last = last if pd.isna(judged) else judged - DAY
        rows.append(
            {**of, "alarm_kind": "learning", "first_day": first, "last_day": last,
             "n_days": (last - first).days + 1}
        )  # fmt: skip
        alarmed = days.assign(alarm_kind=days.apply(_kind, axis=1), up=days["z"] > 0).dropna(
            subset="alarm_kind"
        )
        for (kind, _), found in alarmed.groupby(["alarm_kind", "up"]):
            run = (found["calendar_date"].diff() != DAY).cumsum()
            for _, part in found.groupby(run):
                whole = part["n_of_feed"].sum() if part["is_share"].iloc[0] else 1
                observed, expected = part["n_observed"].sum(), part["n_expected"].sum()
                rows.append({
                    **of, "alarm_kind": kind, "first_day": part["calendar_date"].iloc[0],
                    "last_day": part["calendar_date"].iloc[-1], "n_days": len(part),
                    "observed": observed / whole, "expected": expected / whole,
                    "ratio": observed / expected if expected else np.nan,
                    "z": part["z"].loc[part["z"].abs().idxmax()],
                })  # fmt: skip
    return pd.DataFrame(rows)


# --- control charts --------------------------------------------------------------------------


def _charts(raw: RawTables) -> pd.DataFrame:
    """The charts of weekly accuracy, by the recursion of the moving average.

    Its rates are the mart's: the family accuracy recomputes them.
    """
    with duckdb.connect(raw.warehouse, read_only=True) as connection:
        weeks = connection.sql(
            "from rates.accuracy_rates where metric_id = 'accuracy' and metric_version = 1 "
            "and period_type = 'week' "
            "and is_reportable order by period_starts_on"
        ).df()
    if weeks.empty:
        return weeks.reindex(columns=[*KEY, *VALUES])
    charts = [_chart(chart) for _, chart in weeks.groupby(CHART)]
    return pd.concat(charts, ignore_index=True)


def _chart(weeks: pd.DataFrame) -> pd.DataFrame:
    """One chart: its centre, limits and moving average."""
    p, n = weeks["estimate"].to_numpy(dtype=float), weeks["effective_n"].to_numpy(dtype=float)
    centre = np.average(p, weights=n)
    sigma = np.sqrt(centre * (1 - centre) / n)
    ranges = np.abs(np.diff((p - centre) / sigma)) if sigma[0] > 0 else np.array([])
    sigma_z = ranges.mean() / 1.128 if len(ranges) else np.nan
    averages = pd.Series([centre, *p]).ewm(alpha=WEIGHT, adjust=False).mean()[1:]
    variance = 0.0
    spreads = []
    for one in sigma:
        variance = (1 - WEIGHT) ** 2 * variance + WEIGHT**2 * one**2
        spreads.append(np.sqrt(variance))
    limits = {}
    for name, size in {
        "p": sigma, "p_prime": sigma * sigma_z, "ewma": np.array(spreads)
    }.items():  # fmt: skip
        limits[f"{name}_low"] = np.clip(centre - 3 * size, 0, None)
        limits[f"{name}_high"] = np.clip(centre + 3 * size, None, 1)
    return weeks[[*KEY, "estimate", "effective_n"]].assign(
        nth_week=np.arange(len(p)) + 1, centre=centre, sigma_z=sigma_z,
        ewma=averages.to_numpy(), **limits,
    )  # fmt: skip
