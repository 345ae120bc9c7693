-- +goose Up

-- Whose books these are: one legal entity, one database.
CREATE TABLE book (
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    entity     TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- Heads of hash chains. Updating a head first also serialises the writers of its chain.
CREATE TABLE chains (
    name   TEXT NOT NULL PRIMARY KEY,
    length INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT;

-- The bytes as received; the archive path is derived from sha256.
CREATE TABLE deliveries (
    sha256      TEXT NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    size        INTEGER NOT NULL CHECK (size >= 0),
    received_at TEXT NOT NULL
) STRICT;

-- Under which names, where and when those bytes were seen: the provenance rows, a hash chain in order of seq.
CREATE TABLE delivery_names (
    seq             INTEGER NOT NULL PRIMARY KEY,
    delivery_sha256 TEXT NOT NULL REFERENCES deliveries (sha256),
    source          TEXT NOT NULL,
    remote_name     TEXT NOT NULL,
    size            INTEGER NOT NULL,
    modified_at     TEXT NOT NULL,
    received_at     TEXT NOT NULL,
    host_key        TEXT NOT NULL,
    identity        TEXT NOT NULL,
    program         TEXT NOT NULL,
    chain           TEXT NOT NULL CHECK (length(chain) = 64),
    UNIQUE (source, remote_name, size, modified_at, delivery_sha256)
) STRICT;
CREATE INDEX delivery_names_by_delivery ON delivery_names (delivery_sha256);

-- One member after decompression, as one source reads it. The same bytes may stand for several slots
-- (two empty days look alike), and each source judges them by its own formats.
CREATE TABLE files (
    source          TEXT NOT NULL,
    sha256          TEXT NOT NULL CHECK (length(sha256) = 64),
    size            INTEGER NOT NULL CHECK (size >= 0),
    delivery_sha256 TEXT NOT NULL REFERENCES deliveries (sha256),
    position        INTEGER NOT NULL CHECK (position >= 0),
    member          TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('archived', 'parsed', 'quarantined')),
    format          TEXT NOT NULL,
    class           TEXT NOT NULL,
    why             TEXT NOT NULL,
    row_count       INTEGER NOT NULL,
    rejected        INTEGER NOT NULL,
    recorded_at     TEXT NOT NULL,
    judged_at       TEXT NOT NULL,
    PRIMARY KEY (source, sha256)
) STRICT;
CREATE INDEX files_by_delivery ON files (delivery_sha256);

-- Every name and wrapping under which a file came; the ones after the first are its aliases.
CREATE TABLE file_names (
    source          TEXT NOT NULL,
    delivery_sha256 TEXT NOT NULL REFERENCES deliveries (sha256),
    position        INTEGER NOT NULL CHECK (position >= 0),
    file_sha256     TEXT NOT NULL,
    member          TEXT NOT NULL,
    wrappers        TEXT NOT NULL,
    recorded_at     TEXT NOT NULL,
    PRIMARY KEY (source, delivery_sha256, position),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
) STRICT;
CREATE INDEX file_names_by_file ON file_names (source, file_sha256);

-- What a file stands for. Kind bank: one day slice of one account, slot_key = the account.
CREATE TABLE slots (
    source        TEXT NOT NULL,
    business_date TEXT NOT NULL CHECK (length(business_date) = 10),
    slot_key      TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('file', 'bank')),
    revision      INTEGER NOT NULL,
    revisions     INTEGER NOT NULL,
    changed_at    TEXT NOT NULL,
    PRIMARY KEY (source, business_date, slot_key)
) STRICT;
CREATE INDEX slots_by_date ON slots (business_date);

-- All files that ever stood for the slot; slots.revision names the current one. content_sha256 is the digest of
-- the member, or of the slice's lines. The statement columns are empty and the flags true for kind file.
CREATE TABLE slot_revisions (
    source          TEXT NOT NULL,
    business_date   TEXT NOT NULL,
    slot_key        TEXT NOT NULL,
    revision        INTEGER NOT NULL CHECK (revision >= 1),
    file_sha256     TEXT NOT NULL,
    delivery_sha256 TEXT NOT NULL REFERENCES deliveries (sha256),
    content_sha256  TEXT NOT NULL CHECK (length(content_sha256) = 64),
    arrived_at      TEXT NOT NULL,
    cause           TEXT NOT NULL,
    covers          TEXT NOT NULL,
    complete        INTEGER NOT NULL CHECK (complete IN (0, 1)),
    final           INTEGER NOT NULL CHECK (final IN (0, 1)),
    statement_order TEXT NOT NULL,
    statement_from  TEXT NOT NULL,
    statement_to    TEXT NOT NULL,
    line_count      INTEGER NOT NULL,
    PRIMARY KEY (source, business_date, slot_key, revision),
    FOREIGN KEY (source, business_date, slot_key) REFERENCES slots (source, business_date, slot_key),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
) STRICT;
CREATE INDEX slot_revisions_by_file ON slot_revisions (source, file_sha256);

-- The same content again, from another delivery or file.
CREATE TABLE slot_aliases (
    source          TEXT NOT NULL,
    business_date   TEXT NOT NULL,
    slot_key        TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    delivery_sha256 TEXT NOT NULL REFERENCES deliveries (sha256),
    file_sha256     TEXT NOT NULL,
    arrived_at      TEXT NOT NULL,
    PRIMARY KEY (source, business_date, slot_key, revision, delivery_sha256, file_sha256),
    FOREIGN KEY (source, business_date, slot_key, revision)
        REFERENCES slot_revisions (source, business_date, slot_key, revision),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
) STRICT;

-- What a file states about itself or about another file of its slot, beside what was computed.
CREATE TABLE control_totals (
    source      TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,
    ordinal     INTEGER NOT NULL,
    scope       TEXT NOT NULL,
    name        TEXT NOT NULL,
    stated      TEXT NOT NULL,
    computed    TEXT NOT NULL,
    ok          INTEGER NOT NULL CHECK (ok IN (0, 1)),
    PRIMARY KEY (source, file_sha256, ordinal),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
) STRICT;
