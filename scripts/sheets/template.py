"""The form of sheets 3 to 9 and 11: Annex I of Implementing Regulation (EU) 2024/2835, as CSV.

Every cell that the template has for a value is listed once, with the cell of the mart dsa_cells
that fills it. Names are the template's own, with its spaces at the end.
"""

from typing import NamedTuple

import pandas as pd

LANGUAGES = [
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv",
    "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
]  # fmt: skip
FILES = {
    3: "3_member_states_orders.csv",
    4: "4_notices.csv",
    5: "5_own_initiative_illegal.csv",
    6: "6_own_initiative_TC.csv",
    7: "7_appeals_and_recidivism.csv",
    8: "8_automated_means.csv",
    9: "9_human_resources.csv",
    11: "11_qualitative.csv",
}
ALL = "All"
HOSTING = "Only for providers of hosting services, including online platforms"
PLATFORMS = "Only for providers of online platforms"
LARGE = "Only for VLOPs"
OTHER = 'Description of the sub-category "Other"'

# Of sheets 3 to 6: the columns with a value, and the indicator that fills each (None: none does).
ORDERS = {
    "Number of orders to act against illegal content received": "n_requests",
    "Number of specific items of information included in the total number of orders to act "
    "against illegal content": "n_items",
    "Median time to inform the authority of the receipt of the order to act against illegal "
    "content": None,
    "Median time to give effect to the order to act against illegal content": "median_hours_to_act",
    "Number of orders to provide information": None,
    "Median time to inform the authority of the receipt of the order to provide information": None,
    "Median time to give effect to the order to provide information": None,
}
NOTICES = {
    "Number of notices received ": "n_requests",
    "Number of notices received from Trusted flaggers": "n_trusted_requests",
    "Number of specific items of information included in the total number of notices": "n_items",
    "Number of specific items of information included in the total number of notices by Trusted "
    "Flaggers (Trusted Flagger notices)": "n_trusted_items",
    "Median time to take action": "median_hours_to_act",
    "Median time to take action (Trusted Flagger notices)": "trusted_median_hours_to_act",
    "Number of actions taken on the basis of the law": "n_actions_by_law",
    "Number of actions taken on the basis of the law (Trusted Flagger notices)":
        "n_trusted_actions_by_law",
    "Number of actions taken on the basis of the terms and conditions of the service":
        "n_actions_by_terms",
    "Number of actions taken on the basis of the terms and conditions of the service (Trusted "
    "Flagger notices)": "n_trusted_actions_by_terms",
}  # fmt: skip
RESTRICTIONS = {
    "Visibility restriction Removal": "n_visibility_removal",
    "Visibility restriction Disable": "n_visibility_disable",
    "Visibility restriction Demoted": "n_visibility_demoted",
    "Visibility restriction Age restricted": "n_visibility_age_restricted",
    "Visibility restriction Interaction restricted": "n_visibility_interaction_restricted",
    "Visibility restriction Labelled ": "n_visibility_labelled",
    "Visibility restriction Other": "n_visibility_other",
    "Monetary restriction Suspension": "n_monetary_suspension",
    "Monetary restriction Termination": "n_monetary_termination",
    "Monetary restriction Other": "n_monetary_other",
    "Provision of the service Suspension": "n_service_suspension",
    "Provision of the service Termination": "n_service_termination",
    "Account restriction Suspension": "n_account_suspension",
    "Account restriction Termination": "n_account_termination",
}
MEASURES = {
    "Number of measures taken at the provider's own initiative ": "n_measures",
    "Number of measures taken after detection with solely automated means ": "n_automated",
    **RESTRICTIONS,
}
COLUMNS = {3: ORDERS, 4: NOTICES, 5: MEASURES, 6: MEASURES}
CATEGORY = {
    3: "Category of illegal content",
    4: "Category of illegal content",
    5: "Category of illegal content",
    6: "Category of incompatibility with the provider's terms and conditions",
}
# Categories that a sheet has no row for.
LEFT_OUT = {
    3: ["OTHER_VIOLATION_TC", "NOT_SPECIFIED_NOTICE"],
    4: ["OTHER_VIOLATION_TC", "NOT_SPECIFIED_ORDER"],
    5: ["OTHER_VIOLATION_TC", "NOT_SPECIFIED_ORDER", "NOT_SPECIFIED_NOTICE"],
    6: ["NOT_SPECIFIED_ORDER", "NOT_SPECIFIED_NOTICE"],
}

