-- The first schema. Never edited once released: a change is a new migration.
--
-- Instants are INTEGER milliseconds since 1970 in UTC; dates are TEXT, ISO 8601, of the organisation's zone.
-- Every row belongs to an organisation, and refers only to rows of the same one (composite foreign keys).

PRAGMA application_id = 0x434b5031; -- "CKP1"

CREATE TABLE organisation (
    id           INTEGER PRIMARY KEY,
    place        TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    zone         TEXT NOT NULL,
    hour         INTEGER NOT NULL CONSTRAINT organisation_hour CHECK (hour BETWEEN 0 AND 23),
    channel      TEXT,
    manager_role TEXT,
    auditor_role TEXT,
    privacy      TEXT NOT NULL CONSTRAINT organisation_privacy CHECK (privacy IN ('open', 'minimal')),
    created_at   INTEGER NOT NULL,
    -- Whether the bot is there; what is due there next (a cache; 0 after a change: to be computed).
    present      INTEGER NOT NULL DEFAULT 1 CONSTRAINT organisation_present CHECK (present IN (0, 1)),
    next_due_at  INTEGER
) STRICT;

CREATE INDEX organisation_next_due ON organisation (next_due_at) WHERE next_due_at IS NOT NULL;

-- A person's name stands here only. The journal knows them by key and by the seal, a salted digest of handle
-- and name: a name can be taken out later without breaking the chain.
CREATE TABLE person (
    id     INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES organisation (id),
    handle TEXT NOT NULL,
    name   TEXT NOT NULL,
    salt   TEXT NOT NULL,
    seal   TEXT NOT NULL,
    UNIQUE (org_id, handle),
    UNIQUE (org_id, id)
) STRICT;

CREATE TABLE certificate (
    id         INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL REFERENCES organisation (id),
    no         INTEGER NOT NULL,
    standard   TEXT NOT NULL,
    name       TEXT NOT NULL,
    body       TEXT,
    number     TEXT,
    channel    TEXT,
    owner_id   INTEGER,
    stage2_on  TEXT CONSTRAINT certificate_stage2 CHECK (stage2_on IS NULL OR length(stage2_on) = 10),
    entered_at INTEGER NOT NULL,
    stage2_known_at INTEGER NOT NULL,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id)
) STRICT;

CREATE TABLE cycle (
    id             INTEGER PRIMARY KEY,
    org_id         INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL,
    n              INTEGER NOT NULL CONSTRAINT cycle_n CHECK (n >= 1),
    decided_on     TEXT NOT NULL CONSTRAINT cycle_decided CHECK (length(decided_on) = 10),
    anchor         TEXT NOT NULL CONSTRAINT cycle_anchor CHECK (length(anchor) = 10),
    expires_on     TEXT NOT NULL CONSTRAINT cycle_expires CHECK (length(expires_on) = 10 AND expires_on > anchor),
    revision       INTEGER NOT NULL CONSTRAINT cycle_revision CHECK (revision >= 1),
    known_at       INTEGER NOT NULL,
    -- Since when its expiry is on record: what would have been due before that is not said.
    expires_known_at INTEGER NOT NULL,
    UNIQUE (certificate_id, n),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id)
) STRICT;

CREATE TABLE audit (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL REFERENCES organisation (id),
    no        INTEGER NOT NULL,
    kind      TEXT NOT NULL CONSTRAINT audit_kind CHECK (kind IN
        ('internal', 'gap', 'stage-1', 'stage-2', 'surveillance', 'recertification', 'special')),
    starts_on TEXT NOT NULL CONSTRAINT audit_starts CHECK (length(starts_on) = 10),
    ends_on   TEXT NOT NULL CONSTRAINT audit_ends CHECK (length(ends_on) = 10 AND ends_on >= starts_on),
    scope     TEXT NOT NULL,
    conclusion TEXT NOT NULL,
    lead_id   INTEGER,
    lead_name TEXT,
    logged_by INTEGER NOT NULL,
    logged_at INTEGER NOT NULL,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    CONSTRAINT audit_one_lead CHECK ((lead_id IS NULL) <> (lead_name IS NULL)),
    FOREIGN KEY (org_id, lead_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, logged_by) REFERENCES person (org_id, id)
) STRICT;

