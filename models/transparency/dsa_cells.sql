with cells as (
    select * from {{ ref('int_dsa__found_cells') }}
),

states as (
    select * from {{ ref('int_dsa__states') }}
),

-- What the source never delivers is not 0.
judged as (
    select
        cells.*,
        states.period_ends_on,
        states.is_over,
        case
            when
                (cells.sheet in (4, 5, 6) or (cells.sheet = 8 and cells.scope <> 'total'))
                and not states.is_by_reports
                then 'not_recorded'
            when cells.sheet = 3 and not states.has_reasons then 'not_recorded'
            when cells.sheet = 7 and not states.has_appeals then 'not_recorded'
            when cells.sheet = 7 and cells.scope = 'out_of_court' and not states.has_out_of_court
                then 'not_recorded'
            when cells.sheet = 9 and not states.has_roster then 'not_recorded'
            when cells.indicator = 'appeal_proxy_precision' and not states.has_appeals
                then 'not_recorded'
            else cells.own_reason
        end as why_blank,
        case
            when
                (cells.sheet in (5, 6) or (cells.sheet = 8 and cells.scope = 'own_initiative'))
                and states.n_without_ground > 0
                then 'ground_not_stated'
            when cells.sheet = 3 and states.n_orders_unmapped > 0 then 'category_not_mapped'
            when cells.sheet = 4 and states.n_notices_unmapped > 0 then 'category_not_mapped'
            when cells.sheet = 5 and states.n_illegal_unmapped > 0 then 'category_not_mapped'
            when cells.sheet = 6 and states.n_terms_unmapped > 0 then 'category_not_mapped'
            when
                states.n_decider_unknown > 0
                and (cells.sheet = 8 or cells.indicator = 'n_automated')
                then 'decider_not_stated'
            when not states.is_over then 'period_not_over'
        end as why_unfit
    from cells
    inner join states on {{ same_keys('cells', 'states', ['period_type', 'period_starts_on']) }}
)

select
    period_type,
    period_starts_on,
    cast(sheet as bigint) as sheet,
    scope,
    category,
    keyword,
    indicator,
    period_ends_on,
    -- Counted, and no cell of the template.
    indicator not in (
        'n_pending', 'n_not_notified', 'appeal_proxy_precision', 'full_time_equivalents'
    )
    and scope <> 'vendor_unknown'
    and (indicator <> 'n_omitted' or scope in ('internal', 'out_of_court')) as is_in_template,
    case
        when indicator like '%median%' then 'hours'
        when
            indicator in (
                'accuracy', 'precision', 'recall', 'share_implemented', 'appeal_proxy_precision'
            )
            then 'share'
        when indicator = 'full_time_equivalents' then 'full-time equivalents'
        else 'count'
    end as unit,
    case when why_blank is null then cast(found_value as double) end as cell_value,
    case
        when why_blank is null or indicator in ('accuracy', 'precision', 'recall')
            then cast(n as bigint)
    end as n,
    effective_n,
    ci_low,
    ci_high,
    coalesce(why_blank, why_unfit) as reason_code,
    -- A median of nothing is blank, and in order.
    coalesce(why_blank, 'zero_denominator') = 'zero_denominator' and why_unfit is null
        as is_fit_to_publish
from judged
