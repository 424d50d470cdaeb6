//! What is said of the daily work: findings, actions, areas, activities, records, and what each person owes.

use chrono::{DateTime, NaiveDate, Utc};

use super::card::{Card, Line, Tone};
use super::notice::nc_line;
use super::records::nc_marked;
use super::{count, dated, entered_late, mind};
use crate::command::import::{Kind, Outcome};
use crate::command::people::Owed;
use crate::command::search::Entry;
use crate::domain::action::{Action, ActionState, Source};
use crate::domain::area::{Area, AreaDue};
use crate::domain::audit::Audit;
use crate::domain::certificate::{Certificate, CertificateFile, Status};
use crate::domain::finding::{Finding, FindingGrade, FindingState, Repeats};
use crate::domain::nonconformity::Nonconformity;
use crate::domain::organisation::{Organisation, Person};
use crate::domain::record::{Record, RecordKind};
use crate::domain::review::{Review, ReviewState};
use crate::domain::standard::ReviewInput;
use crate::domain::task::Task;

// Refusals.

pub(crate) fn reason_needed() -> Line {
    Line::new().text("It needs a reason: say why in ").code("reason").text(".")
}

pub(crate) fn value_needed() -> Line {
    Line::new().text("What is right? Give it in ").code("value").text(".")
}

pub(crate) fn topic_needed() -> Line {
    Line::new().text("What was the training about? Give it in ").code("topic").text(".")
}

pub(crate) fn attended_needed() -> Line {
    Line::new().text("Who was there? Give the names in ").code("attended").text(".")
}

pub(crate) fn body_needed() -> Line {
    Line::new().text("Which certification body takes it over? Give its name in ").code("body").text(".")
}

pub(crate) fn stage_one_grades() -> Line {
    Line::new()
        .text("Stage 1 names areas of concern, it does not grade nonconformities (ISO/IEC 17021-1:2015 9.3.1.2). Raise it with ")
        .code("grade:concern")
        .text(".")
}

pub(crate) fn concern_elsewhere() -> Line {
    Line::new()
        .text("An area of concern is a finding of stage 1 (ISO/IEC 17021-1:2015 9.3.1.2). Of this audit, raise a major, a minor, an observation or an opportunity with ")
        .code("grade")
        .text(".")
}

pub(crate) fn several_line(n: usize, line: &str) -> Line {
    let line: String = line.chars().take(60).collect();
    Line::new()
        .text(format!("Line {n} cannot be read: "))
        .said(line)
        .text(". Nothing was raised. Each line is ")
        .code("grade | clause | statement | area | owner")
        .text("; area and owner may be left out.")
}

pub(crate) fn several_grade(n: usize, grade: &str) -> Line {
    Line::new()
        .text(format!("Line {n}: "))
        .said(grade)
        .text(" is no grade. Nothing was raised. Grades are major, minor, observation, opportunity, strength, concern.")
}

pub(crate) fn one_source() -> Line {
    Line::new()
        .text("An action comes from one thing: give ")
        .code("nc")
        .text(", ")
        .code("review")
        .text(" or ")
        .code("finding")
        .text(", not several.")
}

pub(crate) fn nobody(name: &str) -> Line {
    Line::new().text("Nobody here is known as ").said(name).text(
        ". Mention them (@), or give their user id; whoever has used a command once is known by name too.",
    )
}

pub(crate) fn which_certificate(all: &[Certificate]) -> Line {
    if all.is_empty() {
        return Line::new()
            .text("No certificate is on record yet. Add the first with ")
            .code("/certificate add")
            .text(".");
    }
    let names: Vec<String> = all.iter().take(10).map(|c| format!("C-{} {}", c.no, c.name)).collect();
    Line::new()
        .text("For which certificate? There are ")
        .said(names.join(", "))
        .text(". Name it by its number.")
}

pub(crate) fn owner_or_due() -> Line {
    Line::new().text("What changes? Give ").code("owner").text(" or ").code("due").text(".")
}

pub(crate) fn area_name() -> Line {
    "An area's name has 1 to 80 characters, without commas and semicolons: they stand between areas.".into()
}

pub(crate) fn area_taken(a: &Area) -> Line {
    Line::new()
        .text("There is an area of that name already: ")
        .said(&a.name)
        .text(". Change it with ")
        .code("/area edit")
        .text(".")
}

pub(crate) fn review_past(on: NaiveDate) -> Line {
    Line::new()
        .text("A review is planned for a day to come, not for ")
        .date(on)
        .text(". One that was held is recorded with ")
        .code("/review hold")
        .text(".")
}

pub(crate) fn review_settled(r: &Review) -> Line {
    let way = match r.state {
        ReviewState::Held => "correct it with /edit, or record another with /review hold",
        ReviewState::Planned => "hold it with /review hold, or cancel it with /review cancel",
        ReviewState::Cancelled | ReviewState::Voided => "plan another with /review plan",
    };
    Line::new().text(format!("MR-{} is {}: {way}.", r.no, r.state.id()))
}

pub(crate) fn no_input(typed: &str, c: &Certificate, all: &[ReviewInput]) -> Line {
    let items: Vec<&str> = all.iter().map(|i| i.item.as_str()).collect();
    Line::new()
        .said(typed)
        .text(" is no input of the review for ")
        .said(&c.name)
        .text(format!(". They are {}; ", items.join(", ")))
        .code(format!("/review inputs certificate:C-{}", c.no))
        .text(" shows them.")
}

