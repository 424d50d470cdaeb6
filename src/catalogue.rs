//! Standards and programmes: data in TOML, embedded in the binary, added to or overridden by a person's own files.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;

use crate::domain::calendar::MONTHS;
use crate::domain::organisation::Organisation;
use crate::domain::programme::{Activity, Carries, Leads, Limits, Phase, Programme, Serves, Step};
use crate::domain::standard::{Clause, ReviewInput, Standard, Transition};
use crate::domain::workdays::Hours;

/// The parts that a standard must give a clause for: work and reports stand on them.
const NEEDED_ROLES: [&str; 3] = ["internal-audit", "management-review", "nonconformity"];

/// The records that an input of the management review can be prepared from.
const INPUT_SOURCES: [&str; 6] =
    ["actions", "nonconformities", "audits", "changes", "risks", "opportunities"];

/// The embedded files, by the names they have in the repository.
const EMBEDDED: [(&str, &str); 9] = [
    ("config/programmes/iso-three-year.toml", include_str!("../config/programmes/iso-three-year.toml")),
    ("config/standards/iso-27001.toml", include_str!("../config/standards/iso-27001.toml")),
    ("config/standards/iso-9001.toml", include_str!("../config/standards/iso-9001.toml")),
    ("config/standards/iso-14001.toml", include_str!("../config/standards/iso-14001.toml")),
    ("config/standards/iso-45001.toml", include_str!("../config/standards/iso-45001.toml")),
    ("config/standards/iso-37001.toml", include_str!("../config/standards/iso-37001.toml")),
    ("config/standards/iso-37001-2016.toml", include_str!("../config/standards/iso-37001-2016.toml")),
    ("config/standards/iso-22301.toml", include_str!("../config/standards/iso-22301.toml")),
    ("config/standards/iso-42001.toml", include_str!("../config/standards/iso-42001.toml")),
];

/// The standards and programmes at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// The standards, in the order in which they are offered.
    pub standards: Vec<Standard>,
    /// The programmes.
    pub programmes: Vec<Programme>,
    /// The lists of public holidays: none comes with the program.
    pub holidays: Vec<Holidays>,
}

/// The public holidays of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holidays {
    /// Its id (`de-be`).
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The days, with what they are called.
    pub days: BTreeMap<NaiveDate, String>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct CatalogueFault {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Catalogue {
    /// The catalogue that comes with the program.
    pub fn embedded() -> Result<Self, Vec<CatalogueFault>> {
        Self::with_files::<&str, &str>(&[])
    }

    /// The embedded catalogue with a person's own files, as (name, text). One with the id of an embedded standard or
    /// programme takes its place. All faults are reported at once.
    pub fn with_files<N: AsRef<str>, T: AsRef<str>>(extra: &[(N, T)]) -> Result<Self, Vec<CatalogueFault>> {
        let mut faults = Vec::new();
        let mut standards: Vec<Entry<Standard>> = Vec::new();
        let mut programmes: Vec<Entry<Programme>> = Vec::new();
        let mut holidays: Vec<Entry<Holidays>> = Vec::new();
        let own = extra.iter().map(|(name, text)| (name.as_ref(), text.as_ref(), true));
        let files = EMBEDDED.iter().map(|(name, text)| (*name, *text, false)).chain(own);
        for (name, text, own) in files {
            let source = Source { name, text };
            let outcome = if source.is_holidays() {
                source
                    .holidays()
                    .map(|(it, marks)| admit(&mut holidays, Entry::new(it, marks, &source, own), |h| &h.id))
            } else if source.is_programme() {
                source
                    .programme()
                    .map(|(it, marks)| admit(&mut programmes, Entry::new(it, marks, &source, own), |p| &p.id))
            } else {
                source
                    .standard()
                    .map(|(it, marks)| admit(&mut standards, Entry::new(it, marks, &source, own), |s| &s.id))
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(fault)) => faults.push(fault),
                Err(more) => faults.extend(more),
            }
        }
        for entry in &standards {
            if !programmes.iter().any(|programme| programme.it.id == entry.it.programme) {
                faults.push(CatalogueFault {
                    file: entry.file.clone(),
                    line: entry.marks.programme,
                    reason: format!("there is no programme `{}`", entry.it.programme),
                });
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            standards: standards.into_iter().map(|entry| entry.it).collect(),
            programmes: programmes.into_iter().map(|entry| entry.it).collect(),
            holidays: holidays.into_iter().map(|entry| entry.it).collect(),
        })
    }

    /// A standard by its id.
    pub fn standard(&self, id: &str) -> Option<&Standard> {
        self.standards.iter().find(|standard| standard.id == id)
    }

    /// A programme by its id.
    pub fn programme(&self, id: &str) -> Option<&Programme> {
        self.programmes.iter().find(|programme| programme.id == id)
    }

    /// A list of public holidays by its id.
    pub fn holidays(&self, id: &str) -> Option<&Holidays> {
        self.holidays.iter().find(|holidays| holidays.id == id)
    }

    /// The public holidays that an organisation keeps.
    pub fn holidays_of(&self, organisation: &Organisation) -> Option<&Holidays> {
        self.holidays(organisation.manners.holidays.as_ref()?)
    }

    /// When an organisation may be spoken to.
    pub fn hours(&self, organisation: &Organisation) -> Hours<'_> {
        organisation.hours(self.holidays_of(organisation).map(|h| &h.days))
    }

    /// The programme of a standard: there always is one for a standard of this catalogue.
    pub fn programme_of(&self, standard: &Standard) -> Option<&Programme> {
        self.programme(&standard.programme)
    }
}

