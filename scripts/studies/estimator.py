"""The project's own SQL that is studied: a share or a recall of audits, and scores of people."""

# effective_n without the cap that the weights set; where p is 0 or 1 there is no design effect.
_UNCAPPED_N = """
    case
        when design_effect > 0 then least(n_audits / design_effect, n_audits)
        else effective_n
    end
"""
ESTIMATOR = f"""
with design as (
    {{{{ sampling_design('strata') }}}}
)

select
    *,
    {{{{ wilson_bound('estimate', 'uncapped_n', 'low') }}}} as wilson_low,
    {{{{ wilson_bound('estimate', 'uncapped_n', 'high') }}}} as wilson_high,
    {{{{ wilson_bound('pooled', 'n_audits', 'low') }}}} as pooled_low,
    {{{{ wilson_bound('pooled', 'n_audits', 'high') }}}} as pooled_high
from (
    select
        *,
        {_UNCAPPED_N} as uncapped_n,
        n_successes / cast(nullif(n_audits, 0) as double) as pooled
    from (
        {{{{ stratified_ratio(
            'cells', 'design', by=['domain_key', 'replication'], kinds=['share', 'truth']
        ) }}}}
    ) as rates
) as with_n
order by domain_key, replication
"""
SCORES = """
select
    *,
    {{ normal_bound('eb_estimate', 'eb_standard_error', 'low') }} as ci_low,
    {{ normal_bound('eb_estimate', 'eb_standard_error', 'high') }} as ci_high
from ({{ empirical_bayes('rates', by=['world'], key='person') }}) as scores
"""
