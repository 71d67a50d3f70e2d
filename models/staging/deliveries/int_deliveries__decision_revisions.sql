{{ built_by_days('decisions', 'found_on') }}
{{ repeated_rows('decisions', carry=['decided_at']) }}
