with labels as (
    select * from {{ ref('hatecheck__labels') }}
),

cases as (
    select
        item_id,
        template_id,
        count(*) as n_labels,
        sum(case when is_correct then 1 else 0 end) as n_agreeing
    from labels
    group by item_id, template_id
),

templates as (
    select
        template_id,
        count(*) as n_cases,
        min(n_agreeing) as fewest_agreeing
    from cases
    group by template_id
),

facts as (
    select
        'cases' as fact,
        3901 as published,
        count(*) as in_file
    from cases
    union all
    select
        'valid cases (at least 4 of 5 annotators agree with the gold label)' as fact,
        3728 as published,
        sum(case when n_agreeing >= 4 then 1 else 0 end) as in_file
    from cases
    union all
    select
        'cases left out (fewer than 4 of 5 agree)' as fact,
        173 as published,
        sum(case when n_agreeing < 4 then 1 else 0 end) as in_file
    from cases
    union all
    -- Another reading of the published rule, in case the siblings of such a case went with it.
    select
        'cases left out (the template has a case on which fewer than 4 of 5 agree)' as fact,
        173 as published,
        sum(case when fewest_agreeing < 4 then n_cases else 0 end) as in_file
    from templates
    union all
    select
        'functional tests' as fact,
        29 as published,
        count(distinct functionality) as in_file
    from labels
    union all
    select
        'annotators' as fact,
        10 as published,
        count(distinct annotator_id) as in_file
    from labels
    union all
    select
        'labels a case, fewest' as fact,
        5 as published,
        min(n_labels) as in_file
    from cases
    union all
    select
        'labels a case, most' as fact,
        5 as published,
        max(n_labels) as in_file
    from cases
)

select
    fact,
    cast(published as bigint) as published,
    cast(in_file as bigint) as in_file,
    cast(in_file - published as bigint) as difference,
    (in_file is not distinct from published) as is_equal
from facts
