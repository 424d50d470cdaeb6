//! What is said where a request cannot be met: what was wrong, and what to do instead.

use chrono::NaiveDate;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::card::{Card, Line, Tone};
use crate::catalogue::{Catalogue, Holidays};
use crate::command::Form;
use crate::domain::action::Action;
use crate::domain::area::Area;
use crate::domain::audit::{Audit, AuditState, AuditStep};
use crate::domain::certificate::{Certificate, Status, Unsettled};
use crate::domain::day::DayFault;
use crate::domain::finding::FindingState;
use crate::domain::nonconformity::Nonconformity;
use crate::domain::record::RecordKind;
use crate::domain::refusal::{Acted, Missing, Refusal};
use crate::domain::standard::Standard;
use crate::domain::workdays::QuietHours;

/// A refusal as a card.
pub fn card(words: Line) -> Card {
    Card::new(Tone::Refusal, "Not done").line(words)
}

/// Something of ours broke.
pub fn broken(reference: &str) -> Line {
    Line::new()
        .text("That did not work; nothing was changed. Try again in a minute; if it goes on, give the admin the reference ")
        .code(reference)
        .text(".")
}

/// The disk is full.
pub fn full() -> Line {
    "The storage is full: nothing was saved. Ask the admin to free space, then try again.".into()
}

/// The disk refuses, or breaks.
pub fn storage_failing(reference: &str) -> Line {
    Line::new()
        .text("The storage does not take it (a disk that fails or may only be read): nothing was saved. Tell the admin; the log says more under ")
        .code(reference)
        .text(".")
}

/// A form that is not known any more.
pub fn form_gone() -> Line {
    "This form is no longer open (it waits for a day). Give the command again.".into()
}

/// Nothing on record by that number.
pub(crate) fn no_entry(what: &str, prefix: &str, typed: &str, list: &str) -> Line {
    Line::new()
        .text(format!("There is no {what} "))
        .said(typed)
        .text(format!(". Name one by its number, such as {prefix}-1; "))
        .code(list)
        .text(" shows them.")
}

/// No area by that name, or several.
pub(crate) fn no_area(typed: &str, all: &[Area]) -> Line {
    let line = Line::new().text("There is no one area ").said(typed);
    if all.is_empty() {
        return line.text(": none is on record yet. Add it with ").code("/area add").text(".");
    }
    let names: Vec<&str> = all.iter().take(15).map(|a| a.name.as_str()).collect();
    line.text(". On record: ").said(names.join(", ")).text("; add another with ").code("/area add").text(".")
}

/// Somebody else's action.
pub(crate) fn only_verifier(nc: &Nonconformity, named: Option<&crate::domain::organisation::Person>) -> Line {
    let line = Line::new().text(format!(
        "Only managers, internal auditors and whoever is named to verify NC-{} can say whether its action works. ",
        nc.no
    ));
    match named {
        Some(p) => line.text("Named is ").person(&p.handle, &p.name).text("."),
        None => line.text("Nobody is named yet: ask a manager to do so with ").code("/nc verifier").text("."),
    }
}

pub(crate) fn only_action_owner(a: &Action) -> Line {
    Line::new()
        .text(format!("ACT-{} is ", a.no))
        .said(&a.owner.name)
        .text("'s: they, or a manager, report it done.")
}

/// A form that cannot be shown here: what it asks, to be typed.
pub(crate) fn form_needed(form: &Form) -> Line {
    let mut line = Line::new().text("Still needed for ").code(&form.title).text(":");
    for (i, input) in form.inputs.iter().filter(|i| !i.optional).enumerate() {
        let after = if i == 0 { " " } else { ", " };
        line = line.text(after).code(format!("{}:…", input.name)).text(format!(" ({})", input.label));
    }
    if form.inputs.iter().all(|i| i.optional) {
        line = line.text(" nothing more; give it as it stands");
    }
    line.text(". Give the command with it.")
}

pub(crate) fn not_a_reader() -> Line {
    "This command cannot be carried out this way. Give it again.".into()
}

