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
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = """
    select
        metric_id, metric_version, period_type, period_starts_on, period_ends_on, dimension_name,
        dimension_value, estimate, ci_low, ci_high, n, is_reportable, reason_code,
        status as period_status
    from report.headline
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
    from facts.fct_audits as audits
    left join facts.fct_decisions as decisions using (decision_id)
    left join facts.int_verdicts__audits as verdicts using (audit_id)
    left join facts.int_sampling__strata as strata
        on audits.stratum_key = strata.stratum_key
    where audits.sampling_method in ('simple_random', 'stratified_random')
    order by audits.audit_id
"""
PUBLISHED_AT = b"published_at"
DEFINED_BY = ("action_codes", "severity_points", "metrics")
# The as-of moment is a column of its own; where the raw tables are says nothing of what counts.
NO_DEFINITION = {"as_of", "raw_path", "raw_schema"}


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


def fingerprints(
    connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any], variables: dict[str, Any]
) -> tuple[str, str]:
    """The hashes of the definitions and of the code.

    Args:
        connection: a connection to the built warehouse.
        manifest: dbt's manifest of that build.
        variables: dbt's, as the build had them.
    """
    texts = [
        str(connection.sql(f"from reference.{seed} order by all").fetchall()) for seed in DEFINED_BY
    ]
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
    connection: duckdb.DuckDBPyConnection, definitions: str, code: str, code_version: str | None
) -> tuple[Publication, pa.Table, pa.Table]:
    """What would be published now: its state, the numbers, and the audits behind them.

    Args:
        connection: a connection to the built warehouse.
        definitions: a hash of the definitions.
        code: a hash of the code.
        code_version: the commit; None where it is not known.
    """
    numbers = connection.sql(NUMBERS).to_arrow_table()
    audits = connection.sql(AUDITS).to_arrow_table()
    ((as_of,),) = connection.sql("select as_of from staging.int_context__as_of").fetchall()
    said = connection.execute(
        "select md5(string_agg(to_json(numbers)::varchar, chr(10))) from numbers"
    ).fetchall()[0][0]
    behind = connection.execute(
        "select md5(string_agg(to_json(audits)::varchar, chr(10))) from audits"
    ).fetchall()[0][0]
    publication = Publication(
        state=_hash(str(as_of), definitions, code, str(said), str(behind)),
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
