//! What the rules do not allow: typed, without wording. The words, and the way on, are found in `say`.

use chrono::NaiveDate;

/// Why a step was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The nonconformity is closed: all it can be is reopened.
    NcClosed {
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
