-- Last wills of clients that are connected, and those that are due later. With a rowid: a payload may be larger than a page.
-- A client has two for a moment, while the will of its older connection is published.
CREATE TABLE mqtt_will (
    number      INTEGER PRIMARY KEY,
    client      TEXT NOT NULL,
    owner       TEXT,
    by_password INTEGER NOT NULL,
    topic       TEXT NOT NULL,
    payload     BLOB NOT NULL,
    properties  BLOB NOT NULL,
    qos         INTEGER NOT NULL,
    retain      INTEGER NOT NULL,
    delay       INTEGER NOT NULL,
    expiry      INTEGER NOT NULL,
    due         INTEGER,
    checksum    INTEGER NOT NULL
);