OUTCOMES = {
    "Total number": "n_complaints",
    "Decisions upheld": "n_upheld",
    "Decisions partially reversed": "n_partially_reversed",
    "Decisions reversed": "n_reversed",
    "Median time": "median_hours",
    "Decision omitted": "n_omitted",
}
OF_A_KIND = {name: OUTCOMES[name] for name in list(OUTCOMES)[:5]}
INTERNAL = "Internal complaints mechanism"
COURT = "Out-of-court dispute settlement bodies"
REPEATED = "Suspensions imposed on repeated offenders"
# Of sheet 7: section, indicator, scope of the mart, and what is asked.
COMPLAINTS: list[tuple[str, str, str | None, dict[str, str]]] = [
    (
        INTERNAL,
        "Number of complaints submitted to the internal-complaints mechanism",
        "internal",
        OUTCOMES,
    ),
    (
        INTERNAL,
        "Number of restrictions newly imposed as a result of an internal complaint",
        "newly_restricted",
        {"Total number": "n_complaints"},
    ),
    *(
        (INTERNAL, f"Complaint regarding a decision {what}", scope, OF_A_KIND)
        for what, scope in {
            "to remove or disable access to or restrict visibility of information": "visibility",
            "to suspend or terminate the provision of the service": "service",
            "to suspend or terminate an account ": "account",
            "to restrict the ability to monetise information": "monetary",
            "not to take action on a notice submitted in accordance with Article 16":
                "no_action_on_notice",
            "not to take action on a notice submitted by a Trusted Flagger in accordance with "
            "Article 16": "no_action_on_trusted_notice",
        }.items()
    ),
    (
        COURT,
        "Number of disputes submitted to out-of-court dispute settlement bodies",
        "out_of_court",
        {**OUTCOMES, "Percentage of outcomes implemented": "share_implemented"},
    ),
    *(
        (REPEATED, f"Number of suspensions enacted for the provision of manifestly {what}", None, {
            "Total number": ""
        })
        for what in ("illegal content ", "unfounded notices", "unfounded complaints")
    ),
]  # fmt: skip

AUTOMATED = "Use of automated means for content moderation"
SHARES = {
    f"Accuracy of the automated means - {name}": name.lower()
    for name in ("Accuracy", "Precision", "Recall")
}
OF_MEASURES = {
    "Number of measures solely taken by automated means ": "n_automated",
    "Number of measures not taken by automated means": "n_not_automated",
    **SHARES,
}
OF_NOTICES = {
    "Number of notices solely processed by automated means ": "n_automated",
    "Number of notices not processed by automated means": "n_not_automated",
    **SHARES,
}
# Of sheet 8: the template's scope, who has to fill it, the scope of the mart, and what is asked.
SCOPES = [
    ("Total number", ALL, "total", OF_MEASURES),
    ("Own-initiative ", ALL, "own_initiative", OF_MEASURES),
    ("NAM Total", HOSTING, "notices", OF_NOTICES),
    ("NAM Trusted Flagger", PLATFORMS, "trusted_notices", OF_NOTICES),
]
PEOPLE = "Human resources dedicated to content moderation "
LANGUAGE_SKILLS = "Number of total moderators with sufficient linguistic expertise "
STAFF = [
    ("Number of internal moderators employed by the provider", "Total number", "internal"),
    ("Number of external moderators contracted by the provider", "Total number", "external"),
    (LANGUAGE_SKILLS, "Total number", "languages"),
    *((LANGUAGE_SKILLS, code, code) for code in LANGUAGES),
]
ERROR_RATES = (
    "Qualitative description of indicators of accuracy and possible rate of error of automated "
    "means"
)
HEAD_COUNT = (
    "Methodology used to compute the number of human resources dedicated to content moderation\xa0"
    "\xa0"
)
TEXTS = {
    "Summary of the content moderation engaged in at the providers’ own initiative": ALL,
    "Meaningful and comprehensible information regarding content moderation engaged in at the "
    "providers' own initiative": ALL,
    "Qualitative description of the automated means": ALL,
    ERROR_RATES: ALL,
    "Specification of the precise purposes to apply automated means": ALL,
    "Safeguards applied to the use of automated means": ALL,
    "High-level description of the content moderation governance structure": LARGE,
    "Qualifications of the human resources dedicated to content moderation": LARGE,
    "Training given to human resources dedicated to content moderation": LARGE,
    "Support given to human resources dedicated to content moderation ": LARGE,
    HEAD_COUNT: LARGE,
}


