//! What is said of the audit programme: audits planned, coverage, proposals.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::card::{Card, Line, Tone};
use super::{count, dated};
use crate::domain::area::Area;
use crate::domain::audit::{Audit, AuditState};
use crate::domain::certificate::{Certificate, CertificateFile};
use crate::domain::clocks::{Clock, Tight, UncoveredYear};
use crate::domain::coverage::{ClauseCovered, Coverage, Proposed, Reach};
use crate::domain::organisation::Person;

/// Who would audit what they own.
pub(crate) fn own_area(own: &[(&str, &Person)]) -> Line {
    let mut line = Line::new();
    for (i, (area, owner)) in own.iter().enumerate() {
        line = line.text(if i == 0 { "" } else { "; " }).said(&owner.name).text(" owns ").said(*area);
    }
    line.text(". Auditors do not audit their own area (ISO 19011:2018 4 e). Choose another auditor, or give the reason in ")
        .code("impartiality")
        .text(" and in ")
        .code("agreed-by")
        .text(" a second person, neither you nor the owner, who agreed: both stand in the report.")
}

/// The day of a planned audit lies in the past.
pub(crate) fn plan_past(day: NaiveDate) -> Line {
    Line::new()
        .text("An audit is planned for a day to come, not for ")
        .date(day)
        .text(". One that was held is recorded with ")
        .code("/audit log")
        .text(".")
}

/// The conclusion comes before the audit.
pub(crate) fn report_too_early(a: &Audit) -> Line {
    Line::new()
        .text(format!("A-{} begins on ", a.no))
        .date(a.starts_on)
        .text(": it cannot be reported before. If it was held earlier, give the day in ")
        .code("date")
        .text(".")
}

/// A day that goes against a clock.
pub(crate) fn against(clock: &Clock, day: NaiveDate) -> Line {
    Line::new()
        .date(day)
        .text(format!(" is too late: {} by ", clock.title()))
        .date(clock.limit)
        .text(format!(
            " — {} ({}, {}). Choose an earlier day, or say in ",
            clock.rule.explanation().trim_end_matches('.'),
            clock.rule.id(),
            clock.rule.source()
        ))
        .code("reason")
        .text(" why the body agreed to it.")
}

/// The same, where a reason was given.
pub(crate) fn breaks(clock: &Clock, day: NaiveDate) -> String {
    format!(
        "{day} is after {}, the limit for the {} ({}, {}); the reason is on record",
        clock.limit,
        clock.title(),
        clock.rule.id(),
        clock.rule.source()
    )
}

/// A calendar year without a surveillance audit.
pub(crate) fn uncovered(certificate: i64, year: &UncoveredYear) -> String {
    format!(
        "C-{certificate}: {} has no surveillance audit{} {} (ISO/IEC 17021-1:2015 9.1.3.3 asks for one in each calendar year)",
        year.year,
        if year.missed { ", missed on" } else { "; plan one by" },
        year.until
    )
}

/// A day that keeps every limit and leaves no room.
pub(crate) fn tight(certificate: i64, tight: Tight) -> String {
    match tight {
        Tight::Surveillance { limit, left } => format!(
            "C-{certificate}: {} left to {limit}, the limit for the first surveillance audit (S1_LATEST, ISO/IEC 17021-1:2015 9.1.3.3): it cannot be put off",
            count_days(left)
        ),
        Tight::Recertification { expires_on, left } => format!(
            "C-{certificate}: {} left after it to the expiry on {expires_on}, and major nonconformities must be verified by then (RECERT_MAJOR, ISO/IEC 17021-1:2015 9.6.3.2.2): 90 days or more are advised",
            count_days(left)
        ),
        Tight::EarlyRecertification { from } => format!(
            "C-{certificate}: a recertification audit is held in the cycle's third year, which begins on {from} (RECERT_YEAR, ISO/IEC 17021-1:2015 9.1.3.2)"
        ),
    }
}

