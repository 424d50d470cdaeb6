//! What is said of why a date is where it is, and of what would become of it.

use chrono::NaiveDate;

use super::card::{Card, Line, Tone};
use super::dated;
use super::notice::clock_line;
use crate::domain::audit::{Audit, AuditKind};
use crate::domain::calendar::PhaseDates;
use crate::domain::certificate::{CertificateFile, Cycle};
use crate::domain::clocks::{Clock, ClockState, Rule};
use crate::domain::standard::Transition;

pub(crate) fn no_clock(typed: &str, rules: &[&str]) -> Line {
    Line::new()
        .text("There is no deadline ")
        .said(typed)
        .text(format!(". They are: {}; and ", rules.join(", ")))
        .code("expiry")
        .text(" for the certificate's own dates.")
}

pub(crate) fn date_needed() -> Line {
    Line::new().text("For which day? Give it in ").code("date").text(".")
}

pub(crate) fn what_if_needed() -> Line {
    Line::new()
        .text("What if what? Give a day in ")
        .code("decided")
        .text(", or a kind of audit in ")
        .code("audit")
        .text(" and its day in ")
        .code("date")
        .text(".")
}

/// A rule that has no clock here now.
pub fn not_running(file: &CertificateFile, rule: Rule) -> Card {
    Card::new(Tone::Plain, Line::new().said(&file.certificate.name).text(format!(": {}", rule.id())))
        .line("Nothing on record sets this deadline now.")
        .line(rule.explanation())
        .line(Line::new().text(format!("Source: {}.", rule.source())))
}

fn clock(card: Card, c: &Clock, today: NaiveDate) -> Card {
    let mut lines = vec![
        clock_line(c, today),
        Line::new().text("Counted from ").date(c.anchor).text(format!(": {}", counted(c))),
        Line::new().text(c.rule.explanation()),
        Line::new().text(format!("Source: {}.", c.rule.source())),
    ];
    if c.rule.is_hard() {
        lines.push(
            "Nobody here can move it, and it cannot be snoozed: going against it needs a reason on record."
                .into(),
        );
    } else {
        lines.push("It is the certification body's own limit: agree another with the body, and put it on record with /certificate edit.".into());
    }
    card.field(c.title(), lines)
}

/// What a clock's anchor is.
fn counted(c: &Clock) -> String {
    match c.rule {
        Rule::S1Latest => "the certification decision, plus 12 months".to_owned(),
        Rule::SurvCalendarYear => {
            "the decision; each calendar year after the decision's and before the expiry's".to_owned()
        }
        Rule::SurvYears => "the decision, plus 12 months for each year".to_owned(),
        Rule::RecertYear | Rule::RecertMajor => "the certificate's last valid day".to_owned(),
        Rule::Restore => "the certificate's last valid day, plus 6 months".to_owned(),
        Rule::Stage2Major => "the last day of stage 2, plus 6 months".to_owned(),
        Rule::CbNcPlan | Rule::CbNcClose => {
            format!("the last day of the body's audit, plus {} days", (c.limit - c.anchor).num_days())
        }
        Rule::Stage1To2 => format!("the last day of stage 1, plus {} days", (c.limit - c.anchor).num_days()),
        Rule::Suspension => "the day of the suspension, plus 6 months".to_owned(),
        Rule::Transition => "the end of the edition's transition period".to_owned(),
    }
}

/// `/cycle why`
pub fn why(
    file: &CertificateFile,
    clocks: &[Clock],
    phases: &[PhaseDates<'_>],
    date: Option<NaiveDate>,
    with_cycle: bool,
    transition: Option<&Transition>,
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Plain, Line::new().said(&file.certificate.name).text(": why these dates"));
    if let Some(day) = date {
        card = card.line(Line::new().text("About ").line(dated(day, today)).text("."));
        let lines: Vec<Line> = phases
            .iter()
            .filter(|p| p.begins_on <= day && day <= p.ends_on)
            .map(|p| {
                let line = if p.begins_on == day {
                    Line::new().strong(&p.phase.title).text(" begins: ")
                } else {
                    Line::new().text("It lies in ").strong(&p.phase.title).text(": ")
                };
                line.text(format!(
                    "months {} to {} of the cycle, counted from its first day each time and clamped to the month's last day, from ",
                    p.phase.from, p.phase.to
                ))
                .date(p.begins_on)
                .text(" to ")
                .date(p.ends_on)
            })
            .collect();
        card = card.field("Phase", lines);
    }
    if with_cycle {
        for cycle in &file.certificate.cycles {
            if date.is_some_and(|d| ![cycle.decided_on, cycle.anchor, cycle.expires_on].contains(&d)) {
                continue;
            }
            card = card.field(format!("Cycle {}", cycle.n), cycle_lines(cycle));
        }
        if let Some(t) = transition {
            card = card.field(
                "Edition",
                vec![
                    Line::new()
                        .text("Certificates of this edition are valid until ")
                        .line(dated(t.until, today))
                        .text(format!("; then {} ({}).", t.to, t.source)),
                ],
            );
        }
    }
    for c in clocks {
        card = clock(card, c, today);
    }
    if card.fields.is_empty() {
        card = card.line("No phase, deadline or decision of this certificate falls on it.");
    }
    card
}

