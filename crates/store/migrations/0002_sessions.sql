-- How far each source of transcripts was read.
CREATE TABLE source (
    path  TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The rest is made from the records of transcripts and can be made again.
CREATE TABLE session (
    id       INTEGER PRIMARY KEY,
    agent    TEXT NOT NULL,
    native   TEXT NOT NULL,
    subagent TEXT NOT NULL,
    about    TEXT NOT NULL,
    -- Microseconds since the epoch.
    started  INTEGER,
    ended    INTEGER,
    messages INTEGER NOT NULL,
    calls    INTEGER NOT NULL,
    UNIQUE (agent, native, subagent)
) STRICT;

CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    at      INTEGER
) STRICT;
CREATE INDEX entry_of_session ON entry (session, at, seq);

-- The newest record of each entry, by what identifies it in its source.
CREATE TABLE known (
    key     BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    seq     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE call (
    session   INTEGER NOT NULL,
    native    TEXT NOT NULL,
    called    INTEGER,
    answered  INTEGER,
    status    TEXT NOT NULL,
    exit_code INTEGER,
    PRIMARY KEY (session, native)
) STRICT, WITHOUT ROWID;
