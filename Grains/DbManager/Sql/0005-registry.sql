-- A cloud's resources, for lists, watches and what concerns many of them. A row is written with the state of its grain and says nothing that is not there.
CREATE TABLE resource (
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    labels      TEXT NOT NULL,
    created     INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    node        TEXT NOT NULL DEFAULT '',
    model       TEXT NOT NULL DEFAULT '',
    state       TEXT NOT NULL DEFAULT '',
    last_online TEXT NOT NULL DEFAULT '',
    properties  TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    ready       INTEGER NOT NULL DEFAULT 0,
    last_seen   INTEGER,
    address     TEXT NOT NULL DEFAULT '',
    agent       TEXT NOT NULL DEFAULT '',
    hub         TEXT NOT NULL DEFAULT '',
    change      INTEGER NOT NULL,
    -- The change that brought another node or other labels: before it the row may have been in a list that it is not in any more.
    moved       INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX resource_by_change ON resource (kind, change);
CREATE INDEX resource_by_node ON resource (kind, node, id) WHERE node <> '';
CREATE INDEX resource_by_model ON resource (model, node, id) WHERE model <> '';
CREATE INDEX resource_by_hub ON resource (hub, id) WHERE ready = 1;

CREATE TABLE resource_label (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    id    TEXT NOT NULL,
    PRIMARY KEY (kind, name, value, id)
) WITHOUT ROWID;

CREATE INDEX resource_label_of ON resource_label (kind, id, name, value);

-- What was removed, for watches, as long as one may be late.
CREATE TABLE resource_removed (
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    node   TEXT NOT NULL,
    change INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX resource_removed_by_change ON resource_removed (kind, change);
CREATE INDEX resource_removed_by_time ON resource_removed (at);

-- The number of the newest change, and of the newest removal that is forgotten.
CREATE TABLE resource_change (
    last      INTEGER NOT NULL,
    forgotten INTEGER NOT NULL
);

INSERT INTO resource_change(last, forgotten) VALUES(0, 0);
