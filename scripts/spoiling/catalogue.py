"""All faults: those of rows are the SQL files in faults/, those of files are functions."""

import re
from dataclasses import replace
from pathlib import Path

from .files import FILE_FAULTS
from .trial import Fault

HEAD = re.compile(r"^-- (?P<id>\w+): (?P<story>.+)$")


def read(file: Path) -> list[Fault]:
    """Read the faults of one family.

    Each begins with `-- id: what went wrong.`, and may go on with `-- undetectable: why` or, for
    pairs, `-- both: id, id`; then come the statements that spoil the raw tables.
    """
    faults = []
    for part in re.split(r"\n(?=-- \w+: [A-Z])", file.read_text().strip()):
        first, *rest = part.splitlines()
        head = HEAD.match(first)
        notes = dict(line[3:].split(": ", 1) for line in rest if line.startswith("-- "))
        faults.append(
            Fault(
                id=head["id"],
                family=file.stem.replace("_", " "),
                story=head["story"],
                sql="\n".join(line for line in rest if not line.startswith("-- ")),
                undetectable=notes.get("undetectable", ""),
                both=tuple(notes["both"].split(", ")) if "both" in notes else (),
            )
        )
    return faults


def _all() -> list[Fault]:
    files = sorted((Path(__file__).parent / "faults").glob("*.sql"))
    faults = [fault for file in files for fault in read(file)]
    sql = {fault.id: fault.sql for fault in faults}
    paired = [
        replace(fault, sql="\n".join(sql[one] for one in fault.both)) if fault.both else fault
        for fault in faults
    ]
    return sorted([*paired, *FILE_FAULTS], key=lambda fault: (fault.family == "pairs", 0))


FAULTS = _all()
