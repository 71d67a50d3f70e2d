{#- What a row of each sheet has beside its restrictions, which are there if an action is one. -#}
{% set indicators = {
    3: ['n_requests', 'n_items', 'median_hours_to_act'],
    4: [
        'n_requests', 'n_trusted_requests', 'n_items', 'n_trusted_items', 'median_hours_to_act',
        'trusted_median_hours_to_act', 'n_actions_by_law', 'n_trusted_actions_by_law',
        'n_actions_by_terms', 'n_trusted_actions_by_terms',
    ],
    5: ['n_measures', 'n_automated'],
    6: ['n_measures', 'n_automated'],
} -%}

with calendar as (
    select * from {{ ref('dim_calendar') }}
),

categories as (
    select
        seeded.category as terms_category,
        seeded.keyword as terms_keyword,
        coalesce(seeded.illegal_category, seeded.category) as illegal_category,
        coalesce(seeded.illegal_keyword, seeded.keyword) as illegal_keyword
    from {{ ref('dsa_categories') }} as seeded
    inner join {{ ref('dim_policies') }} as policies on seeded.policy_id = policies.policy_id
),

counted as (
    select
        period_type,
        period_starts_on,
        sheet,
        row_category,
        row_keyword
    from {{ ref('int_dsa__category_cells') }}
),

in_periods as (
    {{ by_dsa_period('calendar', 'calendar_date') }}
),

periods as (
    select distinct
        period_type,
        period_starts_on
    from in_periods
),

-- A category that no policy is in does not apply: its row is blank.
rows_of_sheets as (
    {% for sheet in indicators -%}
    {%- set term = 'terms_' if sheet == 6 else 'illegal_' -%}
    select
        {{ sheet }} as sheet,
        {{ term }}category as category,
        {{ term }}keyword as keyword
    from categories
    union
    select
        {{ sheet }} as sheet,
        {{ term }}category as category,
        '' as keyword
    from categories
    union
    {% endfor -%}
    select
        fixed.sheet,
        fixed.category,
        '' as keyword
    from (
        values
        (3, 'TOTAL'), (4, 'TOTAL'), (5, 'TOTAL'), (6, 'TOTAL'),
        (3, 'STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER'),
        (4, 'STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE')
    ) as fixed (sheet, category)
),

rows_in_periods as (
    select
        periods.period_type,
        periods.period_starts_on,
        rows_of_sheets.sheet,
        rows_of_sheets.category as row_category,
        rows_of_sheets.keyword as row_keyword
    from periods
    cross join rows_of_sheets
    union
    select * from counted
),

indicators as (
    select
        named.sheet,
        named.indicator
    from (
        values
        {% for sheet, names in indicators.items() -%}
        {% set is_last_sheet = loop.last -%}
        {% for name in names -%}
        ({{ sheet }}, '{{ name }}'){{ ',' if not (is_last_sheet and loop.last) }}
        {% endfor -%}
        {% endfor -%}
    ) as named (sheet, indicator)
    union
    select
        sheets.sheet,
        concat('n_', actions.dsa_restriction) as indicator
    from {{ ref('action_codes') }} as actions
    cross join (values (5), (6)) as sheets (sheet)
    where actions.dsa_restriction is not null
)

select
    rows_in_periods.period_type,
    rows_in_periods.period_starts_on,
    cast(rows_in_periods.sheet as bigint) as sheet,
    rows_in_periods.row_category,
    rows_in_periods.row_keyword,
    indicators.indicator
from rows_in_periods
inner join indicators on rows_in_periods.sheet = indicators.sheet
