//! The grammar: every command, its options and their help, declared once.
//!
//! A doc comment is what Discord, the console and the reference show: 1 to 100 characters. There are no
//! positional arguments; a boolean is typed `--name=true`; every value travels as `--name=value`.

use std::sync::{LazyLock, Mutex, PoisonError};

use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::action::ActionCommand;
use super::area::AreaCommand;
use super::finding::FindingCommand;
use super::import::Import;
use super::option::{
    AfterDays, AreaList, AreaRef, AuditRef, CertificateRef, CertificatesRef, ChannelRef, ClauseRef,
    CommandRef, DayText, Days, FileRef, HolidaysRef, Hour, LongText, Months, NcRef, PersonRef, RoleRef,
    StandardId, WorkingDaysText, ZoneRef,
};
use super::people::{Handover, My};
use super::phase::{ChangeCommand, RiskCommand, TaskCommand, TrainingCommand};
use super::remind::RemindCommand;
use super::review::ReviewCommand;
use super::search::{Edit, Find, Void};
use super::why::{WhatIf, Why};
use super::{deeper, programme, standing};

/// A line: one command with its options.
#[derive(Debug, Parser)]
#[command(
    name = "certkeeper",
    no_binary_name = true,
    disable_help_flag = true,
    disable_help_subcommand = true,
    disable_version_flag = true
)]
pub struct Line {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything that people can do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Choose the channel, the hour, the time zone, the roles and the privacy of this server
    Setup(Setup),
    /// Certificates: add, decide, renew, edit, look at
    #[command(subcommand)]
    Certificate(Certificate),
    /// The three-year cycle of a certificate
    #[command(subcommand)]
    Cycle(Cycle),
    /// Where every certificate stands: phase, next deadline and its rule, what is late
    Status(Status),
    /// Audits: log and look up
    #[command(subcommand)]
    Audit(Audit),
    /// Nonconformities: from raising to closing
    #[command(subcommand)]
    Nc(Nc),
    /// Findings of every grade
    #[command(subcommand)]
    Finding(FindingCommand),
    /// Actions: who does what by when
    #[command(subcommand)]
    Action(ActionCommand),
    /// Management reviews: plan, prepare, record
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Areas: processes, sites, departments
    #[command(subcommand)]
    Area(AreaCommand),
    /// What the phases ask for
    #[command(subcommand)]
    Task(TaskCommand),
    /// Changes inside and outside
    #[command(subcommand)]
    Change(ChangeCommand),
    /// Risk assessments revisited
    #[command(subcommand)]
    Risk(RiskCommand),
    /// Trainings: who attended, who is missing
    #[command(subcommand)]
    Training(TrainingCommand),
    /// Reminders: answer them, see why they came, enter your own
    #[command(subcommand)]
    Remind(RemindCommand),
    /// What you owe, by date, each with its next step
    My(My),
    /// Move all open work from one person to another
    Handover(Handover),
    /// Search everything on record
    Find(Find),
    /// Correct a wrong entry; the old value stays in the journal
    Edit(Edit),
    /// Make an entry count for nothing; it stays on record
    Void(Void),
    /// Enter areas, people, audits, findings or actions from a CSV or XLSX file
    Import(Import),
    /// How to use the commands
    Help(Help),
}

/// `/setup`
#[derive(Debug, Clone, Args)]
pub struct Setup {
    /// Where reminders are posted (left out at first: here)
    #[arg(long)]
    pub channel: Option<ChannelRef>,
    /// The time zone of your dates and of the posting hour, such as Europe/Berlin
    #[arg(long)]
    pub timezone: Option<ZoneRef>,
    /// The hour of the day at which reminders are posted, 0 to 23
    #[arg(long)]
    pub hour: Option<Hour>,
    /// The role whose members manage the management system
    #[arg(long)]
    pub manager: Option<RoleRef>,
    /// The role whose members are internal auditors
    #[arg(long)]
    pub auditor: Option<RoleRef>,
    /// What public posts may show: everything, or only references and dates
    #[arg(long)]
    pub privacy: Option<Privacy>,
    /// The days on which you work: mon-fri, or all; what falls between is said before or after
    #[arg(long)]
    pub working_days: Option<WorkingDaysText>,
    /// Your public holidays, by the id of the file that lists them, or none
    #[arg(long)]
    pub holidays: Option<HolidaysRef>,
    /// The hours in which nothing is posted unasked, such as 18-8, or off
    #[arg(long)]
    pub quiet_hours: Option<String>,
    /// After how many working days a late reminder that nobody answers goes to the managers; 0 never
    #[arg(long)]
    pub escalate_after: Option<AfterDays>,
    /// The channel in which it is said after as many days more
    #[arg(long)]
    pub escalation: Option<ChannelRef>,
}

