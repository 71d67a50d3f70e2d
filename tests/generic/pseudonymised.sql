{% test pseudonymised(model, table, person_id, person_key) %}
    {{ config(meta={
        'what_to_do': 'Without pseudonyms: set DBT_ENV_SECRET_PSEUDONYM_KEY to a text that is not empty. '
            ~ 'Raw ids left: look at macro pseudonym.',
    }) }}
    with people as (
        select nullif({{ person_id }}, '') as person_id
        from ({{ latest_known(table) }}) as delivered
    ),

    n_people as (
        select
            count(person_id) as n_rows_with_id,
            count(distinct person_id) as n_ids
        from people
    ),

    n_pseudonyms as (
        select
            count({{ person_key }}) as n_rows_with_pseudonym,
            count(distinct {{ person_key }}) as n_pseudonyms
        from {{ model }}
    ),

    n_raw as (
        select count(*) as n_raw_ids_left
        from {{ model }}
        where {{ person_key }} in (select person_id from people where person_id is not null)
    )

    select *
    from n_people
    cross join n_pseudonyms
    cross join n_raw
    where
        n_rows_with_id is distinct from n_rows_with_pseudonym
        or n_ids is distinct from n_pseudonyms
        or n_raw_ids_left is distinct from 0
{% endtest %}
