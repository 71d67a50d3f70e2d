with compared as (
    select
        *,
        abs(difference - explained_difference) as unexplained
    from {{ ref('int_reconciliation__compared') }}
),

accepted_differences as (
    select * from {{ ref('accepted_differences') }}
),

-- What somebody accepted, until it expires.
accepted as (
    select
        compared.check_key,
        max(
            accepted_differences.difference
            * case
                when accepted_differences.unit = 'share' then abs(compared.left_value)
                else 1
            end
        ) as accepted_difference
    from compared
    inner join accepted_differences
        on
            compared.check_name = accepted_differences.check_name
            and (
                accepted_differences.dimension_name is null
                or compared.dimension_name = accepted_differences.dimension_name
            )
            and (
                accepted_differences.dimension_value is null
                or compared.dimension_value = accepted_differences.dimension_value
            )
            and compared.period_starts_on >= accepted_differences.first_day
            and compared.period_starts_on <= accepted_differences.last_day
            and compared.today <= accepted_differences.expires_on
    group by compared.check_key
),

judged as (
    select
        compared.*,
        -- Ratios and sums of doubles, in another order, differ in the last digit.
        case
            when compared.difference is null then 'not_evaluated'
            when abs(compared.difference) <= 1e-9 * greatest(1, abs(compared.left_value))
                then 'match'
            when compared.unexplained <= 1e-9 then 'explained'
            when compared.unexplained <= compared.tolerance then 'within_tolerance'
            when compared.unexplained <= accepted.accepted_difference then 'accepted'
            else 'break'
        end as found
    from compared
    left join accepted on compared.check_key = accepted.check_key
)

select
    check_key,
    check_name,
    left_source,
    right_source,
    period_type,
    period_starts_on,
    period_ends_on,
    measure,
    dimension_name,
    dimension_value,
    case when not is_withheld then left_value end as left_value,
    case when not is_withheld then right_value end as right_value,
    case when not is_withheld then difference end as difference,
    case when found <> 'not_evaluated' and not is_withheld then explained_difference end
        as explained_difference,
    tolerance,
    case when found = 'accepted' then 'explained' else found end as status,
    case
        when found = 'match' then null
        when found = 'accepted' then 'accepted'
        else reason_code
    end as reason_code,
    is_withheld,
    as_of
from judged
