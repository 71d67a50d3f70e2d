with cases as (
    select *
    from {{ read_files('csv', [var('hatecheck_file')]) }}
),

-- One row per label that was given: an empty cell is an annotator who did not see the case.
labels as (
    {% for annotator in range(1, 11) -%}
    select
        case_id,
        templ_id,
        functionality,
        label_gold,
        'annotator-{{ annotator }}' as annotator_id,
        label_{{ annotator }} as label
    from cases
    where label_{{ annotator }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    concat('case-', case_id, '-', annotator_id) as decision_id,
    concat('case-', case_id) as item_id,
    concat('template-', templ_id) as template_id,
    annotator_id,
    functionality,
    -- HateCheck groups its functional tests into classes by the first part of their names.
    split_part(functionality, '_', 1) as functional_class,
    label = 'hateful' as has_enforced,
    label_gold = 'hateful' as is_violating,
    label = label_gold as is_correct
from labels
