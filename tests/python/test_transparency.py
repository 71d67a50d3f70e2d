"""What is published: enforcement figures from rows that have their counts, and the DSA's sheets."""

import csv
import html
import shutil

import duckdb
import numpy as np
import pandas as pd
import pytest
import transparency
from click.testing import CliRunner
from projects import ROOT
from sheets import sums, template, words

CGER = ROOT.parent / "shared" / "real" / "tiktok_cger" / "published_2020h2.csv"
HOUR = pd.Timedelta(hours=1)
KNOWN = {"source_system": "test", "recorded_at": pd.Timestamp("2021-03-31")}


def published():
    """What was published of the second half of 2020: {metric: value}."""
    figures = pd.read_csv(CGER).query("market == 'global'")
    return figures.set_index("metric")["value"]


def removals_like(figures, n):
    """Raw tables of n removals in a quarter, of which as many are as was published.

    Each share is of another part of the items: the order is drawn for each.
    """
    rng = np.random.default_rng(1)

    def first(share):
        chosen = np.zeros(n, bool)
        chosen[rng.permutation(n)[: round(share * n)]] = True
        return chosen

    number = pd.Series(range(n))
    decided_at = pd.Timestamp("2020-10-02") + pd.to_timedelta(number * 80 * 24 / n, unit="h")
    is_proactive = first(figures["proactive_removal_rate"])
    is_quick = first(figures["removal_within_24_hours"])
    is_automated = first(figures["videos_removed_automatically"] / figures["videos_removed"])
    jobs = pd.DataFrame(
        {
            "job_id": "j" + number.astype(str),
            "item_id": "v" + number.astype(str),
            "queue_id": "hate",
            "item_created_at": decided_at - pd.to_timedelta(np.where(is_quick, 24, 25), unit="h"),
            "enqueued_at": decided_at - HOUR,
            # Jobs say otherwise than the reports, which go before.
            "enqueue_reason": "user_report",
        }
    )
    decisions = pd.DataFrame(
        {
            "decision_id": "d" + number.astype(str),
            "job_id": jobs["job_id"],
            "decided_by_type": np.where(is_automated, "automation", "human"),
            "moderator_id": ("m" + (number % 7).astype(str)).where(~is_automated),
            "decided_at": decided_at,
            "action_code": "remove",
            "primary_policy_id": "minors",
            "views_at_decision": np.where(first(figures["removal_before_any_views"]), 0, 12),
        }
    )
    reported = jobs["item_id"][~is_proactive]
    late = jobs["item_id"][is_proactive]
    reports = pd.DataFrame(
        {
            "item_id": pd.concat([reported, late, pd.Series(["never removed"])]),
            "reported_at": pd.concat(
                [
                    decided_at[~is_proactive],
                    decided_at[is_proactive] + pd.Timedelta(microseconds=1),
                    pd.Series([decided_at[0].normalize()]),
                ]
            ),
            "reporter_kind": "user",
        }
    )
    reports["report_id"] = [f"r{i}" for i in range(len(reports))]
    return {"review_jobs": jobs, "decisions": decisions, "reports": reports}


@pytest.fixture(scope="module")
def enforcement(new_project, make_world):
    """The rates of a thousand removals with the published shares, by metric."""
    tables = removals_like(published(), 1000)
    world = make_world() | {name: table.assign(**KNOWN) for name, table in tables.items()}
    for name in ("audits", "disputes"):
        world[name] = world[name].iloc[:0]
    project = new_project()
    project.deliver(world)
    run = project.build("--select", "+enforcement_rates", data_tests=False)
    assert run.returncode == 0, run.stdout
    rates = project.table("transparency.enforcement_rates")
    quarter = (rates["period_type"] == "quarter") & (rates["dimension_name"] == "overall")
    return rates[quarter].set_index("metric_id")


