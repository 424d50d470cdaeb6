//! The wording of notices: what the bot says by itself.

use chrono::NaiveDate;

use super::card::{Card, Line, Tone};
use super::{away, dated, days};
use crate::catalogue::Catalogue;
use crate::domain::action::Action;
use crate::domain::calendar;
use crate::domain::certificate::{CertificateFile, Cycle};
use crate::domain::clocks::{self, Clock, ClockState};
use crate::domain::coverage::{self, Reach};
use crate::domain::nonconformity::{Nonconformity, State};
use crate::domain::organisation::Organisation;
use crate::domain::programme::{Carries, Phase, Serves};
use crate::domain::record::RecordKind;
use crate::domain::review::ReviewState;
use crate::domain::standard::Standard;
use crate::domain::task;
use crate::notify::due::{Occurrence, What};

/// Everything that the wording of a notice is made from.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The organisation.
    pub organisation: &'a Organisation,
    /// The standards and programmes.
    pub catalogue: &'a Catalogue,
    /// The certificate with its records.
    pub file: &'a CertificateFile,
    /// Today, where the organisation is.
    pub today: NaiveDate,
}

impl About<'_> {
    fn standard(&self) -> Option<&Standard> {
        self.catalogue.standard(&self.file.certificate.standard)
    }

    /// What the certificate is called in a post that everybody in the channel reads.
    pub fn name(&self) -> Line {
        let c = &self.file.certificate;
        if self.organisation.minimal {
            Line::new().text(format!("C-{}", c.no))
        } else {
            Line::new().said(&c.name)
        }
    }

    fn serves(&self, serves: &Serves) -> String {
        self.standard().and_then(|s| s.served_by(serves)).unwrap_or_default()
    }

    fn nc(&self, o: &Occurrence) -> Option<&Nonconformity> {
        self.file.nonconformities.iter().find(|nc| Some(nc.id) == o.nc)
    }

    fn action(&self, no: i64) -> Option<&Action> {
        self.file.actions.iter().find(|a| a.no == no)
    }

    /// The name of somebody whom a notice about this certificate asks.
    fn name_of(&self, handle: &str) -> String {
        let f = self.file;
        let ncs = f.nonconformities.iter().flat_map(|nc| {
            let acts = nc.progress().action().map(|(owner, ..)| owner);
            nc.owner.iter().chain(acts).chain(nc.verification.by.iter())
        });
        let mut all = ncs
            .chain(f.actions.iter().map(|a| &a.owner))
            .chain(f.booked.iter().filter_map(|a| a.lead.as_ref()))
            .chain(f.certificate.owner.iter());
        all.find(|p| p.handle == handle).map_or_else(|| handle.to_owned(), |p| p.name.clone())
    }

    fn kind(&self, audit: i64) -> &'static str {
        self.file.booked.iter().find(|a| a.no == audit).map_or("", |a| a.kind.id())
    }

    /// The clocks as they stand.
    pub fn clocks(&self) -> Vec<Clock> {
        let Some(programme) = self.standard().and_then(|s| self.catalogue.programme_of(s)) else {
            return Vec::new();
        };
        clocks::clocks(self.file, self.standard(), programme, self.organisation.zone, self.today)
    }

    fn phase(&self, id: &str) -> Option<&Phase> {
        self.catalogue.programme_of(self.standard()?)?.phases.iter().find(|p| p.id == id)
    }
}

/// A clock in a line: what, by when, by which rule.
pub(crate) fn clock_line(clock: &Clock, today: NaiveDate) -> Line {
    let line = Line::new().text(clock.title()).text(" by ");
    let line = match clock.state {
        ClockState::Met { .. } | ClockState::MetLate { .. } => line.date(clock.limit),
        ClockState::Running | ClockState::Missed => line.line(dated(clock.limit, today)),
    };
    let line = match clock.state {
        ClockState::Met { on } => line.text(", met on ").date(on),
        ClockState::MetLate { on } => line.text(", met late on ").date(on),
        ClockState::Running => line,
        ClockState::Missed => line.text(", ").strong("missed"),
    };
    line.text(format!(" — {} ({})", clock.rule.source(), clock.rule.id()))
}

