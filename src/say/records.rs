//! What is said of records: certificates, cycles, audits, nonconformities.

use chrono::{DateTime, NaiveDate, Utc};

use super::card::{Card, Line, Tone};
use super::notice::{About, clock_line, nc_line, phase_line};
use super::{count, dated};
use crate::catalogue::Catalogue;
use crate::domain::action::Action;
use crate::domain::area::Area;
use crate::domain::audit::{Audit, AuditKind, AuditState};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, CertificateFile, Status};
use crate::domain::clocks::{self, UncoveredYear};
use crate::domain::finding::{self, Finding, Repeats};
use crate::domain::nonconformity::{Done, Nonconformity};
use crate::domain::organisation::{Organisation, Person};
use crate::domain::programme::Programme;
use crate::domain::record::{Record, RecordKind};
use crate::domain::refusal::Missing;
use crate::domain::review::{Review, ReviewState};
use crate::domain::standard::{Clause, Standard};
use crate::notify::due::Occurrence;
use crate::store::evidence::Evidence;
use crate::store::journal::Told;
use crate::store::notices::Parked;

fn who(p: &Person) -> Line {
    Line::new().person(&p.handle, &p.name)
}

/// A certificate's name; in a public post of an organisation that wants privacy, its reference.
fn name(org: &Organisation, c: &Certificate) -> Line {
    if org.minimal { Line::new().text(format!("C-{}", c.no)) } else { Line::new().said(&c.name) }
}

pub(super) fn warn_missing(card: Card, missing: Option<&[String]>, channel: Option<&String>) -> Card {
    match (missing, channel) {
        (Some(missing), Some(channel)) if !missing.is_empty() => {
            let mut card = card;
            card.tone = Tone::Warning;
            card.field(
                "Permissions missing",
                vec![
                    Line::new()
                        .text("In ")
                        .channel(channel)
                        .text(format!(" I lack: {}. Reminders cannot be posted as they should until a server admin grants them in the channel's settings.", missing.join(", "))),
                ],
            )
        }
        _ => card,
    }
}

/// `/setup`
pub fn setup(org: &Organisation, missing: Option<&[String]>, first: bool, now: DateTime<Utc>) -> Card {
    let local = now.with_timezone(&org.zone);
    let role =
        |r: &Option<String>| r.as_ref().map_or_else(|| Line::from("none yet"), |r| Line::new().role(r));
    let card = Card::new(Tone::Good, "Set up")
        .line(match &org.channel {
            Some(c) => Line::new().text("Reminders are posted in ").channel(c).text(format!(
                " at {:02}:00, {} (now {}).",
                org.hour,
                org.zone.name(),
                local.format("%Y-%m-%d %H:%M")
            )),
            None => "No channel is chosen yet: give one with the option channel.".into(),
        })
        .line(
            Line::new()
                .text("Managers: ")
                .line(role(&org.manager_role))
                .text(" (whoever may manage the server always counts). Auditors: ")
                .line(role(&org.auditor_role))
                .text("."),
        )
        .line(if org.minimal {
            "Privacy: minimal. Public posts carry references and dates only."
        } else {
            "Privacy: open. Statements and names may stand in public posts."
        });
    let m = &org.manners;
    let mut manners = Line::new();
    if !m.working_days.is_all() {
        manners = manners.text(format!("Working days: {}. ", m.working_days.id()));
    }
    if let Some(id) = &m.holidays {
        manners = manners.text("Public holidays: ").code(id).text(". ");
    }
    if let Some(q) = m.quiet {
        manners = manners.text(format!("Quiet from {:02}:00 to {:02}:00. ", q.from, q.until));
    }
    if let Some(rule) = m.escalation {
        manners = manners.text(format!(
            "What is late and not answered for {} goes to the managers",
            count(rule.after as usize, "working day", "working days")
        ));
        manners = match &m.escalation_channel {
            Some(channel) => manners.text(", and after as many more to ").channel(channel).text("."),
            None => manners.text("."),
        };
    }
    let card = if manners.is_empty() { card } else { card.line(manners) };
    let card =
        if first { card.line(Line::new().text("Next: ").code("/certificate add").text(".")) } else { card };
    warn_missing(card, missing, org.channel.as_ref())
}

fn about<'a>(
    org: &'a Organisation,
    catalogue: &'a Catalogue,
    file: &'a CertificateFile,
    today: NaiveDate,
) -> About<'a> {
    About { organisation: org, catalogue, file, today }
}

fn status_words(c: &Certificate, status: Status, today: NaiveDate) -> Line {
    match status {
        Status::Suspended { since } => Line::new()
            .strong("suspended")
            .text(" since ")
            .line(dated(since, today))
            .text(": not valid meanwhile"),
        Status::Withdrawn { since } => Line::new().strong("withdrawn").text(" on ").date(since),
        Status::Preparing => "being prepared for".into(),
        Status::Certified => match c.current_cycle(today) {
            Some(cycle) => Line::new().text("valid until ").line(dated(cycle.expires_on, today)),
            None => "valid".into(),
        },
        Status::ExpiredRestorable { until } => {
            Line::new().strong("expired").text(", can be restored until ").line(dated(until, today))
        }
        Status::Expired => Line::new().strong("expired").text("; it takes an initial certification again"),
    }
}

/// The dates of a cycle's phases, in lines.
fn phases(programme: Option<&Programme>, c: &Certificate, today: NaiveDate) -> Vec<Line> {
    let (Some(programme), Some(cycle)) = (programme, c.current_cycle(today).or_else(|| c.latest_cycle()))
    else {
        return Vec::new();
    };
    calendar::phase_dates(programme, cycle)
        .iter()
        .map(|p| {
            let mark = if p.begins_on <= today && today <= p.ends_on { "→ " } else { "" };
            Line::new()
                .text(mark)
                .date(p.begins_on)
                .text(" to ")
                .date(p.ends_on)
                .text(format!(" {}", p.phase.title))
        })
        .collect()
}

