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

impl Standard {
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
