-- For whom an entry waits: the node's name in a cloud; nobody's on a node, which has one cloud.
ALTER TABLE outbox ADD COLUMN peer TEXT NOT NULL DEFAULT '';

DROP INDEX outbox_key;
CREATE UNIQUE INDEX outbox_key ON outbox (peer, class, key) WHERE key IS NOT NULL;
CREATE INDEX outbox_peer ON outbox (peer, seq);