pub(crate) fn no_task(typed: &str, file: &CertificateFile, all: &[Task], today: NaiveDate) -> Line {
    if all.is_empty() {
        return Line::new()
            .text("The phases, and what they ask for, begin with the certification decision: ")
            .code(format!("/certificate decide certificate:C-{}", file.certificate.no))
            .text(".");
    }
    let open: Vec<&str> = all
        .iter()
        .filter(|t| t.asked && t.settled.is_none() && t.begins_on <= today)
        .map(|t| t.id.as_str())
        .take(12)
        .collect();
    let line = Line::new().text("There is no activity ").said(typed);
    if open.is_empty() {
        line.text(" and none is open now. ")
    } else {
        line.text(format!(". Open now: {}. ", open.join(", ")))
    }
    .code(format!("/task list certificate:C-{}", file.certificate.no))
    .text(" shows all.")
}

pub(crate) fn task_settled(title: &str, r: &Record) -> Line {
    Line::new()
        .text(format!(
            "{title}: on record already as {} ",
            if r.kind == RecordKind::TaskDone { "done on" } else { "waived on" }
        ))
        .date(r.on)
        .text(format!(" (R-{}). If that is wrong, void it with ", r.no))
        .code(format!("/void entry:R-{}", r.no))
        .text(".")
}

pub(crate) fn before_last(on: NaiveDate, last: NaiveDate) -> Line {
    Line::new()
        .date(on)
        .text(" lies before what is on record already for ")
        .date(last)
        .text(". Give a later day, or void that entry first.")
}

pub(crate) fn not_expired(file: &CertificateFile, today: NaiveDate) -> Line {
    match file.certificate.current_cycle(today) {
        Some(cycle) => Line::new()
            .text("It is valid until ")
            .date(cycle.expires_on)
            .text(": only an expired certificate is restored (ISO/IEC 17021-1:2015 9.6.3.2.5). A renewal is recorded with ")
            .code("/certificate renew")
            .text("."),
        None => Line::new().text("It has no decision yet, so there is nothing to restore. Record it with ").code("/certificate decide").text("."),
    }
}

pub(crate) fn same_person() -> Line {
    "That is the same person twice: name who leaves in from, and who takes over in to.".into()
}

pub(crate) fn not_yourself() -> Line {
    "You cannot take your own name out: what you do now would carry it again. Somebody else has to.".into()
}

pub(crate) fn find_what() -> Line {
    Line::new().text("What do you look for? Give words, a number or a name in ").code("text").text(".")
}

pub(crate) fn which_entry(typed: &str) -> Line {
    Line::new()
        .text("Which entry is ")
        .said(typed)
        .text("? Name it by its number: A-3, NC-4, F-2, ACT-1, MR-1 or R-7; ")
        .code("/find")
        .text(" finds it. A certificate has ")
        .code("/certificate edit")
        .text(" and ")
        .code("/certificate withdraw")
        .text(", an area ")
        .code("/area edit")
        .text(".")
}

pub(crate) fn frozen(no: i64) -> Line {
    Line::new().text(format!("A-{no} is closed: its findings are frozen, and stay as they were. A correction is a new entry: raise it with ")).code("/nc raise").text(", and say in it what it corrects.")
}

pub(crate) fn no_such_field(entry: &str, can: &str) -> Line {
    Line::new().said(entry).text(format!(" has no such field to correct. Of it can be corrected: {can}."))
}

pub(crate) fn move_instead(no: i64) -> Line {
    Line::new()
        .text("The dates of an audit that is still to be held are changed with ")
        .code(format!("/audit move audit:A-{no}"))
        .text(".")
}

pub(crate) fn grade_words() -> Line {
    "A nonconformity is major or minor.".into()
}

pub(crate) fn void_findings_first(no: i64, findings: &[String]) -> Line {
    Line::new()
        .text(format!(
            "A-{no} has findings: {}. Void them first, or leave the audit as it is and correct it with ",
            findings.join(", ")
        ))
        .code(format!("/edit entry:A-{no}"))
        .text(".")
}

pub(crate) fn still_leads(left: &[String]) -> Line {
    Line::new().text(format!("They still lead {}, which cannot be handed over as they stand: whoever takes it over owns an area in it. Cancel or report that first, then take the name out.", left.join(", ")))
}

pub(crate) fn voided_before(no: i64) -> Line {
    Line::new().text(format!("R-{no} is void already."))
}

pub(crate) fn not_voidable(kind: RecordKind) -> Line {
    Line::new().text(format!(
        "What a certificate became ({}) is corrected by a new entry of the same kind.",
        kind.title()
    ))
}

pub(crate) fn not_later(nc: &Nonconformity, day: NaiveDate) -> Line {
    Line::new()
        .date(day)
        .text(format!(" is no extension: NC-{} is due on ", nc.no))
        .date(nc.due_on)
        .text(". Give a later day; an earlier one is set with ")
        .code("/nc assign")
        .text(".")
}

pub(crate) fn would_verify_own(nc: &Nonconformity, p: &Person) -> Line {
    Line::new().said(&p.name).text(format!(
        " acts on NC-{}, so someone else verifies whether it works. Name another person.",
        nc.no
    ))
}

// Findings.

/// A finding that was entered.
#[derive(Debug, Clone, Copy)]
pub enum Entered<'a> {
    /// A nonconformity, with what it repeats.
    Nonconformity(&'a Nonconformity, &'a Repeats),
    /// Another finding.
    Finding(&'a Finding),
}

