-- +goose Up

-- One computation of one business date. At most one run of a date is committed; the earlier ones stay, superseded.
CREATE TABLE day_runs (
    business_date   TEXT COLLATE "C" NOT NULL CHECK (length(business_date) = 10),
    run_no          BIGINT NOT NULL CHECK (run_no >= 1),
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('committed', 'superseded')),
    as_of           TEXT COLLATE "C" NOT NULL,
    final           BOOLEAN NOT NULL,
    verdict         TEXT COLLATE "C" NOT NULL,
    report_revision BIGINT NOT NULL CHECK (report_revision >= 1),
    comparable      TEXT COLLATE "C" NOT NULL CHECK (length(comparable) = 64),
    inputs          TEXT COLLATE "C" NOT NULL CHECK (length(inputs) = 64),
    carry_in        TEXT COLLATE "C" NOT NULL CHECK (length(carry_in) IN (0, 64)),
    carry_out       TEXT COLLATE "C" NOT NULL CHECK (length(carry_out) = 64),
    config          TEXT COLLATE "C" NOT NULL,
    program         TEXT COLLATE "C" NOT NULL,
    case_count      BIGINT NOT NULL,
    item_count      BIGINT NOT NULL,
    committed_at    TEXT COLLATE "C" NOT NULL,
    superseded_at   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (business_date, run_no)
);
CREATE UNIQUE INDEX day_runs_committed ON day_runs (business_date) WHERE state = 'committed';

-- What the run knew: slots with their state as of the run, register rows, decisions, answers of ledger look-ups.
CREATE TABLE run_inputs (
    business_date TEXT COLLATE "C" NOT NULL,
    run_no        BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL CHECK (kind IN ('slot', 'register', 'decision', 'lookup')),
    source        TEXT COLLATE "C" NOT NULL,
    input_key     TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    digest        TEXT COLLATE "C" NOT NULL,
    revision      BIGINT NOT NULL,
    PRIMARY KEY (business_date, run_no, kind, source, input_key),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
);

-- What must still happen outside the database because of a committed run: publish, notify, hook.
CREATE TABLE outbox (
    business_date TEXT COLLATE "C" NOT NULL,
    run_no        BIGINT NOT NULL,
    job           TEXT COLLATE "C" NOT NULL,
    ordinal       BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    last_error    TEXT COLLATE "C" NOT NULL,
    done_at       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (business_date, run_no, job),
    FOREIGN KEY (business_date, run_no) REFERENCES day_runs (business_date, run_no)
);
CREATE INDEX outbox_pending ON outbox (business_date, run_no) WHERE done_at = '';
