{{ repeated_rows('audits') }}
