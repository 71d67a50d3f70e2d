{% test no_overlap(model, key, from_column, to_column, same=[], null_is_all=[]) %}
    with periods as (
        select
            *,
            {{ from_column }} as begins_at,
            coalesce({{ to_column }}, cast('9999-12-31' as timestamp)) as ends_at,
            row_number() over (order by {{ (key + [from_column]) | join(', ') }}) as row_id
        from {{ model }}
    )

    select
        {% for column in key -%}
        this.{{ column }},
        that.{{ column }} as overlaps_{{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from periods as this
    inner join periods as that
        on
            this.row_id < that.row_id
            and this.begins_at < that.ends_at
            and that.begins_at < this.ends_at
            {%- for column in same %}
            and this.{{ column }} is not distinct from that.{{ column }}
            {%- endfor %}
            {%- for column in null_is_all %}
            and (
                this.{{ column }} is null
                or that.{{ column }} is null
                or this.{{ column }} = that.{{ column }}
            )
            {%- endfor %}
    union all
    -- A period that begins nobody knows when may overlap any other.
    select
        {% for column in key -%}
        {{ column }},
        null as overlaps_{{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from periods
    where begins_at is null
{% endtest %}
