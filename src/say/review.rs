//! What is said of management reviews: their inputs prepared from the records.

use chrono::NaiveDate;

use super::card::{Card, Line, Tone};
use super::{count, dated, entered_late, mind};
use crate::catalogue::Catalogue;
use crate::domain::action::{Action, Source};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, CertificateFile};
use crate::domain::finding::{FindingGrade, FindingState};
use crate::domain::organisation::Organisation;
use crate::domain::record::RecordKind;
use crate::domain::review::{Review, ReviewState};
use crate::domain::standard::{ReviewInput, Standard};

/// The day of the last review that was held for a certificate.
fn last_held(file: &CertificateFile) -> Option<NaiveDate> {
    file.reviews.iter().filter(|r| r.state == ReviewState::Held).map(|r| r.on).max()
}

/// What the records say to an input.
fn prepared(org: &Organisation, file: &CertificateFile, input: &ReviewInput, today: NaiveDate) -> Vec<Line> {
    let since = last_held(file).unwrap_or_else(|| calendar::sub_months(today, 12));
    let day = |at| org.day_of(at);
    match input.from.as_str() {
        "actions" => {
            let of_reviews: Vec<&Action> = file
                .actions
                .iter()
                .filter(|a| {
                    matches!(a.source, Source::Review(_))
                        && (a.is_open() || a.settled.as_ref().is_some_and(|s| day(s.at) >= since))
                })
                .collect();
            let open = of_reviews.iter().filter(|a| a.is_open()).count();
            let late = of_reviews.iter().filter(|a| a.is_open() && a.due_on < today).count();
            let mut lines = vec![Line::new().text(format!(
                "{} of earlier reviews: {} done since, {open} open, {late} overdue",
                count(of_reviews.len(), "action", "actions"),
                of_reviews.len() - open
            ))];
            lines.extend(of_reviews.iter().filter(|a| a.is_open()).take(8).map(|a| action_line(a, today)));
            lines
        }
        "nonconformities" => {
            let of = |from: NaiveDate, to: NaiveDate| {
                file.nonconformities
                    .iter()
                    .filter(|nc| !nc.is_voided() && day(nc.raised_at) >= from && day(nc.raised_at) < to)
                    .count()
            };
            let before =
                calendar::sub_days(since, u32::try_from((today - since).num_days().max(1)).unwrap_or(365));
            let open: Vec<String> = file
                .nonconformities
                .iter()
                .filter(|nc| nc.is_open())
                .map(|nc| format!("NC-{}", nc.no))
                .collect();
            let late = file.nonconformities.iter().filter(|nc| nc.is_open() && nc.due_on < today).count();
            vec![
                Line::new()
                    .text(format!(
                        "{} raised since ",
                        count(of(since, calendar::day_after(today)), "nonconformity", "nonconformities")
                    ))
                    .date(since)
                    .text(format!(", {} in as many days before", of(before, since))),
                Line::new().text(if open.is_empty() {
                    "None is open".to_owned()
                } else {
                    format!("Open: {}; {late} overdue", open.join(", "))
                }),
            ]
        }
        "audits" => {
            let held: Vec<Line> = file
                .audits
                .iter()
                .filter(|a| a.ends_on >= since)
                .map(|a| {
                    Line::new()
                        .text(format!("A-{} {} ", a.no, a.kind.id()))
                        .date(a.ends_on)
                        .text(": ")
                        .said(short(&a.conclusion))
                })
                .collect();
            if held.is_empty() { vec!["No audit since the last review".into()] } else { held }
        }
        "changes" => records(file, RecordKind::Change, since, "No change is on record since the last review"),
        "risks" => {
            records(file, RecordKind::Risk, since, "No risk revisit is on record since the last review")
        }
        "opportunities" => {
            let open: Vec<Line> = file
                .findings
                .iter()
                .filter(|f| {
                    f.grade == FindingGrade::Opportunity
                        && matches!(f.state, FindingState::Open | FindingState::Accepted)
                })
                .map(|f| Line::new().text(format!("F-{} {} ", f.no, f.state.id())).said(short(&f.statement)))
                .collect();
            if open.is_empty() { vec!["No opportunity is open".into()] } else { open }
        }
        _ => vec!["To be reported by whoever knows: the records here do not say".into()],
    }
}