/// `/certificate add`
pub fn certificate_added(
    org: &Organisation,
    standard: &Standard,
    programme: Option<&Programme>,
    c: &Certificate,
    missing: Option<&[String]>,
    today: NaiveDate,
) -> Card {
    let mut card =
        Card::new(Tone::Good, Line::new().text(format!("C-{} recorded: ", c.no)).line(name(org, c))).line(
            Line::new()
                .text(format!("{}, ", standard.title))
                .line(status_words(c, c.status(today), today))
                .text("."),
        );
    match c.cycles.first() {
        Some(cycle) => {
            card = card
                .line(
                    Line::new()
                        .text("Decided on ")
                        .date(cycle.decided_on)
                        .text(", expires on ")
                        .date(cycle.expires_on)
                        .text("."),
                )
                .field("The cycle", phases(programme, c, today));
        }
        None => {
            card = card.line(
                Line::new()
                    .text("Record the decision with ")
                    .code(format!("/certificate decide certificate:C-{}", c.no))
                    .text("; the way there: ")
                    .code(format!("/cycle show certificate:C-{}", c.no))
                    .text("."),
            );
        }
    }
    let channel = c.channel.as_ref().or(org.channel.as_ref());
    if let Some(to) = channel {
        card = card.line(Line::new().text("Its reminders go to ").channel(to).text(format!(
            " at {:02}:00, {}.",
            org.hour,
            org.zone.name()
        )));
    }
    warn_missing(card, missing, channel)
}

/// `/certificate list`
pub fn certificates(catalogue: &Catalogue, files: &[CertificateFile], today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, "Certificates");
    if files.is_empty() {
        card =
            card.line(Line::new().text("None yet. Add the first with ").code("/certificate add").text("."));
    }
    for f in files {
        let c = &f.certificate;
        let standard = catalogue.standard(&c.standard).map_or(c.standard.as_str(), |s| s.title.as_str());
        card = card.line(
            Line::new()
                .strong(format!("C-{}", c.no))
                .text(" ")
                .said(&c.name)
                .text(format!(" · {standard} · "))
                .line(status_words(c, f.status(today), today)),
        );
    }
    card
}

/// `/certificate show`
pub fn certificate(
    org: &Organisation,
    catalogue: &Catalogue,
    file: &CertificateFile,
    told: &[Told],
    today: NaiveDate,
) -> Card {
    let c = &file.certificate;
    let standard = catalogue.standard(&c.standard).map_or(c.standard.as_str(), |s| s.title.as_str());
    let mut card = Card::new(Tone::Plain, Line::new().text(format!("C-{} ", c.no)).said(&c.name)).line(
        Line::new().text(format!("{standard}, ")).line(status_words(c, file.status(today), today)).text("."),
    );
    if let Some(phase) = phase_line(&about(org, catalogue, file, today)) {
        card = card.line(Line::new().text("Phase: ").line(phase).text("."));
    }
    let mut facts = Vec::new();
    if let Some(body) = &c.body {
        facts.push(Line::new().text("Body: ").said(body));
    }
    if let Some(number) = &c.number {
        facts.push(Line::new().text("Number: ").said(number));
    }
    if let Some(owner) = &c.owner {
        facts.push(Line::new().text("Owner: ").line(who(owner)));
    }
    if let Some(on) = c.stage2_on {
        facts.push(Line::new().text("Stage 2: ").date(on));
    }
    if let Some(scope) = &c.scope {
        facts.push(Line::new().text("Scope: ").said(scope));
    }
    let terms: Vec<String> = [
        ("plan", c.terms.plan_days),
        ("majors", c.terms.major_days),
        ("minors", c.terms.minor_days),
        ("stage 1 to 2", c.terms.stage1_days),
    ]
    .into_iter()
    .filter_map(|(what, days)| days.map(|d| format!("{what} {d} days")))
    .collect();
    if !terms.is_empty() {
        facts.push(Line::new().text(format!("The body's limits: {}", terms.join(", "))));
    }
    let became = |r: &&Record| {
        r.counts()
            && r.certificate == Some(c.id)
            && matches!(
                r.kind,
                RecordKind::Suspended
                    | RecordKind::Reinstated
                    | RecordKind::Withdrawn
                    | RecordKind::Transferred
                    | RecordKind::Scope
                    | RecordKind::OpeningMeeting
            )
    };
    for r in file.records.iter().filter(became) {
        facts.push(Line::new().text(format!("{} ", r.kind.title())).date(r.on).text(": ").said(&r.words));
    }
    for cycle in &c.cycles {
        facts.push(
            Line::new()
                .text(format!("Cycle {}: decided ", cycle.n))
                .date(cycle.decided_on)
                .text(", months from ")
                .date(cycle.anchor)
                .text(", expires ")
                .date(cycle.expires_on),
        );
    }
    for gap in c.gaps() {
        facts.push(Line::new().text("No valid certificate from ").date(gap.from).text(" to ").date(gap.to));
    }
    let open = file.nonconformities.iter().filter(|nc| nc.is_open()).count();
    facts.push(Line::new().text(format!(
        "{}, {} of which {open} open",
        count(file.audits.len(), "audit", "audits"),
        count(file.nonconformities.len(), "nonconformity", "nonconformities"),
    )));
    card = card.field("On record", facts);
    let journal = told
        .iter()
        .map(|t| {
            let line = Line::new()
                .instant(t.at)
                .text(format!(" {} by ", t.verb))
                .said(&t.actor)
                .text(format!(" ({})", t.door));
            match &t.reason {
                Some(reason) => line.text(": ").said(reason),
                None => line,
            }
        })
        .collect();
    card.field("Journal, latest first", journal)
}

