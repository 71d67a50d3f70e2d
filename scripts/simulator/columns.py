"""The shape of the eighteen raw tables, and how arrays of numbers become Parquet columns quickly.

Inside the simulator everything is numbers: times are whole epoch seconds (UTC), enumerations are
codes, ids are integers. A negative number means null. Strings only appear here, at the very end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DAY = 86_400
S, T, D = pa.string(), pa.timestamp("us"), pa.date32()
N, F, B = pa.int64(), pa.float64(), pa.bool_()

_RECORDED = {"source_system": S, "recorded_at": T}

RAW_TABLES: dict[str, dict[str, pa.DataType]] = {
    "policies": {
        "policy_id": S,
        "policy_version": S,
        "parent_policy_id": S,
        "policy_name": S,
        "severity": S,
        "valid_from": T,
        "valid_to": T,
        **_RECORDED,
    },
    "queues": {
        "queue_id": S,
        "queue_name": S,
        "risk_tier": S,
        "target_turnaround_minutes": F,
        "target_accuracy": F,
        "valid_from": T,
        "valid_to": T,
        **_RECORDED,
    },
    "roster": {
        "person_id": S,
        "role": S,
        "site": S,
        "vendor": S,
        "team_id": S,
        "language": S,
        "hired_on": D,
        "valid_from": T,
        "valid_to": T,
        **_RECORDED,
    },
    "review_jobs": {
        "job_id": S,
        "item_id": S,
        "item_type": S,
        "queue_id": S,
        "enqueue_reason": S,
        "item_created_at": T,
        "enqueued_at": T,
        "language": S,
        "region": S,
        "priority": N,
        "views_at_enqueue": N,
        "reported_policy_id": S,
        "is_job_made": B,
        **_RECORDED,
    },
    "decisions": {
        "decision_id": S,
        "job_id": S,
        "item_id": S,
        "decided_by_type": S,
        "moderator_id": S,
        "started_at": T,
        "decided_at": T,
        "handling_seconds": F,
        "action_code": S,
        "primary_policy_id": S,
        "views_at_decision": N,
        "model_version": S,
        "confidence": F,
        "supersedes_decision_id": S,
        "ground": S,
        "automation_level": S,
        **_RECORDED,
    },
    "decision_policies": {"decision_id": S, "policy_id": S, "is_primary": B, **_RECORDED},
    "decision_actions": {"decision_id": S, "action_code": S, "is_primary": B, **_RECORDED},
    "reports": {
        "report_id": S,
        "item_id": S,
        "job_id": S,
        "reported_at": T,
        "reporter_kind": S,
        "policy_id": S,
        "is_legal_notice": B,
        **_RECORDED,
    },
    "shift_hours": {
        "person_id": S,
        "work_date": D,
        "paid_seconds": N,
        "productive_seconds": N,
        "wellness_seconds": N,
        **_RECORDED,
    },
    "sampling_frame": {
        "plan_id": S,
        "stratum_id": S,
        "period_start": T,
        "period_end": T,
        "sampling_method": S,
        "queue_id": S,
        "decided_by_type": S,
        "action_group": S,
        "population_size": N,
        "planned_sample_size": N,
        "framed_at": T,
        **_RECORDED,
    },
    "audits": {
        "audit_id": S,
        "revision_no": N,
        "decision_id": S,
        "auditor_id": S,
        "auditor_tier": S,
        "sampling_method": S,
        "plan_id": S,
        "stratum_id": S,
        "inclusion_probability": F,
        "is_blind": B,
        "decided_action_code": S,
        "decided_policy_id": S,
        "truth_action_code": S,
        "truth_policy_id": S,
        "severity": S,
        "is_critical": B,
        "is_technical_error": B,
        "audit_status": S,
        "audited_at": T,
        **_RECORDED,
    },
    "audit_scores": {
        "audit_id": S,
        "revision_no": N,
        "category_id": S,
        "score": F,
        "scale_min": F,
        "scale_max": F,
        "weight": F,
        "is_critical": B,
        "is_not_applicable": B,
        **_RECORDED,
    },
    "disputes": {
        "dispute_id": S,
        "audit_id": S,
        "filed_at": T,
        "resolved_at": T,
        "outcome": S,
        "final_action_code": S,
        "final_policy_id": S,
        **_RECORDED,
    },
    "golden_results": {
        "golden_id": S,
        "key_version": S,
        "moderator_id": S,
        "served_at": T,
        "answer_action_code": S,
        "answer_policy_id": S,
        "true_action_code": S,
        "true_policy_id": S,
        **_RECORDED,
    },
    "calibration_ratings": {
        "session_id": S,
        "item_id": S,
        "rater_id": S,
        "rater_role": S,
        "action_code": S,
        "policy_id": S,
        "severity": S,
        "rated_at": T,
        **_RECORDED,
    },
    "appeals": {
        "appeal_id": S,
        "decision_id": S,
        "filed_at": T,
        "decided_at": T,
        "outcome": S,
        "channel": S,
        "notified_at": T,
        **_RECORDED,
    },
    "statements_of_reasons": {
        "statement_id": S,
        "decision_id": S,
        "category": S,
        "automated_decision": S,
        "restriction": S,
        "source_type": S,
        "applied_on": D,
        "submitted_at": T,
        **_RECORDED,
    },
    "control_totals": {
        "source_system": S,
        "table_name": S,
        "business_date": D,
        "measure": S,
        "dimension_name": S,
        "dimension_value": S,
        "value": F,
        "reported_at": T,
        "recorded_at": T,
    },
}

# At most five systems, as a real team has; control_totals names the system that reports.
SOURCE_SYSTEM = {
    "policies": "policy_hub",
    "queues": "policy_hub",
    "roster": "workforce",
    "shift_hours": "workforce",
    "review_jobs": "moderation_platform",
    "decisions": "moderation_platform",
    "decision_policies": "moderation_platform",
    "decision_actions": "moderation_platform",
    "reports": "moderation_platform",
    "sampling_frame": "audit_tool",
    "audits": "audit_tool",
    "audit_scores": "audit_tool",
    "disputes": "audit_tool",
    "golden_results": "audit_tool",
    "calibration_ratings": "audit_tool",
    "appeals": "compliance_desk",
    "statements_of_reasons": "compliance_desk",
}

_FOUR_DIGITS = np.frombuffer("".join(f"{i:04d}" for i in range(10_000)).encode(), np.uint8).reshape(
    -1, 4
)

# Strings that hardly repeat, so that a dictionary of them saves nothing.
MANY_VALUED = {"audit_id", "appeal_id", "decision_id", "dispute_id", "item_id", "job_id"}
MANY_VALUED |= {"report_id", "supersedes_decision_id"}


def ids(prefix: str, numbers: np.ndarray, width: int = 12) -> pa.Array:
    """Ids such as `d-000000000123`, one per number; a negative number gives null.

    The bytes are laid down as one matrix, so that ten million ids take seconds.
    """
    if width % 4:
        raise ValueError("width is a multiple of four")
    head = np.frombuffer(prefix.encode(), np.uint8)
    letters = np.empty((len(numbers), len(head) + width), np.uint8)
    letters[:, : len(head)] = head
    rest = np.maximum(numbers, 0)
    if len(rest) and rest.max() >= 10**width:
        raise ValueError(f"an id does not fit into {width} digits")
    for end in range(letters.shape[1], len(head), -4):
        rest, last = np.divmod(rest, 10_000)
        letters[:, end - 4 : end] = _FOUR_DIGITS[last]
    # Offsets of a string column are 32 bits: a week of up to 100 million ids fits.
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(letters.shape[1])
    missing = numbers < 0
    valid = (
        pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes()) if missing.any() else None
    )
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(letters), valid
    )


def coded(codes: np.ndarray, values: list[str]) -> pa.Array:
    """An enumeration: the value at each code, null where the code is negative."""
    codes = np.asarray(codes)
    missing = codes < 0
    indices = pa.array(codes, mask=missing) if missing.any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, S))


def constant(value: str | None, n: int) -> pa.Array:
    """The same value n times."""
    if value is None:
        return pa.nulls(n, S)
    return coded(np.zeros(n, np.int8), [value])


def times(seconds: np.ndarray) -> pa.Array:
    """Timestamps (UTC, naive, microseconds) of epoch seconds, null where negative."""
    seconds = np.asarray(seconds, np.int64)
    missing = seconds < 0
    return pa.array(seconds * 1_000_000, N, mask=missing if missing.any() else None).view(T)


def dates(seconds: np.ndarray) -> pa.Array:
    """Dates of epoch seconds."""
    return pa.array((np.asarray(seconds) // DAY).astype(np.int32)).view(D)


def whole(numbers: np.ndarray) -> pa.Array:
    """64-bit integers, null where negative."""
    numbers = np.asarray(numbers, np.int64)
    missing = numbers < 0
    return pa.array(numbers, mask=missing if missing.any() else None)


def real(numbers: np.ndarray) -> pa.Array:
    """Doubles, null where not a number."""
    return pa.array(np.asarray(numbers, np.float64), from_pandas=True)


def raw_table(name: str, recorded: np.ndarray, **columns: pa.Array) -> pa.Table:
    """One raw table in the contract's shape; raises KeyError where a column is missing."""
    n = len(recorded)
    columns["recorded_at"] = times(recorded)
    if name in SOURCE_SYSTEM:
        columns["source_system"] = constant(SOURCE_SYSTEM[name], n)
    return pa.table({column: columns[column] for column in RAW_TABLES[name]})