/// What stands out about a nonconformity that was raised.
pub(crate) fn repeats(nc: &Nonconformity, r: &Repeats) -> Vec<Line> {
    let list = |nos: &[i64]| nos.iter().map(|n| format!("NC-{n}")).collect::<Vec<_>>().join(", ");
    let mut out = Vec::new();
    if !r.closed.is_empty() {
        out.push(
            Line::new()
                .text(format!(
                    "Same clause and area as {}, closed: was the earlier action effective? Reopen it with ",
                    list(&r.closed)
                ))
                .code(format!("/nc reopen nc:NC-{}", r.closed.last().copied().unwrap_or_default()))
                .text(", or say in the cause why it came back."),
        );
    }
    if !r.open.is_empty() {
        out.push(Line::new().text(format!("Same clause and area as {}, still open.", list(&r.open))));
    }
    if !r.minors.is_empty() {
        out.push(Line::new().text(format!(
            "{} open minors on {}: {}. Several on one requirement may show a systemic failure: consider whether it is a major (ISO/IEC 17021-1:2015 3.12). Nothing was regraded.",
            r.minors.len(), nc.clause, list(&r.minors)
        )));
    }
    out
}

/// `/finding raise` and `/finding several`
pub fn entered(all: &[Entered<'_>], a: &Audit, certificates: &[Certificate], today: NaiveDate) -> Card {
    // Of an integrated audit it is said which certificate a finding went to.
    let of = |id: i64| {
        let c = certificates.iter().find(|c| c.id == id).filter(|_| a.certificates.len() > 1)?;
        Some(
            Line::new()
                .text(format!("For C-{} ", c.no))
                .said(&c.name)
                .text(" (name another with ")
                .code("certificate")
                .text(")"),
        )
    };
    let title = match all {
        [Entered::Nonconformity(nc, _)] => format!("NC-{} raised", nc.no),
        [Entered::Finding(f)] => format!("F-{} raised", f.no),
        several => format!("{} raised from A-{}", count(several.len(), "finding", "findings"), a.no),
    };
    let any_nc = all.iter().any(|e| matches!(e, Entered::Nonconformity(..)));
    let mut card = Card::new(if any_nc { Tone::Warning } else { Tone::Good }, title).line(format!(
        "Found by A-{}, {} audit.",
        a.no,
        a.kind.id()
    ));
    let mut mind = Vec::new();
    for e in all {
        match e {
            Entered::Nonconformity(nc, r) => {
                let mut lines = vec![
                    Line::new()
                        .text(format!("{} nonconformity against {}, due ", nc.grade.id(), nc.clause))
                        .line(dated(nc.due_on, today)),
                    Line::new().said(&nc.statement),
                ];
                lines.extend(of(nc.certificate));
                if let Some(shown) = &nc.objective {
                    lines.push(Line::new().text("Evidence: ").said(shown));
                }
                let mut facts = Line::new();
                if let Some(area) = &nc.area {
                    facts = facts.text("Area: ").said(area).text(" ");
                }
                if let Some(owner) = &nc.owner {
                    facts = facts.text("Owner: ").person(&owner.handle, &owner.name).text(" ");
                }
                if let Some(reference) = &nc.body.reference {
                    facts = facts.text("Body's reference: ").said(reference).text(" ");
                }
                if let Some(grade) = &nc.body.grade {
                    facts = facts.text("Body's grade: ").said(grade);
                }
                if !facts.is_empty() {
                    lines.push(facts);
                }
                card = card.field(format!("NC-{}", nc.no), lines);
                if nc.objective.is_none() {
                    mind.push(
                        Line::new()
                            .text(format!("NC-{}: no objective evidence is given beside what is wrong (ISO/IEC 17021-1:2015 9.4.5). Add it before the audit is closed: ", nc.no))
                            .code(format!("/edit entry:NC-{} field:evidence", nc.no)),
                    );
                }
                mind.extend(repeats(nc, r));
            }
            Entered::Finding(f) => {
                let mut lines = vec![
                    Line::new().text(format!("{} on {}", f.grade.title(), f.clause)),
                    Line::new().said(&f.statement),
                ];
                lines.extend(of(f.certificate));
                if let Some(owner) = &f.owner {
                    lines.push(Line::new().text("Owner: ").person(&owner.handle, &owner.name));
                }
                card = card.field(format!("F-{}", f.no), lines);
            }
        }
    }
    card = card.field("Mind", mind);
    match all {
        [Entered::Nonconformity(nc, _)] => {
            card.footer(format!("Next: /nc next nc:NC-{}", nc.no)).offer_next(nc.no)
        }
        [Entered::Finding(f)] if f.state == FindingState::Open => {
            let other = if f.grade == FindingGrade::Concern { "addressed" } else { "decline" };
            card.footer(format!(
                "Next: /finding accept finding:F-{0}, or /finding {other} finding:F-{0}",
                f.no
            ))
        }
        _ => card,
    }
}

fn short(text: &str) -> String {
    if text.chars().count() > 90 { text.chars().take(89).chain(['…']).collect() } else { text.to_owned() }
}

/// What tells of something entered and settled in one go.
fn at_once(entered: DateTime<Utc>, settled: DateTime<Utc>) -> Option<&'static str> {
    (settled - entered < chrono::TimeDelta::hours(1))
        .then_some("settled within the hour in which it was entered")
}