/// What changes in the calendar, before and after.
fn calendar_changes(
    catalogue: &Catalogue,
    was: &Certificate,
    now: &Certificate,
    today: NaiveDate,
) -> Vec<Line> {
    let programme = catalogue.standard(&now.standard).and_then(|s| catalogue.programme_of(s));
    let Some(programme) = programme else { return Vec::new() };
    let Some(after) = now.latest_cycle() else { return Vec::new() };
    let before = was.cycles.iter().find(|c| c.n == after.n);
    let mut lines = Vec::new();
    let old = before.map(|b| calendar::phase_dates(programme, b)).unwrap_or_default();
    for p in calendar::phase_dates(programme, after) {
        match old.iter().find(|o| o.phase.id == p.phase.id).map(|o| o.begins_on) {
            Some(same) if same == p.begins_on => {}
            Some(other) => lines.push(
                Line::new().text(format!("{}: ", p.phase.title)).date(other).text(" → ").date(p.begins_on),
            ),
            None => lines.push(Line::new().text(format!("{}: ", p.phase.title)).date(p.begins_on)),
        }
    }
    match before {
        Some(b) if b.expires_on == after.expires_on => {}
        Some(b) => {
            lines.push(Line::new().text("Expiry: ").date(b.expires_on).text(" → ").date(after.expires_on));
        }
        None => lines.push(Line::new().text("Expiry: ").line(dated(after.expires_on, today))),
    }
    lines
}

fn open_majors(before: &CertificateFile) -> Vec<Line> {
    let open: Vec<String> = before
        .nonconformities
        .iter()
        .filter(|nc| {
            nc.is_open()
                && nc.grade == crate::domain::nonconformity::Grade::Major
                && nc.progress().verified.is_none()
        })
        .map(|nc| format!("NC-{}", nc.no))
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    vec![Line::new().text(format!("{} not verified yet: the body decides only once the correction of every major nonconformity is verified (ISO/IEC 17021-1:2015 9.5.2, 9.6.3.2.2).", open.join(", ")))]
}

/// `/certificate decide`
pub fn decided(
    org: &Organisation,
    catalogue: &Catalogue,
    c: &Certificate,
    before: &CertificateFile,
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Good, Line::new().line(name(org, c)).text(": certified"));
    if let Some(cycle) = c.latest_cycle() {
        card = card.line(
            Line::new()
                .text("Decided on ")
                .date(cycle.decided_on)
                .text(", valid until ")
                .date(cycle.expires_on)
                .text(". The three-year cycle begins."),
        );
    }
    card.field("Majors open", open_majors(before))
        .field("The cycle", calendar_changes(catalogue, &before.certificate, c, today))
}

/// `/certificate renew`
pub fn renewed(
    org: &Organisation,
    catalogue: &Catalogue,
    c: &Certificate,
    before: &CertificateFile,
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Good, Line::new().line(name(org, c)).text(": renewed"));
    if let Some(cycle) = c.latest_cycle() {
        card = card.line(
            Line::new()
                .text("Decided on ")
                .date(cycle.decided_on)
                .text(format!(". Cycle {} is counted from ", cycle.n))
                .date(cycle.anchor)
                .text(", the day after the old expiry, and runs to ")
                .date(cycle.expires_on)
                .text("."),
        );
    }
    let gaps = c.gaps().iter().map(|g| Line::new().date(g.from).text(" to ").date(g.to)).collect();
    card.field("No valid certificate", gaps)
        .field("Majors open", open_majors(before))
        .field("The cycle", calendar_changes(catalogue, &before.certificate, c, today))
}

/// `/certificate edit`
pub fn edited(
    org: &Organisation,
    catalogue: &Catalogue,
    was: &Certificate,
    now: &Certificate,
    before: &CertificateFile,
    reason: Option<&str>,
    today: NaiveDate,
) -> Card {
    let mut lines = Vec::new();
    let said = |t: Option<&String>| t.map_or_else(|| Line::from("none"), |t| Line::new().said(t));
    let mut text = |what: &str, a: Option<&String>, b: Option<&String>| {
        if a != b {
            lines.push(Line::new().text(format!("{what}: ")).line(said(a)).text(" → ").line(said(b)));
        }
    };
    if !org.minimal {
        text("Name", Some(&was.name), Some(&now.name));
        text("Body", was.body.as_ref(), now.body.as_ref());
        text("Number", was.number.as_ref(), now.number.as_ref());
        text("Owner", was.owner.as_ref().map(|p| &p.name), now.owner.as_ref().map(|p| &p.name));
    }
    if was.standard != now.standard {
        let title = |id: &str| catalogue.standard(id).map_or_else(|| id.to_owned(), |s| s.title.clone());
        lines.push(Line::new().text(format!(
            "Standard: {} → {}",
            title(&was.standard),
            title(&now.standard)
        )));
    }
    if was.stage2_on != now.stage2_on
        && let Some(on) = now.stage2_on
    {
        lines.push(Line::new().text("Stage 2: ").date(on));
    }
    if was.channel != now.channel
        && let Some(channel) = &now.channel
    {
        lines.push(Line::new().text("Channel: ").channel(channel));
    }
    let mut card = Card::new(Tone::Good, Line::new().line(name(org, now)).text(" corrected"));
    if let Some(reason) = reason.filter(|_| !org.minimal) {
        card = card.line(Line::new().text("Reason: ").said(reason));
    }
    card.field("Changed", lines)
        .field("The calendar", calendar_changes(catalogue, &before.certificate, now, today))
        .footer("The old values stay in the journal; notices that were pending are replaced.")
}

/// `/cycle show`
pub fn cycle(org: &Organisation, catalogue: &Catalogue, file: &CertificateFile, today: NaiveDate) -> Card {
    let c = &file.certificate;
    let standard = catalogue.standard(&c.standard);
    let programme = standard.and_then(|s| catalogue.programme_of(s));
    let about = about(org, catalogue, file, today);
    let mut card = Card::new(Tone::Plain, Line::new().said(&c.name).text(": the cycle"))
        .line(Line::new().line(status_words(c, file.status(today), today)).text("."));
    if let Some(phase) = phase_line(&about) {
        card = card.line(Line::new().text("Phase: ").line(phase).text("."));
    }
    card = if c.cycles.is_empty() {
        card.field("The way to the certificate", preparation(programme, file, today))
    } else {
        card.field("Phases", phases(programme, c, today))
    };
    let dated_only = |k: &&clocks::Clock| k.rule.is_dated();
    let mut clocks: Vec<Line> =
        about.clocks().iter().filter(dated_only).map(|k| clock_line(k, today)).collect();
    if clocks.is_empty() {
        clocks.push("none yet: they begin with stage 2 and with the decision".into());
    }
    card.field("Clocks, each with its rule", clocks)
}