fn count_days(days: i64) -> String {
    count(usize::try_from(days).unwrap_or(0), "day", "days")
}

/// Something that stage 2 lacks.
pub(crate) fn not_ready(what: &str) -> String {
    format!("Not ready for stage 2: {what} (ISO/IEC 17021-1:2015 9.3.1.3)")
}

/// Stage 2 would begin without what should stand before it.
pub(crate) fn stage_two_not_ready(no: i64, lacking: &[String]) -> Line {
    Line::new()
        .text(format!(
            "Stage 2 (A-{no}) is not ready: {}. The body looks for a full internal audit and a management review, and for stage 1's areas of concern addressed (ISO/IEC 17021-1:2015 9.3.1.2, 9.3.1.3). Record them, or say in ",
            lacking.join("; ")
        ))
        .code("reason")
        .text(" why it begins all the same.")
}

/// The scope of an audit whose scope was not put into words.
pub(crate) fn scope_of(a: &Audit, areas: &[Area]) -> String {
    let names: Vec<&str> =
        areas.iter().filter(|r| a.plan.areas.contains(&r.id)).map(|r| r.name.as_str()).collect();
    let mut clauses: Vec<&str> = Vec::new();
    for c in &a.plan.clauses {
        if !clauses.contains(&c.clause.as_str()) {
            clauses.push(&c.clause);
        }
    }
    match (names.is_empty(), clauses.is_empty()) {
        (true, true) => "to be agreed".to_owned(),
        (false, true) => names.join(", "),
        (true, false) => format!("clauses {}", shortened(&clauses)),
        (false, false) => format!("{}; clauses {}", names.join(", "), shortened(&clauses)),
    }
}

/// A list of clauses with runs drawn together (`A.5.1-A.5.8`), cut where it still grows long.
fn shortened(clauses: &[&str]) -> String {
    const MOST: usize = 40;
    let runs = runs(clauses);
    if runs.len() > MOST {
        let first: Vec<&str> = runs.iter().take(MOST).map(String::as_str).collect();
        format!("{} and {} more", first.join(", "), runs.len() - MOST)
    } else {
        runs.join(", ")
    }
}

/// Clauses with those that follow each other drawn together.
pub(crate) fn runs(clauses: &[&str]) -> Vec<String> {
    let split = |id: &str| -> Option<(String, u32)> {
        let (group, last) = id.rsplit_once('.')?;
        Some((group.to_owned(), last.parse().ok()?))
    };
    let mut out: Vec<(&str, &str, usize)> = Vec::new();
    for id in clauses {
        if let Some((_, to, n)) = out.last_mut()
            && let (Some((group, last)), Some((next_group, next))) = (split(to), split(id))
            && group == next_group
            && next == last + 1
        {
            (*to, *n) = (id, *n + 1);
            continue;
        }
        out.push((id, id, 1));
    }
    out.into_iter()
        .flat_map(|(from, to, n)| match n {
            1 => vec![from.to_owned()],
            2 => vec![from.to_owned(), to.to_owned()],
            _ => vec![format!("{from}-{to}")],
        })
        .collect()
}

fn when(a: &Audit) -> Line {
    let line = Line::new().date(a.starts_on);
    if a.ends_on == a.starts_on { line } else { line.text(" to ").date(a.ends_on) }
}