/// `/finding list`
pub fn findings(
    org: &Organisation,
    findings: &[&Finding],
    ncs: &[&Nonconformity],
    all: &[Nonconformity],
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Plain, "Findings");
    if findings.is_empty() && ncs.is_empty() {
        card = card.line("None.");
    }
    let lines = ncs.iter().map(|nc| nc_marked(nc_line(nc, false, today), org, nc, all)).collect();
    let others = findings
        .iter()
        .map(|f| {
            let line = Line::new()
                .strong(format!("F-{}", f.no))
                .text(format!(" {} {}, {} (A-{}): ", f.grade.id(), f.clause, f.state.id(), f.audit.1))
                .said(short(&f.statement));
            let settled = f.settled.as_ref().filter(|_| f.state != FindingState::Voided);
            mind(line, settled.and_then(|s| at_once(f.raised_at, s.at)))
        })
        .collect();
    card.field("Nonconformities", lines).field("Others", others)
}

/// `/finding show`
pub fn finding(f: &Finding, actions: &[&Action], today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, format!("F-{}: {}, {}", f.no, f.grade.title(), f.state.id()))
        .line(
            Line::new()
                .text(format!("On {}, found by A-{}, raised ", f.clause, f.audit.1))
                .instant(f.raised_at)
                .text(" by ")
                .person(&f.raised_by.handle, &f.raised_by.name)
                .text("."),
        )
        .field("What was seen", vec![Line::new().said(&f.statement)]);
    if let Some(s) = &f.settled {
        card = card.field(
            "What became of it",
            vec![
                Line::new()
                    .text(format!("{} ", f.state.id()))
                    .instant(s.at)
                    .text(" by ")
                    .person(&s.by.handle, &s.by.name)
                    .text(": ")
                    .said(&s.why),
            ],
        );
    }
    card.field("Actions", actions.iter().map(|a| action_line(a, today)).collect())
}

/// `/finding assign`
pub fn finding_assigned(f: &Finding) -> Card {
    let card = Card::new(Tone::Good, format!("F-{} assigned", f.no));
    match &f.owner {
        Some(o) => card.line(Line::new().text("Owner: ").person(&o.handle, &o.name)),
        None => card,
    }
}

/// `/finding accept`, `/finding decline`, `/finding addressed`
pub fn finding_settled(f: &Finding, action: Option<&Action>, today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Good, format!("F-{} {}", f.no, f.state.id()));
    if let Some(s) = &f.settled {
        card = card.line(Line::new().said(&s.why));
    }
    match action {
        Some(a) => card
            .field("Action", vec![action_line(a, today)])
            .footer(format!("When it is done: /action done action:ACT-{}", a.no)),
        None => card,
    }
}

// Reviews.

/// `/review plan`
pub fn review_planned(r: &Review, certificates: &[&Certificate], today: NaiveDate) -> Card {
    let names: Vec<&str> = certificates.iter().map(|c| c.name.as_str()).collect();
    let first = certificates.first().map(|c| c.no).unwrap_or_default();
    Card::new(
        Tone::Good,
        Line::new().text(format!("MR-{} planned: management review ", r.no)).line(dated(r.on, today)),
    )
    .line(Line::new().text("For: ").said(names.join(", ")))
    .footer(format!(
        "/review inputs certificate:C-{first} prepares it; /review hold review:MR-{} records it",
        r.no
    ))
}

/// `/review cancel`
pub fn review_cancelled(r: &Review, reason: &str) -> Card {
    Card::new(Tone::Warning, format!("MR-{} cancelled", r.no))
        .line(Line::new().text("Because: ").said(reason))
}

// Actions.

fn action_line(a: &Action, today: NaiveDate) -> Line {
    let line = Line::new().strong(format!("ACT-{}", a.no));
    let line = if a.is_open() {
        line.text(" due ").line(dated(a.due_on, today))
    } else {
        line.text(format!(" {}", a.state.id()))
    };
    line.text(", ").person(&a.owner.handle, &a.owner.name).text(": ").said(short(&a.what))
}

/// What an action came to.
pub fn action(a: &Action, what: &str, today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Good, format!("ACT-{} {what}", a.no))
        .line(Line::new().text("Due ").line(dated(a.due_on, today)).text("."))
        .line(Line::new().person(&a.owner.handle, &a.owner.name).text(": ").said(&a.what));
    if let Some(s) = &a.settled {
        card = card.line(Line::new().said(&s.why));
    }
    if a.is_open() {
        card = card.footer(format!("When it is done: /action done action:ACT-{}", a.no));
    }
    card
}

/// `/action list`
pub fn actions(actions: &[&Action], all: &[Action], today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, "Actions");
    if actions.is_empty() {
        card = card.line("None.");
    }
    for a in actions {
        let source = match a.source {
            Source::None => "",
            Source::Nonconformity(_) => " (of a nonconformity)",
            Source::Finding(_) => " (of a finding)",
            Source::Review(_) => " (of a management review)",
        };
        let done = |a: &Action| a.settled.as_ref().filter(|_| a.state == ActionState::Done).map(|s| s.at);
        let minute = |at: DateTime<Utc>| at.timestamp().div_euclid(60);
        let together = done(a).is_some_and(|at| {
            all.iter().filter_map(done).filter(|other| minute(*other) == minute(at)).count() > 2
        });
        let line = mind(action_line(a, today).text(source), done(a).and_then(|at| at_once(a.at, at)));
        card = card.line(mind(line, together.then_some("done in the same minute as others")));
    }
    card
}

