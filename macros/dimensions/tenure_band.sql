{% macro tenure_band(days) -%}
    case
        when {{ days }} is null or {{ days }} < 0 then 'unknown'
        when {{ days }} <= 30 then '000-030 days'
        when {{ days }} <= 90 then '031-090 days'
        when {{ days }} <= 180 then '091-180 days'
        when {{ days }} <= 365 then '181-365 days'
        else '366 days and more'
    end
{%- endmacro %}
