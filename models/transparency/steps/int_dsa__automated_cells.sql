with acts as (
    select * from {{ ref('int_dsa__acts') }}
),

requests as (
    select * from {{ ref('int_dsa__requests') }}
    where request_kind = 'notice'
),

acts_in_periods as (
    {{ by_dsa_period('acts', 'decided_on') }}
),

requests_in_periods as (
    {{ by_dsa_period('requests', 'received_on') }}
),

-- A measure and a notice in each scope that holds it.
scoped as (
    select
        period_type,
        period_starts_on,
        'total' as scope,
        'measures' as counted_thing,
        is_automated,
        true as is_done
    from acts_in_periods
    union all
    select
        period_type,
        period_starts_on,
        'own_initiative' as scope,
        'measures' as counted_thing,
        is_automated,
        true as is_done
    from acts_in_periods
    where preceded_by = 'own_initiative'
    union all
    select
        period_type,
        period_starts_on,
        language as scope,
        'measures' as counted_thing,
        is_automated,
        true as is_done
    from acts_in_periods
    where language is not null
    union all
    select
        period_type,
        period_starts_on,
        'notices' as scope,
        'notices' as counted_thing,
        coalesce(is_processed_by_machine, false) as is_automated,
        is_processed as is_done
    from requests_in_periods
    union all
    select
        period_type,
        period_starts_on,
        'trusted_notices' as scope,
        'notices' as counted_thing,
        coalesce(is_processed_by_machine, false) as is_automated,
        is_processed as is_done
    from requests_in_periods
    where is_trusted
)

select
    period_type,
    period_starts_on,
    scope,
    counted_thing,
    cast(sum({{ one_where('is_done and is_automated') }}) as bigint) as n_automated,
    cast(sum({{ one_where('is_done and not is_automated') }}) as bigint) as n_not_automated,
    cast(sum({{ one_where('not is_done') }}) as bigint) as n_pending
from scoped
group by period_type, period_starts_on, scope, counted_thing
