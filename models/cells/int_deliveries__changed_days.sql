{#- What the models of periods read, by its day. A test holds the list to their lineage. -#}
{% set days_of = {
    'accuracy_decisions_by_day': 'decided_on',
    'fct_audits': 'decided_on',
    'int_truth__policy_labels': 'decided_on',
    'int_agreement__ratings': 'item_rated_on',
} -%}

with calendar as (
    select * from {{ ref('dim_calendar') }}
),

-- Of the last frame also the days that wait for the next one, which is taken to be as long.
strata as (
    select
        {{ row_hash('frame') }} as row_hash,
        {{ reporting_date('frame.period_start') }} as begins_on,
        case
            when frame.period_end = max(frame.period_end) over ()
                then {{ add_days(
                    reporting_date('frame.period_end'),
                    days_between(
                        reporting_date('frame.period_start'), reporting_date('frame.period_end')
                    )
                ) }}
            else {{ reporting_date('frame.period_end') }}
        end as ends_on
    from {{ ref('int_sampling__strata') }} as frame
),

policies as (
    select
        {{ row_hash('policy_versions') }} as row_hash,
        {{ reporting_date('policy_versions.valid_from') }} as begins_on,
        coalesce({{ reporting_date('policy_versions.valid_to') }}, date '9999-12-31') as ends_on
    from {{ ref('stg_policies') }} as policy_versions
),

hashed as (
    {% for name, day in days_of.items() -%}
    select
        '{{ name }}' as relation_name,
        rows_of.{{ day }} as calendar_date,
        {{ row_hash('rows_of') }} as row_hash
    from {{ ref(name) }} as rows_of
    union all
    {% endfor -%}
    {% for name, relation in {
        'int_sampling__strata': 'strata', 'stg_policies': 'policies',
    }.items() -%}
    select
        '{{ name }}' as relation_name,
        calendar.calendar_date,
        rows_of.row_hash
    from {{ relation }} as rows_of
    inner join calendar
        on
            rows_of.begins_on <= calendar.calendar_date
            and rows_of.ends_on >= calendar.calendar_date
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

found as (
    select
        relation_name,
        calendar_date,
        count(*) as n_day_rows,
        sum(cast(row_hash as decimal(38, 0))) as sum_of_hashes,
        bit_xor(row_hash) as xor_of_hashes
    from hashed
    -- What is of no day is of no period.
    where calendar_date is not null
    group by relation_name, calendar_date
),

typed as (
    select
        relation_name,
        calendar_date,
        cast(n_day_rows as bigint) as n_day_rows,
        cast(sum_of_hashes as decimal(38, 0)) as sum_of_hashes,
        cast(xor_of_hashes as decimal(38, 0)) as xor_of_hashes
    from found
),

built as (
    select *
    from {{ built_so_far('int_deliveries__built_days', {
        'relation_name': 'string', 'calendar_date': 'date', 'n_day_rows': 'bigint',
        'sum_of_hashes': 'decimal(38,0)', 'xor_of_hashes': 'decimal(38,0)',
    }) }}
)

select
    coalesce(typed.relation_name, built.relation_name) as relation_name,
    coalesce(typed.calendar_date, built.calendar_date) as calendar_date,
    coalesce(typed.n_day_rows, 0) as n_day_rows,
    typed.sum_of_hashes,
    typed.xor_of_hashes,
    not coalesce(
        typed.n_day_rows = built.n_day_rows
        and typed.sum_of_hashes = built.sum_of_hashes
        and typed.xor_of_hashes = built.xor_of_hashes, false
    ) as is_changed
from typed
full outer join built
    on
        typed.relation_name = built.relation_name
        and typed.calendar_date = built.calendar_date
