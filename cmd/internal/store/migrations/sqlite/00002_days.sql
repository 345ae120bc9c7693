-- +goose Up

-- One computation of one business date. At most one run of a date is committed; the earlier ones stay, superseded.
CREATE TABLE day_runs (
    business_date   TEXT NOT NULL CHECK (length(business_date) = 10),
    run_no          INTEGER NOT NULL CHECK (run_no >= 1),
    state           TEXT NOT NULL CHECK (state IN ('committed', 'superseded')),
    as_of           TEXT NOT NULL,
    final           INTEGER NOT NULL CHECK (final IN (0, 1)),
    verdict         TEXT NOT NULL,
    report_revision INTEGER NOT NULL CHECK (report_revision >= 1),
    comparable      TEXT NOT NULL CHECK (length(comparable) = 64),
    inputs          TEXT NOT NULL CHECK (length(inputs) = 64),
    carry_in        TEXT NOT NULL CHECK (length(carry_in) IN (0, 64)),
    carry_out       TEXT NOT NULL CHECK (length(carry_out) = 64),
    config          TEXT NOT NULL,
    program         TEXT NOT NULL,
    case_count      INTEGER NOT NULL,
    item_count      INTEGER NOT NULL,
    committed_at    TEXT NOT NULL,
    superseded_at   TEXT NOT NULL,
    PRIMARY KEY (business_date, run_no)
) STRICT;
CREATE UNIQUE INDEX day_runs_committed ON day_runs (business_date) WHERE state = 'committed';

-- What the run knew: slots with their state as of the run, register rows, decisions, answers of ledger look-ups.
CREATE TABLE run_inputs (
    business_date TEXT NOT NULL,
    run_no        INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('slot', 'register', 'decision', 'lookup')),
    source        TEXT NOT NULL,
    input_key     TEXT NOT NULL,
    state         TEXT NOT NULL,
    digest        TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    PRIMARY KEY (business_date, run_no, kind, source, input_key),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
) STRICT;

-- What must still happen outside the database because of a committed run: publish, notify, hook.
CREATE TABLE outbox (
    business_date TEXT NOT NULL,
    run_no        INTEGER NOT NULL,
    job           TEXT NOT NULL,
    ordinal       INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    last_error    TEXT NOT NULL,
    done_at       TEXT NOT NULL,
    PRIMARY KEY (business_date, run_no, job),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
) STRICT;
CREATE INDEX outbox_pending ON outbox (business_date, run_no) WHERE done_at = '';
