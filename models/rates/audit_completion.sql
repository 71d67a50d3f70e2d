with frame as (
    select * from {{ ref('stg_sampling_frame') }}
),

audits as (
    select *
    from {{ ref('fct_audits') }}
    where stratum_key is not null
),

eligibility as (
    select * from {{ ref('int_eligibility__audits') }}
),

begun as (
    select
        audits.stratum_key,
        count(*) as n_begun,
        sum(case when eligibility.exclusion_reason = 'withdrawn' then 1 else 0 end) as n_withdrawn,
        sum(case when eligibility.exclusion_reason = 'not_final' then 1 else 0 end)
            as n_not_final,
        sum(
            case
                when coalesce(eligibility.exclusion_reason, '') in ('withdrawn', 'not_final') then 0
                else 1
            end
        ) as n_final,
        sum(case when eligibility.exclusion_reason is null then 1 else 0 end) as n_counted
    from audits
    inner join eligibility on audits.audit_id = eligibility.audit_id
    where eligibility.is_probability_sample
    group by audits.stratum_key
),

strata as (
    select
        frame.plan_id,
        frame.stratum_id,
        frame.period_start,
        frame.period_end,
        frame.population_size,
        frame.planned_sample_size,
        coalesce(begun.n_begun, 0) as n_begun,
        coalesce(begun.n_withdrawn, 0) as n_withdrawn,
        coalesce(begun.n_not_final, 0) as n_not_final,
        coalesce(begun.n_final, 0) as n_final,
        coalesce(begun.n_counted, 0) as n_counted
    from frame
    left join begun on frame.stratum_key = begun.stratum_key
),

both_scopes as (
    select
        'stratum' as scope,
        plan_id,
        stratum_id,
        period_start,
        period_end,
        1 as n_strata,
        population_size,
        planned_sample_size,
        n_begun,
        n_withdrawn,
        n_not_final,
        n_final,
        n_counted
    from strata
    union all
    -- A plan of which one stratum's size is not known has no known size.
    select
        'plan' as scope,
        plan_id,
        'all' as stratum_id,
        period_start,
        max(period_end) as period_end,
        count(*) as n_strata,
        sum(population_size) as population_size,
        case when count(*) = count(planned_sample_size) then sum(planned_sample_size) end
            as planned_sample_size,
        sum(n_begun) as n_begun,
        sum(n_withdrawn) as n_withdrawn,
        sum(n_not_final) as n_not_final,
        sum(n_final) as n_final,
        sum(n_counted) as n_counted
    from strata
    group by plan_id, period_start
)

select
    scope,
    plan_id,
    stratum_id,
    period_start,
    period_end,
    {{ reason_code(['planned_sample_size']) }} as reason_code,
    cast(n_strata as bigint) as n_strata,
    cast(population_size as bigint) as population_size,
    cast(planned_sample_size as bigint) as n_planned,
    cast(n_final as bigint) as n_final,
    cast(n_counted as bigint) as n_counted,
    cast(n_not_final as bigint) as n_not_final,
    cast(n_withdrawn as bigint) as n_withdrawn,
    cast(planned_sample_size - n_begun as bigint) as n_not_begun,
    n_final / cast(nullif(planned_sample_size, 0) as double)
        as completion_rate,
    n_counted / cast(nullif(planned_sample_size, 0) as double)
        as counted_rate
from both_scopes