// Areas.

fn due_line(a: &Area, audits: &[Audit], today: NaiveDate) -> Line {
    let line = Line::new().said(&a.name).text(format!(" ({}, every {} months)", a.kind.id(), a.every_months));
    let line = match &a.owner {
        Some(o) => line.text(", ").person(&o.handle, &o.name),
        None => line,
    };
    if let Some(ended) = a.ended_on.filter(|e| *e <= today) {
        return line.text(", out of scope since ").date(ended);
    }
    match a.due(audits) {
        AreaDue::New { by } => line
            .text(", added ")
            .date(a.added_on)
            .text(", ")
            .strong("never audited")
            .text(", due by ")
            .line(dated(by, today)),
        AreaDue::Interval { last, by } => {
            line.text(", audited ").date(last).text(", due by ").line(dated(by, today))
        }
    }
}

/// `/area add` and `/area edit`
pub fn area(a: &Area, what: &str, audits: &[Audit], today: NaiveDate) -> Card {
    Card::new(Tone::Good, Line::new().text("Area ").said(&a.name).text(format!(" {what}")))
        .line(due_line(a, audits, today))
}

/// `/area list`
pub fn areas(areas: &[Area], audits: &[Audit], today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, "Areas");
    if areas.is_empty() {
        card = card.line(Line::new().text("None yet. Add the first with ").code("/area add").text("."));
    }
    for a in areas {
        card = card.line(due_line(a, audits, today));
    }
    card
}

/// `/area due`
pub fn areas_due(areas: &[Area], audits: &[Audit], until: NaiveDate, today: NaiveDate) -> Card {
    let (new, due) = areas_for(areas, audits, until, today);
    let card = Card::new(Tone::Plain, Line::new().text("Areas due for an audit until ").date(until));
    if new.is_empty() && due.is_empty() {
        return card.line("None.");
    }
    card.field("Newly added, not audited yet", new)
        .field("Due again", due)
        .footer("/audit plan areas:… covers them")
}

/// The areas newly added and those due by a day.
pub(crate) fn areas_for(
    areas: &[Area],
    audits: &[Audit],
    until: NaiveDate,
    today: NaiveDate,
) -> (Vec<Line>, Vec<Line>) {
    let (mut new, mut due) = (Vec::new(), Vec::new());
    let mut sorted: Vec<&Area> = areas.iter().filter(|a| a.is_live(today)).collect();
    sorted.sort_by_key(|a| (a.due(audits).by(), a.no));
    for a in sorted {
        match a.due(audits) {
            AreaDue::New { .. } => new.push(due_line(a, audits, today)),
            AreaDue::Interval { by, .. } if by <= until => due.push(due_line(a, audits, today)),
            AreaDue::Interval { .. } => {}
        }
    }
    (new, due)
}

// Activities and records.

/// `/task list`
pub fn tasks(file: &CertificateFile, all: &[Task], everything: bool, today: NaiveDate) -> Card {
    let mut card =
        Card::new(Tone::Plain, Line::new().said(&file.certificate.name).text(": what the phases ask for"));
    if all.is_empty() {
        return card.line(no_task("", file, all, today));
    }
    let line = |t: &Task| {
        let line = Line::new().code(&t.id).text(format!(" {} — {}", t.title, t.serves));
        match &t.settled {
            Some(r) if r.kind == RecordKind::TaskDone => line.text(": done ").date(r.on),
            Some(r) => line.text(": waived ").date(r.on).text(", ").said(short(&r.words)),
            None => line,
        }
    };
    let carried: Vec<Line> = all.iter().filter(|t| t.is_carried_over(today)).map(line).collect();
    if !carried.is_empty() {
        card.tone = Tone::Warning;
    }
    card = card.field("Carried over from earlier phases", carried);
    let mut phases: Vec<&str> = Vec::new();
    for t in all {
        if !phases.contains(&t.phase_title.as_str()) {
            phases.push(&t.phase_title);
        }
    }
    let mut begun: Vec<NaiveDate> = all.iter().map(|t| t.begins_on).collect();
    begun.dedup();
    for begins in begun {
        let of: Vec<&Task> = all.iter().filter(|t| t.begins_on == begins).collect();
        let Some(first) = of.first() else { continue };
        let running = first.begins_on <= today && today <= first.ends_on;
        let lines: Vec<Line> =
            of.iter().filter(|t| everything || (running && t.settled.is_none())).map(|t| line(t)).collect();
        card = card.field(format!("{} (until {})", first.phase_title, first.ends_on), lines);
    }
    if card.fields.is_empty() {
        card = card.line("Nothing is open now.");
    }
    card.footer(format!("/task done certificate:C-{} task:… what:…", file.certificate.no))
}

/// `/task done` and `/task waive`
pub(crate) fn task_done(t: &Task, r: &Record, left: usize) -> Card {
    let what = if r.kind == RecordKind::TaskDone { "done" } else { "waived" };
    Card::new(Tone::Good, format!("{}: {what}", t.title))
        .line(
            Line::new().text(format!("{}, {} (R-{}), ", t.phase_title, t.serves, r.no)).date(r.on).text("."),
        )
        .line(Line::new().said(&r.words))
        .footer(if left == 0 {
            "Nothing else is open now".to_owned()
        } else {
            format!("{} still open", count(left, "activity is", "activities are"))
        })
}

