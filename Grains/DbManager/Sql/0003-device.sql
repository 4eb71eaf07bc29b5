-- The devices of this node, for lists and counts. A row is written with the state of its device and says nothing that is not there.
CREATE TABLE device (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    state       TEXT NOT NULL,
    last_online TEXT NOT NULL,
    model       TEXT NOT NULL,
    attributes  TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX device_by_model ON device (model, id) WHERE model <> '';

CREATE TABLE device_model (
    id         TEXT PRIMARY KEY,
    properties TEXT NOT NULL
) WITHOUT ROWID;
