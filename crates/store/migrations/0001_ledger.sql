-- Everything that is kept is a record of one ledger; nothing is ever updated but
-- `salt` and `body`, which a tombstone takes away.
CREATE TABLE record (
    seq         INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    source      TEXT NOT NULL,
    locator     TEXT NOT NULL,
    observed_at TEXT NOT NULL,
    host        TEXT NOT NULL,
    salt        BLOB,
    body        BLOB,
    body_hash   BLOB NOT NULL,
    prev        BLOB NOT NULL,
    chain       BLOB NOT NULL
) STRICT;
CREATE INDEX record_by_id ON record (kind, id, seq);
CREATE INDEX record_held ON record (kind, seq) WHERE body IS NOT NULL;

-- One signature for each batch, in the transaction of the batch.
CREATE TABLE checkpoint (
    number    INTEGER PRIMARY KEY,
    count     INTEGER NOT NULL,
    chain     BLOB NOT NULL,
    at        TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Disposable: rebuilt from the ledger.
CREATE VIRTUAL TABLE incident_search USING fts5 (id UNINDEXED, title, text);