/// The steps to the first certificate, with what is on record for each.
fn preparation(programme: Option<&Programme>, file: &CertificateFile, today: NaiveDate) -> Vec<Line> {
    let held = |kind: AuditKind| file.audits.iter().filter(|a| a.kind == kind).map(|a| a.ends_on).max();
    let open = file.nonconformities.iter().filter(|nc| nc.is_open()).count();
    let Some(programme) = programme else { return Vec::new() };
    programme
        .preparation
        .iter()
        .map(|step| {
            let line = Line::new().strong(&step.title);
            let line = if step.optional { line.text(" (optional)") } else { line };
            let on = match step.id.as_str() {
                "gap-analysis" => held(AuditKind::Gap),
                // Where it is not on record of its own, it begins the first audit of the body.
                "opening-meeting" => file
                    .records
                    .iter()
                    .filter(|r| r.kind == RecordKind::OpeningMeeting && r.counts())
                    .map(|r| r.on)
                    .max()
                    .or_else(|| held(AuditKind::Stage1)),
                "stage-1" => held(AuditKind::Stage1),
                "stage-2" => held(AuditKind::Stage2).or(file.certificate.stage2_on),
                _ => None,
            };
            match (step.id.as_str(), on) {
                (_, Some(on)) if on > today => line.text(": booked for ").line(dated(on, today)),
                (_, Some(on)) => line.text(": held, ").date(on),
                ("nonconformities", None) if open > 0 => {
                    line.text(format!(": {open} open. {}", step.purpose))
                }
                (_, None) => line.text(format!(": {}", step.purpose)),
            }
        })
        .collect()
}

/// `/cycle preview`
pub fn preview(org: &Organisation, c: &Certificate, coming: &[Occurrence], months: u32) -> Card {
    let mut card = Card::new(
        Tone::Plain,
        Line::new().said(&c.name).text(format!(": what will be posted in the next {months} months")),
    )
    .line(Line::new().text(format!("At {:02}:00, {}, as things stand now:", org.hour, org.zone.name())));
    if coming.is_empty() {
        card = card.line("Nothing falls due.");
    }
    for o in coming {
        card = card.line(Line::new().date(o.due_on).text(" ").said(&o.title));
    }
    card
}

/// What comes next on the way to a certificate.
fn preparing(c: &Certificate, today: NaiveDate) -> Line {
    let line = Line::new().text("Next: ");
    match c.stage2_on {
        None => line
            .text("book stage 2 with the body, then ")
            .code(format!("/certificate edit certificate:C-{} stage2:", c.no)),
        Some(on) if on >= today => line.text("stage 2 ").line(dated(on, today)),
        Some(on) => line
            .text("the body's decision (stage 2 was ")
            .line(dated(on, today))
            .text("), then ")
            .code(format!("/certificate decide certificate:C-{} date:", c.no)),
    }
}

/// Beyond so many certificates, those with nothing late take a line each.
const MANY: usize = 10;

/// `/status`
pub fn status(
    org: &Organisation,
    catalogue: &Catalogue,
    files: &[CertificateFile],
    parked: &[Parked],
    today: NaiveDate,
) -> Card {
    let mut card =
        Card::new(Tone::Plain, "Where we stand").line(Line::new().text("Today is ").date(today).text("."));
    if files.is_empty() {
        card = card.line(
            Line::new()
                .text("No certificate is on record yet. Add the first with ")
                .code("/certificate add")
                .text("."),
        );
    }
    // What is late comes first; where there are many, the others take a line each.
    let (mut pressing, mut others, mut well) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let mut late = false;
        let about = about(org, catalogue, file, today);
        let c = &file.certificate;
        let clocks = about.clocks();
        let mut lines =
            vec![Line::new().said(&c.name).text(", ").line(status_words(c, file.status(today), today))];
        if let Some(phase) = phase_line(&about) {
            lines.push(Line::new().text("Phase: ").line(phase));
        }
        if c.cycles.is_empty() {
            lines.push(preparing(c, today));
        }
        if let Some(next) = clocks::next_clock(&clocks, today) {
            lines.push(Line::new().text("Next: ").line(clock_line(next, today)));
        }
        for missed in clocks::late(&clocks) {
            late = true;
            lines.push(Line::new().strong("Late: ").line(clock_line(missed, today)));
        }
        let open: Vec<&Nonconformity> = file.nonconformities.iter().filter(|nc| nc.is_open()).collect();
        for nc in open.iter().filter(|nc| nc.due_on < today) {
            late = true;
            lines.push(Line::new().strong("Late: ").line(nc_line(nc, true, today)));
        }
        for (nc, due) in open.iter().filter_map(|nc| {
            let p = nc.progress();
            p.action()
                .filter(|(_, due, _)| *due < today && p.implemented.is_none())
                .map(|(_, due, _)| (nc, due))
        }) {
            late = true;
            lines.push(
                Line::new()
                    .strong("Late: ")
                    .text(format!("action of NC-{}, due ", nc.no))
                    .line(dated(due, today)),
            );
        }
        let first = |of: &[i64]| of.first() == Some(&c.id);
        for a in file.actions.iter().filter(|a| a.is_open() && a.due_on < today) {
            late = true;
            lines.push(
                Line::new().strong("Late: ").text(format!("ACT-{}, due ", a.no)).line(dated(a.due_on, today)),
            );
        }
        for a in file.booked.iter().filter(|a| a.state == AuditState::Planned && a.ends_on < today) {
            late = true;
            lines.push(
                Line::new()
                    .strong("Late: ")
                    .text(format!("A-{}, {} audit planned for ", a.no, a.kind.id()))
                    .line(dated(a.ends_on, today)),
            );
        }
        let planned = |r: &&Review| r.state == ReviewState::Planned && first(&r.certificates);
        for r in file.reviews.iter().filter(planned).filter(|r| r.on < today) {
            late = true;
            let words = format!("MR-{}, management review planned for ", r.no);
            lines.push(Line::new().strong("Late: ").text(words).line(dated(r.on, today)));
        }
        if let Some(a) = file.booked.iter().filter(|a| a.ends_on >= today).min_by_key(|a| a.starts_on) {
            lines.push(
                Line::new()
                    .text(format!("Booked: A-{}, {} audit ", a.no, a.kind.id()))
                    .line(dated(a.starts_on, today)),
            );
        }
        lines.push(Line::new().text(format!(
            "{}, {} on record",
            count(open.len(), "open nonconformity", "open nonconformities"),
            count(file.audits.len(), "audit", "audits"),
        )));
        let standard = catalogue.standard(&c.standard).map_or(c.standard.as_str(), |s| s.title.as_str());
        if late {
            card.tone = Tone::Alarm;
            pressing.push((format!("C-{} · {standard}", c.no), lines));
        } else {
            let line = Line::new().text(format!("C-{} ", c.no)).said(&c.name).text(", ").line(status_words(
                c,
                file.status(today),
                today,
            ));
            well.push(match clocks::next_clock(&clocks, today) {
                Some(next) => line.text("; next ").text(next.title()).text(" by ").date(next.limit),
                None => line,
            });
            others.push((format!("C-{} · {standard}", c.no), lines));
        }
    }
    for (heading, lines) in pressing {
        card = card.field(heading, lines);
    }
    if files.len() > MANY {
        card = card.field("Nothing late", well);
    } else {
        for (heading, lines) in others {
            card = card.field(heading, lines);
        }
    }
    let stuck = parked
        .iter()
        .map(|p| {
            Line::new()
                .text(super::waiting(p.notices))
                .text(" for ")
                .channel(&p.channel)
                .text(": ")
                .said(&p.why)
        })
        .collect::<Vec<_>>();
    if !stuck.is_empty() {
        card.tone = Tone::Alarm;
    }
    card.field("Cannot be posted", stuck)
}

