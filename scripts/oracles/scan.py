"""models/monitoring once more: the scan, its alarms and their drivers, in numpy.

Follows docs/monitoring.md, not the SQL: counts are dense arrays of slices, risk cells and days, and
audits that are left out are told by their ids.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import xlogy

from .accuracy import dimensions, findings, rates, terms_of
from .raw_tables import RawTables
from .sample import Sample, known_at, read_sample

SLICE = ["dimension_name", "dimension_value"]
WATCHED_AS_REPORTED = [
    "overall", "queue", "policy", "policy_parent", "site", "vendor", "language", "region",
    "item_type", "decided_by", "model_version",
]  # fmt: skip
PAIRS = {
    "queue_and_decider": ("queue", "decided_by"),
    "queue_and_vendor": ("queue", "vendor"),
    "queue_and_language": ("queue", "language"),
    "queue_and_truth_policy_parent": ("queue", "truth_policy_parent"),
    "vendor_and_tenure_band": ("vendor", "tenure_band"),
    "site_and_language": ("site", "language"),
    "vendor_and_truth_policy_parent": ("vendor", "truth_policy_parent"),
}
TENURE = {30: "000-030 days", 90: "031-090 days", 180: "091-180 days", 365: "181-365 days"}
# Pseudo counts: audits that draw a risk cell toward all, errors that draw a slice toward its cells.
CELL_AUDITS, SLICE_ERRORS = 20, 5
LEAST_VARIANCE = 0.3
GAP_DAYS = 14
ROUNDS, LARGEST_DRIVER_Q, LEAST_SHARE, LISTED = 3, 0.1, 0.15, 5
DETECTED = 1.645  # in 95 of 100 windows
SHOWN_WINDOWS = (7, 28)
Z = stats.norm.ppf(0.975)


@dataclass(frozen=True)
class Settings:
    """The variables of dbt_project.yml that the scan reads."""

    windows: tuple[int, ...] = (4, 7, 14, 28, 56)
    baseline_days: int = 91
    learning_days: int = 42
    natural_variation: float = 0.05
    alert_z: float = 3.8
    strong_z: float = 4.2
    min_people: int = 5
    audits_due_days: int = 10


SETTINGS = Settings()


@dataclass(frozen=True)
class World:
    """What is watched.

    Attributes:
        slices: one row per audit and slice: audit_id, decided_on, risk_cell, stratum, person (null
            unless a human decided), auditor, weight, n_errors, SLICE.
        days: the calendar, from the first decision to the last.
        accepted: SLICE and from_day of the changes that are accepted.
        as_of: when all this was known.
    """

    slices: pd.DataFrame
    days: pd.DatetimeIndex
    accepted: pd.DataFrame
    as_of: pd.Timestamp


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """The scan and the marts of monitoring."""
    sample = read_sample(raw)
    world = read_world(sample, raw)
    watched = watch(world)
    impact = watched["impact"].merge(accuracy(sample, world, watched["episodes"]), how="left")
    suspect = raw.built("select * from restricted.int_monitoring__kinds")
    return {
        "cells.slice_days": slice_days(world),
        "restricted.int_monitoring__scan": watched["scan"],
        "monitoring.alerts": alerts(world, watched, impact, suspect),
        "monitoring.alert_drivers": watched["alert_drivers"],
        "monitoring.monitored_slices": watched["monitored_slices"],
    }


def watch(world: World, settings: Settings = SETTINGS) -> dict[str, pd.DataFrame]:
    """All that follows from the slices, by the name of its model without int_monitoring__."""
    scan = Scan(world, settings)
    found = scan.rows()
    episodes = scan.episodes(found)
    explained = scan.explained(episodes)
    drivers = scan.drivers(episodes, explained)
    return {
        "first_scan": scan.first_rows(),
        "scan": found,
        "episodes": episodes,
        "explained": explained,
        "drivers": drivers,
        "impact": scan.impact(episodes),
        "alert_drivers": scan.listed(drivers, episodes),
        "monitored_slices": scan.monitored(),
    }


# --- what is watched ---------------------------------------------------------------------------


def read_world(sample: Sample, raw: RawTables) -> World:
    """Read the slices of the audits that count in a rate."""
    audits = sample.audits[sample.audits["stratum"] >= 0].reset_index(drop=True)
    strata = sample.strata.loc[audits["stratum"]]
    cells = (strata["plan_id"] + " | " + strata["stratum_id"]).to_numpy()
    is_human = audits["decided_by_type"] == "human"
    kept = pd.DataFrame(
        {
            "audit_id": audits["audit_id"],
            "decided_on": audits["decided_at"].dt.normalize(),
            "stratum": audits["stratum"],
            "risk_cell": cells,
            # Who has no name is one person all the same.
            "person": audits["moderator_id"].fillna("unknown").where(is_human),
            "auditor": audits["auditor_id"],
            "weight": audits["weight"].astype(float),
            "n_errors": 1 - findings(audits)["n_correct"].astype(int),
        }
    )
    parts = []
    for name, value in slices_of(audits, raw).items():
        part = kept.assign(dimension_name=name, dimension_value=value)
        parts.append(part[~value.str.contains("not.applicable")])
    decided = sample.decisions["decided_at"].dt.normalize()
    return World(
        pd.concat(parts, ignore_index=True),
        pd.date_range(decided.min(), decided.max(), freq="D"),
        raw.built("select * from reference.accepted_changes"),
        known_at(raw),
    )


def slices_of(audits: pd.DataFrame, raw: RawTables) -> dict[str, pd.Series]:
    """The value of each audit, by dimension; of what does not apply, not_applicable."""
    of_reporting = dimensions(audits)
    slices = {name: of_reporting[name] for name in WATCHED_AS_REPORTED}
    policies = raw.latest(
        "policies", ["policy_id", "policy_version"], ["parent_policy_id", "valid_from"]
    )
    begun = policies[pd.to_datetime(policies["valid_from"]) <= known_at(raw)]
    current = begun.sort_values("valid_from").drop_duplicates("policy_id", keep="last")
    parent = current.set_index("policy_id")["parent_policy_id"]
    truth = audits["truth_policy_id"]
    slices["truth_policy"] = truth.fillna("no_policy")
    parents = truth.map(parent).astype(object)
    slices["truth_policy_parent"] = parents.where(parents.notna(), truth).fillna("no_policy")
    tenure = (audits["decided_at"].dt.normalize() - pd.to_datetime(audits["hired_on"])).dt.days
    band = pd.Series("366 days and more", index=audits.index)
    for most, name in reversed(TENURE.items()):
        band[tenure <= most] = name
    band[tenure.isna() | (tenure < 0)] = "unknown"
    slices["tenure_band"] = band.where(audits["decided_by_type"] == "human", "not_applicable")
    for name, (one, other) in PAIRS.items():
        slices[name] = slices[one] + " | " + slices[other]
    return slices


def slice_days(world: World) -> pd.DataFrame:
    """Audits and errors by slice, risk cell and day."""
    by = world.slices.groupby([*SLICE, "risk_cell", "decided_on"])["n_errors"]
    return by.agg(n_audits="size", n_errors="sum").reset_index()


# --- the statistic -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """Errors beside expected ones, as arrays of any shape; null where nothing was expected.

    Attributes:
        observed: errors in the window.
        risk: E, expected from the risk cells alone.
        variance: V, the sum of e0 (1 - e0).
        base_errors: errors in the baseline.
        base_risk: those expected there.
        natural: how far an error rate wanders by itself, relative to its size.
    """

    observed: np.ndarray
    risk: np.ndarray
    variance: np.ndarray
    base_errors: np.ndarray
    base_risk: np.ndarray
    natural: float

    @property
    def scale(self) -> np.ndarray:
        """The sampling variance relative to Poisson's."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.clip(self.variance / self.risk, LEAST_VARIANCE, 1)

    @property
    def expected(self) -> np.ndarray:
        """λ: expected from the risk cells and the slice's own past."""
        return self.risk * (self.base_errors + SLICE_ERRORS) / (self.base_risk + SLICE_ERRORS)

    @property
    def ratio(self) -> np.ndarray:
        """θ."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.observed / self.expected

    @property
    def likelihood_ratio(self) -> np.ndarray:
        """G²: one rate in both against one each."""
        drawn, drawn_risk = self.base_errors + SLICE_ERRORS, self.base_risk + SLICE_ERRORS
        together = (self.observed + drawn) / (self.risk + drawn_risk)
        with np.errstate(divide="ignore", invalid="ignore"):
            here = xlogy(self.observed, self.observed / (together * self.risk))
        there = xlogy(drawn, drawn / (together * drawn_risk))
        # Of what is as expected arithmetic leaves 1e-15, and a root of that is no deviation.
        return np.where(self.risk > 0, np.maximum(2 * (here + there), 0).round(12), np.nan)

    @property
    def z(self) -> np.ndarray:
        """The signed root of G², over what sampling and nature vary."""
        root = np.sqrt(self.likelihood_ratio / (self.scale + self.natural**2 * self.expected))
        return np.where(self.observed >= self.expected, root, -root)

    def frame(self, *where: np.ndarray) -> pd.DataFrame:
        """The numbers at these places, under the marts' names."""
        return pd.DataFrame(
            {
                "n_errors": self.observed[where],
                "n_baseline_errors": self.base_errors[where],
                "risk_errors": self.risk[where],
                "baseline_risk_errors": self.base_risk[where],
                "sampling_variance": self.scale[where],
                "expected_errors": self.expected[where],
                "likelihood_ratio": self.likelihood_ratio[where],
                "ratio": self.ratio[where],
                "z": self.z[where],
            }
        )


