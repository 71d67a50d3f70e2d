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
from publishing import ledger
from reconciling.checks import NAMED
from warehouse import DEFAULT_DATABASE, not_opened, quoted

PROJECT = Path(__file__).resolve().parents[2]

# Rows of the main metric: all decisions, and each queue; of two queues with one name, the ids too.
SHOWN = "metric_id = 'accuracy' and metric_version = 1 and dimension_name in ('overall', 'queue')"
# A queue in which nothing is decided that could be accurate, such as that of appeals, has no place.
DECIDED = f"{SHOWN} and (dimension_name = 'overall' or coalesce(n_decisions, 1) > 0)"
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
# In their first version; and of accuracy the second, which leaves technical errors out.
BESIDE = (
    f"(metric_version = 1 and metric_id in ({METRICS}) "
    "or metric_id = 'accuracy' and metric_version = 2)"
)

# The last complete month; before there is one, as in the first weeks of one's own data, the first.
MONTH = """
    select coalesce(
        max(case when is_complete then period_starts_on end), max(period_starts_on)
    ) as month_starts_on
    from {{ ref('dim_periods') }}
    where period_type = 'month'
"""

# How many comparisons between sources agree, and what does not, for reconciling.checks.runs.
AGREEMENT = """
    select
        count(*) filter (where status in ('match', 'explained', 'within_tolerance')) as n_agree,
        count(*) filter (where status = 'break') as n_break,
        count(*) filter (where status = 'not_evaluated') as n_not_evaluated
    from {{ ref('reconciliation_checks') }}
"""
BREAKS = "{% set status = 'break' %}" + NAMED

# Alarms that lead an incident, those that go on first; then by how much harm a day is sure.
ALERTS = """
    select
        alerts.*,
        kinds.kind_label,
        kinds.what_to_check,
        (
            select count(*) from {{ ref('alerts') }} as others
            where others.incident_id = alerts.alert_id and others.alert_id <> alerts.alert_id
        ) as n_explained
    from {{ ref('alerts') }} as alerts
    inner join {{ ref('alert_kinds') }} as kinds using (suspected_kind)
    where alerts.explained_by is null
    order by
        alerts.alert_status not in ('open', 'provisional'), alerts.direction desc,
        alerts.is_data_suspect, alerts.excess_per_day_ci_low desc, alerts.alert_id
"""
# The smallest change of each queue's error rate that would have been seen.
SLICES = """
    select slices.*, queues.queue_name as label
    from {{ ref('monitored_slices') }} as slices
    left join {{ ref('dim_queues') }} as queues on slices.dimension_value = queues.queue_id
    where slices.dimension_name = 'queue'
    order by slices.detectable_ratio_28_days, slices.dimension_value
"""
# Weeks of accuracy with their limits, of all decisions and each queue; half a year. Fewer than five
# show no variation.
CONTROL = """
    select
        charts.*,
        case
            when charts.dimension_name = 'overall' then 'All decisions'
            else coalesce(queues.queue_name, charts.dimension_value)
        end as label
    from {{ ref('control_charts') }} as charts
    left join {{ ref('dim_queues') }} as queues
        on charts.dimension_name = 'queue' and charts.dimension_value = queues.queue_id
    where
        charts.dimension_name in ('overall', 'queue')
        and charts.period_starts_on > (
            select max(period_starts_on) - 182 from {{ ref('control_charts') }}
        )
    qualify count(*) over (partition by charts.dimension_name, charts.dimension_value) >= 5
    order by charts.dimension_name, charts.dimension_value, charts.period_starts_on
"""


def on_break(
    of: str, *, metric: str = "", dimension: str = "", value: str = "", ends: str = "",
    starts: str = "",
) -> str:  # fmt: skip
    """SQL of rests_on: the first check whose break a number rests on. Null where there is none.

    Args:
        of: the name of the relation that has the number.
        metric: the SQL of its metric; left out, the relation's.
        dimension: of its dimension; left out, the relation's.
        value: of its slice; left out, the relation's.
        ends: of the last day of its period; left out, the relation's.
        starts: of the first; left out, the relation's.
    """
    return f"""
        (
            select arg_min(breaks.check_name, checks.nth)
            from {{{{ ref('numbers_on_breaks') }}}} as breaks
            inner join {{{{ ref('reconciliation') }}}} as checks using (check_name)
            where
                breaks.metric_id = {metric or f"{of}.metric_id"}
                and breaks.dimension_name in ('all', {dimension or f"{of}.dimension_name"})
                and breaks.dimension_value in ('all', {value or f"{of}.dimension_value"})
                and breaks.first_day <= {ends or f"{of}.period_ends_on"}
                and breaks.last_day >= {starts or f"{of}.period_starts_on"}
        ) as rests_on
    """


