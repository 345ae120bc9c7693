-- +goose Up

-- Whose books these are: one legal entity, one database.
CREATE TABLE book (
    one        BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    entity     TEXT COLLATE "C" NOT NULL,
    created_at TEXT COLLATE "C" NOT NULL
);

-- Heads of hash chains. Updating a head first also serialises the writers of its chain.
CREATE TABLE chains (
    name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    length BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL
);

-- The bytes as received; the archive path is derived from sha256.
CREATE TABLE deliveries (
    sha256      TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    size        BIGINT NOT NULL CHECK (size >= 0),
    received_at TEXT COLLATE "C" NOT NULL
);

-- Under which names, where and when those bytes were seen: the provenance rows, a hash chain in order of seq.
CREATE TABLE delivery_names (
    seq             BIGINT NOT NULL PRIMARY KEY,
    delivery_sha256 TEXT COLLATE "C" NOT NULL REFERENCES deliveries (sha256),
    source          TEXT COLLATE "C" NOT NULL,
    remote_name     TEXT COLLATE "C" NOT NULL,
    size            BIGINT NOT NULL,
    modified_at     TEXT COLLATE "C" NOT NULL,
    received_at     TEXT COLLATE "C" NOT NULL,
    host_key        TEXT COLLATE "C" NOT NULL,
    identity        TEXT COLLATE "C" NOT NULL,
    program         TEXT COLLATE "C" NOT NULL,
    chain           TEXT COLLATE "C" NOT NULL CHECK (length(chain) = 64),
    UNIQUE (source, remote_name, size, modified_at, delivery_sha256)
);
CREATE INDEX delivery_names_by_delivery ON delivery_names (delivery_sha256);

-- One member after decompression, as one source reads it. The same bytes may stand for several slots
-- (two empty days look alike), and each source judges them by its own formats.
CREATE TABLE files (
    source          TEXT COLLATE "C" NOT NULL,
    sha256          TEXT COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
    size            BIGINT NOT NULL CHECK (size >= 0),
    delivery_sha256 TEXT COLLATE "C" NOT NULL REFERENCES deliveries (sha256),
    position        BIGINT NOT NULL CHECK (position >= 0),
    member          TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('archived', 'parsed', 'quarantined')),
    format          TEXT COLLATE "C" NOT NULL,
    class           TEXT COLLATE "C" NOT NULL,
    why             TEXT COLLATE "C" NOT NULL,
    row_count       BIGINT NOT NULL,
    rejected        BIGINT NOT NULL,
    recorded_at     TEXT COLLATE "C" NOT NULL,
    judged_at       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, sha256)
);
CREATE INDEX files_by_delivery ON files (delivery_sha256);

-- Every name and wrapping under which a file came; the ones after the first are its aliases.
CREATE TABLE file_names (
    source          TEXT COLLATE "C" NOT NULL,
    delivery_sha256 TEXT COLLATE "C" NOT NULL REFERENCES deliveries (sha256),
    position        BIGINT NOT NULL CHECK (position >= 0),
    file_sha256     TEXT COLLATE "C" NOT NULL,
    member          TEXT COLLATE "C" NOT NULL,
    wrappers        TEXT COLLATE "C" NOT NULL,
    recorded_at     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, delivery_sha256, position),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
);
CREATE INDEX file_names_by_file ON file_names (source, file_sha256);

-- What a file stands for. Kind bank: one day slice of one account, slot_key = the account.
CREATE TABLE slots (
    source        TEXT COLLATE "C" NOT NULL,
    business_date TEXT COLLATE "C" NOT NULL CHECK (length(business_date) = 10),
    slot_key      TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL CHECK (kind IN ('file', 'bank')),
    revision      BIGINT NOT NULL,
    revisions     BIGINT NOT NULL,
    changed_at    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, business_date, slot_key)
);
CREATE INDEX slots_by_date ON slots (business_date);

-- All files that ever stood for the slot; slots.revision names the current one. content_sha256 is the digest of
-- the member, or of the slice's lines. The statement columns are empty and the flags true for kind file.
CREATE TABLE slot_revisions (
    source          TEXT COLLATE "C" NOT NULL,
    business_date   TEXT COLLATE "C" NOT NULL,
    slot_key        TEXT COLLATE "C" NOT NULL,
    revision        BIGINT NOT NULL CHECK (revision >= 1),
    file_sha256     TEXT COLLATE "C" NOT NULL,
    delivery_sha256 TEXT COLLATE "C" NOT NULL REFERENCES deliveries (sha256),
    content_sha256  TEXT COLLATE "C" NOT NULL CHECK (length(content_sha256) = 64),
    arrived_at      TEXT COLLATE "C" NOT NULL,
    cause           TEXT COLLATE "C" NOT NULL,
    covers          TEXT COLLATE "C" NOT NULL,
    complete        BOOLEAN NOT NULL,
    final           BOOLEAN NOT NULL,
    statement_order TEXT COLLATE "C" NOT NULL,
    statement_from  TEXT COLLATE "C" NOT NULL,
    statement_to    TEXT COLLATE "C" NOT NULL,
    line_count      BIGINT NOT NULL,
    PRIMARY KEY (source, business_date, slot_key, revision),
    FOREIGN KEY (source, business_date, slot_key) REFERENCES slots (source, business_date, slot_key),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
);
CREATE INDEX slot_revisions_by_file ON slot_revisions (source, file_sha256);

-- The same content again, from another delivery or file.
CREATE TABLE slot_aliases (
    source          TEXT COLLATE "C" NOT NULL,
    business_date   TEXT COLLATE "C" NOT NULL,
    slot_key        TEXT COLLATE "C" NOT NULL,
    revision        BIGINT NOT NULL,
    delivery_sha256 TEXT COLLATE "C" NOT NULL REFERENCES deliveries (sha256),
    file_sha256     TEXT COLLATE "C" NOT NULL,
    arrived_at      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, business_date, slot_key, revision, delivery_sha256, file_sha256),
    FOREIGN KEY (source, business_date, slot_key, revision)
        REFERENCES slot_revisions (source, business_date, slot_key, revision),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
);

-- What a file states about itself or about another file of its slot, beside what was computed.
CREATE TABLE control_totals (
    source      TEXT COLLATE "C" NOT NULL,
    file_sha256 TEXT COLLATE "C" NOT NULL,
    ordinal     BIGINT NOT NULL,
    scope       TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    stated      TEXT COLLATE "C" NOT NULL,
    computed    TEXT COLLATE "C" NOT NULL,
    ok          BOOLEAN NOT NULL,
    PRIMARY KEY (source, file_sha256, ordinal),
    FOREIGN KEY (source, file_sha256) REFERENCES files (source, sha256)
);
