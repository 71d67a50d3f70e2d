"""The faults of rows, as SQL on the raw tables; `files` has those of files."""

from .trial import Fault

FAULTS = [
    Fault("audits-errors-lost", "choice of audits", "Half of the audits that found an error never arrived.",
     "delete from audits where truth_action_code <> decided_action_code and one_in(2, audit_id)"),
    Fault("times-text-offset", "times", "Decisions' times are text with an offset.",
     "alter table decisions alter decided_at type varchar using strftime(decided_at + interval 9 hour, '%Y-%m-%d %H:%M:%S') || '+09:00'"),
]
