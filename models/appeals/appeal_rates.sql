{% set keys = [
    'metric_id', 'metric_version', 'period_type', 'period_starts_on', 'dimension_name',
    'dimension_value', 'period_ends_on', 'maturity_status',
] -%}
{% set group = keys[2:6] -%}
{% set of_set = keys[:5] | join(', ') -%}
{% set outcomes = ['n_granted', 'n_partial', 'n_denied', 'n_withdrawn', 'n_pending'] -%}

with cells as (
    select
        *,
        {{ appeal_basis('appellant', 'anchor') }} as basis
    from {{ ref('int_appeals__cells') }}
),

metrics as (
    select
        *,
        case when metric_id like 'notifier%' then 'notifier' else 'affected' end as appellant
    from {{ ref('metrics') }}
    where mart = 'appeal_rates'
),

suppressed as (
    select * from {{ ref('int_people__suppressed_groups') }}
),

periods as (
    select * from {{ ref('dim_periods') }}
),

-- A source that never says that an action was undone does not say that none was.
recorded as (
    select
        (select count(*) from {{ ref('fct_appeals') }}) > 0 as has_appeals,
        (select sum(n_reversed_actions) from {{ ref('int_appeals__actions') }}) > 0
            as has_reversals
),

measured as (
    select
        metrics.metric_id,
        metrics.metric_version,
        metrics.min_n,
        {% for key in group -%}
        cells.{{ key }},
        {% endfor -%}
        cells.period_ends_on,
        case
            when metrics.anchor = 'answered_at'
                then case when periods.is_complete then 'final' else 'provisional' end
            else periods.overturn_status
        end as maturity_status,
        recorded.has_appeals
        and (
            coalesce(recorded.has_reversals, false)
            or metrics.numerator not in ('n_restored_without_appeal', 'n_not_restored')
        ) as is_recorded,
        case metrics.denominator
            {% for name in ['n_actions', 'n_appeals', 'n_judged', 'n_due_to_return'] -%}
            when '{{ name }}' then cells.{{ name }}
            {% endfor -%}
        end as n,
        case metrics.numerator
            {% for name in [
                'n_appealed_actions', 'n_overturned_actions', 'n_restored_without_appeal',
                'n_upheld_appeals', 'n_not_restored', 'n_pending',
            ] -%}
            when '{{ name }}' then cells.{{ name }}
            {% endfor -%}
        end as n_counted,
        case when metrics.numerator = 'n_overturned_actions' then cells.n_judged end
            as n_judged_appeals,
        cells.n_appeals,
        {% for name in outcomes -%}
        cells.{{ name }},
        {% endfor -%}
        coalesce(suppressed.suppression_code, of_audits.suppression_code) as own_code
    from cells
    inner join metrics on cells.anchor = metrics.anchor and cells.appellant = metrics.appellant
    cross join recorded
    left join periods on {{ same_keys('cells', 'periods', group[:2]) }}
    left join suppressed on {{ same_keys('cells', 'suppressed', ['basis'] + group) }}
    -- Whose audits are not shown, of them nothing is.
    left join suppressed as of_audits
        on
            {{ same_keys('cells', 'of_audits', group) }}
            and of_audits.basis = 'accuracy'
            and cells.anchor = 'decided_at'
),

numbered as (
    select
        *,
        case when is_recorded then n_counted end as n_successes,
        sum(case when own_code is not null then 1 else 0 end)
            over (partition by {{ of_set }}) as n_withheld,
        row_number() over (
            partition by {{ of_set }}, own_code is null
            order by case when n > 0 then 0 else 1 end asc, n asc, dimension_value asc
        ) as place_by_size
    from measured
),

-- A group may be listed alone, for what other periods tell: with one more, no total tells of it.
judged as (
    select
        *,
        case
            when own_code is not null then own_code
            when n_withheld = 1 and place_by_size = 1 then 'suppressed_complementary'
        end as suppression_code
    from numbered
)

{{ publish_share(
    'judged', keys, values=['n_appeals'] + outcomes, asked=['is_recorded', 'n_judged_appeals'],
    without=['n_people']) }}
