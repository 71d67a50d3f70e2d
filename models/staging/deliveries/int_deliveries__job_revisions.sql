{{ repeated_rows('review_jobs') }}
