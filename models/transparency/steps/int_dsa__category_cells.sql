{#- Indicators of sheets 3 to 6, in the order of their columns: what is counted of a row. -#}
{% set acts = {'n_measures': '1', 'n_automated': one_where('is_automated')} -%}
{% for name in dsa_restrictions() -%}
{% do acts.update({'n_' ~ name: 'n_' ~ name}) -%}
{% endfor -%}
{% set requests = {
    'n_requests': '1',
    'n_trusted_requests': one_where('is_trusted'),
    'n_items': one_where('is_item_counted'),
    'n_trusted_items': one_where('is_item_counted and is_trusted'),
    'n_actions_by_law': one_where("is_action_counted and acted_ground = 'illegal'"),
    'n_trusted_actions_by_law':
        one_where("is_action_counted and acted_ground = 'illegal' and is_trusted"),
    'n_actions_by_terms': one_where("is_action_counted and acted_ground = 'terms'"),
    'n_trusted_actions_by_terms':
        one_where("is_action_counted and acted_ground = 'terms' and is_trusted"),
} -%}
{% set of_requests = requests.keys() | list
    + ['median_hours_to_act', 'trusted_median_hours_to_act'] -%}
{% set keys = ['period_type', 'period_starts_on', 'sheet', 'row_category', 'row_keyword'] -%}

with own_acts as (
    select
        *,
        cast(case ground when 'illegal' then 5 when 'terms' then 6 end as bigint) as sheet
    from {{ ref('int_dsa__acts') }}
    where preceded_by = 'own_initiative' and ground is not null
),

acts_in_periods as (
    {{ by_dsa_period('own_acts', 'decided_on') }}
),

acts_by_row as (
    {{ by_dsa_category('acts_in_periods') }}
),

acts_counted as (
    select
        {{ keys | join(', ') }},
        {{ sums_of(acts, 'double') }}
    from acts_by_row
    group by {{ keys | join(', ') }}
),

requests as (
    select
        *,
        cast(case request_kind when 'order' then 3 else 4 end as bigint) as sheet,
        {{ seconds_between('received_at', 'acted_at') }} as seconds_to_act
    from {{ ref('int_dsa__requests') }}
),

requests_in_periods as (
    {{ by_dsa_period('requests', 'received_on') }}
),

-- An item is where its first notice is, those of trusted flaggers before others: counted once.
requests_marked as (
    select
        *,
        row_number() over (
            partition by period_type, period_starts_on, request_kind, item_id
            order by is_trusted desc, received_at asc, request_id asc
        ) = 1 as is_item_counted
    from requests_in_periods
),

requests_by_row as (
    {{ by_dsa_category('requests_marked') }}
),

requests_counted as (
    select
        {{ keys | join(', ') }},
        {{ sums_of(requests, 'double') }},
        {{ median_hours('seconds_to_act') }} as median_hours_to_act,
        {{ median_hours('case when is_trusted then seconds_to_act end') }}
            as trusted_median_hours_to_act,
        count(seconds_to_act) as n_acted,
        count(case when is_trusted then seconds_to_act end) as n_trusted_acted
    from requests_by_row
    group by {{ keys | join(', ') }}
),

acts_long as (
    select
        acts_counted.{{ keys | join(', acts_counted.') }},
        indicators.indicator,
        {{ value_of_indicator(acts, 'acts_counted') }} as indicator_value,
        cast(null as bigint) as n
    from acts_counted
    cross join (
        {{ rows_of_values(acts) }}
    ) as indicators (indicator)
),

requests_long as (
    select
        requests_counted.{{ keys | join(', requests_counted.') }},
        indicators.indicator,
        {{ value_of_indicator(of_requests, 'requests_counted') }} as indicator_value,
        case indicators.indicator
            when 'median_hours_to_act' then requests_counted.n_acted
            when 'trusted_median_hours_to_act' then requests_counted.n_trusted_acted
        end as n
    from requests_counted
    inner join (
        {{ rows_of_values(of_requests) }}
    ) as indicators (indicator)
        -- Of orders there are no trusted flaggers, and what was done is not by ground.
        on
            requests_counted.sheet = 4
            or indicators.indicator in ('n_requests', 'n_items', 'median_hours_to_act')
)

select * from acts_long
union all
select * from requests_long
