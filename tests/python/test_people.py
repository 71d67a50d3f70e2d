"""How accurate people are: the macros against scipy, statsmodels and samplics; and against the
truth, which a simulation knows: scores drawn toward the peers are nearer to it than raw rates."""

import math
import warnings

import duckdb
import numpy as np
import pandas as pd
import pytest
import simulate as simulator
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import planning
from project_sql import render
from scipy import stats
from simulator.world import Settings
from statsmodels.stats.meta_analysis import combine_effects
from studies.estimator import SCORES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # samplics says that it is archived
    from samplics import PopParam, TaylorEstimator
    from samplics.utils.types import SinglePSUEst

EXACT = 1e-9
STANDARDISED = """
with design as (
    {{ sampling_design('strata') }}
),

mix as (
    select 1 as world, cell_key, share as mix_share from shares
)

select *
from ({{ standardised_rate('cells', 'design', 'mix', mix_by=['world'], group_by=['team']) }})
    as rates
order by team
"""
ONE_CELL = """
with design as (
    {{ sampling_design('strata') }}
)

select *
from ({{ stratified_rate('cells', 'design', by=['world', 'team']) }}) as rates
order by team
"""


def ask(sql: str, **tables: pd.DataFrame) -> pd.DataFrame:
    """Run a query of the project on some tables."""
    with duckdb.connect() as database:
        for name, table in tables.items():
            database.register(name, table)
        return database.execute(sql).df()


# The normal distribution.


def test_normal_cdf_equals_scipy():
    z = pd.DataFrame({"z": np.concatenate([np.linspace(-45, 45, 100_001), [0.0, 1e300, -1e300]])})
    sql = render("{{ normal_cdf('z') }}")
    found = ask(f"select {sql} as share from points", points=z)
    np.testing.assert_allclose(found.share, stats.norm.cdf(z.z), rtol=0, atol=1e-15)


def test_normal_cdf_of_nothing_is_nothing():
    sql = render("{{ normal_cdf('z') }}")
    assert ask(f"select {sql} as share from (select null::double as z)").share.isna().all()


# Empirical Bayes.


def by_statsmodels(rates: pd.DataFrame) -> pd.DataFrame | None:
    """The scores of one set of peers; None where there are none."""
    n, p = rates.n.to_numpy(float), rates.p.to_numpy(float)
    mean = (n * p).sum() / n.sum()
    if len(rates) < 5 or mean in (0, 1):
        return None
    v = mean * (1 - mean) / n
    # What it derives from a variance below 0 is not looked at.
    with np.errstate(invalid="ignore"):
        between = max(combine_effects(p, v, method_re="chi2").tau2, 0)
    own, k = between / (between + v), len(rates)
    drawn = (1 - own) * (k - 3) / (k - 1)
    error = (
        v * (1 - (k - 1) / k * drawn)
        + 2 / (k - 3) * (v.mean() + between) / (v + between) * (drawn * (p - mean)) ** 2
    )
    return pd.DataFrame(
        {
            "person": rates.person,
            "peer_mean": mean,
            "between_variance": between,
            "own_weight": own,
            "eb_estimate": mean + own * (p - mean),
            "eb_standard_error": np.sqrt(error),
        }
    )


def scores(rates: pd.DataFrame) -> pd.DataFrame:
    named = rates.rename(columns={"p": "estimate", "n": "effective_n"})
    return ask(render(SCORES), rates=named).sort_values(["world", "person"])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.floats(0.5, 500), st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 1.0])),
        min_size=1,
        max_size=12,
    )
)
def test_any_peers_agree_with_statsmodels(drawn):
    rates = pd.DataFrame(drawn, columns=["n", "p"]).assign(world=1, person=range(len(drawn)))
    found, expected = scores(rates), by_statsmodels(rates)
    if expected is None:
        assert found.empty
        return
    for column in expected.columns:
        np.testing.assert_allclose(
            found[column], expected[column], rtol=0, atol=EXACT, err_msg=column
        )
    assert (found.n_peers == len(rates)).all()


def test_peers_who_differ_by_chance_alone_get_the_mean():
    rates = pd.DataFrame({"world": 1, "person": range(6), "n": 50.0, "p": 0.9})
    found = scores(rates)
    assert (found.between_variance == 0).all()
    np.testing.assert_allclose(found.eb_estimate, 0.9, atol=1e-12)
    # Nobody is known perfectly for that.
    assert (found.eb_standard_error > 0.01).all()


