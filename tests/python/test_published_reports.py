"""The sums inside real published reports come out with their real values, and a name."""

import pandas as pd
import pytest
from projects import ROOT
from reconciling import published
from sheets import sums, template

FOLDER = ROOT.parent / "shared" / "real" / "dsa_reports"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"they are not there: {FOLDER}")


@pytest.fixture(scope="module")
def found():
    return published.identities(FOLDER)


def of(found, identity, service, part="All"):
    (row,) = found.query("identity == @identity and service == @service and part == @part").index
    return found.loc[row]


def test_the_complaints_of_each_service_are_those_that_were_worked_out_before(found):
    identity = "complaints = upheld + partially reversed + reversed + omitted"
    expected = pd.read_csv(FOLDER / "published_identities.csv").query("identity == @identity")
    assert len(expected) == 13
    for row in expected.itertuples():
        ours = of(found, identity, row.service)
        assert (ours["left"], ours["right"]) == (row.left, row.right), row.service
        assert ours["name"] == ("" if row.holds else "pending")


def test_a_total_that_its_categories_do_not_give(found):
    row = of(found, "TOTAL = sum of categories", "TikTok", "All terms")
    assert (row["difference"], row["name"]) == (28_117_025, "restriction_not_categorised")


def test_a_total_that_leaves_restrictions_out(found):
    row = of(found, "measures = sum of restriction types", "TikTok", "All terms")
    assert (row["difference"], row["name"]) == (-3_086_572, "restriction_outside_total")


def test_parts_that_exceed_their_whole(found):
    rows = found[(found["name"] == "part_exceeds_whole") & (found["service"] == "TikTok")]
    assert sorted(rows["difference"]) == [16_015, 37_343, 134_324, 1_495_282]


def test_one_total_in_two_ways(found):
    measures = "measures (sheet 8, {}) = sheets 5 + 6"
    for scope in ("total number", "own initiative"):
        row = found[
            (found["identity"] == measures.format(scope)) & (found["service"] == "Facebook")
        ].iloc[0]
        assert row["left"] == row["right"] == 171_903_685
        assert row["name"] == ""
    automated = "automated measures (sheet 8, {}) = sheets 5 + 6"
    ours = found[found["service"] == "Facebook"].set_index("identity")
    assert ours.loc[automated.format("total number"), "difference"] == 0
    two_values = ours.loc[automated.format("own initiative")]
    assert (two_values["left"], two_values["right"]) == (159_087_385, 148_985_779)
    assert (two_values["difference"], two_values["name"]) == (10_101_606, "same_cell_two_values")
    instagram = found[found["service"] == "Instagram"].set_index("identity")
    assert instagram.loc[automated.format("own initiative"), "left"] == 45_002_810


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        published.identities(tmp_path)


# The same reports as cells of ours, under the nine sums that ours must pass (sheets/sums.py).


def cells_of(rows):
    """Rows in the form of dsa_cells: sheet, scope, category, keyword, indicator, unit, value."""
    columns = ["sheet", "scope", "category", "keyword", "indicator", "unit", "cell_value"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def complaints():
    """TikTok's sheet 7, read by the template's own names."""
    published_7 = pd.read_csv(FOLDER / "tiktok_2025h2_7_appeals_and_recidivism.csv")
    values = published_7.set_index(["Indicator", "Scope"])["Value"]
    values.index = pd.MultiIndex.from_tuples([(a.strip(), b.strip()) for a, b in values.index])
    rows = []
    for _, indicator, scope, asked in template.COMPLAINTS:
        for name, of_mart in asked.items():
            if scope and (value := values.get((indicator.strip(), name))) is not None:
                unit = "hours" if of_mart == "median_hours" else "count"
                unit = "share" if of_mart == "share_implemented" else unit
                rows.append((7, scope, "TOTAL", "", of_mart, unit, float(value)))
    return cells_of(rows)


def value_of(cells, scope, indicator):
    (value,) = cells.query("scope == @scope and indicator == @indicator")["cell_value"]
    return value


def test_published_complaints_pass_the_sums_of_ours(complaints):
    assert value_of(complaints, "internal", "n_complaints") == 15_411_338 == 8_296_750 + 7_114_588
    kinds = ["visibility", "service", "account"]
    for indicator, total in {"n_complaints": 15_411_338, "n_reversed": 7_114_588}.items():
        assert sum(value_of(complaints, kind, indicator) for kind in kinds) == total
    # Those who notified are outside the total; of disputes not all had ended.
    assert value_of(complaints, "no_action_on_notice", "n_complaints") == 12_450
    assert value_of(complaints, "no_action_on_trusted_notice", "n_complaints") == 11
    (pending,) = sums.broken(complaints)
    assert (pending.number, pending.row, pending.left, pending.right) == (
        1, "out_of_court", 4_501, 1_950,
    )  # fmt: skip


def test_published_measures_fail_the_sums_of_ours_by_their_real_differences():
    measures = pd.read_csv(FOLDER / "own_initiative_2025h2.csv")
    measures = measures.query("service == 'TikTok' and ground == 'terms'")
    is_word = measures["category"].str.startswith("KEYWORD")
    measures = measures.assign(
        # A sub-category stands below its category.
        row_category=measures["category"].mask(is_word).ffill(),
        keyword=measures["category"].where(is_word, ""),
    )
    names = {"measures": "n_measures", "measures_solely_automated": "n_automated"}
    names |= {
        name: f"n_{ours}"
        for name, ours in zip(
            published.RESTRICTIONS, [key[2:] for key in template.RESTRICTIONS.values()], strict=True
        )
    }
    rows = [
        (6, "total", row["row_category"], row["keyword"], ours, "count", float(row[name]))
        for _, row in measures.iterrows()
        for name, ours in names.items()
        if pd.notna(row[name])
    ]
    found = {}
    for one in sums.broken(cells_of(rows)):
        found.setdefault(one.number, []).append(one)
    of_measures = [one for one in found[3] if one.says.startswith("n_measures")]
    assert [(one.left, one.right) for one in of_measures] == [(258_691_522, 230_574_497)]
    of_categories = [one for one in found[5] if "KEYWORD" not in one.row]
    exceeding = sorted(one.left - one.right for one in of_categories)
    assert exceeding == [16_015, 37_343, 134_324, 1_495_282]


def test_an_appeal_proxy_is_no_precision():
    """1 less reversed over solely automated, of TikTok's own figures, is not its published cell."""
    automated = pd.read_csv(FOLDER / "automated_means_2025h2.csv")
    of_total = automated.query("service == 'TikTok' and scope.str.lower() == 'total'")
    values = of_total.set_index("indicator")["value"]
    implied = 1 - 7_114_588 / values["Number of measures solely taken by automated means"]
    assert round(implied, 3) == 0.968
    assert values["Accuracy of the automated means - Precision"] == 0.976