/// The same, with the roles that it names and that were deleted.
pub fn with_roles_gone(mut card: Card, org: &Organisation, gone: &[String]) -> Card {
    let named =
        |role: &&String| [&org.manager_role, &org.auditor_role].iter().any(|set| set.as_ref() == Some(*role));
    let lines: Vec<Line> =
        gone.iter().filter(named).map(|role| super::notice::role_gone(org, role)).collect();
    if !lines.is_empty() {
        card.tone = Tone::Alarm;
    }
    card.field("Roles", lines)
}

/// `/audit log`
pub fn audit_logged(
    org: &Organisation,
    c: &Certificate,
    a: &Audit,
    uncovered: &[UncoveredYear],
    lacking: &[String],
) -> Card {
    let mut card =
        Card::new(Tone::Good, Line::new().text(format!("A-{} recorded: {} audit", a.no, a.kind.id())))
            .line(held(a));
    if !org.minimal {
        card = card
            .line(Line::new().text("Certificate: ").said(&c.name))
            .field("Scope", vec![Line::new().said(&a.scope)])
            .field("Conclusion", vec![Line::new().said(&a.conclusion)])
            .field("Lead", vec![lead(a)]);
    }
    let years: Vec<Line> = if a.kind == AuditKind::Surveillance {
        uncovered
            .iter()
            .filter(|u| u.passed_over || u.missed)
            .map(|u| {
                Line::new()
                    .text(format!("{} has no surveillance audit", u.year))
                    .text(if u.missed { ": missed. " } else { ". Book one by " })
                    .date(u.until)
                    .text(" — ISO/IEC 17021-1:2015 9.1.3.3 asks for one in each calendar year")
            })
            .chain(uncovered.iter().filter(|u| !u.passed_over && !u.missed).map(|u| {
                Line::new()
                    .text(format!("{} still needs its surveillance audit, by ", u.year))
                    .date(u.until)
                    .text(" (ISO/IEC 17021-1:2015 9.1.3.3)")
            }))
            .collect()
    } else {
        Vec::new()
    };
    if !years.is_empty() {
        card.tone = Tone::Warning;
    }
    let lacking: Vec<Line> = lacking.iter().map(|w| super::programme::not_ready(w).into()).collect();
    if !lacking.is_empty() {
        card.tone = Tone::Warning;
    }
    card.field("Mind", lacking)
        .field("Calendar years to cover", years)
        .footer(format!("Raise what it found with /nc raise audit:A-{}", a.no))
}

fn held(a: &Audit) -> Line {
    let line = Line::new().text("Held on ").date(a.starts_on);
    if a.ends_on == a.starts_on { line } else { line.text(" to ").date(a.ends_on) }
}

fn lead(a: &Audit) -> Line {
    match (&a.lead, &a.lead_name) {
        (Some(p), _) => who(p),
        (None, Some(name)) => Line::new().said(name),
        (None, None) => "unknown".into(),
    }
}

