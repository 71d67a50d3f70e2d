{% set group = suppressed_group_keys() -%}
with people as {{ read_anew() }} (
    select * from {{ ref('int_people__at_work') }}
),

withheld_first as (
    select * from {{ ref('int_people__suppressed_first') }}
),

{% for name, other in [('site', 'vendor'), ('vendor', 'site')] -%}
{{ name }}s as (
    select
        people.basis,
        people.period_type,
        people.scope_starts_on,
        people.{{ name }},
        max(case when withheld_first.dimension_value is not null then 1 else 0 end) = 1
            as is_withheld,
        count(distinct people.{{ other }}) = 1 as is_in_one_{{ other }}
    from people
    left join withheld_first
        on
            {{ same_keys('people', 'withheld_first', group[:3]) }}
            and withheld_first.dimension_name = '{{ name }}'
            and people.{{ name }} = withheld_first.dimension_value
    group by people.basis, people.period_type, people.scope_starts_on, people.{{ name }}
){{ ',' if not loop.last }}

{% endfor -%}
select
    {% for name in group[:3] + ['part', 'head_of', 'person_key'] + suppressed_dimensions() -%}
    people.{{ name }},
    {% endfor -%}
    sites.is_withheld as is_site_withheld,
    vendors.is_withheld as is_vendor_withheld,
    sites.is_in_one_vendor and not sites.is_withheld as is_site_taken_off,
    vendors.is_in_one_site and not vendors.is_withheld as is_vendor_taken_off
from people
inner join sites on {{ same_keys('people', 'sites', group[:3] + ['site']) }}
inner join vendors on {{ same_keys('people', 'vendors', group[:3] + ['vendor']) }}