def test_who_has_no_effective_n_has_no_score_and_moves_nobody():
    rates = pd.DataFrame({"world": 1, "person": range(6), "n": 50.0, "p": [0.8] * 3 + [0.95] * 3})
    more = pd.DataFrame({"world": [1], "person": [9], "n": [np.nan], "p": [0.1]})
    pd.testing.assert_frame_equal(scores(rates), scores(pd.concat([rates, more])))


# Standardised rates.


def by_hand(strata: pd.DataFrame, cells: pd.DataFrame, shares: pd.DataFrame, team: str) -> tuple:
    """Estimate and standard error of a team in the mix, audit by audit; the error by samplics."""
    weight = (strata.population_size / strata.n_audits).to_dict()
    rows = []
    for one in cells.itertuples():
        stratum = int(one.stratum_key[1:])
        for y in [1] * one.n_successes + [0] * (one.n_audits - one.n_successes):
            rows.append((stratum, one.cell_key, y, weight[stratum], one.team == team))
    audits = pd.DataFrame(rows, columns=["stratum", "cell", "y", "w", "own"])
    own = audits[audits.own]
    mix = shares.set_index("cell_key").share[sorted(own.cell.unique())]
    size = own.w.groupby(own.cell).sum()
    rate = (own.w * own.y).groupby(own.cell).sum() / size
    z = own.cell.map(mix) / mix.sum() * (own.y - own.cell.map(rate)) / own.cell.map(size)
    audits["z"] = z.reindex(audits.index).fillna(0)
    estimator = TaylorEstimator(PopParam.total)
    estimator.estimate(
        # samplics divides by the total: each audit gets the same on top.
        y=(audits.z + 1 / (len(audits) * audits.w)).to_numpy(),
        samp_weight=audits.w.to_numpy(),
        stratum=audits.stratum.to_numpy(),
        psu=np.arange(len(audits)),
        fpc=(1 - strata.n_audits / strata.population_size).to_dict(),
        single_psu=SinglePSUEst.skip,
    )
    return (
        float((mix / mix.sum() * rate).sum()),
        float(np.atleast_1d(estimator.stderror)[0]),
        float(mix.sum()),
    )