/// What the notice is headed with.
fn title(about: &About<'_>, o: &Occurrence, what: &What) -> Line {
    let nc = about.nc(o).map(|nc| format!("NC-{}", nc.no)).unwrap_or_default();
    let line = about.name().text(": ");
    match what {
        What::PhaseBegins { phase, .. } => {
            let title = about.phase(phase).map_or(phase.as_str(), |p| p.title.as_str()).to_owned();
            line.text(title).text(" begins")
        }
        What::ClockNear { clock, .. } => {
            line.text(clock.title()).text(" by ").line(dated(clock.limit, about.today))
        }
        What::ClockOverdue { clock, .. } => {
            line.text(clock.title()).text(" by ").date(clock.limit).text(": missed")
        }
        What::NcNear { until, .. } => line.text(format!("{nc} due ")).line(dated(*until, about.today)),
        What::NcOverdue { until, .. } => line.text(format!("{nc} overdue since ")).date(*until),
        What::ActionNear { action: Some(no), until, .. } => {
            line.text(format!("ACT-{no} due ")).line(dated(*until, about.today))
        }
        What::ActionOverdue { action: Some(no), until, .. } => {
            line.text(format!("ACT-{no} overdue since ")).date(*until)
        }
        What::StartBy { clock } => line
            .text("book the certification body now: ")
            .text(clock.title())
            .text(" by ")
            .line(dated(clock.limit, about.today)),
        What::AuditNear { audit, on, .. } => {
            line.text(format!("A-{audit}, {} audit ", about.kind(*audit))).line(dated(*on, about.today))
        }
        What::AuditOverdue { audit, on, .. } => {
            line.text(format!("A-{audit}, {} audit, was planned for ", about.kind(*audit))).date(*on)
        }
        What::ReviewNear { review, on, .. } => {
            line.text(format!("MR-{review}, management review ")).line(dated(*on, about.today))
        }
        What::ReviewOverdue { review, on, .. } => {
            line.text(format!("MR-{review}, management review, was planned for ")).date(*on)
        }
        What::ActionNear { until, .. } => {
            line.text(format!("action of {nc} due ")).line(dated(*until, about.today))
        }
        What::ActionOverdue { until, .. } => line.text(format!("action of {nc} overdue since ")).date(*until),
        What::VerifyDue { .. } => line.text(format!("verify that the action of {nc} works")),
        What::StageTwoNear { on, .. } => line.text("stage 2 audit ").line(dated(*on, about.today)),
        What::Stands { .. } => line.text("where it stands"),
        What::Promised { of, .. } => title(about, o, of),
        What::Escalated { of, since, .. } => {
            title(about, o, of).text(", no answer since ").line(dated(*since, about.today))
        }
        What::ChannelParked { .. } | What::Own { .. } => Line::new(),
    }
}

/// What a notice says, headed and whole.
#[derive(Debug, Clone)]
pub struct Words {
    /// What it is headed with.
    pub title: Line,
    /// The whole of it.
    pub card: Card,
}

/// The words of a notice; none where it is about a certificate that is not there any more.
pub fn words(
    organisation: &Organisation,
    catalogue: &Catalogue,
    files: &[CertificateFile],
    o: &Occurrence,
    today: NaiveDate,
) -> Option<Words> {
    match &o.what {
        What::ChannelParked { channel, why, waiting } => Some(parked(channel, why, *waiting)),
        What::Own { no, words } => Some(own(*no, words, organisation.minimal)),
        what @ (What::PhaseBegins { .. }
        | What::ClockNear { .. }
        | What::ClockOverdue { .. }
        | What::NcNear { .. }
        | What::NcOverdue { .. }
        | What::ActionNear { .. }
        | What::ActionOverdue { .. }
        | What::VerifyDue { .. }
        | What::StageTwoNear { .. }
        | What::StartBy { .. }
        | What::AuditNear { .. }
        | What::AuditOverdue { .. }
        | What::ReviewNear { .. }
        | What::ReviewOverdue { .. }
        | What::Stands { .. }
        | What::Promised { .. }
        | What::Escalated { .. }) => {
            let file = files.iter().find(|f| Some(f.certificate.id) == o.certificate)?;
            let about = About { organisation, catalogue, file, today };
            Some(Words { title: title(&about, o, what), card: card(&about, o, what) })
        }
    }
}

