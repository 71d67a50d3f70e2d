"""What the page and the contextual information of the sheets say of a cell."""

import pandas as pd

# Where a cell comes from: of a sheet as a whole, and of an indicator in it.
OF_SHEET = {
    3: "review_jobs with enqueue_reason authority_order, of the TOTAL scope: no table says which "
    "Member State ordered",
    4: "reports that are legal notices, each one; what their policy is in dsa_categories",
    5: "decisions that restrict and rest on the law, with no notice or order on the item before",
    6: "decisions that restrict and rest on terms, with no notice or order on the item before",
    7: "appeals filed in the period, beside the decision complained of",
    8: "decisions, notices, and final audits of a probability sample of what machines decided",
    9: "the roster on the last day of the period",
    11: "the catalogue of metrics",
}
OF_INDICATOR = {
    "n_items": "items, each at its first order or notice of the period, of trusted flaggers first",
    "n_trusted_items": "those of n_items that a trusted flagger notified",
    "median_hours_to_act": "to the first restriction of the item, of those that got one: those "
    "without are not in it",
    "trusted_median_hours_to_act": "the same, of notices of trusted flaggers",
    "n_actions_by_law": "first restrictions after the notices, each once, that rest on the law",
    "n_actions_by_terms": "first restrictions after the notices, each once, that rest on terms",
    "n_automated": "no person took part: automation_level full, or a machine decided",
    "n_not_automated": "a person took part",
    "accuracy": "audited probability samples, weighted: right of all that machines decided",
    "precision": "the same: of what machines restricted, what violates",
    "recall": "the same: of what violates and a machine looked at, what it restricted",
    "median_hours": "from filing to when the user was told, or else to the answer",
    "n_upheld": "outcome denied",
    "n_partially_reversed": "outcome partial",
    "n_reversed": "outcome granted",
    "n_omitted": "outcome withdrawn",
    "share_implemented": "of the outcomes granted or partial, those whose decision was reversed",
    "n_moderators": "people in the role moderator; internal: variable in_house_vendors; languages: "
    "the one that a person is staffed for",
}
NOT_IN_CONTRACT = "No raw table has it: fill it in by hand."
DOES_NOT_APPLY = "Does not apply: no policy is in this category, or no action is this restriction."
BY_HAND = "A text that no data set has: write it."


def source_of(sheet: int, indicator: str | None) -> str:
    """Where the cells of a column come from, in a line."""
    if indicator is None:
        return NOT_IN_CONTRACT
    said = OF_INDICATOR.get(indicator)
    return f"{OF_SHEET[sheet]}: {said}" if said else OF_SHEET[sheet]


def as_text(value: float | None, unit: str) -> str:
    """A value as the sheets have it: whole counts, shares from 0 to 1, hours; blank for none."""
    if value is None or pd.isna(value):
        return ""
    if unit == "count":
        return f"{value:.0f}"
    return f"{value:.4f}" if unit == "share" else f"{value:.2f}"


def context_of(cell: pd.Series, pending: float | None) -> str:
    """What must be said beside a value."""
    if cell["indicator"] in ("accuracy", "precision", "recall") and pd.notna(cell["cell_value"]):
        return (
            f"Estimated from {cell['n']:,.0f} audits of a probability sample "
            f"(worth {cell['effective_n']:,.0f}); 95 % interval "
            f"{cell['ci_low']:.3f} to {cell['ci_high']:.3f}."
        )
    if "median" in cell["indicator"] and pd.notna(cell["n"]) and cell["n"] > 0:
        return f"Of {cell['n']:,.0f} that had an outcome."
    if cell["indicator"] == "n_complaints" and pd.notna(pending) and pending:
        return f"{pending:,.0f} of them were pending."
    return ""


def error_rates(metrics: pd.DataFrame, cells: pd.DataFrame) -> str:
    """The text on indicators of accuracy, from the catalogue and the period's numbers.

    Args:
        metrics: the seed metrics.
        cells: the rows of dsa_cells of the period.
    """
    catalogue = metrics[metrics["metric_version"] == 1].set_index("metric_id")
    shares = cells[(cells["sheet"] == 8) & (cells["scope"] == "total")].set_index("indicator")
    parts = [
        "Accuracy, precision and recall of what automated means decided are estimated from audits "
        "of a probability sample: people judge sampled decisions again, and each audit counts for "
        "the decisions that it stands for."
    ]
    for name, metric in {
        "accuracy": "accuracy",
        "precision": "false_discovery_rate",
        "recall": "false_negative_rate",
    }.items():
        meaning = catalogue.loc[metric, "meaning"]
        less = "" if name == "accuracy" else "1 less "
        said = f"{name.capitalize()}: {less}{meaning[0].lower()}{meaning[1:]}."
        if name in shares.index and pd.notna(value := shares.loc[name, "cell_value"]):
            low, high = shares.loc[name, ["ci_low", "ci_high"]]
            said += f" It is {value:.3f} (95 % interval {low:.3f} to {high:.3f})"
            said += f", so the rate of error is {1 - value:.3f}."
        parts.append(said)
    parts.append(f"Population: {catalogue.loc['accuracy', 'population']}.")
    parts.append(f"Left out: {catalogue.loc['accuracy', 'exclusions']}.")
    parts.append("Recall is of what automated means looked at: what they never saw is not in it.")
    return " ".join(parts)


def head_count(cells: pd.DataFrame) -> str:
    """The text on how people were counted."""
    staff = cells[(cells["sheet"] == 9) & (cells["indicator"] == "full_time_equivalents")]
    fte = ", ".join(f"{row.cell_value:,.1f} {row.scope}" for row in staff.itertuples())
    return (
        "People who are moderators on the roster on the last day of the period. A person counts in "
        "the one official language that they are staffed for."
        + (f" In full-time equivalents of paid hours: {fte}." if fte else "")
    )
