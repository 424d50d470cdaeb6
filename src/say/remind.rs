//! The words of `/remind`.

use chrono::{DateTime, NaiveDate, Utc};

use super::card::{Card, Line, Tone};
use super::records::warn_missing;
use super::{dated, days};
use crate::catalogue::Holidays;
use crate::domain::organisation::{Organisation, Person};
use crate::domain::reminder::{Answer, OwnReminder, Response};
use crate::notify::due::{Kind, Occurrence, SUBJECTS, To, What};
use crate::notify::own::Untimely;
use crate::store::notices::Told;

/// How many lines a list shows at most.
const MOST: usize = 25;

/// Where an answerable subject stands.
#[derive(Debug)]
pub(crate) struct Standing<'a> {
    /// One of its reminders.
    pub(crate) o: &'a Occurrence,
    /// When it was spoken of last.
    pub(crate) said: Option<DateTime<Utc>>,
    /// The answer that counts.
    pub(crate) answer: Option<&'a Answer>,
    /// When it is spoken of next, and how.
    pub(crate) next: Option<(NaiveDate, Kind)>,
}

/// Everything that explains why something was said or not.
#[derive(Debug)]
pub(crate) struct Explained<'a> {
    /// What still asks for something.
    pub(crate) stand: Vec<Standing<'a>>,
    /// What became of its notices, latest first.
    pub(crate) told: Vec<Told>,
    /// What comes next.
    pub(crate) next: Vec<&'a Occurrence>,
    /// The reminder of somebody's own that it is.
    pub(crate) own: Option<&'a OwnReminder>,
    /// The public holidays that count.
    pub(crate) holidays: Option<&'a Holidays>,
}

/// What a subject is called: `nc/12/due` is `NC-12`.
pub(crate) fn name(thread: &str) -> String {
    let thread = thread.split_once("/escalated").map_or(thread, |(of, _)| of);
    let mut parts = thread.splitn(3, '/');
    let (noun, no) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let rest = parts.next().unwrap_or_default();
    let prefix = SUBJECTS.iter().find(|(of, _)| *of == noun).map_or("C", |(_, prefix)| prefix);
    match rest.strip_prefix("clock/").unwrap_or(rest) {
        "" | "due" => format!("{prefix}-{no}"),
        rest => format!("{prefix}-{no}/{rest}"),
    }
}

fn person(people: &[Person], handle: &str) -> Line {
    let name = people.iter().find(|p| p.handle == handle).map_or(handle, |p| p.name.as_str());
    Line::new().person(handle, name)
}

fn asked(people: &[Person], to: &To) -> Line {
    match to {
        To::Nobody => "nobody".into(),
        To::Managers => "the managers".into(),
        To::Person(handle) => person(people, handle),
    }
}

fn answer_line(a: &Answer, today: NaiveDate) -> Line {
    let (did, words) = match &a.response {
        Response::Acknowledged { note } => ("acknowledged by ", note.as_ref()),
        Response::Snoozed { reason } => ("snoozed by ", Some(reason)),
    };
    let line =
        Line::new().text(did).person(&a.by.handle, &a.by.name).text(", until ").line(dated(a.until, today));
    match words {
        Some(words) => line.text(": ").said(words),
        None => line,
    }
}

pub(crate) fn answered(given: &[(&Occurrence, Answer)], today: NaiveDate) -> Card {
    let snoozed = given.iter().any(|(_, a)| matches!(a.response, Response::Snoozed { .. }));
    let names = given.iter().map(|(o, _)| name(&o.thread)).collect::<Vec<_>>().join(", ");
    let did = if snoozed { "snoozed" } else { "acknowledged" };
    let mut card = Card::new(Tone::Good, format!("{names} {did}"));
    for (o, a) in given {
        card = card.line(Line::new().strong(name(&o.thread)).text(": ").line(answer_line(a, today)));
        card = card.line(if o.kind.is_of_a_clock() {
            Line::new()
                .text("A deadline of the rules is never silent: its reminders go on; only the escalation waits for ")
                .date(a.until)
                .text(".")
        } else {
            Line::new().text("Nothing more is said of it before then, unless its date or its owner changes.")
        });
    }
    card
}

