{#- Of a queue or policy, counts of decisions are nobody's own; of a group of people they are its work. -#}
{% macro work_is_shown(dimension_name='dimension_name', code='suppression_code') -%}
    ({{ code }} is null or {{ dimension_name }} not in ('{{ roster_dimensions() | join("', '") }}'))
{%- endmacro %}

{#- The first three are a scope, in which groups are withheld together. -#}
{% macro suppressed_group_keys() -%}
    {{ return(['basis', 'period_type', 'scope_starts_on', 'dimension_name', 'dimension_value']) }}
{%- endmacro %}

{% macro suppressed_dimensions() -%}
    {%- set names = reporting_dimensions().keys() | reject('equalto', 'overall') | list -%}
    {{ return(names + ['tenure_band'] + dimensions_of_shares()) }}
{%- endmacro %}

{#- Dimensions that only the marts of audits, golden items, ratings and appeals have. All together may be
    few. -#}
{% macro dimensions_of_shares() -%}
    {{ return([
        'overall', 'sampling_method', 'key_version', 'action', 'session', 'rater_role',
        'channel',
    ]) }}
{%- endmacro %}

{#- The basis of what is said of auditors by their own site, vendor and tier. -#}
{% macro by_auditor(basis) -%}
    concat({{ basis }}, ' by auditor')
{%- endmacro %}

{% macro without_by_auditor(basis) -%}
    replace({{ basis }}, ' by auditor', '')
{%- endmacro %}

{#- Which of the dimensions of people an auditor's own are. -#}
{% macro auditor_dimensions() -%}
    {{ return({
        'site': 'auditor_site', 'vendor': 'auditor_vendor', 'team': 'auditor_tier',
    }) }}
{%- endmacro %}

{#- Dimension, name of a larger group that its groups may be summed to, and the value of that one. -#}
{% macro containers_of_groups() -%}
    {%- set containers = [
        ['site', 'vendor', 'vendor'],
        ['vendor', 'site', 'site'],
        ['team', 'vendor', 'vendor'],
        ['team', 'site', 'site'],
        ['policy', 'policy_parent', 'policy_parent'],
        ['queue_and_decider', 'queue', 'queue'],
    ] -%}
    {%- for name in suppressed_dimensions() -%}
        {%- do containers.append([name, 'all', "'all'"]) -%}
    {%- endfor -%}
    {{ return(containers) }}
{%- endmacro %}

{#- What the sites or vendors that are shown leave of everybody, and of one another. -#}
{% macro containers_of_teams() -%}
    {{ return([
        ['team', 'other_sites', "case when is_site_withheld then 'all' end"],
        ['team', 'other_vendors', "case when is_vendor_withheld then 'all' end"],
        ['team', 'rest_of_vendor', 'case when not is_site_taken_off then vendor end'],
        ['team', 'rest_of_site', 'case when not is_vendor_taken_off then site end'],
    ]) }}
{%- endmacro %}

{% macro few_people_in_a_part() -%}
    count(distinct person_key) < {{ var('min_people') }}
{%- endmacro %}

{#- People in groups, and the larger groups (containers) that the groups may be summed to. Each once: of
    one dimension, a person's rows of all others are the same, and all that follows counts people.

    pairs: (dimension, name of a container, its value as an expression). -#}
{% macro people_in_containers(people, pairs) -%}
    select distinct
        of_people.basis,
        of_people.period_type,
        of_people.scope_starts_on,
        of_people.part,
        of_people.head_of,
        of_people.person_key,
        of_people.dimension_name,
        of_people.dimension_value,
        of_people.container_name,
        of_people.container_value
    from (
        select
            people.*,
            pairs.dimension_name,
            pairs.container_name,
            case pairs.dimension_name
                {% for name in pairs | map(attribute=0) | unique -%}
                when '{{ name }}' then {{ name }}
                {% endfor -%}
            end as dimension_value,
            case pairs.container_name
                {% for dimension, container, value in pairs -%}
                when '{{ container }}' then {{ value }}
                {% endfor -%}
            end as container_value
        from {{ people }} as people
        cross join (
            values {% for dimension, container, value in pairs -%}
            ('{{ dimension }}', '{{ container }}'){{ ', ' if not loop.last }}
            {%- endfor %}
        ) as pairs (dimension_name, container_name)
    ) as of_people
    where of_people.dimension_value is not null
{%- endmacro %}

{#- What is shown, less what else is shown, must not be of few people. Groups that lie wholly in a
    container can be taken off its total, which leaves the groups that are withheld and those that
    lie in several containers. Where few people are left, the smallest other group that is there
    wherever few are left is withheld with them; where no single one is, all are. -#}
{% macro complementary_groups(in_containers, withheld) -%}
    {%- set group = suppressed_group_keys() -%}
    {%- set container = group[:4] + ['container_name', 'container_value'] -%}
    {%- set part = container + ['part', 'head_of'] -%}
    with taken_off as (
        select
            {{ group | join(', ') }},
            container_name,
            min(container_value) as container_value
        from {{ in_containers }}
        group by {{ group | join(', ') }}, container_name
        having
            count(distinct container_value) = 1
            and count(container_value) = count(*)
    ),

    marked as (
        select
            inside.*,
            taken_off.dimension_value is not null and withheld.dimension_value is null
                as is_taken_off
        from {{ in_containers }} as inside
        left join taken_off
            on {{ same_keys('inside', 'taken_off', group + ['container_name']) }}
        left join {{ withheld }} as withheld on {{ same_keys('inside', 'withheld', group) }}
        where inside.container_value is not null
    ),

    few_left as (
        select {{ part | join(', ') }}
        from marked
        where not is_taken_off
        group by {{ part | join(', ') }}
        having {{ few_people_in_a_part() }}
    ),

    parts as (
        select
            {{ container | join(', ') }},
            count(*) as n_parts
        from few_left
        group by {{ container | join(', ') }}
    ),

    candidates as (
        select
            {% for key in container + ['dimension_value'] -%}
            marked.{{ key }},
            {% endfor -%}
            count(distinct concat(marked.part, marked.head_of)) as n_parts,
            count(distinct marked.person_key) as n_people
        from marked
        inner join few_left on {{ same_keys('marked', 'few_left', part) }}
        where marked.is_taken_off
        group by
            {% for key in container + ['dimension_value'] -%}
            marked.{{ key }}{{ ',' if not loop.last }}
            {% endfor %}
    ),

    ranked as (
        select
            candidates.*,
            max(candidates.n_parts) over (
                partition by {% for key in container -%}
                candidates.{{ key }}{{ ', ' if not loop.last }}
                {%- endfor %}
            ) = parts.n_parts as is_one_enough,
            row_number() over (
                partition by {% for key in container -%}
                candidates.{{ key }}{{ ', ' if not loop.last }}
                {%- endfor %}
                order by
                    candidates.n_parts desc,
                    candidates.n_people asc,
                    candidates.dimension_value asc
            ) as choice
        from candidates
        inner join parts on {{ same_keys('candidates', 'parts', container) }}
    )

    select {{ group | join(', ') }}
    from ranked
    where choice = 1 or not is_one_enough
{%- endmacro %}

{#- Teams in two places, few people of them in one: less what the sites or vendors say of the others, the
    team's row would tell of the few. -#}
{% macro teams_with_few_elsewhere(people) -%}
    {%- set team = ['basis', 'period_type', 'scope_starts_on', 'part', 'head_of', 'team'] -%}
    select distinct
        basis,
        period_type,
        scope_starts_on,
        'team' as dimension_name,
        team as dimension_value
    from (
        select
            {{ team | join(', ') }},
            n_people,
            count(*) over (partition by {{ team | join(', ') }}) as n_places
        from (
            select
                {{ team | join(', ') }},
                count(distinct person_key) as n_people
            from {{ people }}
            where team is not null
            group by {{ team | join(', ') }}, site, vendor
        ) as cells
    ) as shares
    where n_places = 2 and n_people < {{ var('min_people') }}
{%- endmacro %}

{#- How many people are in each site and vendor, those that are withheld as one, less the teams that are
    shown: a team in one site and one vendor can be taken off both. -#}
{% macro cells_of_sites_and_vendors(people, withheld) -%}
    {%- set scope = suppressed_group_keys()[:3] -%}
    with labelled as (
        select
            {{ scope | join(', ') }},
            part,
            head_of,
            person_key,
            team,
            case when is_site_withheld then 'withheld sites' else concat('site ', site) end
                as site,
            case when is_vendor_withheld then 'withheld vendors' else concat('vendor ', vendor) end
                as vendor
        from {{ people }}
    ),

    teams as (
        select
            {{ scope | join(', ') }},
            team
        from labelled
        group by {{ scope | join(', ') }}, team
        having count(distinct site) = 1 and count(distinct vendor) = 1
    )

    select
        {% for key in scope + ['part', 'head_of', 'site', 'vendor'] -%}
        labelled.{{ key }},
        {% endfor -%}
        count(distinct labelled.person_key) as n_people
    from labelled
    left join teams on {{ same_keys('labelled', 'teams', scope + ['team']) }}
    left join {{ withheld }} as withheld
        on
            {{ same_keys('labelled', 'withheld', scope) }}
            and withheld.dimension_name = 'team'
            and labelled.team = withheld.dimension_value
    where teams.team is null or withheld.dimension_value is not null
    group by
        {% for key in scope + ['part', 'head_of', 'site', 'vendor'] -%}
        labelled.{{ key }}{{ ',' if not loop.last }}
        {% endfor %}
{%- endmacro %}

{#- Sites and vendors that cells of many people connect are one bloc: no difference tells of few of
    them. What connects a bloc to others is told, as its sites less its vendors. Blocs are named by
    their first vendor, which is passed on from cell to cell. -#}
{% macro parts_joined_by_few(cells, rounds=3) -%}
    {%- set part = ['basis', 'period_type', 'scope_starts_on', 'part', 'head_of'] -%}
    {%- set minimum = var('min_people') -%}
    with named_0 as (
        select
            *,
            site as site_bloc,
            vendor as vendor_bloc
        from {{ cells }}
    ),

    {% for round in range(rounds) -%}
    {% for side, other in [('site', 'vendor'), ('vendor', 'site')] -%}
    {%- set before = 'named_' ~ (2 * round + loop.index0) -%}
    named_{{ 2 * round + loop.index }} as (
        select
            {{ part | join(', ') }},
            site,
            vendor,
            n_people,
            {{ other }}_bloc,
            coalesce(
                min(case when n_people >= {{ minimum }} then {{ other }}_bloc end)
                    over (partition by {{ part | join(', ') }}, {{ side }}),
                {{ side }}_bloc
            ) as {{ side }}_bloc
        from {{ before }}
    ),

    {% endfor -%}
    {% endfor -%}
    joints as (
        select
            {{ part | join(', ') }},
            site_bloc,
            vendor_bloc,
            sum(n_people) as n_people
        from named_{{ 2 * rounds }}
        where site_bloc <> vendor_bloc
        group by {{ part | join(', ') }}, site_bloc, vendor_bloc
    ),

    blocs as (
        select
            {{ part | join(', ') }},
            bloc,
            sum(n_people) as n_people
        from (
            select {{ part | join(', ') }}, site_bloc as bloc, n_people from joints
            union all
            select {{ part | join(', ') }}, vendor_bloc as bloc, n_people from joints
        ) as ends
        group by {{ part | join(', ') }}, bloc
    ),

    -- Of one bloc, and of two together.
    cuts as (
        select
            {{ part | join(', ') }},
            n_people
        from blocs
        union all
        select
            {% for key in part -%}
            one.{{ key }},
            {% endfor -%}
            one.n_people + other.n_people - 2 * sum(coalesce(joints.n_people, 0)) as n_people
        from blocs as one
        inner join blocs as other
            on {{ same_keys('one', 'other', part) }} and one.bloc < other.bloc
        left join joints
            on
                {{ same_keys('one', 'joints', part) }}
                and joints.site_bloc in (one.bloc, other.bloc)
                and joints.vendor_bloc in (one.bloc, other.bloc)
        group by
            {% for key in part -%}
            one.{{ key }},
            {% endfor -%}
            one.bloc,
            other.bloc,
            one.n_people,
            other.n_people
    )

    select distinct {{ part[:3] | join(', ') }}
    from cuts
    where n_people between 1 and {{ minimum }} - 1
{%- endmacro %}

{#- Weeks are withheld together: all that a month touches, as the month is shown without them. In a month
    that is not over, whose last weeks have few audits yet, each is alone, and the month is not shown. -#}
{% macro scopes_of_weeks(calendar, as_of) -%}
    select
        week_starts_on,
        month_starts_on,
        is_open,
        case when is_open then week_starts_on else month_starts_on end as scope_starts_on
    from (
        select distinct
            week_starts_on,
            month_starts_on,
            max({{ month_is_open('calendar') }}) over (partition by week_starts_on) = 1 as is_open
        from {{ calendar }} as calendar
        cross join {{ as_of }} as as_of
    ) as weeks
{%- endmacro %}

{% macro month_is_open(calendar) -%}
    case when {{ calendar }}.month_ends_on >= {{ reporting_date('as_of.as_of') }} then 1 else 0 end
{%- endmacro %}