fn people(people: &[Person]) -> Line {
    let mut line = Line::new();
    for (i, p) in people.iter().enumerate() {
        line = line.text(if i == 0 { "" } else { ", " }).person(&p.handle, &p.name);
    }
    line
}

/// A record that was entered.
pub fn recorded(r: &Record) -> Card {
    let mut card = Card::new(
        Tone::Good,
        Line::new().text(format!("R-{} recorded: {} ", r.no, r.kind.title())).date(r.on),
    )
    .line(Line::new().said(&r.subject));
    if !r.words.is_empty() {
        card = card.line(Line::new().said(&r.words));
    }
    if !r.present.is_empty() {
        card = card.field("Attended", vec![people(&r.present)]);
    }
    if !r.absent.is_empty() {
        card = card.field("Missing", vec![people(&r.absent)]);
    }
    card
}

/// `/change list`, `/risk list`, `/training list`
pub fn records(
    org: &Organisation,
    kind: RecordKind,
    records: &[&Record],
    certificates: &[Certificate],
) -> Card {
    let title = match kind {
        RecordKind::Change => "Changes, inside and outside",
        RecordKind::Risk => "Risk revisits",
        RecordKind::Training => "Trainings",
        RecordKind::TaskDone
        | RecordKind::TaskWaived
        | RecordKind::OpeningMeeting
        | RecordKind::Suspended
        | RecordKind::Reinstated
        | RecordKind::Withdrawn
        | RecordKind::Transferred
        | RecordKind::Scope => "Records",
    };
    let mut card = Card::new(Tone::Plain, title);
    if records.is_empty() {
        card = card.line("None yet.");
    }
    let mut sorted: Vec<&&Record> = records.iter().collect();
    sorted.sort_by_key(|r| std::cmp::Reverse((r.on, r.no)));
    // Who was missing at a training and has not been at a later one on the same topic.
    let mut missing: Vec<(String, &Person)> = Vec::new();
    for r in records.iter().filter(|r| r.counts()) {
        for p in &r.absent {
            let made_up = records.iter().any(|l| {
                l.counts()
                    && (l.on, l.no) > (r.on, r.no)
                    && l.subject.to_lowercase() == r.subject.to_lowercase()
                    && l.present.iter().any(|q| q.id == p.id)
            });
            if !made_up && !missing.iter().any(|(s, q)| q.id == p.id && *s == r.subject) {
                missing.push((r.subject.clone(), p));
            }
        }
    }
    for r in sorted {
        let mut line =
            Line::new().strong(format!("R-{}", r.no)).text(" ").date(r.on).text(" ").said(&r.subject);
        if let Some(c) = certificates.iter().find(|c| Some(c.id) == r.certificate) {
            line = line.text(" (").said(&c.name).text(")");
        }
        if !r.words.is_empty() {
            line = line.text(": ").said(short(&r.words));
        }
        if !r.present.is_empty() {
            line = line.text(" · attended ").line(people(&r.present));
        }
        if let Some(why) = &r.voided {
            line = line.text(" · ").strong("void: ").said(why);
        }
        card = card.line(mind(line, entered_late(r.on, org.day_of(r.at), "happened")));
    }
    card.field(
        "Still missing",
        missing
            .iter()
            .map(|(topic, p)| Line::new().person(&p.handle, &p.name).text(": ").said(topic))
            .collect(),
    )
}

// Certificates.

/// What became of a certificate, and what that does to the calendar.
pub fn standing(file: &CertificateFile, r: &Record, today: NaiveDate) -> Card {
    let c = &file.certificate;
    let mut card = Card::new(
        match r.kind {
            RecordKind::Suspended | RecordKind::Withdrawn => Tone::Alarm,
            RecordKind::TaskDone
            | RecordKind::TaskWaived
            | RecordKind::Change
            | RecordKind::Risk
            | RecordKind::Training
            | RecordKind::OpeningMeeting
            | RecordKind::Reinstated
            | RecordKind::Transferred
            | RecordKind::Scope => Tone::Good,
        },
        Line::new().text(format!("C-{} ", c.no)).said(&c.name).text(format!(": {}", r.kind.title())),
    )
    .line(Line::new().text("On ").date(r.on).text(format!(" (R-{}).", r.no)));
    if !r.words.is_empty() {
        card = card.line(Line::new().said(&r.words));
    }
    let calendar = match r.kind {
        RecordKind::Suspended => Line::new()
            .text("Not valid meanwhile; the calendar and its deadlines run on. In most cases it must be settled by ")
            .line(dated(crate::domain::calendar::add_months(r.on, 6), today))
            .text(", then it is withdrawn or its scope reduced (SUSPENSION, ISO/IEC 17021-1:2015 9.6.5)."),
        RecordKind::Reinstated => match c.current_cycle(today) {
            Some(cycle) => Line::new().text("Valid again. The calendar stays as it was: valid until ").date(cycle.expires_on).text("."),
            None => "The calendar stays as it was.".into(),
        },
        RecordKind::Withdrawn => "Nothing is due for it any more: no phase, no deadline, no audit is reminded of. Its records stay. A new certification begins with /certificate add.".into(),
        RecordKind::Transferred => match c.current_cycle(today) {
            Some(cycle) => Line::new().text("The cycle goes on with the new body: the same months, valid until ").date(cycle.expires_on).text(" (IAF MD 2). Put its own time limits on record with /certificate edit."),
            None => "The cycle goes on with the new body (IAF MD 2).".into(),
        },
        RecordKind::Scope => "The calendar stays as it was. An extension is audited by a special audit, or with the next surveillance (ISO/IEC 17021-1:2015 9.6.4): plan it with /audit plan kind:special, and add new areas with /area add.".into(),
        RecordKind::OpeningMeeting | RecordKind::TaskDone | RecordKind::TaskWaived | RecordKind::Change | RecordKind::Risk | RecordKind::Training => Line::new(),
    };
    if !calendar.is_empty() {
        card = card.field("What that does to the calendar", vec![calendar]);
    }
    let now = match file.status(today) {
        Status::Suspended { .. } => "suspended",
        Status::Withdrawn { .. } => "withdrawn",
        Status::Certified => "valid",
        Status::Preparing => "being prepared for",
        Status::ExpiredRestorable { .. } => "expired, can be restored",
        Status::Expired => "expired",
    };
    card.footer(format!("It is now {now}"))
}