/// A line that the grammar does not take.
#[expect(clippy::wildcard_enum_match_arm, reason = "clap may add kinds; the last words fit any")]
pub fn grammar(e: &clap::Error, argv: &[String]) -> Line {
    let context = |kind: ContextKind| {
        e.get(kind).map(|v| match v {
            ContextValue::String(s) => s.clone(),
            ContextValue::Strings(s) => s.join(", "),
            ContextValue::StyledStr(s) => s.to_string(),
            ContextValue::StyledStrs(s) => s.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            ContextValue::Bool(_) | ContextValue::Number(_) | ContextValue::None | _ => String::new(),
        })
    };
    let option = |s: &str| s.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default().to_owned();
    let arg = context(ContextKind::InvalidArg).map(|a| option(&a)).unwrap_or_default();
    let command: Vec<&str> = argv.iter().map(String::as_str).take_while(|w| !w.starts_with('-')).collect();
    let help = format!("/help {}", command.join(" "));
    match e.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = context(ContextKind::InvalidArg).unwrap_or_default();
            let names: Vec<String> = missing.split(", ").map(option).collect();
            Line::new()
                .text("Still needed: ")
                .code(names.join(", "))
                .text(". ")
                .code(help)
                .text(" says more.")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let line = Line::new().code(&arg).text(" cannot be ").said(value);
            match context(ContextKind::ValidValue).filter(|v| !v.is_empty()) {
                Some(valid) => line.text(": it is one of ").text(valid).text("."),
                None => match std::error::Error::source(e) {
                    Some(why) => line.text(format!(": {why}.")),
                    None => line.text(". ").code(help).text(" says what it takes."),
                },
            }
        }
        ErrorKind::InvalidSubcommand
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let line = Line::new().text("There is no command ").said(argv.join(" ")).text(".");
            match context(ContextKind::SuggestedSubcommand).filter(|s| !s.is_empty()) {
                Some(near) => line.text(" Did you mean ").code(near).text("?"),
                None => line.text(" ").code("/help").text(" lists them."),
            }
        }
        ErrorKind::UnknownArgument => Line::new()
            .text("This command has no option ")
            .said(arg)
            .text(". ")
            .code(help)
            .text(" lists its options."),
        ErrorKind::ArgumentConflict => Line::new().code(arg).text(" was given twice. Give it once."),
        _ => Line::new().text("That line was not understood. ").code(help).text(" shows how it goes."),
    }
}

pub(crate) fn only_managers(verb: &str, role: Option<&str>) -> Line {
    let line = Line::new().text("Only managers can use ").code(format!("/{verb}")).text(": ");
    match role {
        Some(role) => {
            line.text("those with the role ").role(role).text(", and whoever may manage the server.")
        }
        None => line
            .text("whoever may manage the server; they can name a manager role with ")
            .code("/setup manager")
            .text("."),
    }
}

pub(crate) fn only_auditors(verb: &str) -> Line {
    Line::new()
        .text("Only managers and internal auditors can use ")
        .code(format!("/{verb}"))
        .text(". Ask one of them, or ask a manager to give you the auditor role.")
}

pub(crate) fn only_owner(verb: &str, nc: &Nonconformity) -> Line {
    let line = Line::new()
        .text(format!("Only the owner of NC-{} and managers can use ", nc.no))
        .code(format!("/{verb}"));
    match &nc.owner {
        Some(owner) => line.text(" on it. Its owner is ").person(&owner.handle, &owner.name).text("."),
        None => line
            .text(" on it. It has no owner yet: ask a manager to assign it with ")
            .code("/nc assign")
            .text("."),
    }
}

pub(crate) fn file_not_had(name: &str, why: &str) -> Line {
    Line::new()
        .text("The file ")
        .said(name)
        .text(format!(" could not be had: {why}. Nothing was recorded; attach it again."))
}

pub(crate) fn no_such_file(reference: &str) -> Line {
    Line::new().text("There is no file ").said(reference).text(". Name a file that can be read.")
}

pub(crate) fn no_channel(named: &str) -> Line {
    Line::new()
        .text("There is no channel ")
        .said(named)
        .text(" here that I can see. Choose one from the list.")
}

pub(crate) fn everybodys_role(option: &str) -> Line {
    Line::new()
        .code(option)
        .text(": everybody in this server holds that role. Choose one that only those hold who are meant.")
}