@st.composite
def designs(draw):
    """Up to five strata that cut across two cells and two teams; no stratum with one audit."""
    strata, cells = [], []
    for number in range(draw(st.integers(1, 5))):
        counts = {}
        for team in "xy":
            for cell in "cd":
                n = draw(st.integers(0, 4))
                if n:
                    counts[team, cell] = (n, draw(st.integers(0, n)))
        total = sum(n for n, _ in counts.values())
        if total < 2:
            counts = {("x", "c"): (2, 1)}
            total = 2
        strata.append(("p", "a", total + draw(st.integers(0, 30)), total, f"s{number}"))
        cells += [(1, team, cell, f"s{number}", n, k) for (team, cell), (n, k) in counts.items()]
    columns = ["design_key", "queue_key", "population_size", "n_audits", "stratum_key"]
    share = draw(st.floats(0.1, 0.9))
    return (
        pd.DataFrame(strata, columns=columns),
        pd.DataFrame(
            cells, columns=["world", "team", "cell_key", "stratum_key", "n_audits", "n_successes"]
        ),
        pd.DataFrame({"cell_key": ["c", "d"], "share": [share, 1 - share]}),
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(designs())
def test_any_standardised_rate_agrees_with_samplics(case):
    strata, cells, shares = case
    found = ask(render(STANDARDISED), strata=strata, cells=cells, shares=shares).set_index("team")
    assert set(found.index) == set(cells.team)
    for team, row in found.iterrows():
        estimate, error, comparable = by_hand(strata, cells, shares, team)
        assert row.estimate == pytest.approx(estimate, abs=EXACT)
        if math.isnan(row.standard_error):
            # No audit differs from another.
            assert error < EXACT
        else:
            assert row.standard_error == pytest.approx(error, abs=EXACT)
        assert row.comparable_share == pytest.approx(comparable, abs=EXACT)
        assert row.ci_low <= row.estimate + EXACT
        assert row.estimate <= row.ci_high + EXACT
        assert 0 <= row.ci_low <= row.ci_high <= 1


@settings(max_examples=25, deadline=None, derandomize=True)
@given(designs())
def test_a_rate_of_one_is_one_whatever_the_weights_round_to(case):
    """Else it would be a rate just below one, whose variance is known to be almost nothing."""
    strata, cells, shares = case
    cells = cells.assign(n_successes=cells.n_audits)
    found = ask(render(STANDARDISED), strata=strata, cells=cells, shares=shares)
    assert (found.estimate == 1).all()
    assert (found.ci_high == 1).all()
    open_ones = set(strata.stratum_key[strata.n_audits < strata.population_size])
    is_open = cells.stratum_key.isin(open_ones).groupby(cells.team).any()
    assert ((found.ci_low < 1) == found.team.map(is_open)).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(designs())
def test_in_a_mix_of_one_cell_it_is_the_plain_estimate(case):
    strata, cells, _ = case
    cells = cells.groupby(["world", "team", "stratum_key"], as_index=False).sum(numeric_only=True)
    one = pd.DataFrame({"cell_key": ["all"], "share": [1.0]})
    found = ask(render(STANDARDISED), strata=strata, cells=cells.assign(cell_key="all"), shares=one)
    plain = ask(render(ONE_CELL), strata=strata, cells=cells)
    for column in ("estimate", "standard_error", "effective_n", "ci_low", "ci_high"):
        np.testing.assert_allclose(found[column], plain[column], rtol=0, atol=EXACT)


# The next audit plan.

ALLOCATION = "select * from ({{ neyman_allocation('strata', 'budgets') }}) as n order by stratum_id"


@st.composite
def plans(draw):
    strata = draw(
        st.lists(
            st.tuples(st.integers(1, 400), st.floats(0.01, 0.99), st.integers(1, 6)),
            min_size=1,
            max_size=7,
        )
    )
    rows = [
        ("p", f"s{i}", size, math.sqrt(rate * (1 - rate)), min(least, size))
        for i, (size, rate, least) in enumerate(strata)
    ]
    columns = ["plan_id", "stratum_id", "population_size", "standard_deviation", "minimum_size"]
    return (
        pd.DataFrame(rows, columns=columns),
        draw(st.integers(0, 1500)),
    )


def variance(strata: pd.DataFrame, n: np.ndarray) -> float:
    size, spread = strata.population_size, strata.standard_deviation
    return (size * (size - n) * spread**2 / n).sum()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans())
def test_any_allocation_is_the_best_within_its_bounds(case):
    strata, budget = case
    size, least = strata.population_size.to_numpy(float), strata.minimum_size.to_numpy(float)
    budgets = pd.DataFrame({"plan_id": ["p"], "allocation_id": ["a"], "budget": [float(budget)]})
    n = ask(render(ALLOCATION), strata=strata, budgets=budgets).n_audits.to_numpy()
    assert ((n >= least) & (n <= size)).all()
    expected = planning.allocate(size, strata.standard_deviation.to_numpy(), least, float(budget))
    # A tie of fractions may go to another stratum: the number and the variance are the same.
    assert n.sum() == expected.sum()
    assert variance(strata, n) == pytest.approx(variance(strata, expected), rel=1e-6, abs=1e-6)
    if least.sum() <= budget <= size.sum():
        assert n.sum() == budget


def test_the_oracle_knows_new_strata_and_those_that_are_gone():
    """A stratum of the last of eight weeks has the size of that week, not an eighth of it."""
    starts = list(pd.date_range("2026-01-05", periods=8, freq="7D"))
    weeks = {"kept": starts, "new": starts[-1:], "gone": starts[:-1], "rare": starts[1::6]}
    rows = pd.DataFrame(
        [
            {"stratum_id": name, "queue_id": None, "period_start": start, "population_size": 538,
             "period_end": start + pd.Timedelta(days=7), "planned_sample_size": 9, "n_audits": 9,
             "n_correct": 8}
            for name, its_weeks in weeks.items()
            for start in its_weeks
        ]
    )  # fmt: skip
    found = planning.next_strata(rows, starts, starts[-1])
    # Rare: in the second and the last of seven weeks.
    assert dict(found["size"]) == {"kept": 538, "new": 538, "rare": round(2 * 538 / 7)}


# A simulated platform.


