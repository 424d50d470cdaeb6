//! Every command in one table: its words, what it asks of whoever gives it, and which code carries it out.

use super::action::ActionCommand;
use super::allow::Needs;
use super::app::{Change, Read, Reply, Stop};
use super::area::AreaCommand;
use super::certificate;
use super::finding::FindingCommand;
use super::grammar::{Audit, AuditKind, Certificate, Command, Cycle, Grade, Nc, Status};
use super::phase::{ChangeCommand, RiskCommand, TaskCommand, TrainingCommand};
use super::remind::RemindCommand;
use super::review::ReviewCommand;
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
    Self::Cycle(Cycle::Preview(a)) => "cycle preview", Needs::Nothing, read a.read(cx).await;
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
    Self::Nc(Nc::Verify(a)) => "nc verify", Needs::Verifier(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Evidence(a)) => "nc evidence", Needs::AnyoneConcerned(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Close(a)) => "nc close", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Nc(Nc::Reopen(a)) => "nc reopen", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Certificate(Certificate::Suspend(a)) => "certificate suspend", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Reinstate(a)) => "certificate reinstate", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Withdraw(a)) => "certificate withdraw", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Restore(a)) => "certificate restore", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Transfer(a)) => "certificate transfer", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Scope(a)) => "certificate scope", Needs::Manager, change a.change(cx).await;
    Self::Certificate(Certificate::Opening(a)) => "certificate opening", Needs::Manager, change a.change(cx).await;
    Self::Cycle(Cycle::Why(a)) => "cycle why", Needs::Nothing, read a.read(cx);
    Self::Cycle(Cycle::Whatif(a)) => "cycle whatif", Needs::Nothing, read a.read(cx);
    Self::Audit(Audit::Plan(a)) => "audit plan", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::Start(a)) => "audit start", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::Report(a)) => "audit report", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::Close(a)) => "audit close", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::Cancel(a)) => "audit cancel", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::Move(a)) => "audit move", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Audit(Audit::Coverage(a)) => "audit coverage", Needs::Nothing, read a.read(cx);
    Self::Audit(Audit::Programme(a)) => "audit programme", Needs::Nothing, read a.read(cx);
    Self::Audit(Audit::Propose(a)) => "audit propose", Needs::Nothing, read a.read(cx);
    Self::Nc(Nc::Next(a)) => "nc next", Needs::Nothing, read a.read(cx);
    Self::Nc(Nc::Contain(a)) => "nc contain", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Consequences(a)) => "nc consequences", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Whys(a)) => "nc whys", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Similar(a)) => "nc similar", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::System(a)) => "nc system", Needs::Owner(&a.nc), change a.change(cx).await;
    Self::Nc(Nc::Extend(a)) => "nc extend", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Nc(Nc::Verifier(a)) => "nc verifier", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Finding(FindingCommand::Raise(a)) => "finding raise", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Finding(FindingCommand::Several(a)) => "finding several", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Finding(FindingCommand::List(a)) => "finding list", Needs::Nothing, read a.read(cx);
    Self::Finding(FindingCommand::Show(a)) => "finding show", Needs::Nothing, read a.read(cx);
    Self::Finding(FindingCommand::Assign(a)) => "finding assign", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Finding(FindingCommand::Accept(a)) => "finding accept", Needs::Manager, change a.change(cx).await;
    Self::Finding(FindingCommand::Decline(a)) => "finding decline", Needs::Manager, change a.change(cx).await;
    Self::Finding(FindingCommand::Addressed(a)) => "finding addressed", Needs::Manager, change a.change(cx).await;
    Self::Action(ActionCommand::Add(a)) => "action add", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Action(ActionCommand::List(a)) => "action list", Needs::Nothing, read a.read(cx);
    Self::Action(ActionCommand::Done(a)) => "action done", Needs::ActionOwner(&a.action), change a.change(cx).await;
    Self::Action(ActionCommand::Drop(a)) => "action drop", Needs::Manager, change a.change(cx).await;
    Self::Action(ActionCommand::Assign(a)) => "action assign", Needs::Manager, change a.change(cx).await;
    Self::Review(ReviewCommand::Plan(a)) => "review plan", Needs::Manager, change a.change(cx).await;
    Self::Review(ReviewCommand::Inputs(a)) => "review inputs", Needs::Nothing, read a.read(cx);
    Self::Review(ReviewCommand::Hold(a)) => "review hold", Needs::Manager, change a.change(cx).await;
    Self::Review(ReviewCommand::List(_)) => "review list", Needs::Nothing, read super::review::List::read(cx);
    Self::Review(ReviewCommand::Show(a)) => "review show", Needs::Nothing, read a.read(cx);
    Self::Review(ReviewCommand::Cancel(a)) => "review cancel", Needs::Manager, change a.change(cx).await;
    Self::Area(AreaCommand::Add(a)) => "area add", Needs::Manager, change a.change(cx).await;
    Self::Area(AreaCommand::List(_)) => "area list", Needs::Nothing, read super::area::List::read(cx);
    Self::Area(AreaCommand::Due(a)) => "area due", Needs::Nothing, read a.read(cx);
    Self::Area(AreaCommand::Edit(a)) => "area edit", Needs::Manager, change a.change(cx).await;
    Self::Task(TaskCommand::List(a)) => "task list", Needs::Nothing, read a.read(cx);
    Self::Task(TaskCommand::Done(a)) => "task done", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Task(TaskCommand::Waive(a)) => "task waive", Needs::Manager, change a.change(cx).await;
    Self::Change(ChangeCommand::Log(a)) => "change log", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Change(ChangeCommand::List(a)) => "change list", Needs::Nothing, read a.read(cx);
    Self::Risk(RiskCommand::Revisit(a)) => "risk revisit", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Risk(RiskCommand::List(a)) => "risk list", Needs::Nothing, read a.read(cx);
    Self::Training(TrainingCommand::Log(a)) => "training log", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Training(TrainingCommand::List(a)) => "training list", Needs::Nothing, read a.read(cx);
    Self::Remind(RemindCommand::Ack(a)) => "remind ack", Needs::Asked, change a.change(cx).await;
    Self::Remind(RemindCommand::Snooze(a)) => "remind snooze", Needs::Asked, change a.change(cx).await;
    Self::Remind(RemindCommand::List(a)) => "remind list", Needs::Nothing, read a.read(cx).await;
    Self::Remind(RemindCommand::Why(a)) => "remind why", Needs::Nothing, read a.read(cx).await;
    Self::Remind(RemindCommand::Every(a)) => "remind every", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::Remind(RemindCommand::Stop(a)) => "remind stop", Needs::ManagerOrAuditor, change a.change(cx).await;
    Self::My(a) => "my", Needs::Nothing, read a.read(cx);
    Self::Handover(a) => "handover", Needs::Manager, change a.change(cx).await;
    Self::Find(a) => "find", Needs::Nothing, read a.read(cx).await;
    Self::Edit(a) => "edit", Needs::Manager, change a.change(cx).await;
    Self::Void(a) => "void", Needs::Manager, change a.change(cx).await;
    Self::Import(a) => "import", Needs::Manager, change a.change(cx).await;
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
