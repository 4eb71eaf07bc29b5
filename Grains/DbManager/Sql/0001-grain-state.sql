-- With a rowid: a twin of ten properties is 2 KB, and in a table without one a row of more than 1 KB has a second page to write.
CREATE TABLE grain_state (
    state    TEXT NOT NULL,
    id       TEXT NOT NULL,
    etag     INTEGER NOT NULL,
    schema   INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload  BLOB NOT NULL,
    PRIMARY KEY (state, id)
);

-- Rows whose checksum did not match when they were read. Nothing reads them but a person.
CREATE TABLE damaged_row (
    origin  TEXT NOT NULL,
    id      TEXT NOT NULL,
    at      TEXT NOT NULL,
    why     TEXT NOT NULL,
    payload BLOB
);