@pytest.fixture(scope="module")
def project(new_project):
    """Eight weeks with many audits and auditors that never err, so that scores can be judged."""
    project = new_project()
    simulator.simulate(
        Settings(
            days=56, decisions_per_day=500, moderators=24, queues=3, audit_rate=0.1,
            automation_share=0.2, auditor_error_rate=0.0,
        ),
        project.folder / "data",
        workers=1,
    )  # fmt: skip
    # A team and a site of one person each, and a vendor of two.
    file = project.raw / "roster.parquet"
    roster = pd.read_parquet(file)
    first, second, third, fourth = sorted(roster[roster["role"] == "moderator"]["person_id"])[:4]
    roster.loc[roster["person_id"] == first, "team_id"] = "team-of-one"
    roster.loc[roster["person_id"] == second, "site"] = "site-of-one"
    roster.loc[roster["person_id"].isin([third, fourth]), "vendor"] = "vendor-of-two"
    roster.to_parquet(file, index=False)
    run = project.build("--exclude", "path:models/reconciliation", data_tests=False)
    assert run.returncode == 0, run.stdout
    return project


NEXT_WEEKS = """
with design as (
    {{ sampling_design('strata') }}
)

select (ci_high - ci_low) / 2 as half_width
from ({{ stratified_rate('cells', 'design', by=['draw']) }}) as rates
"""


@pytest.mark.parametrize("world", ["project", "platform"])
@pytest.mark.parametrize(
    ("sizes", "told", "tolerance"),
    [
        ("proposed_sample_size", "plan_expected_half_width", 0.05),
        # Where a stratum has two audits, their variance is mostly chance.
        ("current_sample_size", "plan_current_half_width", 0.1),
    ],
)
def test_the_next_interval_is_as_wide_as_the_plan_says(request, world, sizes, told, tolerance):
    """Weeks with the rates that the plan expects are audited by it, and estimated as published."""
    plan = request.getfixturevalue(world).table("planning.audit_plan")
    n, n_draws = plan[sizes].to_numpy(), 1000
    right = np.round(plan.population_size * plan.smoothed_rate).astype(int)
    random = np.random.default_rng(20260629)
    found = random.hypergeometric(right, plan.population_size - right, n, (n_draws, len(plan)))
    keys = plan.stratum_id.to_numpy()
    strata = pd.DataFrame(
        {
            "stratum_key": keys,
            "design_key": "next",
            "queue_key": plan.queue_id,
            "population_size": plan.population_size,
            "n_audits": n,
        }
    )
    cells = pd.DataFrame(
        {
            "draw": np.repeat(np.arange(n_draws), len(plan)),
            "stratum_key": np.tile(keys, n_draws),
            "n_audits": np.tile(n, n_draws),
            "n_successes": found.ravel(),
        }
    )
    width = ask(render(NEXT_WEEKS), strata=strata, cells=cells).half_width.mean()
    (expected,) = set(plan[told])
    print(f"\n{world}, {n.sum()} audits: expected {expected:.4f}, on average {width:.4f}")
    assert width == pytest.approx(expected, rel=tolerance)
    if told == "plan_expected_half_width":
        assert width == pytest.approx(plan.target_half_width[0], rel=0.05)


def test_scores_of_simulated_people_are_nearer_to_the_truth(project):
    found = project.query(f"""
        with truth as (
            select
                decisions.moderator_key,
                decisions.decided_on,
                truth.is_correct
            from facts.fct_decisions as decisions
            inner join read_parquet('{project.folder}/data/truth/decisions/**/*.parquet') as truth
                on decisions.decision_id = truth.decision_id
            where
                decisions.is_eligible
                and decisions.decided_by_type = 'human'
                and truth.error_class <> 'technical'
        )

        select
            scores.period_type,
            scores.estimate,
            scores.eb_estimate,
            scores.eb_standardised_estimate + scores.mix_effect as eb_own_mix,
            scores.eb_ci_low,
            scores.eb_ci_high,
            avg(cast(truth.is_correct as int)) as accuracy
        from restricted.moderator_accuracy as scores
        inner join truth
            on
                scores.moderator_key = truth.moderator_key
                and truth.decided_on between scores.period_starts_on and scores.period_ends_on
        where scores.eb_estimate is not null
        group by all
    """)
    for period, here in found.groupby("period_type"):
        raw, drawn, own_mix = (
            ((here[name] - here.accuracy) ** 2).mean()
            for name in ("estimate", "eb_estimate", "eb_own_mix")
        )
        covered = here.accuracy.between(here.eb_ci_low, here.eb_ci_high).mean()
        print(
            f"\n{period}: {len(here)} scores; root mean squared error of raw rates "
            f"{math.sqrt(raw):.4f}, of scores {math.sqrt(drawn):.4f}, of standardised scores in "
            f"the own mix {math.sqrt(own_mix):.4f}; intervals cover {covered:.1%}"
        )
        assert drawn < raw
        assert covered > 0.85


