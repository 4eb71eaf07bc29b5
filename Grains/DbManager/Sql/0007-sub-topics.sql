-- The topics that the cloud wants to hear of: KubeEdge's table.
CREATE TABLE sub_topics (
    topic TEXT PRIMARY KEY
) WITHOUT ROWID;
