{#- By what the audits are watched: dimensions of reporting, truth and tenure, and pairs of them. A pair is
    of what is said of the decision and of who made it, where both apply. -#}
{% macro slice_dimensions() -%}
    {%- set of_reporting = reporting_dimensions() -%}
    {%- set slices = {} -%}
    {%- for name in [
        'overall', 'queue', 'policy', 'policy_parent', 'site', 'vendor', 'language', 'region', 'item_type',
        'decided_by', 'model_version',
    ] -%}
    {%- do slices.update({name: of_reporting[name]}) -%}
    {%- endfor -%}
    {%- set person = "else 'not_applicable' end" -%}
    {%- do slices.update({
        'truth_policy': "coalesce(truth_policy_id, 'no_policy')",
        'truth_policy_parent': "coalesce(truth_parent_policy_id, truth_policy_id, 'no_policy')",
        'tenure_band': "case when decided_by_type = 'human' then tenure_band_at_decision " ~ person,
    }) -%}
    {%- set pairs = [
        ['queue', 'decided_by'], ['queue', 'vendor'], ['queue', 'language'], ['queue', 'truth_policy_parent'],
        ['vendor', 'tenure_band'], ['site', 'language'], ['vendor', 'truth_policy_parent'],
    ] -%}
    {%- for first, second in pairs -%}
    {%- do slices.update({
        first ~ '_and_' ~ second: "concat(" ~ slices[first] ~ ", ' | ', " ~ slices[second] ~ ")",
    }) -%}
    {%- endfor -%}
    {{ return(slices) }}
{%- endmacro %}

{#- Shown, and never the place of an alarm: that something is wrong somewhere is no place to look. -#}
{% macro is_watched(relation) -%}
    {{ relation }}.dimension_name <> 'overall'
{%- endmacro %}