RESTS_ON = on_break("headline")
OF_PARETO = on_break(
    "periods", metric="'error_pareto'", dimension="pareto.group_name", value="pareto.group_value"
)
OF_COMPARED = on_break("compared", metric="'standardised_accuracy'", ends="periods.period_ends_on")
OF_EXCLUSIONS = on_break(
    "periods", metric="'exclusions'", dimension="'reason'", value="exclusions.reason_code"
)
# An audit can come until it is due.
OF_AUDITS_DUE = on_break(
    "audits_due", metric="'audit_completion'", dimension="'queue'", value="audits_due.queue_id",
    ends="audits_due.due_on",
)  # fmt: skip
# A published number beside today's; why, where `make restatements` has said so of this very number.
RESTATED = f"""
    with published as (
        select * from read_parquet('{{{{ published }}}}')
    ),

    causes as (
        {{% if causes -%}}
        select * from read_parquet('{{{{ causes }}}}')
        {{%- else -%}}
        select *, estimate as current, null as cause, estimate as share from published where false
        {{%- endif %}}
    ),

    found as (
        select
            published.*,
            coalesce(headline.metric_name, published.metric_id) as metric_name,
            headline.period_label,
            coalesce(headline.dimension_label, published.dimension_name) as dimension_label,
            coalesce(headline.value_label, published.dimension_value) as value_label,
            headline.estimate as current,
            coalesce(headline.is_reportable, false) as is_reportable_now,
            headline.estimate - published.estimate as difference,
            headline.reason
        from published
        left join {{{{ ref('headline') }}}} as headline
            using (
                metric_id, metric_version, period_type, period_starts_on, dimension_name,
                dimension_value
            )
    ),

    moved as (
        select * from found
        where abs(difference) > 1e-12 or (estimate is not null and current is null)
    ),

    totals as (
        select
            count(*) as n_published,
            max(as_of) as published_as_of,
            (select count(*) from moved) as n_moved,
            (select count(*) from moved where period_status = 'final') as n_moved_final
        from published
    ),

    shown as (
        select
            *,
            estimate as published,
            {LABEL},
            (
                select list({{'cause': causes.cause, 'share': causes.share}}
                    order by abs(causes.share) desc)
                from causes
                where
                    causes.metric_id = moved.metric_id
                    and causes.metric_version = moved.metric_version
                    and causes.period_type = moved.period_type
                    and causes.period_starts_on = moved.period_starts_on
                    and causes.dimension_name = moved.dimension_name
                    and causes.dimension_value = moved.dimension_value
                    and causes.cause is not null
                    and abs(causes.current - moved.current) <= 1e-12
            ) as causes
        from moved
        where {SHOWN} and period_type in ({{{{ period_types }}}})
        {SAME_NAME}
        order by abs(difference) desc nulls first, period_starts_on desc, dimension_value
        limit {{{{ n }}}}
    )

    select totals.*, shown.* exclude (as_of)
    from totals
    left join shown on true
    order by abs(shown.difference) desc nulls first, shown.period_starts_on desc, dimension_value
"""


def waits(of_the_period: str) -> str:
    """SQL of how long jobs wait: all, and each queue, with the accuracy of the same work.

    Args:
        of_the_period: a condition on rows of turnaround, of one period.
    """
    return f"""
        with median as (
            select * from {{{{ ref('turnaround') }}}}
            where
                metric_id = 'turnaround_median' and metric_version = 1 and {of_the_period}
                and dimension_name in ('overall', 'queue')
        ),

        others as (
            select
                dimension_name, dimension_value,
                max(case when metric_id = 'turnaround_p90' then estimate end) as p90,
                max(case when metric_id = 'within_target' then estimate end) as within_target,
                max(case when metric_id = 'within_target' then n end) as n_due
            from {{{{ ref('turnaround') }}}}
            where
                metric_version = 1 and {of_the_period}
            group by dimension_name, dimension_value
        )

        select
            median.*, others.p90, others.within_target, others.n_due, periods.period_label,
            reasons.sentence as why,
            case
                when median.dimension_name = 'overall' then 'All jobs'
                else coalesce(queues.queue_name, median.dimension_value)
            end as label
        from median
        inner join others using (dimension_name, dimension_value)
        inner join {{{{ ref('dim_periods') }}}} as periods using (period_type, period_starts_on)
        left join {{{{ ref('dim_queues') }}}} as queues on median.dimension_value = queues.queue_id
        left join {{{{ ref('reasons') }}}} as reasons
            on median.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        order by median.dimension_name, others.within_target, median.dimension_value
    """


