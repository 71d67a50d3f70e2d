{% macro stratified_shares(found, audits, design, period, parts) -%}
    {%- set whole, keys = [period, 'stratum_key'], [period] + parts -%}
    with drawn as (
        select
            {{ whole | join(', ') }},
            count(*) as n_audits
        from {{ audits }}
        group by {{ whole | join(', ') }}
    ),

    counted as (
        select
            {{ (keys + ['stratum_key']) | join(', ') }},
            count(*) as n_successes
        from {{ found }}
        group by {{ (keys + ['stratum_key']) | join(', ') }}
    ),

    parts as (
        select distinct {{ keys | join(', ') }}
        from counted
    ),

    cells as (
        select
            {% for key in keys -%}
            parts.{{ key }},
            {% endfor -%}
            drawn.stratum_key,
            drawn.n_audits,
            coalesce(counted.n_successes, 0) as n_successes
        from parts
        inner join drawn on parts.{{ period }} = drawn.{{ period }}
        left join counted
            on
                {% for key in keys -%}
                parts.{{ key }} = counted.{{ key }} and
                {% endfor -%}
                drawn.stratum_key = counted.stratum_key
    ),

    estimates as (
        {{ stratified_rate('cells', design, by=keys) }}
    )

    select * from estimates
{%- endmacro %}
