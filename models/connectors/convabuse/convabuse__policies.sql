-- What is abusive is one policy: the file's kinds of abuse are not exclusive.
select
    'abuse' as policy_id,
    '1' as policy_version,
    cast(null as string) as parent_policy_id,
    'Abuse of a conversational agent' as policy_name,
    cast('2021-11-07' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to,
    'convabuse' as source_system,
    cast('2021-11-07' as timestamp) as recorded_at
