"""What all open rows of a month together tell of few people: nothing, by linear algebra.

A row that is shown is a sum over persons, days and groups. What can be worked out from several rows
is a combination of them, and it must not rest on fewer than five people.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from project_sql import CompiledModel, compiled_models
from scipy.optimize import linprog

MIN_PEOPLE = 5
MODELS = [
    f"int_people__{name}"
    for name in (
        "at_work_in_shares", "at_work", "suppressed_first", "at_work_marked", "suppressed_teams",
        "suppressed_apart", "suppressed_groups",
    )
]  # fmt: skip
OF_PEOPLE = ["site", "vendor", "team"]
OF_AUDITORS = ["auditor_site", "auditor_vendor", "auditor_tier"]
SEEDS = Path(__file__).resolve().parents[2] / "seeds"
SCHEMAS = ["cells", "facts", "rates", "reference", "report", "restricted", "staging"]
# Two months and the weeks that they share.
DAYS = pd.date_range("2026-06-24", "2026-09-02")
MONTHS = [pd.Timestamp("2026-07-01"), pd.Timestamp("2026-08-01")]
# The quarter of both months is over in every second world.
AS_OF = ["2026-09-02 18:00:00", "2026-10-05 18:00:00"]
CROSSED = range(16, 24)
# The first of each kind of world before a commit, all of them in test-deep.
SHORT = {0, 1, 2, 3, 16, 17}
WORLDS = [
    seed if seed in SHORT else pytest.param(seed, marks=pytest.mark.deep) for seed in range(24)
]


@dataclass(frozen=True)
class World:
    """Who decided what on which day, and which of it was audited.

    Attributes:
        decisions: person_key, day, site, vendor, team, queue; the groups are null where nobody
            knows.
        audits: the same, of the decisions that were audited: audit_id, who audited (auditor_key,
            of auditor_site, auditor_vendor and auditor_tier), policy, what the auditor and the
            benchmark found, and whether it was disputed.
        servings: golden items served, of a policy, and whether they were answered.
        ratings: ratings in sessions of calibration, of a policy, and whether they are left out.
        as_of: when the marts are built.
    """

    decisions: pd.DataFrame
    audits: pd.DataFrame
    servings: pd.DataFrame
    ratings: pd.DataFrame
    as_of: str


def random_world(seed: int) -> World:
    """Teams of one to six in two or three sites and vendors, which cross.

    Somebody changes teams, and somebody is on no roster. One site has only one person. In some
    worlds a team may be in several sites. Few are audited, served golden items and asked to rate.
    """
    rng = np.random.default_rng(seed)
    people = []
    sites, vendors = rng.integers(2, 4, 2)
    for team in range(rng.integers(5, 8)):
        site, vendor = rng.integers(0, sites), rng.integers(0, vendors)
        is_crossed = seed in CROSSED and rng.random() < 0.3
        for _ in range(rng.integers(1, 7)):
            at = rng.integers(0, sites) if is_crossed else site
            people.append({"site": f"s{at}", "vendor": f"v{vendor}", "team": f"t{team}"})
    people[0] |= {"site": "s_own", "vendor": "v0"}
    people.append(dict.fromkeys(OF_PEOPLE))
    rows = []
    mover = rng.integers(1, len(people) - 1)
    for number, groups in enumerate(people):
        for day in DAYS[rng.random(len(DAYS)) < 0.8]:
            now = groups
            if number == mover and day >= pd.Timestamp("2026-07-20"):
                now = people[(mover + 7) % (len(people) - 1)]
            rows.append({"person_key": f"p{number}", "day": day, **now})
    decisions = pd.DataFrame(rows)
    decisions["queue"] = rng.choice(["q0", "q1", "q2"], len(decisions))
    # Three know a language that nobody else does, and two a second one.
    number = decisions["person_key"].str[1:].astype(int)
    decisions["language"] = np.select([number < 3, number < 5], ["l0", "l1"], "l2")
    # Of some nobody measures how long they take, of others there are no hours.
    decisions["is_measured"], decisions["has_hours"] = number % 4 != 0, number % 5 != 0
    audits = decisions[rng.random(len(decisions)) < rng.choice([0.1, 0.3, 0.8])]
    servings = decisions[rng.random(len(decisions)) < rng.choice([0.1, 0.3])].drop(columns="queue")
    servings = servings.assign(
        policy=rng.choice(["c0", "c1", "c2"], len(servings), p=[0.7, 0.25, 0.05]),
        is_answered=rng.random(len(servings)) < 0.9,
    )
    ratings = servings[["person_key", "day", "site", "policy"]].assign(
        session="s" + servings["day"].dt.day_of_year.floordiv(10).astype(str),
        is_left_out=rng.random(len(servings)) < 0.1,
    )
    return World(
        decisions,
        audited(audits.reset_index(drop=True), rng),
        servings.reset_index(drop=True),
        ratings.reset_index(drop=True),
        AS_OF[seed % 2],
    )


def audited(audits: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Add five to twelve auditors, and what they and the benchmark found."""
    auditors = pd.DataFrame(
        [
            {
                "auditor_key": f"a{number}",
                "auditor_site": f"s{rng.integers(0, 2)}",
                "auditor_vendor": f"v{rng.integers(0, 2)}",
                "auditor_tier": rng.choice(["auditor", "expert"], p=[0.8, 0.2]),
            }
            for number in range(rng.integers(5, 13))
        ]
    )
    of = auditors.iloc[rng.integers(0, len(auditors), len(audits))].reset_index(drop=True)
    finding = np.where(rng.random(len(audits)) < 0.3, "false_negative", "correct")
    return audits.join(of).assign(
        audit_id=[f"audit-{number}" for number in range(len(audits))],
        policy=rng.choice(["c0", "c1", "c2"], len(audits), p=[0.7, 0.25, 0.05]),
        found_error_class=finding,
        benchmark_error_class=np.where(rng.random(len(audits)) < 0.3, finding, None),
        is_disputed=rng.random(len(audits)) < 0.2,
    )


