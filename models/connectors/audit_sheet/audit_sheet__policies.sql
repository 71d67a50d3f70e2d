{% set separator = sheet_mapping().policy_separator -%}
with audits as (
    select * from {{ ref('audit_sheet__rows') }}
    where fate <> 'rejected'
),

begun as (
    select min(valid_from) as valid_from
    from {{ ref('audit_sheet__queues') }}
),

named as (
    select decided_policy_name as policy_name from audits
    union
    select truth_policy_name as policy_name from audits
    union
    select 'not in the volumes' as policy_name
),

-- Each policy with all above it.
levels as (
    {% if separator -%}
    {% for level in range(1, 5) -%}
    select
        {% set parts = [] -%}
        {% for nth in range(1, level + 1) -%}
        {% do parts.append(
            "split_part(policy_name, '" ~ escape_single_quotes(separator) ~ "', " ~ nth ~ ")"
        ) -%}
        {% endfor -%}
        concat_ws('{{ escape_single_quotes(separator) }}', {{ parts | join(', ') }}) as policy_name,
        {% if level > 1 -%}
        concat_ws('{{ escape_single_quotes(separator) }}', {{ parts[:-1] | join(', ') }})
        {%- else -%}
        cast(null as string)
        {%- endif %} as parent_name
    from named
    where {{ parts[-1] }} <> ''
    {{ 'union all' if not loop.last }}
    {% endfor %}
    {%- else -%}
    select
        policy_name,
        cast(null as string) as parent_name
    from named
    where policy_name is not null
    {%- endif %}
)

select
    replace(lower(levels.policy_name), 'not in the volumes', 'not_in_the_volumes') as policy_id,
    '1' as policy_version,
    max(lower(levels.parent_name)) as parent_policy_id,
    max(levels.policy_name) as policy_name,
    max(begun.valid_from) as valid_from,
    cast(null as timestamp) as valid_to,
    'audit_sheet' as source_system,
    max(begun.valid_from) as recorded_at
from levels
cross join begun
group by lower(levels.policy_name)