/// What an audit is made of, in fields.
pub(crate) fn made_of(card: Card, a: &Audit, areas: &[Area]) -> Card {
    let mut team = Vec::new();
    if let Some(lead) = &a.lead {
        team.push(Line::new().text("Lead: ").person(&lead.handle, &lead.name));
    }
    if let Some(name) = &a.lead_name {
        team.push(Line::new().text("Lead: ").said(name));
    }
    team.extend(a.plan.team.iter().map(|p| Line::new().person(&p.handle, &p.name)));
    let named: Vec<&Area> = areas.iter().filter(|r| a.plan.areas.contains(&r.id)).collect();
    let areas = if named.is_empty() {
        Vec::new()
    } else {
        vec![Line::new().said(named.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", "))]
    };
    let pick = |sampled: Option<bool>| {
        let mut out: Vec<&str> = Vec::new();
        for c in a.plan.clauses.iter().filter(|c| c.sampled == sampled) {
            if !out.contains(&c.clause.as_str()) {
                out.push(&c.clause);
            }
        }
        out
    };
    let mut clauses = Vec::new();
    for (words, list) in
        [("", pick(None)), ("Sampled: ", pick(Some(true))), ("Not sampled: ", pick(Some(false)))]
    {
        if !list.is_empty() {
            clauses.push(Line::new().text(format!("{words}{}", shortened(&list))));
        }
    }
    let mut notes = Vec::new();
    if let Some(criteria) = &a.plan.criteria {
        notes.push(Line::new().text("Criteria: ").said(criteria));
    }
    if let Some(why) = &a.plan.deviation {
        notes.push(Line::new().strong("Deviation: ").said(why));
    }
    if let Some((why, second)) = &a.plan.impartiality {
        notes.push(
            Line::new()
                .strong("Impartiality: ")
                .said(why)
                .text(" — agreed by ")
                .person(&second.handle, &second.name),
        );
    }
    card.field("Team", team)
        .field("Areas", areas)
        .field("Clauses and controls", clauses)
        .field("On record with it", notes)
}

fn serves(certificates: &[&Certificate]) -> Line {
    let names: Vec<&str> = certificates.iter().map(|c| c.name.as_str()).collect();
    Line::new()
        .text(if certificates.len() > 1 { "Integrated, counts in each of: " } else { "For: " })
        .said(names.join(", "))
}

fn warned(card: Card, warnings: &[String]) -> Card {
    let mut card = card;
    if !warnings.is_empty() {
        card.tone = Tone::Warning;
    }
    card.field("Mind", warnings.iter().map(|w| Line::new().text(w.as_str())).collect())
}

/// `/audit plan`
pub fn planned(
    certificates: &[&Certificate],
    a: &Audit,
    areas: &[Area],
    warnings: &[String],
    today: NaiveDate,
) -> Card {
    let card = Card::new(
        Tone::Good,
        Line::new()
            .text(format!("A-{} planned: {} audit ", a.no, a.kind.id()))
            .line(dated(a.starts_on, today)),
    )
    .line(Line::new().text("From ").line(when(a)).text("."))
    .line(serves(certificates));
    warned(made_of(card, a, areas), warnings).footer(format!("/audit start audit:A-{} when it begins", a.no))
}

/// `/audit start`
pub fn started(a: &Audit, lacking: &[String]) -> Card {
    let warnings: Vec<String> = lacking.iter().map(|l| not_ready(l)).collect();
    warned(
        Card::new(Tone::Good, format!("A-{} has begun", a.no)).line(
            Line::new()
                .text("Raise what it finds with ")
                .code(format!("/finding raise audit:A-{}", a.no))
                .text(", and put what it came to on record with ")
                .code(format!("/audit report audit:A-{}", a.no))
                .text("."),
        ),
        &warnings,
    )
}

/// `/audit report`
pub fn reported(certificates: &[&Certificate], a: &Audit, areas: &[Area], warnings: &[String]) -> Card {
    let card = Card::new(Tone::Good, format!("A-{} reported: {} audit", a.no, a.kind.id()))
        .line(Line::new().text("Held ").line(when(a)).text("."))
        .line(serves(certificates))
        .field("Conclusion", vec![Line::new().said(&a.conclusion)]);
    warned(made_of(card, a, areas), warnings).footer(format!(
        "It counts now. /audit close audit:A-{} freezes its findings, once each has an owner",
        a.no
    ))
}

