"""Faults of files, columns and types: what is done to the raw folder once it is written."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import duckdb

from .trial import Fault


def _csv(raw: Path, table: str, options: str = "", select: str = "*") -> Path:
    """Turn one table into a CSV file."""
    made, file = raw / f"{table}.parquet", raw / f"{table}.csv"
    with duckdb.connect() as db:
        db.execute(f"copy (select {select} from '{made}') to '{file}' (header {options})")
    made.unlink()
    return file


def _halves(raw: Path, table: str, second: str, key: str, kind: str = "parquet") -> Path:
    """Turn one table into a folder of two files, the second with other columns."""
    made, folder = raw / f"{table}.parquet", raw / table
    folder.mkdir()
    with duckdb.connect() as db:
        for name, columns, condition in (
            ("a", "*", f"hash({key}) % 2 = 0"),
            ("b", second, f"hash({key}) % 2 = 1"),
        ):
            db.execute(
                f"copy (select {columns} from '{made}' where {condition}) "
                f"to '{folder / name}.{kind}' (format {kind})"
            )
    made.unlink()
    return folder


def _edit(file: Path, change: Callable[[list[str]], list[str]], encoding: str = "utf-8") -> None:
    lines = change(file.read_text().splitlines())
    file.write_text("\n".join(lines) + "\n", encoding=encoding)


def _compressed(raw: Path) -> None:
    file = _csv(raw, "disputes")
    (raw / "disputes.csv.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()


def _renamed(table: str, name: str) -> Callable[[Path], None]:
    def rename(raw: Path) -> None:
        (raw / f"{table}.parquet").rename(raw / name)

    return rename


def _removed(table: str) -> Callable[[Path], None]:
    return lambda raw: (raw / f"{table}.parquet").unlink()


def _with_bad_line(raw: Path) -> None:
    _edit(_csv(raw, "audits"), lambda lines: [*lines[:4], lines[4] + ",one too many", *lines[5:]])


def _with_title(raw: Path) -> None:
    _edit(_csv(raw, "audits"), lambda lines: ["Audits of March", "", *lines])


def _as_utf16(raw: Path) -> None:
    _edit(_csv(raw, "audits"), list, encoding="utf-16")


def _as_latin1(raw: Path) -> None:
    _edit(
        _csv(raw, "queues"),
        lambda lines: [line.replace("User reports", "Señales") for line in lines],
        encoding="latin-1",
    )


def _with_bom(raw: Path) -> None:
    _edit(_csv(raw, "decisions"), list, encoding="utf-8-sig")


def _truncated_csv(raw: Path) -> None:
    file = _csv(raw, "decisions")
    text = file.read_bytes()
    file.write_bytes(text[: len(text) * 2 // 3])


def _truncated_parquet(raw: Path) -> None:
    file = raw / "decisions.parquet"
    text = file.read_bytes()
    file.write_bytes(text[: len(text) // 2])


def _empty(table: str, kind: str) -> Callable[[Path], None]:
    def write(raw: Path) -> None:
        (raw / f"{table}.parquet").unlink()
        (raw / f"{table}.{kind}").write_bytes(b"")

    return write


def _header_twice(raw: Path) -> None:
    def double(lines: list[str]) -> list[str]:
        return [line + "," + line.split(",")[8] for line in lines]

    _edit(_csv(raw, "decisions", select="* exclude (action_code), action_code"), double)


def _partitioned(raw: Path) -> None:
    made = raw / "review_jobs.parquet"
    with duckdb.connect() as db:
        db.execute(
            f"copy (from '{made}' where region is not null) to '{raw / 'review_jobs'}' "
            "(format parquet, partition_by (region))"
        )
    made.unlink()


def _semicolons(raw: Path) -> None:
    _csv(raw, "audits", ", delim ';'")


def _beside_each_other(raw: Path) -> None:
    with duckdb.connect() as db:
        db.execute(f"copy (from '{raw}/audits.parquet' limit 500) to '{raw}/audits.csv' (header)")


def _backup_inside(raw: Path) -> None:
    folder = _halves(raw, "audits", "*", "decision_id")
    with duckdb.connect() as db:
        db.execute(
            f"copy (select * replace (decided_action_code as truth_action_code, "
            f"recorded_at + interval 9 day as recorded_at) from '{folder}/a.parquet') "
            f"to '{folder}/a (1).parquet'"
        )


def _json_instead(raw: Path) -> None:
    (raw / "disputes.parquet").unlink()
    (raw / "disputes.json").write_text(json.dumps([{"dispute_id": "x1"}]))


def _folder_twice(raw: Path) -> None:
    (raw / "old").mkdir()
    (raw / "old" / "disputes.parquet").write_bytes((raw / "disputes.parquet").read_bytes())


_FILES: list[tuple[str, str, str, Callable[[Path], None] | None]] = [
    ("csv_of_all", "Audits are a CSV file; nothing is wrong with it.", "",
     lambda raw: _csv(raw, "audits")),
    ("csv_quoted", "Audits are a CSV file in which all is quoted, empty text for NULL.", "",
     lambda raw: _csv(raw, "audits", ", force_quote *")),
    ("csv_semicolons", "Audits are a CSV file with semicolons.", "", _semicolons),
    ("csv_bad_line", "One line of a CSV file has a field too many.", "", _with_bad_line),
    ("csv_title", "A CSV file has a title above its header.", "", _with_title),
    ("csv_utf16", "A CSV file is UTF-16.", "", _as_utf16),
    ("csv_latin1", "A CSV file is Latin-1.", "", _as_latin1),
    ("csv_bom", "A CSV file begins with a byte order mark; nothing else is wrong.", "", _with_bom),
    ("csv_truncated", "A CSV file ends in the middle of a row.", "", _truncated_csv),
    ("csv_empty", "A CSV file of a required table is empty.", "", _empty("audits", "csv")),
    ("csv_empty_optional", "A CSV file of an optional table is empty.", "",
     _empty("disputes", "csv")),
    ("csv_header_twice", "A header names a column twice.", "", _header_twice),
    ("csv_decimal_comma", "A CSV file has commas in its decimals.", "",
     lambda raw: _csv(raw, "audits",
                      select="* replace (replace(inclusion_probability::varchar, '.', ',') "
                      "as inclusion_probability)")),
    ("parquet_truncated", "A Parquet file is cut off.", "", _truncated_parquet),
    ("table_missing", "A required table is not there.", "", _removed("sampling_frame")),
    ("optional_table_missing", "The disputes are not there.", "", _removed("disputes")),
    ("compressed", "Disputes are in a compressed file.", "", _compressed),
    ("name_in_capitals", "A file of disputes is called Disputes.parquet.", "",
     _renamed("disputes", "Disputes.parquet")),
    ("name_with_a_date", "A file of disputes is called disputes_2026-03.parquet.", "",
     _renamed("disputes", "disputes_2026-03.parquet")),
    ("json", "Disputes are a JSON file.", "", _json_instead),
    ("folder_of_old_files", "An older file lies in a folder that no table has.", "", _folder_twice),
    ("file_and_csv", "Audits are there as a Parquet file and as an older CSV file.", "",
     _beside_each_other),
    ("backup_in_the_folder", "A changed copy of a file lies beside it.", "", _backup_inside),
    ("partitioned_by_region", "Jobs lie in folders that say their region, and do not.", "",
     _partitioned),
    ("column_missing_in_a_later_file", "The later of two files lacks the truths' policy.", "",
     lambda raw: _halves(raw, "audits", "* exclude (truth_policy_id)", "decision_id")),
    ("column_renamed_in_a_later_file", "The later of two files calls the truth correct_action.", "",
     lambda raw: _halves(raw, "audits", "* rename (truth_action_code as correct_action)",
                         "decision_id")),
    ("column_of_another_type_in_a_later_file", "The later of two files has times as text.", "",
     lambda raw: _halves(raw, "audits",
                         "* replace (strftime(audited_at, '%d.%m.%Y %H:%M') as audited_at)",
                         "decision_id")),
    ("column_with_a_space", "Audits call a column \"is technical error\".",
     'alter table audits rename is_technical_error to "is technical error"', None),
    ("column_in_capitals", "Audits have their columns in capitals.",
     "alter table audits rename truth_policy_id to TRUTH_POLICY_ID;"
     "alter table audits rename truth_action_code to TRUTH_ACTION_CODE", None),
    ("column_misspelt", "Audits call a column truth_policyid.",
     "alter table audits rename truth_policy_id to truth_policyid", None),
    ("column_of_moderators_misspelt", "Decisions call a column moderatorid.",
     "alter table decisions rename moderator_id to moderatorid", None),
    ("column_dropped", "Audits have no stratum.", "alter table audits drop stratum_id", None),
    ("column_required_dropped", "Audits have no truth.",
     "alter table audits drop truth_action_code", None),
    ("deleted_rows", "Audits that were deleted at the source are still there, marked by a column.",
     "alter table audits add _fivetran_deleted boolean;"
     "insert into audits from audits select * replace (audit_id || '-y' as audit_id, "
     "'ban' as truth_action_code, true as _fivetran_deleted) where one_in(5, audit_id)", None),
    ("deleted_at", "Disputes that were deleted are still there, with the time of it.",
     "alter table disputes add deleted_at timestamp;"
     "insert into disputes from audits select 'gone-' || audit_id, audit_id, audited_at, "
     "audited_at + interval 1 day, 'overturned', decided_action_code, decided_policy_id, "
     "'audit_tool', recorded_at + interval 2 day, recorded_at + interval 3 day "
     "where truth_action_code <> decided_action_code and one_in(3, audit_id)", None),
    ("column_unknown", "Decisions have a column that nobody asked for.",
     "alter table decisions add reviewer_note varchar", None),
    ("flags_as_numbers", "Flags are 0, 1 and 2.",
     "alter table audits alter is_critical type integer using hash(audit_id) % 3", None),
    ("flags_as_words", "Flags are Yes and No.",
     "alter table audits alter is_critical type varchar "
     "using case when is_critical then 'Yes' else 'No' end", None),
    ("numbers_as_text", "Handling times are text with a unit.",
     "alter table decisions alter handling_seconds type varchar using handling_seconds || ' s'",
     None),
    ("population_as_decimal", "Populations are decimals.",
     "alter table sampling_frame alter population_size type double using population_size + 0.5",
     None),
    ("times_with_a_zone", "Times are of a type with a time zone; nothing is wrong with them.",
     "alter table audits alter audited_at type timestamptz", None),
    ("everything_is_text", "All columns of the frame are text; nothing is wrong with them.",
     "alter table sampling_frame alter population_size type varchar;"
     "alter table sampling_frame alter period_start type varchar;"
     "alter table sampling_frame alter period_end type varchar", None),
]  # fmt: skip
_UNDETECTABLE = {
    "optional_table_missing": "a source that has no disputes delivers the same.",
}
FILE_FAULTS = [
    Fault(f"file_{name}" if files else f"shape_{name}",
          "files" if files else "columns and types", story, sql, files,
          _UNDETECTABLE.get(name, ""))
    for name, story, sql, files in _FILES
]  # fmt: skip