def suppressed(world: World, models: dict[str, CompiledModel]) -> pd.DataFrame:
    """The list of what is suppressed, by the project's SQL."""
    with duckdb.connect() as db:
        catalog = models[MODELS[0]].relation.split(".")[0]
        db.execute(f"attach if not exists ':memory:' as {catalog}; use {catalog}")
        for schema in SCHEMAS:
            db.execute(f"create schema {schema}")
        for name in ("decisions", "audits", "servings", "ratings"):
            db.register(name, getattr(world, name))
        db.execute(f"""
            create table cells.int_people__decisions_by_day as
            select person_key as moderator_key, cast(day as date) as decided_on, site, vendor,
                team as team_id
            from decisions;
            create table cells.int_people__work_by_day as
            select person_key as moderator_key, cast(day as date) as decided_on, site, vendor,
                team as team_id, queue as queue_id, language, 'p' as reported_policy_id,
                cast(is_measured as int) as n_measured
            from decisions;
            create table cells.int_people__hours_by_day as
            select person_key, cast(day as date) as work_date, site, vendor, team as team_id
            from decisions where has_hours;
            create table facts.fct_audits as
            select audit_id, person_key as moderator_key,
                cast(day as date) as decided_on, site, vendor, team as team_id, queue as queue_id,
                'human' as decided_by_type, null::varchar as exclusion_reason,
                true as is_counted, 'correct' as error_class,
                'p' as policy_id, 'p' as parent_policy_id, 'en' as language, 'eu' as region,
                'video' as item_type, null::varchar as model_version, null::double as confidence
            from audits;
            create table restricted.int_people__audits as
            select audit_id, 'all' as tenure_band_at_decision from facts.fct_audits;
            create table facts.int_scores__ratings as
            select audit_id, exclusion_reason from facts.fct_audits;
            create table report.dim_calendar as
            select distinct calendar_date,
                cast(date_trunc('week', calendar_date) as date) as week_starts_on,
                cast(date_trunc('week', calendar_date) as date) + 6 as week_ends_on,
                cast(date_trunc('month', calendar_date) as date) as month_starts_on,
                last_day(calendar_date) as month_ends_on
            from (select cast(day as date) as calendar_date from decisions);
            create table restricted.int_people__periods as
            select 'trailing' as period_type, date '2026-07-05' as period_starts_on,
                date '2026-09-02' as period_ends_on, calendar_date
            from report.dim_calendar where calendar_date >= date '2026-07-05';
            create table cells.accuracy_population (
                period_type varchar, period_starts_on date, dimension_name varchar, has_rates bool
            );
            create table staging.int_context__as_of as
            select timestamp '{world.as_of}' as as_of;
            create table facts.int_verdicts__audits as
            select audit_id, cast(day as date) as audited_on, queue as queue_id,
                policy as policy_id, null::varchar as parent_policy_id,
                'human' as decided_by_type, person_key as moderator_key, site, vendor,
                team as team_id, 'en' as language, 'eu' as region, 'video' as item_type,
                null::varchar as model_version, null::double as confidence, auditor_key,
                auditor_site, auditor_vendor, auditor_tier, 'random' as sampling_method,
                found_error_class, benchmark_error_class,
                case when benchmark_error_class is not null then 'b' end as benchmark_audit_id,
                found_error_class = benchmark_error_class as is_same_finding
            from audits;
            create table staging.stg_disputes as
            select audit_id, 'upheld' as outcome from audits where is_disputed;
            create table facts.int_golden__servings as
            select person_key as moderator_key, cast(day as date) as served_on, site, vendor,
                team as team_id, 'en' as language, 'k1' as key_version, policy as true_policy_id,
                'remove' as true_action_code, is_answered, false as is_bad_key,
                is_answered as is_passed
            from servings;
            create table facts.fct_appeals as
            select true as is_in_rates, 'affected' as appellant, 'human' as decided_by_type,
                person_key as moderator_key, cast(day as date) as decided_on,
                cast(day as date) as filed_on,
                case when is_answered then cast(day as date) end as answered_on,
                policy as policy_id, null::varchar as parent_policy_id, 'remove' as action_code,
                'en' as language, 'internal' as channel
            from servings;
            create table facts.int_agreement__ratings as
            select 'calibration' as rating_source, 'action_code' as label_kind,
                session as session_id, policy as item_policy_id, site, 'en' as language,
                person_key as rater_key, cast(day as date) as rated_on,
                cast(day as date) as item_rated_on, 'a' as label, 'a' as label_before,
                case when is_left_out then 'not_rated' end as exclusion_reason,
                1 as rating_number
            from ratings;
            create table facts.int_calibration__pairs as
            select person_key as rater_key, cast(day as date) as rated_on, site, vendor,
                team as team_id, 'en' as language, 'moderator' as rater_role,
                policy as benchmark_policy_id,
                case when not is_answered then 'not_rated' end as exclusion_reason
            from servings;
            create table reference.metrics as from read_csv('{SEEDS / "metrics.csv"}')
        """)
        for model in models.values():
            db.execute(f"create table {model.relation} as {model.sql}")
        return db.sql(f"from {model.relation}").df()


