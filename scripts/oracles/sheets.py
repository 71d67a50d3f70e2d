"""The cells of the DSA's transparency sheets once more, from raw files and the seed of categories.

Follows docs/transparency.md, not the SQL.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from .accuracy import by_period, findings, rates, terms_of
from .raw_tables import RawTables, looked_up
from .sample import known_at, read_sample
from .transparency import ENFORCING_CODES, read_acts, read_decisions, times

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
NO_ANSWER = ["skip", "escalate", "auto_close", "reverse", "uphold"]
LANGUAGES = (
    "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()  # noqa: SIM905
)
KEY = ["period_type", "period_starts_on", "sheet", "scope", "category", "keyword", "indicator"]
ESTIMATED = {"accuracy": "accuracy", "precision": "false_discovery_rate",
             "recall": "false_negative_rate"}  # fmt: skip
OUTCOMES = {
    "n_upheld": "denied", "n_partially_reversed": "partial", "n_reversed": "granted",
    "n_omitted": "withdrawn", "n_pending": "pending",
}  # fmt: skip
# Estimates have a table of their own, before it is asked whether they can be published.
SCOPE = {
    "restricted.dsa_cells": "indicator not in ('accuracy', 'precision', 'recall')",
    "restricted.int_dsa__automated_estimates": "estimate is not null",
}


def recompute(raw: RawTables) -> dict[str, pd.DataFrame]:
    """Recompute the cells of the sheets.

    Args:
        raw: the raw tables of a world.

    Returns:
        {schema.mart: its key columns and the values recomputed}.
    """
    found = {"restricted.dsa_cells": Sheets(raw).cells()}
    estimates = automated_estimates(raw)
    if len(estimates):
        found["restricted.int_dsa__automated_estimates"] = estimates
    return found


def starts(day: pd.Series) -> dict[str, pd.Series]:
    """The half year and the year of each day, by the first day of it."""
    year = day.dt.to_period("Y").dt.start_time
    second = year + pd.DateOffset(months=6)
    return {"half_year": year.mask(day.dt.month > 6, second), "year": year}


def median(hours: pd.Series) -> float:
    """The least that half of them did not exceed."""
    ordered = np.sort(hours.dropna().to_numpy())
    return float(ordered[(len(ordered) + 1) // 2 - 1]) if len(ordered) else np.nan


def language_of(language: pd.Series) -> pd.Series:
    """The official language of a code."""
    first = language.str.lower().str.extract(r"^([a-z]{2})(?:[-_].*)?$")[0]
    return first.where(first.isin(LANGUAGES))


class Sheets:
    """What a world has for the sheets."""

    def __init__(self, raw: RawTables) -> None:
        """Read it."""
        self.raw = raw
        self.as_of = known_at(raw)
        seeds = pd.read_csv(SEEDS / "dsa_categories.csv").set_index("policy_id")
        self.illegal = seeds["illegal_category"].fillna(seeds["category"])
        self.illegal_word = seeds["illegal_keyword"].fillna(seeds["keyword"])
        self.terms, self.terms_word = seeds["category"], seeds["keyword"]
        policies = raw.latest("policies", ["policy_id", "policy_version"],
                              ["parent_policy_id", "valid_from"])  # fmt: skip
        policies = policies.sort_values("valid_from").drop_duplicates("policy_id", keep="last")
        self.parents = policies.set_index("policy_id")["parent_policy_id"]
        actions = pd.read_csv(SEEDS / "action_codes.csv").dropna(subset="dsa_restriction")
        self.restriction = actions.set_index("action_code")["dsa_restriction"]
        self.jobs = raw.latest("review_jobs", ["job_id"], [
            "item_id", "enqueue_reason", "enqueued_at", "reported_policy_id", "language",
        ])  # fmt: skip
        self.decisions = read_decisions(raw)
        self.requests = self._requests()
        self.acts = self._acts()
        self.has_reports = not raw.rows("reports", ["report_id"]).empty
        self.has_appeals = not raw.rows("appeals", ["appeal_id"]).empty
        self.rows: list[dict] = []

    def category(self, policy: pd.Series, of: pd.Series) -> pd.Series:
        """Of each policy, its own entry or else its parent's."""
        return policy.map(of).fillna(policy.map(self.parents).map(of))

    def _requests(self) -> pd.DataFrame:
        """Notices and orders, each with what followed."""
        reports = self.raw.latest("reports", ["report_id"], [
            "item_id", "reported_at", "reporter_kind", "policy_id", "is_legal_notice",
        ])  # fmt: skip
        is_trusted = reports["reporter_kind"] == "trusted_flagger"
        is_notice = reports["is_legal_notice"].where(reports["is_legal_notice"].notna(), is_trusted)
        reports["is_trusted"] = is_trusted
        notices = reports[is_notice.astype(bool) & (reports["reporter_kind"] != "authority")]
        orders = self.jobs[self.jobs["enqueue_reason"] == "authority_order"]
        both = pd.concat([
            notices.assign(kind="notice", request_id=notices["report_id"],
                           received_at=times(notices["reported_at"])),
            orders.assign(kind="order", request_id=orders["job_id"], is_trusted=False,
                          received_at=times(orders["enqueued_at"]),
                          policy_id=orders["reported_policy_id"]),
        ], ignore_index=True)  # fmt: skip
        both = both[both["received_at"] <= self.as_of].reset_index(drop=True)
        both["category"] = self.category(both["policy_id"], self.illegal)
        both["keyword"] = self.category(both["policy_id"], self.illegal_word)
        unspecified = "STATEMENT_CATEGORY_NOT_SPECIFIED_" + both["kind"].str.upper()
        both["category"] = both["category"].where(both["policy_id"].notna(), unspecified)
        answers = self.decisions[~self.decisions["action_code"].isin(NO_ANSWER)]
        answers = both.reset_index()[["index", "kind", "item_id", "received_at", "is_trusted",
                                      "request_id"]].merge(
            answers[["decision_id", "item_id", "decided_at", "action_code", "ground",
                     "is_automated"]], on="item_id")  # fmt: skip
        answers = answers[answers["decided_at"] >= answers["received_at"]]
        answers = answers.sort_values(["decided_at", "decision_id"])
        first = answers.drop_duplicates("index").set_index("index")
        both["is_processed"] = both.index.isin(first.index)
        both["by_machine"] = first["is_automated"].reindex(both.index).eq(True)
        acted = answers[answers["action_code"].isin(ENFORCING_CODES)].drop_duplicates("index")
        counted = acted.sort_values(["is_trusted", "received_at", "request_id"],
                                    ascending=[False, True, True])  # fmt: skip
        counted = counted.drop_duplicates(["kind", "decision_id"])
        acted = acted.set_index("index")
        seconds = acted["decided_at"].dt.floor("s") - acted["received_at"].dt.floor("s")
        both["hours"] = (seconds.dt.total_seconds() / 3600).reindex(both.index)
        both["acted_ground"] = acted["ground"].reindex(both.index)
        both["is_action"] = both.index.isin(counted["index"])
        return both

    def _acts(self) -> pd.DataFrame:
        """Decisions that restrict, with what had come before."""
        acts = read_acts(self.raw, self.decisions)
        acts["restriction"] = acts["action_code"].map(self.restriction)
        acts = acts.dropna(subset="restriction")
        later = self.decisions.dropna(subset="supersedes_decision_id")
        second = self.decisions.set_index("decision_id")["decided_at"].dt.floor("s")
        at_once = (
            later["decided_at"].dt.floor("s").eq(looked_up(later["supersedes_decision_id"], second))
        )
        acts = acts[~acts["decision_id"].isin(later.loc[at_once, "supersedes_decision_id"])]
        for name, requests in {
            "order": self.requests[self.requests["kind"] == "order"],
            "trusted": self.requests[self.requests["is_trusted"]],
            "any": self.requests,
        }.items():
            first = requests.groupby("item_id")["received_at"].min()
            acts[name] = first.reindex(acts["item_id"]).to_numpy() <= acts["decided_at"].to_numpy()
        policy, is_illegal = acts["primary_policy_id"], acts["ground"] == "illegal"
        acts["category"] = self.category(policy, self.illegal).where(
            is_illegal, self.category(policy, self.terms)
        )
        acts["keyword"] = self.category(policy, self.illegal_word).where(
            is_illegal, self.category(policy, self.terms_word)
        )
        language = acts["job_id"].map(self.jobs.set_index("job_id")["language"])
        acts["language"] = language_of(language)
        return acts

    def add(
        self, period: tuple, sheet: int, indicator: str, value: float,
        *row: str,
    ) -> None:  # fmt: skip
        """Keep a cell."""
        self.rows.append(
            dict(
                zip(
                    KEY,
                    [*period, sheet, *(row + ("total", "TOTAL", "")[len(row) :]), indicator],
                    strict=True,
                )
            )
            | {"cell_value": np.nan if value is None else float(value)}
        )

    def cells(self) -> pd.DataFrame:
        """Every cell of sheets 3 to 9, but for estimates."""
        acts, requests = self.acts, self.requests
        appeals = self._appeals()
        days = self.decisions["decided_at"].dt.normalize()
        calendar = pd.Series(pd.date_range(days.min(), days.max()))
        for period_type, of_day in starts(calendar).items():
            for start in of_day.unique():
                period = (period_type, start)

                def within(rows: pd.DataFrame, column: str, period: tuple = period) -> pd.DataFrame:
                    return rows[starts(rows[column])[period[0]] == period[1]]

                self._requests_of(period, within(requests, "received_at"))
                self._acts_of(period, within(acts, "decided_at"))
                self._automated_of(
                    period, within(acts, "decided_at"), within(requests, "received_at"), appeals
                )
                self._complaints_of(period, within(appeals, "filed_at"))
                self._people_of(period)
        found = pd.DataFrame(self.rows)
        # What the source never delivers is blank, not 0.
        sheet, of_all = found["sheet"], found["scope"] == "total"
        of_reports = sheet.isin([4, 5, 6]) | ((sheet == 8) & ~of_all)
        blank = (of_reports & (not self.has_reports)) | ((sheet == 7) & (not self.has_appeals))
        return found.assign(cell_value=found["cell_value"].mask(blank))

    def _grouped(
        self, period: tuple, sheet: int, rows: pd.DataFrame, words: list[tuple[str, str]],
        counts: dict[str, Callable[[pd.DataFrame], float]],
    ) -> None:  # fmt: skip
        """Count in the total, in each category and in each sub-category."""
        here = rows[["category", "keyword"]].dropna(subset="category").fillna("")
        pairs = {*words, *here.itertuples(index=False, name=None)}
        pairs |= {(category, "") for category, _ in pairs}
        for category, keyword in [("TOTAL", ""), *sorted(pairs)]:
            part = rows if category == "TOTAL" else rows[rows["category"] == category]
            if keyword:
                part = part[part["keyword"] == keyword]
            for name, count in counts.items():
                self.add(period, sheet, name, count(part), "total", category, keyword)

    def _words(self, categories: pd.Series, words: pd.Series) -> list[tuple[str, str]]:
        """The rows that apply: of the policies that there are."""
        known = categories.index[categories.index.isin(self.parents.index)]
        return [*{*zip(categories[known], words[known], strict=True)}]

    def _requests_of(self, period: tuple, requests: pd.DataFrame) -> None:
        """Sheets 3 and 4."""
        words = self._words(self.illegal, self.illegal_word)
        order = ["is_trusted", "received_at", "request_id"]
        ordered = requests.sort_values(order, ascending=[False, True, True])
        requests = requests.assign(
            is_item=requests.index.isin(ordered.drop_duplicates(["kind", "item_id"]).index)
        )
        some = {
            "n_requests": len,
            "n_items": lambda rows: rows["is_item"].sum(),
            "median_hours_to_act": lambda rows: median(rows["hours"]),
        }
        more = some | {
            "n_trusted_requests": lambda rows: rows["is_trusted"].sum(),
            "n_trusted_items": lambda rows: (rows["is_item"] & rows["is_trusted"]).sum(),
            "trusted_median_hours_to_act": lambda rows: median(
                rows.loc[rows["is_trusted"], "hours"]
            ),
        }
        for ground, name in {"illegal": "law", "terms": "terms"}.items():
            for prefix in ("", "trusted_"):

                def count(rows: pd.DataFrame, ground: str = ground, prefix: str = prefix) -> float:
                    is_counted = rows["is_action"] & (rows["acted_ground"] == ground)
                    return (is_counted & (rows["is_trusted"] if prefix else True)).sum()

                more[f"n_{prefix}actions_by_{name}"] = count
        for sheet, kind, counts in ((3, "order", some), (4, "notice", more)):
            unspecified = (f"STATEMENT_CATEGORY_NOT_SPECIFIED_{kind.upper()}", "")
            part = requests[requests["kind"] == kind]
            self._grouped(period, sheet, part, [*words, unspecified], counts)

    def _acts_of(self, period: tuple, acts: pd.DataFrame) -> None:
        """Sheets 5 and 6."""
        own = acts[~acts["any"]]
        counts = {
            "n_measures": lambda rows: rows["decision_id"].nunique(),
            "n_automated": lambda rows: rows.loc[
                rows["is_automated"].eq(True), "decision_id"
            ].nunique(),
        }
        for name in self.restriction.unique():

            def count(rows: pd.DataFrame, name: str = name) -> float:
                return rows.loc[rows["restriction"] == name, "decision_id"].nunique()

            counts[f"n_{name}"] = count
        for sheet, ground, words in (
            (5, "illegal", self._words(self.illegal, self.illegal_word)),
            (6, "terms", self._words(self.terms, self.terms_word)),
        ):
            self._grouped(period, sheet, own[own["ground"] == ground], words, counts)

    def _automated_of(
        self, period: tuple, acts: pd.DataFrame, requests: pd.DataFrame, appeals: pd.DataFrame
    ) -> None:
        """Sheet 8, without estimates."""
        once = acts.drop_duplicates("decision_id")
        is_automated = once["is_automated"].eq(True)
        # A language is a row wherever the platform ever restricted something in it.
        scopes = {"total": pd.Series(True, index=once.index), "own_initiative": ~once["any"]}
        for code in self.acts["language"].dropna().unique():
            scopes[code] = once["language"] == code
        for scope, inside in scopes.items():
            self.add(period, 8, "n_automated", (inside & is_automated).sum(), scope)
            self.add(period, 8, "n_not_automated", (inside & ~is_automated).sum(), scope)
        notices = requests[requests["kind"] == "notice"]
        for scope, part in (
            ("notices", notices), ("trusted_notices", notices[notices["is_trusted"]])
        ):  # fmt: skip
            done = part[part["is_processed"]]
            self.add(period, 8, "n_automated", done["by_machine"].sum(), scope)
            self.add(period, 8, "n_not_automated", (~done["by_machine"]).sum(), scope)
            self.add(period, 8, "n_pending", len(part) - len(done), scope)
        overturned = appeals.loc[
            appeals["outcome"].isin(["granted", "partial"]) & (appeals["appellant"] == "affected"),
            "decision_id",
        ]
        machines = once[is_automated]
        share = 1 - machines["decision_id"].isin(overturned).mean() if len(machines) else np.nan
        self.add(period, 8, "appeal_proxy_precision", share if len(appeals) else np.nan)

    def _appeals(self) -> pd.DataFrame:
        """Appeals that count, with their kind."""
        appeals = self.raw.latest("appeals", ["appeal_id"], [
            "decision_id", "filed_at", "decided_at", "notified_at", "outcome", "channel",
        ])  # fmt: skip
        of = self.decisions.set_index("decision_id")
        appeals = appeals.join(
            of[["item_id", "action_code", "decided_by_type", "decided_at"]].rename(
                columns={"decided_at": "acted_at"}
            ),
            on="decision_id",
        )
        for name in ("filed_at", "decided_at", "notified_at"):
            appeals[name] = times(appeals[name])
        later = self.decisions.dropna(subset="supersedes_decision_id")
        replaced = later["supersedes_decision_id"]
        second = of["decided_at"].dt.floor("s")
        at_once = replaced[later["decided_at"].dt.floor("s").eq(looked_up(replaced, second))]
        is_counted = (
            appeals["action_code"].notna()
            & ~appeals["action_code"].isin(NO_ANSWER)
            & appeals["decided_by_type"].isin(["human", "automation"])
            & ~appeals["decision_id"].isin(at_once)
            & (appeals["filed_at"] >= appeals["acted_at"] - pd.Timedelta(minutes=5))
        )
        appeals = appeals[is_counted].copy()
        appeals["channel"] = appeals["channel"].fillna("internal")
        appeals["appellant"] = np.where(
            appeals["action_code"] == "no_action", "notifier", "affected"
        )
        notices = self.requests[self.requests["kind"] == "notice"]
        kind = appeals["action_code"].map(self.restriction).str.split("_").str[0]
        for name, part in (
            ("no_action_on_notice", notices),
            ("no_action_on_trusted_notice", notices[notices["is_trusted"]]),
        ):
            first = part.groupby("item_id")["received_at"].min().reindex(appeals["item_id"])
            is_later = first.to_numpy() <= appeals["acted_at"].to_numpy()
            kind = kind.mask((appeals["appellant"] == "notifier") & is_later, name)
        appeals["kind"] = kind
        reversals = later[later["action_code"] == "reverse"]["supersedes_decision_id"]
        appeals["is_reversed"] = appeals["decision_id"].isin(reversals)
        enforced = later[later["action_code"].isin(ENFORCING_CODES)]
        last = enforced.groupby("supersedes_decision_id")["decided_at"].max()
        restricted_at = last.reindex(appeals["decision_id"]).to_numpy()
        appeals["is_newly_restricted"] = (
            (appeals["appellant"] == "notifier")
            & appeals["outcome"].isin(["granted", "partial"])
            & (restricted_at >= appeals["filed_at"].to_numpy())
        )
        told = appeals["notified_at"].fillna(appeals["decided_at"])
        seconds = (told.dt.floor("s") - appeals["filed_at"].dt.floor("s")).dt.total_seconds()
        is_timed = appeals["outcome"].isin(["granted", "partial", "denied"]) & (
            appeals["decided_at"] >= appeals["filed_at"]
        )
        appeals["hours"] = (seconds / 3600).where(is_timed)
        return appeals

    def _complaints_of(self, period: tuple, appeals: pd.DataFrame) -> None:
        """Sheet 7."""
        internal = appeals[appeals["channel"] == "internal"]
        court = appeals[appeals["channel"] == "out_of_court"].dropna(subset="kind")
        kinds = {name.split("_")[0] for name in self.restriction}
        scopes = {name: internal[internal["kind"] == name] for name in (
            *kinds, "no_action_on_notice", "no_action_on_trusted_notice"
        )}  # fmt: skip
        scopes["internal"] = internal[internal["kind"].isin(kinds)]
        scopes["out_of_court"] = court
        for scope, rows in scopes.items():
            is_told = rows["notified_at"].notna() | (rows["outcome"] == "pending")
            self.add(period, 7, "n_complaints", len(rows), scope)
            self.add(period, 7, "n_not_notified", (~is_told).sum(), scope)
            self.add(period, 7, "median_hours", median(rows["hours"]), scope)
            for name, outcome in OUTCOMES.items():
                self.add(period, 7, name, (rows["outcome"] == outcome).sum(), scope)
        granted = court[court["outcome"].isin(["granted", "partial"])]
        self.add(period, 7, "share_implemented", granted["is_reversed"].mean(), "out_of_court")
        newly = internal.dropna(subset="kind")["is_newly_restricted"].sum()
        self.add(period, 7, "n_complaints", newly, "newly_restricted")

    def _people_of(self, period: tuple) -> None:
        """Sheet 9."""
        roster = self.raw.latest("roster", ["person_id", "valid_from"],
                                 ["role", "vendor", "language", "valid_to"])  # fmt: skip
        roster = roster[roster["role"] == "moderator"].copy()
        since, until = times(roster["valid_from"]), times(roster["valid_to"])
        months = 12 if period[0] == "year" else 6
        at = min(period[1] + pd.DateOffset(months=months), self.as_of)
        vendor = roster["vendor"].map(
            lambda name: "vendor_unknown" if pd.isna(name)
            else "internal" if name == "in_house" else "external"
        )  # fmt: skip
        roster = roster.assign(staff=vendor, code=language_of(roster["language"]), since=since,
                               until=until)  # fmt: skip
        here = roster[(roster["since"] < at) & ~(roster["until"] < at)]
        counts = here.groupby("staff")["person_id"].nunique().to_dict()
        counts = {"internal": 0, "external": 0} | counts
        counts["languages"] = here.dropna(subset="code")["person_id"].nunique()
        counts |= here.groupby("code")["person_id"].nunique().to_dict()
        for scope, n in counts.items():
            self.add(period, 9, "n_moderators", n, scope)
        shifts = self.raw.latest("shift_hours", ["person_id", "work_date"], ["paid_seconds"])
        day = pd.to_datetime(shifts["work_date"])
        shifts = shifts.assign(day=day).dropna(subset="paid_seconds")
        both = shifts.merge(roster, on="person_id")
        both = both[(both["day"] >= both["since"]) & ~(both["day"] >= both["until"])]
        both = both[starts(both["day"])[period[0]] == period[1]]
        weeks = (1 + (both["day"].max() - both["day"].min()).days) / 7 if len(both) else np.nan
        for scope, seconds in both.groupby("staff")["paid_seconds"].sum().items():
            value = seconds / (3600 * 40 * weeks)
            self.add(period, 9, "full_time_equivalents", value, scope)


