-- +goose Up

-- The state of each case in each run that had it in its book.
CREATE TABLE run_cases (
    business_date TEXT COLLATE "C" NOT NULL,
    run_no        BIGINT NOT NULL,
    case_id       TEXT COLLATE "C" NOT NULL,
    class         TEXT COLLATE "C" NOT NULL,
    severity      BIGINT NOT NULL,
    status        TEXT COLLATE "C" NOT NULL,
    lifecycle     TEXT COLLATE "C" NOT NULL,
    first_seen    TEXT COLLATE "C" NOT NULL,
    leg           TEXT COLLATE "C" NOT NULL,
    acquirer      TEXT COLLATE "C" NOT NULL,
    amount        BIGINT,
    currency      TEXT COLLATE "C" NOT NULL,
    owner         TEXT COLLATE "C" NOT NULL,
    due_date      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (business_date, run_no, case_id),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
);
CREATE INDEX run_cases_by_case ON run_cases (case_id, business_date);

-- Where each case stands now: its row in the newest committed run that has it. Rebuilt by each commit.
CREATE TABLE cases (
    case_id    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    class      TEXT COLLATE "C" NOT NULL,
    severity   BIGINT NOT NULL,
    status     TEXT COLLATE "C" NOT NULL,
    lifecycle  TEXT COLLATE "C" NOT NULL,
    first_seen TEXT COLLATE "C" NOT NULL,
    last_seen  TEXT COLLATE "C" NOT NULL,
    leg        TEXT COLLATE "C" NOT NULL,
    acquirer   TEXT COLLATE "C" NOT NULL,
    amount     BIGINT,
    currency   TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    due_date   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX cases_by_status ON cases (status, class);

-- Ids under which a case was printed before.
CREATE TABLE case_aliases (
    alias    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    case_id  TEXT COLLATE "C" NOT NULL,
    since    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX case_aliases_by_case ON case_aliases (case_id);

-- The lines of exceptions.csv in their order, with the columns that people query. Amounts are minor units, or
-- 1e-5 of the major unit where amount_unit is fine; the fee is always 1e-5. Absent is NULL, never 0.
CREATE TABLE exception_items (
    business_date TEXT COLLATE "C" NOT NULL,
    run_no        BIGINT NOT NULL,
    ordinal       BIGINT NOT NULL,
    case_id       TEXT COLLATE "C" NOT NULL,
    class         TEXT COLLATE "C" NOT NULL,
    severity      BIGINT NOT NULL,
    status        TEXT COLLATE "C" NOT NULL,
    lifecycle     TEXT COLLATE "C" NOT NULL,
    age_days      BIGINT NOT NULL,
    first_seen    TEXT COLLATE "C" NOT NULL,
    cluster_id    TEXT COLLATE "C" NOT NULL,
    leg           TEXT COLLATE "C" NOT NULL,
    source        TEXT COLLATE "C" NOT NULL,
    acquirer      TEXT COLLATE "C" NOT NULL,
    merchant_id   TEXT COLLATE "C" NOT NULL,
    store_id      TEXT COLLATE "C" NOT NULL,
    terminal_id   TEXT COLLATE "C" NOT NULL,
    batch_no      TEXT COLLATE "C" NOT NULL,
    trace_no      TEXT COLLATE "C" NOT NULL,
    rrn           TEXT COLLATE "C" NOT NULL,
    auth_code     TEXT COLLATE "C" NOT NULL,
    order_no      TEXT COLLATE "C" NOT NULL,
    channel       TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    row_count     BIGINT NOT NULL,
    amount_unit   TEXT COLLATE "C" NOT NULL CHECK (amount_unit IN ('minor', 'fine')),
    amount        BIGINT,
    other_amount  BIGINT,
    fee           BIGINT,
    currency      TEXT COLLATE "C" NOT NULL,
    txn_time      TEXT COLLATE "C" NOT NULL,
    settle_date   TEXT COLLATE "C" NOT NULL,
    due_date      TEXT COLLATE "C" NOT NULL,
    payout_id     TEXT COLLATE "C" NOT NULL,
    bank_ref      TEXT COLLATE "C" NOT NULL,
    differs       TEXT COLLATE "C" NOT NULL,
    cause_code    TEXT COLLATE "C" NOT NULL,
    owner         TEXT COLLATE "C" NOT NULL,
    held          BOOLEAN NOT NULL,
    file          TEXT COLLATE "C" NOT NULL,
    line          BIGINT NOT NULL,
    other_file    TEXT COLLATE "C" NOT NULL,
    other_line    BIGINT NOT NULL,
    PRIMARY KEY (business_date, run_no, ordinal),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
);
CREATE INDEX exception_items_by_case ON exception_items (case_id, business_date);
CREATE INDEX exception_items_by_rrn ON exception_items (rrn) WHERE rrn <> '';
CREATE INDEX exception_items_by_order ON exception_items (order_no) WHERE order_no <> '';

-- What happened to a case on which day: an index for people, rebuilt from the carry chain, never read by the core.
CREATE TABLE events (
    business_date TEXT COLLATE "C" NOT NULL,
    run_no        BIGINT NOT NULL,
    ordinal       BIGINT NOT NULL,
    case_id       TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    class         TEXT COLLATE "C" NOT NULL,
    detail        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (business_date, run_no, ordinal),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
);
CREATE INDEX events_by_case ON events (case_id, business_date);

-- What a person said about a case. It acts on days >= effective_on and is found by the row keys of its members.
CREATE TABLE decisions (
    decision_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    case_id      TEXT COLLATE "C" NOT NULL,
    verb         TEXT COLLATE "C" NOT NULL,
    author       TEXT COLLATE "C" NOT NULL,
    decided_at   TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    effective_on TEXT COLLATE "C" NOT NULL CHECK (length(effective_on) = 10),
    withdrawn_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX decisions_by_case ON decisions (case_id);

CREATE TABLE decision_members (
    decision_id  TEXT COLLATE "C" NOT NULL REFERENCES decisions (decision_id),
    row_key      TEXT COLLATE "C" NOT NULL,
    facts_digest TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (decision_id, row_key)
);
CREATE INDEX decision_members_by_row ON decision_members (row_key);
