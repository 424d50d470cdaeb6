//! `certkeeper simulate`: every message that will be sent, from the very code that will send it.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, CertificateFile, Terms};
use crate::domain::clocks::{self, Clock};
use crate::domain::organisation::{Manners, Organisation};
use crate::domain::refusal::Refusal;
use crate::notify::due::{Facts, Occurrence, Talk, What, occurrences};

/// One message, as a line of JSON.
#[derive(Debug, Serialize)]
struct Row<'a> {
    due: String,
    at: String,
    key: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begins: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<NaiveDate>,
    #[serde(flatten)]
    clock: Option<ClockRow<'a>>,
    title: &'a str,
}

/// The deadline that a message is about, with its rule.
#[derive(Debug, Serialize)]
struct ClockRow<'a> {
    rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    cycle: u32,
    anchor: NaiveDate,
    limit: NaiveDate,
    source: &'static str,
}

impl<'a> From<&'a Clock> for ClockRow<'a> {
    fn from(c: &'a Clock) -> Self {
        Self {
            rule: c.rule.id(),
            subject: c.subject.as_deref(),
            cycle: c.cycle,
            anchor: c.anchor,
            limit: c.limit,
            source: c.rule.source(),
        }
    }
}

/// A deadline as it stands, as a line of JSON.
#[derive(Debug, Serialize)]
struct StandingRow<'a> {
    id: String,
    #[serde(flatten)]
    clock: ClockRow<'a>,
    begins: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    lapses: Option<NaiveDate>,
    hard: bool,
    dated: bool,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<NaiveDate>,
    title: String,
}

impl<'a> From<&'a Clock> for StandingRow<'a> {
    fn from(c: &'a Clock) -> Self {
        Self {
            id: c.id(),
            clock: ClockRow::from(c),
            begins: c.begins_on,
            lapses: c.lapses_on,
            hard: c.rule.is_hard(),
            dated: c.rule.is_dated(),
            state: c.state.id(),
            met: c.state.met_on(),
            title: c.title(),
        }
    }
}

/// The deadlines of a certificate as they stand on a day, one a line: as JSON, or for people.
pub fn clocks(
    organisation: &Organisation,
    catalogue: &Catalogue,
    file: &CertificateFile,
    today: NaiveDate,
    json: bool,
) -> Result<Vec<String>, serde_json::Error> {
    let standard = catalogue.standard(&file.certificate.standard);
    let programme = standard.and_then(|s| catalogue.programme_of(s));
    let clocks =
        programme.map(|p| clocks::all(file, standard, p, organisation.zone, today)).unwrap_or_default();
    clocks
        .iter()
        .map(|c| {
            if json {
                serde_json::to_string(&StandingRow::from(c))
            } else {
                let state = c.state.id();
                let met = c.state.met_on().map(|on| format!(" {on}")).unwrap_or_default();
                Ok(format!(
                    "{}  {}, {state}{met} — {} ({})",
                    c.limit,
                    c.title(),
                    c.rule.source(),
                    c.rule.id()
                ))
            }
        })
        .collect()
}

/// A certificate that is not on file.
#[derive(Debug, Clone)]
pub struct Hypothetical {
    /// The standard's id.
    pub standard: String,
    /// The day of the decision.
    pub decided: NaiveDate,
    /// The last valid day, if not the usual.
    pub expires: Option<NaiveDate>,
    /// The organisation's zone.
    pub zone: Tz,
    /// The hour of its posts.
    pub hour: u32,
}

impl Hypothetical {
    /// The organisation and the certificate, entered at the first moment of the day of the decision.
    ///
    /// # Errors
    /// Where the dates cannot be.
    pub fn facts(&self) -> Result<(Organisation, CertificateFile), Refusal> {
        let entered = calendar::at_hour(self.zone, self.decided, 0);
        let organisation = Organisation {
            id: 1,
            place: "simulation".to_owned(),
            name: "simulation".to_owned(),
            zone: self.zone,
            hour: self.hour,
            channel: None,
            manager_role: None,
            auditor_role: None,
            minimal: false,
            manners: Manners::default(),
        };
        let mut certificate = Certificate {
            id: 1,
            no: 1,
            standard: self.standard.clone(),
            name: self.standard.clone(),
            body: None,
            number: None,
            channel: None,
            owner: None,
            stage2_on: None,
            entered_at: entered,
            stage2_known_at: entered,
            cycles: Vec::new(),
            terms: Terms::default(),
            scope: None,
        };
        let cycle = certificate.decide(self.decided, self.expires, entered)?;
        certificate.cycles.push(cycle);
        Ok((organisation, CertificateFile::new(certificate)))
    }
}

/// The messages from one instant to another, one a line: as JSON, or for people. `talk` is what passed between the
/// organisation and its people so far.
pub fn lines(
    organisation: &Organisation,
    catalogue: &Catalogue,
    file: &CertificateFile,
    talk: Talk<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    json: bool,
) -> Result<Vec<String>, serde_json::Error> {
    let files = std::slice::from_ref(file);
    occurrences(Facts { organisation, catalogue, files, talk }, from, to)
        .iter()
        .map(|o| line(o, organisation.zone, json))
        .collect()
}

/// The first and the last day of the phase that a notice announces.
fn phase_of(o: &Occurrence) -> Option<(NaiveDate, NaiveDate)> {
    if let What::PhaseBegins { begins_on, ends_on, .. } = &o.what {
        Some((*begins_on, *ends_on))
    } else {
        None
    }
}

fn line(o: &Occurrence, zone: Tz, json: bool) -> Result<String, serde_json::Error> {
    let local = o.due_at.with_timezone(&zone);
    if json {
        let phase = phase_of(o);
        serde_json::to_string(&Row {
            due: local.to_rfc3339_opts(SecondsFormat::Secs, false),
            at: o.due_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            key: &o.key,
            kind: o.kind.id(),
            phase: o.phase.as_deref(),
            begins: phase.map(|(begins, _)| begins),
            ends: phase.map(|(_, ends)| ends),
            clock: o.what.clock().map(ClockRow::from),
            title: &o.title,
        })
    } else {
        Ok(format!("{}  {}", local.format("%a %Y-%m-%d %H:%M %:z"), o.title))
    }
}
