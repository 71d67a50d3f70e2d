{% set of_servings = person_dimensions() %}
{% do of_servings.update({
    'key_version': 'key_version',
    'policy': "coalesce(true_policy_id, 'no_policy')",
    'action': 'true_action_code',
}) %}
{% set repeats_measures = {} %}
{% for source in ['calibration', 'double_review'] %}
{% for kind in label_kinds() %}
{% set is_asked = "rating_source = '" ~ source ~ "' and label_kind = '" ~ kind ~ "'" %}
{% do repeats_measures.update({
    'n_same_' ~ source ~ '_' ~ kind:
        'case when ' ~ is_asked ~ ' then ' ~ one_where('label = label_before') ~ ' end',
    'n_repeats_' ~ source ~ '_' ~ kind: 'case when ' ~ is_asked ~ ' then 1 end',
}) %}
{% endfor %}
{% endfor %}

with verdicts as (
    select * from {{ ref('int_verdicts__audits') }}
),

disputes as (
    select * from {{ ref('stg_disputes') }}
),

servings as (
    select * from {{ ref('int_golden__servings') }}
),

ratings as (
    select * from {{ ref('int_agreement__ratings') }}
),

operations as (
    select * from {{ ref('int_eligibility__audit_operations') }}
),

metrics as (
    select * from {{ ref('metrics') }}
    where mart = 'quality_rates'
),

by_audit as (
    select
        audit_id,
        count(*) as n_disputes,
        sum({{ one_where("outcome = 'pending'") }}) as n_pending,
        sum({{ one_where("outcome = 'withdrawn'") }}) as n_withdrawn,
        sum({{ one_where("outcome in ('upheld', 'overturned')") }}) as n_resolved,
        sum({{ one_where("outcome = 'overturned'") }}) as n_overturned
    from disputes
    group by audit_id
),

audits as (
    select
        verdicts.*,
        coalesce(by_audit.n_disputes, 0) as n_disputes,
        coalesce(by_audit.n_pending, 0) as n_pending,
        coalesce(by_audit.n_withdrawn, 0) as n_withdrawn,
        coalesce(by_audit.n_resolved, 0) as n_resolved,
        coalesce(by_audit.n_overturned, 0) as n_overturned
    from verdicts
    left join by_audit on verdicts.audit_id = by_audit.audit_id
    where verdicts.sampling_method <> 'benchmark' and verdicts.found_error_class is not null
),

repeats as (
    select * from ratings
    where rating_number > 1
),

-- By sampling method, the decisions are those of the whole period.
operations_by_dimension as (
    select
        period_type,
        period_starts_on,
        period_ends_on,
        case when sampling_method = 'all' then dimension_name else 'sampling_method' end
            as dimension_name,
        case when sampling_method = 'all' then dimension_value else sampling_method end
            as dimension_value,
        n_eligible_decisions,
        n_audited_decisions,
        n_blind_known,
        n_blind
    from operations
    where sampling_method = 'all' or dimension_name = 'overall'
),

measured as (
    {{ rate_cells('audits', 'audited_on', 'auditor_key', audit_dimensions(), {
        'n_audits': '1',
        'n_benchmarked': one_where('benchmark_audit_id is not null'),
        'n_same_finding': one_where('is_same_finding'),
        'n_benchmark_correct': one_where("benchmark_error_class = 'correct'"),
        'n_false_alarms':
            one_where("benchmark_error_class = 'correct' and found_error_class <> 'correct'"),
        'n_benchmark_wrong': one_where("benchmark_error_class <> 'correct'"),
        'n_missed_errors':
            one_where("benchmark_error_class <> 'correct' and found_error_class = 'correct'"),
        'n_audits_with_error': one_where("found_error_class <> 'correct'"),
        'n_audits_disputed': one_where("found_error_class <> 'correct' and n_disputes > 0"),
        'n_disputes': 'n_disputes',
        'n_pending': 'n_pending',
        'n_withdrawn': 'n_withdrawn',
        'n_resolved': 'n_resolved',
        'n_overturned': 'n_overturned',
    }) }}
    union all
    {{ rate_cells('servings', 'served_on', 'moderator_key', of_servings, {
        'n_served': '1',
        'n_answered': one_where('is_answered'),
        'n_answered_with_good_key': one_where('is_answered and not is_bad_key'),
        'n_answered_with_bad_key': one_where('is_answered and is_bad_key'),
        'n_passed': one_where('is_passed'),
    }) }}
    union all
    {{ rate_cells('repeats', 'rated_on', 'rater_key', rating_dimensions(), repeats_measures) }}
    union all
    {{ cells_of_metrics('operations_by_dimension', "'not_applicable'", [
        'n_eligible_decisions', 'n_audited_decisions', 'n_blind_known', 'n_blind',
    ]) }}
)

select
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    -- Who did nothing of what is asked has no row; that nobody did has one.
    case when n > 0 then coalesce(person_key, 'unknown') else 'not_applicable' end as person_key,
    period_ends_on,
    cast(sum(n_successes) as bigint) as n_successes,
    cast(sum(n) as bigint) as n
from measured
where n is not null
group by
    metric_id,
    metric_version,
    period_type,
    period_starts_on,
    dimension_name,
    dimension_value,
    case when n > 0 then coalesce(person_key, 'unknown') else 'not_applicable' end,
    period_ends_on
