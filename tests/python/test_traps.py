"""The traps of real systems: the number that a naive query gives, and what the layer says instead.

One world has all of them, as such systems deliver them, and is built once.
"""

import duckdb
import pandas as pd
import pytest

MONDAY = pd.Timestamp("2026-03-02")
RECORDED = pd.Timestamp("2026-03-16")
KNOWN = {"source_system": "test", "recorded_at": RECORDED}
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)


def spring(world):
    """Put every trap into the small world: 160 decisions, one an hour, d000 to d159."""
    decisions, jobs = world["decisions"], world["review_jobs"]

    def of(*numbers):
        return decisions["decision_id"].isin([f"d{number:03}" for number in numbers])

    # 1. Two policies on a decision, and none on most.
    applied = decisions.loc[decisions["primary_policy_id"].notna(), ["decision_id"]].assign(
        policy_id=decisions["primary_policy_id"], is_primary=True, **KNOWN
    )
    second = applied.head(1).assign(policy_id="abuse", is_primary=False)
    world["decision_policies"] = pd.concat([applied, second], ignore_index=True)
    # 2. The empty id is how the tool says that it decided itself.
    decisions.loc[of(1), "moderator_id"] = ""
    # 5. Jobs that nobody has decided yet, of the first day.
    waiting = jobs.head(5).assign(job_id=[f"open{i}" for i in range(5)])
    world["review_jobs"] = jobs = pd.concat([jobs, waiting], ignore_index=True)
    # 7. A code that is in no list. 8. A second spelling of a policy, after a migration.
    decisions.loc[of(2), "action_code"] = "shadowban"
    spelt = of(4, 8, 16) & decisions["primary_policy_id"].notna()
    decisions.loc[spelt, "primary_policy_id"] = decisions["primary_policy_id"].str.title()
    # 9. The tool writes over its row when it reopens one; its history has both.
    reopened = decisions[of(5)].assign(action_code="remove", primary_policy_id="hate", **KNOWN)
    # 10. The last day was closed in bulk.
    bulk = of(*range(144, 160))
    decisions.loc[bulk, ["action_code", "decided_by_type"]] = ["auto_close", "system"]
    decisions.loc[bulk, ["primary_policy_id", "moderator_id"]] = None
    world["decisions"] = pd.concat([decisions, reopened], ignore_index=True)
    # 11. Audits without a truth: blank is not "no violation".
    audits = world["audits"]
    blank = audits["decision_id"].isin(["d009", "d015", "d021"])
    audits.loc[blank, ["truth_action_code", "truth_policy_id"]] = None
    # 12. The platform reports the world, and the ledger one region of it.
    enforced = decisions[decisions["action_code"] == "remove"]
    in_region = enforced["decision_id"].iloc[::11]
    in_jobs = jobs["job_id"].isin(enforced.loc[in_region.index, "job_id"])
    jobs["region"] = in_jobs.map({True: "eu", False: "na"})
    world["statements_of_reasons"] = pd.DataFrame(
        {
            "statement_id": "s" + in_region,
            "decision_id": in_region,
            "submitted_at": enforced.loc[in_region.index, "decided_at"] + HOUR,
            **KNOWN,
        }
    )
    # 6. Appeals at noon, and more each day in the last hour of it.
    filed = [
        MONDAY + DAY * day + moment
        for day in range(7)
        for moment in [12 * HOUR] * 5 + [23.5 * HOUR] * (2 * day + 1)
    ]
    world["appeals"] = pd.DataFrame(
        {
            "appeal_id": [f"p{i}" for i in range(len(filed))],
            "decision_id": "d000",
            "filed_at": filed,
            "outcome": "denied",
            **KNOWN,
        }
    )
    world["control_totals"] = totals(world)


