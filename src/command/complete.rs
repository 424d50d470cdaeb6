//! Completions: what is there to be named.

use super::app::{App, Choice, Request, Stop};
use super::find;
use super::grammar::tree;
use super::option::{AuditRef, CertificateRef, Kind, Named, kind};
use crate::domain::day;
use crate::domain::finding::FindingState;

/// How many completions Discord takes.
const MOST: usize = 25;

fn choice(label: &str, value: &str) -> Choice {
    let cut = |s: &str| -> String {
        if s.chars().count() <= 100 { s.to_owned() } else { s.chars().take(99).chain(['…']).collect() }
    };
    Choice { label: cut(label), value: value.chars().take(100).collect() }
}

/// Of what can be named, what fits.
fn named(all: impl IntoIterator<Item = (String, String)>, fits: &dyn Fn(&str) -> bool) -> Vec<Choice> {
    all.into_iter().filter(|(label, _)| fits(label)).map(|(label, value)| choice(&label, &value)).collect()
}

/// Completions for an option of the line in `request.argv`.
pub(super) async fn complete(
    app: &App,
    request: &Request,
    focused: &str,
    typed: &str,
) -> Result<Vec<Choice>, Stop> {
    let mut at = tree();
    for word in request.argv.iter().take_while(|w| !w.starts_with("--")) {
        match at.find_subcommand(word) {
            Some(next) => at = next.clone(),
            None => return Ok(Vec::new()),
        }
    }
    let Some(arg) = at.get_arguments().find(|a| a.get_long() == Some(focused)) else { return Ok(Vec::new()) };
    let kind = kind(arg);
    let on_record = app.snapshot(request).await?;
    let wanted = typed.trim().to_lowercase();
    let fits = |label: &str| wanted.is_empty() || label.to_lowercase().contains(&wanted);
    let found: Vec<Choice> = match kind {
        Kind::Day => {
            let today = on_record.organisation.day_of(request.at);
            let suggestions = if wanted.is_empty() {
                vec!["today", "yesterday", "tomorrow", "in 2 weeks", "in 1 month", "in 3 months"]
            } else {
                vec![typed]
            };
            suggestions
                .into_iter()
                .filter_map(|s| {
                    let on = day::parse(s, today).ok()?;
                    let iso = on.format("%Y-%m-%d").to_string();
                    Some(choice(&format!("{} ({s})", on.format("%a %Y-%m-%d")), &iso))
                })
                .collect()
        }
        Kind::Standard => app
            .catalogue()
            .standards
            .iter()
            .filter(|s| fits(&s.title) || fits(&s.id))
            .map(|s| choice(&format!("{} · {}", s.title, s.subject), &s.id))
            .collect(),
        Kind::Named(Named::Zone) => {
            const COMMON: [&str; 8] = [
                "Europe/Berlin",
                "Europe/London",
                "Europe/Paris",
                "America/New_York",
                "America/Los_Angeles",
                "Asia/Kolkata",
                "Asia/Singapore",
                "UTC",
            ];
            if wanted.is_empty() {
                COMMON.iter().map(|z| choice(z, z)).collect()
            } else {
                let wanted = wanted.replace(' ', "_");
                chrono_tz::TZ_VARIANTS
                    .iter()
                    .map(|z| z.name())
                    .filter(|z| z.to_lowercase().contains(&wanted))
                    .map(|z| choice(z, z))
                    .collect()
            }
        }
        Kind::Named(Named::Command) => {
            let mut names: Vec<String> = Vec::new();
            for command in tree().get_subcommands() {
                let mut below = command.get_subcommands().peekable();
                if below.peek().is_none() {
                    names.push(command.get_name().to_owned());
                }
                names.extend(below.map(|s| format!("{} {}", command.get_name(), s.get_name())));
            }
            names.iter().filter(|n| fits(n)).map(|n| choice(&format!("/{n}"), n)).collect()
        }
        Kind::Named(Named::Certificate) => {
            let all: Vec<(String, String)> = on_record
                .certificates
                .iter()
                .map(|c| (format!("C-{} · {}", c.no, c.name), format!("C-{}", c.no)))
                .collect();
            let whole = named(all.clone(), &fits);
            match typed.rsplit_once(',') {
                // Of several with commas between, the last is being typed.
                Some((before, last)) if whole.is_empty() => {
                    let last = last.trim().to_lowercase();
                    let given =
                        |value: &String| before.split(',').any(|b| b.trim().eq_ignore_ascii_case(value));
                    all.iter()
                        .filter(|(label, value)| label.to_lowercase().contains(&last) && !given(value))
                        .map(|(label, value)| {
                            choice(
                                &format!("{}, {label}", before.trim()),
                                &format!("{}, {value}", before.trim()),
                            )
                        })
                        .collect()
                }
                _ => whole,
            }
        }
        Kind::Named(Named::Audit) => on_record
            .audits
            .iter()
            .rev()
            .map(|a| {
                (format!("A-{} · {} {} · {}", a.no, a.kind.id(), a.starts_on, a.scope), format!("A-{}", a.no))
            })
            .filter(|(label, _)| fits(label))
            .map(|(label, value)| choice(&label, &value))
            .collect(),
        Kind::Named(Named::Nonconformity) => {
            let reopening = request.argv.iter().any(|w| w == "reopen");
            let reading = request.argv.iter().any(|w| w == "show");
            let mut ncs: Vec<_> = on_record.nonconformities.iter().collect();
            ncs.retain(|nc| if reopening { !nc.is_open() } else { reading || nc.is_open() });
            ncs.sort_by_key(|nc| (!nc.is_open(), nc.due_on, nc.no));
            ncs.iter()
                .map(|nc| {
                    let label = format!(
                        "NC-{} · {} · {} · due {} · {}",
                        nc.no,
                        nc.grade.id(),
                        nc.clause,
                        nc.due_on,
                        nc.statement
                    );
                    (label, format!("NC-{}", nc.no))
                })
                .filter(|(label, _)| fits(label))
                .map(|(label, value)| choice(&label, &value))
                .collect()
        }
        Kind::Named(Named::Finding) => {
            let mut all: Vec<_> = on_record.rest.findings.iter().collect();
            all.sort_by_key(|f| (f.state != FindingState::Open, -f.no));
            named(
                all.iter().map(|f| {
                    let label = format!("F-{} · {} · {} · {}", f.no, f.grade.id(), f.clause, f.statement);
                    (label, format!("F-{}", f.no))
                }),
                &fits,
            )
        }
        Kind::Named(Named::Action) => {
            let mut all: Vec<_> = on_record.rest.actions.iter().collect();
            all.sort_by_key(|a| (!a.is_open(), a.due_on, a.no));
            named(
                all.iter().map(|a| {
                    let label = format!("ACT-{} · due {} · {} · {}", a.no, a.due_on, a.owner.name, a.what);
                    (label, format!("ACT-{}", a.no))
                }),
                &fits,
            )
        }
        Kind::Named(Named::Review) => named(
            on_record
                .rest
                .reviews
                .iter()
                .rev()
                .map(|r| (format!("MR-{} · {} {}", r.no, r.state.id(), r.on), format!("MR-{}", r.no))),
            &fits,
        ),
        Kind::Named(Named::Area) => {
            let today = on_record.organisation.day_of(request.at);
            // Of several with commas between, the last is being typed.
            let (before, last) = typed.rsplit_once(',').map_or(("", typed), |(b, l)| (b, l));
            let last = last.trim().to_lowercase();
            on_record
                .rest
                .areas
                .iter()
                .filter(|a| a.is_live(today) && a.name.to_lowercase().contains(&last))
                .map(|a| {
                    let all =
                        if before.is_empty() { a.name.clone() } else { format!("{before}, {}", a.name) };
                    choice(&all, &all)
                })
                .collect()
        }
        Kind::Named(Named::Task) => {
            let named_certificate = request.argv.iter().find_map(|w| w.strip_prefix("--certificate="));
            let file = named_certificate
                .and_then(|n| find::certificate(&on_record.certificates, &CertificateRef(n.to_owned())).ok())
                .or_else(|| on_record.certificates.first())
                .and_then(|c| on_record.files().iter().find(|f| f.certificate.id == c.id));
            let today = on_record.organisation.day_of(request.at);
            match file {
                Some(file) => named(
                    super::phase::tasks(app.catalogue(), file, today)
                        .into_iter()
                        .filter(|t| t.settled.is_none())
                        .map(|t| (format!("{} · {}", t.title, t.phase_title), t.id)),
                    &fits,
                ),
                None => Vec::new(),
            }
        }
        Kind::Named(Named::Entry) => named(
            super::search::entries(&on_record, &[])
                .into_iter()
                .rev()
                .map(|e| (format!("{} · {}", e.id, e.words), e.id.clone())),
            &fits,
        ),
        Kind::Named(Named::Reminder) => named(super::remind::names(app.catalogue(), &on_record), &fits),
        Kind::Named(Named::Holidays) => named(
            app.catalogue()
                .holidays
                .iter()
                .map(|h| (format!("{} · {}", h.id, h.title), h.id.clone()))
                .chain([("none".to_owned(), "none".to_owned())]),
            &fits,
        ),
        Kind::Named(Named::Clause) => {
            let certificates = &on_record.certificates;
            let named = request.argv.iter().find_map(|w| w.strip_prefix("--certificate="));
            let certificate =
                named.and_then(|n| find::certificate(certificates, &CertificateRef(n.to_owned())).ok());
            // Of an audit, the clauses of all that it serves.
            let audit = request
                .argv
                .iter()
                .find_map(|w| w.strip_prefix("--audit="))
                .and_then(|a| find::audit(&on_record.audits, &AuditRef(a.to_owned())).ok());
            let meant: Vec<_> = match (certificate, audit) {
                (Some(one), _) => vec![one],
                (None, Some(audit)) => {
                    certificates.iter().filter(|c| audit.certificates.contains(&c.id)).collect()
                }
                (None, None) => certificates.first().into_iter().collect(),
            };
            let mut clauses: Vec<(String, &str)> = Vec::new();
            for standard in meant.iter().filter_map(|c| app.catalogue().standard(&c.standard)) {
                for k in &standard.clauses {
                    if !clauses.iter().any(|(_, id)| *id == k.id) {
                        clauses.push((format!("{} {}", k.id, k.title), k.id.as_str()));
                    }
                }
            }
            clauses.retain(|(label, _)| fits(label));
            clauses.sort_by_key(|(label, _)| !label.to_lowercase().starts_with(&wanted));
            clauses.iter().map(|(label, value)| choice(label, value)).collect()
        }
        Kind::Person => {
            on_record.people.iter().filter(|p| fits(&p.name)).map(|p| choice(&p.name, &p.handle)).collect()
        }
        Kind::Choice => arg
            .get_possible_values()
            .iter()
            .map(clap::builder::PossibleValue::get_name)
            .filter(|n| fits(n))
            .map(|n| choice(n, n))
            .collect(),
        Kind::YesNo => ["true", "false"].iter().filter(|n| fits(n)).map(|n| choice(n, n)).collect(),
        Kind::Text
        | Kind::Long
        | Kind::More
        | Kind::Whole { .. }
        | Kind::Role
        | Kind::Channel
        | Kind::File => Vec::new(),
    };
    Ok(found.into_iter().take(MOST).collect())
}