/// `/audit close`
pub fn closed(a: &Audit) -> Card {
    Card::new(Tone::Good, format!("A-{} closed", a.no))
        .line("Its findings are frozen: a correction is a new entry.")
}

/// `/audit cancel`
pub fn cancelled(a: &Audit, reason: &str, warnings: &[String]) -> Card {
    warned(
        Card::new(Tone::Warning, format!("A-{} cancelled", a.no))
            .line(Line::new().text("Because: ").said(reason))
            .footer("It stays on record and counts for nothing"),
        warnings,
    )
}

/// `/audit move`
pub fn moved(a: &Audit, was: NaiveDate, reason: &str, warnings: &[String], today: NaiveDate) -> Card {
    warned(
        Card::new(Tone::Good, format!("A-{} moved", a.no))
            .line(Line::new().text("From ").date(was).text(" to ").line(dated(a.starts_on, today)).text("."))
            .line(Line::new().text("Because: ").said(reason)),
        warnings,
    )
}

fn groups<'a>(clauses: impl Iterator<Item = &'a ClauseCovered>) -> String {
    let ids: Vec<&str> = clauses.map(|c| c.clause.id.as_str()).collect();
    if ids.is_empty() { "none".to_owned() } else { runs(&ids).join(", ") }
}

fn tally<'a>(name: &str, all: impl Iterator<Item = &'a ClauseCovered> + Clone) -> Vec<Line> {
    let total = all.clone().count();
    if total == 0 {
        return Vec::new();
    }
    let sampled = all.clone().filter(|c| matches!(c.reach, Reach::Sampled { .. })).count();
    let mut lines = vec![Line::new().strong(format!("{sampled} of {total} {name} sampled"))];
    for (words, reach) in
        [("Never audited in this cycle: ", Reach::Never), ("Planned, not sampled: ", Reach::NotSampled)]
    {
        if all.clone().any(|c| c.reach == reach) {
            lines.push(
                Line::new().text(format!("{words}{}", groups(all.clone().filter(|c| c.reach == reach)))),
            );
        }
    }
    if all.clone().any(|c| matches!(c.reach, Reach::Sampled { .. })) {
        let sampled = all.clone().filter(|c| matches!(c.reach, Reach::Sampled { .. }));
        lines.push(Line::new().text(format!("Sampled: {}", groups(sampled))));
    }
    let again = || all.clone().filter(|c| c.since_nonconformity == Some(false));
    if again().next().is_some() {
        lines.push(
            Line::new().text(format!("Not audited since their last nonconformity: {}", groups(again()))),
        );
    }
    lines
}

/// `/audit coverage`
pub fn coverage(file: &CertificateFile, c: &Coverage, today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, Line::new().said(&file.certificate.name).text(": audit coverage"));
    card = card.line(match c.from {
        Some(from) => {
            Line::new().text("By internal audits completed in this cycle, since ").date(from).text(".")
        }
        None => {
            "By internal audits completed so far; those before the decision do not count in the cycle.".into()
        }
    });
    if c.clauses.is_empty() {
        card = card.line("The clauses of this standard are not at hand: what audits name is taken as typed.");
    }
    let areas = c
        .areas
        .iter()
        .map(|a| {
            let line = Line::new().said(&a.area.name).text(format!(" ({}): ", a.area.kind.id()));
            let line = match a.reach {
                Reach::Sampled { on, audit } => line.text(format!("A-{audit}, ")).date(on),
                Reach::NotSampled | Reach::Never => line.strong("never audited in this cycle"),
            };
            line.text("; due by ").line(dated(a.due.by(), today))
        })
        .collect();
    card.field("Clauses", tally("clauses", c.clauses.iter().filter(|k| !k.clause.control)))
        .field("Controls", tally("controls", c.clauses.iter().filter(|k| k.clause.control)))
        .field("Areas", areas)
        .footer(format!("/audit propose certificate:C-{} plans what is left", file.certificate.no))
}