fn parked(channel: &str, why: &str, waiting: i64) -> Words {
    let title = Line::new().text("Reminders for another channel cannot be posted");
    let card = Card::new(Tone::Alarm, title.clone())
        .line(Line::new().text(format!("{} for ", super::waiting(waiting))).channel(channel).text(": ").said(why))
        .line(
            Line::new()
                .text("Grant View Channel, Send Messages and Embed Links there, and what waits is posted; or choose another channel with ")
                .code("/setup channel:")
                .text(" or ")
                .code("/certificate edit channel:")
                .text("."),
        );
    Words { title, card }
}

fn own(no: i64, words: &str, minimal: bool) -> Words {
    let name = format!("RM-{no}");
    let title = if minimal { Line::new().text(name) } else { Line::new().text(name).text(": ").said(words) };
    let card = Card::new(Tone::Plain, title.clone())
        .footer(format!("A reminder of your own; /remind stop reminder:RM-{no} ends it"));
    Words { title, card }
}

/// A nonconformity in a line.
pub(crate) fn nc_line(nc: &Nonconformity, minimal: bool, today: NaiveDate) -> Line {
    let line = Line::new().strong(format!("NC-{}", nc.no));
    if minimal {
        // Reference and date only.
        return line.text(" due ").line(dated(nc.due_on, today));
    }
    let line = line.text(format!(" {} {}", nc.grade.id(), nc.clause));
    if nc.state() == State::Closed {
        return line.text(format!(", {}", nc.state_words()));
    }
    let short: String = nc.statement.chars().take(90).collect();
    line.text(format!(", {}, due ", nc.state().id())).line(dated(nc.due_on, today)).text(": ").said(short)
}