fn cycle_lines(cycle: &Cycle) -> Vec<Line> {
    let begins = if cycle.n == 1 {
        "the certification decision (CYCLE_START, ISO/IEC 17021-1:2015 9.1.3.2)"
    } else {
        "the day after the old expiry, so that the calendar does not creep (CYCLE_START, ISO/IEC 17021-1:2015 9.6.3.2.3 and 9.6.3.2.5)"
    };
    let usual = crate::domain::calendar::default_expiry(cycle.anchor) == cycle.expires_on;
    let expiry = if usual {
        "its first day plus 36 months, less a day (NEW_EXPIRY, ISO/IEC 17021-1:2015 9.6.3.2.3)"
    } else {
        "as the certificate says"
    };
    vec![
        Line::new().text("Decided on ").date(cycle.decided_on).text("."),
        Line::new().text("Months are counted from ").date(cycle.anchor).text(format!(": {begins}.")),
        Line::new().text("Last valid day ").date(cycle.expires_on).text(format!(": {expiry}.")),
    ]
}

pub(crate) fn if_decided(cycle: &Cycle, renewal: bool) -> Line {
    Line::new()
        .text(if renewal { "Renewed by a decision on " } else { "Decided on " })
        .date(cycle.decided_on)
        .text(": months from ")
        .date(cycle.anchor)
        .text(", valid until ")
        .date(cycle.expires_on)
}

pub(crate) fn if_held(kind: AuditKind, on: NaiveDate) -> Line {
    Line::new().text(format!("A {} audit on ", kind.id())).date(on)
}

pub(crate) fn if_moved(a: &Audit, on: NaiveDate) -> Line {
    Line::new().text(format!("A-{} ({}) on ", a.no, a.kind.id())).date(on)
}

/// `/cycle whatif`
pub fn what_if(
    file: &CertificateFile,
    words: &[Line],
    before: &[Clock],
    after: &[Clock],
    day: NaiveDate,
) -> Card {
    let same = |a: &Clock, b: &Clock| a.rule == b.rule && a.subject == b.subject && a.cycle == b.cycle;
    let bad = |c: &Clock| matches!(c.state, ClockState::Missed | ClockState::MetLate { .. });
    let good = |c: &Clock| matches!(c.state, ClockState::Met { .. });
    let line = |c: &Clock| {
        let state = match c.state {
            ClockState::Met { on } => Line::new().text(": met on ").date(on),
            ClockState::MetLate { on } => Line::new().text(": met late, on ").date(on),
            ClockState::Running => Line::new().text(": still open"),
            ClockState::Missed => Line::new().text(": ").strong("missed"),
        };
        Line::new().text(format!("{} by ", c.title())).date(c.limit).line(state).text(format!(
            " ({}, {})",
            c.rule.id(),
            c.rule.source()
        ))
    };
    let breaks: Vec<Line> = after.iter().filter(|c| bad(c)).map(line).collect();
    let keeps: Vec<Line> =
        after.iter().filter(|c| good(c) && !before.iter().any(|b| same(b, c) && good(b))).map(line).collect();
    let moved: Vec<Line> = after
        .iter()
        .filter_map(|c| {
            let was = before.iter().find(|b| same(b, c))?;
            (was.limit != c.limit).then(|| {
                Line::new().text(format!("{}: ", c.title())).date(was.limit).text(" → ").date(c.limit)
            })
        })
        .collect();
    let open: Vec<Line> = after.iter().filter(|c| c.state == ClockState::Running).take(6).map(line).collect();
    let mut card = Card::new(
        if breaks.is_empty() { Tone::Good } else { Tone::Warning },
        Line::new().said(&file.certificate.name).text(": what if"),
    );
    for w in words {
        card = card.line(w.clone());
    }
    card = card.line(if breaks.is_empty() {
        Line::new().text("It breaks nothing, as things would stand on ").date(day).text(".")
    } else {
        Line::new().text("As things would stand on ").date(day).text(", it breaks:")
    });
    card.field("Breaks", breaks)
        .field("Meets", keeps)
        .field("Moves", moved)
        .field("Still open then", open)
        .footer("Nothing was recorded; planned audits count as held")
}
