"""The sums inside real published reports come out with their real values, and a name."""

import pandas as pd
import pytest
from projects import ROOT
from reconciling import published

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
