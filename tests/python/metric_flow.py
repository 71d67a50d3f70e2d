"""`mf` on a copy of a built warehouse, for tests that hold other numbers against its own."""

import os
import shutil
import subprocess
import sys

import pandas as pd
from projects import ROOT

# What the semantic layer calls a metric.
NAME = "metric_id || case when metric_version > 1 then '_v' || metric_version else '' end"


class MetricFlow:
    """`mf` on a copy of a built warehouse, since it opens it to write."""

    def __init__(self, platform, folder):
        self.folder = folder
        for name in ("dbt_project.yml", "profiles.yml"):
            (folder / name).symlink_to(platform.folder / name)
        for name in ("data", "target"):
            (folder / name).mkdir()
        shutil.copy(platform.warehouse, folder / "data" / "warehouse.duckdb")
        self.manifest = folder / "target" / "semantic_manifest.json"
        shutil.copy(platform.folder / "target" / "semantic_manifest.json", self.manifest)

    def run(self, *arguments):
        own = {"MODERATION_QUALITY_DATABASE": str(self.folder / "data" / "warehouse.duckdb")}
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / "query.py", *arguments],
            cwd=self.folder, env=os.environ | own, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def query(self, *arguments):
        """The answer to a query, as a table."""
        answer = self.folder / "answer.csv"
        run = self.run("query", *arguments, "--csv", str(answer))
        assert run.returncode == 0, run.stdout + run.stderr
        return pd.read_csv(answer)