/// `/audit programme`
pub fn programme(
    file: &CertificateFile,
    by_year: &BTreeMap<i32, Vec<&Audit>>,
    areas: &[Area],
    year: Option<i32>,
) -> Card {
    let what = year.map_or_else(|| "this cycle".to_owned(), |y| y.to_string());
    let mut card = Card::new(
        Tone::Plain,
        Line::new().said(&file.certificate.name).text(format!(": audit programme, {what}")),
    );
    if by_year.is_empty() {
        card = card.line(
            Line::new()
                .text("No audit is planned or on record. Plan one with ")
                .code("/audit plan")
                .text(", or have a programme proposed with ")
                .code(format!("/audit propose certificate:C-{}", file.certificate.no))
                .text("."),
        );
    }
    for (year, audits) in by_year {
        let lines = audits
            .iter()
            .map(|a| {
                let line = Line::new()
                    .strong(format!("A-{}", a.no))
                    .text(format!(" {} ", a.kind.id()))
                    .line(when(a))
                    .text(format!(", {}", a.state.id()));
                let named: Vec<&str> =
                    areas.iter().filter(|r| a.plan.areas.contains(&r.id)).map(|r| r.name.as_str()).collect();
                let line = if named.is_empty() { line } else { line.text(" · ").said(named.join(", ")) };
                let n = a.plan.clauses.iter().filter(|c| c.certificate == file.certificate.id).count();
                let line = if n == 0 {
                    line
                } else {
                    line.text(format!(" · {}", count(n, "clause or control", "clauses and controls")))
                };
                if a.state == AuditState::Planned || n > 0 || !named.is_empty() {
                    line
                } else {
                    line.text(" · ").said(&a.scope)
                }
            })
            .collect();
        card = card.field(year.to_string(), lines);
    }
    card
}

/// `/audit propose`
pub fn proposed(file: &CertificateFile, proposed: &[Proposed], today: NaiveDate) -> Card {
    let name = &file.certificate.name;
    let mut card =
        Card::new(Tone::Plain, Line::new().said(name).text(": audits proposed for the rest of the cycle"));
    if proposed.is_empty() {
        return card
            .line("Everything has been audited in this cycle or is planned: nothing is left to propose.");
    }
    let left = proposed.iter().map(|p| p.clauses.len()).sum();
    card = card.line(format!(
        "{} and {} are left; what had findings or changes comes first.",
        count(left, "clause or control", "clauses and controls"),
        count(proposed.iter().map(|p| p.areas.len()).sum(), "area", "areas"),
    ));
    for (i, p) in proposed.iter().enumerate() {
        let mut lines = vec![Line::new().text("Around ").line(dated(p.on, today))];
        if !p.areas.is_empty() {
            lines.push(Line::new().text("Areas: ").said(p.areas.join(", ")));
        }
        if !p.clauses.is_empty() {
            lines.push(Line::new().text(format!(
                "Clauses and controls: {}",
                runs(&p.clauses.iter().map(String::as_str).collect::<Vec<_>>()).join(", ")
            )));
        }
        lines.extend(p.why.iter().map(|w| Line::new().text(w.as_str())));
        let (controls, clauses): (Vec<&str>, Vec<&str>) =
            p.clauses.iter().map(String::as_str).partition(|c| c.starts_with(char::is_alphabetic));
        let mut command =
            format!("/audit plan certificates:C-{} kind:internal date:{}", file.certificate.no, p.on);
        for (option, list) in [("clauses", clauses), ("controls", controls)] {
            if !list.is_empty() {
                command.push_str(&format!(" {option}:{}", runs(&list).join(",")));
            }
        }
        if !p.areas.is_empty() {
            command.push_str(&format!(" areas:{}", p.areas.join(",")));
        }
        lines.push(Line::new().code(command));
        card = card.field(format!("Audit {}", i + 1), lines);
    }
    card
}
