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
    {%- set pairs = {
        'queue_and_decider': ['queue', 'decided_by'],
        'queue_and_vendor': ['queue', 'vendor'],
        'queue_and_language': ['queue', 'language'],
        'queue_and_truth_policy_parent': ['queue', 'truth_policy_parent'],
        'vendor_and_tenure_band': ['vendor', 'tenure_band'],
        'vendor_and_truth_policy_parent': ['vendor', 'truth_policy_parent'],
        'site_and_language': ['site', 'language'],
    } -%}
    {%- for name, parts in pairs.items() -%}
    {%- do slices.update({
        name: "concat(" ~ slices[parts[0]] ~ ", ' | ', " ~ slices[parts[1]] ~ ")",
    }) -%}
    {%- endfor -%}
    {{ return(slices) }}
{%- endmacro %}

{#- Shown, and never the place of an alarm: that something is wrong somewhere is no place to look. -#}
{% macro is_watched(relation) -%}
    {{ relation }}.dimension_name <> 'overall'
{%- endmacro %}