/// The whole notice.
fn card(about: &About<'_>, o: &Occurrence, what: &What) -> Card {
    let title = title(about, o, what);
    match what {
        What::PhaseBegins { phase, begins_on, ends_on, .. } => {
            phase_card(about, title, phase, *begins_on, *ends_on)
        }
        // Posted late, it counts from the day on which it is read.
        What::ClockNear { clock, .. } => Card::new(Tone::Warning, title)
            .line(match clock.limit - about.today {
                left if left.num_days() > 0 => {
                    let left = days(u32::try_from(left.num_days()).unwrap_or(u32::MAX));
                    Line::new().text(format!("{left} left, until ")).date(clock.limit).text(".")
                }
                _ => Line::new().text("The limit was ").date(clock.limit).text("."),
            })
            .line(clock.rule.explanation())
            .line(Line::new().text(format!("Rule {}: {}.", clock.rule.id(), clock.rule.source()))),
        What::ClockOverdue { clock, .. } => Card::new(Tone::Alarm, title)
            .line(
                Line::new()
                    .text(format!(
                        "Overdue by {}: the limit was ",
                        days(u32::try_from((about.today - clock.limit).num_days()).unwrap_or_default())
                    ))
                    .date(clock.limit)
                    .text("."),
            )
            .line(clock.rule.explanation())
            .line(Line::new().text(format!("Rule {}: {}.", clock.rule.id(), clock.rule.source()))),
        What::ActionNear { action: Some(no), .. } => action_card(about, Card::new(Tone::Warning, title), *no),
        What::ActionOverdue { action: Some(no), .. } => {
            action_card(about, Card::new(Tone::Alarm, title), *no)
        }
        What::StartBy { clock } => Card::new(Tone::Warning, title)
            .line(clock.rule.explanation())
            .line(
                Line::new()
                    .text("No such audit is planned yet. Once it is booked: ")
                    .code(format!("/audit plan certificates:C-{} kind: date:", about.file.certificate.no))
                    .text("."),
            )
            .line(Line::new().text(format!("Rule {}: {}.", clock.rule.id(), clock.rule.source()))),
        What::AuditNear { audit, .. } => audit_card(about, Card::new(Tone::Warning, title), *audit)
            .footer(format!("/audit start audit:A-{audit} when it begins; /audit move changes the day")),
        What::AuditOverdue { audit, .. } => {
            audit_card(about, Card::new(Tone::Alarm, title), *audit).footer(format!(
                "Held? /audit report audit:A-{audit}. Not held? /audit move or /audit cancel, with the reason"
            ))
        }
        What::ReviewNear { .. } => Card::new(Tone::Warning, title).line(
            Line::new()
                .text("Its inputs, prepared from the records: ")
                .code(format!("/review inputs certificate:C-{}", about.file.certificate.no))
                .text("."),
        ),
        What::ReviewOverdue { review, .. } => Card::new(Tone::Alarm, title).line(
            Line::new()
                .text("Held? ")
                .code(format!("/review hold review:MR-{review}"))
                .text(" records it. Not held? ")
                .code(format!("/review cancel review:MR-{review}"))
                .text(", and plan another."),
        ),
        What::NcNear { .. } | What::ActionNear { .. } | What::VerifyDue { .. } => {
            nc_card(about, Card::new(Tone::Warning, title), o)
        }
        What::NcOverdue { .. } | What::ActionOverdue { .. } => {
            nc_card(about, Card::new(Tone::Alarm, title), o)
        }
        What::StageTwoNear { .. } => {
            let internal =
                about.file.audits.iter().any(|a| a.kind == crate::domain::audit::AuditKind::Internal);
            let reviewed = about.file.reviews.iter().any(|r| r.state == ReviewState::Held);
            let ready = if internal && reviewed {
                "An internal audit and a management review are on record."
            } else if internal {
                "An internal audit is on record; the body also asks for a management review."
            } else {
                "No internal audit is on record yet: the body asks for one over the whole scope, and for a management review, before stage 2."
            };
            Card::new(Tone::Warning, title).line(ready)
        }
        What::Stands { .. } => stands_card(about, title),
        What::Promised { of, by: (handle, name), snoozed } => {
            let did = if *snoozed { "It was snoozed until today" } else { "It was acknowledged for today" };
            let did = Line::new().text(did);
            let did = if about.organisation.minimal { did } else { did.text(" by ").person(handle, name) };
            let mut card = card(about, o, of);
            card.lines.insert(0, did.text("."));
            card
        }
        What::Escalated { of, since, asked } => {
            let mut told = Line::new().strong("Not answered");
            if let Some(handle) = asked.as_ref().filter(|_| !about.organisation.minimal) {
                let name = about.name_of(handle);
                told = told.text(" by ").person(handle, name);
            }
            told = told.text(" since ").date(*since).text(". ");
            let answer = format!("/remind ack reminder:{}", super::remind::name(&o.thread));
            let mut card = card(about, o, of);
            card.tone = Tone::Alarm;
            card.title = title;
            card.lines.insert(0, told.text("Whoever takes it up answers with ").code(answer).text("."));
            card
        }
        What::ChannelParked { .. } | What::Own { .. } => Card::new(Tone::Plain, title),
    }
}

fn action_card(about: &About<'_>, card: Card, no: i64) -> Card {
    let Some(a) = about.action(no) else { return card };
    let card = if about.organisation.minimal {
        card
    } else {
        card.line(Line::new().person(&a.owner.handle, &a.owner.name).text(": ").said(&a.what))
    };
    card.line(Line::new().text("Next: ").code(format!("/action done action:ACT-{no}")).text("."))
}

fn audit_card(about: &About<'_>, card: Card, no: i64) -> Card {
    let Some(a) = about.file.booked.iter().find(|a| a.no == no) else { return card };
    if about.organisation.minimal {
        return card;
    }
    super::programme::made_of(card, a, &about.file.areas)
}

fn nc_card(about: &About<'_>, card: Card, o: &Occurrence) -> Card {
    let Some(nc) = about.nc(o) else { return card };
    let minimal = about.organisation.minimal;
    let mut card = card.line(nc_line(nc, minimal, about.today));
    if let Some((owner, due, action)) = nc.progress().action() {
        let mut line = Line::new().text("Action due ").line(dated(due, about.today));
        if !minimal {
            line = line.text(", by ").person(&owner.handle, &owner.name).text(": ").said(action);
        }
        card = card.line(line);
    }
    card.line(Line::new().text("Next: ").code(super::records::next_step(nc, 1)).text("."))
}

