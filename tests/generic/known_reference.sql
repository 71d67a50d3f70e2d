{% test known_reference(
    model, columns, to, show, to_columns=none, allow_null=false, condition='true', tolerance=none
) %}
    {{ tolerate(tolerance) }}
    select {{ show | join(', ') }} {{ n_tolerated(model, tolerance) }}
    from {{ model }} as this
    where
        not exists (
            select 1
            from {{ to }} as that
            where
                ({{ condition }})
                {%- for column in columns %}
                and this.{{ column }} = that.{{ (to_columns or columns)[loop.index0] }}
                {%- endfor %}
        )
        {% if allow_null -%}
        and (this.{{ columns | join(' is not null or this.') }} is not null)
        {%- endif %}
{% endtest %}
