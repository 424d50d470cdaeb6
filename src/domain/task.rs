//! What the phases of a cycle ask for, and what became of it.

use chrono::NaiveDate;

use super::calendar;
use super::certificate::CertificateFile;
use super::programme::Programme;
use super::record::{Record, RecordKind, task_subject};
use super::standard::Standard;

/// An activity of a phase of the current cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// How it is named: phase and activity (`operate-1/internal-audits`).
    pub id: String,
    /// What is done.
    pub title: String,
    /// The phase's title.
    pub phase_title: String,
    /// The phase's first day.
    pub begins_on: NaiveDate,
    /// The phase's last day.
    pub ends_on: NaiveDate,
    /// What it serves.
    pub serves: String,
    /// How it was settled, if it was.
    pub settled: Option<Record>,
    /// The subject that it is on record under.
    pub subject: String,
    /// Whether it is asked for here: its phase had not ended when the certificate was entered.
    pub asked: bool,
}

/// The activities of the current cycle's phases, in order.
pub fn tasks(
    standard: &Standard,
    programme: &Programme,
    file: &CertificateFile,
    today: NaiveDate,
) -> Vec<Task> {
    let certificate = &file.certificate;
    let Some(cycle) = certificate.current_cycle(today).or_else(|| certificate.latest_cycle()) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for dates in calendar::phase_dates(programme, cycle) {
        for activity in &dates.phase.activities {
            let subject = task_subject(cycle.n, &dates.phase.id, &activity.id);
            let settled = file
                .records
                .iter()
                .filter(|r| {
                    r.counts()
                        && r.certificate == Some(certificate.id)
                        && matches!(r.kind, RecordKind::TaskDone | RecordKind::TaskWaived)
                        && r.subject == subject
                })
                .max_by_key(|r| r.no);
            out.push(Task {
                id: format!("{}/{}", dates.phase.id, activity.id),
                title: activity.title.clone(),
                phase_title: dates.phase.title.clone(),
                begins_on: dates.begins_on,
                ends_on: dates.ends_on,
                serves: standard.served_by(&activity.serves).unwrap_or_default(),
                settled: settled.cloned(),
                subject,
                asked: dates.ends_on >= certificate.entered_at.date_naive(),
            });
        }
    }
    out
}

impl Task {
    /// Whether its phase has ended and nobody has said what became of it.
    pub fn is_carried_over(&self, today: NaiveDate) -> bool {
        self.asked && self.settled.is_none() && self.ends_on < today
    }
}
