//! The programme: the phases of a cycle as month ranges, what each is for, and the lead times. Data, not code.

use std::collections::BTreeMap;

/// A programme for the three-year cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// Its id (`iso-three-year`).
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The phases of a cycle, in order, without gap or overlap, from month 1 on.
    pub phases: Vec<Phase>,
    /// The steps to the first certificate, in order.
    pub preparation: Vec<Step>,
    /// When notices are given before and after a date.
    pub leads: Leads,
    /// What bodies commonly set, until the body's own limits are on record.
    pub limits: Limits,
}

/// A phase of the cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its id (`surveillance-1`).
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its first month, from 1.
    pub from: u32,
    /// Its last month.
    pub to: u32,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// What is done in it.
    pub activities: Vec<Activity>,
    /// What its announcement carries from the records.
    pub carries: Vec<Carries>,
}

/// What the announcement of a phase carries from the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Areas due for an audit, and those newly added.
    Areas,
    /// Changes inside and outside since the cycle began.
    Changes,
    /// When risks were looked at last.
    Risks,
    /// Who is missing at trainings.
    Training,
    /// What no audit of the cycle has covered.
    Coverage,
}

/// Something to do in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its id within the phase (`internal-audits`).
    pub id: String,
    /// What is done.
    pub title: String,
    /// What it serves.
    pub serves: Serves,
}

/// The requirement that an activity serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// The clause that plays this part in the certificate's standard (a key of [`super::standard::Standard::roles`]).
    Role(String),
    /// A clause of another document, as written (`ISO/IEC 17021-1:2015 9.6.2.2`).
    Source(String),
}

/// A step on the way to the first certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id (`gap-analysis`, `opening-meeting`, `stage-1`, `stage-2`, `nonconformities`, `decision`).
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// Whether it can be left out.
    pub optional: bool,
    /// What it serves.
    pub serves: Serves,
}

/// Days before (leads) and after (overdue) a date at which a notice is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leads {
    /// Before a normative clock's limit, by rule id; `default` for those not named. Each descending.
    pub clocks: BTreeMap<String, Vec<u32>>,
    /// Before a clock's limit, by rule id: when the certification body is to be booked at the latest.
    pub start_by: BTreeMap<String, u32>,
    /// Before a nonconformity's or an action's due date. Descending.
    pub nonconformity: Vec<u32>,
    /// Before a booked audit (stage 2). Descending.
    pub booked: Vec<u32>,
    /// After any date that passed unmet. Ascending, at growing intervals.
    pub overdue: Vec<u32>,
}

/// Limits that certification bodies set by contract, in days after an audit's last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the plan of corrections and corrective actions (commonly 7 to 30).
    pub plan_days: u32,
    /// For closing a major nonconformity (commonly 30 to 90).
    pub major_days: u32,
    /// For closing a minor nonconformity (commonly 30 to 90).
    pub minor_days: u32,
    /// The effectiveness review, after an action is done.
    pub verify_days: u32,
}

impl Programme {
    /// A phase by its id.
    pub fn phase(&self, id: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == id)
    }
}

impl Leads {
    /// The days before the limit of a clock of this rule at which a notice is given.
    pub fn clock(&self, rule: &str) -> &[u32] {
        self.clocks.get(rule).or_else(|| self.clocks.get("default")).map_or(&[], Vec::as_slice)
    }
}
