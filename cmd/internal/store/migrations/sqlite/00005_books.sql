-- +goose Up

-- Who did what, when, to what: only appended to, a hash chain in order of seq. detail is a JSON object.
CREATE TABLE audit_log (
    seq         INTEGER NOT NULL PRIMARY KEY,
    recorded_at TEXT NOT NULL CHECK (length(recorded_at) = 27),
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    chain       TEXT NOT NULL CHECK (length(chain) = 64)
) STRICT;
CREATE INDEX audit_log_by_subject ON audit_log (action, subject);

-- Finds the first sighting of a source under a host key.
CREATE INDEX delivery_names_by_host_key ON delivery_names (source, host_key);

-- Closings and reopenings, only appended to: after the newest all dates up to closed_through are closed.
-- opened_from is empty for a closing.
CREATE TABLE closings (
    seq            INTEGER NOT NULL PRIMARY KEY,
    closed_through TEXT NOT NULL CHECK (length(closed_through) = 10),
    opened_from    TEXT NOT NULL,
    author         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    recorded_at    TEXT NOT NULL
) STRICT;

-- Set for a file that came for a closed date: the date on which its rows are booked instead.
ALTER TABLE slot_revisions ADD COLUMN effective_on TEXT NOT NULL DEFAULT '';
CREATE INDEX slot_revisions_late ON slot_revisions (effective_on) WHERE effective_on <> '';

-- Days that one command computed share the cascade; 0 where that was not yet noted.
ALTER TABLE day_runs ADD COLUMN cascade INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day_runs ADD COLUMN reason TEXT NOT NULL DEFAULT '';
-- The cascade up to which the ledgers are known to answer the run's questions as they did.
ALTER TABLE day_runs ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;
-- Digest of the text that says where the evidence of carry_out lies.
ALTER TABLE day_runs ADD COLUMN places TEXT NOT NULL DEFAULT '';
CREATE INDEX day_runs_by_cascade ON day_runs (cascade);

-- What a case is about in that book: JSON lists, empty for none. members: row key and facts digest by turns; ids: order,
-- channel id and RRN of its rows. Control characters and what is no UTF-8 are escaped, as in names.
ALTER TABLE run_cases ADD COLUMN members TEXT NOT NULL DEFAULT '';
ALTER TABLE run_cases ADD COLUMN ids TEXT NOT NULL DEFAULT '';

-- A decision is never changed nor withdrawn: a later one overtakes it.
ALTER TABLE decisions RENAME COLUMN verb TO status;
ALTER TABLE decisions DROP COLUMN withdrawn_at;
ALTER TABLE decisions ADD COLUMN class TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN until_date TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN seen_on TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN ids TEXT NOT NULL DEFAULT '';
CREATE INDEX decisions_by_effect ON decisions (effective_on);

-- Every issued revision of a report with the digest of its list of files.
CREATE TABLE issues (
    business_date TEXT NOT NULL,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    run_no        INTEGER NOT NULL,
    manifest      TEXT NOT NULL CHECK (length(manifest) = 64),
    issued_at     TEXT NOT NULL,
    PRIMARY KEY (business_date, revision),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
) STRICT;
