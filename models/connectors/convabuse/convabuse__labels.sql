with labels as (
    select *
    from {{ read_files('csv', [var('convabuse_file')]) }}
),

typed as (
    select
        cast(example_no as bigint) as example_no,
        concat('turn-', item_key) as item_id,
        annotator_id,
        bot,
        cast(severity as bigint) as severity_grade
    from labels
)

select
    concat('label-', cast(example_no as string)) as label_id,
    item_id,
    annotator_id,
    bot,
    severity_grade,
    -- Negative is abusive.
    severity_grade < 0 as has_enforced,
    -- The file has no times; its rows are numbered.
    row_number() over (partition by item_id, annotator_id order by example_no) - 1 as repeat_number
from typed