/// How much public posts show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Privacy {
    /// Statements and names may stand in public posts
    Open,
    /// Public posts carry references and dates only
    Minimal,
}

/// `/certificate ...`
#[derive(Debug, Clone, Subcommand)]
pub enum Certificate {
    /// Record a certificate, or one that is being prepared for
    Add(CertificateAdd),
    /// List the certificates
    List(CertificateList),
    /// Show one certificate
    Show(CertificateShow),
    /// Record the certification decision: the cycle begins
    Decide(CertificateDecide),
    /// Record a renewal: the next cycle begins
    Renew(CertificateRenew),
    /// Correct a certificate; the old values stay in the journal
    Edit(CertificateEdit),
    /// Record that the body suspended it
    Suspend(standing::Suspend),
    /// Record that the suspension was lifted
    Reinstate(standing::Reinstate),
    /// Record that it was withdrawn: nothing is due for it any more
    Withdraw(standing::Withdraw),
    /// Record that an expired certificate was restored, within six months
    Restore(standing::Restore),
    /// Record that it went over to another certification body
    Transfer(standing::Transfer),
    /// Record that its scope changed
    Scope(standing::Scope),
    /// Record the opening meeting with the certification body
    Opening(standing::Opening),
}

/// `/certificate add`
#[derive(Debug, Clone, Args)]
pub struct CertificateAdd {
    /// The standard and its edition
    #[arg(long)]
    pub standard: StandardId,
    /// What you call it, such as Acme ISMS
    #[arg(long)]
    pub name: String,
    /// The day of the certification decision; leave out while you prepare for it
    #[arg(long)]
    pub decided: Option<DayText>,
    /// The last day of the stage 2 audit, held or booked
    #[arg(long)]
    pub stage2: Option<DayText>,
    /// The last valid day, if it is not three years less a day after the decision
    #[arg(long)]
    pub expires: Option<DayText>,
    /// The certification body
    #[arg(long)]
    pub body: Option<String>,
    /// The certificate's number
    #[arg(long)]
    pub number: Option<String>,
    /// Where its reminders are posted, if not in the server's channel
    #[arg(long)]
    pub channel: Option<ChannelRef>,
    /// Who is asked to act on its reminders
    #[arg(long)]
    pub owner: Option<PersonRef>,
}

/// `/certificate list`
#[derive(Debug, Clone, Args)]
pub struct CertificateList {}

/// `/certificate show`
#[derive(Debug, Clone, Args)]
pub struct CertificateShow {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
}