/// `/audit list`
pub fn audits(org: &Organisation, certificates: &[Certificate], audits: &[Audit]) -> Card {
    let mut card = Card::new(Tone::Plain, "Audits");
    if audits.is_empty() {
        card = card.line(Line::new().text("None on record. Log one with ").code("/audit log").text("."));
    }
    for a in audits.iter().rev().take(30) {
        let names: Vec<&str> =
            certificates.iter().filter(|c| a.certificates.contains(&c.id)).map(|c| c.name.as_str()).collect();
        card = card.line(
            Line::new()
                .strong(format!("A-{}", a.no))
                .text(format!(" {} ", a.kind.id()))
                .date(a.ends_on)
                .text(if a.state == AuditState::Reported {
                    String::new()
                } else {
                    format!(" {}", a.state.id())
                })
                .text(entered_late(org, a).map(|w| format!(" ({w})")).unwrap_or_default())
                .text(" · ")
                .said(names.join(", "))
                .text(" · ")
                .said(a.scope.chars().take(80).collect::<String>()),
        );
    }
    if audits.len() > 30 {
        card = card.line(format!(
            "and {} earlier ones; narrow the list with the option certificate.",
            audits.len() - 30
        ));
    }
    card
}

/// How long after it was held an audit was entered, where that was long: backdating is visible, not hidden.
fn entered_late(org: &Organisation, a: &Audit) -> Option<String> {
    super::entered_late(a.ends_on, org.day_of(a.logged_at), "was held").filter(|_| a.state.is_completed())
}

/// `/audit show`
pub fn audit(
    org: &Organisation,
    certificates: &[Certificate],
    a: &Audit,
    (ncs, findings): (&[Nonconformity], &[Finding]),
    areas: &[Area],
    report: &[Evidence],
    told: &[Told],
) -> Card {
    let names: Vec<&str> =
        certificates.iter().filter(|c| a.certificates.contains(&c.id)).map(|c| c.name.as_str()).collect();
    let found = ncs.iter().filter(|nc| nc.audit.is_some_and(|(id, _)| id == a.id));
    let logged = org.day_of(a.logged_at);
    let others = findings.iter().filter(|f| f.audit.0 == a.id).map(|f| {
        let short: String = f.statement.chars().take(90).collect();
        Line::new()
            .strong(format!("F-{}", f.no))
            .text(format!(" {} {}, {}: ", f.grade.id(), f.clause, f.state.id()))
            .said(short)
    });
    let mut card = Card::new(
        Tone::Plain,
        format!("A-{}: {} audit, {}", a.no, a.kind.id(), a.state.id().replace('-', " ")),
    );
    card = if a.state.is_completed() {
        card.line(held(a))
    } else {
        card.line(Line::new().text("Planned for ").date(a.starts_on).text(" to ").date(a.ends_on).text("."))
    };
    card = card.line(Line::new().text("Recorded on ").date(logged).text(" by ").line(who(&a.logged_by)));
    if let Some(late) = entered_late(org, a) {
        card = card.line(Line::new().strong("Mind: ").text(late).text("."));
    }
    let journal: Vec<Line> = told
        .iter()
        .map(|t| {
            let line = Line::new().instant(t.at).text(format!(" {} by ", t.verb)).said(&t.actor);
            match &t.reason {
                Some(reason) => line.text(": ").said(reason),
                None => line,
            }
        })
        .collect();
    super::programme::made_of(card, a, areas)
        .field("Certificates", vec![Line::new().said(names.join(", "))])
        .field("Scope", vec![Line::new().said(&a.scope)])
        .field("Conclusion", vec![Line::new().said(&a.conclusion)])
        .field("Findings", found.map(|nc| nc_line(nc, false, logged)).chain(others).collect())
        .field("Report", report.iter().map(evidence).collect())
        .field("Journal, latest first", journal)
}

/// `/nc raise`
pub fn nc_raised(
    org: &Organisation,
    c: &Certificate,
    clause: Option<&Clause>,
    nc: &Nonconformity,
    repeats: &Repeats,
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Warning, format!("NC-{} raised", nc.no))
        .line(Line::new().text("Due ").line(dated(nc.due_on, today)).text("."));
    if !org.minimal {
        let title = clause.map(|c| format!(" {}", c.title)).unwrap_or_default();
        card = card
            .line(Line::new().text("Certificate: ").said(&c.name))
            .line(
                Line::new()
                    .text(format!("{} nonconformity against ", nc.grade.id()))
                    .said(&nc.clause)
                    .text(title),
            )
            .field("Statement", vec![Line::new().said(&nc.statement)]);
        let mut facts = Vec::new();
        if let Some(owner) = &nc.owner {
            facts.push(Line::new().text("Owner: ").line(who(owner)));
        }
        if let Some(area) = &nc.area {
            facts.push(Line::new().text("Area: ").said(area));
        }
        if let Some((_, no)) = nc.audit {
            facts.push(Line::new().text(format!("Found by A-{no}")));
        }
        card = card.field("Details", facts);
    }
    card = card.field("Seen before", super::work::repeats(nc, repeats));
    card.footer(format!("Next: {}", next_step(nc, 1))).offer_next(nc.no)
}

/// `/nc assign`
pub fn nc_assigned(org: &Organisation, nc: &Nonconformity, today: NaiveDate) -> Card {
    let card = Card::new(Tone::Good, format!("NC-{} assigned", nc.no))
        .line(Line::new().text("Due ").line(dated(nc.due_on, today)).text("."));
    match &nc.owner {
        Some(owner) if !org.minimal => card.line(Line::new().text("Owner: ").line(who(owner))),
        _ => card,
    }
}

/// The command that takes a nonconformity further.
pub fn next_step(nc: &Nonconformity, evidence: u32) -> String {
    let n = nc.no;
    let p = nc.progress();
    if p.closed.is_some() {
        return format!("/nc show nc:NC-{n}");
    }
    let verb = match p.missing(usize::try_from(evidence).unwrap_or(usize::MAX)).first() {
        Some(Missing::Correction) => "correct",
        Some(Missing::Cause) => "cause",
        Some(Missing::ActionDone) if p.plan.is_none() => "plan",
        Some(Missing::ActionDone) => "done",
        Some(Missing::Verification) => "verify",
        Some(Missing::Evidence) => "evidence",
        None => "close",
    };
    format!("/nc {verb} nc:NC-{n}")
}