pub(crate) fn no_certificate(typed: &str, all: &[Certificate]) -> Line {
    let line = Line::new().text("There is no certificate ").said(typed).text(" here. ");
    if all.is_empty() {
        return line.text("Add the first one with ").code("/certificate add").text(".");
    }
    let known: Vec<String> = all.iter().take(8).map(|c| format!("C-{} {}", c.no, c.name)).collect();
    line.text("There is: ").said(known.join(", ")).text(".")
}

pub(crate) fn several_certificates(typed: &str, found: &[&Certificate]) -> Line {
    let known: Vec<String> = found.iter().take(8).map(|c| format!("C-{} {}", c.no, c.name)).collect();
    Line::new()
        .text("Several certificates match ")
        .said(typed)
        .text(": ")
        .said(known.join(", "))
        .text(". Give the number or the whole name.")
}

pub(crate) fn no_audit(typed: &str, known: usize) -> Line {
    let line = Line::new().text("There is no audit ").said(typed).text(" here. ");
    if known == 0 {
        line.text("None is on record yet: ").code("/audit log").text(".")
    } else {
        line.code("/audit list").text(" shows them.")
    }
}

pub(crate) fn no_nc(typed: &str, known: usize) -> Line {
    let line = Line::new().text("There is no nonconformity ").said(typed).text(" here. ");
    if known == 0 {
        line.text("None is on record yet: ").code("/nc raise").text(".")
    } else {
        line.code("/nc list").text(" shows them.")
    }
}

pub(crate) fn no_clause(typed: &str, standard: Option<&Standard>) -> Line {
    match standard {
        Some(s) => Line::new()
            .text(format!("{} has no clause or control ", s.title))
            .said(typed)
            .text(". Give its number, such as ")
            .code(s.roles.get("internal-audit").map_or("9.2", String::as_str))
            .text("; the option completes as you type."),
        None => "Give the clause that is not met, such as 9.2.".into(),
    }
}

pub(crate) fn no_standard(typed: &str, catalogue: &Catalogue) -> Line {
    let known: Vec<&str> = catalogue.standards.iter().map(|s| s.id.as_str()).collect();
    Line::new()
        .text("There is no standard ")
        .said(typed)
        .text(format!(" in the catalogue. There is: {}.", known.join(", ")))
}

pub(crate) fn no_zone(typed: &str) -> Line {
    Line::new()
        .text("There is no time zone ")
        .said(typed)
        .text(". Give its IANA name, such as Europe/Berlin; the option completes as you type.")
}

pub(crate) fn no_command(typed: &str) -> Line {
    Line::new().text("There is no command ").said(typed).text(". ").code("/help").text(" lists them.")
}

pub(crate) fn day(option: &str, typed: &str, fault: &DayFault) -> Line {
    let line = Line::new().code(option).text(": ");
    match fault {
        DayFault::Ambiguous { readings } => {
            let read: Vec<String> =
                readings.iter().map(|d| d.format("%Y-%m-%d (%-d %B %Y)").to_string()).collect();
            line.said(typed)
                .text(format!(" can be read as {}. Type it as year-month-day.", read.join(" or as ")))
        }
        DayFault::Impossible => {
            line.said(typed).text(" is a day that does not exist. Check the day and the month.")
        }
        DayFault::OutOfRange => {
            line.said(typed).text(" is too far away: days from 1990 to 2100 can be recorded.")
        }
        DayFault::NotADay => line
            .said(typed)
            .text(" is not understood as a day. Type it like 2026-03-02, 2 March 2026, today or in 3 weeks."),
    }
}

pub(crate) fn future(option: &str, on: NaiveDate, today: NaiveDate) -> Line {
    Line::new()
        .code(option)
        .text(": ")
        .date(on)
        .text(" lies in the future (today is ")
        .date(today)
        .text("). Record it once it has happened.")
}

pub(crate) fn due_past(option: &str, on: NaiveDate, today: NaiveDate) -> Line {
    Line::new()
        .code(option)
        .text(": ")
        .date(on)
        .text(" is past (today is ")
        .date(today)
        .text("). Give a day from today on.")
}