/// What is live on a certificate: open nonconformities, audits on record, clocks running.
fn live(about: &About<'_>, card: Card) -> Card {
    let minimal = about.organisation.minimal;
    let mut open: Vec<&Nonconformity> = about.file.nonconformities.iter().filter(|nc| nc.is_open()).collect();
    open.sort_by_key(|nc| (nc.due_on, nc.no));
    let mut ncs: Vec<Line> = open.iter().take(5).map(|nc| nc_line(nc, minimal, about.today)).collect();
    if open.len() > 5 {
        ncs.push(Line::new().text(format!("and {} more: ", open.len() - 5)).code("/nc list"));
    }
    if ncs.is_empty() {
        ncs.push("none".into());
    }
    let mut audits: Vec<Line> = about
        .file
        .audits
        .iter()
        .rev()
        .take(3)
        .map(|a| Line::new().text(format!("A-{} {} ", a.no, a.kind.id())).date(a.ends_on))
        .collect();
    if audits.is_empty() {
        audits.push("none yet".into());
    }
    let clocks: Vec<Line> = about
        .clocks()
        .iter()
        .filter(|c| c.is_open() && c.rule.is_dated())
        .take(5)
        .map(|c| clock_line(c, about.today))
        .collect();
    card.field("Open nonconformities", ncs).field("Audits on record", audits).field("Clocks running", clocks)
}

fn phase_card(about: &About<'_>, title: Line, phase: &str, begins: NaiveDate, ends: NaiveDate) -> Card {
    let Some(phase) = about.phase(phase) else { return Card::new(Tone::Plain, title) };
    let card = Card::new(Tone::Plain, title)
        .line(phase.purpose.as_str())
        .line(
            Line::new()
                .text(format!("Months {} to {}: ", phase.from, phase.to))
                .date(begins)
                .text(" to ")
                .date(ends)
                .text("."),
        )
        .field(
            "To do",
            phase
                .activities
                .iter()
                .map(|a| Line::new().text(format!("• {} — {}", a.title, about.serves(&a.serves))))
                .collect(),
        );
    live(about, carried(about, phase, ends, card))
}

/// What the announcement of a phase carries from the records: what earlier phases left open, and what it is about.
fn carried(about: &About<'_>, phase: &Phase, ends: NaiveDate, card: Card) -> Card {
    let (file, today, minimal) = (about.file, about.today, about.organisation.minimal);
    let left: Vec<Line> = about
        .standard()
        .and_then(|s| Some((s, about.catalogue.programme_of(s)?)))
        .map(|(s, p)| task::tasks(s, p, file, today))
        .unwrap_or_default()
        .iter()
        .filter(|t| t.is_carried_over(today))
        .map(|t| Line::new().text(format!("• {} ({})", t.title, t.phase_title)))
        .collect();
    let mut card = card.field("Carried over from earlier phases, still open", left);
    let since = file.certificate.current_cycle(today).map(Cycle::valid_from);
    let in_cycle = |on: NaiveDate| since.is_none_or(|since| on >= since);
    for carries in &phase.carries {
        match carries {
            Carries::Areas => {
                let (new, due) = super::work::areas_for(&file.areas, &file.audits, ends, today);
                if minimal {
                    let n = new.len() + due.len();
                    if n > 0 {
                        card = card
                            .field("Areas due", vec![Line::new().text(format!("{n}: ")).code("/area due")]);
                    }
                } else {
                    card = card
                        .field("Areas newly added, not audited yet", new)
                        .field("Areas due for an audit", due);
                }
            }
            Carries::Changes => {
                let n = file
                    .records
                    .iter()
                    .filter(|r| r.kind == RecordKind::Change && r.counts() && in_cycle(r.on))
                    .count();
                card = card.field(
                    "Changes to review",
                    vec![
                        Line::new()
                            .text(format!(
                                "{} on record in this cycle: ",
                                super::count(n, "change", "changes")
                            ))
                            .code("/change list"),
                    ],
                );
            }
            Carries::Risks => {
                let last = file
                    .records
                    .iter()
                    .filter(|r| r.kind == RecordKind::Risk && r.counts())
                    .map(|r| r.on)
                    .max();
                let line = match last {
                    Some(on) => Line::new().text("Looked at last on ").line(dated(on, today)).text(": "),
                    None => Line::new().text("No revisit is on record: "),
                };
                card = card.field("Risks", vec![line.code("/risk revisit")]);
            }
            Carries::Training => {
                let n = file
                    .records
                    .iter()
                    .filter(|r| r.kind == RecordKind::Training && r.counts() && in_cycle(r.on))
                    .count();
                card = card.field(
                    "Training",
                    vec![
                        Line::new()
                            .text(format!(
                                "{} on record in this cycle: ",
                                super::count(n, "training", "trainings")
                            ))
                            .code("/training list"),
                    ],
                );
            }
            Carries::Coverage => {
                if let Some(standard) = about.standard() {
                    let covered = coverage::coverage(file, standard, today);
                    let left =
                        covered.clauses.iter().filter(|c| !matches!(c.reach, Reach::Sampled { .. })).count();
                    card = card.field(
                        "Audit coverage",
                        vec![
                            Line::new()
                                .text(format!(
                                    "{left} of {} clauses and controls not sampled in this cycle: ",
                                    covered.clauses.len()
                                ))
                                .code(format!("/audit coverage certificate:C-{}", file.certificate.no)),
                        ],
                    );
                }
            }
        }
    }
    card
}

