//! `/review ...`: the management review.

use std::sync::Arc;

use clap::{Args, Subcommand};

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::option::{CertificateRef, CertificatesRef, DayText, LongText, ReviewRef};
use super::programme::text;
use crate::domain::certificate::{Certificate, CertificateFile};
use crate::domain::review::{Covered, Review, ReviewState, ReviewStep};
use crate::say;
use crate::store;

/// `/review ...`
#[derive(Debug, Clone, Subcommand)]
pub enum ReviewCommand {
    /// Set the day of a management review
    Plan(Plan),
    /// Show what the review looks at, prepared from the records
    Inputs(Inputs),
    /// Record a management review that was held
    Hold(Hold),
    /// List the management reviews
    List(List),
    /// Show one management review with its decisions and actions
    Show(Show),
    /// Record that a planned review will not be held
    Cancel(Cancel),
}

/// `/review plan`
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// Which certificates it serves, with commas between, or all
    #[arg(long)]
    pub certificates: CertificatesRef,
    /// The day
    #[arg(long)]
    pub date: DayText,
}

/// `/review inputs`
#[derive(Debug, Clone, Args)]
pub struct Inputs {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
}

/// `/review hold`
#[derive(Debug, Clone, Args)]
pub struct Hold {
    /// The day it was held
    #[arg(long)]
    pub date: DayText,
    /// Who attended
    #[arg(long)]
    pub attended: String,
    /// Which certificates it serves, with commas between, or all (left out: those of the planned one)
    #[arg(long)]
    pub certificates: Option<CertificatesRef>,
    /// The review that was planned, if one was
    #[arg(long)]
    pub review: Option<ReviewRef>,
    /// What was decided (asked for if left out)
    #[arg(long)]
    pub decisions: Option<LongText>,
    /// The inputs that were looked at, by item (a, b, d1), or all
    #[arg(long)]
    pub inputs: Option<String>,
    /// The inputs that were not looked at, by item: all others were
    #[arg(long)]
    pub not_covered: Option<String>,
}

/// `/review list`
#[derive(Debug, Clone, Args)]
pub struct List {}

/// `/review show`
#[derive(Debug, Clone, Args)]
pub struct Show {
    /// Which management review
    #[arg(long)]
    pub review: ReviewRef,
}

/// `/review cancel`
#[derive(Debug, Clone, Args)]
pub struct Cancel {
    /// Which management review
    #[arg(long)]
    pub review: ReviewRef,
    /// Why
    #[arg(long)]
    pub reason: String,
}

impl Plan {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let certificates = find::certificates(&before.certificates, &self.certificates)?;
        let on = find::day(&self.date, cx.today, "date")?;
        if on < cx.today {
            return Err(Stop::Refused(say::work::review_past(on)));
        }
        let new = Review {
            id: 0,
            no: 0,
            state: ReviewState::Planned,
            on,
            decisions: String::new(),
            attended: String::new(),
            by: cx.by.clone(),
            at: cx.now(),
            certificates: certificates.iter().map(|c| c.id).collect(),
            covered: Vec::new(),
            reference: None,
        };
        let review = store::review::insert(&mut cx.w, cx.org.id, new).await?;
        Reply::told(&cx.org, say::work::review_planned(&review, &certificates, cx.today))
    }
}

impl Inputs {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = super::certificate::file(cx.snapshot, &self.certificate)?;
        let standard = cx.catalogue.standard(&file.certificate.standard);
        Reply::private(say::review::inputs(cx.org, standard, file, cx.today))
    }
}

