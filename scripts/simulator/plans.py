"""Plans of incidents that somebody writes: read from YAML, checked, and put into a world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from validate_yaml import did_you_mean, read

from .columns import DAY
from .world import Incident, World, epoch

if TYPE_CHECKING:
    from .incidents import Kind

REQUIRED = ("kind", "begin")
OPTIONAL = ("place", "size", "days", "ramp")
RAMPS = "accuracy_change"
WHOLE_WEEKS = "audit_plan_change"


class PlanError(Exception):
    """A plan that cannot be carried out; its text has a line for each thing to correct."""

    def __init__(self, problems: list[str]) -> None:
        """Say what is wrong, one thing a line."""
        super().__init__("\n".join(problems))


def read_plan(file: Path) -> list:
    """The entries of a plan; raises PlanError where the file is no list of `incidents`."""
    document, findings = read(file)
    if findings:
        raise PlanError([f"line {found.line}: {found.message}" for found in findings])
    data = document.data
    if not isinstance(data, dict) or list(data) != ["incidents"]:
        raise PlanError(["the file has one key, `incidents`: a list of entries"])
    if not isinstance(data["incidents"], list):
        raise PlanError(["incidents: a list of entries, `[]` where there are none"])
    return data["incidents"]


def planned(
    world: World,
    kinds: dict[str, Kind],
    lasting: tuple[str, ...],
    places: dict[str, dict[str, int]],
    entries: list,
) -> list[Incident]:
    """The incidents of a plan's entries; raises PlanError with all that is wrong with them."""
    found, problems = [], []
    for number, entry in enumerate(entries, 1):
        wrong = list(_shape(entry, kinds))
        if not wrong:
            kind = kinds[entry["kind"]]
            wrong = [
                *_place(entry.get("place", {}), kind, places),
                *_size(entry, kind),
                *_window(world, entry, entry["kind"] in lasting),
            ]
        named = f" ({entry['kind']})" if isinstance(entry, dict) and "kind" in entry else ""
        problems += [f"entry {number}{named}, {problem}" for problem in wrong]
        if not wrong:
            starts, ends = _days(world, entry)
            place = tuple((n, places[n][str(v)]) for n, v in entry.get("place", {}).items())
            size = float(entry.get("size", kind.sizes[0]))
            ramp = entry.get("ramp", False)
            found.append(Incident(entry["kind"], starts, ends, place, size, ramp))
    if problems:
        raise PlanError(problems)
    return found


def _allowed(words: list) -> str:
    return f"allowed: {', '.join(map(str, words))}" if words else "nothing is allowed"


def _shape(entry: object, kinds: dict[str, Kind]) -> Iterator[str]:
    fields = [*REQUIRED, *OPTIONAL]
    if not isinstance(entry, dict):
        yield f"the entry: `{entry}` is no mapping; {_allowed(fields)}"
        return
    for name in [name for name in entry if name not in fields]:
        yield f"{name}: unknown field{did_you_mean(name, fields)}; {_allowed(fields)}"
    for name in [name for name in REQUIRED if name not in entry]:
        yield f"{name}: missing"
    kind = entry.get("kind")
    if "kind" in entry and kind not in kinds:
        yield f"kind: unknown `{kind}`{did_you_mean(kind, kinds)}; {_allowed(list(kinds))}"
    if not isinstance(entry.get("place", {}), dict):
        yield f"place: `{entry['place']}` is no mapping of names to values"
    if not isinstance(entry.get("ramp", False), bool):
        yield f"ramp: `{entry['ramp']}`; {_allowed(['true', 'false'])}"
    if entry.get("ramp") is True and kind != RAMPS:
        yield f"ramp: only of {RAMPS}"


def _place(place: dict, kind: Kind, places: dict[str, dict[str, int]]) -> Iterator[str]:
    least, most = kind.pairs
    if not least <= len(place) <= most:
        pairs = f"{least} to {most} pairs" if least < most else f"{most or 'no'} pair"
        yield f"place: {len(place)} given, {pairs} wanted; {_allowed(list(kind.places))}"
        return
    for name, value in place.items():
        if name not in kind.places:
            hint = did_you_mean(name, kind.places)
            yield f"place: unknown `{name}`{hint}; {_allowed(list(kind.places))}"
        elif str(value) not in places[name]:
            hint = did_you_mean(value, places[name])
            yield f"place, {name}: unknown `{value}`{hint}; {_allowed(list(places[name]))}"


def _size(entry: dict, kind: Kind) -> Iterator[str]:
    size, (_, least, most) = entry.get("size", kind.sizes[0]), kind.sizes
    number = isinstance(size, int | float) and not isinstance(size, bool)
    if not number or not least <= size <= most:
        wanted = f"{least:g} to {most:g}" if least < most else f"{least:g}"
        yield f"size: `{size}`; allowed: {wanted} ({kind.meaning})"


def _window(world: World, entry: dict, lasts: bool) -> Iterator[str]:
    first, end = (np.datetime64(at, "s").astype("M8[D]") for at in (world.start, world.horizon))
    days = entry.get("days")
    begin = _begin(entry)
    if begin is None or not world.start <= begin < world.horizon:
        yield f"begin: `{entry['begin']}`; allowed: a date from {first} to {end - 1}"
        return
    if lasts and days is not None:
        yield "days: left out, for it lasts to the world's end"
        return
    room = (world.horizon - begin) // DAY
    whole = isinstance(days, int) and not isinstance(days, bool)
    if days is not None and (not whole or not 1 <= days <= room):
        yield f"days: `{days}`; allowed: 1 to {room}, or left out: to the world's end"
    elif entry["kind"] == WHOLE_WEEKS:
        if (begin - world.first_monday) % (7 * DAY):
            yield f"begin: `{entry['begin']}`; allowed: a Monday, for plans are made by the week"
        if days is not None and days % 7:
            yield f"days: `{days}`; allowed: whole weeks, for plans are made by the week"


def _begin(entry: dict) -> int | None:
    try:
        return epoch(date.fromisoformat(str(entry["begin"])))
    except ValueError:
        return None


def _days(world: World, entry: dict) -> tuple[int, int]:
    starts, days = _begin(entry), entry.get("days")
    return starts, world.horizon if days is None else starts + days * DAY
