"""MetricFlow's `mf`, which does not ask the package index for a newer version of itself.

`python scripts/query.py query --metrics accuracy --group-by metric_time__month` and everything else
that `mf` can do: `make query ARGS="…"`.
"""

import update_checker

update_checker.UpdateChecker.check = lambda *_, **__: None

from dbt_metricflow.cli.main import cli  # noqa: E402

if __name__ == "__main__":
    cli()
