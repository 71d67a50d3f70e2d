{% set group = ['dimension_name', 'dimension_value', 'scope_starts_on'] -%}
{% set keys = [
    'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'dimension_name',
    'dimension_value', 'period_ends_on', 'period_status', 'basis',
] -%}

with cells as (
    select
        *,
        cast(date_trunc('quarter', period_starts_on) as date) as scope_starts_on
    from {{ ref('int_enforcement__cells') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'enforcement_rates'
),

actions as (
    select * from {{ ref('action_codes') }}
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

-- A source that never says what a decision replaces does not say that nothing was undone.
superseding as (
    select count(*) > 0 as is_recorded
    from {{ ref('fct_decisions') }}
    where supersedes_decision_id is not null
),

suppressed as (
    {{ suppress_groups_of_a_scope('cells', group) }}
),

counted as (
    select
        metrics.metric_id,
        metrics.metric_version,
        metrics.min_n,
        cells.period_type,
        cells.period_starts_on,
        cells.dimension_name,
        cells.dimension_value,
        cells.period_ends_on,
        {% set final_days = "case metrics.metric_id when 'reinstated' then "
            ~ var('reinstatement_days') ~ ' else 0 end' -%}
        {{ period_status('cells.period_ends_on', 'as_of.as_of', final_days) }} as period_status,
        case metrics.metric_id
            when 'proactive_removal_rate'
                then case when cells.is_by_reports then 'reports' else 'enqueue_reason' end
            when 'removal_before_views' then 'views_at_decision'
            when 'removal_within_24h' then 'item_created_at'
            when 'automated_removals' then 'decided_by_type'
            when 'reinstated' then 'supersedes_decision_id'
            else 'view_samples'
        end as basis,
        case metrics.metric_id
            when 'prevalence' then false
            when 'reinstated' then superseding.is_recorded
            when 'proactive_removal_rate'
                then cells.n_items = 0 or cells.n_reported_known > 0
            when 'removal_before_views' then cells.n_items = 0 or cells.n_views_known > 0
            when 'removal_within_24h'
                then cells.n_items = 0 or cells.n_posted_known + cells.n_posted_later > 0
            else cells.n_items = 0 or cells.n_decider_known > 0
        end as is_recorded,
        -- Of an account there are no views of an item, and nothing was posted.
        cells.dimension_name = 'action'
        and metrics.metric_id in ('removal_before_views', 'removal_within_24h')
        and coalesce(actions.dsa_restriction not like 'visibility%', true)
            as is_undefined_for_dimension,
        case when metrics.metric_id = 'removal_within_24h' then cells.n_posted_later else 0 end
            as n_impossible,
        case metrics.numerator
            {% for name in [
                'n_proactive', 'n_before_views', 'n_within_24h', 'n_automated', 'n_reinstated',
            ] -%}
            when '{{ name }}' then cells.{{ name }}
            {% endfor -%}
        end as n_successes,
        case metrics.denominator
            {% for name in [
                'n_reported_known', 'n_views_known', 'n_posted_known', 'n_decider_known', 'n_items',
            ] -%}
            when '{{ name }}' then cells.{{ name }}
            {% endfor -%}
        end as n,
        cells.n_people,
        cells.n_acts,
        cells.n_without_item,
        cells.n_repeated,
        cells.n_items,
        suppressed.suppression_code
    from cells
    cross join superseding
    cross join as_of
    inner join metrics
        on metrics.metric_id <> 'prevalence' or cells.dimension_name = 'overall'
    left join suppressed on {{ same_keys('cells', 'suppressed', group) }}
    left join actions
        on cells.dimension_name = 'action' and cells.dimension_value = actions.action_code
),

shown as (
    select
        {{ keys | join(', ') }},
        min_n,
        n_people,
        n_acts,
        n_without_item,
        n_repeated,
        n_items,
        is_recorded,
        is_undefined_for_dimension,
        suppression_code,
        {% for name in ['n', 'n_successes', 'n_impossible'] -%}
        case when is_recorded and not is_undefined_for_dimension then {{ name }} end as {{ name }},
        {% endfor -%}
        case
            when is_recorded and not is_undefined_for_dimension then n_items - n - n_impossible
        end as n_not_recorded
    from counted
)

{{ publish_share(
    'shown', keys, values=['n_not_recorded', 'n_impossible'],
    counts=['n_acts', 'n_without_item', 'n_repeated', 'n_items'],
    asked=['is_recorded', 'is_undefined_for_dimension']
) }}
