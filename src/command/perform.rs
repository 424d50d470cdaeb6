//! Which code carries out which command.

use super::app::{Change, Read, Reply, Stop};
use super::certificate;
use super::grammar::{Audit, AuditKind, Certificate, Command, Cycle, Grade, Nc, Status};
use crate::domain;
use crate::say;

impl Command {
    /// The command's words (`nc close`), as the journal and the help name it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Setup(_) => "setup",
            Self::Certificate(Certificate::Add(_)) => "certificate add",
            Self::Certificate(Certificate::List(_)) => "certificate list",
            Self::Certificate(Certificate::Show(_)) => "certificate show",
            Self::Certificate(Certificate::Decide(_)) => "certificate decide",
            Self::Certificate(Certificate::Renew(_)) => "certificate renew",
            Self::Certificate(Certificate::Edit(_)) => "certificate edit",
            Self::Cycle(Cycle::Show(_)) => "cycle show",
            Self::Cycle(Cycle::Preview(_)) => "cycle preview",
            Self::Status(_) => "status",
            Self::Audit(Audit::Log(_)) => "audit log",
            Self::Audit(Audit::List(_)) => "audit list",
            Self::Audit(Audit::Show(_)) => "audit show",
            Self::Nc(Nc::Raise(_)) => "nc raise",
            Self::Nc(Nc::List(_)) => "nc list",
            Self::Nc(Nc::Show(_)) => "nc show",
            Self::Nc(Nc::Assign(_)) => "nc assign",
            Self::Nc(Nc::Correct(_)) => "nc correct",
            Self::Nc(Nc::Cause(_)) => "nc cause",
            Self::Nc(Nc::Plan(_)) => "nc plan",
            Self::Nc(Nc::Done(_)) => "nc done",
            Self::Nc(Nc::Verify(_)) => "nc verify",
            Self::Nc(Nc::Evidence(_)) => "nc evidence",
            Self::Nc(Nc::Close(_)) => "nc close",
            Self::Nc(Nc::Reopen(_)) => "nc reopen",
            Self::Help(_) => "help",
        }
    }

    /// Whether it changes what is on record.
    pub fn changes(&self) -> bool {
        match self {
            Self::Setup(_) => true,
            Self::Certificate(c) => !matches!(c, Certificate::List(_) | Certificate::Show(_)),
            Self::Audit(a) => matches!(a, Audit::Log(_)),
            Self::Nc(nc) => !matches!(nc, Nc::List(_) | Nc::Show(_)),
            Self::Cycle(_) | Self::Status(_) | Self::Help(_) => false,
        }
    }

    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        match self {
            Self::Certificate(Certificate::List(_)) => certificate::list(cx),
            Self::Certificate(Certificate::Show(a)) => a.read(cx).await,
            Self::Cycle(Cycle::Show(a)) => a.read(cx),
            Self::Cycle(Cycle::Preview(a)) => a.read(cx),
            Self::Status(_) => Status::read(cx),
            Self::Audit(Audit::List(a)) => a.read(cx),
            Self::Audit(Audit::Show(a)) => a.read(cx).await,
            Self::Nc(nc) => nc.read(cx).await,
            Self::Help(a) => a.read(cx),
            Self::Setup(_)
            | Self::Certificate(
                Certificate::Add(_) | Certificate::Decide(_) | Certificate::Renew(_) | Certificate::Edit(_),
            )
            | Self::Audit(Audit::Log(_)) => Err(Stop::Refused(say::refusal::not_a_reader())),
        }
    }

    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        match self {
            Self::Setup(a) => a.change(cx).await,
            Self::Certificate(Certificate::Add(a)) => a.change(cx).await,
            Self::Certificate(Certificate::Decide(a)) => a.change(cx).await,
            Self::Certificate(Certificate::Renew(a)) => a.change(cx).await,
            Self::Certificate(Certificate::Edit(a)) => a.change(cx).await,
            Self::Audit(Audit::Log(a)) => a.change(cx).await,
            Self::Nc(nc) => nc.change(cx).await,
            Self::Certificate(Certificate::List(_) | Certificate::Show(_))
            | Self::Cycle(_)
            | Self::Status(_)
            | Self::Audit(Audit::List(_) | Audit::Show(_))
            | Self::Help(_) => Err(Stop::Refused(say::refusal::not_a_reader())),
        }
    }
}

impl From<AuditKind> for domain::audit::AuditKind {
    fn from(kind: AuditKind) -> Self {
        match kind {
            AuditKind::Internal => Self::Internal,
            AuditKind::Gap => Self::Gap,
            AuditKind::Stage1 => Self::Stage1,
            AuditKind::Stage2 => Self::Stage2,
            AuditKind::Surveillance => Self::Surveillance,
            AuditKind::Recertification => Self::Recertification,
            AuditKind::Special => Self::Special,
        }
    }
}

impl From<Grade> for domain::nonconformity::Grade {
    fn from(grade: Grade) -> Self {
        match grade {
            Grade::Major => Self::Major,
            Grade::Minor => Self::Minor,
        }
    }
}
