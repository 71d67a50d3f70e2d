{% set staged = [
    'queues', 'policies', 'roster', 'review_jobs', 'decisions', 'sampling_frame', 'audits',
    'disputes', 'audit_scores', 'calibration_ratings',
] %}

with delivered as (
    {% for table in staged -%}
    select
        '{{ table }}' as table_name,
        {{ recorded_on() }} as recorded_on,
        count(*) as n_rows,
        sum(case when {{ known_as_of() }} then 1 else 0 end) as n_known_rows
    from ({{ raw(table) }}) as delivered
    group by {{ recorded_on() }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- What the marts hold, by the ledger of earlier builds; nothing where all is built anew.
loaded as (
    select
        table_name,
        recorded_on,
        max(n_rows) as n_rows
    from {{ built_so_far('deliveries', {
        'table_name': 'string', 'recorded_on': 'date', 'n_rows': 'bigint',
    }) }}
    group by table_name, recorded_on
),

placed as (
    select
        coalesce(delivered.table_name, loaded.table_name) as table_name,
        coalesce(delivered.recorded_on, loaded.recorded_on) as recorded_on,
        coalesce(delivered.n_rows, 0) as n_rows,
        coalesce(delivered.n_known_rows, 0) as n_known_rows,
        coalesce(loaded.n_rows, 0) as n_loaded_rows
    from delivered
    full outer join loaded
        on
            delivered.table_name = loaded.table_name
            and delivered.recorded_on = loaded.recorded_on
),

followed as (
    select
        *,
        lag(recorded_on) over (partition by table_name order by recorded_on) as day_before,
        lag(n_rows) over (partition by table_name order by recorded_on) as n_rows_before
    from placed
),

gaps as (
    select
        *,
        {{ days_between('day_before', 'recorded_on') }} - 1 as n_missing_days
    from followed
)

select
    table_name,
    recorded_on,
    cast(n_rows as bigint) as n_rows,
    cast(n_known_rows as bigint) as n_known_rows,
    cast(n_loaded_rows as bigint) as n_loaded_rows,
    n_rows <> n_loaded_rows as is_pending,
    day_before as delivered_before_on,
    cast(n_missing_days as bigint) as n_missing_days,
    -- The quieter neighbour: when a platform starts, its first days have a row or none.
    cast(n_missing_days * least(n_rows, n_rows_before) as bigint) as n_rows_expected
from gaps