fn step_title(nc: &Nonconformity) -> (&'static str, Tone) {
    match nc.steps.last().map(|s| &s.what) {
        Some(Done::Correction(_)) => ("correction recorded", Tone::Good),
        Some(Done::Containment(_)) => ("containment recorded", Tone::Good),
        Some(Done::Consequences(_)) => ("consequences recorded", Tone::Good),
        Some(Done::Cause(_)) => ("root cause recorded", Tone::Good),
        Some(Done::Similar(_)) => ("looked for similar ones", Tone::Good),
        Some(Done::SystemChange(_)) => ("change to the system recorded", Tone::Good),
        Some(Done::Extended { .. }) => ("more time given", Tone::Warning),
        Some(Done::Voided { .. }) => ("voided", Tone::Warning),
        Some(Done::Plan { .. }) => ("action planned", Tone::Good),
        Some(Done::Implemented(_)) => ("action done", Tone::Good),
        Some(Done::Verified { effective: true, .. }) => ("verified effective", Tone::Good),
        Some(Done::Verified { effective: false, .. }) => ("not effective: back to the cause", Tone::Warning),
        Some(Done::Evidence) => ("evidence added", Tone::Good),
        Some(Done::Closed { .. }) => ("closed", Tone::Good),
        Some(Done::Reopened { .. }) => ("reopened", Tone::Warning),
        None => ("recorded", Tone::Good),
    }
}

/// After a step.
#[expect(clippy::wildcard_enum_match_arm, reason = "a plan is told apart, all else is told by its words")]
pub fn nc_step(org: &Organisation, nc: &Nonconformity, evidence: u32, today: NaiveDate) -> Card {
    let (title, tone) = step_title(nc);
    let mut card = Card::new(tone, format!("NC-{} {title}", nc.no));
    if let Some(step) = nc.steps.last() {
        match &step.what {
            Done::Plan { owner, due_on, action } => {
                card = card.line(Line::new().text("Due ").date(*due_on).text("."));
                if !org.minimal {
                    card = card.line(Line::new().text("By ").line(who(owner)).text(": ").said(action));
                }
            }
            what if !org.minimal => card = step_words(what).into_iter().fold(card, Card::line),
            _ => {}
        }
    }
    if nc.steps.last().is_some_and(|s| matches!(s.what, Done::Implemented(_))) {
        if let Some(on) = nc.verification.on {
            card = card
                .line(Line::new().text("Whether it works is verified on ").line(dated(on, today)).text("."));
        }
        if nc.verification.by.is_none() {
            card = card.line(
                Line::new()
                    .text("Nobody is named to do so: ")
                    .code(format!("/nc verifier nc:NC-{}", nc.no))
                    .text("."),
            );
        }
    }
    if nc.steps.last().is_some_and(|s| matches!(s.what, Done::Evidence)) && evidence == 0 {
        card = card.line("A note alone does not close it: a file or a link does.");
    }
    if nc.is_open() {
        card.footer(format!("Next: {}", next_step(nc, evidence))).offer_next(nc.no)
    } else {
        card
    }
}

pub(crate) fn step_words(what: &Done) -> Option<Line> {
    match what {
        Done::Correction(t)
        | Done::Containment(t)
        | Done::Consequences(t)
        | Done::Cause(t)
        | Done::Similar(t)
        | Done::SystemChange(t)
        | Done::Implemented(t) => Some(Line::new().said(t)),
        Done::Extended { why, .. } => Some(Line::new().text("Because: ").said(why)),
        Done::Verified { how, .. } => Some(Line::new().said(how)),
        Done::Reopened { reason } | Done::Voided { reason } => {
            Some(Line::new().text("Because: ").said(reason))
        }
        Done::Closed { note } => note.as_ref().map(|n| Line::new().said(n)),
        Done::Plan { action, .. } => Some(Line::new().said(action)),
        Done::Evidence => None,
    }
}

/// Whether it was closed in the same minute as at least two others.
fn closed_together(nc: &Nonconformity, all: &[Nonconformity]) -> bool {
    let minute = |nc: &Nonconformity| {
        nc.progress().closed.filter(|_| !nc.is_voided()).map(|s| s.at.timestamp().div_euclid(60))
    };
    let Some(at) = minute(nc) else { return false };
    all.iter().filter(|o| minute(o) == Some(at)).count() > 2
}

/// A nonconformity's line with what stands out about it.
pub(crate) fn nc_marked(line: Line, org: &Organisation, nc: &Nonconformity, all: &[Nonconformity]) -> Line {
    let together = closed_together(nc, all).then_some("closed in the same minute as others");
    finding::tells(nc, |at| org.day_of(at))
        .into_iter()
        .chain(together)
        .fold(line, |l, t| super::mind(l, Some(t)))
}

/// `/nc list`
pub fn ncs(org: &Organisation, ncs: &[Nonconformity], all: &[Nonconformity], today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, "Nonconformities");
    if ncs.is_empty() {
        card = card.line("None.");
    }
    let mut sorted: Vec<&Nonconformity> = ncs.iter().collect();
    sorted.sort_by_key(|nc| (!nc.is_open(), nc.due_on, nc.no));
    for nc in sorted.iter().take(25) {
        let mut line = nc_line(nc, false, today);
        if let Some(owner) = &nc.owner {
            line = line.text(" · ").line(who(owner));
        }
        card = card.line(nc_marked(line, org, nc, all));
    }
    if sorted.len() > 25 {
        card = card.line(format!("and {} more; narrow the list with its options.", sorted.len() - 25));
    }
    card
}

/// Who verifies whether the action works, and when, as long as that is to come.
fn verification(nc: &Nonconformity, today: NaiveDate) -> Option<Line> {
    let progress = nc.progress();
    if progress.verified.is_some() || progress.closed.is_some() {
        return None;
    }
    let line = match (&nc.verification.by, nc.verification.on) {
        (None, None) => return None,
        (Some(by), _) => Line::new().text("Whether it works is verified by ").line(who(by)),
        (None, Some(_)) => Line::new().text("Whether it works is verified"),
    };
    Some(match nc.verification.on {
        Some(on) => line.text(" on ").line(dated(on, today)),
        None => line,
    })
}

