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
    key: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(flatten)]
    clock: Option<ClockRow<'a>>,
    title: &'a str,
}

/// A deadline with its rule.
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

/// The deadlines of a certificate, one a line: as JSON, or for people.
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
                serde_json::to_string(&ClockRow::from(c))
            } else {
                Ok(format!("{}  {} — {} ({})", c.limit, c.title(), c.rule.source(), c.rule.id()))
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

/// The messages, after what passed between the organisation and its people, from one instant to another, one a line: as JSON, or for people.
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

/// The clock that a notice is about.
fn clock_of(o: &Occurrence) -> Option<&Clock> {
    match o.what.root() {
        What::ClockNear { clock, .. } | What::ClockOverdue { clock, .. } | What::StartBy { clock } => {
            Some(clock)
        }
        What::PhaseBegins { .. }
        | What::NcNear { .. }
        | What::NcOverdue { .. }
        | What::ActionNear { .. }
        | What::ActionOverdue { .. }
        | What::VerifyDue { .. }
        | What::StageTwoNear { .. }
        | What::AuditNear { .. }
        | What::AuditOverdue { .. }
        | What::ReviewNear { .. }
        | What::ReviewOverdue { .. }
        | What::ChannelParked { .. }
        | What::Promised { .. }
        | What::Escalated { .. }
        | What::Own { .. }
        | What::Stands { .. } => None,
    }
}

fn line(o: &Occurrence, zone: Tz, json: bool) -> Result<String, serde_json::Error> {
    let local = o.due_at.with_timezone(&zone);
    if json {
        serde_json::to_string(&Row {
            due: local.to_rfc3339_opts(SecondsFormat::Secs, false),
            key: &o.key,
            kind: o.kind.id(),
            phase: o.phase.as_deref(),
            clock: clock_of(o).map(ClockRow::from),
            title: &o.title,
        })
    } else {
        Ok(format!("{}  {}", local.format("%a %Y-%m-%d %H:%M %:z"), o.title))
    }
}