/// `/certificate decide`
#[derive(Debug, Clone, Args)]
pub struct CertificateDecide {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// The day of the certification decision
    #[arg(long)]
    pub date: DayText,
    /// The certificate's number
    #[arg(long)]
    pub number: Option<String>,
    /// The last valid day, if it is not three years less a day after the decision
    #[arg(long)]
    pub expires: Option<DayText>,
    /// Why the body decided though something that it settles first was open
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/certificate renew`
#[derive(Debug, Clone, Args)]
pub struct CertificateRenew {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// The day of the recertification decision
    #[arg(long)]
    pub date: DayText,
    /// The new last valid day, if it is not three years after the old one
    #[arg(long)]
    pub expires: Option<DayText>,
    /// Why the body decided though something that it settles first was open
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/certificate edit`
#[derive(Debug, Clone, Args)]
pub struct CertificateEdit {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// What you call it
    #[arg(long)]
    pub name: Option<String>,
    /// The standard and its edition, after a transition
    #[arg(long)]
    pub standard: Option<StandardId>,
    /// The day of the decision that began the latest cycle on record
    #[arg(long)]
    pub decided: Option<DayText>,
    /// The last valid day of the latest cycle on record
    #[arg(long)]
    pub expires: Option<DayText>,
    /// The day for which stage 2 is booked
    #[arg(long)]
    pub stage2: Option<DayText>,
    /// The certification body
    #[arg(long)]
    pub body: Option<String>,
    /// The certificate's number
    #[arg(long)]
    pub number: Option<String>,
    /// Where its reminders are posted
    #[arg(long)]
    pub channel: Option<ChannelRef>,
    /// Who is asked to act on its reminders
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// The body's limit for the plan of corrective actions, in days after its audit
    #[arg(long)]
    pub plan_days: Option<Days>,
    /// The body's limit for closing a major nonconformity, in days after its audit
    #[arg(long)]
    pub major_days: Option<Days>,
    /// The body's limit for closing a minor nonconformity, in days after its audit
    #[arg(long)]
    pub minor_days: Option<Days>,
    /// The body's limit from stage 1 to stage 2, in days, if it has one
    #[arg(long)]
    pub stage1_days: Option<Days>,
    /// Why it is corrected
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/cycle ...`
#[derive(Debug, Clone, Subcommand)]
pub enum Cycle {
    /// Show the phases with their dates, and the deadlines with their rules
    Show(CycleShow),
    /// Show the reminders that are coming
    Preview(CyclePreview),
    /// Explain a date: anchor, rule and source of each deadline
    Why(Why),
    /// Show which deadlines would break if a day were another
    Whatif(WhatIf),
}

/// `/cycle show`
#[derive(Debug, Clone, Args)]
pub struct CycleShow {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
}

/// `/cycle preview`
#[derive(Debug, Clone, Args)]
pub struct CyclePreview {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// How many months ahead (left out: 12)
    #[arg(long)]
    pub months: Option<Months>,
}

/// `/status`
#[derive(Debug, Clone, Args)]
pub struct Status {}

/// `/audit ...`
#[derive(Debug, Clone, Subcommand)]
pub enum Audit {
    /// Record an audit that was held
    Log(AuditLog),
    /// List the audits
    List(AuditList),
    /// Show one audit with its findings
    Show(AuditShow),
    /// Plan an audit
    Plan(programme::Plan),
    /// Record that an audit has begun
    Start(programme::Start),
    /// Put an audit's conclusion on record
    Report(programme::Report),
    /// Close an audit: its findings are frozen
    Close(programme::Close),
    /// Cancel a planned audit
    Cancel(programme::Cancel),
    /// Move a planned audit to another day
    Move(programme::Move),
    /// Show what the audits of this cycle have covered, and what never
    Coverage(programme::Coverage),
    /// Show the audit programme
    Programme(programme::Programme),
    /// Propose audits for what is left of the cycle
    Propose(programme::Propose),
}

/// What an audit was held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditKind {
    /// Internal audit (first party)
    Internal,
    /// Gap analysis before certification
    Gap,
    /// Stage 1 of the initial certification audit
    #[value(name = "stage-1")]
    Stage1,
    /// Stage 2 of the initial certification audit
    #[value(name = "stage-2")]
    Stage2,
    /// Surveillance audit by the certification body
    Surveillance,
    /// Recertification audit by the certification body
    Recertification,
    /// Special audit by the certification body (short notice, change of scope)
    Special,
}

/// `/audit log`
#[derive(Debug, Clone, Args)]
pub struct AuditLog {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// What kind of audit
    #[arg(long)]
    pub kind: AuditKind,
    /// The (first) day it was held
    #[arg(long)]
    pub date: DayText,
    /// What was audited: areas, processes, clauses
    #[arg(long)]
    pub scope: String,
    /// What it came to (asked for if left out)
    #[arg(long)]
    pub conclusion: Option<LongText>,
    /// Who led it, if they are in this server
    #[arg(long)]
    pub lead: Option<PersonRef>,
    /// Who led it, if they are not in this server
    #[arg(long)]
    pub lead_name: Option<String>,
    /// The last day, if it took several
    #[arg(long)]
    pub until: Option<DayText>,
    /// Further certificates that it counts for, with commas between
    #[arg(long)]
    pub also: Option<CertificatesRef>,
    /// The areas it looked at, with commas between, or all
    #[arg(long)]
    pub areas: Option<AreaList>,
    /// The clauses it sampled: 9.2, a range 4-10, or all
    #[arg(long)]
    pub clauses: Option<String>,
    /// The controls it sampled: A.5.1, a range A.5.1-A.5.8, or all
    #[arg(long)]
    pub controls: Option<String>,
    /// Why an auditor audited an area of their own, if there was no other way
    #[arg(long)]
    pub impartiality: Option<String>,
    /// Who agreed to that
    #[arg(long)]
    pub agreed_by: Option<PersonRef>,
    /// The report
    #[arg(long)]
    pub report: Option<FileRef>,
}

/// `/audit list`
#[derive(Debug, Clone, Args)]
pub struct AuditList {
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
}

/// `/audit show`
#[derive(Debug, Clone, Args)]
pub struct AuditShow {
    /// Which audit
    #[arg(long)]
    pub audit: AuditRef,
}

/// `/nc ...`
#[derive(Debug, Clone, Subcommand)]
pub enum Nc {
    /// Raise a nonconformity
    Raise(NcRaise),
    /// List nonconformities
    List(NcList),
    /// Show one nonconformity: what is on record, what is missing
    Show(NcShow),
    /// Give it an owner, and a due date
    Assign(NcAssign),
    /// Record the correction: what was done about the thing itself
    Correct(NcCorrect),
    /// Record the root cause
    Cause(NcCause),
    /// Plan the corrective action: who, what, by when
    Plan(NcPlan),
    /// Record that the corrective action is done
    Done(NcDone),
    /// Record whether the action was effective (not by whoever acted)
    Verify(NcVerify),
    /// Add evidence: a file, a link or a note
    Evidence(NcEvidence),
    /// Close it, once everything is on record
    Close(NcClose),
    /// Open it again
    Reopen(NcReopen),
    /// Walk through what is missing, one question at a time
    Next(deeper::Next),
    /// Record the containment: what was done at once
    Contain(deeper::Contain),
    /// Record the consequences, and how they were dealt with
    Consequences(deeper::Consequences),
    /// Find the root cause by asking why up to five times
    Whys(deeper::Whys),
    /// Record whether similar ones exist or could occur elsewhere
    Similar(deeper::Similar),
    /// Record what changes in the management system because of it
    System(deeper::SystemChange),
    /// Give it more time, with a reason
    Extend(deeper::Extend),
    /// Say who verifies whether the action works, and when
    Verifier(deeper::Verifier),
}

/// How grave a nonconformity is (ISO/IEC 17021-1:2015, 3.12 and 3.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Grade {
    /// Affects the capability of the management system to achieve its intended results
    Major,
    /// Does not affect that capability
    Minor,
}

/// How far a nonconformity has come, to list by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NcFilter {
    /// Everything not closed
    Open,
    /// Due date passed, not closed
    Overdue,
    /// Nothing done yet
    Raised,
    /// Corrected, cause not yet known
    Corrected,
    /// Cause known, no action planned
    Analysed,
    /// Action planned
    Planned,
    /// Action done, effectiveness not yet verified
    Implemented,
    /// Verified effective, not yet closed
    Verified,
    /// Closed
    Closed,
}

/// `/nc raise`
#[derive(Debug, Clone, Args)]
pub struct NcRaise {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// How grave
    #[arg(long)]
    pub grade: Grade,
    /// The clause or control that is not met
    #[arg(long)]
    pub clause: ClauseRef,
    /// What is wrong, and the objective evidence for it (asked for if left out)
    #[arg(long)]
    pub statement: Option<LongText>,
    /// The audit that found it
    #[arg(long)]
    pub audit: Option<AuditRef>,
    /// The process, site or department
    #[arg(long)]
    pub area: Option<AreaRef>,
    /// Who is to deal with it
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// By when it must be closed
    #[arg(long)]
    pub due: Option<DayText>,
    /// The evidence for it
    #[arg(long)]
    pub evidence: Option<FileRef>,
}

/// `/nc list`
#[derive(Debug, Clone, Args)]
pub struct NcList {
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// Only those that have come so far (left out: everything not closed)
    #[arg(long)]
    pub state: Option<NcFilter>,
    /// Only those of this owner
    #[arg(long)]
    pub owner: Option<PersonRef>,
}

/// `/nc show`
#[derive(Debug, Clone, Args)]
pub struct NcShow {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
}

/// `/nc assign`
#[derive(Debug, Clone, Args)]
pub struct NcAssign {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Who is to deal with it
    #[arg(long)]
    pub owner: PersonRef,
    /// By when it must be closed
    #[arg(long)]
    pub due: Option<DayText>,
}

/// `/nc correct`
#[derive(Debug, Clone, Args)]
pub struct NcCorrect {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// What was done about the thing itself (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
    /// A file that shows it
    #[arg(long)]
    pub evidence: Option<FileRef>,
}

/// `/nc cause`
#[derive(Debug, Clone, Args)]
pub struct NcCause {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Why it could happen (asked for if left out)
    #[arg(long)]
    pub why: Option<LongText>,
}

/// `/nc plan`
#[derive(Debug, Clone, Args)]
pub struct NcPlan {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Who acts
    #[arg(long)]
    pub owner: PersonRef,
    /// By when
    #[arg(long)]
    pub due: DayText,
    /// What will be done, so that it does not happen again (asked for if left out)
    #[arg(long)]
    pub action: Option<LongText>,
}

/// `/nc done`
#[derive(Debug, Clone, Args)]
pub struct NcDone {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// What was done (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
    /// A file that shows it
    #[arg(long)]
    pub evidence: Option<FileRef>,
}

/// `/nc verify`
#[derive(Debug, Clone, Args)]
pub struct NcVerify {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Whether the action works
    #[arg(long, action = ArgAction::Set)]
    pub effective: bool,
    /// How that was established (asked for if left out)
    #[arg(long)]
    pub how: Option<LongText>,
    /// A file that shows it
    #[arg(long)]
    pub evidence: Option<FileRef>,
}

/// `/nc evidence`
#[derive(Debug, Clone, Args)]
pub struct NcEvidence {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// A file
    #[arg(long)]
    pub file: Option<FileRef>,
    /// A link
    #[arg(long)]
    pub link: Option<String>,
    /// A note
    #[arg(long)]
    pub note: Option<String>,
}

/// `/nc close`
#[derive(Debug, Clone, Args)]
pub struct NcClose {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// A last word
    #[arg(long)]
    pub note: Option<String>,
}

/// `/nc reopen`
#[derive(Debug, Clone, Args)]
pub struct NcReopen {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/help`
#[derive(Debug, Clone, Args)]
pub struct Help {
    /// The command you want to know more about
    #[arg(long)]
    pub command: Option<CommandRef>,
}

/// The whole grammar as clap's tree: what registration, help and completion are read off.
pub fn tree() -> clap::Command {
    Line::command()
}

/// The tree, built once: building it takes longer than all the rest of a command.
static TREE: LazyLock<Mutex<clap::Command>> = LazyLock::new(|| Mutex::new(tree()));

/// The command that a line names, with its options.
pub(super) fn leaf(argv: &[String]) -> Option<clap::Command> {
    let tree = TREE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut at: &clap::Command = &tree;
    for word in argv.iter().take_while(|w| !w.starts_with("--")) {
        at = at.find_subcommand(word)?;
    }
    (!at.has_subcommands()).then(|| at.clone())
}

/// Understands a command line.
///
/// # Errors
/// Why it is none, in clap's terms; [`crate::say::refusal::grammar`] puts it into ours.
pub fn parse(argv: &[String]) -> Result<Command, clap::Error> {
    let mut tree = TREE.lock().unwrap_or_else(PoisonError::into_inner);
    let matches = tree.try_get_matches_from_mut(argv)?;
    Line::from_arg_matches(&matches).map(|line| line.command).map_err(|e| e.format(&mut tree))
}