fn standing_line(s: &Standing<'_>, org: &Organisation, people: &[Person], today: NaiveDate) -> Line {
    let mut line = Line::new().strong(name(&s.o.thread)).text(" · ");
    if let Some(on) = s.o.about_on {
        line = line.text("by ").line(dated(on, today)).text(" · ");
    }
    line = line.line(asked(people, &s.o.to)).text(" · ");
    line = match (s.answer, s.said) {
        (Some(a), _) => line.line(answer_line(a, today)),
        (None, Some(at)) => line.text("not answered, said last on ").date(org.day_of(at)),
        (None, None) => line.text("not spoken of yet"),
    };
    match s.next {
        Some((on, kind)) => {
            line.text(" · next ").date(on).text(if kind == Kind::Escalated { " (goes up)" } else { "" })
        }
        None => line.text(" · nothing more is said of it"),
    }
}

pub(crate) fn list(
    org: &Organisation,
    people: &[Person],
    stand: &[Standing<'_>],
    own: &[(&OwnReminder, Vec<DateTime<Utc>>)],
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Plain, "Reminders");
    if stand.is_empty() {
        card = card.line("Nothing that was asked is open.");
    }
    for s in stand.iter().take(MOST) {
        card = card.line(standing_line(s, org, people, today));
    }
    if stand.len() > MOST {
        card = card.line(format!("and {} more: give a person to see theirs", stand.len() - MOST));
    }
    let own = own
        .iter()
        .take(MOST)
        .map(|(o, runs)| {
            let line = Line::new().strong(format!("RM-{}", o.no)).text(" · ").code(&o.cron).text(" · ");
            let line = line.said(&o.words);
            match runs.first() {
                Some(run) => {
                    line.text(format!(" · next {}", run.with_timezone(&org.zone).format("%a %Y-%m-%d %H:%M")))
                }
                None => line,
            }
        })
        .collect();
    card.field("Of your own", own)
        .footer("/remind ack says that you deal with it, /remind snooze puts it off, /remind why explains")
}

