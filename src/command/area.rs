//! `/area ...`: processes, sites, departments.

use clap::{Args, Subcommand, ValueEnum};

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::option::{AreaRef, DayText, EveryMonths, PersonRef};
use super::programme::text;
use crate::domain::area::{self, Area};
use crate::say;
use crate::store;

/// `/area ...`
#[derive(Debug, Clone, Subcommand)]
pub enum AreaCommand {
    /// Add a process, a site or a department
    Add(Add),
    /// List the areas with their owners and when they were audited
    List(List),
    /// Show which areas are due for an audit, and which were newly added
    Due(Due),
    /// Change an area, or take it out of the scope
    Edit(Edit),
}

/// What an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AreaKind {
    /// A process
    Process,
    /// A site
    Site,
    /// A department
    Department,
}

impl From<AreaKind> for area::AreaKind {
    fn from(kind: AreaKind) -> Self {
        match kind {
            AreaKind::Process => Self::Process,
            AreaKind::Site => Self::Site,
            AreaKind::Department => Self::Department,
        }
    }
}

/// `/area add`
#[derive(Debug, Clone, Args)]
pub struct Add {
    /// What it is called
    #[arg(long)]
    pub name: String,
    /// What it is (left out: a process)
    #[arg(long)]
    pub kind: Option<AreaKind>,
    /// Who owns it: they do not audit it
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// When it was added to the scope (left out: today)
    #[arg(long)]
    pub added: Option<DayText>,
    /// Every how many months it is audited (left out: 12)
    #[arg(long)]
    pub every: Option<EveryMonths>,
}

/// `/area list`
#[derive(Debug, Clone, Args)]
pub struct List {}

/// `/area due`
#[derive(Debug, Clone, Args)]
pub struct Due {
    /// Up to which day (left out: three months ahead)
    #[arg(long)]
    pub until: Option<DayText>,
}

/// `/area edit`
#[derive(Debug, Clone, Args)]
pub struct Edit {
    /// Which area
    #[arg(long)]
    pub area: AreaRef,
    /// What it is called
    #[arg(long)]
    pub name: Option<String>,
    /// What it is
    #[arg(long)]
    pub kind: Option<AreaKind>,
    /// Who owns it
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// When it was added to the scope
    #[arg(long)]
    pub added: Option<DayText>,
    /// Every how many months it is audited
    #[arg(long)]
    pub every: Option<EveryMonths>,
    /// Since when it is no longer part of the scope
    #[arg(long)]
    pub ended: Option<DayText>,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
}

/// How often an area is audited where nobody said.
pub(super) const USUAL_MONTHS: u32 = 12;

fn free_name(all: &[Area], name: &str, but: Option<i64>) -> Result<String, Stop> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 80 || name.contains([',', ';']) {
        return Err(Stop::Refused(say::work::area_name()));
    }
    match all.iter().find(|a| Some(a.id) != but && a.name.to_lowercase() == name.to_lowercase()) {
        Some(same) => Err(Stop::Refused(say::work::area_taken(same))),
        None => Ok(name),
    }
}

impl Add {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let name = free_name(&cx.before.rest.areas, &self.name, None)?;
        let owner = match &self.owner {
            Some(who) => Some(cx.person(&who.0).await?),
            None => None,
        };
        let added_on = match &self.added {
            Some(day) => find::past_day(day, cx.today, "added")?,
            None => cx.today,
        };
        let new = Area {
            id: 0,
            no: 0,
            name,
            kind: self.kind.unwrap_or(AreaKind::Process).into(),
            owner,
            added_on,
            every_months: self.every.map_or(USUAL_MONTHS, |m| m.0),
            ended_on: None,
            reference: None,
        };
        let area = store::area::insert(&mut cx.w, cx.org.id, new).await?;
        Reply::told(&cx.org, say::work::area(&area, "added", &cx.before.audits, cx.today))
    }
}

impl List {
    pub(super) fn read(cx: &Read<'_>) -> Result<Reply, Stop> {
        Reply::private(say::work::areas(&cx.snapshot.rest.areas, &cx.snapshot.audits, cx.today))
    }
}

impl Due {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let until = find::maybe_day(self.until.as_ref(), cx.today, "until")?
            .unwrap_or_else(|| crate::domain::calendar::add_months(cx.today, 3));
        let areas = &cx.snapshot.rest.areas;
        Reply::private(say::work::areas_due(areas, &cx.snapshot.audits, until, cx.today))
    }
}

impl Edit {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let was = find::area(&cx.before.rest.areas, &self.area)?.clone();
        let mut now = was.clone();
        if let Some(name) = text(self.name) {
            now.name = free_name(&cx.before.rest.areas, &name, Some(was.id))?;
        }
        if let Some(kind) = self.kind {
            now.kind = kind.into();
        }
        if let Some(who) = &self.owner {
            now.owner = Some(cx.person(&who.0).await?);
        }
        if let Some(day) = &self.added {
            now.added_on = find::past_day(day, cx.today, "added")?;
        }
        if let Some(every) = self.every {
            now.every_months = every.0;
        }
        if let Some(day) = &self.ended {
            now.ended_on = Some(find::day(day, cx.today, "ended")?);
        }
        if now == was {
            return Err(Stop::Refused(say::refusal::nothing_to_edit()));
        }
        cx.reason = text(self.reason);
        store::area::update(&mut cx.w, cx.org.id, &now).await?;
        Reply::told(&cx.org, say::work::area(&now, "changed", &cx.before.audits, cx.today))
    }
}
