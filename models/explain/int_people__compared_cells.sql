with audits as (
    select * from {{ ref('int_people__audits') }}
),

periods as (
    select * from {{ ref('int_people__periods') }}
),

by_dimension as (
    select
        audits.*,
        dimensions.dimension_name,
        case dimensions.dimension_name
            when 'team' then audits.team_id
            when 'site' then audits.site
            when 'vendor' then audits.vendor
            when 'tenure_band' then audits.tenure_band_at_decision
            else 'all'
        end as dimension_value
    from audits
    cross join (
        values ('everybody'), ('team'), ('site'), ('vendor'), ('tenure_band')
    ) as dimensions (dimension_name)
)

select
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    mixes.mix_name,
    by_dimension.dimension_name,
    by_dimension.dimension_value,
    case
        when mixes.mix_name = 'queue' then by_dimension.queue_id
        else concat(by_dimension.queue_id, ' ', by_dimension.action_group)
    end as cell_key,
    by_dimension.stratum_key,
    by_dimension.moderator_key,
    by_dimension.weight,
    cast(sum(by_dimension.n_audits) as bigint) as n_audits,
    cast(sum(by_dimension.n_correct) as bigint) as n_successes,
    cast(sum(by_dimension.n_technical) as bigint) as n_technical_audits
from by_dimension
inner join periods on by_dimension.decided_on = periods.calendar_date
cross join (values ('queue'), ('queue_and_action')) as mixes (mix_name)
group by
    periods.period_type,
    periods.period_starts_on,
    periods.period_ends_on,
    mixes.mix_name,
    by_dimension.dimension_name,
    by_dimension.dimension_value,
    case
        when mixes.mix_name = 'queue' then by_dimension.queue_id
        else concat(by_dimension.queue_id, ' ', by_dimension.action_group)
    end,
    by_dimension.stratum_key,
    by_dimension.moderator_key,
    by_dimension.weight