@pytest.mark.skipif(not CGER.exists(), reason=f"it is not there: {CGER}")
@pytest.mark.parametrize(
    ("metric_id", "name", "percent"),
    [
        ("proactive_removal_rate", "proactive_removal_rate", "92.4"),
        ("removal_before_views", "removal_before_any_views", "83.3"),
        ("removal_within_24h", "removal_within_24_hours", "93.5"),
        ("automated_removals", None, "9.3"),
    ],
)
def test_published_shares_come_out_of_rows_with_their_counts(enforcement, metric_id, name, percent):
    row = enforcement.loc[metric_id]
    assert (row["n_acts"], row["n_items"], row["n"]) == (1000, 1000, 1000)
    assert f"{100 * row['estimate']:.1f}" == percent
    if name:
        assert row["estimate"] == published()[name]


def test_what_the_rows_do_not_say_has_no_rate(enforcement):
    assert enforcement.loc["proactive_removal_rate", "basis"] == "reports"
    for metric_id in ("prevalence", "reinstated"):
        assert enforcement.loc[metric_id, "reason_code"] == "not_recorded"
        assert pd.isna(enforcement.loc[metric_id, "estimate"])


TEMPLATES = ROOT.parent / "shared" / "real" / "dsa_reports" / "templates"
PERIOD = "2026H2"


@pytest.fixture(scope="module")
def source(platform):
    """What the platform's warehouse has of its half year, which is not over."""
    return transparency.read(platform.warehouse, transparency.Period.parse(PERIOD))


def write(warehouse, output, *options, period=PERIOD):
    """Run the script as a user does."""
    return CliRunner().invoke(
        transparency.main,
        [period, "--database", str(warehouse), "--output", str(output), *options],
    )