PAGE = {
    "month": f"""
        with lately as (
            select
                dimension_name, dimension_value, n_periods_below_target as n_weeks_below_target,
                n_periods_compared as n_weeks_compared
            from {{{{ ref('headline') }}}}
            where period_type = 'four_weeks' and is_last_complete_period and {DECIDED}
        )
        select *, {LABEL}, {RESTS_ON} from {{{{ ref('headline') }}}}
        left join lately using (dimension_name, dimension_value)
        where period_type = 'month' and period_starts_on = date '{{{{ month }}}}' and {DECIDED}
        {SAME_NAME}
        order by dimension_name, target_gap, sort_order, dimension_value
    """,
    "metrics": f"""
        select *, {RESTS_ON} from {{{{ ref('headline') }}}}
        where
            period_type = 'month' and period_starts_on = date '{{{{ month }}}}'
            and dimension_name = 'overall'
            and {BESIDE}
        order by metric_name
    """,
    "policies": f"""
        select *, value_label as label, {RESTS_ON} from {{{{ ref('headline') }}}}
        where
            period_type = 'month' and period_starts_on = date '{{{{ month }}}}'
            and dimension_name = 'policy_parent'
            and metric_version = 1 and metric_id in ('precision', 'recall')
        order by metric_name, estimate, sort_order
    """,
    "four_weeks": f"""
        select *, {LABEL}, {RESTS_ON} from {{{{ ref('headline') }}}}
        where period_type = 'four_weeks' and {RECENT} and {DECIDED}
        {SAME_NAME}
        order by dimension_name, sort_order, dimension_value, period_starts_on
    """,
    "weeks": f"""
        select *, {LABEL}, {RESTS_ON} from {{{{ ref('headline') }}}}
        where period_type = 'week' and {RECENT} and {DECIDED} and dimension_name = 'queue'
        {SAME_NAME}
        order by sort_order, dimension_value, period_starts_on
    """,
    "pareto": f"""
        with labels as (
            select distinct dimension_name, dimension_value, value_label
            from {{{{ ref('headline') }}}}
        )
        select
            pareto.*, errors.reason_label as error_label,
            case
                when pareto.group_value = 'suppressed' then 'Policies of few people, together'
                else labels.value_label
            end as value_label,
            periods.period_label, reasons.sentence as why, {OF_PARETO}
        from {{{{ ref('error_pareto') }}}} as pareto
        inner join {{{{ ref('dim_periods') }}}} as periods
            on pareto.month_starts_on = periods.period_starts_on and periods.period_type = 'month'
        left join labels
            on
                pareto.group_name = labels.dimension_name
                and pareto.group_value = labels.dimension_value
        left join {{{{ ref('reasons') }}}} as reasons
            on pareto.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        left join {{{{ ref('reasons') }}}} as errors
            on pareto.reason = errors.reason_code and errors.applies_to = 'error'
        where
            periods.period_starts_on = date '{{{{ month }}}}'
            and (
                pareto.group_name = 'overall'
                or (pareto.group_name = 'policy' and pareto.reason = 'all')
            )
        order by pareto.group_name, pareto.error_rank, pareto.group_value, pareto.reason
    """,
    "compared": f"""
        with labels as (
            select distinct dimension_name, dimension_value, dimension_label, value_label
            from {{{{ ref('headline') }}}}
        )
        select
            compared.*, periods.period_label, reasons.sentence as why, labels.dimension_label,
            labels.value_label, {OF_COMPARED}
        from {{{{ ref('accuracy_compared') }}}} as compared
        inner join {{{{ ref('dim_periods') }}}} as periods using (period_type, period_starts_on)
        left join labels using (dimension_name, dimension_value)
        left join {{{{ ref('reasons') }}}} as reasons
            on compared.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        where
            compared.period_type = 'month'
            and periods.period_starts_on = date '{{{{ month }}}}'
            and compared.mix_name = 'queue'
            and compared.dimension_name in ('vendor', 'site', 'team')
        order by
            case compared.dimension_name when 'vendor' then 1 when 'site' then 2 else 3 end,
            compared.dimension_value
    """,
    "audits_due": f"""
        select *, {QUEUE}, {OF_AUDITS_DUE} from {{{{ ref('audits_due') }}}}
        where due_status in ('overdue', 'open')
        order by due_on desc, n_overdue desc, plan_id, queue_id
    """,
    "exclusions": f"""
        select
            exclusions.*, reasons.reason_label, reasons.sentence as meaning,
            periods.period_label, {OF_EXCLUSIONS}
        from {{{{ ref('exclusions') }}}} as exclusions
        inner join {{{{ ref('dim_periods') }}}} as periods using (period_type, period_starts_on)
        inner join {{{{ ref('reasons') }}}} as reasons using (applies_to, reason_code)
        where
            exclusions.period_type = 'month'
            and periods.period_starts_on = date '{{{{ month }}}}'
            and exclusions.dimension_name = 'overall'
        order by exclusions.applies_to desc, exclusions.n_excluded desc, exclusions.reason_code
    """,
    "waits": waits("period_type = 'month' and period_starts_on = date '{{ month }}'"),
    "backlog": """
        select calendar_date, backlog_restated, backlog_as_known, n_in, n_out, days_of_work
        from {{ ref('backlog') }}
        where
            dimension_name = 'overall' and is_complete
            and calendar_date > (
                select max(calendar_date) - 84 from {{ ref('backlog') }} where is_complete
            )
        order by calendar_date
    """,
    "appeals": """
        select
            rates.*, metrics.metric_name, metrics.population, periods.period_label,
            reasons.sentence as why,
            case
                when rates.dimension_name = 'overall' then 'All appeals'
                else coalesce(policies.policy_name, rates.dimension_value)
            end as label
        from {{ ref('appeal_rates') }} as rates
        inner join {{ ref('metrics') }} as metrics using (metric_id, metric_version)
        inner join {{ ref('dim_periods') }} as periods using (period_type, period_starts_on)
        left join {{ ref('dim_policies') }} as policies
            on rates.dimension_value = policies.policy_id
        left join {{ ref('reasons') }} as reasons
            on rates.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        where
            rates.period_type = 'month' and rates.period_starts_on = date '{{ month }}'
            and (
                rates.dimension_name = 'overall'
                or (
                    rates.dimension_name = 'policy_parent'
                    and rates.metric_id = 'appeal_overturn_rate_by_answer_date'
                )
            )
        order by rates.dimension_name, metrics.metric_name, rates.estimate desc nulls last, label
    """,
    "exposure": """
        select
            exposure.*, periods.period_label, reasons.sentence as why,
            exposure.exposure_seconds / 3600 as exposure_hours,
            case
                when exposure.dimension_name = 'overall' then 'Everybody'
                else exposure.dimension_value
            end as label
        from {{ ref('exposure') }} as exposure
        inner join {{ ref('dim_periods') }} as periods using (period_type, period_starts_on)
        left join {{ ref('reasons') }} as reasons
            on exposure.reason_code = reasons.reason_code and reasons.applies_to = 'rate'
        where
            exposure.period_type = 'month' and exposure.period_starts_on = date '{{ month }}'
        order by exposure.dimension_name, exposure.dimension_value
    """,
    "alerts": ALERTS,
    "slices": SLICES,
    "control": CONTROL,
    "agreement": AGREEMENT,
    "breaks": BREAKS,
    "definitions": f"""
        select * from {{{{ ref('metrics') }}}}
        where
            metric_id in (
                'accuracy', 'error_pareto', 'precision', 'recall', 'standardised_accuracy',
                {METRICS}
            )
        order by metric_id <> 'accuracy', metric_name
    """,
    "definition_changes": """
        select * from {{ ref('definition_changes') }}
        where change_kind <> 'same_numbers'
        order by changed_on desc, changed
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
        select *, {LABEL}, {RESTS_ON} from {{{{ ref('headline') }}}}
        where period_type = 'week' and period_ends_on = date '{{{{ last_day }}}}' and {DECIDED}
        {SAME_NAME}
        order by dimension_name, sort_order, dimension_value
    """,
    "four_weeks": f"""
        select *, {LABEL}, {RESTS_ON} from {{{{ ref('headline') }}}}
        where
            period_type = 'four_weeks' and period_ends_on = date '{{{{ last_day }}}}' and {DECIDED}
        {SAME_NAME}
        order by dimension_name, target_gap, sort_order, dimension_value
    """,
    "metrics": f"""
        select *, {RESTS_ON} from {{{{ ref('headline') }}}}
        where
            period_type = 'four_weeks' and period_ends_on = date '{{{{ last_day }}}}'
            and dimension_name = 'overall' and metric_version = 1 and metric_id in ({METRICS})
        order by metric_name
    """,
    "trend": f"""
        select *, {LABEL}, {RESTS_ON} from {{{{ ref('headline') }}}}
        where
            period_type = 'four_weeks' and {RECENT} and dimension_name = 'overall'
            and period_ends_on <= date '{{{{ last_day }}}}' and {DECIDED}
        {SAME_NAME}
        order by period_starts_on
    """,
    "waits": waits("period_type = 'week' and period_ends_on = date '{{ last_day }}'"),
    "backlog": """
        select backlog_restated, days_of_work from {{ ref('backlog') }}
        where dimension_name = 'overall' and calendar_date = date '{{ last_day }}'
    """,
    "appeals": """
        select * from {{ ref('appeal_rates') }}
        where
            metric_id = 'appeal_overturn_rate_by_answer_date' and period_type = 'week'
            and period_ends_on = date '{{ last_day }}' and dimension_name = 'overall'
    """,
    "overdue": f"""
        select *, {QUEUE}, {OF_AUDITS_DUE} from {{{{ ref('audits_due') }}}}
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
    "alerts": ALERTS,
    "agreement": AGREEMENT,
    "breaks": BREAKS,
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
        store: the folder of the publication ledger; left out, the one beside the warehouse.

    Raises:
        click.ClickException: where one of them is absent.
    """

    def __init__(self, database: Path, manifest: Path, store: Path | None = None) -> None:
        """Look that both are there."""
        for path in (database, manifest):
            if not path.exists():
                raise click.ClickException(f"{path} is not there: run `make build` first.")
        self.database = database
        self.store = store or ledger.store_of(database)
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
        if node.get("schema") == "restricted":
            raise click.ClickException(
                f"{name} is in schema restricted, and its readers are everybody: dbt_project.yml "
                "contradicts itself."
            )
        return node["relation_name"]

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection read the relations, and nothing be written.

        Raises:
            click.ClickException: another process holds the file, or it is none of DuckDB's.
        """
        try:
            connection.execute(
                f'attach {quoted(self.database)} as "{self.database.stem}" (read_only)'
            )
        except duckdb.IOException as error:
            raise click.ClickException(not_opened(self.database, error)) from error

    def read(self, queries: dict[str, str], **values: str | None) -> dict[str, pd.DataFrame]:
        """The rows of queries, in which `ref` gives relations and values fill the rest."""
        jinja = Environment(undefined=StrictUndefined)
        jinja.globals.update(ref=self.relation, **values)
        with duckdb.connect() as connection:
            self.attach(connection)
            try:
                return {
                    name: connection.execute(jinja.from_string(sql).render()).df()
                    for name, sql in queries.items()
                }
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise click.ClickException(
                    f"{self.database} does not have what is asked of it: it was not built whole, "
                    "or the manifest is of another database. Build it again, or name its own with "
                    f"--manifest. {str(error).splitlines()[0]}"
                ) from error

    def restated(self, period_types: str, n: int) -> pd.DataFrame:
        """What was published last and is another number now.

        Args:
            period_types: of the numbers to show, as SQL lists them.
            n: how many to show, the largest difference first.

        Returns:
            Accuracy of all decisions and of queues, with the totals of all numbers; one row without
            a number where none moved, n_published 0 where nothing was published.
        """
        names = ledger.publications(self.store)
        if not names:
            return pd.DataFrame({"n_published": [0]})
        causes = self.store / "restatements" / names[-1].name
        return self.read(
            {"restated": RESTATED},
            published=str(names[-1]),
            causes=str(causes) if causes.exists() else None,
            period_types=period_types,
            n=str(n),
        )["restated"]

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
