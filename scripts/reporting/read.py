"""What the page and the weekly report show, read from marts that are open to everybody.

Nothing is computed here: rows are chosen, put in order, and given the labels of `headline`.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import duckdb
import pandas as pd
import yaml
from jinja2 import Environment, StrictUndefined
from warehouse import DEFAULT_DATABASE, not_opened

PROJECT = Path(__file__).resolve().parents[2]

# Rows of the main metric: all decisions, and each queue; of two queues with one name, the ids too.
SHOWN = "metric_id = 'accuracy' and metric_version = 1 and dimension_name in ('overall', 'queue')"
LABEL = """
    case
        when dimension_name = 'overall' then dimension_label
        when min(dimension_value) over same_name < max(dimension_value) over same_name
            then value_label || ' (' || dimension_value || ')'
        else value_label
    end as label
"""
SAME_NAME = "window same_name as (partition by dimension_name, value_label)"
# Strata that take every queue are of none.
QUEUE = "case when queue_id = 'all' then 'Across queues' else queue_name end as label"
# Half a year: what fits on a page.
RECENT = "is_complete and periods_ago <= 26"
# What a manager asks for beside it: the kinds of error, and whether audits can be trusted.
METRICS = (
    "'false_positive_share', 'false_negative_share', 'wrong_selection_rate', "
    "'critical_error_rate', 'severity_weighted_accuracy', 'auditor_accuracy', "
    "'dispute_overturn_rate', 'audit_coverage'"
)

# The last complete month; before there is one, as in the first weeks of one's own data, the first.
MONTH = """
    select coalesce(
        max(case when is_complete then period_starts_on end), max(period_starts_on)
    ) as month_starts_on
    from {{ ref('dim_periods') }}
    where period_type = 'month'
"""

# What does not agree, a row for each kind: of all days, or of those of a week and of what has no
# day. One row without a kind where all agrees.
AGREEMENT = """
    with totals as (
        select
            count(*) filter (
                where status in ('match', 'explained', 'within_tolerance')
            ) as n_agree,
            count(*) filter (where status = 'break') as n_break,
            count(*) filter (where status = 'not_evaluated') as n_not_evaluated
        from {{ ref('reconciliation_checks') }}
    ),

    breaks as (
        select
            found.left_source || ' and ' || found.right_source as sources,
            case
                when found.dimension_name not in ('overall', 'total')
                    then replace(found.dimension_name, '_', ' ') || ' ' || found.dimension_value
            end as part,
            reasons.sentence,
            checks.what_to_do,
            min(found.period_starts_on) as first_day,
            max(found.period_starts_on) as last_day,
            checks.nth
        from {{ ref('reconciliation_checks') }} as found
        inner join {{ ref('reconciliation') }} as checks using (check_name)
        inner join {{ ref('reasons') }} as reasons
            on
                found.reason_code = reasons.reason_code
                and reasons.applies_to = 'reconciliation'
        where
            found.status = 'break' and found.dimension_name <> 'reason'
            {% if last_day is defined -%}
            and coalesce(
                found.period_starts_on between date '{{ last_day }}' - 6 and date '{{ last_day }}',
                true
            )
            {%- endif %}
        group by all
    )

    select totals.*, breaks.*
    from totals
    left join breaks on true
    order by breaks.first_day, breaks.nth, breaks.part
