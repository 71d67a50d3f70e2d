{% set group = ['period_type', 'period_starts_on', 'dimension_name', 'dimension_value'] -%}
{% set of_set = 'cells.' ~ group[:3] | join(', cells.') -%}
{% set keys = ['metric_id', 'metric_version'] + group + ['period_ends_on'] -%}
{% set counts = ['n_reports', 'n_looked_at', 'n_acted_on', 'n_pending'] -%}
{% set dimensions = {
    'overall': "'all'",
    'reported_policy': "coalesce(policy_id, 'unknown')",
    'reporter_kind': "coalesce(reporter_kind, 'unknown')",
} -%}

with reports as (
    select * from {{ ref('stg_reports') }}
),

decisions as (
    select * from {{ ref('fct_decisions') }}
    where action_group is not null
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'report_rates'
),

-- Of a policy of which workload shows nothing, as few people decide on it, there is nothing here.
suppressed as (
    select
        period_type,
        period_starts_on,
        'reported_policy' as dimension_name,
        dimension_value,
        suppression_code
    from {{ ref('int_people__suppressed_groups') }}
    where basis = 'workload' and dimension_name = 'policy'
),

-- Whoever decides on the item from then on has the report in front of them.
answers as (
    select
        reports.report_id,
        max({{ one_where("decisions.action_group = 'enforced'") }}) as n_acted_on
    from reports
    inner join decisions
        on reports.item_id = decisions.item_id and reports.reported_at <= decisions.decided_at
    group by reports.report_id
),

dated as (
    select
        reports.policy_id,
        reports.reporter_kind,
        {{ reporting_date('reports.reported_at') }} as reported_on,
        1 as n_reports,
        {{ one_where('answers.report_id is not null') }} as n_looked_at,
        coalesce(answers.n_acted_on, 0) as n_acted_on,
        {{ one_where('answers.report_id is null') }} as n_pending
    from reports
    inner join as_of on reports.reported_at <= as_of.as_of
    left join answers on reports.report_id = answers.report_id
),

in_groups as (
    {{ by_period_and_dimension('dated', 'reported_on', dimensions) }}
),

cells as (
    select
        {{ group | join(', ') }},
        {% for name in counts -%}
        sum({{ name }}) as {{ name }},
        {% endfor -%}
        period_ends_on
    from in_groups
    group by {{ group | join(', ') }}, period_ends_on
),

numbered as (
    select
        cells.*,
        suppressed.suppression_code as own_code,
        count(suppressed.suppression_code)
            over (partition by {{ of_set }}) as n_withheld,
        row_number() over (
            partition by {{ of_set }}, suppressed.suppression_code is null
            order by cells.n_reports asc, cells.dimension_value asc
        ) as place_by_size
    from cells
    left join suppressed on {{ same_keys('cells', 'suppressed', group) }}
),

-- Where one group alone is withheld, the smallest other one goes with it, as the total would tell.
measured as (
    select
        numbered.*,
        metrics.metric_id,
        metrics.metric_version,
        metrics.min_n,
        {% for term, name in {'numerator': 'n_successes', 'denominator': 'n'}.items() -%}
        case metrics.{{ term }}
            {% for count in counts -%}
            when '{{ count }}' then numbered.{{ count }}
            {% endfor -%}
        end as {{ name }},
        {% endfor -%}
        case
            when numbered.own_code is not null then numbered.own_code
            when numbered.n_withheld = 1 and numbered.place_by_size = 1
                then 'suppressed_complementary'
        end as suppression_code
    from numbered
    cross join metrics
)

{{ publish_share('measured', keys, values=counts, without=['n_people']) }}