def cell_rates(n: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """e0 of each risk cell (the first axis), of the counts of all audits of a baseline."""
    with np.errstate(divide="ignore", invalid="ignore"):
        of_all = errors.sum(axis=0) / n.sum(axis=0)
    return (errors + CELL_AUDITS * of_all) / (n + CELL_AUDITS)


class Scan:
    """The scan of a world."""

    def __init__(self, world: World, settings: Settings) -> None:
        """Count audits and errors by slice, risk cell and day, and scan twice."""
        self.world, self.settings, self.days = world, settings, world.days
        rows = world.slices
        self.keys = rows[SLICE].drop_duplicates().sort_values(SLICE, ignore_index=True)
        slice_at = pd.MultiIndex.from_frame(self.keys).get_indexer(
            pd.MultiIndex.from_frame(rows[SLICE])
        )
        cell_at, self.cells = pd.factorize(rows["risk_cell"], sort=True)
        day_at = self.days.get_indexer(rows["decided_on"])
        self.n = np.zeros((len(self.keys), len(self.cells), len(self.days)))
        self.errors = np.zeros_like(self.n)
        np.add.at(self.n, (slice_at, cell_at, day_at), 1)
        np.add.at(self.errors, (slice_at, cell_at, day_at), rows["n_errors"].to_numpy(float))
        self.ids, _ = pd.factorize(rows["audit_id"])
        self.rows_of = pd.Series(np.arange(len(rows))).groupby(slice_at).apply(list)
        self.at = pd.DataFrame({"slice": slice_at, "cell": cell_at, "day": day_at})
        everything = self.keys.index[self.keys["dimension_name"] == "overall"]
        self.overall = int(everything[0]) if len(everything) else None
        self.n_values = self.keys.groupby("dimension_name")["dimension_value"].transform("size")
        self.first = {k: self._first(k) for k in settings.windows}
        self.second = self._second() if len(self.keys) else {}

    def _window(self, counts: np.ndarray, k: int) -> np.ndarray:
        """Sums over the k days that end on each day."""
        run = np.concatenate([np.zeros_like(counts[..., :1]), counts.cumsum(axis=-1)], axis=-1)
        ends = np.arange(counts.shape[-1]) + 1
        return run[..., ends] - run[..., np.maximum(ends - k, 0)]

    def _before(self, counts: np.ndarray, k: int) -> np.ndarray:
        """Sums over the baseline of the window of k days that ends on each day."""
        length = self.settings.baseline_days
        return self._window(counts, k + length) - self._window(counts, k)

    def rates(self, k: int) -> np.ndarray:
        """e0 by risk cell and day."""
        return cell_rates(
            self._before(self.n[self.overall], k), self._before(self.errors[self.overall], k)
        )

    def is_learnt(self, k: int) -> np.ndarray:
        """On which days a window of k days has enough of a baseline."""
        return np.arange(len(self.days)) - k + 1 >= self.settings.learning_days

    def _first(self, k: int) -> Compared | None:
        if self.overall is None:
            return None
        e0, n = self.rates(k), self._window(self.n, k)
        known = np.where(np.isnan(e0), 0, e0)
        return Compared(
            self._window(self.errors, k).sum(axis=1),
            (n * known).sum(axis=1),
            (n * known * (1 - known)).sum(axis=1),
            self._before(self.errors, k).sum(axis=1),
            (self._before(self.n, k) * known).sum(axis=1),
            self.settings.natural_variation,
        )

    def known_alarming(self, s: int) -> np.ndarray:
        """By day, from which day on it is known that the slice's baseline is better without it."""
        known = np.full(len(self.days), np.inf)
        accepted = self.accepted_of(s)
        for k, compared in self.first.items():
            loud = (np.abs(compared.z[s]) >= self.settings.alert_z) & self.is_learnt(k)
            for end in np.flatnonzero(loud):
                # Beside what was before an accepted change, all that is new is alarming.
                oldest = end - k - self.settings.baseline_days + 1
                if not any(oldest < day <= end for day in accepted):
                    inside = slice(max(end - k + 1, 0), end + 1)
                    known[inside] = np.minimum(known[inside], end)
        for day in accepted:
            past = slice(0, max(min(day, len(known)), 0))
            known[past] = np.minimum(known[past], day)
        return known

    def accepted_of(self, s: int) -> list[int]:
        """The places of the days on which an accepted change of a slice began."""
        accepted = self.world.accepted
        mine = accepted[(accepted[SLICE] == self.keys.loc[s, SLICE]).all(axis=1)]
        return [(pd.Timestamp(day) - self.days[0]).days for day in mine["from_day"]]

    def _second(self) -> dict[int, Compared]:
        base_errors = {k: compared.base_errors.copy() for k, compared in self.first.items()}
        base_risk = {k: compared.base_risk.copy() for k, compared in self.first.items()}
        self.is_shown = {
            k: np.tile(self.is_learnt(k), (len(self.keys), 1)) & (compared.risk > 0)
            for k, compared in self.first.items()
        }
        at = np.arange(len(self.days))
        for s in self.keys.index:
            known, accepted = self.known_alarming(s), self.accepted_of(s)
            if not np.isfinite(known).any():
                continue
            for k in self.settings.windows:
                e0 = self.rates(k)
                for end in np.flatnonzero(self.is_shown[k][s]):
                    base = (at <= end - k) & (at > end - k - self.settings.baseline_days)
                    base &= ~(known <= end)
                    base_errors[k][s, end] = self.errors[s][:, base].sum()
                    base_risk[k][s, end] = (self.n[s][:, base] * e0[:, [end]]).sum()
                    for day in accepted:
                        if end >= day and end - k + 1 - day < self.settings.learning_days:
                            self.is_shown[k][s, end] = False
        return {
            k: Compared(one.observed, one.risk, one.variance, base_errors[k], base_risk[k],
                        one.natural)
            for k, one in self.first.items()
        }  # fmt: skip

    # --- tables --------------------------------------------------------------------------------

    def _placed(self, compared: Compared, k: int, shown: np.ndarray) -> pd.DataFrame:
        s, end = np.nonzero(shown)
        rows = self.keys.loc[s].reset_index(drop=True).assign(slice=s, end=end, window_days=k)
        rows["window_ends_on"] = self.days[end]
        n = self._window(self.n, k).sum(axis=1)[s, end]
        return rows.assign(n_audits=n).join(compared.frame(s, end))

    def first_rows(self) -> pd.DataFrame:
        """First-pass z of each slice, day and window."""
        names = [*SLICE, "window_ends_on", "window_days", "n_audits", "n_errors",
                 "n_baseline_errors", "risk_errors", "baseline_risk_errors", "z"]  # fmt: skip
        parts = [
            self._placed(compared, k, (compared.risk > 0) & self.is_learnt(k))[names]
            for k, compared in self.first.items()
            if compared is not None
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)

    def rows(self) -> pd.DataFrame:
        """The best window of each slice, day and direction, with its q value."""
        parts = [self._placed(compared, k, self.is_shown[k]) for k, compared in self.second.items()]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        if len(rows):
            rows = rows[(rows["risk_errors"] >= 1) & ((rows["z"] < 0) | (rows["n_errors"] >= 2))]
        if rows.empty:
            return pd.DataFrame(columns=[*SLICE, "window_ends_on", "direction"])
        rows = rows.assign(
            direction=np.where(rows["z"] < 0, "better", "worse"), size=rows["z"].abs()
        )
        rows = rows.sort_values(["size", "window_days"], ascending=[False, True], kind="stable")
        rows = rows.drop_duplicates([*SLICE, "window_ends_on", "direction"])
        length = pd.to_timedelta(rows["window_days"] - 1, unit="D")
        rows["window_starts_on"] = rows["window_ends_on"] - length
        rows["q_value"] = stats.norm.sf(rows.pop("size"))
        rows["q_value"] = rows.groupby(["window_ends_on", "direction"])["q_value"].transform(
            lambda p: stats.false_discovery_control(p, method="bh")
        )
        return rows.drop(columns=["slice", "end"]).reset_index(drop=True)

    def people(self, value: pd.Series, first: pd.Timestamp, last: pd.Timestamp) -> int:
        """How many people decided what was audited of a slice in some days."""
        rows = self.audits_of(value, first, last)
        return rows["person"].nunique()

    def audits_of(self, value: pd.Series, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
        """The audits of a slice in some days."""
        s = self.keys.index[(self.keys == [*value[SLICE]]).all(axis=1)][0]
        rows = self.world.slices.iloc[self.rows_of[s]]
        return rows[rows["decided_on"].between(first, last)]

    def episodes(self, scan: pd.DataFrame) -> pd.DataFrame:
        """Alarms of a slice and direction, together where no more than GAP_DAYS lie between."""
        found = []
        if scan.empty:
            return pd.DataFrame(columns=["episode_id"])
        loud = scan[
            (scan["dimension_name"] != "overall")
            & ((scan["z"] >= self.settings.alert_z) | (scan["z"] <= -self.settings.strong_z))
        ]
        for key, alarms in loud.groupby([*SLICE, "direction"]):
            days = alarms.sort_values("window_ends_on")
            number = (days["window_ends_on"].diff().dt.days > GAP_DAYS).cumsum()
            for _, episode in days.groupby(number):
                peak = episode.loc[episode["z"].abs().idxmax()]
                first, last = episode["window_ends_on"].agg(["min", "max"])
                n_people = self.people(peak, peak["window_starts_on"], peak["window_ends_on"])
                if n_people == 0 or n_people >= self.settings.min_people:
                    found.append(
                        {
                            "episode_id": "|".join([*key, f"{first:%Y-%m-%d}"]),
                            "first_alarm_on": first,
                            "last_alarm_on": last,
                            "n_people": n_people,
                            "since": self.first_day(peak),
                            **peak,
                        }
                    )
        if not found:
            return pd.DataFrame(columns=["episode_id"])
        rows = pd.DataFrame(found)
        return rows[~rows["episode_id"].isin(self.told_by_subtraction(rows))]

    def first_day(self, peak: pd.Series) -> pd.Timestamp:
        """The first day that the errors until the window's end fit best with a changed rate."""
        end = peak["window_ends_on"]
        e0 = pd.Series(self.rates(int(peak["window_days"]))[:, self.days.get_loc(end)], self.cells)
        rows = self.audits_of(peak, end - pd.Timedelta(days=max(self.settings.windows) - 1), end)
        usual = peak["expected_errors"] / peak["risk_errors"]
        expected = rows["risk_cell"].map(e0).astype(float) * usual
        by_day = pd.DataFrame({"n": rows["n_errors"], "expected": expected})
        by_day = by_day.groupby(rows["decided_on"]).sum().iloc[::-1].cumsum()
        n, expected = by_day["n"], by_day["expected"]
        fit = (xlogy(n, n / expected) - n + expected).round(9)
        return fit[(n > expected) == (peak["direction"] == "worse")].idxmax()

    def told_by_subtraction(self, episodes: pd.DataFrame) -> set[str]:
        """The weakest of alarms that, those of a dimension taken off another, leave few people."""
        told = set()
        for days, same in episodes.groupby(["window_starts_on", "window_ends_on"]):
            held = {row["episode_id"]: self.audits_of(row, *days) for _, row in same.iterrows()}
            size = same.set_index("episode_id")["z"].abs()
            for whole, audits in held.items():
                inside = same[
                    [
                        name != whole and held[name]["audit_id"].isin(audits["audit_id"]).all()
                        for name in same["episode_id"]
                    ]
                ]
                for _, parts in inside.groupby("dimension_name")["episode_id"]:
                    taken = pd.concat([held[part]["audit_id"] for part in parts])
                    others = audits[~audits["audit_id"].isin(taken)]
                    if 0 < others["person"].nunique() < self.settings.min_people:
                        told.add(size[[whole, *parts]].sort_index().idxmin())
        return told

    def _left(self, episode: pd.Series, other: pd.Series) -> Compared:
        """What another alarm leaves of one.

        All but the audits that both have. Where these are most of them, all audits, with those of
        both as wrong as all of the other's in these days.
        """
        end = self.days.get_loc(episode["window_ends_on"])
        e0 = pd.Series(self.rates(int(episode["window_days"]))[:, end], index=self.cells)
        days = episode["window_starts_on"], episode["window_ends_on"]
        mine, theirs = self.audits_of(episode, *days), self.audits_of(other, *days)
        rate = mine["risk_cell"].map(e0).astype(float)
        is_shared = mine["audit_id"].isin(theirs["audit_id"])
        left, n_errors = rate[~is_shared].sum(), mine["n_errors"][~is_shared].sum()
        if rate[is_shared].sum() > left:
            their_risk = theirs["risk_cell"].map(e0).astype(float).sum()
            usual = other["expected_errors"] / other["risk_errors"]
            left += rate[is_shared].sum() * theirs["n_errors"].sum() / their_risk / usual
            n_errors = episode["n_errors"]
        return Compared(
            n_errors, left, episode["sampling_variance"] * left,
            episode["n_baseline_errors"], episode["baseline_risk_errors"],
            self.settings.natural_variation,
        )  # fmt: skip

    def scores(self, episodes: pd.DataFrame) -> pd.Series:
        """How well each episode's slice explains what happened."""
        m = episodes["dimension_name"].map(self.keys.groupby("dimension_name").size())
        return episodes["likelihood_ratio"] / 2 / episodes["sampling_variance"] - np.log(m)

    def explained(self, episodes: pd.DataFrame) -> pd.DataFrame:
        """By which stronger alarm of the same time each is explained, and the lead of both."""
        names = ["episode_id", "explained_by", "incident_id", "evidence_score"]
        if episodes.empty:
            return pd.DataFrame(columns=names)
        rows = episodes.assign(evidence_score=self.scores(episodes))
        rows = rows.sort_values(["evidence_score", "episode_id"], ascending=[False, True])
        led_by: dict[str, str | None] = {name: None for name in rows["episode_id"]}
        # Strongest first, so that the first that explains is the strongest.
        for (_, strong), (_, weak) in combinations(rows.iterrows(), 2):
            overlap = max(weak["window_starts_on"], strong["window_starts_on"]) <= min(
                weak["last_alarm_on"], strong["last_alarm_on"]
            )
            if led_by[weak["episode_id"]] or weak["direction"] != strong["direction"]:
                continue
            if not overlap:
                continue
            left = self._left(weak, strong)
            z, ratio = (float(left.z), float(left.ratio)) if left.risk > 0 else (0, 1)
            is_quiet = abs(z) < self.settings.alert_z
            if is_quiet and abs(ratio - 1) < abs(weak["ratio"] - 1) / 2:
                led_by[weak["episode_id"]] = strong["episode_id"]
        found = rows[["episode_id", "evidence_score"]].assign(
            explained_by=rows["episode_id"].map(led_by)
        )
        leads = []
        for name in found["episode_id"]:
            lead = name
            while led_by[lead]:
                lead = led_by[lead]
            leads.append(lead)
        return found.assign(incident_id=leads)[names].reset_index(drop=True)

    # --- drivers -------------------------------------------------------------------------------

    def drivers(self, episodes: pd.DataFrame, explained: pd.DataFrame) -> pd.DataFrame:
        """Candidates of each round, of each alarm that no other explains."""
        unexplained = set(explained["episode_id"][explained["explained_by"].isna()])
        parts = [
            self._drivers_of(episode)
            for _, episode in episodes.iterrows()
            if episode["episode_id"] in unexplained
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def _drivers_of(self, episode: pd.Series) -> pd.DataFrame:
        since, last = (
            self.days.get_loc(episode[f"window_{side}_on"]) for side in ("starts", "ends")
        )
        now = (self.at["day"] >= since) & (self.at["day"] <= last)
        before = (self.at["day"] < since) & (self.at["day"] >= since - self.settings.baseline_days)
        left = (now | before).to_numpy().copy()
        rounds, in_all = [], None
        for number in range(1, ROUNDS + 1):
            compared, sizes = self._of_slices(left, now.to_numpy())
            if in_all is None:
                in_all = float((compared.observed - compared.expected)[self.overall])
            rows = self._candidates(compared, sizes, episode["direction"], left)
            rows["explained_share"] = rows["excess_errors"] / in_all if in_all else np.nan
            rows.loc[~(rows["explained_share"] > 0), "explained_share"] = np.nan
            rows["is_driver"] = (
                (rows["driver_rank"] == 1)
                & (rows["evidence_score"] > 0)
                & (rows["q_value"] <= LARGEST_DRIVER_Q)
                & (rows["explained_share"].fillna(1) >= LEAST_SHARE)
            )
            rounds.append(rows.assign(driver_round=number))
            driver = rows[rows["is_driver"]]
            if driver.empty:
                break
            taken = self.ids[self.rows_of[driver["slice"].iloc[0]]]
            left &= ~np.isin(self.ids, taken)
        found = pd.concat(rounds, ignore_index=True)
        return found.assign(
            comparison_id=episode["episode_id"], direction=episode["direction"]
        ).drop(columns="slice")

    def _of_slices(self, left: np.ndarray, now: np.ndarray) -> tuple[Compared, pd.DataFrame]:
        """All slices in a window and before it, of the rows that are left."""
        shape = self.n.shape[:2]
        errors = self.world.slices["n_errors"].to_numpy(float)
        sums = []
        for side in (left & now, left & ~now):
            for values in (np.ones(len(errors)), errors):
                table = np.zeros(shape)
                at = (self.at["slice"][side], self.at["cell"][side])
                np.add.at(table, at, values[side])
                sums.append(table)
        n, x, n_base, x_base = sums
        e0 = cell_rates(n_base[self.overall], x_base[self.overall])
        compared = Compared(
            x.sum(axis=1), n @ e0, n @ (e0 * (1 - e0)), x_base.sum(axis=1), n_base @ e0,
            self.settings.natural_variation,
        )  # fmt: skip
        sizes = {"n_audits": n.sum(axis=1), "n_baseline_audits": n_base.sum(axis=1)}
        return compared, pd.DataFrame(sizes)

    def _candidates(
        self, compared: Compared, sizes: pd.DataFrame, direction: str, left: np.ndarray
    ) -> pd.DataFrame:
        """The slices that may explain, ranked; of those with the same audits the first."""
        worse = direction == "worse"
        may = (self.keys["dimension_name"] != "overall") & (compared.risk >= 1)
        may &= ((compared.z > 0) & (compared.observed >= 2)) if worse else (compared.z < 0)
        s = np.flatnonzero(may)
        rows = self.keys.loc[s].reset_index(drop=True).assign(slice=s)
        rows = rows.join(sizes.loc[s].reset_index(drop=True)).join(compared.frame(s))
        m = self.n_values.loc[s].to_numpy()
        rows["evidence_score"] = compared.likelihood_ratio[s] / 2 / compared.scale[s] - np.log(m)
        rows["excess_errors"] = rows["n_errors"] - rows["expected_errors"]
        held = [frozenset(self.ids[self.rows_of[one]][left[self.rows_of[one]]]) for one in s]
        rows = rows.assign(held=held, m=m, length=rows["dimension_name"].str.len())
        rows = rows.sort_values(["m", "length", "dimension_name"]).drop_duplicates("held")
        rows = rows.sort_values(
            ["evidence_score", *SLICE], ascending=[False, True, True], ignore_index=True
        )
        rows["driver_rank"] = rows.index + 1
        p_value = 2 * stats.norm.sf(rows["z"].abs())
        rows["q_value"] = stats.false_discovery_control(p_value) if len(rows) else p_value
        evidence = np.exp(rows["evidence_score"] - rows["evidence_score"].max())
        rows["share_of_evidence"] = evidence / evidence.sum()
        return rows.drop(columns=["held", "m", "length"])

    def listed(self, drivers: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
        """The first five of the first round and what further ones found, without small groups."""
        if drivers.empty:
            return pd.DataFrame(columns=["alert_id", "driver_round", "driver_rank"])
        rows = drivers.merge(
            episodes[["episode_id", "window_starts_on", "window_ends_on"]].rename(
                columns={"episode_id": "comparison_id"}
            ),
            on="comparison_id",
        )
        rows = rows[
            (rows["driver_rank"] <= LISTED) & ((rows["driver_round"] == 1) | rows["is_driver"])
        ]
        n_people = rows.apply(
            lambda row: self.people(row, row["window_starts_on"], row["window_ends_on"]), axis=1
        )
        rows = rows[(n_people == 0) | (n_people >= self.settings.min_people)].copy()
        rows["explained_share"] = rows["explained_share"].where(rows["is_driver"])
        digits = {"explained_share": 2, "ratio": 1, "z": 1, "q_value": 2, "share_of_evidence": 2}
        rows = rows.assign(
            **{name: rows[name].astype(float).round(digit) for name, digit in digits.items()}
        )
        names = ["alert_id", "driver_round", "driver_rank", *SLICE, "is_driver", *digits]
        return rows.rename(columns={"comparison_id": "alert_id"})[names].reset_index(drop=True)

    # --- what it costs, and what is not seen ---------------------------------------------------

    def impact(self, episodes: pd.DataFrame) -> pd.DataFrame:
        """Wrong decisions beyond the expected ones, and what else the window's audits say."""
        found = []
        for _, episode in episodes.iterrows():
            end = self.days.get_loc(episode["window_ends_on"])
            e0 = pd.Series(self.rates(int(episode["window_days"]))[:, end], index=self.cells)
            rows = self.audits_of(episode, episode["window_starts_on"], episode["window_ends_on"])
            drawn = episode["n_baseline_errors"] + SLICE_ERRORS
            own = drawn / (episode["baseline_risk_errors"] + SLICE_ERRORS)
            chance = rows["risk_cell"].map(e0).astype(float) * own
            weight = rows["weight"]
            variance = (weight**2 * chance * (1 - chance.clip(upper=1))).sum()
            variance += (weight * chance).sum() ** 2 / drawn
            by_auditor = rows.groupby("auditor")["n_errors"].sum()
            found.append(
                {
                    "episode_id": episode["episode_id"],
                    "excess_wrong_decisions": (weight * (rows["n_errors"] - chance)).sum(),
                    "excess_standard_error": np.sqrt(variance),
                    "largest_auditor_share": by_auditor.max() / by_auditor.sum()
                    if by_auditor.sum()
                    else np.nan,
                }
            )
        return pd.DataFrame(found) if found else pd.DataFrame(columns=["episode_id"])

    def monitored(self) -> pd.DataFrame:
        """The smallest multiple of its error rate that each slice would have shown."""
        rows = self.world.slices
        if rows.empty:
            return pd.DataFrame(columns=SLICE)
        last = rows["decided_on"].max()
        known = rows.groupby(SLICE)["decided_on"].agg(["min", "max"])
        known = known.set_axis(["first_audited_on", "last_audited_on"], axis=1)
        recent = rows[rows["decided_on"] > last - pd.Timedelta(days=SHOWN_WINDOWS[-1])]
        known["n_people"] = recent.groupby(SLICE)["person"].nunique()
        end = self.days.get_loc(last)
        for k in SHOWN_WINDOWS:
            one = self.first[k]
            with np.errstate(divide="ignore", invalid="ignore"):
                spread = np.maximum(one.variance / one.risk, LEAST_VARIANCE)
                spread = spread + one.natural**2 * one.risk
                spread = spread * (1 + one.risk / (one.base_risk + SLICE_ERRORS)) / one.risk
            reach = (self.settings.alert_z + DETECTED) / 2 * np.sqrt(spread[:, end])
            ratio = np.where(
                (one.risk[:, end] >= 1) & self.is_learnt(k)[end], (1 + reach) ** 2, np.nan
            )
            name = f"detectable_ratio_{k}_days"
            known[name] = pd.Series(ratio, index=pd.MultiIndex.from_frame(self.keys)).round(1)
        known = known.reset_index()
        known["reason_code"] = np.select(
            [
                known["n_people"].isna(),
                (known["n_people"] > 0) & (known["n_people"] < self.settings.min_people),
                known["detectable_ratio_28_days"].isna(),
            ],
            ["no_audits", "suppressed_small_group", "too_few_audits"],
            None,
        )
        for k in SHOWN_WINDOWS:
            name = f"detectable_ratio_{k}_days"
            known[name] = known[name].where(known["reason_code"].isna())
        return known.drop(columns="n_people").assign(
            last_day=last, is_watched=known["dimension_name"] != "overall"
        )


def accuracy(sample: Sample, world: World, episodes: pd.DataFrame) -> pd.DataFrame:
    """Weighted accuracy of each episode's slice in the baseline and in its window."""
    audits = sample.audits[sample.audits["stratum"] >= 0].copy()
    for name, values in findings(audits).items():
        audits[name] = values
    day = audits["decided_at"].dt.normalize()
    found = []
    for _, episode in episodes.iterrows():
        rows = world.slices
        mine = rows[(rows[SLICE] == [episode[name] for name in SLICE]).all(axis=1)]["audit_id"]
        inside = audits["audit_id"].isin(mine)
        since, last = episode["window_starts_on"], episode["window_ends_on"]
        length = pd.Timedelta(days=SETTINGS.baseline_days)
        sides = {
            "now": (since, last),
            "before": (since - length, since - pd.Timedelta("1D")),
        }
        groups = pd.Series(None, index=audits.index, dtype=object)
        for side, (first, end) in sides.items():
            groups[inside & day.between(first, end)] = side
        estimated = rates(sample, audits, groups, terms_of("accuracy", audits))
        row = {"episode_id": episode["episode_id"]}
        for side in estimated.index:
            row[f"accuracy_{side}"] = estimated.loc[side, "estimate"]
            row[f"accuracy_{side}_ci_low"] = estimated.loc[side, "ci_low"]
            row[f"accuracy_{side}_ci_high"] = estimated.loc[side, "ci_high"]
        found.append(row)
    return pd.DataFrame(found) if found else pd.DataFrame(columns=["episode_id"])


def alerts(
    world: World,
    watched: dict[str, pd.DataFrame],
    impact: pd.DataFrame,
    kinds: pd.DataFrame,
    settings: Settings = SETTINGS,
) -> pd.DataFrame:
    """The alerts, but for what kind of fault each looks like.

    Args:
        world: what is watched.
        watched: what `watch` gave.
        impact: its impact, with accuracy before and now.
        kinds: episode_id and is_data_suspect, as the warehouse has them.
        settings: the variables.
    """
    rows = watched["episodes"]
    if rows.empty:
        return pd.DataFrame(columns=["alert_id"])
    rows = rows.merge(watched["explained"]).merge(impact).merge(kinds)
    error = rows["excess_standard_error"]
    rows["excess_ci_low"] = rows["excess_wrong_decisions"] - Z * error
    rows["excess_ci_high"] = rows["excess_wrong_decisions"] + Z * error
    rows["excess_per_day_ci_low"] = rows["excess_ci_low"] / rows["window_days"]
    seen = rows["n_errors"].where(rows["n_errors"] > 0)
    off = Z * np.sqrt(
        rows["sampling_variance"] * (1 / seen + 1 / (rows["n_baseline_errors"] + SLICE_ERRORS))
    )
    rows["ratio_ci_low"] = rows["ratio"] * np.exp(-off)
    rows["ratio_ci_high"] = rows["ratio"] * np.exp(off)
    strong = rows["z"].abs() >= settings.strong_z
    rows["alert_level"] = np.where(strong, "strong", "alert")
    until = watched["scan"]["window_ends_on"].max()
    lasting = (until - rows["last_alarm_on"]).dt.days <= GAP_DAYS
    # Over where the last two weeks have other errors than the alarm's ratio leads to expect.
    first = watched["first_scan"]
    recent = first[(first["window_ends_on"] == until) & (first["window_days"] == GAP_DAYS)]
    recent = rows[SLICE].merge(recent, on=SLICE, how="left")
    own = (rows["n_baseline_errors"] + SLICE_ERRORS) / (rows["baseline_risk_errors"] + SLICE_ERRORS)
    still = np.sqrt((rows["ratio"] * own * recent["risk_errors"]).astype(float))
    beyond = 2 * (np.sqrt(recent["n_errors"].astype(float)) - still)
    beyond = beyond.where(rows["direction"] == "worse", -beyond)
    lasting &= ~(beyond <= -DETECTED)
    as_of = world.as_of.normalize()
    waiting = (as_of - rows["window_ends_on"]).dt.days < settings.audits_due_days
    lasted = (rows["last_alarm_on"] - rows["since"]).dt.days >= settings.baseline_days
    gap = pd.Timedelta(days=GAP_DAYS)
    changes = rows.merge(world.accepted[[*SLICE, "from_day"]], on=SLICE)
    from_day = pd.to_datetime(changes["from_day"])
    near = from_day.between(changes["since"] - gap, changes["last_alarm_on"] + gap)
    accepted = rows["episode_id"].isin(changes["episode_id"][near])
    rows["alert_status"] = np.select(
        [accepted, rows["is_data_suspect"], lasting & waiting, lasting, lasted],
        ["accepted", "data_suspect", "provisional", "open", "absorbed"],
        "closed",
    )
    sides = [f"accuracy_{side}{part}" for side in ("before", "now")
             for part in ("", "_ci_low", "_ci_high") if f"accuracy_{side}" in rows]  # fmt: skip
    names = [
        "alert_id", "incident_id", "explained_by", "direction", *SLICE, "alert_level",
        "alert_status", "since", "first_alarm_on", "last_alarm_on", "window_starts_on",
        "window_ends_on", "window_days", "n_people", "n_audits", "n_errors", "expected_errors",
        "ratio", "ratio_ci_low", "ratio_ci_high", *sides, "z", "q_value", "excess_wrong_decisions",
        "excess_ci_low", "excess_ci_high", "excess_per_day_ci_low",
    ]  # fmt: skip
    return rows.rename(columns={"episode_id": "alert_id"})[names]
