with decisions as (
    select * from {{ ref('fct_decisions') }}
    where action_group = 'enforced' and {{ is_in_dsa_territory('region') }}
),

all_decisions as (
    select * from {{ ref('fct_decisions') }}
    where supersedes_decision_id is not null or action_group = 'enforced'
),

actions as (
    select * from {{ ref('action_codes') }}
    where dsa_restriction is not null
),

categories as (
    select * from {{ ref('dsa_categories') }}
),

restrictions as (
    {{ restrictions_of_acts() }}
),

replaced as (
    {{ replacements('all_decisions') }}
),

-- A warning restricts nothing.
restricted as (
    select
        restrictions.decision_id,
        {{ restriction_columns("max(case when actions.dsa_restriction = '{}' then 1 else 0 end)") }}
    from restrictions
    inner join actions on restrictions.act_code = actions.action_code
    group by restrictions.decision_id
),

first_requests as (
    select
        item_id,
        min(received_at) as received_at,
        min(case when request_kind = 'order' then received_at end) as ordered_at,
        min(case when is_trusted then received_at end) as flagged_at
    from {{ ref('int_dsa__requests') }}
    group by item_id
),

with_ground as (
    select
        decisions.*,
        coalesce(
            decisions.ground,
            {{ "'" ~ var('dsa_ground') ~ "'" if var('dsa_ground') else 'null' }}
        ) as stated_ground
    from decisions
)

select
    decisions.decision_id,
    decisions.decided_on,
    decisions.stated_ground as ground,
    {{ dsa_category_of('category', "coalesce(decisions.stated_ground = 'illegal', false)") }}
        as category,
    {{ dsa_category_of('keyword', "coalesce(decisions.stated_ground = 'illegal', false)") }}
        as keyword,
    {{ dsa_language('decisions.language') }} as language,
    coalesce({{ is_solely_automated('decisions') }}, false) as is_automated,
    decisions.decided_by_type is null as is_decider_unknown,
    case
        when first_requests.ordered_at <= decisions.decided_at then 'order'
        when first_requests.flagged_at <= decisions.decided_at then 'trusted_flagger'
        when first_requests.received_at <= decisions.decided_at then 'notice'
        else 'own_initiative'
    end as preceded_by,
    {{ restriction_columns('cast(restricted.n_{} as bigint)') }}
from with_ground as decisions
inner join restricted on decisions.decision_id = restricted.decision_id
left join replaced on decisions.decision_id = replaced.decision_id
left join first_requests on decisions.item_id = first_requests.item_id
left join categories as own on decisions.policy_id = own.policy_id
left join categories as parents on decisions.parent_policy_id = parents.policy_id
where not {{ is_replaced_at_once('decisions', 'replaced') }}