def automated_estimates(raw: RawTables) -> pd.DataFrame:
    """Accuracy, precision and recall of what machines decided, by the oracle's own estimator."""
    sample = read_sample(raw)
    if sample.audits.empty:
        return pd.DataFrame()
    for name, values in findings(sample.audits).items():
        sample.audits[name] = values
    requests = Sheets(raw).requests
    items = read_decisions(raw).set_index("decision_id")["item_id"]
    first = {
        "any": requests, "notice": requests[requests["kind"] == "notice"],
        "trusted": requests[requests["is_trusted"]],
    }  # fmt: skip
    parts = []
    for period_type, start, audits, own in by_period(sample, starts):
        item = audits["decision_id"].map(items)
        had = {
            name: pd.Series(
                rows.groupby("item_id")["received_at"].min().reindex(item).to_numpy()
                <= audits["decided_at"].to_numpy(),
                audits.index,
            )
            for name, rows in first.items()
        }
        is_machine = own & (audits["decided_by_type"] == "automation")
        scopes = {
            "total": is_machine, "own_initiative": is_machine & ~had["any"],
            "notices": is_machine & had["notice"], "trusted_notices": is_machine & had["trusted"],
        }  # fmt: skip
        groups = {name: pd.Series(name, audits.index).where(at) for name, at in scopes.items()}
        groups["by language"] = language_of(audits["language"]).where(is_machine)
        for group in groups.values():
            for indicator, metric in ESTIMATED.items():
                found = rates(sample, audits, group, terms_of(metric, audits))
                if found.empty:
                    continue
                found = found.rename_axis("scope").reset_index()
                if indicator != "accuracy":
                    low, high = 1 - found["ci_high"], 1 - found["ci_low"]
                    found = found.assign(estimate=1 - found["estimate"], ci_low=low, ci_high=high)
                parts.append(
                    found.assign(
                        period_type=period_type, period_starts_on=start, indicator=indicator
                    )
                )
    if not parts:  # nothing that machines decided was audited
        return pd.DataFrame()
    found = pd.concat(parts, ignore_index=True)
    columns = ["n", "effective_n", "estimate", "ci_low", "ci_high"]
    key = ["period_type", "period_starts_on", "scope", "indicator"]
    return found.dropna(subset="estimate")[[*key, *columns]]
