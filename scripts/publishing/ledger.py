"""The publication ledger: Parquet files beside the warehouse that are only ever added.

A publication is two files of one name: the numbers, open to everybody, and in the folder restricted
the audits behind them. The numbers are written last, and by a rename: where they are not, nothing
was published, and what a killed run left is written over by the next.
"""

import getpass
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = """
    select
        metric_id, metric_version, period_type, period_starts_on, period_ends_on, dimension_name,
        dimension_value, estimate, ci_low, ci_high, n, is_reportable, reason_code,
        status as period_status
    from {0}report.headline
    order by all
"""
# What an accuracy is made of: the audits of probability samples, counted or not, and their strata.
AUDITS = """
    select
        audits.audit_id,
        audits.decision_id,
        audits.revision_no,
        audits.exclusion_reason,
        audits.error_class,
        verdicts.found_error_class,
        coalesce(audits.is_overturned, false) as is_overturned,
        strata.stratum_key,
        cast(strata.population_size as double) as population_size,
        audits.decided_on,
        audits.queue_id,
        audits.policy_id,
        audits.parent_policy_id,
        audits.decided_by_type,
        audits.language,
        audits.region,
        audits.item_type,
        decisions.recorded_at as decision_recorded_at
    from {0}facts.fct_audits as audits
    left join {0}facts.fct_decisions as decisions using (decision_id)
    left join {0}facts.int_verdicts__audits as verdicts using (audit_id)
    left join {0}facts.int_sampling__strata as strata
        on audits.stratum_key = strata.stratum_key
    where audits.sampling_method in ('simple_random', 'stratified_random')
    order by audits.audit_id
"""
AS_OF = "select cast(as_of as string) from {0}staging.int_context__as_of"
SEED = "select * from {0}reference.{1} order by all"
TEXT, WHOLE, SHARE, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
DAY, MOMENT = pa.date32(), pa.timestamp("us")
# One shape for good, whichever engine the rows come from.
NUMBERS_SHAPE = pa.schema(
    {
        **{"metric_id": TEXT, "metric_version": WHOLE, "period_type": TEXT},
        **{"period_starts_on": DAY, "period_ends_on": DAY, "dimension_name": TEXT},
        **{"dimension_value": TEXT, "estimate": SHARE, "ci_low": SHARE, "ci_high": SHARE},
        **{"n": WHOLE, "is_reportable": FLAG, "reason_code": TEXT, "period_status": TEXT},
    }
)
AUDITS_SHAPE = pa.schema(
    {
        **{"audit_id": TEXT, "decision_id": TEXT, "revision_no": WHOLE, "exclusion_reason": TEXT},
        **{"error_class": TEXT, "found_error_class": TEXT, "is_overturned": FLAG},
        **{"stratum_key": TEXT, "population_size": SHARE, "decided_on": DAY, "queue_id": TEXT},
        **{"policy_id": TEXT, "parent_policy_id": TEXT, "decided_by_type": TEXT},
        **{"language": TEXT, "region": TEXT, "item_type": TEXT, "decision_recorded_at": MOMENT},
    }
)
PUBLISHED_AT = b"published_at"
DEFINED_BY = ("action_codes", "severity_points", "metrics")
# The as-of moment is a column of its own; where the raw tables are says nothing of what counts.
NO_DEFINITION = {"as_of", "raw_path", "raw_schema"}


class Built(Protocol):
    """A built warehouse, whichever engine it is on."""

    def rows(self, sql: str, *names: str) -> list[tuple[Any, ...]]:
        """The rows of a query, in which {0} stands before the schemas and {1} is the first name."""

    def table(self, sql: str, shape: pa.Schema) -> pa.Table:
        """The rows of a query in a shape."""