// Nonconformities.

/// `/nc extend`
pub fn extended(nc: &Nonconformity, was: NaiveDate, why: &str, today: NaiveDate) -> Card {
    let times = nc.progress().extended;
    Card::new(Tone::Warning, format!("NC-{} extended", nc.no))
        .line(Line::new().text("Due ").date(was).text(" → ").line(dated(nc.due_on, today)).text("."))
        .line(Line::new().text("Because: ").said(why))
        .footer(if times == 1 {
            "The first extension".to_owned()
        } else {
            format!("Extension number {times}")
        })
}

/// Why there is more time, where it came with an owner.
pub(crate) fn extended_by_assignment() -> String {
    "A later date was set when it was assigned.".to_owned()
}

/// `/nc verifier`
pub fn verifier(nc: &Nonconformity, today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Good, format!("NC-{}: effectiveness review assigned", nc.no));
    if let Some(p) = &nc.verification.by {
        card = card.line(Line::new().text("Verified by ").person(&p.handle, &p.name));
    }
    match nc.verification.on {
        Some(on) => card.line(Line::new().text("On ").line(dated(on, today)).text(".")),
        None => card.line("Some time after the action is done; a reminder says when."),
    }
}

// People.

/// `/my`
pub(crate) fn my(me: &Person, owed: &[Owed], own: bool, today: NaiveDate) -> Card {
    let title = if own {
        Line::new().text("What you owe")
    } else {
        Line::new().text("What ").said(&me.name).text(" owes")
    };
    let late = owed.iter().any(|o| o.due < today);
    let mut card = Card::new(if late { Tone::Alarm } else { Tone::Plain }, title);
    if owed.is_empty() {
        return card.line("Nothing is open.");
    }
    for o in owed.iter().take(20) {
        let line = if o.due < today { Line::new().strong("Late: ") } else { Line::new() };
        card = card.line(
            line.strong(&o.id)
                .text(format!(" {}, due ", o.what))
                .line(dated(o.due, today))
                .text(": ")
                .said(short(&o.words))
                .text(" — ")
                .code(&o.next),
        );
    }
    if owed.len() > 20 {
        card = card.line(format!("and {} more", owed.len() - 20));
    }
    card
}

/// `/handover`
pub fn handed_over(
    from: &Person,
    to: &Person,
    moved: &[String],
    left: &[String],
    unnamed: &[i64],
    pseudonymised: bool,
) -> Card {
    let mut card = Card::new(Tone::Good, "Open work handed over");
    card = card.line(
        Line::new()
            .text("From ")
            .person(&from.handle, &from.name)
            .text(" to ")
            .person(&to.handle, &to.name)
            .text("."),
    );
    card = card.line(if moved.is_empty() {
        "There was nothing open.".to_owned()
    } else {
        format!("{}: {}.", count(moved.len(), "thing", "things"), moved.join(", "))
    });
    if !left.is_empty() {
        card.tone = Tone::Warning;
        card = card.line(format!("Not handed over, or they would audit an area of their own: {}. Plan those anew with other auditors.", left.join(", ")));
    }
    for no in unnamed {
        card.tone = Tone::Warning;
        card = card.line(
            Line::new()
                .person(&to.handle, &to.name)
                .text(format!(" acted on NC-{no}, so somebody else verifies it: name them with "))
                .code(format!("/nc verifier nc:NC-{no}"))
                .text("."),
        );
    }
    if pseudonymised {
        let name = &from.name;
        card = card.line(format!("Their name is out of the records: they are {name} from now on, and the journal's chain holds. What people wrote about them in their own words stays."));
    }
    card
}

// Searching and correcting.

/// `/find`
pub(crate) fn found(text: &str, certificates: &[&Certificate], areas: &[&Area], entries: &[Entry]) -> Card {
    let total = certificates.len() + areas.len() + entries.len();
    let mut card = Card::new(
        Tone::Plain,
        Line::new().text(format!("{} for ", count(total, "entry", "entries"))).said(text),
    );
    if total == 0 {
        card = card.line("Nothing on record has all of these words.");
    }
    for c in certificates {
        card = card.line(Line::new().strong(format!("C-{}", c.no)).text(" certificate · ").said(&c.name));
    }
    for a in areas {
        card = card.line(
            Line::new().strong(format!("area {}", a.no)).text(format!(" {} · ", a.kind.id())).said(&a.name),
        );
    }
    for e in entries.iter().rev().take(30) {
        card = card.line(
            Line::new()
                .strong(&e.id)
                .text(" ")
                .date(e.on)
                .text(format!(" {} · ", e.what))
                .said(short(&e.words)),
        );
    }
    if entries.len() > 30 {
        card = card.line(format!("and {} older ones: add a word", entries.len() - 30));
    }
    card
}

