-- Is vendor B worse, or does it have the harder queues? Its raw rate beside its rate in the mix
-- that everybody has, over the last 90 days: own_effect is the vendor, mix_effect is its queues.
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
    reference_estimate as everybody_at_the_same_work,
    own_effect,
    mix_effect,
    comparable_share,
    empty_cells,
    case
        when reason_code is not null then concat('cannot say: ', reason_code)
        when ci_high < reference_estimate then 'worse than everybody at the same work'
        when ci_low > reference_estimate then 'better than everybody at the same work'
        else 'no difference that could not be chance'
    end as answer
from {{ ref('accuracy_compared') }}
where dimension_name = 'vendor' and period_type = 'trailing'
order by mix_name, dimension_value
