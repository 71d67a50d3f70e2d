-- The layer against itself: what went in, what came out, and under which name the rest was left.
{% set delivered = {
    'decisions': ('base_decisions', 'int_deliveries__decision_revisions'),
    'review_jobs': ('base_review_jobs', 'int_deliveries__job_revisions'),
} -%}
{#- Nothing of people: teams, sites and vendors are withheld where few work in them. -#}
{%- set dimensions = reporting_dimensions().keys() | reject('in', roster_dimensions())
    | reject('equalto', 'overall') | list -%}

with raw_days as (
    select * from {{ ref('int_deliveries__raw_days') }}
),

totals as (
    select * from {{ ref('rows_accounted_for') }}
),

decisions as (
    select * from {{ ref('fct_decisions') }}
),

rated as (
    select * from {{ ref('accuracy_decisions_by_day') }}
),

-- Copies and corrections of the same row: all its rows, by what they say and when.
{% for table, (base, revisions) in delivered.items() -%}
{% set key = raw_identity(table).key | join(', ') -%}
copies_of_{{ table }} as (
    select
        {{ recorded_on() }} as happened_on,
        sum(n_rows - 1) as n_copies
    from (
        select
            {{ key }},
            recorded_at,
            max(n_rows) as n_rows
        from {{ ref(revisions) }}
        group by {{ key }}, recorded_at
    ) as revisions
    group by {{ recorded_on() }}
),

kept_{{ table }} as (
    select
        recorded_on as happened_on,
        count(*) as n_rows
    from {{ ref(base) }}
    group by recorded_on
),

{% endfor -%}
superseded as (
    select
        decided_on as happened_on,
        count(*) as n_superseded
    from (
        select
            {{ decided_on() }} as decided_on,
            recorded_at < max(recorded_at) over (partition by decision_id) as is_superseded
        from (
            select distinct
                decision_id,
                decided_at,
                recorded_at
            from {{ ref('int_deliveries__decision_revisions') }}
        ) as revisions
    ) as ranked
    where is_superseded
    group by decided_on
),

staged as (
    select
        decided_on as happened_on,
        count(*) as n_rows
    from {{ ref('base_decisions') }}
    group by decided_on
),

facts as (
    select
        decided_on as happened_on,
        count(*) as n_rows,
        sum(case when exclusion_reason is null then 1 else 0 end) as n_eligible
    from decisions
    group by decided_on
),

rates as (
    select
        decided_on as happened_on,
        dimension_name,
        sum(n_decisions) as n_rows
    from rated
    group by decided_on, dimension_name
),

wholes as (
    select
        happened_on,
        n_rows
    from rates
    where dimension_name = 'overall'
)

{% for table in delivered -%}
select
    'raw_to_staging' as check_name,
    raw_days.recorded_on as happened_on,
    'table' as dimension_name,
    '{{ table }}' as dimension_value,
    cast(raw_days.n_rows as double) as left_value,
    cast(coalesce(kept.n_rows, 0) as double) as right_value,
    cast(raw_days.n_rows - raw_days.n_known_rows + coalesce(copies.n_copies, 0) as double)
        as explained_difference,
    case
        when raw_days.n_rows > raw_days.n_known_rows then 'recorded_after_as_of'
        when copies.n_copies > 0 then 'exact_copies'
        else 'rows_lost'
    end as reason_code
from raw_days
left join kept_{{ table }} as kept on raw_days.recorded_on = kept.happened_on
left join copies_of_{{ table }} as copies on raw_days.recorded_on = copies.happened_on
where raw_days.table_name = '{{ table }}'
union all
{% endfor -%}
select
    'raw_to_staging' as check_name,
    cast(null as date) as happened_on,
    'table' as dimension_name,
    table_name as dimension_value,
    cast(n_delivered as double) as left_value,
    cast(n_kept as double) as right_value,
    cast(
        n_recorded_after_as_of + n_exact_duplicates + n_superseded_by_correction as double
    ) as explained_difference,
    case
        when n_superseded_by_correction > 0 then 'superseded'
        when n_exact_duplicates > 0 then 'exact_copies'
        when n_recorded_after_as_of > 0 then 'recorded_after_as_of'
        else 'rows_lost'
    end as reason_code
from totals
-- A table that is not delivered is no agreement.
where
    table_name not in ('decisions', 'review_jobs')
    and n_delivered > 0
union all
select
    'staging_to_facts' as check_name,
    coalesce(staged.happened_on, facts.happened_on) as happened_on,
    'overall' as dimension_name,
    'all' as dimension_value,
    cast(coalesce(staged.n_rows, 0) as double) as left_value,
    cast(coalesce(facts.n_rows, 0) as double) as right_value,
    cast(coalesce(superseded.n_superseded, 0) as double) as explained_difference,
    case when superseded.n_superseded > 0 then 'superseded' else 'rows_lost' end as reason_code
from staged
full outer join facts on staged.happened_on = facts.happened_on
left join superseded
    on coalesce(staged.happened_on, facts.happened_on) = superseded.happened_on
union all
select
    'facts_to_eligible' as check_name,
    happened_on,
    'overall' as dimension_name,
    'all' as dimension_value,
    cast(n_rows as double) as left_value,
    cast(n_eligible as double) as right_value,
    cast(n_rows - n_eligible as double) as explained_difference,
    'excluded' as reason_code
from facts
union all
select
    'facts_to_eligible' as check_name,
    decided_on as happened_on,
    'reason' as dimension_name,
    exclusion_reason as dimension_value,
    cast(count(*) as double) as left_value,
    cast(0 as double) as right_value,
    cast(count(*) as double) as explained_difference,
    'excluded' as reason_code
from decisions
where exclusion_reason is not null
group by decided_on, exclusion_reason
union all
select
    'facts_to_rates' as check_name,
    coalesce(facts.happened_on, rates.happened_on) as happened_on,
    'overall' as dimension_name,
    'all' as dimension_value,
    cast(coalesce(facts.n_rows, 0) as double) as left_value,
    cast(coalesce(rates.n_rows, 0) as double) as right_value,
    cast(0 as double) as explained_difference,
    'rows_lost' as reason_code
from facts
full outer join wholes as rates on facts.happened_on = rates.happened_on
union all
select
    'whole_to_parts' as check_name,
    wholes.happened_on,
    'dimension' as dimension_name,
    every_dimension.dimension_name as dimension_value,
    cast(wholes.n_rows as double) as left_value,
    cast(coalesce(parts.n_rows, 0) as double) as right_value,
    cast(0 as double) as explained_difference,
    'in_no_part' as reason_code
from wholes
cross join (
    values
    {% for name in dimensions -%}
    ('{{ name }}'){{ ',' if not loop.last }}
    {% endfor -%}
) as every_dimension (dimension_name)
left join rates as parts
    on
        wholes.happened_on = parts.happened_on
        and every_dimension.dimension_name = parts.dimension_name