/// What the journal says of a correction.
pub fn edited_why(old: &str, new: &str, reason: &str) -> String {
    format!("\u{201c}{old}\u{201d} → \u{201c}{new}\u{201d}: {reason}")
}

/// `/edit`
pub fn edited(entry: &str, old: &str, new: &str, reason: &str) -> Card {
    Card::new(Tone::Good, format!("{entry} corrected"))
        .line(Line::new().said(short(old)).text(" → ").said(short(new)))
        .line(Line::new().text("Because: ").said(reason))
        .footer(match entry.split('-').next() {
            Some("NC") => format!("/nc show nc:{entry} tells what it was"),
            Some("A") => format!("/audit show audit:{entry} tells what it was"),
            _ => "The old value stays in the journal".to_owned(),
        })
}

/// `/void`
pub fn voided(entry: &str, reason: &str) -> Card {
    Card::new(Tone::Warning, format!("{entry} voided"))
        .line(Line::new().text("Because: ").said(reason))
        .footer("It counts for nothing and stays on record")
}

// Importing.

pub(crate) fn no_table(e: &crate::sheet::Unreadable) -> Line {
    Line::new().text(format!("The file cannot be read: {e}. Nothing was entered."))
}

pub(crate) fn headings_lacking(kind: Kind, lacking: &[&str], there: &[String]) -> Line {
    let (known, _) = kind.headings();
    Line::new()
        .text(format!(
            "The file lacks the heading {}. Nothing was entered. Headings of {}: {}. In the file stand: ",
            lacking.join(", "),
            kind.id(),
            known.join(", ")
        ))
        .said(there.iter().take(20).cloned().collect::<Vec<_>>().join(", "))
        .text(".")
}

pub(crate) fn cell_empty(heading: &str) -> Line {
    Line::new().text(format!("nothing stands under {heading}, which each row needs"))
}

pub(crate) fn cell_wrong(heading: &str, cell: &str, right: &str) -> Line {
    Line::new().text(format!("under {heading} stands ")).said(cell).text(format!("; it is one of: {right}"))
}

pub(crate) fn closed_before_found(closed: NaiveDate, audit: NaiveDate) -> Line {
    Line::new()
        .text("closed: ")
        .date(closed)
        .text(" lies before its audit, which began on ")
        .date(audit)
        .text("; correct one of the two")
}

/// The note of a nonconformity that was closed before it was entered.
pub(crate) fn closed_before(on: NaiveDate) -> String {
    format!("Closed on {on}, before it was entered here (imported)")
}

/// The outcome of an action that was done before it was entered.
pub(crate) fn done_before(on: NaiveDate) -> String {
    format!("Done on {on}, before it was entered here (imported)")
}

/// `/import`
pub(crate) fn imported(kind: Kind, outcomes: &[(usize, Outcome)], apply: bool) -> Card {
    let entered = outcomes.iter().filter(|(_, o)| matches!(o, Outcome::Entered(_))).count();
    let there = outcomes.iter().filter(|(_, o)| matches!(o, Outcome::There(_))).count();
    let refused: Vec<Line> = outcomes
        .iter()
        .filter_map(|(n, o)| match o {
            Outcome::Refused(why) => Some(Line::new().strong(format!("Row {n}: ")).line(why.clone())),
            Outcome::Entered(_) | Outcome::There(_) => None,
        })
        .collect();
    let (tone, title) = match (refused.is_empty(), apply) {
        (false, _) => (Tone::Refusal, format!("Import of {}: nothing was entered", kind.id())),
        (true, true) => (Tone::Good, format!("Import of {}: {entered} entered", kind.id())),
        (true, false) => (Tone::Plain, format!("Import of {}: dry run, nothing was entered", kind.id())),
    };
    let mut card = Card::new(tone, title).line(format!(
        "{}: {entered} {}, {there} on record already, {} that cannot be entered.",
        count(outcomes.len(), "row", "rows"),
        if apply && refused.is_empty() { "entered" } else { "to enter" },
        refused.len()
    ));
    let n = refused.len();
    let mut faults: Vec<Line> = refused.into_iter().take(20).collect();
    if n > faults.len() {
        faults.push(Line::new().text(format!("and {} more", n - faults.len())));
    }
    let rows: Vec<Line> = outcomes
        .iter()
        .take(25)
        .filter_map(|(n, o)| match o {
            Outcome::Entered(id) => Some(Line::new().text(format!("Row {n}: ")).said(id)),
            Outcome::There(id) => Some(Line::new().text(format!("Row {n}: on record already as ")).said(id)),
            Outcome::Refused(_) => None,
        })
        .collect();
    card = card.field("To be mended", faults).field("Rows", rows);
    match (n, apply) {
        (0, false) => card.footer("All of it can be entered: give the same command with apply:true"),
        (0, true) => card,
        _ => {
            card.footer("Mend those rows and give the whole file again: it goes in as a whole or not at all")
        }
    }
}
