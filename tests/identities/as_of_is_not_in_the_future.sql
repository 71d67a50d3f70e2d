-- The one place that looks at a clock: a test may, a model may not. One row recorded in the future
-- would make as_of the future, and every period final.
select as_of
from {{ ref('int_context__as_of') }}
where
    as_of is null
    or as_of > cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
    + interval 1 day