"""

PAGE = {
    "month": f"""
        with lately as (
            select
                dimension_name, dimension_value, n_periods_below_target as n_weeks_below_target,
                n_periods_compared as n_weeks_compared
            from {{{{ ref('headline') }}}}
            where period_type = 'four_weeks' and is_last_complete_period and {SHOWN}
        )
        select *, {LABEL} from {{{{ ref('headline') }}}}
        left join lately using (dimension_name, dimension_value)
        where period_type = 'month' and period_starts_on = date '{{{{ month }}}}' and {SHOWN}
        {SAME_NAME}
        order by dimension_name, target_gap, sort_order, dimension_value
    """,
    "metrics": f"""
        select * from {{{{ ref('headline') }}}}
        where
            period_type = 'month' and period_starts_on = date '{{{{ month }}}}'
            and dimension_name = 'overall'
            and metric_version = 1 and metric_id in ({METRICS})
        order by metric_name
    """,
    "policies": """
        select *, value_label as label from {{ ref('headline') }}
        where
            period_type = 'month' and period_starts_on = date '{{ month }}'
            and dimension_name = 'policy_parent'
            and metric_version = 1 and metric_id in ('precision', 'recall')
        order by metric_name, estimate, sort_order
    """,
    "four_weeks": f"""
        select *, {LABEL} from {{{{ ref('headline') }}}}
        where period_type = 'four_weeks' and {RECENT} and {SHOWN}
        {SAME_NAME}
        order by dimension_name, sort_order, dimension_value, period_starts_on
    """,
    "weeks": f"""
        select *, {LABEL} from {{{{ ref('headline') }}}}
        where period_type = 'week' and {RECENT} and {SHOWN} and dimension_name = 'queue'
        {SAME_NAME}
        order by sort_order, dimension_value, period_starts_on
    """,
    "pareto": """
        with labels as (
            select distinct dimension_name, dimension_value, value_label
            from {{ ref('headline') }}
        )
        select
            pareto.*, errors.reason_label as error_label,
            case
                when pareto.group_value = 'suppressed' then 'Policies of few people, together'
                else labels.value_label
            end as value_label,
            periods.period_label, reasons.sentence as why
        from {{ ref('error_pareto') }} as pareto
        inner join {{ ref('dim_periods') }} as periods
            on pareto.month_starts_on = periods.period_starts_on and periods.period_type = 'month'
        left join labels
            on
                pareto.group_name = labels.dimension_name
                and pareto.group_value = labels.dimension_value
        left join {{ ref('reasons') }} as reasons
            on pareto.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        left join {{ ref('reasons') }} as errors
            on pareto.reason = errors.reason_code and errors.applies_to = 'error'
        where
            periods.period_starts_on = date '{{ month }}'
            and (
                pareto.group_name = 'overall'
                or (pareto.group_name = 'policy' and pareto.reason = 'all')
            )
        order by pareto.group_name, pareto.error_rank, pareto.group_value, pareto.reason
    """,
    "compared": """
        with labels as (
            select distinct dimension_name, dimension_value, dimension_label, value_label
            from {{ ref('headline') }}
        )
        select
            compared.*, periods.period_label, reasons.sentence as why, labels.dimension_label,
            labels.value_label
        from {{ ref('accuracy_compared') }} as compared
        inner join {{ ref('dim_periods') }} as periods using (period_type, period_starts_on)
        left join labels using (dimension_name, dimension_value)
        left join {{ ref('reasons') }} as reasons
            on compared.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        where
            compared.period_type = 'month'
            and periods.period_starts_on = date '{{ month }}'
            and compared.mix_name = 'queue'
            and compared.dimension_name in ('vendor', 'site', 'team')
        order by
            case compared.dimension_name when 'vendor' then 1 when 'site' then 2 else 3 end,
            compared.dimension_value
    """,
    "audits_due": f"""
        select *, {QUEUE} from {{{{ ref('audits_due') }}}}
        where due_status in ('overdue', 'open')
        order by due_on desc, n_overdue desc, plan_id, queue_id
    """,
    "exclusions": """
        select
            exclusions.*, reasons.reason_label, reasons.sentence as meaning, periods.period_label
        from {{ ref('exclusions') }} as exclusions
        inner join {{ ref('dim_periods') }} as periods using (period_type, period_starts_on)
        inner join {{ ref('reasons') }} as reasons using (applies_to, reason_code)
        where
            exclusions.period_type = 'month'
            and periods.period_starts_on = date '{{ month }}'
            and exclusions.dimension_name = 'overall'
        order by exclusions.applies_to desc, exclusions.n_excluded desc, exclusions.reason_code
    """,
    "agreement": AGREEMENT,
    "definitions": f"""
        select * from {{{{ ref('metrics') }}}}
        where
            metric_id in (
                'accuracy', 'error_pareto', 'precision', 'recall', 'standardised_accuracy',
                {METRICS}
            )
        order by metric_id <> 'accuracy', metric_name
    """,
    "as_of": "select distinct as_of from {{ ref('dim_periods') }}",
}

# The last complete week, or the complete week of a day.
WEEK = """
    select distinct period_label, period_starts_on, period_ends_on, is_last_complete_period
    from {{ ref('headline') }}
    where
        period_type = 'week' and is_complete
        and {% if day %}date '{{ day }}' between period_starts_on and period_ends_on
            {%- else %}is_last_complete_period{% endif %}