class Cell(NamedTuple):
    """A cell of the template that takes a value, and the cell of dsa_cells that fills it.

    Attributes:
        sheet: its sheet.
        row: the number of its row below the header, from 0.
        column: the header of its column.
        row_label: what its row is about, for people.
        column_label: what is asked there, for people.
        key: scope, category, keyword and indicator in the mart; None where nothing fills it.
    """

    sheet: int
    row: int
    column: str
    row_label: str
    column_label: str
    key: tuple[str, str, str, str] | None


def about(sheet: int, column: str) -> str:
    """The header of the contextual information on a column."""
    if sheet != 3:
        return f"Contextual {'i' if sheet == 4 else 'I'}nformation on {column}"
    is_lower = column in list(ORDERS)[:2]
    return f"Contextual information on {column[0].lower() + column[1:] if is_lower else column}"


def header(sheet: int) -> list[str]:
    """The header of a sheet, in the official order."""
    first = ["Applicability", "Service", "Reporting period"]
    if sheet in COLUMNS:
        columns = list(COLUMNS[sheet])
        contexts = [about(sheet, column) for column in columns]
        scope = ["Scope"] if sheet == 3 else []
        return [*first, CATEGORY[sheet], OTHER, *scope, *columns, *contexts]
    if sheet == 11:
        return [*first, "Indicator", "Value"]
    context = "Contextual information" if sheet == 9 else "Contextual Information"
    return [*first, "Section", "Indicator", "Scope", "Value", context]


def layout(
    sheet: int, categories: pd.DataFrame, service: str, period: str
) -> tuple[list[dict[str, str]], list[Cell]]:
    """A sheet without its values.

    Args:
        sheet: 3 to 9, or 11.
        categories: the seed dsa_template, in its order.
        service: the name of the service.
        period: as the template writes it.

    Returns:
        The rows, and the cells of them that take a value.
    """
    known = {"Service": service, "Reporting period": period}
    if sheet in COLUMNS:
        return _by_category(sheet, categories, known)
    rows: list[dict[str, str]] = []
    cells: list[Cell] = []

    def add(applies: str, section: str, indicator: str, scope: str, key: tuple | None) -> None:
        cells.append(Cell(sheet, len(rows), "Value", f"{indicator.strip()}", scope.strip(), key))
        rows.append(known | {
            "Applicability": applies, "Section": section, "Indicator": indicator, "Scope": scope,
        })  # fmt: skip

    if sheet == 7:
        for section, indicator, scope, asked in COMPLAINTS:
            for name, of_mart in asked.items():
                is_first = not rows
                key = (scope, "TOTAL", "", of_mart) if scope else None
                add(ALL if is_first else PLATFORMS, section, indicator, name, key)
    elif sheet == 8:
        for name, applies, scope, asked in SCOPES:
            for indicator, of_mart in asked.items():
                add(applies, AUTOMATED, indicator, name, (scope, "TOTAL", "", of_mart))
        for indicator, of_mart in OF_MEASURES.items():
            for code in LANGUAGES:
                add(LARGE, AUTOMATED, indicator, code, (code, "TOTAL", "", of_mart))
    elif sheet == 9:
        for indicator, name, scope in STAFF:
            add(LARGE, PEOPLE, indicator, name, (scope, "TOTAL", "", "n_moderators"))
    else:
        rows = [known | {"Applicability": who, "Indicator": text} for text, who in TEXTS.items()]
        cells = [
            Cell(sheet, number, "Value", text.strip(), "text", None)
            for number, text in enumerate(TEXTS)
        ]
    return rows, cells


def _by_category(
    sheet: int, categories: pd.DataFrame, known: dict[str, str]
) -> tuple[list[dict[str, str]], list[Cell]]:
    """A sheet with a row a category."""
    rows, cells = [], []
    left_out = [f"STATEMENT_CATEGORY_{name}" for name in LEFT_OUT[sheet]]
    of_sheet = categories[~categories["category"].isin(left_out)]
    for number, row in enumerate(of_sheet.fillna({"keyword": ""}).itertuples()):
        rows.append(
            known
            | {
                "Applicability": HOSTING if sheet == 4 else ALL,
                CATEGORY[sheet]: row.keyword or row.category,
            }
            | ({"Scope": "TOTAL"} if sheet == 3 else {})
        )
        label = row.category.removeprefix("STATEMENT_CATEGORY_")
        label += f", {row.keyword.removeprefix('KEYWORD_')}" if row.keyword else ""
        for column, indicator in COLUMNS[sheet].items():
            key = ("total", row.category, row.keyword, indicator) if indicator else None
            cells.append(Cell(sheet, number, column, label, column.strip(), key))
    return rows, cells
