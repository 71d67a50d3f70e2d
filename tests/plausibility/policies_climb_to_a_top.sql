-- Policies roll up to their parents. One that is its own ancestor is rolled up into itself, and one
-- deeper than int_truth__policy_labels climbs is not rolled up to its top.
{% set max_depth = policy_depth() -%}

with parents as (
    select distinct
        policy_id,
        parent_policy_id
    from {{ ref('stg_policies') }}
    where parent_policy_id is not null and parent_policy_id <> policy_id
),

climbed_1 as (
    select * from parents
){% for depth in range(2, max_depth + 1) %},

climbed_{{ depth }} as (
    select distinct
        climbed.policy_id,
        parents.parent_policy_id
    from climbed_{{ depth - 1 }} as climbed
    inner join parents on climbed.parent_policy_id = parents.policy_id
){% endfor %}

select
    policy_id,
    parent_policy_id as ancestor_policy_id
from climbed_{{ max_depth }}
