{% macro normal_cdf(z) -%}
    {%- set x = 'least(abs(' ~ z ~ '), 38e0)' -%}
    {%- set above = [
        '3.52624965998911e-2', '0.700383064443688e0', '6.37396220353165e0', '33.912866078383e0',
        '112.079291497871e0', '221.213596169931e0', '220.206867912376e0',
    ] -%}
    {%- set below = [
        '8.83883476483184e-2', '1.75566716318264e0', '16.064177579207e0', '86.7807322029461e0',
        '296.564248779674e0', '637.333633378831e0', '793.826512519948e0', '440.413735824752e0',
    ] -%}
    {%- set tail -%}
        exp(-{{ x }} * {{ x }} / 2e0) * case
            when {{ x }} < 7.07e0 then {{ polynomial(x, above) }} / {{ polynomial(x, below) }}
            else
                0.3989422804014327e0 / ({{ x }} + 1e0 / ({{ x }} + 2e0 / (
                    {{ x }} + 3e0 / ({{ x }} + 4e0 / ({{ x }} + 0.65e0)))))
        end
    {%- endset -%}
    case when {{ z }} > 0 then 1e0 - {{ tail }} when {{ z }} <= 0 then {{ tail }} end
{%- endmacro %}

{% macro polynomial(x, coefficients) -%}
    {%- for coefficient in coefficients[1:] %}({% endfor -%}
    {{ coefficients[0] }}
    {%- for coefficient in coefficients[1:] %} * {{ x }} + {{ coefficient }}){% endfor -%}
{%- endmacro %}

{% macro normal_bound(mean, standard_error, side) -%}
    case when {{ mean }} is not null and {{ standard_error }} is not null then least(
        greatest(
            {{ mean }} {{ '-' if side == 'low' else '+' }} {{ z_value() }}e0 * {{ standard_error }},
            0
        ),
        1
    ) end
{%- endmacro %}
