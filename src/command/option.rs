//! The kinds of value that an option takes. Each is a type of its own, so that the grammar alone says what
//! Discord should offer (a user picker, a channel picker, autocomplete) and what the console completes.

use std::any::TypeId;
use std::fmt;
use std::str::FromStr;

macro_rules! text_option {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub String);
        impl FromStr for $name {
            type Err = std::convert::Infallible;
            fn from_str(typed: &str) -> Result<Self, Self::Err> {
                Ok(Self(typed.trim().to_owned()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_option! {
    /// A standard's id, such as `iso-27001`: a choice among those in the catalogue.
    StandardId;
    /// A certificate, by number, name or a distinct part of it.
    CertificateRef;
    /// An audit, by number (`A-3`, `3`).
    AuditRef;
    /// A nonconformity, by number (`NC-12`, `nc 12`, `12`).
    NcRef;
    /// A finding that is no nonconformity, by number (`F-2`).
    FindingRef;
    /// An action, by number (`ACT-4`).
    ActionRef;
    /// A management review, by number (`MR-1`).
    ReviewRef;
    /// An area, by name or number.
    AreaRef;
    /// An activity of a phase (`operate-1/internal-audits`).
    TaskRef;
    /// Anything on record that has a number: `A-3`, `NC-4`, `F-2`, `ACT-1`, `MR-1`, `R-7`.
    EntryRef;
    /// A reminder, by what it is about (`NC-12`, `C-1/S1_LATEST`), by number (`RM-1`), or by the mark at its foot.
    ReminderRef;
    /// When something comes again: a cron expression.
    CronText;
    /// Days of the week on which people work.
    WorkingDaysText;
    /// A list of public holidays, by its id.
    HolidaysRef;
    /// Several certificates, with commas between.
    CertificatesRef;
    /// Several areas, with commas between.
    AreaList;
    /// A clause or control of the certificate's standard (`9.2`, `A.5.1`).
    ClauseRef;
    /// A time zone's IANA name.
    ZoneRef;
    /// A command's name, as in `/help`.
    CommandRef;
    /// A day, as typed: it is understood later, in the organisation's zone.
    DayText;
    /// A person, by the chat's id or the name at the console.
    PersonRef;
    /// A role, by the chat's id.
    RoleRef;
    /// A channel that reminders can be posted in (text or announcement), by the chat's id.
    ChannelRef;
    /// An attached file, by the reference under which the door knows it.
    FileRef;
    /// A long text that may be left out, offered in a form that asks for another.
    MoreText;
    /// A long text. Where it is optional it is needed all the same: left out, it is asked for in a form.
    LongText;
}

macro_rules! whole_option {
    ($($(#[$doc:meta])* $name:ident: $min:literal to $max:literal, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub u32);
        impl $name {
            /// The least value.
            pub const MIN: u32 = $min;
            /// The greatest value.
            pub const MAX: u32 = $max;
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(typed: &str) -> Result<Self, Self::Err> {
                match typed.trim().parse::<u32>() {
                    Ok(n) if ($min..=$max).contains(&n) => Ok(Self(n)),
                    _ => Err(format!(concat!("{} is a whole number from {} to {}"), $what, $min, $max)),
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

whole_option! {
    /// An hour of the day, local.
    Hour: 0 to 23, "the hour";
    /// A number of months ahead.
    Months: 1 to 120, "months";
    /// Every how many months.
    EveryMonths: 1 to 36, "the interval in months";
    /// A time limit in days.
    Days: 1 to 730, "the number of days";
    /// A number of working days; 0 for never.
    AfterDays: 0 to 30, "the number of working days";
    /// A calendar year.
    Year: 1990 to 2200, "the year";
}

/// What kind of value an option takes, for whoever offers it to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text, short.
    Text,
    /// Free text, long (asked for in a form where it is left out).
    Long,
    /// Free text, long, that may be left out.
    More,
    /// A day, free text with completions.
    Day,
    /// Text that names a thing on record or in the catalogue, completed from what is there.
    Named(Named),
    /// One of a few fixed values (the argument's possible values; for a standard, the catalogue's).
    Choice,
    /// A standard: a choice among the catalogue's.
    Standard,
    /// A whole number within limits.
    Whole {
        /// The least value.
        min: u32,
        /// The greatest value.
        max: u32,
    },
    /// Yes or no: `true` or `false`.
    YesNo,
    /// A person.
    Person,
    /// A role.
    Role,
    /// A text or announcement channel.
    Channel,
    /// A file.
    File,
}

/// The things that can be named and completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A certificate of the organisation.
    Certificate,
    /// An audit of the organisation.
    Audit,
    /// A nonconformity of the organisation.
    Nonconformity,
    /// A finding of the organisation.
    Finding,
    /// An action of the organisation.
    Action,
    /// A management review of the organisation.
    Review,
    /// An area of the organisation.
    Area,
    /// An activity of the phases of the certificate that the same line names.
    Task,
    /// Anything with a number.
    Entry,
    /// A reminder.
    Reminder,
    /// A list of public holidays.
    Holidays,
    /// A clause or control of the standard of the certificate that the same line names.
    Clause,
    /// A time zone.
    Zone,
    /// A command.
    Command,
}

/// The kind of value that an argument of the grammar takes.
pub fn kind(arg: &clap::Arg) -> Kind {
    let id = arg.get_value_parser().type_id();
    let kinds = [
        (TypeId::of::<CertificateRef>(), Kind::Named(Named::Certificate)),
        (TypeId::of::<CertificatesRef>(), Kind::Named(Named::Certificate)),
        (TypeId::of::<AuditRef>(), Kind::Named(Named::Audit)),
        (TypeId::of::<NcRef>(), Kind::Named(Named::Nonconformity)),
        (TypeId::of::<FindingRef>(), Kind::Named(Named::Finding)),
        (TypeId::of::<ActionRef>(), Kind::Named(Named::Action)),
        (TypeId::of::<ReviewRef>(), Kind::Named(Named::Review)),
        (TypeId::of::<AreaRef>(), Kind::Named(Named::Area)),
        (TypeId::of::<AreaList>(), Kind::Named(Named::Area)),
        (TypeId::of::<TaskRef>(), Kind::Named(Named::Task)),
        (TypeId::of::<EntryRef>(), Kind::Named(Named::Entry)),
        (TypeId::of::<ReminderRef>(), Kind::Named(Named::Reminder)),
        (TypeId::of::<HolidaysRef>(), Kind::Named(Named::Holidays)),
        (TypeId::of::<ClauseRef>(), Kind::Named(Named::Clause)),
        (TypeId::of::<ZoneRef>(), Kind::Named(Named::Zone)),
        (TypeId::of::<CommandRef>(), Kind::Named(Named::Command)),
        (TypeId::of::<StandardId>(), Kind::Standard),
        (TypeId::of::<DayText>(), Kind::Day),
        (TypeId::of::<PersonRef>(), Kind::Person),
        (TypeId::of::<RoleRef>(), Kind::Role),
        (TypeId::of::<ChannelRef>(), Kind::Channel),
        (TypeId::of::<FileRef>(), Kind::File),
        (TypeId::of::<LongText>(), Kind::Long),
        (TypeId::of::<MoreText>(), Kind::More),
        (TypeId::of::<Hour>(), Kind::Whole { min: Hour::MIN, max: Hour::MAX }),
        (TypeId::of::<Months>(), Kind::Whole { min: Months::MIN, max: Months::MAX }),
        (TypeId::of::<EveryMonths>(), Kind::Whole { min: EveryMonths::MIN, max: EveryMonths::MAX }),
        (TypeId::of::<Days>(), Kind::Whole { min: Days::MIN, max: Days::MAX }),
        (TypeId::of::<AfterDays>(), Kind::Whole { min: AfterDays::MIN, max: AfterDays::MAX }),
        (TypeId::of::<Year>(), Kind::Whole { min: Year::MIN, max: Year::MAX }),
        (TypeId::of::<bool>(), Kind::YesNo),
    ];
    match kinds.into_iter().find(|(of, _)| id == *of) {
        Some((_, kind)) => kind,
        None if arg.get_possible_values().is_empty() => Kind::Text,
        None => Kind::Choice,
    }
}