-- An audit may serve several certificates and counts in each.
CREATE TABLE audit_certificate (
    id             INTEGER PRIMARY KEY,
    org_id         INTEGER NOT NULL,
    audit_id       INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL,
    UNIQUE (audit_id, certificate_id),
    FOREIGN KEY (org_id, audit_id) REFERENCES audit (org_id, id),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id)
) STRICT;

CREATE TABLE nonconformity (
    id             INTEGER PRIMARY KEY,
    org_id         INTEGER NOT NULL REFERENCES organisation (id),
    no             INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL,
    audit_id       INTEGER,
    grade          TEXT NOT NULL CONSTRAINT nonconformity_grade CHECK (grade IN ('major', 'minor')),
    clause         TEXT NOT NULL,
    statement      TEXT NOT NULL,
    area           TEXT,
    owner_id       INTEGER,
    due_on         TEXT NOT NULL CONSTRAINT nonconformity_due CHECK (length(due_on) = 10),
    due_known_at   INTEGER NOT NULL,
    raised_by      INTEGER NOT NULL,
    raised_at      INTEGER NOT NULL,
    -- The fold of its steps, kept to list by.
    state          TEXT NOT NULL CONSTRAINT nonconformity_state CHECK (state IN
        ('raised', 'corrected', 'analysed', 'planned', 'implemented', 'verified', 'closed')),
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id),
    FOREIGN KEY (org_id, audit_id) REFERENCES audit (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, raised_by) REFERENCES person (org_id, id)
) STRICT;

CREATE INDEX nonconformity_open ON nonconformity (org_id, certificate_id) WHERE state <> 'closed';

CREATE TABLE nc_step (
    id       INTEGER PRIMARY KEY,
    org_id   INTEGER NOT NULL,
    nc_id    INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    by_id    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL CONSTRAINT nc_step_kind CHECK (kind IN
        ('correction', 'cause', 'plan', 'implemented', 'verified', 'evidence', 'closed', 'reopened')),
    words    TEXT,
    owner_id INTEGER,
    due_on   TEXT CONSTRAINT nc_step_due CHECK (due_on IS NULL OR length(due_on) = 10),
    effective INTEGER CONSTRAINT nc_step_effective CHECK (effective IN (0, 1)),
    UNIQUE (nc_id, n),
    CONSTRAINT nc_step_plan CHECK ((kind = 'plan') = (owner_id IS NOT NULL AND due_on IS NOT NULL)),
    CONSTRAINT nc_step_verified CHECK ((kind = 'verified') = (effective IS NOT NULL)),
    FOREIGN KEY (org_id, nc_id) REFERENCES nonconformity (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id)
) STRICT;

-- Files are kept once per organisation, by their SHA-256 (hexadecimal).
CREATE TABLE file (
    id         INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL REFERENCES organisation (id),
    sha256     TEXT NOT NULL CONSTRAINT file_sha256 CHECK (length(sha256) = 64),
    size       INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    UNIQUE (org_id, sha256),
    UNIQUE (org_id, id)
) STRICT;

CREATE TABLE evidence (
    id         INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL,
    nc_id      INTEGER,
    audit_id   INTEGER,
    file_id    INTEGER,
    name       TEXT,
    media_type TEXT,
    link       TEXT,
    note       TEXT,
    by_id      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    CONSTRAINT evidence_of_one CHECK ((nc_id IS NULL) <> (audit_id IS NULL)),
    CONSTRAINT evidence_something CHECK (file_id IS NOT NULL OR link IS NOT NULL OR note IS NOT NULL),
    FOREIGN KEY (org_id, nc_id) REFERENCES nonconformity (org_id, id),
    FOREIGN KEY (org_id, audit_id) REFERENCES audit (org_id, id),
    FOREIGN KEY (org_id, file_id) REFERENCES file (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id)
) STRICT;

