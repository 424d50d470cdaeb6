-- Reminders that are answered: acknowledged or snoozed, escalated where nobody answers; working days and quiet hours;
-- reminders of people's own.

-- What rows of an earlier schema read as afterwards: every day is a working day, no hour is quiet, nothing escalates.
ALTER TABLE organisation ADD COLUMN working_days TEXT CONSTRAINT organisation_working CHECK (length(working_days) BETWEEN 3 AND 27);
ALTER TABLE organisation ADD COLUMN holidays TEXT;
ALTER TABLE organisation ADD COLUMN quiet_from INTEGER CONSTRAINT organisation_quiet_from CHECK (quiet_from BETWEEN 0 AND 23);
ALTER TABLE organisation ADD COLUMN quiet_until INTEGER CONSTRAINT organisation_quiet_until CHECK (quiet_until BETWEEN 0 AND 23);
-- After how many working days without an answer, since when that is the rule, and where the last step is said.
ALTER TABLE organisation ADD COLUMN escalate_after INTEGER CONSTRAINT organisation_escalate CHECK (escalate_after BETWEEN 1 AND 30);
ALTER TABLE organisation ADD COLUMN escalate_known_at INTEGER;
ALTER TABLE organisation ADD COLUMN escalation_channel TEXT;

-- Whom it asked when it was said: what one person left unanswered is not held against the next.
ALTER TABLE notice ADD COLUMN asked TEXT;

-- What somebody answered to the reminders of a subject (`nc/12/due`) about one date. Of several the latest counts; a
-- new date or another owner makes it moot.
CREATE TABLE answer (
    id       INTEGER PRIMARY KEY,
    org_id   INTEGER NOT NULL REFERENCES organisation (id),
    subject  TEXT NOT NULL,
    about_on TEXT NOT NULL CONSTRAINT answer_about CHECK (length(about_on) = 10),
    kind     TEXT NOT NULL CONSTRAINT answer_kind CHECK (kind IN ('acknowledged', 'snoozed')),
    until_on TEXT NOT NULL CONSTRAINT answer_until CHECK (length(until_on) = 10),
    asked    TEXT,
    words    TEXT,
    by_id    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    CONSTRAINT answer_reason CHECK (kind = 'acknowledged' OR words IS NOT NULL),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id)
) STRICT;

CREATE INDEX answer_subject ON answer (org_id, subject, about_on);

-- A reminder of somebody's own, by a cron expression in the organisation's zone.
CREATE TABLE own_reminder (
    id       INTEGER PRIMARY KEY,
    org_id   INTEGER NOT NULL REFERENCES organisation (id),
    no       INTEGER NOT NULL,
    cron     TEXT NOT NULL,
    words    TEXT NOT NULL,
    channel  TEXT,
    asks_id  INTEGER,
    by_id    INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    ended_at INTEGER,
    UNIQUE (org_id, no),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, asks_id) REFERENCES person (org_id, id),
    FOREIGN KEY (org_id, by_id) REFERENCES person (org_id, id)
) STRICT;