fn short(text: &str) -> String {
    if text.chars().count() > 100 { text.chars().take(99).chain(['…']).collect() } else { text.to_owned() }
}

fn records(file: &CertificateFile, kind: RecordKind, since: NaiveDate, none: &str) -> Vec<Line> {
    let found: Vec<Line> = file
        .records
        .iter()
        .filter(|r| r.kind == kind && r.counts() && r.on >= since)
        .map(|r| {
            Line::new()
                .text(format!("R-{} ", r.no))
                .date(r.on)
                .text(format!(" {}: ", r.subject))
                .said(short(&r.words))
        })
        .collect();
    if found.is_empty() { vec![none.into()] } else { found }
}

fn action_line(a: &Action, today: NaiveDate) -> Line {
    Line::new()
        .strong(format!("ACT-{}", a.no))
        .text(" due ")
        .line(dated(a.due_on, today))
        .text(", ")
        .person(&a.owner.handle, &a.owner.name)
        .text(": ")
        .said(short(&a.what))
}

/// `/review inputs`
pub fn inputs(
    org: &Organisation,
    standard: Option<&Standard>,
    file: &CertificateFile,
    today: NaiveDate,
) -> Card {
    let name = &file.certificate.name;
    let mut card = Card::new(Tone::Plain, Line::new().said(name).text(": inputs of the management review"));
    card = card.line(match last_held(file) {
        Some(on) => Line::new().text("The last review was held on ").line(dated(on, today)).text("."),
        None => "No management review is on record yet; the last twelve months are shown.".into(),
    });
    let Some(standard) = standard else { return card };
    let clause = standard.role("management-review").unwrap_or_default();
    if standard.review_inputs.is_empty() {
        return card.line(format!(
            "The list of inputs of {} {clause} is not at hand here: take it from the standard.",
            standard.title
        ));
    }
    for input in &standard.review_inputs {
        card = card.field(format!("{}) {}", input.item, input.title), prepared(org, file, input, today));
    }
    card.footer(format!(
        "{} {clause}. Then: /review hold certificates:C-{} date: attended: inputs:all",
        standard.title, file.certificate.no
    ))
}

/// The inputs that were not looked at, standard by standard.
fn uncovered(catalogue: &Catalogue, r: &Review, c: &Certificate) -> Vec<Line> {
    let Some(standard) = catalogue.standard(&c.standard) else { return Vec::new() };
    standard
        .review_inputs
        .iter()
        .filter(|i| !r.covered.iter().any(|k| k.certificate == c.id && k.item == i.item))
        .map(|i| Line::new().text(format!("{}) {} ({})", i.item, i.title, standard.title)))
        .collect()
}

/// `/review hold`
pub fn held(catalogue: &Catalogue, r: &Review, files: &[&CertificateFile], today: NaiveDate) -> Card {
    let mut left = Vec::new();
    for file in files {
        left.extend(uncovered(catalogue, r, &file.certificate));
    }
    let carried: Vec<Line> = {
        let mut seen = Vec::new();
        let mut out = Vec::new();
        for file in files {
            for a in &file.actions {
                if a.is_open() && matches!(a.source, Source::Review(_)) && !seen.contains(&a.id) {
                    seen.push(a.id);
                    out.push(action_line(a, today));
                }
            }
        }
        out
    };
    for file in files {
        let standard = catalogue.standard(&file.certificate.standard);
        if standard.is_none_or(|s| s.review_inputs.is_empty()) {
            left.push(
                Line::new()
                    .text("The list of inputs for ")
                    .said(&file.certificate.name)
                    .text(" is not at hand: say in the decisions which were looked at."),
            );
        }
    }
    let tone = if left.is_empty() { Tone::Good } else { Tone::Warning };
    Card::new(tone, Line::new().text(format!("MR-{}: management review held on ", r.no)).date(r.on))
        .line(Line::new().text("Recorded ").instant(r.at).text("."))
        .field("Attended", vec![Line::new().said(&r.attended)])
        .field("Decisions", vec![Line::new().said(&r.decisions)])
        .field("Inputs not covered", left)
        .field("Still open from earlier reviews", carried)
        .footer(format!("Actions: /action add review:MR-{} owner: due: what:", r.no))
}