pub(crate) fn until_before_date(from: NaiveDate, until: NaiveDate) -> Line {
    Line::new()
        .text("The audit would end on ")
        .date(until)
        .text(", before it begins on ")
        .date(from)
        .text(". Correct one of the two.")
}

pub(crate) fn scope_empty() -> Line {
    "Say what was audited: areas, processes or clauses.".into()
}

pub(crate) fn two_leads() -> Line {
    Line::new()
        .text("Give ")
        .code("lead")
        .text(" for somebody in this server or ")
        .code("lead-name")
        .text(" for somebody who is not, not both.")
}

pub(crate) fn no_lead() -> Line {
    Line::new()
        .text("Say who led the audit: ")
        .code("lead")
        .text(" for somebody in this server, ")
        .code("lead-name")
        .text(" for somebody who is not.")
}

pub(crate) fn name_length() -> Line {
    "A certificate's name has 1 to 80 characters. Give a shorter one.".into()
}

pub(crate) fn name_is_number(name: &str) -> Line {
    Line::new().said(name).text(
        " would be read as a certificate's number. Give a name with more in it, such as its scope or site.",
    )
}

pub(crate) fn name_taken(same: &Certificate) -> Line {
    Line::new()
        .text("There is a certificate ")
        .said(&same.name)
        .text(format!(" already (C-{}). Give this one another name, or correct that one with ", same.no))
        .code("/certificate edit")
        .text(".")
}

pub(crate) fn stage2_after_decision(stage2: NaiveDate, decided: NaiveDate) -> Line {
    Line::new()
        .text("Stage 2 on ")
        .date(stage2)
        .text(" would come after the decision on ")
        .date(decided)
        .text(". The decision follows the audit (ISO/IEC 17021-1:2015 9.5): correct the one with ")
        .code("/certificate edit")
        .text(" (stage2), or give another day.")
}

pub(crate) fn expires_without_decision() -> Line {
    Line::new()
        .text("A certificate without a decision cannot expire. Give ")
        .code("decided")
        .text(" as well, or leave ")
        .code("expires")
        .text(" out.")
}

pub(crate) fn edit_undecided(c: &Certificate) -> Line {
    Line::new()
        .said(&c.name)
        .text(" has no decision yet. Record it with ")
        .code("/certificate decide")
        .text(".")
}

pub(crate) fn nothing_to_edit() -> Line {
    "Nothing would change. Name what is to be corrected, with its new value.".into()
}

pub(crate) fn audit_of_other(audit: &Audit, c: &Certificate) -> Line {
    Line::new()
        .text(format!("A-{} was not held for ", audit.no))
        .said(&c.name)
        .text(". Name an audit of this certificate, or leave it out.")
}

pub(crate) fn no_link(typed: &str) -> Line {
    Line::new().text("A link begins with https:// or http://: ").said(typed).text(" does not.")
}

pub(crate) fn no_evidence() -> Line {
    Line::new().text("Give a ").code("file").text(", a ").code("link").text(" or a ").code("note").text(".")
}

fn lacks(missing: Missing, no: i64) -> String {
    match missing {
        Missing::Correction => "the correction (/nc correct)".to_owned(),
        Missing::Cause => "the root cause (/nc cause)".to_owned(),
        Missing::ActionDone => "the corrective action, planned (/nc plan) and done (/nc done)".to_owned(),
        Missing::Verification => {
            "its effectiveness, verified by someone other than who acted (/nc verify)".to_owned()
        }
        Missing::Evidence => format!("a piece of evidence: a file or a link (/nc evidence nc:NC-{no})"),
    }
}

