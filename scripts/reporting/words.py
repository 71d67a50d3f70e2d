"""Numbers and codes of the marts in words."""

import pandas as pd

STATUS = {
    "below": "Below target",
    "above": "On target",
    "undecided": "Too close to call",
}
STATUS_MARK = {"below": "▼", "above": "▲", "undecided": "◆"}
CHANGE = {
    "better": "Real, better",
    "worse": "Real, worse",
    "changed": "Real",
    "unclear": "Could be chance",
}
NOT_SHOWN = "Not shown"
RESTS_ON = "Rests on a break"


def is_missing(value: object) -> bool:
    """Whether a value of a mart is null."""
    return bool(pd.isna(value))


def percent(share: float) -> str:
    """A share as a percentage. Null: a dash, never 0 %."""
    return "–" if is_missing(share) else f"{100 * share:.1f} %"


def percent_interval(low: float, high: float) -> str:
    """An interval of shares as percentages."""
    return "–" if is_missing(low) else f"{100 * low:.1f} to {100 * high:.1f} %"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return "–" if is_missing(difference) else f"{signed(difference)} points"


def points_interval(low: float, high: float) -> str:
    """An interval of differences in percentage points."""
    return "–" if is_missing(low) else f"{signed(low)} to {signed(high)} points"


def signed(difference: float) -> str:
    """A difference of shares times 100, with a true minus.

    What is near 0 has a second digit, so that it is on the side of 0 where it was measured.
    """
    if is_missing(difference):
        return "–"
    text = f"{100 * difference:+.1f}"
    if float(text) == 0:
        text = f"{100 * difference:+.2f}" if difference else "0.0"
    return text.replace("-", "−")


def count(number: float) -> str:
    """A count with thousands. Null: a dash."""
    return "–" if is_missing(number) else f"{int(number):,}"


def so_many_of(part: float, whole: float) -> str:
    """A count of another: 3 of 14. Null, or of none: a dash."""
    is_known = not is_missing(part) and not is_missing(whole) and whole > 0
    return f"{count(part)} of {count(whole)}" if is_known else "–"


def hours(number: float) -> str:
    """A time in hours; under an hour, in minutes; from two days, in days. Null: a dash."""
    if is_missing(number):
        return "–"
    if number < 1:
        minutes = 60 * number
        return f"{minutes:.1f} min" if minutes < 10 else f"{minutes:.0f} min"
    return f"{number:.1f} h" if number < 48 else f"{number / 24:.1f} days"


def whole_hours(number: float) -> str:
    """A total of hours. Null: a dash."""
    return "–" if is_missing(number) else f"{number:,.0f}"


def hours_interval(low: float, high: float) -> str:
    """An interval of times; without an upper end where the curve has not come down so far."""
    if is_missing(low):
        return "–"
    return f"{hours(low)} or more" if is_missing(high) else f"{hours(low)} to {hours(high)}"


def hours_difference(number: float) -> str:
    """A difference of times, with its sign."""
    if is_missing(number):
        return "–"
    return f"{'−' if number < 0 else '+'}{hours(abs(number))}"


def status(code: object) -> str:
    """A target_status with its mark."""
    return NOT_SHOWN if is_missing(code) else f"{STATUS_MARK[str(code)]} {STATUS[str(code)]}"


def change(code: object) -> str:
    """A change_status. Null: there is nothing to compare."""
    return "–" if is_missing(code) else CHANGE[str(code)]


def rests_on(row: object) -> str:
    """The check whose break a row's number rests on, in words; empty where there is none."""
    check = getattr(row, "rests_on", None)
    return "" if check is None or is_missing(check) else str(check).replace("_", " ")


def plain(code: str) -> str:
    """A code as words: automatic_close is Automatic close."""
    words = str(code).replace("_", " ")
    return words[:1].upper() + words[1:]


def listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
