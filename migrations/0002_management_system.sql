-- Everything that a management system shows its auditor, beside the calendar: the audit programme, findings of all
-- grades, actions, management reviews, areas, and the dated records that the phases ask for.
--
-- What rows of an earlier schema read as afterwards: an audit was held and reported; limits are the programme's.

ALTER TABLE certificate ADD COLUMN plan_days INTEGER CONSTRAINT certificate_plan CHECK (plan_days BETWEEN 1 AND 730);
ALTER TABLE certificate ADD COLUMN major_days INTEGER CONSTRAINT certificate_major CHECK (major_days BETWEEN 1 AND 730);
ALTER TABLE certificate ADD COLUMN minor_days INTEGER CONSTRAINT certificate_minor CHECK (minor_days BETWEEN 1 AND 730);
ALTER TABLE certificate ADD COLUMN stage1_days INTEGER CONSTRAINT certificate_stage1 CHECK (stage1_days BETWEEN 1 AND 730);
ALTER TABLE certificate ADD COLUMN scope TEXT;

ALTER TABLE audit ADD COLUMN state TEXT NOT NULL DEFAULT 'reported' CONSTRAINT audit_state CHECK (state IN
    ('planned', 'under-way', 'reported', 'closed', 'cancelled', 'voided'));
ALTER TABLE audit ADD COLUMN criteria TEXT;
-- Since when a planned audit's dates are on record.
ALTER TABLE audit ADD COLUMN dates_known_at INTEGER;
-- Why it goes against a clock or is held without what should stand before it.
ALTER TABLE audit ADD COLUMN deviation TEXT;
-- Why an auditor audits an area of their own, and who agreed to it.
ALTER TABLE audit ADD COLUMN impartiality TEXT;
ALTER TABLE audit ADD COLUMN agreed_by INTEGER REFERENCES person (id);
-- The key it has in another system.
ALTER TABLE audit ADD COLUMN reference TEXT;

-- The body's own scale and reference, as it wrote them; the objective evidence, apart from the statement.
ALTER TABLE nonconformity ADD COLUMN reference TEXT;
ALTER TABLE nonconformity ADD COLUMN body_grade TEXT;
ALTER TABLE nonconformity ADD COLUMN objective TEXT;
-- Who is to verify the effectiveness, and when.
ALTER TABLE nonconformity ADD COLUMN verifier_id INTEGER REFERENCES person (id);
ALTER TABLE nonconformity ADD COLUMN verify_on TEXT CONSTRAINT nonconformity_verify CHECK (verify_on IS NULL OR length(verify_on) = 10);

-- More steps than before: the table's check names them, so it is built anew with the same rows.
CREATE TABLE nc_step_new (
    id       INTEGER PRIMARY KEY,
    org_id   INTEGER NOT NULL,
    nc_id    INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    by_id    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL CONSTRAINT nc_step_kind CHECK (kind IN
        ('correction', 'containment', 'consequences', 'cause', 'similar', 'plan', 'implemented', 'verified',
         'system-change', 'extended', 'evidence', 'closed', 'reopened', 'voided')),
    words    TEXT,
    owner_id INTEGER,
    due_on   TEXT CONSTRAINT nc_step_due CHECK (due_on IS NULL OR length(due_on) = 10),
    effective INTEGER CONSTRAINT nc_step_effective CHECK (effective IN (0, 1)),
    UNIQUE (nc_id, n),
    CONSTRAINT nc_step_plan CHECK ((kind = 'plan') = (owner_id IS NOT NULL)),
    CONSTRAINT nc_step_dated CHECK ((kind IN ('plan', 'extended')) = (due_on IS NOT NULL)),
    CONSTRAINT nc_step_verified CHECK ((kind = 'verified') = (effective IS NOT NULL)),
    FOREIGN KEY (org_id, nc_id) REFERENCES nonconformity (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id)
) STRICT;
INSERT INTO nc_step_new SELECT id, org_id, nc_id, n, by_id, at, kind, words, owner_id, due_on, effective FROM nc_step;
DROP TABLE nc_step;
ALTER TABLE nc_step_new RENAME TO nc_step;

-- A process, a site or a department.
CREATE TABLE area (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL REFERENCES organisation (id),
    no        INTEGER NOT NULL,
    name      TEXT NOT NULL,
    kind      TEXT NOT NULL CONSTRAINT area_kind CHECK (kind IN ('process', 'site', 'department')),
    owner_id  INTEGER,
    added_on  TEXT NOT NULL CONSTRAINT area_added CHECK (length(added_on) = 10),
    every_months INTEGER NOT NULL CONSTRAINT area_every CHECK (every_months BETWEEN 1 AND 36),
    ended_on  TEXT CONSTRAINT area_ended CHECK (ended_on IS NULL OR length(ended_on) = 10),
    reference TEXT,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id)
) STRICT;

