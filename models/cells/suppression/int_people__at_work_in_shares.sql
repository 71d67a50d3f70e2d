{#- By whom the work was done that open marts of audits, golden items, ratings and
    appeals count. -#}
{% set ratings_of = rating_dimensions() -%}
{% set pairs_of = person_dimensions() -%}
{% do pairs_of.update({
    'rater_role': "coalesce(rater_role, 'unknown')", 'policy': 'benchmark_policy_id',
}) -%}
{% set of_auditors = {} -%}
{% for name, own in auditor_dimensions().items() -%}
{% do of_auditors.update({name: audit_dimensions()[own]}) -%}
{% endfor -%}
{#- basis, kind of work, relation, day, person, dimensions, condition. -#}
{% set heads = [
    ['basis', 'decider', 'audits_by_basis', 'audited_on', 'moderator_key', audit_dimensions(),
        "decided_by_type = 'human'"],
    [by_auditor('basis'), 'counted', 'audits_by_basis', 'audited_on', 'auditor_key', of_auditors,
        'true'],
    ["'calibration'", 'rater', 'pairs', 'rated_on', 'rater_key', pairs_of, 'true'],
    ["'calibration'", 'counted', 'pairs', 'rated_on', 'rater_key', pairs_of,
        'exclusion_reason is null'],
    ["concat('agreement ', rating_source)", 'rater', 'ratings', 'item_rated_on', 'rater_key',
        ratings_of, 'true'],
] -%}
{% for relation, event in events_by_person().items() -%}
{% do heads.append([
    'basis', 'counted', relation ~ '_by_basis', event['day'], event['person'], event['dimensions'],
    'true',
]) -%}
{% endfor -%}
{#- Of appeals, who took the decisions complained of. -#}
{% for anchor, day in appeal_anchors().items() -%}
{% do heads.append([
    appeal_basis('appellant', "'" ~ anchor ~ "'"), 'counted', 'appeals', day, 'moderator_key',
    appeal_dimensions(), "decided_by_type = 'human' and " ~ day ~ ' is not null',
]) -%}
{% endfor -%}
{% for kind in label_kinds() -%}
{% do heads.append([
    "concat('agreement ', rating_source)", kind, 'ratings', 'item_rated_on', 'rater_key',
    ratings_of, "exclusion_reason is null and label_kind = '" ~ kind ~ "'",
]) -%}
{% endfor -%}

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

pairs as (
    select * from {{ ref('int_calibration__pairs') }}
),

appeals as (
    select * from {{ ref('fct_appeals') }}
    where is_in_rates
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
),

bases as (
    select distinct denominator as basis
    from {{ ref('metrics') }}
    where mart = 'quality_rates' and person is not null
),

{{ events_of_shares() }},

{% for relation, event in events_by_person().items() -%}
{{ relation }}_by_basis as (
    select
        of_all.*,
        bases.basis
    from {{ relation }} as of_all
    cross join bases
    where
        case bases.basis
            {% for name, expression in event['measures'].items() -%}
            when '{{ name }}' then {{ expression }}
            {% endfor -%}
        end > 0
),

{% endfor -%}
-- Who is not known may be any of the others: null, so that nobody is counted.
people as (
    {% for basis, head_of, relation, day, person, dimensions, condition in heads -%}
    select
        {{ basis }} as basis,
        '{{ head_of }}' as head_of,
        {{ person }} as person_key,
        {% for name in suppressed_dimensions() -%}
        {{ dimensions.get(name, 'cast(null as string)') }} as {{ name }},
        {% endfor -%}
        {{ week_start(day) }} as week_starts_on,
        cast(date_trunc('month', {{ day }}) as date) as month_starts_on,
        cast(date_trunc('quarter', {{ day }}) as date) as quarter_starts_on
    from {{ relation }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

-- A quarter has its months. One that is not over is not shown if a month of it is not.
select distinct
    people.basis,
    'quarter' as period_type,
    case
        when
            cast({{ dbt.dateadd('month', 3, 'people.quarter_starts_on') }} as date)
            <= {{ reporting_date('as_of.as_of') }}
            then people.quarter_starts_on
        else people.month_starts_on
    end as scope_starts_on,
    cast(people.month_starts_on as string) as part,
    people.head_of,
    {% for name in suppressed_dimensions() -%}
    people.{{ name }},
    {% endfor -%}
    people.person_key
from people
cross join as_of
union all
-- A month has the parts of weeks.
select distinct
    basis,
    'part_of_month' as period_type,
    month_starts_on as scope_starts_on,
    cast(week_starts_on as string) as part,
    head_of,
    {% for name in suppressed_dimensions() -%}
    {{ name }},
    {% endfor -%}
    person_key
from people
