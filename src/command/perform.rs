//! Every command in one table: its words, what it asks of whoever gives it, and which code carries it out.

use super::allow::Needs;
use super::app::{Change, Read, Reply, Stop};
use super::certificate;
use super::grammar::{Audit, AuditKind, Certificate, Command, Cycle, Grade, Nc, Status};
use crate::domain;
use crate::say;

/// One kind of code in a row of the table: what the other kind comes to there is a mistake of ours, said politely.
macro_rules! only {
    (read, read, $does:expr) => {
        $does
    };
    (change, change, $does:expr) => {
        $does
    };
    ($wanted:ident, $is:ident, $does:expr) => {
        Err(Stop::Refused(say::refusal::not_a_reader()))
    };
}

macro_rules! commands {
    ($cx:ident; $($pattern:pat => $verb:literal, $needs:expr, $kind:ident $does:expr;)*) => {
        impl Command {
            /// The command's words (`nc close`), as the journal and the help name it.
            #[expect(unused_variables, reason = "the rows name what only carrying out needs")]
            pub fn verb(&self) -> &'static str {
                match self { $($pattern => $verb,)* }
            }

            /// Whether it changes what is on record.
            #[expect(unused_variables, reason = "the rows name what only carrying out needs")]
            pub fn changes(&self) -> bool {
                match self { $($pattern => stringify!($kind) == "change",)* }
            }

            /// What it asks of whoever gives it.
            #[expect(unused_variables, reason = "the rows name what only carrying out needs")]
            pub(super) fn needs(&self) -> Needs<'_> {
                match self { $($pattern => $needs,)* }
            }

            #[expect(unused_variables, reason = "the rows of the other kind are not used here")]
            pub(super) async fn read(self, $cx: &Read<'_>) -> Result<Reply, Stop> {
                match self { $($pattern => only!(read, $kind, $does),)* }
            }

            #[expect(unused_variables, reason = "the rows of the other kind are not used here")]
            pub(super) async fn change(self, $cx: &mut Change<'_>) -> Result<Reply, Stop> {
                match self { $($pattern => only!(change, $kind, $does),)* }
            }
        }
    };
}

commands! { cx;
    Self::Setup(a) => "setup", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Add(a)) => "certificate add", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::List(_)) => "certificate list", Needs::Nothing, read certificate::list(cx);
    Self::Certificate(Certificate::Show(a)) => "certificate show", Needs::Nothing, read a.read(cx).await;
    Self::Certificate(Certificate::Decide(a)) => "certificate decide", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Renew(a)) => "certificate renew", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Edit(a)) => "certificate edit", Needs::Manager, change a.change(cx).await;
    Self::Cycle(Cycle::Show(a)) => "cycle show", Needs::Nothing, read a.read(cx);
    Self::Cycle(Cycle::Preview(a)) => "cycle preview", Needs::Nothing, read a.read(cx);
    Self::Status(_) => "status", Needs::Nothing, read Status::read(cx);
    Self::Audit(Audit::Log(a)) => "audit log", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::List(a)) => "audit list", Needs::Nothing, read a.read(cx);
    Self::Audit(Audit::Show(a)) => "audit show", Needs::Nothing, read a.read(cx).await;
    Self::Nc(Nc::Raise(a)) => "nc raise", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Nc(Nc::List(a)) => "nc list", Needs::Nothing, read a.read(cx);
    Self::Nc(Nc::Show(a)) => "nc show", Needs::Nothing, read a.read(cx).await;
    Self::Nc(Nc::Assign(a)) => "nc assign", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Nc(Nc::Correct(a)) => "nc correct", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Cause(a)) => "nc cause", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Plan(a)) => "nc plan", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Done(a)) => "nc done", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Verify(a)) => "nc verify", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Nc(Nc::Evidence(a)) => "nc evidence", Needs::AnyoneConcerned(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Close(a)) => "nc close", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Nc(Nc::Reopen(a)) => "nc reopen", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Help(a) => "help", Needs::Nothing, read a.read(cx);
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
