-- What is grouped by name is counted apart where the name has two spellings, and a word for
-- "nothing" is one more name. Read from the raw tables, for people's ids are no names any more in
-- staging.
{% set names = {
    'person': [
        ('roster', 'person_id'), ('decisions', 'moderator_id'), ('audits', 'auditor_id'),
        ('calibration_ratings', 'rater_id'), ('golden_results', 'moderator_id'),
    ],
    'policy': [
        ('policies', 'policy_id'), ('decisions', 'primary_policy_id'),
        ('audits', 'truth_policy_id'), ('audits', 'decided_policy_id'),
        ('disputes', 'final_policy_id'), ('calibration_ratings', 'policy_id'),
    ],
    'queue': [('queues', 'queue_id'), ('review_jobs', 'queue_id')],
    'site': [('roster', 'site')],
    'vendor': [('roster', 'vendor')],
    'team': [('roster', 'team_id')],
    'language': [('roster', 'language'), ('review_jobs', 'language')],
    'region': [('review_jobs', 'region')],
    'item type': [('review_jobs', 'item_type')],
    'model version': [('decisions', 'model_version')],
    'category': [('audit_scores', 'category_id')],
} -%}

with delivered as (
    {% for kind, columns in names.items() -%}
    {% for table, column in columns -%}
    select
        '{{ kind }}' as kind,
        '{{ table }}.{{ column }}' as found_in,
        {{ column }} as delivered_name
    from ({{ raw(table) }}) as {{ table }}
    where {{ column }} <> '' and {{ known_as_of() }}
    group by {{ column }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

spelt as (
    select
        *,
        -- In a person's id every sign may count: 1-12 and 11-2 are two.
        case
            when kind = 'person' then {{ spelling('delivered_name') }}
            else replace(replace({{ spelling('delivered_name') }}, '_', ''), '-', '')
        end as spelling
    from delivered
),

compared as (
    select
        *,
        min(delivered_name) over (partition by kind, spelling)
        <> max(delivered_name) over (partition by kind, spelling) as is_spelt_two_ways,
        -- North America and Nauru are names; so is nothing else of these.
        spelling in ('null', 'none', 'nan', 'n/a', 'notapplicable', 'not applicable')
        or (spelling = 'na' and kind not in ('region', 'language')) as is_word_for_nothing
    from spelt
)

select
    kind,
    case when kind = 'person' then {{ pseudonym('delivered_name') }} else delivered_name end
        as delivered_name,
    found_in,
    case when is_word_for_nothing then 'a word for nothing' else 'spelt in two ways' end as fault
from compared
where is_spelt_two_ways or is_word_for_nothing
order by kind, spelling, found_in