def write(table: pa.Table, path: Path) -> None:
    """Write one Parquet file; dictionaries and the like read back as plain strings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the Arrow schema in the footer, a dictionary column is simply a string column.
    # Ids that rise and times in order shrink to almost nothing as differences.
    differences = {}
    for field in table.schema:
        if field.type == S:
            differences[field.name] = "DELTA_BYTE_ARRAY"
        elif field.type in (T, N):
            differences[field.name] = "DELTA_BINARY_PACKED"
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=[f.name for f in table.schema if pa.types.is_dictionary(f.type)],
        column_encoding=differences,
        store_schema=False,
    )


class Delivery:
    """Where a week's tables go, and how many rows of each arrived.

    Rows recorded at or after the horizon (epoch seconds) are not delivered.
    """

    def __init__(self, out: Path, horizon: int) -> None:
        """Deliver below `out` what is recorded before `horizon`."""
        self.out, self.horizon = out, horizon
        self.rows: dict[str, int] = {}

    def _known(self, table: pa.Table, recorded: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        n = int(np.searchsorted(recorded, self.horizon))
        return table.slice(0, n), recorded[:n]

    def daily(self, home: str, table: pa.Table, recorded: np.ndarray, suffix: str = "") -> None:
        """Write `<home>/YYYY-MM-DD.parquet` per day of recording; the table is sorted by it."""
        table, recorded = self._known(table, recorded)
        self.rows[home] = self.rows.get(home, 0) + len(table)
        days = recorded // DAY
        for day in np.unique(days):
            first, last = np.searchsorted(days, [day, day + 1])
            name = f"{np.datetime64(int(day), 'D')}{suffix}.parquet"
            write(table.slice(first, last - first), self.out / home / name)

    def later(self, home: str, week: int, table: pa.Table, recorded: np.ndarray) -> None:
        """Keep rows that other weeks' days will hold, until `drain` writes those days."""
        order = np.argsort(recorded, kind="stable")
        table, _ = self._known(table.take(order), recorded[order])
        write(table, self.out / "spool" / home / f"{week:05d}.parquet")

    def drain(self, home: str, mondays: list[int], suffix: str = "") -> None:
        """Write the days of a table whose rows were kept week by week (one Monday per week).

        Never holds more than the rows that one week and the tails of those before it brought.
        """
        pending = None
        for week in range(len(mondays)):
            path = self.out / "spool" / home / f"{week:05d}.parquet"
            arrived = pq.read_table(path)
            pending = arrived if pending is None else pa.concat_tables([pending, arrived])
            recorded = recorded_seconds(pending)
            order = np.argsort(recorded, kind="stable")
            pending, recorded = pending.take(order), recorded[order]
            last = week == len(mondays) - 1
            n = len(pending) if last else int(np.searchsorted(recorded, mondays[week + 1]))
            self.daily(home, _dictionaries(pending.slice(0, n)), recorded[:n], suffix)
            pending = pending.slice(n)


def _dictionaries(table: pa.Table) -> pa.Table:
    """Encode the strings that repeat, as they were before they were kept."""
    for i, field in enumerate(table.schema):
        if field.type == S and field.name not in MANY_VALUED:
            table = table.set_column(i, field.name, table[i].combine_chunks().dictionary_encode())
    return table


def recorded_seconds(table: pa.Table) -> np.ndarray:
    """The recorded_at column as epoch seconds."""
    return pc.cast(table["recorded_at"], N).to_numpy() // 1_000_000