CREATE INDEX evidence_nc ON evidence (nc_id) WHERE nc_id IS NOT NULL;
CREATE INDEX evidence_audit ON evidence (audit_id) WHERE audit_id IS NOT NULL;

-- What was done, by whom, when and by which door, with each row's contents afterwards; each entry's hash covers
-- the one before it.
CREATE TABLE journal (
    org_id   INTEGER NOT NULL REFERENCES organisation (id),
    seq      INTEGER NOT NULL CONSTRAINT journal_seq CHECK (seq >= 1),
    at       INTEGER NOT NULL,
    door     TEXT NOT NULL CONSTRAINT journal_door CHECK (door IN ('discord', 'console', 'shell')),
    actor_id INTEGER NOT NULL,
    verb     TEXT NOT NULL,
    reason   TEXT,
    images   TEXT NOT NULL CONSTRAINT journal_images CHECK (json_valid(images)),
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL CONSTRAINT journal_hash CHECK (length(hash) = 64),
    PRIMARY KEY (org_id, seq),
    FOREIGN KEY (org_id, actor_id) REFERENCES person (org_id, id)
) STRICT;

CREATE TRIGGER journal_is_not_edited BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;

-- The outbox. A notice is a thing to say, once (its key says what); a post is one message in a channel that
-- carries one notice or, after a silence, several.
CREATE TABLE post (
    id         INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL REFERENCES organisation (id),
    channel    TEXT NOT NULL,
    nonce      TEXT NOT NULL,
    reference  TEXT NOT NULL,
    card       TEXT NOT NULL CONSTRAINT post_card CHECK (json_valid(card)),
    ask        TEXT NOT NULL CONSTRAINT post_ask CHECK (json_valid(ask)),
    state      TEXT NOT NULL CONSTRAINT post_state CHECK (state IN ('claimed', 'sent', 'dissolved', 'parked')),
    claimed_at INTEGER NOT NULL,
    settled_at INTEGER,
    message    TEXT
) STRICT;

CREATE INDEX post_claimed ON post (state) WHERE state = 'claimed';

CREATE TABLE attempt (
    id      INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES post (id),
    at      INTEGER NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT attempt_outcome CHECK (outcome IN
        ('sent', 'found', 'not-sent', 'unknown', 'refused', 'stopped')),
    why     TEXT
) STRICT;

CREATE TABLE notice (
    id         INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL REFERENCES organisation (id),
    key        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    due_on     TEXT NOT NULL CONSTRAINT notice_due CHECK (length(due_on) = 10),
    due_at     INTEGER NOT NULL,
    state      TEXT NOT NULL CONSTRAINT notice_state CHECK (state IN
        ('pending', 'posting', 'sent', 'superseded', 'withdrawn', 'parked')),
    why        TEXT,
    post_id    INTEGER REFERENCES post (id),
    planned_at INTEGER NOT NULL,
    settled_at INTEGER,
    UNIQUE (org_id, key)
) STRICT;

CREATE INDEX notice_unsettled ON notice (org_id) WHERE state IN ('pending', 'posting', 'parked');
CREATE INDEX notice_post ON notice (post_id) WHERE post_id IS NOT NULL;

-- Requests that were carried out, by the door's own id: the same one acts once and gets the same answer.
CREATE TABLE request (
    id     INTEGER PRIMARY KEY,
    key    TEXT NOT NULL CONSTRAINT request_key UNIQUE,
    org_id INTEGER NOT NULL REFERENCES organisation (id),
    at     INTEGER NOT NULL,
    answer TEXT NOT NULL CONSTRAINT request_answer CHECK (json_valid(answer))
) STRICT;

CREATE INDEX request_org ON request (org_id, id);

-- Command lines that wait for a form to be filled in.
CREATE TABLE form (
    id     TEXT NOT NULL PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES organisation (id),
    handle TEXT NOT NULL,
    argv   TEXT NOT NULL CONSTRAINT form_argv CHECK (json_valid(argv)),
    heard  TEXT NOT NULL CONSTRAINT form_heard CHECK (json_valid(heard)),
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which commands were registered last, by application and scope (a digest).
CREATE TABLE registration (
    scope  TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