def sheet(folder, number):
    """A sheet as it was written, in text."""
    name = folder / template.FILES[number]
    return pd.read_csv(name, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def written(platform, tmp_path_factory):
    """The sheets of the platform."""
    output = tmp_path_factory.mktemp("sheets")
    run = write(platform.warehouse, output, "--service", "Example")
    assert run.exit_code == 0, run.output
    return output / PERIOD / "version_1"


@pytest.mark.skipif(not TEMPLATES.exists(), reason=f"they are not there: {TEMPLATES}")
@pytest.mark.parametrize("number", template.FILES)
def test_the_files_have_the_official_columns_and_rows(written, number):
    """In the official order, but for rows by Member State and the languages the template skips."""
    ours = sheet(written, number)
    with (TEMPLATES / template.FILES[number]).open(encoding="utf-8", newline="") as file:
        official = pd.DataFrame(list(csv.reader(file))).pipe(
            lambda rows: rows.iloc[1:].set_axis(rows.iloc[0], axis=1)
        )
    assert list(ours.columns) == list(official.columns)
    if number == 3:
        official = official[official["Scope"] == "TOTAL"]
    named = [name for name in ours.columns if name in ("Applicability", "Indicator", "Scope")]
    named += [name for name in ours.columns if name.startswith("Category of")]
    if number in (8, 9):
        is_language = official["Scope"].isin(["bg", "[...]", "sv"])
        official = official[~is_language]
        ours = ours[~ours["Scope"].isin(template.LANGUAGES)]
    clean = [rows[named].apply(lambda column: column.str.strip()) for rows in (ours, official)]
    assert clean[0].to_numpy().tolist() == clean[1].to_numpy().tolist()


def test_the_files_are_in_the_form_that_is_asked_for(written):
    for number, name in template.FILES.items():
        text = (written / name).read_bytes()
        assert text.decode("utf-8").count("\r\n") == text.count(b"\n"), name
        rows = sheet(written, number)
        assert set(rows["Service"]) == {"Example"}
        assert set(rows["Reporting period"]) == {"2026-07-01/2026-12-31"}
    automated = sheet(written, 8)
    is_share = automated["Indicator"].str.startswith("Accuracy")
    shares = automated.loc[is_share & (automated["Value"] != ""), "Value"].astype(float)
    assert shares.between(0, 1).all()
    counts = automated.loc[~is_share & (automated["Value"] != ""), "Value"]
    assert len(counts) > 5
    assert counts.str.fullmatch(r"\d+").all()


def test_values_are_whole_counts_shares_and_hours():
    assert words.as_text(1_234_567.0, "count") == "1234567"
    assert words.as_text(0.93216, "share") == "0.9322"
    assert words.as_text(148.0314, "hours") == "148.03"
    assert words.as_text(float("nan"), "count") == ""


def test_blank_does_not_apply_and_zero_is_none(written):
    measures = sheet(written, 6)
    total = measures.iloc[0]
    # No policy on animals, no action that ends a service; a label that nobody was given today.
    animals = measures[measures.iloc[:, 3] == "KEYWORD_ANIMAL_HARM"].iloc[0]
    assert set(animals.iloc[5:]) == {""}
    assert total["Provision of the service Termination"] == ""
    assert total["Visibility restriction Disable"] == "0"
    assert int(total["Visibility restriction Removal"]) > 0


def test_every_value_of_the_mart_is_in_a_file(source, written):
    """Nothing that is counted is lost on the way: each value of the template is written once."""
    cells = pd.read_csv(written / transparency.CELLS, keep_default_na=False)
    in_template = source.cells[source.cells["is_in_template"]].dropna(subset="cell_value")
    assert (cells["value"] != "").sum() == len(in_template) + 2  # and two texts


def test_nothing_but_the_proxy_says_what_appeals_say(written):
    page = (written / transparency.PAGE).read_text(encoding="utf-8")
    assert "undone on appeal, which is 0.9" in page
    precision = sheet(written, 8).set_index(["Indicator", "Scope"])["Value"]
    value = precision["Accuracy of the automated means - Precision", "Total number"]
    assert value == "" or f"which is {value}" not in page


def test_the_page_names_every_cell_that_cannot_be_published(written, source):
    cells = pd.read_csv(written / transparency.CELLS, keep_default_na=False)
    assert ((cells["why"] != "") | cells["is_fit"]).all()
    page = (written / transparency.PAGE).read_text(encoding="utf-8")
    assert "The period is not over: not to be published." in page
    for why in cells.loc[~cells["is_fit"], "why"].unique():
        assert html.escape(why, quote=False) in page or why in html.unescape(page)


BREAKS = {
    1: ("7", "sheet == 7 and scope == 'visibility' and indicator == 'n_upheld'", 1),
    2: ("7", "sheet == 7 and scope == 'internal' and indicator in ('n_complaints', 'n_upheld')", 1),
    3: ("6", "sheet == 6 and category == 'TOTAL' and indicator == 'n_visibility_removal'", 1),
    4: ("6", "sheet == 6 and indicator.str.contains('visibility|account|monetary')", "none"),
    5: ("4", "sheet == 4 and indicator == 'n_trusted_requests'", 1_000_000),
    6: ("8", "sheet == 8 and scope == 'own_initiative' and indicator == 'n_automated'", 1),
    7: ("8", "sheet == 8 and scope == 'notices' and indicator == 'n_not_automated'", 1),
    8: ("8", "sheet == 8 and scope == 'total' and indicator == 'appeal_proxy_precision'", 1),
    9: ("9", "sheet == 9 and scope == 'languages'", 1_000),
}


@pytest.mark.parametrize("number", BREAKS)
def test_each_sum_is_checked(source, number):
    """A change that breaks one of the nine is found by it, with its sheet."""
    assert sums.broken(source.cells) == []
    _, which, change = BREAKS[number]
    cells = source.cells.copy()
    rows = cells.query(which, engine="python").index
    assert len(rows)
    if change == "none":
        cells.loc[rows, "cell_value"] = 0
    else:
        cells.loc[rows, "cell_value"] += change
    found = sums.broken(cells)
    (first, *_) = [one for one in found if one.number == number]
    assert first.sheet == BREAKS[number][0]
    assert f"Sum {number}, sheet {first.sheet}" in str(first)


def test_a_blank_beside_a_number_is_no_sum(source):
    cells = source.cells.copy()
    is_total = (cells["sheet"] == 5) & (cells["category"] == "TOTAL")
    cells.loc[is_total & (cells["indicator"] == "n_measures"), "cell_value"] = np.nan
    (first, *_) = sums.broken(cells)
    assert "blank" in str(first)


@pytest.fixture
def copied(platform, tmp_path):
    """A copy of the platform's warehouse, to be changed."""
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(platform.warehouse, copy)
    return copy


def change(warehouse, sql):
    with duckdb.connect(warehouse) as connection:
        ((n,),) = connection.execute(sql).fetchall()
    assert n > 0


def test_nothing_is_written_where_a_sum_does_not_hold(copied, tmp_path):
    change(
        copied,
        "update restricted.dsa_cells set cell_value = cell_value + 1 where sheet = 8 "
        "and scope = 'own_initiative' and indicator = 'n_automated'",
    )
    run = write(copied, tmp_path / "out")
    assert run.exit_code == 1
    with duckdb.connect(copied, read_only=True) as connection:
        ((ours,), (theirs,)) = connection.execute(
            "select sum(cell_value) from restricted.dsa_cells where period_type = 'half_year' and "
            "indicator = 'n_automated' and ((sheet in (5, 6) and category = 'TOTAL') "
            "or scope = 'own_initiative') group by sheet = 8 order by sheet = 8 desc"
        ).fetchall()
    assert "Sum 6, sheet 8, Own-initiative: solely automated, own initiative (sheet 8) = " in (
        run.output
    )
    assert f"{ours:,.0f} and {theirs:,.0f}" in run.output
    assert not (tmp_path / "out").exists()


def test_versions_are_kept_with_their_changes(copied, tmp_path):
    out = tmp_path / "out"
    assert write(copied, out).exit_code == 0
    first = {path.name: path.read_bytes() for path in (out / PERIOD / "version_1").iterdir()}
    again = write(copied, out)
    assert again.exit_code == 0
    assert "nothing was written" in again.output
    change(
        copied,
        "update restricted.dsa_cells set cell_value = cell_value + 2 where period_type = "
        "'half_year' and sheet = 9 and scope = 'external' and indicator = 'n_moderators'",
    )
    run = write(copied, out, "--because", "Two people were missing on the roster.")
    assert run.exit_code == 0, run.output
    assert "1 cells are others" in run.output
    versions = sorted(path.name for path in (out / PERIOD).iterdir())
    assert versions == ["version_1", "version_2"]
    kept = {path.name: path.read_bytes() for path in (out / PERIOD / "version_1").iterdir()}
    assert kept == first
    (changed,) = pd.read_csv(out / PERIOD / "version_2" / "changes.csv").itertuples()
    assert changed.value - changed.before == 2
    page = (out / PERIOD / "version_2" / transparency.PAGE).read_text(encoding="utf-8")
    assert "Two people were missing on the roster." in page


def test_a_write_that_fails_leaves_nothing_behind(copied, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(transparency, "write_page", fail)
    run = write(copied, tmp_path / "out")
    assert isinstance(run.exception, OSError)
    assert list((tmp_path / "out" / PERIOD).iterdir()) == []


@pytest.mark.parametrize(
    ("period", "code", "said"),
    [("2026Q1", 2, "no half year or year"), ("2019H1", 1, "Nothing is known of 2019-01-01")],
)
def test_a_period_that_is_none_is_said(platform, tmp_path, period, code, said):
    run = write(platform.warehouse, tmp_path, period=period)
    assert run.exit_code == code
    assert said in run.output
