with acts as (
    select * from {{ ref('int_dsa__acts') }}
),

requests as (
    select * from {{ ref('int_dsa__requests') }}
),

appeals as (
    select * from {{ ref('fct_appeals') }}
),

periods as (
    select distinct
        period_type,
        period_starts_on
    from {{ ref('int_dsa__rows') }}
),

as_of as (
    select {{ reporting_date('as_of') }} as today
    from {{ ref('int_context__as_of') }}
),

first_report as (
    select min({{ reporting_date('reported_at') }}) as reported_on
    from {{ ref('stg_reports') }}
),

reasons as (
    select count(enqueue_reason) > 0 as has_reasons
    from {{ ref('stg_review_jobs') }}
),

complaints as (
    select
        count(*) > 0 as has_appeals,
        count(case when channel = 'out_of_court' then 1 end) > 0 as has_out_of_court
    from appeals
),

moderators as (
    select count(*) > 0 as has_roster
    from {{ ref('stg_roster') }}
    where role = 'moderator'
),

overturned as (
    select distinct decision_id
    from appeals
    where is_in_rates and appellant = 'affected' and outcome in ('granted', 'partial')
),

acts_marked as (
    select
        acts.*,
        overturned.decision_id is not null as is_overturned
    from acts
    left join overturned on acts.decision_id = overturned.decision_id
),

acts_in_periods as (
    {{ by_dsa_period('acts_marked', 'decided_on') }}
),

of_acts as (
    select
        period_type,
        period_starts_on,
        min(decided_on) as first_act_on,
        sum({{ one_where("ground is null and preceded_by = 'own_initiative'") }})
            as n_without_ground,
        {% for ground in ['illegal', 'terms'] -%}
        sum({{ one_where(
            "category is null and preceded_by = 'own_initiative' and ground = '" ~ ground ~ "'"
        ) }}) as n_{{ ground }}_unmapped,
        {% endfor -%}
        sum({{ one_where('is_decider_unknown') }}) as n_decider_unknown,
        sum({{ one_where('is_automated') }}) as n_automated_acts,
        sum({{ one_where('is_automated and is_overturned') }}) as n_automated_overturned
    from acts_in_periods
    group by period_type, period_starts_on
),

requests_in_periods as (
    {{ by_dsa_period('requests', 'received_on') }}
),

of_requests as (
    select
        period_type,
        period_starts_on,
        sum({{ one_where("category is null and request_kind = 'order'") }}) as n_orders_unmapped,
        sum({{ one_where("category is null and request_kind = 'notice'") }})
            as n_notices_unmapped
    from requests_in_periods
    group by period_type, period_starts_on
)

select
    periods.period_type,
    periods.period_starts_on,
    {{ dsa_period_end('periods') }} as period_ends_on,
    {{ dsa_period_end('periods') }} < as_of.today as is_over,
    -- Reports tell of a period if they were kept from its first act on.
    coalesce(
        first_report.reported_on <= coalesce(of_acts.first_act_on, periods.period_starts_on), false
    ) as is_by_reports,
    reasons.has_reasons,
    complaints.has_appeals,
    complaints.has_out_of_court,
    moderators.has_roster,
    {% for name in [
        'n_without_ground', 'n_illegal_unmapped', 'n_terms_unmapped', 'n_decider_unknown',
        'n_automated_acts', 'n_automated_overturned',
    ] -%}
    cast(coalesce(of_acts.{{ name }}, 0) as bigint) as {{ name }},
    {% endfor -%}
    cast(coalesce(of_requests.n_orders_unmapped, 0) as bigint) as n_orders_unmapped,
    cast(coalesce(of_requests.n_notices_unmapped, 0) as bigint) as n_notices_unmapped
from periods
cross join as_of
cross join first_report
cross join reasons
cross join complaints
cross join moderators
left join of_acts
    on {{ same_keys('periods', 'of_acts', ['period_type', 'period_starts_on']) }}
left join of_requests
    on {{ same_keys('periods', 'of_requests', ['period_type', 'period_starts_on']) }}
