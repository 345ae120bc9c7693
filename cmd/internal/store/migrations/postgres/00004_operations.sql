-- +goose Up

-- Who works on the books now. token grows with every holder, so that a holder who was overtaken is noticed.
CREATE TABLE leases (
    name         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder       TEXT COLLATE "C" NOT NULL,
    token        BIGINT NOT NULL,
    taken_at     TEXT COLLATE "C" NOT NULL,
    heartbeat_at TEXT COLLATE "C" NOT NULL,
    expires_at   TEXT COLLATE "C" NOT NULL
);

-- The last business date that each job has completed.
CREATE TABLE schedule (
    job            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_completed TEXT COLLATE "C" NOT NULL CHECK (length(last_completed) = 10),
    updated_at     TEXT COLLATE "C" NOT NULL
);
