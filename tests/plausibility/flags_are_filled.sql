-- A flag that is null is unknown. Where it is often null a metric is withheld (flag_not_filled),
-- and without is_technical_error the errors of the tooling are the moderators'.
with audits as (
    select
        is_critical,
        severity,
        is_technical_error,
        n_correct
    from {{ ref('fct_audits') }}
    where is_counted and not is_overturned
),

flags as (
    {% for flag, asked_of in {
        'is_critical': 'n_correct = 0', 'severity': 'n_correct = 0', 'is_technical_error': 'true',
    }.items() -%}
    select
        '{{ flag }}' as flag,
        count(*) as n_audits,
        count(*) - count({{ flag }}) as n_unknown
    from audits
    where {{ asked_of }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    flag,
    n_audits,
    n_unknown
from flags
where n_unknown > 5 and n_unknown > {{ tolerance('unfilled_flags') }} * n_audits
