-- Is vendor B worse, or does it have the harder queues? Its raw rate beside its rate in the mix
-- that everybody has, over the last 90 days: own_effect is the vendor, mix_effect is its queues.
-- The answer is against the others: everybody contains the vendor and hides a part of its gap.
select
    dimension_value as vendor,
    mix_name,
    period_starts_on,
    period_ends_on,
    n_people,
    n_audits,
    raw_estimate,
    estimate as standardised_estimate,
    ci_low,
    ci_high,
    others_estimate as others_at_the_same_work,
    difference_from_others,
    difference_ci_low,
    difference_ci_high,
    reference_estimate as everybody_at_the_same_work,
    own_effect,
    mix_effect,
    comparable_share,
    shared_share,
    empty_cells,
    case
        when reason_code is not null then concat('cannot say: ', reason_code)
        when is_apart_from_others is null then 'cannot say: too little to compare with'
        when is_apart_from_others and difference_from_others < 0
            then 'worse than the others at the same work'
        when is_apart_from_others then 'better than the others at the same work'
        else 'no difference that could not be chance'
    end as answer
from {{ ref('accuracy_compared') }}
where dimension_name = 'vendor' and period_type = 'trailing'
order by mix_name, dimension_value