-- What an audit is made of beside its dates: who is in the team, which clauses (of which certificate's standard)
-- and which areas it looks at, and whether a clause was sampled.
CREATE TABLE audit_part (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL,
    audit_id  INTEGER NOT NULL,
    person_id INTEGER,
    area_id   INTEGER,
    certificate_id INTEGER,
    clause    TEXT,
    sampled   INTEGER CONSTRAINT audit_part_sampled CHECK (sampled IN (0, 1)),
    CONSTRAINT audit_part_of_one CHECK ((person_id IS NOT NULL) + (area_id IS NOT NULL) + (clause IS NOT NULL) = 1),
    CONSTRAINT audit_part_clause CHECK ((clause IS NULL) = (certificate_id IS NULL)),
    FOREIGN KEY (org_id, audit_id) REFERENCES audit (org_id, id),
    FOREIGN KEY (org_id, person_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, area_id) REFERENCES area (org_id, id),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id)
) STRICT;

-- Findings that are no nonconformities.
CREATE TABLE finding (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL REFERENCES organisation (id),
    no        INTEGER NOT NULL,
    audit_id  INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL,
    grade     TEXT NOT NULL CONSTRAINT finding_grade CHECK (grade IN
        ('opportunity', 'observation', 'strength', 'concern')),
    clause    TEXT NOT NULL,
    statement TEXT NOT NULL,
    area      TEXT,
    owner_id  INTEGER,
    reference TEXT,
    raised_by INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    state     TEXT NOT NULL CONSTRAINT finding_state CHECK (state IN
        ('open', 'accepted', 'declined', 'addressed', 'noted', 'voided')),
    settled_why TEXT,
    settled_by INTEGER,
    settled_at INTEGER,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, audit_id) REFERENCES audit (org_id, id),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, raised_by) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, settled_by) REFERENCES person (org_id, id)
) STRICT;

-- A management review, planned or held.
CREATE TABLE review (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL REFERENCES organisation (id),
    no        INTEGER NOT NULL,
    state     TEXT NOT NULL CONSTRAINT review_state CHECK (state IN ('planned', 'held', 'cancelled', 'voided')),
    held_on   TEXT NOT NULL CONSTRAINT review_held CHECK (length(held_on) = 10),
    decisions TEXT NOT NULL,
    attended  TEXT NOT NULL,
    by_id     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    reference TEXT,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id)
) STRICT;

-- The certificates that a review serves, and the inputs that were looked at, by the standard's item.
CREATE TABLE review_part (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL,
    review_id INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL,
    item      TEXT,
    words     TEXT,
    FOREIGN KEY (org_id, review_id) REFERENCES review (org_id, id),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id)
) STRICT;

-- Who does what by when, whatever it comes from.
CREATE TABLE action (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL REFERENCES organisation (id),
    no        INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL,
    nc_id     INTEGER,
    finding_id INTEGER,
    review_id INTEGER,
    what      TEXT NOT NULL,
    owner_id  INTEGER NOT NULL,
    due_on    TEXT NOT NULL CONSTRAINT action_due CHECK (length(due_on) = 10),
    due_known_at INTEGER NOT NULL,
    by_id     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    state     TEXT NOT NULL CONSTRAINT action_state CHECK (state IN ('open', 'done', 'dropped', 'voided')),
    outcome   TEXT,
    settled_by INTEGER,
    settled_at INTEGER,
    reference TEXT,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    CONSTRAINT action_one_source CHECK ((nc_id IS NOT NULL) + (finding_id IS NOT NULL) + (review_id IS NOT NULL) <= 1),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id),
    FOREIGN KEY (org_id, nc_id) REFERENCES nonconformity (org_id, id),
    FOREIGN KEY (org_id, finding_id) REFERENCES finding (org_id, id),
    FOREIGN KEY (org_id, review_id) REFERENCES review (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, settled_by) REFERENCES person (org_id, id)
) STRICT;

-- A dated statement that something happened: an activity done or waived, a change, a risk revisit, a training, what
-- became of the certificate.
CREATE TABLE record (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL REFERENCES organisation (id),
    no        INTEGER NOT NULL,
    kind      TEXT NOT NULL CONSTRAINT record_kind CHECK (kind IN
        ('task-done', 'task-waived', 'change', 'risk', 'training', 'opening-meeting', 'suspended', 'reinstated',
         'withdrawn', 'transferred', 'scope')),
    certificate_id INTEGER,
    -- What it is about: an activity (`1/operate-1/internal-audits`), a kind of change, a topic.
    subject   TEXT NOT NULL,
    held_on   TEXT NOT NULL CONSTRAINT record_held CHECK (length(held_on) = 10),
    words     TEXT NOT NULL,
    by_id     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    voided_why TEXT,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, certificate_id) REFERENCES certificate (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id)
) STRICT;

-- Who was there (or was missing) at what a record tells of.
CREATE TABLE record_person (
    id        INTEGER PRIMARY KEY,
    org_id    INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    present   INTEGER NOT NULL CONSTRAINT record_person_present CHECK (present IN (0, 1)),
    UNIQUE (record_id, person_id),
    FOREIGN KEY (org_id, record_id) REFERENCES record (org_id, id),
    FOREIGN KEY (org_id, person_id) REFERENCES person (org_id, id)
) STRICT;
