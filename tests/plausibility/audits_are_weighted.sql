-- Audits that no frame weights are in no rate but the unweighted one. That all of them are is
-- easily missed where the frame is a table nobody has heard of.
with audits as (
    select
        exclusion_reason,
        weight
    from {{ ref('fct_audits') }}
)

select
    concat(
        cast(count(*) as string),
        ' audits, none weighted: no frame; see derive_sampling_frame'
    ) as what_is_wrong
from audits
having
    count(weight) = 0
    and sum(case when exclusion_reason = 'no_frame' then 1 else 0 end) > 0