/// The phase that a certificate is in, in a line.
pub(crate) fn phase_line(about: &About<'_>) -> Option<Line> {
    let cycle = about.file.certificate.current_cycle(about.today)?;
    let programme = about.catalogue.programme_of(about.standard()?)?;
    let phase = calendar::current_phase(programme, cycle, about.today)?;
    let month =
        calendar::month_of(cycle, about.today).map(|m| format!("month {m} of 36, ")).unwrap_or_default();
    Some(
        Line::new().strong(&phase.phase.title).text(format!(" ({month}until ")).date(phase.ends_on).text(")"),
    )
}

fn stands_card(about: &About<'_>, title: Line) -> Card {
    let mut card = Card::new(Tone::Plain, title);
    if let Some(phase) = phase_line(about) {
        card = card.line(Line::new().text("Phase: ").line(phase).text("."));
    }
    let clocks = about.clocks();
    if let Some(next) = clocks::next_clock(&clocks, about.today) {
        card = card.line(Line::new().text("Next: ").line(clock_line(next, about.today)).text("."));
    }
    let late = clocks::late(&clocks);
    if late.is_empty() {
        card = card.line("Nothing is late.");
    }
    card.field("Late", late.iter().map(|c| clock_line(c, about.today)).collect())
}

/// A card that is posted after its day: says for which day it was meant.
pub fn late(card: Card, meant_for: NaiveDate) -> Card {
    let mut late = card;
    late.lines.insert(
        0,
        Line::new()
            .strong("Late: ")
            .text("this was meant for ")
            .date(meant_for)
            .text(" and could not be posted then."),
    );
    late
}

/// A card of which nobody can tell whether it was posted before.
pub fn maybe_again(mut card: Card) -> Card {
    let words = "it could not be told whether this was posted before.";
    card.lines.insert(0, Line::new().strong("May be a repeat: ").text(words));
    card
}

/// Several notices in one message, `late` of them after a silence.
pub fn digest(entries: &[(NaiveDate, Line)], late: usize, today: NaiveDate) -> Card {
    let n = entries.len();
    let mut card = match late {
        0 => Card::new(Tone::Warning, format!("{n} reminders for today")),
        _ if late == n => Card::new(Tone::Warning, format!("{n} reminders that could not be posted in time"))
            .line("Each with the day it was meant for:"),
        _ => Card::new(Tone::Warning, format!("{n} reminders, {late} of which could not be posted in time"))
            .line("Each with the day it was meant for:"),
    };
    for (day, title) in entries {
        let meant = if *day == today && late == 0 {
            Line::new().text("• ")
        } else {
            Line::new().text("• ").date(*day).text(format!(" ({}) ", away(*day, today)))
        };
        card = card.line(meant.line(title.clone()));
    }
    card.line(Line::new().code("/status").text(" says where everything stands now."))
}