@dataclass(frozen=True)
class OnDuckDB:
    """A warehouse that is a DuckDB file."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str, *names: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.sql(sql.format("", *names)).fetchall()

    def table(self, sql: str, shape: pa.Schema) -> pa.Table:
        """The rows of a query in a shape."""
        return self.connection.sql(sql.format("")).to_arrow_table().cast(shape)


@dataclass(frozen=True)
class Publication:
    """One publication: when, of what, and by which definitions.

    Attributes:
        state: a hash of all that was published but the time and the person.
        as_of: the moment as of which all was known, UTC.
        definitions: a hash of the seeds that say what counts and of the variables.
        code: a hash of the SQL of all models and macros.
        code_version: the commit, where the code is of a git repository.
    """

    state: str
    as_of: datetime
    definitions: str
    code: str
    code_version: str
    published_by: str
    published_at: datetime

    @property
    def name(self) -> str:
        """The name of its files: the as-of moment, then the state."""
        return f"{self.as_of:%Y%m%dT%H%M%S}-{self.state[:12]}.parquet"


def _hash(*texts: str) -> str:
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()


def _hash_of(rows: pa.Table) -> str:
    with duckdb.connect() as connection:
        connection.register("table_", rows)
        hashed = "select md5(string_agg(to_json(table_)::varchar, chr(10))) from table_"
        return str(connection.execute(hashed).fetchall()[0][0])


def fingerprints(
    warehouse: Built, manifest: dict[str, Any], variables: dict[str, Any]
) -> tuple[str, str]:
    """The hashes of the definitions and of the code.

    Args:
        warehouse: the built warehouse.
        manifest: dbt's manifest of that build.
        variables: dbt's, as the build had them.
    """
    texts = [str(warehouse.rows(SEED, seed)) for seed in DEFINED_BY]
    meaning = {name: value for name, value in variables.items() if name not in NO_DEFINITION}
    definitions = _hash(*texts, json.dumps(meaning, sort_keys=True, default=str))
    sources = [
        node["raw_code"] for node in manifest["nodes"].values() if node["resource_type"] == "model"
    ]
    sources += [
        macro["macro_sql"]
        for macro in manifest["macros"].values()
        if macro["package_name"] == "moderation_quality"
    ]
    return definitions, _hash(*sorted(sources))


def current(
    warehouse: Built, definitions: str, code: str, code_version: str | None
) -> tuple[Publication, pa.Table, pa.Table]:
    """What would be published now: its state, the numbers, and the audits behind them.

    Args:
        warehouse: the built warehouse.
        definitions: a hash of the definitions.
        code: a hash of the code.
        code_version: the commit; None where it is not known.
    """
    numbers = warehouse.table(NUMBERS, NUMBERS_SHAPE)
    audits = warehouse.table(AUDITS, AUDITS_SHAPE)
    as_of = datetime.fromisoformat(warehouse.rows(AS_OF)[0][0])
    said, behind = (_hash_of(table) for table in (numbers, audits))
    publication = Publication(
        state=_hash(str(as_of), definitions, code, said, behind),
        as_of=as_of,
        definitions=definitions,
        code=code,
        code_version=code_version or "unknown",
        published_by=getpass.getuser(),
        published_at=datetime.now(UTC).replace(tzinfo=None),
    )
    return publication, numbers, audits


def publish(store: Path, publication: Publication, numbers: pa.Table, audits: pa.Table) -> bool:
    """Add a publication to the store, unless it has this state already.

    Args:
        store: the folder of the ledger.
        publication: what `current` gives, with its numbers and audits.
        numbers: a row per number.
        audits: a row per audit.

    Returns:
        True where it was added.
    """
    restricted = store / "restricted"
    restricted.mkdir(parents=True, exist_ok=True)
    restricted.chmod(0o700)
    if any(store.glob(f"*-{publication.state[:12]}.parquet")):
        return False
    stamps = {
        "state": publication.state,
        "as_of": publication.as_of,
        "definitions": publication.definitions,
        "code": publication.code,
        "code_version": publication.code_version,
        "published_by": publication.published_by,
        "published_at": publication.published_at,
    }
    for name, value in stamps.items():
        numbers = numbers.append_column(name, pa.array([value] * len(numbers)))
    numbers = numbers.replace_schema_metadata({PUBLISHED_AT: publication.published_at.isoformat()})
    write_whole(audits, restricted / publication.name)
    return write_whole(numbers, store / publication.name, is_new=True)


def write_whole(table: pa.Table, file: Path, *, is_new: bool = False) -> bool:
    """Write a Parquet file as a whole or not at all.

    Args:
        table: its rows.
        file: where to.
        is_new: never write over another one.

    Returns:
        False where `is_new` and the file is there.
    """
    # Hidden, so that nobody who reads *.parquet sees half of it.
    part = file.with_name(f".{file.name}.{os.getpid()}")
    pq.write_table(table, part)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    if not is_new:
        part.replace(file)
        return True
    try:
        # Two that publish at once: one of them finds the name taken.
        os.link(part, file)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def store_of(database: Path) -> Path:
    """The folder of the ledger of a warehouse: beside it."""
    return database.parent / "published"


def publications(store: Path) -> list[Path]:
    """The numbers of every publication, by their as-of moments, of one moment by publication."""
    found = [path for path in store.glob("*.parquet") if not path.name.startswith(".")]
    return sorted(found, key=lambda path: (path.name[:15], _published_at(path)))


def _published_at(path: Path) -> str:
    return (pq.read_schema(path).metadata or {}).get(PUBLISHED_AT, b"").decode()
