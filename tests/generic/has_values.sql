{% test has_values(model, columns, show) %}
    {#- A spreadsheet writes a long number as 1.23E+17: the other digits are gone. -#}
    {%- set is_cut = {} -%}
    {%- for column in columns if column.endswith('_id') -%}
        {%- do is_cut.update({column:
            "(" ~ column ~ " like '%E+%' or " ~ column ~ " like '%e+%') and "
            ~ "regexp_extract(" ~ column ~ ", '^-?[0-9]([.,][0-9]+)?[eE][+][0-9]+$', 0) <> ''"}) -%}
    {%- endfor -%}
    select
        {{ show | join(', ') }},
        concat_ws(
            ', ',
            {% for column in columns -%}
            case when {{ column }} is null then '{{ column }}' end{{ ',' if not loop.last }}
            {% endfor %}
        ) as missing_values
        {%- if is_cut %},
        concat_ws(
            ', ',
            {% for column, condition in is_cut.items() -%}
            case when {{ condition }} then '{{ column }}' end{{ ',' if not loop.last }}
            {% endfor %}
        ) as without_their_digits
        {%- endif %}
    from {{ model }}
    where
        {{ columns | join(' is null or ') }} is null
        {%- for condition in is_cut.values() %}
        or {{ condition }}
        {%- endfor %}
{% endtest %}
