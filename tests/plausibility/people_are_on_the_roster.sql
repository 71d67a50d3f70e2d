-- Of people on no roster nobody knows the site, vendor or team. A source without a roster is not
-- asked.
{% set people = {
    'decisions': ['moderator_key', 'decided_at'],
    'audits': ['auditor_key', 'audited_at'],
    'calibration_ratings': ['rater_key', 'rated_at'],
    'golden_results': ['moderator_key', 'served_at'],
} -%}

with roster as (
    select * from {{ ref('stg_roster') }}
),

{% for table, (person, moment) in people.items() -%}
{{ table }} as (
    select
        '{{ table }}' as table_name,
        {{ person }} as person_key,
        {{ reporting_date(moment) }} as seen_on,
        count(*) as n_rows
    from {{ ref('stg_' ~ table) }}
    where {{ person }} is not null
    group by {{ person }}, {{ reporting_date(moment) }}
),

{% endfor -%}
seen as (
    {% for table in people -%}
    select * from {{ table }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

placed as (
    select
        seen.table_name,
        seen.person_key,
        seen.seen_on,
        seen.n_rows,
        max(case when roster.person_key is null then 0 else 1 end) as is_on_the_roster
    from seen
    left join roster
        on
            seen.person_key = roster.person_key
            and {{ reporting_date('roster.valid_from') }} <= seen.seen_on
            and (
                roster.valid_to is null
                or {{ reporting_date('roster.valid_to') }} >= seen.seen_on
            )
    group by seen.table_name, seen.person_key, seen.seen_on, seen.n_rows
),

counted as (
    select
        table_name,
        cast(sum(n_rows) as bigint) as n_rows,
        cast(sum(case when is_on_the_roster = 0 then n_rows else 0 end) as bigint)
            as n_off_the_roster
    from placed
    group by table_name
)

select
    table_name,
    n_rows,
    n_off_the_roster,
    -- What others than moderators do is in rates of the whole all the same.
    case
        when table_name = 'decisions'
            then cast(floor({{ tolerance('off_the_roster') }} * n_rows) as bigint)
        else n_rows
    end as n_tolerated
from counted
where n_off_the_roster > 0 and exists (select 1 from roster)
