{% set period = ['period_type', 'period_starts_on'] -%}
{% set complaint_scopes = [
    'internal', 'visibility', 'service', 'account', 'monetary', 'no_action_on_notice',
    'no_action_on_trusted_notice', 'out_of_court',
] -%}
{% set complaint_counts = [
    'n_complaints', 'n_upheld', 'n_partially_reversed', 'n_reversed', 'n_omitted', 'n_pending',
    'n_not_notified',
] -%}
{#- What a cell has that its part of the sheets does not say. -#}
{% set absent = {
    'category': "'TOTAL'",
    'keyword': "''",
    'n': 'cast(null as bigint)',
    'effective_n': 'cast(null as double)',
    'ci_low': 'cast(null as double)',
    'ci_high': 'cast(null as double)',
    'own_reason': 'cast(null as string)',
} -%}
{% set of_nothing = "case when found_value is null then 'zero_denominator' end" -%}
{% set parts = {
    'category_cells': {'category': 'category', 'keyword': 'keyword', 'n': 'n',
        'own_reason': 'own_reason'},
    'complaint_cells': {'n': 'n', 'own_reason': of_nothing},
    'automated_cells': {},
    'estimate_cells': {'n': 'n', 'effective_n': 'effective_n', 'ci_low': 'ci_low',
        'ci_high': 'ci_high', 'own_reason': 'own_reason'},
    'proxy_cells': {'n': 'n', 'own_reason': of_nothing},
    'people_cells': {
        'own_reason': "case when found_value is null then 'not_recorded' end",
    },
} -%}

with rows_of_sheets as (
    select * from {{ ref('int_dsa__rows') }}
),

states as (
    select * from {{ ref('int_dsa__states') }}
),

by_category as (
    select * from {{ ref('int_dsa__category_cells') }}
),

complaints as (
    select * from {{ ref('int_dsa__complaints_cells') }}
),

automated as (
    select * from {{ ref('int_dsa__automated_cells') }}
),

estimates as (
    select * from {{ ref('int_dsa__automated_estimates') }}
),

people as (
    select * from {{ ref('int_dsa__people_cells') }}
),

kinds as (
    select distinct split_part(dsa_restriction, '_', 1) as restriction_kind
    from {{ ref('action_codes') }}
    where dsa_restriction is not null
),

-- Sheets 3 to 6. What applies and did not happen is 0; a median of nothing is blank.
category_cells as (
    select
        rows_of_sheets.period_type,
        rows_of_sheets.period_starts_on,
        rows_of_sheets.sheet,
        'total' as scope,
        rows_of_sheets.row_category as category,
        rows_of_sheets.row_keyword as keyword,
        rows_of_sheets.indicator,
        case
            when rows_of_sheets.indicator like '%median%' then by_category.indicator_value
            else coalesce(by_category.indicator_value, 0e0)
        end as found_value,
        by_category.n,
        case
            when rows_of_sheets.indicator like '%median%' and by_category.indicator_value is null
                then 'zero_denominator'
        end as own_reason
    from rows_of_sheets
    left join by_category
        on
            {{ same_keys('rows_of_sheets', 'by_category', period + [
                'sheet', 'row_category', 'row_keyword', 'indicator',
            ]) }}
),

-- Sheet 7.
complaint_cells as (
    select
        states.period_type,
        states.period_starts_on,
        cast(7 as bigint) as sheet,
        scopes.scope,
        indicators.indicator,
        case indicators.indicator
            {% for name in complaint_counts -%}
            when '{{ name }}' then coalesce(complaints.{{ name }}, 0)
            {% endfor -%}
            when 'median_hours' then complaints.median_hours
            when 'share_implemented'
                then
                    complaints.n_implemented
                    / cast(
                        nullif(complaints.n_reversed + complaints.n_partially_reversed, 0) as double
                    )
        end as found_value,
        case indicators.indicator
            when 'median_hours' then complaints.n_answered
            when 'share_implemented'
                then complaints.n_reversed + complaints.n_partially_reversed
        end as n
    from states
    inner join (
        values {% for name in complaint_scopes + ['newly_restricted'] -%}
        ('{{ name }}'){{ ', ' if not loop.last }}
        {%- endfor %}
    ) as scopes (scope)
        -- A kind of restriction that no action is does not apply.
        on
            scopes.scope not in ('visibility', 'service', 'account', 'monetary')
            or scopes.scope in (select kinds.restriction_kind from kinds)
    inner join (
        values {% for name in complaint_counts + ['median_hours', 'share_implemented'] -%}
        ('{{ name }}'){{ ', ' if not loop.last }}
        {%- endfor %}
    ) as indicators (indicator)
        on
            (scopes.scope <> 'newly_restricted' or indicators.indicator = 'n_complaints')
            and (scopes.scope = 'out_of_court' or indicators.indicator <> 'share_implemented')
    left join complaints
        on
            {{ same_keys('states', 'complaints', period) }}
            and scopes.scope = complaints.scope
),

-- Sheet 8: what machines did alone.
scopes_of_automation as (
    select fixed.scope
    from (
        values ('total'), ('own_initiative'), ('notices'), ('trusted_notices')
    ) as fixed (scope)
    union
    select scope from automated
),

automated_scopes as (
    select
        states.period_type,
        states.period_starts_on,
        scopes.scope
    from states
    cross join scopes_of_automation as scopes
),

automated_cells as (
    select
        automated_scopes.period_type,
        automated_scopes.period_starts_on,
        cast(8 as bigint) as sheet,
        automated_scopes.scope,
        indicators.indicator,
        cast(
            case indicators.indicator
                {% for name in ['n_automated', 'n_not_automated', 'n_pending'] -%}
                when '{{ name }}' then coalesce(automated.{{ name }}, 0)
                {% endfor -%}
            end as double
        ) as found_value
    from automated_scopes
    inner join (
        values ('n_automated'), ('n_not_automated'), ('n_pending')
    ) as indicators (indicator)
        on
            indicators.indicator <> 'n_pending'
            or automated_scopes.scope in ('notices', 'trusted_notices')
    left join automated
        on {{ same_keys('automated_scopes', 'automated', period + ['scope']) }}
),

estimate_cells as (
    select
        automated_scopes.period_type,
        automated_scopes.period_starts_on,
        cast(8 as bigint) as sheet,
        automated_scopes.scope,
        indicators.indicator,
        case when estimates.is_reportable then estimates.estimate end as found_value,
        estimates.n,
        estimates.effective_n,
        case when estimates.is_reportable then estimates.ci_low end as ci_low,
        case when estimates.is_reportable then estimates.ci_high end as ci_high,
        case
            when estimates.indicator is null then 'no_audits'
            when estimates.reason_code = 'stratum_not_audited' and estimates.has_enforced_audits
                then 'no_audits_of_not_enforced'
            else estimates.reason_code
        end as own_reason
    from automated_scopes
    cross join (values ('accuracy'), ('precision'), ('recall')) as indicators (indicator)
    left join estimates
        on
            {{ same_keys('automated_scopes', 'estimates', period + ['scope']) }}
            and indicators.indicator = estimates.indicator
),

people_rows as (
    select
        fixed.scope,
        'n_moderators' as indicator
    from (
        values ('internal'), ('external'), ('languages')
    ) as fixed (scope)
    union
    select
        scope,
        indicator
    from people
),

proxy_cells as (
    select
        {{ period | join(', ') }},
        cast(8 as bigint) as sheet,
        'total' as scope,
        'appeal_proxy_precision' as indicator,
        1 - n_automated_overturned / cast(nullif(n_automated_acts, 0) as double) as found_value,
        n_automated_acts as n
    from states
),

people_cells as (
    select
        states.period_type,
        states.period_starts_on,
        cast(9 as bigint) as sheet,
        scopes.scope,
        scopes.indicator,
        case
            when scopes.indicator = 'n_moderators' then coalesce(people.indicator_value, 0)
            else people.indicator_value
        end as found_value
    from states
    cross join people_rows as scopes
    left join people
        on
            {{ same_keys('states', 'people', period) }}
            and scopes.scope = people.scope
            and scopes.indicator = people.indicator
)

{% for cells, has in parts.items() -%}
select
    {{ period | join(', ') }},
    sheet,
    scope,
    {% for name, nothing in absent.items() -%}
    {% set told = has.get(name, nothing) -%}
    {{ told if told == name else told ~ ' as ' ~ name }},
    {% endfor -%}
    indicator,
    found_value
from {{ cells }}
{{ 'union all' if not loop.last }}
{% endfor %}
