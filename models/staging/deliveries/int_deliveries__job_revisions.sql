{{ built_by_days('review_jobs', 'found_on') }}
{{ repeated_rows('review_jobs') }}