def periods_of(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The periods of each row, by their type."""
    day = rows["day"]
    return {
        "week": day - pd.to_timedelta(day.dt.dayofweek, unit="D"),
        "month": day.dt.to_period("M").dt.start_time,
        "quarter": day.dt.to_period("Q").dt.start_time,
    }


def rows_of(
    rows: pd.DataFrame,
    withheld: pd.DataFrame,
    dimensions: list[str],
    types: tuple[str, ...] = ("week", "month"),
) -> pd.DataFrame:
    """The rows of marts about a month: of which period and group, whether shown, what they sum."""
    key = ["period_type", "period_starts_on", "dimension_name", "dimension_value"]
    hidden = set(map(tuple, withheld[key].itertuples(index=False)))
    found = []
    for period_type in types:
        starts = periods_of(rows)[period_type]
        for start in starts.unique():
            of_period = starts == start
            everybody = (period_type, start, "overall", "all")
            found.append((*everybody, everybody not in hidden, of_period.to_numpy()))
            for name in dimensions:
                values = rows[name].fillna("unknown")
                for value in values[of_period].unique():
                    group = (period_type, start, name, value)
                    sums = (of_period & (values == value)).to_numpy()
                    found.append((*group, group not in hidden, sums))
    return pd.DataFrame(found, columns=[*key, "is_shown", "sums"])


def of_month(rows: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """Those of the month and of the weeks that it touches."""
    starts = rows["period_starts_on"]
    week = (starts <= month + pd.offsets.MonthEnd(0)) & (starts > month - pd.Timedelta(days=7))
    return rows[(starts == month) | (week & (rows["period_type"] == "week"))]


def matrix(rows: pd.DataFrame) -> np.ndarray:
    """One line per row, 1 for what it sums."""
    return np.array(rows["sums"].tolist(), dtype=float)


def told_of_few(
    units: pd.DataFrame, lines: np.ndarray, totals_only: bool = False
) -> set[frozenset[str]]:
    """Sets of fewer than five people of whom some combination of the lines tells something.

    Lines are constant over what they all sum alike. A combination that is 0 for everybody else is
    orthogonal to all that the lines do not tell apart.
    """
    seen = lines.any(axis=0)
    alike, inverse = np.unique(lines[:, seen], axis=1, return_inverse=True)
    people = units.loc[seen, "person_key"].groupby(inverse.ravel()).agg(frozenset)
    small = people[people.map(len) < MIN_PEOPLE]
    *_, values, right = np.linalg.svd(alike, full_matrices=True)
    rank = int((values > 1e-8).sum())
    untold = right[rank:].T
    # What is told of any of the small ones, however many people: mostly nothing.
    *_, values, right = np.linalg.svd(untold[small.index].T, full_matrices=True)
    told_of_small = right[int((values > 1e-8).sum()) :]
    small = small[np.abs(told_of_small).max(axis=0, initial=0) > 1e-8]
    involved = sorted(frozenset().union(*small)) if len(small) else []
    found: set[frozenset[str]] = set()
    for few in map(frozenset, combinations(involved, min(MIN_PEOPLE - 1, len(involved)))):
        inside = small.index[small.map(few.issuperset)]
        told = len(inside) and np.linalg.matrix_rank(untold[inside], tol=1e-8) < len(inside)
        if told and (not totals_only or is_total(units, lines, few)):
            found.add(few)
    return found


def is_total(units: pd.DataFrame, lines: np.ndarray, few: frozenset[str]) -> bool:
    """Whether a combination of lines is a total of these people, no difference of two groups."""
    inside = units["person_key"].isin(few).to_numpy()
    # Free weights of lines whose sums are 0 for all others, 0 or more for these, 1 in all.
    result = linprog(
        np.zeros(len(lines)),
        A_eq=np.vstack([lines[:, ~inside].T, lines[:, inside].sum(axis=1)]),
        b_eq=np.append(np.zeros((~inside).sum()), 1),
        A_ub=-lines[:, inside].T,
        b_ub=np.zeros(inside.sum()),
        bounds=(None, None),
    )
    return result.status == 0


def exposed(world: World, withheld: pd.DataFrame, totals_only: bool = False) -> list[str]:
    """What is told of few people, each finding in words."""
    found = []
    decided = rows_of(world.decisions, withheld, OF_PEOPLE)
    for month in MONTHS:
        rows = of_month(decided, month)
        for few in told_of_few(world.decisions, matrix(rows[rows["is_shown"]]), totals_only):
            found.append(f"{month:%B}, the work of {sorted(few)}")
    audits = world.audits
    for dimensions in (OF_PEOPLE, ["queue"]):
        audited = rows_of(audits, withheld, dimensions)
        for (period_type, start), rows in audited.groupby(["period_type", "period_starts_on"]):
            shown = matrix(rows[rows["is_shown"]])
            everybody = audits.loc[shown[0] > 0, "person_key"].nunique()
            # In a period with few audited people nobody else is there to be hidden with.
            for few in told_of_few(audits, shown, totals_only) if everybody >= MIN_PEOPLE else ():
                found.append(f"{period_type} {start:%d %B}, audits of {sorted(few)}")
        for month in MONTHS:
            rows = of_month(audited, month)
            shown = matrix(rows[rows["is_shown"]])
            rank = np.linalg.matrix_rank(shown)
            n_people = rows["sums"].map(lambda sums: audits.loc[sums, "person_key"].nunique())
            few = (n_people < MIN_PEOPLE) & ~rows["is_shown"]
            alone = rows.loc[n_people.lt(MIN_PEOPLE) & rows["dimension_name"].eq("overall")]
            for row in rows[
                few & ~rows["period_starts_on"].isin(alone["period_starts_on"])
            ].itertuples():
                if np.linalg.matrix_rank(np.vstack([shown, row.sums])) == rank:
                    group = f"{row.dimension_name} {row.dimension_value}"
                    period = f"{row.period_type} {row.period_starts_on:%d %B}"
                    found.append(f"{period}, {group} by subtraction")
    return found


def shares(world: World) -> list[tuple[str, str, pd.DataFrame, list[list[str]]]]:
    """What marts of audits, golden items, ratings and appeals count.

    Returns:
        Basis, whose work it is, the events with person_key and day, and the dimensions that are
        attacked together.
    """
    audits, servings, ratings = world.audits, world.servings, world.ratings
    is_right = audits["benchmark_error_class"].eq("correct")
    is_benchmarked = audits["benchmark_error_class"].notna()
    of_audits = {
        "n_audits": audits,
        "n_audits_with_error": audits[audits["found_error_class"] != "correct"],
        "n_benchmarked": audits[is_benchmarked],
        "n_benchmark_correct": audits[is_right],
        "n_benchmark_wrong": audits[is_benchmarked & ~is_right],
        "n_disputes": audits[audits["is_disputed"]],
    }
    dimensions = [OF_PEOPLE, ["policy"]]
    found = []
    for basis, rows in of_audits.items():
        found.append((basis, "moderators", rows, dimensions))
        of_auditors = rows.assign(person_key=rows["auditor_key"])
        found.append((basis, "auditors", of_auditors, [*dimensions, OF_AUDITORS]))
    answered = servings[servings["is_answered"]]
    for basis, rows in {"n_served": servings, "n_answered": answered}.items():
        found.append((basis, "moderators", rows, [OF_PEOPLE, ["policy"]]))
    # Decisions complained of: as many as there are servings, of the same people.
    for basis, rows in {"filed_at": servings, "answered_at": answered}.items():
        found.append((f"affected by {basis}", "moderators", rows, [["policy"]]))
    for rows in (servings, answered):
        found.append(("calibration", "raters", rows, [OF_PEOPLE, ["policy"]]))
    for rows in (ratings, ratings[~ratings["is_left_out"]]):
        found.append(("agreement calibration", "raters", rows, [["site"], ["policy"], ["session"]]))
    return [(basis, who, rows.reset_index(drop=True), of) for basis, who, rows, of in found]


def exposed_by_shares(world: World, withheld: pd.DataFrame, totals_only: bool) -> Iterator[str]:
    """What is told of few people by quarters, months and weeks together, each in words."""
    for basis, who, rows, together in shares(world):
        of_basis = withheld[withheld["basis"] == basis]
        for dimensions in together:
            # Agreement has no quarters; if nothing is told with them, nothing is without them.
            open_rows = rows_of(rows, of_basis, dimensions, ("week", "month", "quarter"))
            open_rows = open_rows[open_rows["is_shown"]]
            # An auditor works for all sites: groups cross, as in CROSSED.
            crosses = totals_only or (who == "auditors" and len(dimensions) > 1)
            if len(open_rows):
                for few in told_of_few(rows, matrix(open_rows), crosses):
                    yield f"{basis} of {who} {sorted(few)} by {dimensions}"


def exposed_by_work(
    world: World, withheld: pd.DataFrame, totals_only: bool = False
) -> Iterator[str]:
    """What is told of few people by handling times and hours of a month, each in words."""
    decisions = world.decisions
    measured = decisions[decisions["is_measured"]]
    works = [
        ("workload", ["queue"], decisions),
        ("workload", ["language"], decisions),
        ("workload", ["language"], measured),
        ("accuracy", OF_PEOPLE, measured),
        ("accuracy", OF_PEOPLE, decisions[decisions["has_hours"]]),
    ]
    for basis, dimensions, rows in works:
        units = rows.reset_index(drop=True)
        listed = withheld[withheld["basis"] == basis]
        open_rows = rows_of(units, listed, dimensions)
        open_rows = open_rows[open_rows["is_shown"]]
        for month in MONTHS:
            lines = matrix(of_month(open_rows, month))
            for few in told_of_few(units, lines, totals_only) if len(lines) else ():
                yield f"{month:%B}, work of {sorted(few)} by {dimensions}"


@pytest.mark.parametrize("seed", WORLDS)
def test_no_workload_tells_of_few_people(withheld_in, seed):
    found = exposed_by_work(random_world(seed), withheld_in(seed), totals_only=seed in CROSSED)
    assert list(found) == []


def test_the_attack_finds_workloads_that_are_shown_without_the_list(withheld_in):
    """Nothing suppressed, and the small groups alone."""
    world, withheld = random_world(3), withheld_in(3)
    small = withheld[withheld["suppression_code"] == "suppressed_small_group"]
    for too_little in (withheld[:0], small):
        assert any(exposed_by_work(world, too_little))


@pytest.fixture(scope="module")
def withheld_in():
    """What is suppressed in the world of a seed, by basis."""
    models = compiled_models(MODELS)
    return cache(lambda seed: suppressed(random_world(seed), models))


@pytest.mark.parametrize("seed", WORLDS)
def test_nothing_open_tells_of_few_people(withheld_in, seed):
    withheld = withheld_in(seed)
    # Where teams cross sites and vendors, the difference of two people's counts may be told.
    found = exposed(
        random_world(seed), withheld[withheld["basis"] == "accuracy"], totals_only=seed in CROSSED
    )
    assert found == []


@pytest.mark.parametrize("seed", WORLDS)
def test_no_share_tells_of_few_people(withheld_in, seed):
    found = exposed_by_shares(random_world(seed), withheld_in(seed), totals_only=seed in CROSSED)
    assert list(found) == []


def test_the_attack_finds_shares_that_are_shown_without_the_list(withheld_in):
    """Nothing suppressed, the small groups alone, and all but everybody's weeks."""
    world, withheld = random_world(3), withheld_in(3)
    small = withheld[withheld["suppression_code"] == "suppressed_small_group"]
    by_period = withheld[withheld["dimension_name"] != "overall"]
    for too_little in (withheld[:0], small, by_period):
        assert any(exposed_by_shares(world, too_little, totals_only=False))


def small_groups(withheld: pd.DataFrame) -> pd.DataFrame:
    """What is listed of all decisions for its own people."""
    return withheld[
        (withheld["basis"] == "accuracy")
        & (withheld["suppression_code"] == "suppressed_small_group")
    ]


def test_the_attack_finds_what_is_shown_without_the_list(withheld_in):
    """Nothing suppressed, and nothing but the small groups themselves."""
    world = random_world(3)
    withheld = withheld_in(3)
    withheld = withheld[withheld["basis"] == "accuracy"]
    assert exposed(world, withheld[:0])
    assert any(exposed(random_world(seed), small_groups(withheld_in(seed))) for seed in SHORT)
    rows = rows_of(world.audits, withheld, OF_PEOPLE)
    assert rows.loc[rows["dimension_name"] != "overall", "is_shown"].any()


def audited_month(seed: int) -> pd.DataFrame:
    """The audits of a month: who decided, in which queue, by which policy.

    People work in one or two queues. Some policies are rare, and some queues know few of them.
    """
    rng = np.random.default_rng(seed)
    queues, policies = rng.integers(2, 6), rng.integers(2, 6)
    common = rng.dirichlet(np.full(policies, rng.choice([1.0, 3.0])), queues)
    rows = []
    for person in range(rng.integers(12, 23)):
        own = rng.choice(queues, rng.integers(1, queues), replace=False)
        for _ in range(rng.choice([4, 10, 20])):
            queue = rng.choice(own)
            policy = rng.choice(policies, p=common[queue])
            rows.append((f"p{person:02}", f"q{queue}", f"c{policy}"))
    return pd.DataFrame(rows, columns=["person_key", "queue", "policy"])


def listed(audits: pd.DataFrame, dimension: str) -> set[str]:
    """Groups of few people, and the smallest others until together they are of enough."""
    people = audits.groupby(dimension)["person_key"].agg(frozenset)
    people = people.loc[people.map(len).sort_values(kind="stable").index]
    few = int((people.map(len) < MIN_PEOPLE).sum())
    while few and few < len(people) and len(frozenset().union(*people[:few])) < MIN_PEOPLE:
        few += 1
    return set(people.index[:few])


def withheld_cells(audits: pd.DataFrame, sql: list[str]) -> pd.DataFrame:
    """The cells that the cube withholds, by the project's SQL."""
    groups = pd.DataFrame(
        [(name, value) for name, of in (("queue", "queue"), ("policy_parent", "policy"))
         for value in listed(audits, of)],
        columns=["dimension_name", "dimension_value"],
    ).astype(object)  # fmt: skip
    with duckdb.connect() as db:
        db.register("audits", audits)
        db.register("groups", groups)
        db.execute("""
            create table fct_audits as
            select person_key as moderator_key, queue as queue_id, policy as policy_id,
                policy as parent_policy_id, true as is_counted, 'human' as decided_by_type,
                date '2026-07-10' as decided_on
            from audits;
            create table int_people__suppressed_groups as
            select 'accuracy' as basis, 'month' as period_type,
                date '2026-07-01' as period_starts_on,
                cast(dimension_name as varchar) as dimension_name,
                cast(dimension_value as varchar) as dimension_value
            from groups
        """)
        merged, withheld = sql
        db.execute(f"create table int_report__cube_merged as {merged}")
        return db.sql(withheld).df()


def lines_of_cube(audits: pd.DataFrame, withheld: pd.DataFrame) -> np.ndarray:
    """What is open of the month: all, the totals of queues and policies, the rows of the cube."""
    lines = [np.ones(len(audits))]
    for name in ("queue", "policy"):
        hidden = listed(audits, name)
        lines += [(audits[name] == v) * 1.0 for v in audits[name].unique() if v not in hidden]
    names = {"queue_id": "queue", "policy_parent_id": "policy"}
    rows = audits.merge(withheld.rename(columns=names), on=["queue", "policy"], how="left")
    is_rest = rows["counted_in_queue_id"].notna()
    shown = rows["queue"].where(~is_rest, rows["counted_in_queue_id"]) + "|"
    shown += rows["policy"].where(~is_rest, "withheld")
    return np.array(lines + [(shown == row).to_numpy() * 1.0 for row in shown.unique()])


@pytest.fixture(scope="module")
def cube_sql():
    models = compiled_models(["int_report__cube_merged", "int_report__cube_withheld"])
    return [re.sub(r'"\w+"\."\w+"\."(\w+)"', r"\1", model.sql) for model in models.values()]


@pytest.mark.parametrize("seed", range(24))
def test_the_cube_tells_nothing_of_few_people(cube_sql, seed):
    audits = audited_month(seed)
    lines = lines_of_cube(audits, withheld_cells(audits, cube_sql))
    assert told_of_few(audits, lines) == set()


def test_the_cube_tells_something(cube_sql):
    """Most months show cells, and without the ties the attack finds people."""
    n_shown, n_found = 0, 0
    for seed in range(12):
        audits = audited_month(seed)
        withheld = withheld_cells(audits, cube_sql)
        n_people = audits.groupby(["queue", "policy"])["person_key"].nunique()
        n_shown += len(n_people) > len(withheld)
        few = n_people[n_people < MIN_PEOPLE].index.to_frame(index=False)
        few.columns = ["queue_id", "policy_parent_id"]
        own = few.assign(counted_in_queue_id=few["queue_id"])
        n_found += bool(told_of_few(audits, lines_of_cube(audits, own)))
    assert n_shown >= 6
    assert n_found >= 6


MARTS_OF_WORK = {
    "operations.workload": "coalesce(n_skips, n_measured, skip_rate, utilisation, n_person_days)",
    "operations.exposure": "coalesce(n_people, n_items, exposure_seconds, exposure_share)",
}


@pytest.mark.parametrize("mart", MARTS_OF_WORK)
def test_open_marts_of_work_show_nothing_of_suppressed_groups(platform, mart):
    """Of people by the list of all decisions, of queues and languages by that of work."""
    found = platform.query(f"""
        select count(*) as n, count({MARTS_OF_WORK[mart]}) as n_shown
        from {mart}
        inner join restricted.int_people__suppressed_groups as listed
            using (period_type, period_starts_on, dimension_name, dimension_value)
        where listed.basis = case
            when dimension_name in ('site', 'vendor', 'team') then 'accuracy' else 'workload'
        end
    """)
    assert found.n[0] > 0, "nothing is suppressed: nothing was tried"
    assert found.n_shown[0] == 0


MARTS = {
    "rates.accuracy_rates": ("accuracy", "coalesce(n, n_decisions)"),
    "explain.accuracy_compared": ("accuracy", "coalesce(n, raw_estimate)"),
    "rates.overturned_decisions": (
        "accuracy", "coalesce(n_eligible_decisions, n_overturned_decisions)",
    ),
    "explain.exclusions": ("accuracy", "n_excluded"),
    "rates.audit_operations": ("accuracy", "coalesce(n_audits, n_eligible_decisions)"),
    "rates.quality_scores": ("scores", "coalesce(n, estimate)"),
}  # fmt: skip


# The basis of each row, and a number that it may show.
MARTS_OF_SHARES = {
    "rates.quality_rates": ("denominator", "coalesce(n, n_successes)"),
    "rates.calibration_gap": ("'calibration'", "coalesce(n, n_items, n_not_rated)"),
    "rates.rater_agreement": ("concat('agreement ', rating_source)", "n_ratings"),
    "appeals.appeal_rates": (
        "concat(if(metric_id like 'notifier%', 'notifier', 'affected'), ' by ', anchor)",
        "coalesce(n, n_successes, n_appeals, n_pending)",
    ),
    "appeals.appeal_turnaround": (
        "concat(if(metric_id like 'notifier%', 'notifier', 'affected'), ' by ', anchor)",
        "coalesce(n, longest_wait_hours, decided_only_estimate)",
    ),
}


@pytest.mark.parametrize("mart", MARTS_OF_SHARES)
def test_open_marts_show_nothing_of_suppressed_shares(platform, mart):
    basis, number = MARTS_OF_SHARES[mart]
    metrics = "inner join reference.metrics using (metric_id, metric_version)"
    found = platform.query(f"""
        select count(*) as n, count({number}) as n_shown
        from {mart} {metrics if basis == "denominator" or "anchor" in basis else ""}
        inner join restricted.int_people__suppressed_groups as listed
            using (period_type, period_starts_on, dimension_name, dimension_value)
        where listed.basis = {basis}
    """)
    assert found.n[0] > 0, "nothing is suppressed: nothing was tried"
    assert found.n_shown[0] == 0


# What a withheld row may show: how it was made, how many people it is of, and counts of decisions,
# which are nobody's own (of teams, sites and vendors they are: MARTS).
OF_NOBODY = {
    "metric_version", "confidence_level", "n_people", "sort_order", "periods_ago", "n_decisions",
    "n_eligible_decisions", "n_eligible_enforced_decisions", "n_excluded_decisions",
    "n_covered_decisions", "n_pending_decisions", "coverage_rate", "misframed_rate",
    "unjudged_rate", "target", "target_at_decision",
}  # fmt: skip
MORE_OF_NOBODY = {
    # Of earlier periods, whose rows are published or not by themselves.
    "headline": {"previous_estimate", "n_periods_below_target", "n_periods_compared"},
    "accuracy_compared": {"overall_estimate"},
    # Why audits count in no rate: of queues and policies, not of people.
    "accuracy_rates": {"n_excluded_audits"},
    "quality_scores": {
        "n_excluded", "n_audit_excluded", "n_nothing_rated", "n_not_applicable", "n_not_rated",
    },
    # The benchmark of all audits, the same in every row of a period.
    "accuracy_if_audits_err": {
        "n_benchmarked", "n_benchmark_correct", "n_benchmark_wrong", "n_confirmed", "n_detected",
        "sensitivity", "sensitivity_ci_low", "sensitivity_ci_high", "specificity",
        "specificity_ci_low", "specificity_ci_high", "informativeness",
    },
    # How often a golden item's key was changed: nobody's answer.
    "golden_items": {"n_keys"},
    # Acts that hold the platform's work, not a person's.
    "enforcement_rates": {"n_acts", "n_without_item", "n_repeated", "n_items"},
    # Withheld is how fast people work; the work and its accuracy have rows of their own.
    "workload": {
        "n_closings", "n_auto_closed", "accuracy_n", "accuracy_estimate", "accuracy_ci_low",
        "accuracy_ci_high",
    },
}  # fmt: skip


def test_a_withheld_row_of_any_open_mart_shows_no_number(platform):
    """Read from the manifest, so that a new mart is looked at without being listed."""
    manifest = json.loads(platform.manifest_json.read_text())
    n_rows, shown = {}, {}
    for node in manifest["nodes"].values():
        is_open = node["config"].get("meta", {}).get("readers") == "everybody"
        if not is_open or "reason_code" not in node["columns"]:
            continue
        of_nobody = OF_NOBODY | MORE_OF_NOBODY.get(node["name"], set())
        numbers = [
            name
            for name, column in node["columns"].items()
            if column["data_type"] in ("bigint", "double", "int") and name not in of_nobody
        ]
        counts = ", ".join(f'count("{name}") as "{name}"' for name in numbers)
        found = platform.query(f"""
            select count(*) as "rows of it", {counts} from {node["schema"]}.{node["name"]}
            where reason_code in ('suppressed_small_group', 'suppressed_complementary')
        """).iloc[0]
        n_rows[node["name"]] = found.pop("rows of it")
        shown |= {f"{node['name']}.{name}": n for name, n in found.items() if n}
    assert shown == {}
    assert sum(n > 0 for n in n_rows.values()) >= 12, n_rows


@pytest.mark.parametrize("mart", MARTS)
def test_open_marts_show_nothing_of_suppressed_groups(platform, mart):
    basis, number = MARTS[mart]
    found = platform.query(f"""
        select count(*) as n, count({number}) as n_shown
        from {mart}
        inner join restricted.int_people__suppressed_groups
            using (period_type, period_starts_on, dimension_name, dimension_value)
        where basis = '{basis}' and dimension_name in ('site', 'vendor', 'team')
    """)
    assert found.n[0] > 0, "no group of people is suppressed: nothing was tried"
    assert found.n_shown[0] == 0