# Few people: nothing of them is in an open schema, and nothing that is leads to it.

PERIOD = ("period_type", "period_starts_on")
GROUP = (*PERIOD, "dimension_name", "dimension_value")
# Marts whose groups sum to a total: what tells the sets apart, a number that is withheld, and how
# many people are behind it, where the mart says so.
SETS = {
    "explain.accuracy_compared": ((*PERIOD, "mix_name"), "raw_estimate", None),
    "rates.accuracy_rates": (("metric_id", *PERIOD), "weighted_numerator", None),
    "rates.overturned_decisions": (PERIOD, "n_overturned_decisions", None),
    "rates.calibration_gap": (("measure", *PERIOD), "estimate", "n_people"),
    "rates.quality_rates": (("metric_id", *PERIOD), "n", "coalesce(n_people, 9999)"),
    "appeals.appeal_rates": (("metric_id", *PERIOD), "n", None),
    "appeals.appeal_turnaround": (("metric_id", *PERIOD), "n", None),
    "rates.quality_scores": (("score_of", "category_id", *PERIOD), "estimate", None),
}  # fmt: skip
# Withheld, for either reason; a number may also be null as there is nothing to count.
OPEN_SCHEMAS = {"appeals", "explain", "operations", "planning", "rates", "reconciliation", "report"}
OPEN_SCHEMAS |= {"monitoring", "transparency"}
KEYS_OF_PEOPLE = {"moderator_key", "auditor_key", "rater_key", "person_key"}
WITHHELD = "coalesce(reason_code, '') in ('suppressed_small_group', 'suppressed_complementary')"


@pytest.mark.parametrize("mart", SETS)
def test_no_total_leaves_few_people_besides_what_is_shown(project, mart):
    of_set, number, n_people = SETS[mart]
    people = f"sum({n_people}) filter ({WITHHELD})" if n_people else "9999"
    sets = project.query(f"""
        select
            {", ".join(of_set)},
            dimension_name,
            count(*) filter ({WITHHELD}) as n_withheld,
            count(*) filter ({WITHHELD} and {number} is not null) as n_shown_all_the_same,
            {people} as people_withheld
        from {mart}
        where dimension_name <> 'overall'
        group by all
        having n_withheld > 0
    """)
    assert len(sets), "no group of few people: nothing was tried"
    assert (sets.n_shown_all_the_same == 0).all()
    # A set of which all is withheld has nothing to be taken from its total; nobody is no group.
    there = f"coalesce({n_people}, 0) > 0" if n_people else "true"
    whole = project.query(f"""
        select
            {", ".join(of_set)},
            dimension_name,
            count(*) filter (not {WITHHELD} and {there}) as n_shown
        from {mart}
        group by all
    """)
    sets = sets.merge(whole[whole.n_shown > 0], on=[*of_set, "dimension_name"])
    # Where people are counted, one group alone may be of enough: it is withheld for another period.
    alone = sets[(sets.n_withheld < 2) & (sets.people_withheld >= 9999)]
    assert alone.empty, alone.head()
    assert (sets.people_withheld >= 5).all(), sets[sets.people_withheld < 5].head()


def test_no_cell_of_the_mix_is_what_the_other_cells_leave(project):
    """Counts and rates of a group, less the cells that are shown, are of no single cell."""
    found = project.query("""
        select
            cells.*,
            groups.n as n_of_group,
            groups.raw_estimate,
            groups.estimate,
            groups.comparable_share
        from explain.standardisation_cells as cells
        inner join explain.accuracy_compared as groups
            using (period_type, period_starts_on, mix_name, dimension_name, dimension_value)
        where not is_empty
    """)
    key = ["period_type", "period_starts_on", "mix_name", "dimension_name"]
    assert found.own_rate.isna().any(), "no cell is withheld: nothing was tried"
    for name in ("own_rate", "own_share", "n_audits"):
        hidden = found[name].isna()
        for of_set in ([*key, "dimension_value"], [*key, "cell_key"]):
            left = hidden.groupby([found[column] for column in of_set]).agg(["sum", "size"])
            alone = left[(left["sum"] == 1) & (left["size"] > 1)]
            assert alone.empty, f"{len(alone)} values of {name} are a total minus what is shown"


