{{ repeated_rows('decisions', carry=['decided_at']) }}