fn evidence(e: &Evidence) -> Line {
    let line = match (&e.file, &e.link, &e.note) {
        (Some((name, sha, size)), _, _) => Line::new()
            .said(name)
            .text(format!(" ({size} bytes, SHA-256 {}…)", sha.chars().take(12).collect::<String>())),
        (None, Some(link), _) => Line::new().said(link),
        (None, None, Some(note)) => Line::new().said(note),
        (None, None, None) => "nothing".into(),
    };
    line.text(", ").line(who(&e.by)).text(" ").instant(e.at)
}

/// `/nc show`
pub fn nc(
    org: &Organisation,
    c: Option<&Certificate>,
    nc: &Nonconformity,
    (proof, count): (&[Evidence], u32),
    today: NaiveDate,
    actions: &[&Action],
    edits: &[Told],
) -> Card {
    let mut card = Card::new(
        Tone::Plain,
        format!("NC-{}: {} nonconformity, {}", nc.no, nc.grade.id(), nc.state_words()),
    )
    .field("Statement", vec![Line::new().said(&nc.statement)]);
    let mut facts = vec![Line::new().text("Against ").said(&nc.clause)];
    if let Some(c) = c {
        facts.push(Line::new().text("Certificate: ").said(&c.name));
    }
    if let Some((_, no)) = nc.audit {
        facts.push(Line::new().text(format!("Found by A-{no}")));
    }
    if let Some(area) = &nc.area {
        facts.push(Line::new().text("Area: ").said(area));
    }
    if let Some(shown) = &nc.objective {
        facts.push(Line::new().text("Objective evidence: ").said(shown));
    }
    if let Some(reference) = &nc.body.reference {
        facts.push(Line::new().text("The body's reference: ").said(reference));
    }
    if let Some(grade) = &nc.body.grade {
        facts.push(Line::new().text("The body's grade: ").said(grade));
    }
    if let Some(line) = verification(nc, today) {
        facts.push(line);
    }
    let extended = nc.progress().extended;
    if extended > 0 {
        facts.push(Line::new().text(format!(
            "Extended {}",
            if extended == 1 { "once".to_owned() } else { format!("{extended} times") }
        )));
    }
    match &nc.owner {
        Some(owner) => facts.push(Line::new().text("Owner: ").line(who(owner))),
        None => facts.push("Owner: none yet".into()),
    }
    facts.push(Line::new().text("Due ").line(dated(nc.due_on, today)));
    facts.push(Line::new().text("Raised by ").line(who(&nc.raised_by)).text(" ").instant(nc.raised_at));
    card = card.field("On record", facts);
    let history = nc
        .steps
        .iter()
        .map(|s| {
            let what = match &s.what {
                Done::Correction(_) => "correction",
                Done::Containment(_) => "containment",
                Done::Consequences(_) => "consequences",
                Done::Cause(_) => "cause",
                Done::Similar(_) => "similar ones",
                Done::SystemChange(_) => "change to the system",
                Done::Extended { .. } => "more time given",
                Done::Voided { .. } => "voided",
                Done::Plan { .. } => "action planned",
                Done::Implemented(_) => "action done",
                Done::Verified { effective: true, .. } => "verified effective",
                Done::Verified { effective: false, .. } => "found not effective",
                Done::Evidence => "evidence",
                Done::Closed { .. } => "closed",
                Done::Reopened { .. } => "reopened",
            };
            let line = Line::new().instant(s.at).text(" ").strong(what).text(" by ").line(who(&s.by));
            let line = match &s.what {
                Done::Plan { owner, due_on, .. } => {
                    line.text(", for ").line(who(owner)).text(" until ").date(*due_on)
                }
                Done::Extended { due_on, .. } => line.text(", until ").date(*due_on),
                Done::Correction(_)
                | Done::Containment(_)
                | Done::Consequences(_)
                | Done::Cause(_)
                | Done::Similar(_)
                | Done::SystemChange(_)
                | Done::Implemented(_)
                | Done::Verified { .. }
                | Done::Evidence
                | Done::Closed { .. }
                | Done::Reopened { .. }
                | Done::Voided { .. } => line,
            };
            match step_words(&s.what) {
                Some(w) => line.text(": ").line(w),
                None => line,
            }
        })
        .collect();
    let open: Vec<Line> = actions
        .iter()
        .map(|a| {
            Line::new()
                .strong(format!("ACT-{}", a.no))
                .text(format!(" {}, due ", a.state.id()))
                .line(dated(a.due_on, today))
                .text(", ")
                .line(who(&a.owner))
                .text(": ")
                .said(&a.what)
        })
        .collect();
    card = card.field("Actions beside the plan", open);
    let tells: Vec<Line> = finding::tells(nc, |at| org.day_of(at)).into_iter().map(Line::from).collect();
    card = card.field("An auditor would ask", tells);
    let corrections = edits
        .iter()
        .map(|t| {
            let line = Line::new().instant(t.at).text(" by ").said(&t.actor);
            line.text(": ").said(t.reason.as_deref().unwrap_or_default())
        })
        .collect();
    card = card.field("Corrected", corrections);
    card = card.field("Steps", history).field("Evidence", proof.iter().map(evidence).collect());
    if nc.is_open() {
        let missing = nc.progress().missing(usize::try_from(count).unwrap_or(usize::MAX));
        let list = missing
            .iter()
            .map(|m| {
                Line::from(match m {
                    Missing::Correction => "the correction",
                    Missing::Cause => "the root cause",
                    Missing::ActionDone => "the corrective action, planned and done",
                    Missing::Verification => "its effectiveness, verified by someone other than who acted",
                    Missing::Evidence => "a piece of evidence: a file or a link",
                })
            })
            .collect();
        card = card
            .field("Missing for closing", list)
            .footer(format!("Next: {}", next_step(nc, count)))
            .offer_next(nc.no);
    }
    card
}
