with scores as (
    select * from {{ ref('stg_audit_scores') }}
),

audits as (
    select * from {{ ref('fct_audits') }}
),

-- Only the scorecard of the revision in force; an audit's verdict may be blank, its scores are not.
in_force as (
    select
        scores.audit_id,
        scores.category_id,
        scores.weight,
        coalesce(scores.is_not_applicable, false) as is_not_applicable,
        case
            when not coalesce(scores.is_not_applicable, false)
                then
                    (scores.score - scores.scale_min)
                    / nullif(scores.scale_max - scores.scale_min, 0)
        end as category_score,
        coalesce(scores.is_critical, false) as is_critical,
        case
            when coalesce(audits.exclusion_reason, 'no_frame') not in ('no_frame', 'truth_missing')
                then audits.exclusion_reason
        end as audit_exclusion_reason
    from scores
    inner join audits
        on scores.audit_id = audits.audit_id and scores.revision_no = audits.revision_no
),

categories as (
    select
        *,
        is_critical and coalesce(category_score < 0.5, false) as is_automatic_fail
    from in_force
),

reviews as (
    select
        audit_id,
        max(audit_exclusion_reason) as audit_exclusion_reason,
        max(case when is_automatic_fail then 1 else 0 end) = 1 as is_automatic_fail,
        {{ exact_sum('category_score * weight') }}
        / nullif({{ exact_sum('case when category_score is not null then weight end') }}, 0)
            as review_score
    from categories
    group by audit_id
),

rated as (
    select
        audit_id,
        'review' as score_of,
        'all' as category_id,
        coalesce(
            audit_exclusion_reason, case when review_score is null then 'nothing_rated' end
        ) as exclusion_reason,
        is_automatic_fail,
        case when is_automatic_fail then review_score * 0 else review_score end as score,
        review_score as score_without_fails
    from reviews
    union all
    select
        audit_id,
        'category' as score_of,
        category_id,
        coalesce(
            audit_exclusion_reason,
            case
                when is_not_applicable then 'not_applicable'
                when category_score is null then 'not_rated'
            end
        ) as exclusion_reason,
        is_automatic_fail,
        category_score as score,
        category_score as score_without_fails
    from categories
)

select
    rated.audit_id,
    rated.score_of,
    rated.category_id,
    audits.decided_on,
    audits.stratum_key,
    audits.queue_id,
    audits.policy_id,
    audits.parent_policy_id,
    audits.decided_by_type,
    audits.site,
    audits.vendor,
    audits.team_id,
    audits.language,
    audits.region,
    audits.item_type,
    audits.model_version,
    audits.confidence,
    rated.exclusion_reason,
    rated.is_automatic_fail,
    rated.score,
    rated.score_without_fails,
    audits.weight
from rated
inner join audits on rated.audit_id = audits.audit_id
