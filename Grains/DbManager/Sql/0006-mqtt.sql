-- Sessions of MQTT clients that outlive their connection. A number is never given twice, so a row cannot come to a session it does not mean.
CREATE TABLE mqtt_session (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    client TEXT NOT NULL UNIQUE,
    expiry INTEGER NOT NULL,
    gone   INTEGER
);

CREATE TABLE mqtt_subscription (
    session    INTEGER NOT NULL,
    filter     TEXT NOT NULL,
    options    INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    PRIMARY KEY (session, filter)
) WITHOUT ROWID;

-- A message is here once, however many sessions wait for it. With a rowid: a payload may be larger than a page.
CREATE TABLE mqtt_message (
    number     INTEGER PRIMARY KEY,
    topic      TEXT NOT NULL,
    payload    BLOB NOT NULL,
    properties BLOB NOT NULL,
    qos        INTEGER NOT NULL,
    retain     INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    checksum   INTEGER NOT NULL
);

-- What waits for a session, or is unacknowledged, in the order of its places.
CREATE TABLE mqtt_delivery (
    session     INTEGER NOT NULL,
    place       INTEGER NOT NULL,
    message     INTEGER NOT NULL,
    packet      INTEGER NOT NULL,
    qos         INTEGER NOT NULL,
    retain      INTEGER NOT NULL,
    released    INTEGER NOT NULL,
    identifiers TEXT NOT NULL,
    PRIMARY KEY (session, place)
) WITHOUT ROWID;

CREATE INDEX mqtt_delivery_message ON mqtt_delivery (message);

-- QoS 2 messages of a client that it has not released.
CREATE TABLE mqtt_received (
    session INTEGER NOT NULL,
    packet  INTEGER NOT NULL,
    PRIMARY KEY (session, packet)
) WITHOUT ROWID;

CREATE TABLE mqtt_retained (
    topic   TEXT PRIMARY KEY,
    message INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX mqtt_retained_message ON mqtt_retained (message);
