with reviews as (
    select * from {{ ref('int_agreement__reviews') }}
),

actions as (
    select * from {{ ref('action_codes') }}
),

roster as (
    select * from {{ ref('stg_roster') }}
),

placed as (
    select
        reviews.*,
        actions.is_enforcing,
        actions.strength,
        roster.site,
        roster.language,
        {{ reporting_date('reviews.rated_at') }} as rated_on,
        {{ reporting_date(
            'min(reviews.rated_at) over '
            ~ '(partition by reviews.rating_source, reviews.session_id, reviews.item_id)'
        ) }} as item_rated_on
    from reviews
    left join actions on reviews.action_code = actions.action_code
    left join roster
        on
            reviews.rater_key = roster.person_key
            and {{ valid_at('roster', 'reviews.rated_at') }}
),

labelled as (
    {% for kind, column in label_kinds().items() -%}
    select
        *,
        '{{ kind }}' as label_kind,
        case when is_enforcing is not null then {{ column['label'] }} end as label,
        cast({{ column['rank'] }} as bigint) as label_rank
    from placed
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- A rating without a label is none, so it is not the first of its rater either.
ordered as (
    select
        *,
        row_number() over (
            partition by rating_source, label_kind, item_id, rater_key, label is null
            order by rated_at, session_id, rating_id
        ) as number_in_time,
        lag(label) over (
            partition by rating_source, label_kind, item_id, rater_key, label is null
            order by rated_at, session_id, rating_id
        ) as label_before,
        min(case when label is not null then rater_key end) over (
            partition by rating_source, label_kind, session_id, item_id
        ) as first_rater,
        max(case when label is not null then rater_key end) over (
            partition by rating_source, label_kind, session_id, item_id
        ) as last_rater
    from labelled
)

select
    rating_source,
    label_kind,
    session_id,
    item_id,
    rater_key,
    rating_id,
    item_policy_id,
    site,
    language,
    rated_on,
    item_rated_on,
    case
        when action_code is null then 'not_rated'
        when is_enforcing is null then 'not_a_decision'
        when label is null then 'label_missing'
        when number_in_time > 1 then 'repeated_rating'
        when rating_source = 'double_review' and first_rater = last_rater then 'one_auditor'
    end as exclusion_reason,
    label,
    label_rank,
    label_before,
    cast(case when label is not null then number_in_time end as bigint) as rating_number,
    rated_at,
    source_system,
    recorded_at
from ordered
