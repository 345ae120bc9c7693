-- +goose Up

-- The state of each case in each run that had it in its book.
CREATE TABLE run_cases (
    business_date TEXT NOT NULL,
    run_no        INTEGER NOT NULL,
    case_id       TEXT NOT NULL,
    class         TEXT NOT NULL,
    severity      INTEGER NOT NULL,
    status        TEXT NOT NULL,
    lifecycle     TEXT NOT NULL,
    first_seen    TEXT NOT NULL,
    leg           TEXT NOT NULL,
    acquirer      TEXT NOT NULL,
    amount        INTEGER,
    currency      TEXT NOT NULL,
    owner         TEXT NOT NULL,
    due_date      TEXT NOT NULL,
    PRIMARY KEY (business_date, run_no, case_id),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
) STRICT;
CREATE INDEX run_cases_by_case ON run_cases (case_id, business_date);

-- Where each case stands now: its row in the newest committed run that has it. Rebuilt by each commit.
CREATE TABLE cases (
    case_id    TEXT NOT NULL PRIMARY KEY,
    class      TEXT NOT NULL,
    severity   INTEGER NOT NULL,
    status     TEXT NOT NULL,
    lifecycle  TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen  TEXT NOT NULL,
    leg        TEXT NOT NULL,
    acquirer   TEXT NOT NULL,
    amount     INTEGER,
    currency   TEXT NOT NULL,
    owner      TEXT NOT NULL,
    due_date   TEXT NOT NULL
) STRICT;
CREATE INDEX cases_by_status ON cases (status, class);

-- Ids under which a case was printed before.
CREATE TABLE case_aliases (
    alias    TEXT NOT NULL PRIMARY KEY,
    case_id  TEXT NOT NULL,
    since    TEXT NOT NULL
) STRICT;
CREATE INDEX case_aliases_by_case ON case_aliases (case_id);

-- The lines of exceptions.csv in their order, with the columns that people query. Amounts are minor units, or
-- 1e-5 of the major unit where amount_unit is fine; the fee is always 1e-5. Absent is NULL, never 0.
CREATE TABLE exception_items (
    business_date TEXT NOT NULL,
    run_no        INTEGER NOT NULL,
    ordinal       INTEGER NOT NULL,
    case_id       TEXT NOT NULL,
    class         TEXT NOT NULL,
    severity      INTEGER NOT NULL,
    status        TEXT NOT NULL,
    lifecycle     TEXT NOT NULL,
    age_days      INTEGER NOT NULL,
    first_seen    TEXT NOT NULL,
    cluster_id    TEXT NOT NULL,
    leg           TEXT NOT NULL,
    source        TEXT NOT NULL,
    acquirer      TEXT NOT NULL,
    merchant_id   TEXT NOT NULL,
    store_id      TEXT NOT NULL,
    terminal_id   TEXT NOT NULL,
    batch_no      TEXT NOT NULL,
    trace_no      TEXT NOT NULL,
    rrn           TEXT NOT NULL,
    auth_code     TEXT NOT NULL,
    order_no      TEXT NOT NULL,
    channel       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    row_count     INTEGER NOT NULL,
    amount_unit   TEXT NOT NULL CHECK (amount_unit IN ('minor', 'fine')),
    amount        INTEGER,
    other_amount  INTEGER,
    fee           INTEGER,
    currency      TEXT NOT NULL,
    txn_time      TEXT NOT NULL,
    settle_date   TEXT NOT NULL,
    due_date      TEXT NOT NULL,
    payout_id     TEXT NOT NULL,
    bank_ref      TEXT NOT NULL,
    differs       TEXT NOT NULL,
    cause_code    TEXT NOT NULL,
    owner         TEXT NOT NULL,
    held          INTEGER NOT NULL CHECK (held IN (0, 1)),
    file          TEXT NOT NULL,
    line          INTEGER NOT NULL,
    other_file    TEXT NOT NULL,
    other_line    INTEGER NOT NULL,
    PRIMARY KEY (business_date, run_no, ordinal),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
) STRICT;
CREATE INDEX exception_items_by_case ON exception_items (case_id, business_date);
CREATE INDEX exception_items_by_rrn ON exception_items (rrn) WHERE rrn <> '';
CREATE INDEX exception_items_by_order ON exception_items (order_no) WHERE order_no <> '';

-- What happened to a case on which day: an index for people, rebuilt from the carry chain, never read by the core.
CREATE TABLE events (
    business_date TEXT NOT NULL,
    run_no        INTEGER NOT NULL,
    ordinal       INTEGER NOT NULL,
    case_id       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    class         TEXT NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (business_date, run_no, ordinal),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
) STRICT;
CREATE INDEX events_by_case ON events (case_id, business_date);

-- What a person said about a case. It acts on days >= effective_on and is found by the row keys of its members.
CREATE TABLE decisions (
    decision_id  TEXT NOT NULL PRIMARY KEY,
    case_id      TEXT NOT NULL,
    verb         TEXT NOT NULL,
    author       TEXT NOT NULL,
    decided_at   TEXT NOT NULL,
    reason       TEXT NOT NULL,
    effective_on TEXT NOT NULL CHECK (length(effective_on) = 10),
    withdrawn_at TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_case ON decisions (case_id);

CREATE TABLE decision_members (
    decision_id  TEXT NOT NULL REFERENCES decisions (decision_id),
    row_key      TEXT NOT NULL,
    facts_digest TEXT NOT NULL,
    PRIMARY KEY (decision_id, row_key)
) STRICT;
CREATE INDEX decision_members_by_row ON decision_members (row_key);