"""
# Rows of that week and of the four weeks up to its end, as most queues are too thin in one week.
WEEKLY = {
    "week": f"""
        select *, {LABEL} from {{{{ ref('headline') }}}}
        where period_type = 'week' and period_ends_on = date '{{{{ last_day }}}}' and {SHOWN}
        {SAME_NAME}
        order by dimension_name, sort_order, dimension_value
    """,
    "four_weeks": f"""
        select *, {LABEL} from {{{{ ref('headline') }}}}
        where
            period_type = 'four_weeks' and period_ends_on = date '{{{{ last_day }}}}' and {SHOWN}
        {SAME_NAME}
        order by dimension_name, target_gap, sort_order, dimension_value
    """,
    "metrics": f"""
        select * from {{{{ ref('headline') }}}}
        where
            period_type = 'four_weeks' and period_ends_on = date '{{{{ last_day }}}}'
            and dimension_name = 'overall' and metric_version = 1 and metric_id in ({METRICS})
        order by metric_name
    """,
    "trend": f"""
        select *, {LABEL} from {{{{ ref('headline') }}}}
        where
            period_type = 'four_weeks' and {RECENT} and dimension_name = 'overall'
            and period_ends_on <= date '{{{{ last_day }}}}' and {SHOWN}
        {SAME_NAME}
        order by period_starts_on
    """,
    "overdue": f"""
        select *, {QUEUE} from {{{{ ref('audits_due') }}}}
        where due_status = 'overdue'
        order by n_overdue desc, days_overdue desc, plan_id, queue_id
        limit 5
    """,
    "plan": """
        with queues as (
            select distinct dimension_value, value_label
            from {{ ref('headline') }}
            where dimension_name = 'queue'
        )
        select plan.*, queues.value_label
        from {{ ref('audit_plan') }} as plan
        left join queues on plan.queue_id = queues.dimension_value
        order by plan.n_to_draw desc nulls last, plan.plan_id, plan.stratum_id
        limit 5
    """,
    "agreement": AGREEMENT,
    "as_of": PAGE["as_of"],
}


def built(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what was built."""
    command = click.option(
        "--manifest",
        type=click.Path(path_type=Path),
        default=Path("target/manifest.json"),
        show_default=True,
        help="What dbt says it built.",
    )(command)
    return click.option(
        "--database",
        type=click.Path(path_type=Path),
        default=lambda: Path(os.environ.get("MODERATION_QUALITY_DATABASE", DEFAULT_DATABASE)),
        show_default=DEFAULT_DATABASE,
        help="The warehouse that dbt built.",
    )(command)


class Warehouse:
    """A built warehouse, read only, and only what everybody may read.

    Args:
        database: the DuckDB file that dbt built.
        manifest: manifest.json of the build: it knows the relations and their readers.

    Raises:
        click.ClickException: where one of them is absent.
    """

    def __init__(self, database: Path, manifest: Path) -> None:
        """Look that both are there."""
        for path in (database, manifest):
            if not path.exists():
                raise click.ClickException(f"{path} is not there: run `make build` first.")
        self.database = database
        self.manifest: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        self.nodes = {
            node["name"]: node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] in ("model", "seed")
        }

    def relation(self, name: str) -> str:
        """The relation of a mart or seed.

        Raises:
            click.ClickException: where it was not built, or is not open to everybody.
        """
        node = self.nodes.get(name)
        if node is None or not node.get("relation_name"):
            raise click.ClickException(f"{name} was not built: run `make build` first.")
        readers = node["config"].get("meta", {}).get("readers")
        if node["resource_type"] != "seed" and readers != "everybody":
            raise click.ClickException(f"{name} is restricted, and a report is for everybody.")
        return node["relation_name"]

    def read(self, queries: dict[str, str], **values: str | None) -> dict[str, pd.DataFrame]:
        """The rows of queries, in which `ref` gives relations and values fill the rest."""
        jinja = Environment(undefined=StrictUndefined)
        jinja.globals.update(ref=self.relation, **values)
        with duckdb.connect() as connection:
            try:
                connection.execute(
                    f"attach '{self.database}' as \"{self.database.stem}\" (read_only)"
                )
                return {
                    name: connection.execute(jinja.from_string(sql).render()).df()
                    for name, sql in queries.items()
                }
            except duckdb.IOException as error:
                raise click.ClickException(not_opened(self.database, error)) from error
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise click.ClickException(
                    f"{self.database} does not have what is asked of it: it was not built whole, "
                    "or the manifest is of another database. Build it again, or name its own with "
                    f"--manifest. {str(error).splitlines()[0]}"
                ) from error

    def built_at(self) -> str:
        """When dbt wrote the manifest, to the minute, in UTC."""
        return self.manifest["metadata"]["generated_at"][:16].replace("T", " ") + " UTC"


def variables_of(manifest: Path) -> dict[str, Any]:
    """The project's variables, as the last build beside a manifest was given them.

    Args:
        manifest: manifest.json of the build; run_results.json beside it knows the command line.
    """
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    results = manifest.with_name("run_results.json")
    given = {}
    if results.exists():
        given = json.loads(results.read_text(encoding="utf-8"))["args"].get("vars") or {}
    return project["vars"] | given


def code_version() -> str | None:
    """The commit of the code, marked where files differ from it. None: not from git."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=10"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip()