fn told_line(t: &Told, zone: chrono_tz::Tz) -> Line {
    let line = Line::new().text("• ").date(t.due_on).text(": ");
    let what = t.key.rsplit('/').take(2).collect::<Vec<_>>();
    let what = match what.as_slice() {
        [n, "lead"] => format!("{} before", days(n.parse().unwrap_or_default())),
        [n, "overdue"] => format!("{} after", days(n.parse().unwrap_or_default())),
        ["start-by", _] => "when to book the body".to_owned(),
        [step, _] if t.key.contains("/escalated/") => format!("escalation, step {step}"),
        [_, "until"] => "the day that was promised".to_owned(),
        [begins, phase] if *begins == "begins" => format!("{phase} begins"),
        _ => t.key.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let line = line.text(format!("{what} — "));
    let at = t.at.map(|at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
    match (t.state.as_str(), &t.channel) {
        ("sent", Some(channel)) => line.text(format!("posted on {at} in ")).channel(channel),
        ("sent", None) => line.text("posted: ").text(t.why.clone().unwrap_or_default()),
        ("superseded", _) => match t.why.as_deref().filter(|why| why.starts_with("answered")) {
            Some(answered) => line.text(format!("not posted: {answered}")),
            None => line.text("not posted: a later one about the same said it"),
        },
        ("withdrawn", _) => line.text("not posted: it was no longer true when its turn came"),
        ("parked", Some(channel)) => {
            line.text("waits for ").channel(channel).text(": ").said(t.why.clone().unwrap_or_default())
        }
        ("posting", _) => line.text("is being posted; whether it stands there is not known yet"),
        _ => line.text("waits to be posted"),
    }
}

pub(crate) fn why(
    org: &Organisation,
    people: &[Person],
    e: &Explained<'_>,
    typed: &str,
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Plain, Line::new().text("Why ").said(typed).text(" is spoken of, or not"));
    if e.stand.is_empty() && e.own.is_none() {
        card = card.line("Nothing is asked of it any more: it was dealt with, or its date or owner changed.");
    }
    for s in &e.stand {
        card = card.line(standing_line(s, org, people, today));
        if s.o.kind.is_of_a_clock() {
            card = card.line("It is a deadline of the rules: it can be acknowledged, never silenced.");
        }
    }
    if let Some(own) = e.own {
        let line = Line::new().strong(format!("RM-{}", own.no)).text(" · ").code(&own.cron).text(" · ");
        let line = line.said(&own.words).text(", entered by ").person(&own.by.handle, &own.by.name);
        card = card.line(if own.ended_at.is_some() { line.text(", ended") } else { line });
    }
    let next = e
        .next
        .iter()
        .map(|o| {
            let line = Line::new().text("• ").line(dated(o.due_on, today));
            match (&o.what, &o.channel) {
                (What::Escalated { .. }, Some(channel)) => {
                    line.text(", if nobody answers: goes up to ").channel(channel)
                }
                (What::Escalated { .. }, None) => line.text(", if nobody answers: goes up to the managers"),
                (What::Promised { .. }, _) => line.text(", the day that was promised"),
                _ => line,
            }
        })
        .collect();
    let told = e.told.iter().map(|t| told_line(t, org.zone)).collect();
    let m = &org.manners;
    let mut rules = vec![Line::new().text(format!(
        "At {:02}:00 of {}, {}.",
        org.hour,
        org.zone.name(),
        if m.working_days.is_all() { "every day".to_owned() } else { format!("on {}", m.working_days.id()) }
    ))];
    if let Some(h) = e.holidays {
        rules.push(Line::new().text("Not on the public holidays of ").said(&h.title).text("."));
    }
    if !m.working_days.is_all() || e.holidays.is_some() {
        rules.push(
            "What falls on a day off is said before it where a date is ahead, on the next working day otherwise."
                .into(),
        );
    }
    if let Some(q) = m.quiet {
        rules.push(format!("Nothing from {:02}:00 to {:02}:00.", q.from, q.until).into());
    }
    rules.push(match (m.escalation, &m.escalation_channel) {
        (None, _) => "What nobody answers does not go up: /setup escalate-after: sets a rule.".into(),
        (Some(rule), None) => Line::new()
            .text(format!("Late and not answered for {} working days: to the managers.", rule.after)),
        (Some(rule), Some(channel)) => Line::new()
            .text(format!(
                "Late and not answered for {} working days: to the managers; after as many more to ",
                rule.after
            ))
            .channel(channel)
            .text("."),
    });
    card.field("Next", next)
        .field("What became of its reminders, latest first", told)
        .field("The rules", rules)
}

pub(crate) fn entered(
    own: &OwnReminder,
    runs: &[(DateTime<Utc>, DateTime<Utc>)],
    org: &Organisation,
    missing: Option<&[String]>,
) -> Card {
    let mut card =
        Card::new(Tone::Good, format!("RM-{} entered", own.no)).line(Line::new().said(&own.words)).line(
            Line::new()
                .text("When: ")
                .code(&own.cron)
                .text(format!(", {}. The next three:", org.zone.name())),
        );
    for (run, said) in runs {
        let local = |at: &DateTime<Utc>| at.with_timezone(&org.zone).format("%a %Y-%m-%d %H:%M").to_string();
        let line = Line::new().text(format!("• {}", local(run)));
        card = card.line(if run == said {
            line
        } else {
            line.text(format!(", said on {}: no working hour before", local(said)))
        });
    }
    let card = match &own.asks {
        Some(p) => card.line(Line::new().text("It asks ").person(&p.handle, &p.name).text(".")),
        None => card,
    };
    let card = card.footer(format!("/remind stop reminder:RM-{} ends it", own.no));
    warn_missing(card, missing, own.channel.as_ref())
}

pub(crate) fn stopped(own: &OwnReminder) -> Card {
    Card::new(Tone::Good, format!("RM-{} ended", own.no)).line(Line::new().said(&own.words))
}

pub(crate) fn no_such(typed: &str) -> Line {
    Line::new()
        .text("There is no reminder ")
        .said(typed)
        .text(": name what it is about (NC-12, ACT-4, A-3, MR-1, C-1/S1_LATEST, RM-1), or the mark at its foot (ck-…).")
}

pub(crate) fn nothing_asked(typed: &str) -> Line {
    Line::new()
        .text("Nothing is asked about ")
        .said(typed)
        .text(": it was dealt with, or never was; ")
        .code("/remind list all:true")
        .text(" shows what there is.")
}

pub(crate) fn which(typed: &str, meant: &[Occurrence]) -> Line {
    let names: Vec<String> = meant.iter().take(8).map(|o| name(&o.thread)).collect();
    Line::new().said(typed).text(format!(" has several reminders: say which, such as {}.", names.join(", ")))
}

pub(crate) fn not_yours(o: &Occurrence, people: &[Person]) -> Line {
    Line::new()
        .text(format!("{} is asked of ", name(&o.thread)))
        .line(asked(people, &o.to))
        .text(": they, or a manager, answer it.")
}

pub(crate) fn until_needed(o: &Occurrence) -> Line {
    Line::new()
        .text(format!("{} is due already: say by when it will be dealt with, as ", name(&o.thread)))
        .code("until:in 1 week")
        .text(".")
}

pub(crate) fn not_ahead(day: NaiveDate, today: NaiveDate) -> Line {
    Line::new().text("until is ").line(dated(day, today)).text(": give a day after today.")
}

pub(crate) fn too_far(day: NaiveDate, most: u32) -> Line {
    Line::new()
        .text("until is ")
        .date(day)
        .text(format!(", which is too far: give a day within {}.", days(most)))
}

pub(crate) fn never_snoozed(o: &Occurrence) -> Line {
    let rule =
        o.what.clock().map_or_else(String::new, |c| format!(" ({}, {})", c.rule.id(), c.rule.source()));
    Line::new()
        .text(format!("{} is a deadline of the rules{rule} and is never put off: ", name(&o.thread)))
        .code(format!("/remind ack reminder:{}", name(&o.thread)))
        .text(" says that you deal with it, ")
        .code("/audit plan")
        .text(" books the audit.")
}

pub(crate) fn untimely(cron: &str, why: &Untimely) -> Line {
    let line = Line::new().code(cron);
    let line = match why {
        Untimely::Fields(n) => line.text(format!(
            " has {n} field{}: a cron expression has five, minute hour day-of-month month day-of-week",
            if *n == 1 { "" } else { "s" }
        )),
        Untimely::Unreadable(words) => {
            line.text(" cannot be read (").said(words).text("): minute hour day-of-month month day-of-week")
        }
        Untimely::Never => line.text(" never comes true, since there is no such day: give another"),
        Untimely::TooOften => {
            line.text(" comes more often than once an hour, which nobody would read: make it seldomer")
        }
    };
    line.text(", such as ")
        .code("0 9 * * MON")
        .text(" (Mondays at 9) or ")
        .code("0 9 1 */3 *")
        .text(" (every third month on the 1st).")
}

pub(crate) fn words_needed() -> Line {
    "text is empty: say what the reminder is to say.".into()
}

pub(crate) fn channel_needed() -> Line {
    Line::new()
        .text("There is no channel yet: name one with channel:, or choose the server's with ")
        .code("/setup")
        .text(".")
}

/// What a reminder of somebody's own is listed as.
pub(crate) fn own_kind(ended: bool) -> &'static str {
    if ended { "reminder of somebody's own, ended" } else { "reminder of somebody's own" }
}

/// What an answer is listed as.
pub(crate) fn answer_kind(a: &Answer) -> String {
    match a.response {
        Response::Acknowledged { .. } => format!("acknowledged until {}", a.until),
        Response::Snoozed { .. } => format!("snoozed until {}", a.until),
    }
}

pub(crate) fn no_own(typed: &str) -> Line {
    Line::new()
        .said(typed)
        .text(" is no reminder of your own: they are named RM-1, RM-2, …; ")
        .code("/remind list")
        .text(" shows them.")
}

pub(crate) fn ended_already(own: &OwnReminder) -> Line {
    Line::new()
        .text(format!("RM-{} was ended already: ", own.no))
        .code("/remind every")
        .text(" enters a new one.")
}