fn audit_step(no: i64, state: AuditState, step: AuditStep) -> Line {
    let line = Line::new().text(format!("A-{no} is {}", state.id().replace('-', " ")));
    match (state, step) {
        (AuditState::Closed, AuditStep::Raise) => line
            .text(": its findings are frozen. Raise it without the audit, with ")
            .code("/nc raise")
            .text(", or from the audit that sees it now."),
        (AuditState::Planned, AuditStep::Raise) => line
            .text(": nothing can be found before it begins. Begin it with ")
            .code(format!("/audit start audit:A-{no}"))
            .text("."),
        (AuditState::Planned | AuditState::UnderWay, AuditStep::Close) => line
            .text(": put its conclusion on record first with ")
            .code(format!("/audit report audit:A-{no}"))
            .text("."),
        (AuditState::Planned | AuditState::UnderWay, AuditStep::Void) => line
            .text(": cancel it with a reason instead, with ")
            .code(format!("/audit cancel audit:A-{no}"))
            .text("."),
        (AuditState::UnderWay, AuditStep::Start) => line
            .text(" already. What it came to is recorded with ")
            .code(format!("/audit report audit:A-{no}"))
            .text("."),
        (
            AuditState::Reported,
            AuditStep::Report | AuditStep::Start | AuditStep::Cancel | AuditStep::Move,
        ) => line
            .text(": it was held. If that is wrong, void it with ")
            .code(format!("/void entry:A-{no}"))
            .text("; if it is complete, close it with ")
            .code(format!("/audit close audit:A-{no}"))
            .text("."),
        (AuditState::Closed, _) => line.text(": its records are frozen; a correction is a new entry."),
        (AuditState::Cancelled | AuditState::Voided, _) => {
            line.text(". Plan another with ").code("/audit plan").text(".")
        }
        (AuditState::Planned | AuditState::UnderWay | AuditState::Reported, _) => {
            line.text(": that is not the next step.")
        }
    }
}

fn status_step(to: RecordKind, status: Status) -> Line {
    let is = match status {
        Status::Preparing => "is not certified yet",
        Status::Certified => "is valid",
        Status::ExpiredRestorable { .. } => "has expired and can still be restored",
        Status::Expired => "has expired for good",
        Status::Suspended { .. } => "is suspended",
        Status::Withdrawn { .. } => "was withdrawn",
    };
    let line = Line::new().text(format!("This certificate {is}"));
    let line = match to {
        RecordKind::Reinstated => {
            line.text(", so there is no suspension to lift (ISO/IEC 17021-1:2015 9.6.5).")
        }
        RecordKind::Suspended => {
            line.text("; only a valid certificate can be suspended (ISO/IEC 17021-1:2015 9.6.5).")
        }
        RecordKind::Withdrawn => {
            line.text(": there is nothing to withdraw any more (ISO/IEC 17021-1:2015 9.6.5).")
        }
        RecordKind::Transferred => line.text(
            "; only a valid certificate can be transferred, not one that is suspended or expired (IAF MD 2).",
        ),
        RecordKind::Scope => {
            line.text("; the scope of a certificate changes while it is held (ISO/IEC 17021-1:2015 9.6.4).")
        }
        RecordKind::TaskDone
        | RecordKind::TaskWaived
        | RecordKind::Change
        | RecordKind::Risk
        | RecordKind::Training
        | RecordKind::OpeningMeeting => line.text("."),
    };
    let (words, way) = match status {
        Status::Preparing => (" First: ", "/certificate decide"),
        Status::Certified => (" Where it stands: ", "/certificate show"),
        Status::ExpiredRestorable { .. } => (" First: ", "/certificate restore"),
        Status::Suspended { .. } => (" First: ", "/certificate reinstate"),
        Status::Withdrawn { .. } | Status::Expired => {
            (" It takes an initial certification: ", "/certificate add")
        }
    };
    line.text(words).code(way).text(".")
}

/// What the body settles before it decides.
fn unsettled_words(unsettled: &Unsettled) -> Line {
    let named = |nos: &[i64]| nos.iter().map(|no| format!("NC-{no}")).collect::<Vec<_>>().join(", ");
    let mut line = Line::new().text("The body does not decide yet: ");
    let mut lacks = Vec::new();
    if !unsettled.majors.is_empty() {
        lacks.push(format!(
            "{} not verified, and the correction of every major nonconformity is verified before the decision (ISO/IEC 17021-1:2015 9.5.2, 9.6.3.2.2): /nc verify",
            named(&unsettled.majors)
        ));
    }
    if !unsettled.minors.is_empty() {
        lacks.push(format!(
            "{} without a plan, and the plan for every minor one is accepted before it (9.5.2): /nc plan",
            named(&unsettled.minors)
        ));
    }
    for (no, limit) in &unsettled.late {
        lacks.push(format!(
            "NC-{no} was verified after {limit}, six months after stage 2, so it takes another stage 2 (STAGE2_MAJOR, 9.5.3.2): /audit plan kind:stage-2"
        ));
    }
    line = line.text(lacks.join("; "));
    line.text(". If the body decided all the same, say in ").code("reason").text(" why.")
}

