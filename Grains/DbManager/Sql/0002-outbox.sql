-- What waits to go up. A number is never given twice, so a confirmation can not hit a row it does not mean.
CREATE TABLE outbox (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    class     TEXT NOT NULL,
    key       TEXT,
    source    TEXT NOT NULL,
    msg_group TEXT NOT NULL,
    operation TEXT NOT NULL,
    resource  TEXT NOT NULL,
    content   BLOB NOT NULL,
    is_text   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    checksum  INTEGER NOT NULL
);

CREATE UNIQUE INDEX outbox_key ON outbox (class, key) WHERE key IS NOT NULL;

-- Per class: accepted = delivered + waiting + superseded + expired + refused. Waiting is the number of rows above.
CREATE TABLE ledger (
    class   TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason  TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (class, outcome, reason)
) WITHOUT ROWID;

-- The size of what waits, per class, so that the start does not have to add it up.
CREATE TABLE outbox_size (
    class TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
