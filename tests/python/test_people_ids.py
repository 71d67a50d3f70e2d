"""People are known by pseudonyms, and nothing that is open or printed leads back to them."""

import hashlib
import hmac
import os
import shutil
import sys
from pathlib import Path

import duckdb
import pandas as pd
import project_sql
import pytest

ROOT = Path(__file__).parents[2]
KEYS = {
    "of 16 bytes": "sample-data-only",
    "of RFC 4231, 2": "Jefe",
    "of a whole block": "k" * 64,
    "longer than a block": "k" * 65,
    "of two bytes a letter": "ключ" * 9,
    "with quotes": "it's a \\ key that has quotes in it",
}
IDS = ["mod-1", "what do ya want for nothing?", "müller-☃", " ", "m" * 300, None]


def pseudonym(key: str, person: str | None) -> str | None:
    if person is None:
        return None
    return hmac.new(key.encode(), person.encode(), hashlib.sha256).hexdigest()[:16]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_pseudonym_is_the_hmac_that_a_library_gives(key):
    sql = project_sql.render("{{ pseudonym('person_id') }}")
    with duckdb.connect() as db:
        db.execute("set variable pseudonym_key = $key", {"key": key})
        found = db.execute(
            f"select {sql} from unnest($ids) as people (person_id)", {"ids": IDS}
        ).fetchall()
    assert [row[0] for row in found] == [pseudonym(key, person) for person in IDS]