def test_teams_of_few_people_have_no_rate(project):
    """Whoever may be in a team by the roster at any time of a period, counted with pandas."""
    roster = project.query("from restricted.stg_roster where role = 'moderator'")
    columns = {"team": "team_id", "site": "site", "vendor": "vendor"}
    tried = 0
    for mart, number in (
        ("rates.accuracy_rates", "coalesce(estimate, unweighted_rate, nullif(n, 0))"),
        ("rates.overturned_decisions", "overturned_rate"),
        ("rates.quality_scores", "estimate"),
        (
            "(from rates.quality_rates where metric_id not like 'golden%' and "
            "metric_id not like 'self_consistency%')",
            "nullif(n, 0)",
        ),
    ):
        shown = project.query(f"""
            select distinct period_starts_on, period_ends_on, dimension_name, dimension_value
            from {mart}
            where
                dimension_name in ('team', 'site', 'vendor')
                and dimension_value not in ('unknown', 'not_applicable')
                and {number} is not null
        """)
        for row in shown.itertuples():
            there = roster[
                (roster[columns[row.dimension_name]] == row.dimension_value)
                & (roster.valid_from < row.period_ends_on + pd.Timedelta(days=1))
                & (roster.valid_to.isna() | (roster.valid_to > row.period_starts_on))
            ]
            tried += 1
            assert there.person_key.nunique() >= 5, f"{mart}: {row}"
    assert tried > 100


@pytest.fixture(scope="module")
def models(parsed_project):
    return [node for node in parsed_project.nodes.values() if node["resource_type"] == "model"]


def test_every_model_says_who_may_read_it(models):
    """Open to everybody is what is of groups; rows of people's work are not."""
    readers = {model["name"]: model["config"]["meta"].get("readers") for model in models}
    assert set(readers.values()) == {"everybody", "restricted"}
    for model in models:
        if readers[model["name"]] == "everybody":
            assert not KEYS_OF_PEOPLE & set(model["columns"]), model["name"]
        # A schema is handed out whole, so all of it is open or none; a step is never open.
        if model["config"]["schema"] not in OPEN_SCHEMAS or model["name"].startswith("int_"):
            assert readers[model["name"]] == "restricted", model["name"]
        if model["config"]["schema"] in OPEN_SCHEMAS:
            assert readers[model["name"]] == "everybody", model["name"]


def test_no_key_of_a_person_has_another_name(models):
    """Columns that look like keys are known, so that the test above knows all of them."""
    keys = {name for model in models for name in model["columns"] if name.endswith("_key")}
    of_things = {
        "stratum_key", "design_key", "queue_key", "variance_stratum_key", "item_key", "cell_key",
        "group_key", "is_bad_key", "n_answered_with_bad_key", "check_key", "control_total_key",
    }  # fmt: skip
    assert keys >= KEYS_OF_PEOPLE
    assert keys <= KEYS_OF_PEOPLE | of_things, keys - KEYS_OF_PEOPLE - of_things


def test_nobody_is_named_in_marts_that_are_open_to_all(project):
    open_to_all = project.query("""
        select table_schema, table_name, column_name
        from information_schema.columns
        where table_schema in ('appeals', 'explain', 'monitoring', 'operations', 'planning',
            'rates', 'reconciliation', 'report', 'transparency')
    """)
    assert {"accuracy_compared", "audit_plan"} <= set(open_to_all.table_name)
    people_columns = open_to_all.column_name.isin(sorted(KEYS_OF_PEOPLE))
    assert open_to_all[people_columns].empty
    few = project.query(
        "from explain.accuracy_compared where n_people < 5 and coalesce(estimate, raw_estimate, "
        "ci_low, ci_high, n, effective_n, own_effect, mix_effect) is not null"
    )
    assert few.empty