impl Hold {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let planned = self.review.as_ref().map(|r| find::review(&before.rest.reviews, r)).transpose()?;
        if let Some(planned) = planned.filter(|p| p.state.after(ReviewStep::Hold).is_none()) {
            return Err(Stop::Refused(say::work::review_settled(planned)));
        }
        let on = find::past_day(&self.date, cx.today, "date")?;
        let attended = text(Some(self.attended)).ok_or_else(say::work::attended_needed)?;
        let certificates: Vec<&Certificate> = match (&self.certificates, planned) {
            (Some(typed), _) => find::certificates(&before.certificates, typed)?,
            (None, Some(planned)) => {
                before.certificates.iter().filter(|c| planned.certificates.contains(&c.id)).collect()
            }
            (None, None) => match before.certificates.as_slice() {
                [only] => vec![only],
                all => return Err(Stop::Refused(say::work::which_certificate(all))),
            },
        };
        let mut covered = Vec::new();
        for c in &certificates {
            let all =
                cx.catalogue.standard(&c.standard).map(|s| s.review_inputs.as_slice()).unwrap_or_default();
            let named = |list: &str| find::parts(list).map(str::to_lowercase).collect::<Vec<_>>();
            let taken = self.inputs.as_deref().map(named);
            let left = self.not_covered.as_deref().map(named);
            let unknown = taken.iter().chain(left.iter()).flatten().find(|typed| {
                *typed != "all"
                    && !all.is_empty()
                    && !certificates.iter().any(|c| {
                        cx.catalogue
                            .standard(&c.standard)
                            .is_some_and(|s| s.review_inputs.iter().any(|i| fits(&i.item, typed)))
                    })
            });
            if let Some(unknown) = unknown {
                return Err(Stop::Refused(say::work::no_input(unknown, c, all)));
            }
            for input in all {
                let said = |list: &Option<Vec<String>>| {
                    list.as_ref().map(|l| l.iter().any(|t| t == "all" || fits(&input.item, t)))
                };
                let looked_at = match (said(&taken), said(&left)) {
                    (Some(yes), left) => yes && left != Some(true),
                    (None, Some(not)) => !not,
                    (None, None) => false,
                };
                if looked_at {
                    covered.push(Covered { certificate: c.id, item: input.item.clone(), words: None });
                }
            }
        }
        let mut review = Review {
            id: 0,
            no: 0,
            state: ReviewState::Held,
            on,
            decisions: self.decisions.map(|t| t.0).unwrap_or_default(),
            attended,
            by: cx.by.clone(),
            at: cx.now(),
            certificates: certificates.iter().map(|c| c.id).collect(),
            covered,
            reference: None,
        };
        match planned {
            Some(planned) => {
                (review.id, review.no) = (planned.id, planned.no);
                store::review::update(&mut cx.w, cx.org.id, &review, &review.covered).await?;
            }
            None => review = store::review::insert(&mut cx.w, cx.org.id, review).await?,
        }
        let files: Vec<&CertificateFile> =
            before.files().iter().filter(|f| review.certificates.contains(&f.certificate.id)).collect();
        Reply::told(&cx.org, say::review::held(cx.catalogue, &review, &files, cx.today))
    }
}

/// Whether an item is the one typed: `d1`, `d(1)` and `d.1` are the same; `d` stands for all of `d1` to `d4`.
fn fits(item: &str, typed: &str) -> bool {
    let bare = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let (item, typed) = (bare(item), bare(typed));
    item == typed
        || item
            .strip_prefix(&typed)
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()) && !typed.is_empty())
}

impl List {
    pub(super) fn read(cx: &Read<'_>) -> Result<Reply, Stop> {
        Reply::private(say::review::list(
            cx.org,
            &cx.snapshot.rest.reviews,
            &cx.snapshot.certificates,
            cx.today,
        ))
    }
}

impl Show {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let review = find::review(&cx.snapshot.rest.reviews, &self.review)?;
        Reply::private(say::review::show(
            cx.org,
            cx.catalogue,
            review,
            &cx.snapshot.certificates,
            &cx.snapshot.rest.actions,
            cx.today,
        ))
    }
}

impl Cancel {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut review = find::review(&cx.before.rest.reviews, &self.review)?.clone();
        let Some(state) = review.state.after(ReviewStep::Cancel) else {
            return Err(Stop::Refused(say::work::review_settled(&review)));
        };
        review.state = state;
        (review.by, review.at) = (cx.by.clone(), cx.now());
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        store::review::update(&mut cx.w, cx.org.id, &review, &[]).await?;
        Reply::told(&cx.org, say::work::review_cancelled(&review, &reason))
    }
}
