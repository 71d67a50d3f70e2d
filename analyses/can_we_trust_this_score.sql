-- Can we trust this moderator's score? Everybody's, least certain last: how many audits stand
-- behind it, how much of it is the person's own, and how sure it is that it is below the target.
-- Restricted: only for those who look after these people.
select
    moderator_key,
    tenure_band,
    n_audits,
    effective_n,
    estimate as rate_as_measured,
    own_weight,
    eb_estimate as score,
    eb_ci_low,
    eb_ci_high,
    target_accuracy_at_decision,
    probability_below_target,
    mix_effect,
    eb_standardised_estimate as score_without_the_mix,
    accuracy_rank,
    case
        when reason_code is not null then concat('no: ', reason_code)
        when probability_below_target is null then 'no target to compare with'
        when probability_below_target >= 0.95 then 'below the target, rather surely'
        when probability_below_target <= 0.05 then 'at the target, rather surely'
        else 'neither: more audits would tell'
    end as answer
from {{ ref('moderator_accuracy') }}
where period_type = 'trailing'
order by effective_n desc nulls last, moderator_key asc