/// What the rules of the field do not allow.
pub fn rule(refusal: &Refusal) -> Line {
    match refusal {
        Refusal::NcClosed { no } => Line::new().text(format!("NC-{no} is closed. Open it again first: ")).code(format!("/nc reopen nc:NC-{no}")).text("."),
        Refusal::NcVoided { no } => Line::new().text(format!("NC-{no} was voided: it counts for nothing, and stays so. Raise it anew with ")).code("/nc raise").text("."),
        Refusal::NcNotClosed { no } => Line::new().text(format!("NC-{no} is not closed, so it cannot be reopened. Go on with ")).code(format!("/nc next nc:NC-{no}")).text("."),
        Refusal::NcNotPlanned { no } => Line::new().text(format!("NC-{no} has no corrective action planned that could be done. Plan it first: ")).code(format!("/nc plan nc:NC-{no}")).text("."),
        Refusal::NcNotDone { no } => Line::new().text(format!("NC-{no} has no corrective action done whose effectiveness could be verified. Report it first: ")).code(format!("/nc done nc:NC-{no}")).text("."),
        Refusal::NcOwnAction { no, acted } => {
            let how = match acted {
                Acted::AsOwner => "you own the action",
                Acted::AsReporter => "you recorded the action done",
            };
            Line::new().text(format!("You cannot verify the action of NC-{no}: {how}. Someone other than who acted must verify that it works (ISO 19011:2018 4 e). Say who with ")).code(format!("/nc verifier nc:NC-{no}")).text(".")
        }
        Refusal::NcIncomplete { no, missing } => {
            let list: Vec<String> = missing.iter().map(|m| lacks(*m, *no)).collect();
            Line::new().text(format!(
                "NC-{no} cannot be closed yet: the standard's nonconformity clause asks for more. Missing: {}.",
                list.join("; ")
            ))
        }
        Refusal::NcActionsOpen { no, actions } => {
            let list: Vec<String> = actions.iter().map(|a| format!("ACT-{a}")).collect();
            Line::new().text(format!("NC-{no} cannot be closed yet: {} not done. Report with ", list.join(", "))).code("/action done").text(", or drop it with a reason: ").code("/action drop").text(".")
        }
        Refusal::PastClock { no, rule, limit } => Line::new().text(no.map_or_else(|| "It cannot be due after ".to_owned(), |no| format!("NC-{no} and its action cannot be due after "))).date(*limit).text(format!(": {} ({}, {}). Choose an earlier day, or settle it with the body.", rule.explanation().trim_end_matches('.'), rule.id(), rule.source())),
        Refusal::AuditStep { no, state, step } => audit_step(*no, *state, *step),
        Refusal::AuditUnowned { no, findings } => Line::new().text(format!("A-{no} cannot be closed yet: nobody owns {}. Assign them first with ", findings.join(", "))).code("/nc assign").text(" or ").code("/finding assign").text("."),
        Refusal::FindingSettled { no, state } => Line::new().text(format!("F-{no} is {}: ", state.id())).text(match state {
            FindingState::Noted => "a strength or an observation asks for nothing, so there is nothing to settle. If it does ask for something, raise it as an opportunity with /finding raise.",
            FindingState::Open => "only an opportunity is declined, and only an area of concern is addressed (ISO/IEC 17021-1:2015 9.3.1.2); either can become an action with /finding accept.",
            FindingState::Accepted | FindingState::Declined | FindingState::Addressed | FindingState::Voided => "what became of it is on record, and stays so.",
        }),
        Refusal::ActionSettled { no, state } => Line::new().text(format!("ACT-{no} is {}: what became of it is on record. Enter a new one with ", state.id())).code("/action add").text("."),
        Refusal::StatusStep { to, status } => status_step(*to, *status),
        Refusal::NotHeldOn { to, on } => Line::new().text("No certificate was held on ").date(*on).text(match to {
            RecordKind::Suspended => ", so it cannot have been suspended then (ISO/IEC 17021-1:2015 9.6.5). Give a day of its validity.",
            RecordKind::Transferred => ", so it cannot have been transferred then (IAF MD 2). Give a day of its validity.",
            RecordKind::Withdrawn | RecordKind::Reinstated | RecordKind::Scope | RecordKind::OpeningMeeting | RecordKind::TaskDone | RecordKind::TaskWaived | RecordKind::Change | RecordKind::Risk | RecordKind::Training => ", so it cannot have been withdrawn then (ISO/IEC 17021-1:2015 9.6.5). Give a day after its decision.",
        }),
        Refusal::Withdrawn { on } => Line::new().text("This certificate was withdrawn on ").date(*on).text(", and what is withdrawn is neither renewed nor restored (ISO/IEC 17021-1:2015 9.6.5): it takes an initial certification. Add it anew with ").code("/certificate add").text("."),
        Refusal::Unsettled(unsettled) => unsettled_words(unsettled),
        Refusal::AlreadyDecided { on } => Line::new().text("This certificate was decided on ").date(*on).text(". Record a renewal with ").code("/certificate renew").text(", or correct the date with ").code("/certificate edit").text("."),
        Refusal::NotDecided => Line::new().text("This certificate has no decision yet, so there is nothing to renew. Record it with ").code("/certificate decide").text("."),
        Refusal::RenewalTooEarly { from } => Line::new().text("A renewal is decided in the last year of its cycle (ISO/IEC 17021-1:2015 9.1.3.2): from ").date(*from).text(" on. If the body cut the cycle short, correct its last day first with ").code("/certificate edit").text(" (expires)."),
        Refusal::RestorationOver { until } => Line::new().text("The certificate could be restored until ").date(*until).text(", six months after its expiry (ISO/IEC 17021-1:2015 9.6.3.2.5). After that it takes an initial certification: add it anew with ").code("/certificate add").text("."),
        Refusal::ExpiryTooLate { latest } => Line::new().text("A certificate runs for three years (ISO/IEC 17021-1:2015 9.1.3.2); an expiry after ").date(*latest).text(" is taken for a slip. Give the last day that stands on it."),
        Refusal::ExpiryTooEarly { earliest } => Line::new().text("The certificate cannot expire before ").date(*earliest).text(". Give a later day, or leave it out for three years less a day."),
    }
}