def totals(world):
    """What the sources say of themselves, each in its own way."""
    rows = []

    def say(table, day, measure, value, *, reported, name=None, part=None):
        rows.append(
            {
                "table_name": table,
                "business_date": day,
                "measure": measure,
                "value": value,
                "dimension_name": name,
                "dimension_value": part,
                "reported_at": reported,
                "source_system": "test",
                "recorded_at": reported,
            }
        )

    decided = world["decisions"].drop_duplicates("decision_id")
    for day, part in decided.groupby(decided["decided_at"].dt.normalize()):
        evening = day + 30 * HOUR
        say("decisions", day.date(), "row_count", len(part), reported=evening)
        # 3. Closed on the day, of those that were created on it.
        say("decisions", day.date(), "closed_same_day", len(part) - 3, reported=evening)
        # 7. The parts leave out what is in no group.
        for action, own in part.groupby("action_code"):
            if action != "shadowban":
                say(
                    "decisions",
                    day.date(),
                    "row_count",
                    len(own),
                    reported=evening,
                    name="action_code",
                    part=action,
                )
    # 4. A day that is computed again says what is true today.
    say("decisions", MONDAY.date(), "row_count", 5, reported=RECORDED)
    # 6. Counted by the day of a place an hour to the east.
    local = (world["appeals"]["filed_at"] + HOUR).dt.normalize()
    for day, n in local.value_counts().sort_index().items():
        say("appeals", day.date(), "row_count", n, reported=RECORDED)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def trapped(new_project, make_world):
    world = make_world()
    spring(world)
    project = new_project()
    project.deliver(world)
    run = project.build(
        "--select", "+reconciliation_checks", "+reconciliation_rows",
        "--vars", "{ledger_regions: [eu]}", data_tests=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    return project


def naive(project, sql):
    """What somebody gets who asks the raw files."""
    with duckdb.connect() as connection:
        for file in project.raw.glob("*.parquet"):
            connection.execute(f"create view {file.stem} as from '{file}'")
        ((value,),) = connection.sql(sql).fetchall()
    return value


def layer(project, sql):
    return project.query(sql).iloc[0, 0]


def found(project, check, status="break", **of):
    """{day: reason} of a check's comparisons with a status."""
    rows = project.query(
        f"from reconciliation.reconciliation_checks where check_name = '{check}' "
        f"and status = '{status}'"
    )
    for name, value in of.items():
        rows = rows[rows[name] == value]
    days = rows["period_starts_on"].astype(str).str[:10]
    return dict(zip(days, rows["reason_code"], strict=True))


DECISIONS = "select count(*) from facts.fct_decisions"


def test_1_decisions_times_policies(trapped):
    assert naive(trapped, "select count(*) from decisions join decision_policies using "
                          "(decision_id)") != 160  # fmt: skip
    assert layer(trapped, DECISIONS) == 160


def test_2_an_empty_id_is_the_system(trapped):
    wrong = naive(trapped, "select count(distinct moderator_id) from decisions")
    right = layer(trapped, "select count(distinct moderator_key) from facts.fct_decisions")
    assert wrong == right + 1
    row = trapped.query("from facts.fct_decisions where decision_id = 'd001'").iloc[0]
    assert (row["decided_by_type"], row["exclusion_reason"]) == ("system", "decided_by_system")


def test_3_a_daily_count_of_the_day_s_own_never_adds_up(trapped):
    assert naive(trapped, "select sum(value) from control_totals where measure = "
                          "'closed_same_day'") == 160 - 3 * 7  # fmt: skip
    said = found(trapped, "control_totals", "not_evaluated", measure="closed_same_day")
    assert set(said.values()) == {"measure_not_counted"}
    assert len(said) == 7


def test_4_a_day_computed_again_is_a_break_and_the_first_count_stays(trapped):
    assert naive(trapped, "select arg_max(value, recorded_at) from control_totals where "
                          "business_date = date '2026-03-02' and measure = 'row_count' and "
                          "table_name = 'decisions' and dimension_name is null") == 5  # fmt: skip
    said = found(trapped, "control_totals", right_source="decisions", dimension_value="all",
                 measure="row_count")  # fmt: skip
    assert said == {"2026-03-02": "rows_not_reported"}
    kept = naive(trapped, "select count(*) from control_totals where measure = 'row_count' and "
                          "business_date = date '2026-03-02' and table_name = 'decisions' and "
                          "dimension_name is null")  # fmt: skip
    assert kept == 2


def test_5_open_jobs_are_in_no_inner_join(trapped):
    jobs = naive(trapped, "select count(*) from review_jobs")
    assert naive(trapped, "select count(distinct job_id) from review_jobs join decisions using "
                          "(job_id)") == jobs - 5  # fmt: skip
    assert set(found(trapped, "jobs_to_decisions", "explained").values()) == {"open_job"}
    assert layer(trapped, "select count(*) from restricted.reconciliation_rows "
                          "where reason_code = 'open_job'") == 5  # fmt: skip


def test_6_days_that_begin_at_another_hour(trapped):
    assert naive(trapped, "select count(*) from control_totals as c join (select "
                          "filed_at::date as day, count(*) as n from appeals group by 1) as a on "
                          "c.business_date = a.day and c.table_name = 'appeals' "
                          "where c.value <> a.n") == 7  # fmt: skip
    said = found(trapped, "control_totals", right_source="appeals")
    assert len(said) >= 7
    assert set(said.values()) == {"day_edge"}


def test_7_a_code_that_is_in_no_group(trapped):
    whole = naive(trapped, "select count(distinct decision_id) from decisions")
    parts = naive(trapped, "select sum(value) from control_totals where dimension_name = "
                           "'action_code'")  # fmt: skip
    assert parts == whole - 1
    assert found(trapped, "codes_to_lists", dimension_value="action_code") == {
        "2026-03-02": "unmapped_code"
    }
    assert found(trapped, "control_parts_to_total") == {"2026-03-02": "in_no_part"}
    assert layer(trapped, f"{DECISIONS} where exclusion_reason = 'unknown_action_code'") == 1


def test_8_two_spellings_of_a_policy(trapped):
    spam = "select count(*) from decisions where primary_policy_id {}"
    assert naive(trapped, spam.format("in ('spam', 'hate')")) + 3 == naive(
        trapped, spam.format("is not null")
    )
    assert found(trapped, "codes_to_lists", dimension_value="policy_id") == {
        "2026-03-02": "unmapped_code"
    }


def test_9_a_row_that_is_written_over(trapped):
    assert naive(trapped, "select count(*) from decisions") == 161
    assert layer(trapped, DECISIONS) == 160
    assert layer(trapped, "select count(*) from staging.base_decisions "
                          "where decision_id = 'd005'") == 2  # fmt: skip
    assert found(trapped, "staging_to_facts", "explained") == {"2026-03-02": "superseded"}


def test_10_bulk_closes_are_no_decisions(trapped):
    day = "decided_at >= timestamp '2026-03-08'"
    assert naive(trapped, f"select count(*) from decisions where {day}") == 16
    assert layer(trapped, f"{DECISIONS} where {day} and is_eligible") == 0
    assert found(trapped, "closes_to_usual") == {"2026-03-08": "bulk_close"}


def test_11_blanks_are_no_verdict(trapped):
    violating = "select avg((truth_action_code {})::int) from audits"
    wrong = naive(trapped, violating.format("is not distinct from 'remove'"))
    right = naive(trapped, violating.format("= 'remove'"))
    assert wrong < right
    assert layer(trapped, "select count(*) from facts.fct_audits "
                          "where exclusion_reason = 'truth_missing'") == 3  # fmt: skip


def test_12_a_ledger_of_one_region_beside_a_report_of_the_world(trapped):
    ours = naive(trapped, "select count(distinct decision_id) from decisions "
                          "where action_code = 'remove'")  # fmt: skip
    theirs = naive(trapped, "select count(*) from statements_of_reasons")
    assert ours / theirs > 8
    assert found(trapped, "decisions_to_statements") == {}
    why = found(trapped, "decisions_to_statements", "explained", dimension_name="overall")
    assert set(why.values()) == {"outside_territory"}
    outside = layer(
        trapped,
        "select count(*) from restricted.reconciliation_rows "
        "where reason_code = 'outside_territory'",
    )
    assert outside == ours - theirs
