//! What the rules do not allow: typed, without wording. The words, and the way on, are found in `say`.

use chrono::NaiveDate;

use super::action::ActionState;
use super::audit::{AuditState, AuditStep};
use super::certificate::{Status, Unsettled};
use super::clocks::Rule;
use super::finding::FindingState;
use super::record::RecordKind;

/// Why a step was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The nonconformity is closed: all it can be is reopened.
    NcClosed {
        /// Its number.
        no: i64,
    },
    /// The nonconformity was raised by mistake, and was voided.
    NcVoided {
        /// Its number.
        no: i64,
    },
    /// The nonconformity is not closed, so it can't be reopened.
    NcNotClosed {
        /// Its number.
        no: i64,
    },
    /// No action is planned that could be reported done.
    NcNotPlanned {
        /// Its number.
        no: i64,
    },
    /// No action is done whose effectiveness could be verified.
    NcNotDone {
        /// Its number.
        no: i64,
    },
    /// Who acted can't verify that it works.
    NcOwnAction {
        /// Its number.
        no: i64,
        /// How they acted.
        acted: Acted,
    },
    /// Closing needs more on record.
    NcIncomplete {
        /// Its number.
        no: i64,
        /// What is missing, in the order of the work.
        missing: Vec<Missing>,
    },
    /// Closing needs more actions done.
    NcActionsOpen {
        /// Its number.
        no: i64,
        /// The numbers of the actions.
        actions: Vec<i64>,
    },
    /// Its day would go past a limit that nobody here can move.
    PastClock {
        /// The number of the nonconformity; none where it is not entered yet.
        no: Option<i64>,
        /// The rule.
        rule: Rule,
        /// Its limit.
        limit: NaiveDate,
    },
    /// The audit's state does not allow the step.
    AuditStep {
        /// Its number.
        no: i64,
        /// Its state.
        state: AuditState,
        /// The step.
        step: AuditStep,
    },
    /// The audit has findings that nobody owns.
    AuditUnowned {
        /// Its number.
        no: i64,
        /// Its findings: `NC-3`, `F-2`.
        findings: Vec<String>,
    },
    /// What became of the finding is on record already, or it cannot become that.
    FindingSettled {
        /// Its number.
        no: i64,
        /// Its state.
        state: FindingState,
    },
    /// What became of the action is on record already.
    ActionSettled {
        /// Its number.
        no: i64,
        /// Its state.
        state: ActionState,
    },
    /// What is to become of the certificate does not fit where it stands (ISO/IEC 17021-1:2015, 9.6.5).
    StatusStep {
        /// What is to become of it.
        to: RecordKind,
        /// Where it stands.
        status: Status,
    },
    /// The certificate was not held on the day from which that would become of it.
    NotHeldOn {
        /// What is to become of it.
        to: RecordKind,
        /// The day.
        on: NaiveDate,
    },
    /// The certificate was withdrawn, for good (ISO/IEC 17021-1:2015, 9.6.5).
    Withdrawn {
        /// Since when.
        on: NaiveDate,
    },
    /// The body decides once its majors are verified and its minors planned (ISO/IEC 17021-1:2015, 9.5.2 and 9.6.3.2).
    Unsettled(Unsettled),
    /// The certificate has its decision already.
    AlreadyDecided {
        /// The day of the decision on record.
        on: NaiveDate,
    },
    /// The certificate has no decision yet, so there is nothing to renew.
    NotDecided,
    /// The renewal would be decided before the last year of the cycle that it renews.
    RenewalTooEarly {
        /// The first day on which it may be.
        from: NaiveDate,
    },
    /// The certificate expired too long ago to be restored (ISO/IEC 17021-1:2015, 9.6.3.2.5).
    RestorationOver {
        /// The last day on which it could have been.
        until: NaiveDate,
    },
    /// The expiry lies before the cycle's first day, or before the decision.
    ExpiryTooEarly {
        /// The first day that can be the expiry.
        earliest: NaiveDate,
    },
    /// The expiry lies years beyond the cycle's three (ISO/IEC 17021-1:2015, 9.1.3.2).
    ExpiryTooLate {
        /// The last day that is taken.
        latest: NaiveDate,
    },
}

/// How somebody had a part in a corrective action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// They own the action.
    AsOwner,
    /// They recorded it done.
    AsReporter,
}

/// What a nonconformity lacks for closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// The correction.
    Correction,
    /// The cause.
    Cause,
    /// The corrective action, done.
    ActionDone,
    /// Its effectiveness, verified by someone who did not act.
    Verification,
    /// A piece of evidence.
    Evidence,
}