/// What was typed as working days is none.
pub fn no_working_days(typed: &str) -> Line {
    Line::new()
        .said(typed)
        .text(" are no days of the week: write ")
        .code("mon-fri")
        .text(", ")
        .code("sun,mon,tue,wed,thu")
        .text(" or ")
        .code("all")
        .text(".")
}

/// There is no such list of public holidays.
pub fn no_holidays(typed: &str, all: &[Holidays]) -> Line {
    let line = Line::new().text("There is no list of public holidays ").said(typed);
    if all.is_empty() {
        return line.text(
            ": whoever runs the bot puts one into the folder holidays of its data folder; none takes them off.",
        );
    }
    let ids: Vec<&str> = all.iter().map(|h| h.id.as_str()).collect();
    line.text(format!("; there is: {}, none.", ids.join(", ")))
}

/// What was typed as quiet hours is none.
pub fn no_quiet_hours(typed: &str) -> Line {
    Line::new()
        .said(typed)
        .text(" are no quiet hours: write ")
        .code("18-8")
        .text(" (from 18:00 to 8:00) or ")
        .code("off")
        .text(".")
}

/// The hour of the posts lies in the quiet hours.
pub fn hour_is_quiet(hour: u32, quiet: QuietHours) -> Line {
    Line::new().text(format!(
        "Reminders are posted at {hour:02}:00, which lies in the quiet hours {:02}:00 to {:02}:00: choose another hour \
         with hour:, or other quiet hours.",
        quiet.from, quiet.until
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::ActionState;
    use crate::domain::clocks::Rule;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Every refusal, in every shape that its fields give it.
    fn all() -> Vec<Refusal> {
        let (no, on) = (4, d("2026-03-02"));
        let mut all = vec![
            Refusal::NcClosed { no },
            Refusal::NcVoided { no },
            Refusal::NcNotClosed { no },
            Refusal::NcNotPlanned { no },
            Refusal::NcNotDone { no },
            Refusal::NcOwnAction { no, acted: Acted::AsOwner },
            Refusal::NcOwnAction { no, acted: Acted::AsReporter },
            Refusal::NcActionsOpen { no, actions: vec![1] },
            Refusal::AuditUnowned { no, findings: vec!["NC-3".to_owned()] },
            Refusal::Withdrawn { on },
            Refusal::Unsettled(Unsettled { majors: vec![1], minors: vec![2], late: vec![(3, on)] }),
            Refusal::AlreadyDecided { on },
            Refusal::NotDecided,
            Refusal::RenewalTooEarly { from: on },
            Refusal::RestorationOver { until: on },
            Refusal::ExpiryTooEarly { earliest: on },
            Refusal::ExpiryTooLate { latest: on },
        ];
        for missing in [
            Missing::Correction,
            Missing::Cause,
            Missing::ActionDone,
            Missing::Verification,
            Missing::Evidence,
        ] {
            all.push(Refusal::NcIncomplete { no, missing: vec![missing] });
        }
        for rule in Rule::ALL {
            all.push(Refusal::PastClock { no: Some(no), rule, limit: on });
            all.push(Refusal::PastClock { no: None, rule, limit: on });
        }
        let steps = [
            AuditStep::Start,
            AuditStep::Report,
            AuditStep::Close,
            AuditStep::Cancel,
            AuditStep::Move,
            AuditStep::Raise,
            AuditStep::Void,
        ];
        for state in AuditState::ALL {
            all.extend(
                steps
                    .into_iter()
                    .filter(|step| state.after(*step).is_none())
                    .map(|step| Refusal::AuditStep { no, state, step }),
            );
        }
        all.extend(FindingState::ALL.map(|state| Refusal::FindingSettled { no, state }));
        all.extend(
            ActionState::ALL
                .into_iter()
                .filter(|state| *state != ActionState::Open)
                .map(|state| Refusal::ActionSettled { no, state }),
        );
        let kinds = [
            RecordKind::Suspended,
            RecordKind::Reinstated,
            RecordKind::Withdrawn,
            RecordKind::Transferred,
            RecordKind::Scope,
        ];
        for to in kinds {
            all.push(Refusal::NotHeldOn { to, on });
            for status in [
                Status::Preparing,
                Status::Certified,
                Status::ExpiredRestorable { until: on },
                Status::Expired,
                Status::Suspended { since: on },
                Status::Withdrawn { since: on },
            ] {
                all.push(Refusal::StatusStep { to, status });
            }
        }
        all
    }

    #[test]
    fn every_refusal_says_the_way_on_and_those_of_a_standard_name_the_clause() {
        let ways = ["/", "Give ", "Choose ", "correction is a new entry", "stays so", "on record"];
        let mut faulty = Vec::new();
        for refusal in all() {
            let words = rule(&refusal).plain();
            if !ways.iter().any(|way| words.contains(way)) || !words.ends_with('.') {
                faulty.push(format!("no way on: {refusal:?}: {words}"));
            }
            let of_a_standard = matches!(
                refusal,
                Refusal::NcOwnAction { .. }
                    | Refusal::PastClock { .. }
                    | Refusal::Withdrawn { .. }
                    | Refusal::Unsettled(_)
                    | Refusal::RestorationOver { .. }
                    | Refusal::ExpiryTooLate { .. }
                    | Refusal::RenewalTooEarly { .. }
                    | Refusal::NotHeldOn { .. }
                    | Refusal::StatusStep { .. }
                    | Refusal::NcIncomplete { .. }
            );
            let named =
                ["ISO", "IAF", "the body", "edition", "standard"].iter().any(|source| words.contains(source));
            if of_a_standard && !named {
                faulty.push(format!("no rule: {refusal:?}: {words}"));
            }
        }
        assert!(faulty.is_empty(), "{}", faulty.join("\n"));
    }
}
