with reports as (
    select * from {{ ref('stg_reports') }}
),

jobs as {{ read_anew() }} (
    select * from {{ ref('stg_review_jobs') }}
),

policies as (
    select * from {{ ref('dim_policies') }}
),

categories as (
    select * from {{ ref('dsa_categories') }}
),

decisions as (
    select
        fct.decision_id,
        fct.item_id,
        fct.decided_at,
        fct.action_group,
        coalesce(fct.ground, {{ "'" ~ var('dsa_ground') ~ "'" if var('dsa_ground') else 'null' }})
            as ground,
        {{ is_solely_automated('fct') }} as is_automated
    from {{ ref('fct_decisions') }} as fct
    where fct.action_group is not null
),

requests as (
    select
        report_id as request_id,
        'notice' as request_kind,
        coalesce(reporter_kind = 'trusted_flagger', false) as is_trusted,
        item_id,
        reported_at as received_at,
        policy_id
    from reports
    where
        coalesce(is_legal_notice, reporter_kind = 'trusted_flagger')
        and coalesce(reporter_kind <> 'authority', true)
    union all
    select
        job_id as request_id,
        'order' as request_kind,
        false as is_trusted,
        item_id,
        enqueued_at as received_at,
        reported_policy_id as policy_id
    from jobs
    where enqueue_reason = 'authority_order'
),

regions as (
    select
        item_id,
        min(region) as region
    from jobs
    where item_id in (select requests.item_id from requests)
    group by item_id
),

in_scope as (
    select
        requests.*,
        {{ dsa_category_of('category', 'true') }} as category,
        {{ dsa_category_of('keyword', 'true') }} as keyword
    from requests
    -- Where the variable ledger_regions names none, none is asked for.
    left join regions on requests.item_id = regions.item_id -- noqa: ST11
    left join policies on requests.policy_id = policies.policy_id
    left join categories as own on requests.policy_id = own.policy_id
    left join categories as parents on policies.parent_policy_id = parents.policy_id
    where {{ is_in_dsa_territory('regions.region') }}
),

-- Kind by kind: an order does not answer a notice.
answers as (
    select
        in_scope.request_kind,
        in_scope.request_id,
        in_scope.is_trusted,
        in_scope.received_at,
        decisions.decision_id,
        decisions.decided_at,
        decisions.action_group,
        decisions.ground,
        decisions.is_automated,
        row_number() over (
            partition by in_scope.request_kind, in_scope.request_id
            order by decisions.decided_at, decisions.decision_id
        ) as nth_answer,
        row_number() over (
            partition by in_scope.request_kind, in_scope.request_id, decisions.action_group
            order by decisions.decided_at, decisions.decision_id
        ) as nth_of_group
    from in_scope
    inner join decisions
        on
            in_scope.item_id = decisions.item_id
            and in_scope.received_at <= decisions.decided_at
),

processed as (
    select * from answers
    where nth_answer = 1
),

acted as (
    select
        *,
        row_number() over (
            partition by request_kind, decision_id
            order by is_trusted desc, received_at asc, request_id asc
        ) = 1 as is_action_counted
    from answers
    where action_group = 'enforced' and nth_of_group = 1
),

as_of as (
    select * from {{ ref('int_context__as_of') }}
)

select
    in_scope.request_kind,
    in_scope.request_id,
    in_scope.item_id,
    in_scope.is_trusted,
    in_scope.received_at,
    {{ reporting_date('in_scope.received_at') }} as received_on,
    -- Who names no policy is in a category of its own; a policy in no row of the seed is in none.
    case
        when in_scope.policy_id is null
            then concat('STATEMENT_CATEGORY_NOT_SPECIFIED_', upper(in_scope.request_kind))
        else in_scope.category
    end as category,
    case when in_scope.policy_id is not null then in_scope.keyword end as keyword,
    processed.decision_id is not null as is_processed,
    processed.is_automated as is_processed_by_machine,
    acted.decided_at as acted_at,
    acted.ground as acted_ground,
    coalesce(acted.is_action_counted, false) as is_action_counted
from in_scope
inner join as_of on in_scope.received_at <= as_of.as_of
left join processed
    on
        in_scope.request_kind = processed.request_kind
        and in_scope.request_id = processed.request_id
left join acted
    on
        in_scope.request_kind = acted.request_kind
        and in_scope.request_id = acted.request_id
