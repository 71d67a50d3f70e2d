{% set families = ['layer', 'values', 'work', 'plans', 'statements', 'control_totals'] -%}
{% set with_tolerance = ['work', 'plans', 'control_totals'] -%}
{% set is_published = var('raw_connector') == 'hatecheck' -%}

with checks as (
    select *
    from {{ ref('reconciliation') }}
    {% if not is_published -%}
    where check_name <> 'published_facts'
    {%- endif %}
),

as_of as (
    select
        as_of,
        {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

pairs as (
    {% for family in families -%}
    {% set is_of_sources = family == 'control_totals' -%}
    select
        check_name,
        {{ 'left_source' if is_of_sources else 'cast(null as string) as left_source' }},
        {{ 'right_source' if is_of_sources else 'cast(null as string) as right_source' }},
        happened_on,
        {{ 'period_ends_on' if family == 'plans' else 'happened_on as period_ends_on' }},
        {{ 'measure' if is_of_sources else "'rows' as measure" }},
        dimension_name,
        dimension_value,
        left_value,
        right_value,
        explained_difference,
        reason_code,
        {{ 'tolerance' if family in with_tolerance else 'cast(0 as double) as tolerance' }},
        {{ 'is_withheld' if is_of_sources else 'false as is_withheld' }},
        {{ (family == 'plans') | lower }} as is_of_plans
    from {{ ref('int_reconciliation__' ~ family) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {% if is_published -%}
    union all
    select
        'published_facts' as check_name,
        cast(null as string) as left_source,
        cast(null as string) as right_source,
        cast(null as date) as happened_on,
        cast(null as date) as period_ends_on,
        'facts' as measure,
        'fact' as dimension_name,
        fact as dimension_value,
        cast(published as double) as left_value,
        cast(in_file as double) as right_value,
        cast(0 as double) as explained_difference,
        'publication_differs' as reason_code,
        cast(0 as double) as tolerance,
        false as is_withheld,
        false as is_of_plans
    from {{ ref('hatecheck_published_facts') }}
    {% endif -%}
),

-- A check that found nothing to compare has one row that says so.
listed as (
    select
        checks.check_name,
        coalesce(pairs.left_source, checks.left_source) as left_source,
        coalesce(pairs.right_source, checks.right_source) as right_source,
        case
            when pairs.happened_on is null then 'all'
            when pairs.is_of_plans then 'plan_period'
            else 'day'
        end as period_type,
        pairs.happened_on as period_starts_on,
        pairs.period_ends_on,
        coalesce(pairs.measure, 'rows') as measure,
        coalesce(pairs.dimension_name, 'overall') as dimension_name,
        coalesce(pairs.dimension_value, 'all') as dimension_value,
        pairs.left_value,
        pairs.right_value,
        coalesce(pairs.explained_difference, 0) as explained_difference,
        coalesce(pairs.tolerance, 0) as tolerance,
        coalesce(pairs.reason_code, 'nothing_to_compare') as reason_code,
        coalesce(pairs.is_withheld, false) as is_withheld,
        as_of.as_of,
        as_of.today
    from checks
    cross join as_of
    left join pairs on checks.check_name = pairs.check_name
)

select
    concat(
        check_name, '|', left_source, '|', right_source, '|',
        coalesce(cast(period_starts_on as string), 'all'), '|', measure, '|', dimension_name, '|',
        dimension_value
    ) as check_key,
    check_name,
    left_source,
    right_source,
    period_type,
    period_starts_on,
    period_ends_on,
    measure,
    dimension_name,
    dimension_value,
    left_value,
    right_value,
    left_value - right_value as difference,
    explained_difference,
    tolerance,
    reason_code,
    is_withheld,
    as_of,
    today
from listed
