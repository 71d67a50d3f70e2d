"""Healthy worlds of many seeds, sizes and time zones raise nothing.

The first five have each length, size, time zone and first day of the week; `make faults` builds
all twenty. In a file of its own, so that another worker can take it while one tries every fault.
"""

import faults
import project_sql
import pytest


@pytest.mark.deep
@pytest.mark.parametrize("number", range(5))
def test_healthy_worlds_raise_nothing(parse, number):
    manifest = project_sql.dump(parse().manifest())
    assert faults.raised_by(manifest, faults.HEALTHY_WORLDS[number]) == []