/// Whether a review was entered long after it was held.
fn late(org: &Organisation, r: &Review) -> Option<String> {
    entered_late(r.on, org.day_of(r.at), "was held").filter(|_| r.state == ReviewState::Held)
}

/// `/review list`
pub fn list(org: &Organisation, reviews: &[Review], certificates: &[Certificate], today: NaiveDate) -> Card {
    let mut card = Card::new(Tone::Plain, "Management reviews");
    if reviews.is_empty() {
        card = card.line(
            Line::new()
                .text("None yet. Plan one with ")
                .code("/review plan")
                .text(", or record one with ")
                .code("/review hold")
                .text("."),
        );
    }
    let mut sorted: Vec<&Review> = reviews.iter().collect();
    sorted.sort_by_key(|r| std::cmp::Reverse((r.on, r.no)));
    for r in sorted {
        let names: Vec<&str> =
            certificates.iter().filter(|c| r.certificates.contains(&c.id)).map(|c| c.name.as_str()).collect();
        let line = Line::new()
            .strong(format!("MR-{}", r.no))
            .text(format!(" {} ", r.state.id()))
            .line(dated(r.on, today))
            .text(" · ")
            .said(names.join(", "));
        card = card.line(mind(line, late(org, r)));
    }
    card
}

/// `/review show`
pub fn show(
    org: &Organisation,
    catalogue: &Catalogue,
    r: &Review,
    certificates: &[Certificate],
    actions: &[Action],
    today: NaiveDate,
) -> Card {
    let mut card = Card::new(Tone::Plain, format!("MR-{}: management review, {}", r.no, r.state.id())).line(
        Line::new()
            .text(if r.state == ReviewState::Held { "Held on " } else { "Set for " })
            .line(dated(r.on, today))
            .text("; recorded ")
            .instant(r.at)
            .text(" by ")
            .person(&r.by.handle, &r.by.name)
            .text("."),
    );
    if let Some(late) = late(org, r) {
        card = card.line(Line::new().strong("Mind: ").text(format!("{late}.")));
    }
    let mut left = Vec::new();
    let mut taken = Vec::new();
    for c in certificates.iter().filter(|c| r.certificates.contains(&c.id)) {
        card = card.line(Line::new().text("For: ").said(&c.name));
        if r.state == ReviewState::Held {
            left.extend(uncovered(catalogue, r, c));
            let items: Vec<&str> =
                r.covered.iter().filter(|k| k.certificate == c.id).map(|k| k.item.as_str()).collect();
            if !items.is_empty() {
                taken.push(Line::new().said(&c.name).text(format!(": {}", items.join(", "))));
            }
        }
    }
    let mut of_it: Vec<&Action> = actions.iter().filter(|a| a.source == Source::Review(r.id)).collect();
    of_it.sort_by_key(|a| (!a.is_open(), a.due_on, a.no));
    if !r.attended.is_empty() {
        card = card.field("Attended", vec![Line::new().said(&r.attended)]);
    }
    if !r.decisions.is_empty() {
        card = card.field("Decisions", vec![Line::new().said(&r.decisions)]);
    }
    card.field("Inputs covered", taken).field("Inputs not covered", left).field(
        "Actions",
        of_it
            .iter()
            .map(|a| {
                action_line(a, today).text(if a.is_open() { "" } else { " — " }).text(if a.is_open() {
                    ""
                } else {
                    a.state.id()
                })
            })
            .collect(),
    )
}
