//! Standards as data: what they are called, their clauses and controls, and which clause plays which part.

use std::collections::BTreeMap;

use super::programme::Serves;

/// A standard in one edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standard {
    /// Its id: bare for the current edition (`iso-27001`), with the year for an older one (`iso-37001-2016`).
    pub id: String,
    /// Its full designation (`ISO/IEC 27001:2022`).
    pub title: String,
    /// What it is about, in a few words (`Information security management`).
    pub subject: String,
    /// Its clauses and controls, in order; empty where the list is not at hand (clauses are then taken as typed).
    pub clauses: Vec<Clause>,
    /// Which clause plays which part: `nonconformity`, `internal-audit`, `management-review`, `improvement`,
    /// `risk`, ... The numbers differ between standards and are never constants.
    pub roles: BTreeMap<String, String>,
    /// What a management review looks at, by this standard; empty where the list is not at hand.
    pub review_inputs: Vec<ReviewInput>,
    /// The day by which certificates of this edition move to the next one, where it is known.
    pub transition: Option<Transition>,
    /// The id of its programme.
    pub programme: String,
}

/// A clause or a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its number (`9.2.1`, `A.5.1`).
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whether it is a control of an annex, not a clause.
    pub control: bool,
}

/// Something that a management review looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewInput {
    /// Its item in the clause (`d1`).
    pub item: String,
    /// What it is.
    pub title: String,
    /// The records that it is prepared from: `actions`, `nonconformities`, `audits`, `changes`, `risks`,
    /// `opportunities`; empty where only people know.
    pub from: String,
}

/// The end of an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The last day on which certificates of this edition are valid.
    pub until: chrono::NaiveDate,
    /// The edition that takes its place.
    pub to: String,
    /// Where that is said.
    pub source: String,
}

impl Clause {
    /// Whether it is that clause or stands below it (`9.2.1` below `9.2`).
    pub fn is_below(&self, id: &str) -> bool {
        self.id.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Standard {
    /// The clauses and controls that nothing stands below: what an audit is planned and counted by.
    pub fn leaves(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(|c| !self.clauses.iter().any(|o| o.id != c.id && o.is_below(&c.id)))
    }

    /// A clause or control by its number.
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// The number of the clause that plays this part here.
    pub fn role(&self, role: &str) -> Option<&str> {
        self.roles.get(role).map(String::as_str)
    }

    /// What an activity serves, in full (`ISO/IEC 27001:2022 9.2`); none where the standard has no clause for it.
    pub fn served_by(&self, serves: &Serves) -> Option<String> {
        match serves {
            Serves::Role(role) => self.role(role).map(|clause| format!("{} {clause}", self.title)),
            Serves::Source(source) => Some(source.clone()),
        }
    }
}
