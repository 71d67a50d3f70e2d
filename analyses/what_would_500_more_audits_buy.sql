-- What would 500 more audits buy in the next period, and what would as many as today, better shared
-- out? Half-widths are those that the published interval of accuracy will have if audits find what
-- the last periods' rates say. The row of a queue is of the strata that are limited to it; those of
-- several queues are in the row no single queue, which is no total: that is the row all.
select
    plan_id,
    option_id,
    dimension_name,
    dimension_value,
    n_audits,
    n_more_audits,
    n_strata_without_audits,
    coverage_rate,
    current_half_width,
    expected_half_width,
    half_width_change
from {{ ref('audit_plan_options') }}
where option_id in ('current', 'same_size', 'more_500', 'target')
order by
    plan_id,
    dimension_name,
    dimension_value,
    n_audits,
    option_id
