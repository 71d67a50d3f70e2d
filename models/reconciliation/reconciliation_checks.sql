{% set families = ['layer', 'values', 'work', 'plans', 'ledger', 'control_totals'] -%}
{% set with_tolerance = ['work', 'plans', 'control_totals'] -%}
{% set is_published = var('raw_connector') == 'hatecheck' -%}

with checks as (
    select *
    from {{ ref('reconciliation') }}
    {% if not is_published -%}
    where check_name <> 'published_facts'
    {%- endif %}
),

accepted_differences as (
    select * from {{ ref('accepted_differences') }}
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
        {{ 'measure' if is_of_sources else "'rows' as measure" }},
        dimension_name,
        dimension_value,
        left_value,
        right_value,
        explained_difference,
        reason_code,
        {{ 'tolerance' if family in with_tolerance else 'cast(0 as double) as tolerance' }},
        {{ 'is_withheld' if is_of_sources else 'false as is_withheld' }},
        {{ family == 'plans' }} as is_of_plans
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
        coalesce(pairs.measure, 'rows') as measure,
        coalesce(pairs.dimension_name, 'overall') as dimension_name,
        coalesce(pairs.dimension_value, 'all') as dimension_value,
        pairs.left_value,
        pairs.right_value,
        pairs.left_value - pairs.right_value as difference,
        coalesce(pairs.explained_difference, 0) as explained_difference,
        coalesce(pairs.tolerance, 0) as tolerance,
        coalesce(pairs.reason_code, 'nothing_to_compare') as reason_code,
        coalesce(pairs.is_withheld, false) as is_withheld,
        as_of.as_of,
        as_of.today
    from checks
    cross join as_of
    left join pairs on checks.check_name = pairs.check_name
),

keyed as (
    select
        *,
        concat(
            check_name, '|', left_source, '|', right_source, '|',
            coalesce(cast(period_starts_on as string), 'all'), '|', measure, '|', dimension_name,
            '|', dimension_value
        ) as check_key
    from listed
),

-- What somebody accepted, until it expires.
accepted as (
    select
        keyed.check_key,
        max(
            accepted_differences.difference
            * case
                when accepted_differences.unit = 'share' then abs(keyed.left_value)
                else 1
            end
        ) as accepted_difference
    from keyed
    inner join accepted_differences
        on
            keyed.check_name = accepted_differences.check_name
            and (
                accepted_differences.dimension_name is null
                or keyed.dimension_name = accepted_differences.dimension_name
            )
            and (
                accepted_differences.dimension_value is null
                or keyed.dimension_value = accepted_differences.dimension_value
            )
            and keyed.period_starts_on >= accepted_differences.first_day
            and keyed.period_starts_on <= accepted_differences.last_day
            and keyed.today <= accepted_differences.expires_on
    group by keyed.check_key
),

judged as (
    select
        keyed.*,
        -- Ratios and sums of doubles, in another order, differ in the last digit.
        case
            when keyed.difference is null then 'not_evaluated'
            when abs(keyed.difference) <= 1e-9 * greatest(1, abs(keyed.left_value)) then 'match'
            when abs(keyed.difference - keyed.explained_difference) <= 1e-9
                then 'explained'
            when abs(keyed.difference - keyed.explained_difference) <= keyed.tolerance
                then 'within_tolerance'
            when
                abs(keyed.difference - keyed.explained_difference) <= accepted.accepted_difference
                then 'accepted'
            else 'break'
        end as found
    from keyed
    left join accepted on keyed.check_key = accepted.check_key
)

select
    check_key,
    check_name,
    left_source,
    right_source,
    period_type,
    period_starts_on,
    measure,
    dimension_name,
    dimension_value,
    case when not is_withheld then left_value end as left_value,
    case when not is_withheld then right_value end as right_value,
    case when not is_withheld then difference end as difference,
    case when found <> 'not_evaluated' and not is_withheld then explained_difference end
        as explained_difference,
    tolerance,
    case when found = 'accepted' then 'explained' else found end as status,
    case
        when found = 'match' then null
        when found = 'accepted' then 'accepted'
        else reason_code
    end as reason_code,
    is_withheld,
    as_of
from judged
