"""Many runs in one process, as orchestrators and notebooks do: no run remembers another."""

import pandas as pd


def test_a_second_run_on_one_manifest_sees_what_was_delivered_in_between(new_project, world):
    disputes = world.pop("disputes")
    project = new_project()
    project.deliver(world)
    manifest = project.parsed.manifest()
    selection = ["--select", "+stg_disputes"]
    run = project.build(*selection, data_tests=False, manifest=manifest)
    assert run.returncode == 0, run.stdout
    assert len(project.table("staging.stg_disputes")) == 0

    project.deliver({"disputes": disputes})
    run = project.build(*selection, data_tests=False, manifest=manifest)
    assert run.returncode == 0, run.stdout
    found = project.table("staging.stg_disputes")
    assert list(found["dispute_id"]) == list(disputes["dispute_id"])
    assert found["resolved_at"].equals(pd.Series(disputes["resolved_at"], name="resolved_at"))
