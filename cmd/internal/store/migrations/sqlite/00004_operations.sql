-- +goose Up

-- Who works on the books now. token grows with every holder, so that a holder who was overtaken is noticed.
CREATE TABLE leases (
    name         TEXT NOT NULL PRIMARY KEY,
    holder       TEXT NOT NULL,
    token        INTEGER NOT NULL,
    taken_at     TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    expires_at   TEXT NOT NULL
) STRICT;

-- The last business date that each job has completed.
CREATE TABLE schedule (
    job            TEXT NOT NULL PRIMARY KEY,
    last_completed TEXT NOT NULL CHECK (length(last_completed) = 10),
    updated_at     TEXT NOT NULL
) STRICT;