/// Where in a file things are said.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    id: usize,
    programme: usize,
}

/// A standard or programme with its place of origin.
struct Entry<T> {
    it: T,
    marks: Marks,
    file: String,
    own: bool,
}

impl<T> Entry<T> {
    fn new(it: T, marks: Marks, source: &Source<'_>, own: bool) -> Self {
        Self { it, marks, file: source.name.to_owned(), own }
    }
}

/// Adds an entry: a person's own takes the place of an embedded one, two of the same kind clash.
fn admit<T>(to: &mut Vec<Entry<T>>, entry: Entry<T>, id: fn(&T) -> &String) -> Option<CatalogueFault> {
    match to.iter_mut().find(|there| id(&there.it) == id(&entry.it)) {
        None => to.push(entry),
        Some(there) if entry.own && !there.own => *there = entry,
        Some(there) => {
            return Some(CatalogueFault {
                reason: format!("the id `{}` is taken by {}", id(&entry.it), there.file),
                line: entry.marks.id,
                file: entry.file,
            });
        }
    }
    None
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStandard {
    id: Spanned<String>,
    title: Spanned<String>,
    subject: String,
    programme: Spanned<String>,
    #[serde(default)]
    clauses: Vec<Spanned<(String, String)>>,
    #[serde(default)]
    controls: Vec<Spanned<(String, String)>>,
    #[serde(default)]
    review_inputs: Vec<Spanned<(String, String, String)>>,
    transition: Option<Spanned<RawTransition>>,
    roles: Spanned<BTreeMap<String, Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTransition {
    until: String,
    to: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProgramme {
    id: Spanned<String>,
    title: Spanned<String>,
    leads: RawLeads,
    limits: RawLimits,
    phases: Vec<Spanned<RawPhase>>,
    #[serde(default)]
    preparation: Vec<Spanned<RawStep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLeads {
    clocks: Spanned<BTreeMap<String, Spanned<Vec<u32>>>>,
    nonconformity: Spanned<Vec<u32>>,
    booked: Spanned<Vec<u32>>,
    overdue: Spanned<Vec<u32>>,
    #[serde(default)]
    start_by: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names in the file say the unit")]
struct RawLimits {
    plan_days: u32,
    major_days: u32,
    minor_days: u32,
    verify_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPhase {
    id: Spanned<String>,
    title: String,
    from: Spanned<u32>,
    to: Spanned<u32>,
    purpose: String,
    #[serde(default)]
    carries: Vec<Carries>,
    #[serde(default)]
    activities: Vec<Spanned<RawActivity>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawActivity {
    id: Spanned<String>,
    title: String,
    serves: RawServes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    id: Spanned<String>,
    title: String,
    purpose: String,
    #[serde(default)]
    optional: bool,
    serves: RawServes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHolidays {
    id: Spanned<String>,
    title: String,
    days: Spanned<BTreeMap<String, Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawServes {
    Role(String),
    Source(String),
}

impl From<RawServes> for Serves {
    fn from(raw: RawServes) -> Self {
        match raw {
            RawServes::Role(role) => Self::Role(role),
            RawServes::Source(source) => Self::Source(source),
        }
    }
}

/// A file being read.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

type Read<T> = Result<(T, Marks), Vec<CatalogueFault>>;

impl Source<'_> {
    /// A file is a programme if its folder says so, or, in neither folder, if it lays out phases.
    fn is_programme(&self) -> bool {
        let folder = |name: &str| self.name.split(['/', '\\']).any(|part| part == name);
        folder("programmes") || (!folder("standards") && self.text.lines().any(|l| l.trim() == "[[phases]]"))
    }

    /// A file lists public holidays if its folder says so.
    fn is_holidays(&self) -> bool {
        self.name.split(['/', '\\']).any(|part| part == "holidays")
    }

    fn holidays(&self) -> Read<Holidays> {
        let raw: RawHolidays = self.parse()?;
        let mut faults = Vec::new();
        self.check_id(&raw.id, &mut faults);
        let at = raw.days.span();
        let mut days = BTreeMap::new();
        for (day, name) in raw.days.into_inner() {
            match day.parse::<NaiveDate>() {
                Ok(on) => drop(days.insert(on, name.into_inner())),
                Err(_) => {
                    let reason = format!("`{day}` is no day: each stands as 2026-12-25 = \"Christmas Day\"");
                    faults.push(self.fault(name.span(), reason));
                }
            }
        }
        if days.is_empty() && faults.is_empty() {
            faults.push(self.fault(at, "no day is listed"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let id = raw.id.get_ref().clone();
        Ok((
            Holidays { id, title: raw.title, days },
            Marks { id: self.line(raw.id.span().start), ..Marks::default() },
        ))
    }

    /// The line of an offset, from 1.
    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    fn fault(&self, at: Range<usize>, reason: impl Into<String>) -> CatalogueFault {
        CatalogueFault { file: self.name.to_owned(), line: self.line(at.start), reason: reason.into() }
    }

    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, Vec<CatalogueFault>> {
        toml::from_str(self.text).map_err(|error| {
            vec![self.fault(error.span().unwrap_or_default(), error.message().trim_end().replace('\n', "; "))]
        })
    }

    /// Checks an id or a text: ids become parts of keys and of option values.
    fn check_id(&self, id: &Spanned<String>, faults: &mut Vec<CatalogueFault>) {
        let text = id.get_ref();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 60 || !text.chars().all(fits) {
            faults.push(self.fault(id.span(), format!("the id `{text}` may have a-z, 0-9 and - only")));
        }
    }

    fn standard(&self) -> Read<Standard> {
        let raw: RawStandard = self.parse()?;
        let mut faults = Vec::new();
        self.check_id(&raw.id, &mut faults);
        if raw.title.get_ref().trim().is_empty() {
            faults.push(self.fault(raw.title.span(), "the title is empty"));
        }
        let mut seen = BTreeSet::new();
        let mut clauses = Vec::new();
        let listed = raw.clauses.into_iter().map(|row| (row, false));
        for (row, control) in listed.chain(raw.controls.into_iter().map(|row| (row, true))) {
            let at = row.span();
            let (id, title) = row.into_inner();
            if id.trim().is_empty() || title.trim().is_empty() {
                faults.push(self.fault(at.clone(), "a clause needs a number and a title"));
            }
            if !seen.insert(id.clone()) {
                faults.push(self.fault(at, format!("the clause `{id}` is listed twice")));
            }
            clauses.push(Clause { id, title, control });
        }
        let at = raw.roles.span();
        let mut roles = BTreeMap::new();
        for (role, clause) in raw.roles.into_inner() {
            if !seen.is_empty() && !seen.contains(clause.get_ref()) {
                let reason =
                    format!("the role `{role}` names clause `{}`, which is not listed", clause.get_ref());
                faults.push(self.fault(clause.span(), reason));
            }
            roles.insert(role, clause.into_inner());
        }
        let mut inputs: Vec<ReviewInput> = Vec::new();
        for row in raw.review_inputs {
            let at = row.span();
            let (item, title, from) = row.into_inner();
            if item.trim().is_empty() || title.trim().is_empty() || inputs.iter().any(|i| i.item == item) {
                let reason = "an input of the management review needs an item of its own and a title";
                faults.push(self.fault(at.clone(), reason));
            }
            if !from.is_empty() && !INPUT_SOURCES.contains(&from.as_str()) {
                let reason = format!(
                    "`{from}` is none of the records an input is prepared from: {}",
                    INPUT_SOURCES.join(", ")
                );
                faults.push(self.fault(at, reason));
            }
            inputs.push(ReviewInput { item, title, from });
        }
        let transition = raw.transition.and_then(|row| {
            let at = row.span();
            let RawTransition { until, to, source } = row.into_inner();
            match until.parse() {
                Ok(until) => Some(Transition { until, to, source }),
                Err(_no_date) => {
                    faults.push(self.fault(at, format!("`{until}` is no date: year-month-day")));
                    None
                }
            }
        });
        for role in NEEDED_ROLES {
            if !roles.contains_key(role) {
                faults.push(self.fault(at.clone(), format!("the role `{role}` has no clause")));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let marks =
            Marks { id: self.line(raw.id.span().start), programme: self.line(raw.programme.span().start) };
        let standard = Standard {
            id: raw.id.into_inner(),
            title: raw.title.into_inner(),
            subject: raw.subject,
            clauses,
            roles,
            review_inputs: inputs,
            transition,
            programme: raw.programme.into_inner(),
        };
        Ok((standard, marks))
    }

    fn programme(&self) -> Read<Programme> {
        let raw: RawProgramme = self.parse()?;
        let mut faults = Vec::new();
        self.check_id(&raw.id, &mut faults);
        let phases = self.phases(raw.phases, &raw.id, &mut faults);
        let mut seen = BTreeSet::new();
        let mut preparation = Vec::new();
        for step in raw.preparation {
            let step = step.into_inner();
            self.check_new(&step.id, &mut seen, &mut faults);
            preparation.push(Step {
                id: step.id.into_inner(),
                title: step.title,
                purpose: step.purpose,
                optional: step.optional,
                serves: step.serves.into(),
            });
        }
        let clocks = raw.leads.clocks;
        if !clocks.get_ref().contains_key("default") {
            faults.push(self.fault(clocks.span(), "the leads of clocks need a `default`"));
        }
        let mut leads = Leads {
            clocks: BTreeMap::new(),
            start_by: raw.leads.start_by,
            nonconformity: self.days(raw.leads.nonconformity, false, &mut faults),
            booked: self.days(raw.leads.booked, false, &mut faults),
            overdue: self.days(raw.leads.overdue, true, &mut faults),
        };
        for (rule, days) in clocks.into_inner() {
            leads.clocks.insert(rule, self.days(days, false, &mut faults));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let marks = Marks { id: self.line(raw.id.span().start), programme: 0 };
        let RawLimits { plan_days, major_days, minor_days, verify_days } = raw.limits;
        let programme = Programme {
            id: raw.id.into_inner(),
            title: raw.title.into_inner(),
            phases,
            preparation,
            leads,
            limits: Limits { plan_days, major_days, minor_days, verify_days },
        };
        Ok((programme, marks))
    }

    /// The phases: each month of the cycle in exactly one of them.
    fn phases(
        &self,
        raw: Vec<Spanned<RawPhase>>,
        id: &Spanned<String>,
        faults: &mut Vec<CatalogueFault>,
    ) -> Vec<Phase> {
        let mut seen = BTreeSet::new();
        let mut next = 1;
        let mut end = id.span();
        let mut phases = Vec::new();
        for phase in raw {
            let phase = phase.into_inner();
            self.check_new(&phase.id, &mut seen, faults);
            let (from, to) = (*phase.from.get_ref(), *phase.to.get_ref());
            if from != next {
                let wrong = if from < next { "overlaps the one before it" } else { "leaves a gap before it" };
                let reason =
                    format!("the phase `{}` {wrong}: it must begin in month {next}", phase.id.get_ref());
                faults.push(self.fault(phase.from.span(), reason));
            }
            if to < from || to > MONTHS {
                let reason =
                    format!("the phase `{}` must end in a month from {from} to {MONTHS}", phase.id.get_ref());
                faults.push(self.fault(phase.to.span(), reason));
            }
            next = to.saturating_add(1);
            end = phase.to.span();
            let mut known = BTreeSet::new();
            let mut activities = Vec::new();
            for activity in phase.activities {
                let activity = activity.into_inner();
                self.check_new(&activity.id, &mut known, faults);
                activities.push(Activity {
                    id: activity.id.into_inner(),
                    title: activity.title,
                    serves: activity.serves.into(),
                });
            }
            let (id, title, purpose, carries) =
                (phase.id.into_inner(), phase.title, phase.purpose, phase.carries);
            phases.push(Phase { id, title, from, to, purpose, activities, carries });
        }
        if next <= MONTHS {
            faults.push(self.fault(end, format!("no phase covers months {next} to {MONTHS}")));
        }
        phases
    }

    /// Checks an id that must be new among its siblings.
    fn check_new(&self, id: &Spanned<String>, seen: &mut BTreeSet<String>, faults: &mut Vec<CatalogueFault>) {
        self.check_id(id, faults);
        if !seen.insert(id.get_ref().clone()) {
            faults.push(self.fault(id.span(), format!("the id `{}` is there twice", id.get_ref())));
        }
    }

    /// Days before or after a date: at least one, each once, put in order.
    fn days(&self, raw: Spanned<Vec<u32>>, ascending: bool, faults: &mut Vec<CatalogueFault>) -> Vec<u32> {
        let at = raw.span();
        let mut days = raw.into_inner();
        let count = days.len();
        days.sort_unstable();
        days.dedup();
        if days.len() != count || days.first() == Some(&0) || days.last().is_some_and(|last| *last > 3660) {
            faults.push(self.fault(at, "days are numbers from 1 to 3660, each once"));
        }
        if !ascending {
            days.reverse();
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::embedded().unwrap()
    }

    #[test]
    fn public_holidays_are_read_from_a_file() {
        let text = "id = \"de-be\"\ntitle = \"Berlin\"\n[days]\n2026-12-25 = \"Christmas Day\"\n";
        let catalogue = Catalogue::with_files(&[("own/holidays/de-be.toml", text)]).unwrap();
        let berlin = catalogue.holidays("de-be").unwrap();
        assert_eq!(berlin.days.get(&"2026-12-25".parse().unwrap()).unwrap(), "Christmas Day");
        let wrong = text.replace("2026-12-25", "25-12-2026");
        let faults = Catalogue::with_files(&[("own/holidays/de-be.toml", &wrong)]).unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "own/holidays/de-be.toml:4: `25-12-2026` is no day: each stands as 2026-12-25 = \"Christmas Day\""
        );
    }

    #[test]
    fn the_embedded_catalogue_is_sound() {
        let catalogue = catalogue();
        let ids: Vec<_> = catalogue.standards.iter().map(|s| s.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "iso-27001",
                "iso-9001",
                "iso-14001",
                "iso-45001",
                "iso-37001",
                "iso-37001-2016",
                "iso-22301",
                "iso-42001"
            ]
        );
        for standard in &catalogue.standards {
            let programme = catalogue.programme_of(standard).unwrap();
            let activities = programme.phases.iter().flat_map(|phase| &phase.activities).map(|a| &a.serves);
            for serves in activities.chain(programme.preparation.iter().map(|step| &step.serves)) {
                assert!(standard.served_by(serves).is_some(), "{} {serves:?}", standard.id);
            }
        }
    }

    #[test]
    fn iso_27001_has_its_93_controls() {
        let catalogue = catalogue();
        let standard = catalogue.standard("iso-27001").unwrap();
        assert_eq!(standard.clauses.iter().filter(|clause| clause.control).count(), 93);
        assert_eq!(
            standard.clause("A.8.34").unwrap().title,
            "Protection of information systems during audit testing"
        );
    }

    /// ISO 22301:2019 and ISO 37001:2016 have nonconformity in 10.1, all others in 10.2.
    #[test]
    fn the_nonconformity_clause_differs_between_standards() {
        for standard in &catalogue().standards {
            let expected = match standard.id.as_str() {
                "iso-22301" | "iso-37001-2016" => "10.1",
                _ => "10.2",
            };
            assert_eq!(standard.role("nonconformity"), Some(expected), "{}", standard.id);
            let title = &standard.clause(expected).unwrap().title;
            assert!(title.to_lowercase().contains("nonconformity"), "{title}");
            let improvement = standard.clause(standard.role("improvement").unwrap()).unwrap();
            assert_eq!(improvement.title, "Continual improvement");
        }
    }

    #[test]
    fn the_programme_is_the_seed_of_nine_phases() {
        let catalogue = catalogue();
        let programme = catalogue.programme("iso-three-year").unwrap();
        let phases: Vec<_> = programme.phases.iter().map(|p| (p.id.as_str(), p.from, p.to)).collect();
        assert_eq!(
            phases,
            [
                ("operate-1", 1, 6),
                ("prepare-1", 7, 9),
                ("surveillance-1", 10, 12),
                ("operate-2", 13, 18),
                ("prepare-2", 19, 21),
                ("surveillance-2", 22, 24),
                ("review", 25, 30),
                ("prepare-3", 31, 33),
                ("recertification", 34, 36),
            ]
        );
        let steps: Vec<_> =
            programme.preparation.iter().map(|step| (step.id.as_str(), step.optional)).collect();
        assert_eq!(
            steps,
            [
                ("gap-analysis", true),
                ("opening-meeting", false),
                ("stage-1", false),
                ("stage-2", false),
                ("nonconformities", false),
                ("decision", false),
            ]
        );
    }

    const OWN: &str = "id = \"iso-50001\"\ntitle = \"ISO 50001:2018\"\nsubject = \"Energy\"\n\
        programme = \"iso-three-year\"\n[roles]\ninternal-audit = \"9.2\"\nmanagement-review = \"9.3\"\n\
        nonconformity = \"10.1\"\n";

    fn faults(name: &str, text: &str) -> Vec<String> {
        Catalogue::with_files(&[(name, text)]).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_standard_of_ones_own_is_added_or_overrides() {
        let catalogue = Catalogue::with_files(&[("own/iso-50001.toml", OWN)]).unwrap();
        assert_eq!(catalogue.standard("iso-50001").unwrap().title, "ISO 50001:2018");
        assert_eq!(catalogue.standards.len(), 9);
        let over = OWN.replace("iso-50001", "iso-9001");
        let catalogue = Catalogue::with_files(&[("own/x.toml", &over)]).unwrap();
        assert_eq!(catalogue.standards.len(), 8);
        assert_eq!(catalogue.standard("iso-9001").unwrap().title, "ISO 50001:2018");
    }

    #[test]
    fn faults_name_file_line_and_reason() {
        assert_eq!(
            faults("x.toml", &OWN.replace("iso-three-year", "yearly")),
            ["x.toml:4: there is no programme `yearly`"]
        );
        assert_eq!(
            faults("x.toml", &OWN.replace("nonconformity", "bogus")),
            ["x.toml:5: the role `nonconformity` has no clause"]
        );
        let listed = OWN.replace("[roles]", "clauses = [[\"9.2\", \"A\"], [\"9.3\", \"B\"]]\n[roles]");
        assert_eq!(
            faults("x.toml", &listed),
            ["x.toml:9: the role `nonconformity` names clause `10.1`, which is not listed"]
        );
        assert!(
            faults("x.toml", &OWN.replace("subject", "sbject"))[0]
                .starts_with("x.toml:3: unknown field `sbject`")
        );
        assert!(faults("x.toml", "id = \n")[0].starts_with("x.toml:1: "));
        let twice = Catalogue::with_files(&[("a.toml", OWN), ("b.toml", OWN)]).unwrap_err();
        assert_eq!(twice[0].to_string(), "b.toml:1: the id `iso-50001` is taken by a.toml");
    }

    #[test]
    fn phases_must_cover_each_month_once() {
        let text = EMBEDDED[0].1.replacen("id = \"iso-three-year\"", "id = \"own\"", 1);
        assert!(Catalogue::with_files(&[("p.toml", &text)]).is_ok());
        let line = |needle: &str| text.lines().position(|l| l == needle).unwrap() + 1;
        assert_eq!(
            faults("p.toml", &text.replace("from = 7\n", "from = 8\n")),
            [format!(
                "p.toml:{}: the phase `prepare-1` leaves a gap before it: it must begin in month 7",
                line("from = 7")
            )]
        );
        assert_eq!(
            faults("p.toml", &text.replace("from = 7\n", "from = 6\n")),
            [format!(
                "p.toml:{}: the phase `prepare-1` overlaps the one before it: it must begin in month 7",
                line("from = 7")
            )]
        );
        assert_eq!(
            faults("p.toml", &text.replace("to = 36", "to = 35")),
            [format!("p.toml:{}: no phase covers months 36 to 36", line("to = 36"))]
        );
        assert_eq!(faults("p.toml", &text.replace("id = \"prepare-2\"", "id = \"prepare-1\"")).len(), 1);
    }
}
