//! The demo: the daemon with a console in place of Discord, on a fresh file, its clock walked through a whole
//! cycle of the worked example.

use chrono::{DateTime, Utc};

use crate::chat::console::session::{ConsolePost, Session, Stage};
use crate::clock::{Clock as _, HandClock};
use crate::command::App;
use crate::notify::deliver::Deliverer;
use crate::store::notices;

/// When somebody types something: the instant in UTC, and what.
const SCRIPT: &[(&str, &[&str])] = &[
    (
        "2026-03-02T07:30:00Z",
        &[
            "as ana manager",
            "/setup channel:isms timezone:Europe/Berlin hour:9 manager:managers",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 body:Example Certification",
            "/cycle show certificate:Acme",
        ],
    ),
    (
        "2026-05-12T12:00:00Z",
        &[
            "as ben auditor",
            "/audit log certificate:Acme kind:internal date:2026-05-11 until:today scope:Access control and supplier management conclusion:Conforming but for one finding lead:ben",
            "/nc raise certificate:Acme grade:minor clause:A.5.18 statement:Three leavers still had access, seen in the directory export of 2026-05-11 audit:A-1 area:IT owner:carl due:2026-07-31",
        ],
    ),
    (
        "2026-05-13T08:00:00Z",
        &[
            "as carl member",
            "/nc correct nc:NC-1 what:The three accounts are disabled",
            "/nc cause nc:NC-1 why:HR tells IT of leavers by mail, and the mailbox has no deputy",
            "/nc plan nc:NC-1 owner:carl due:2026-06-15 action:Leavers reach IT from the HR system, as a ticket",
            "/nc close nc:NC-1",
        ],
    ),
    (
        "2026-06-12T09:00:00Z",
        &[
            "/nc done nc:NC-1 what:In use since 10 June, see https://tickets.example.com/HR-77",
            "as ben",
            "/nc verify nc:NC-1 effective:true how:Ten leavers since then, all disabled on their last day",
            "/nc close nc:NC-1",
        ],
    ),
    (
        "2026-09-15T08:00:00Z",
        &[
            "as ana",
            "/area add name:IT owner:carl kind:department",
            "/area add name:Human resources owner:dora",
            "/audit plan certificates:Acme kind:internal date:2026-10-12 until:2026-10-14 lead:ben areas:all clauses:4-10 controls:A.5",
            "/cycle whatif certificate:Acme audit:surveillance date:2027-04-01",
        ],
    ),
    (
        "2026-10-14T15:00:00Z",
        &[
            "as ben",
            "/audit start audit:A-2",
            "/finding raise audit:A-2 grade:opportunity clause:7.3 statement:Short courses are remembered better owner:dora",
            "/audit report audit:A-2 conclusion:Conforming not-sampled:A.5.30",
            "/audit coverage certificate:Acme",
        ],
    ),
    (
        "2026-11-09T14:00:00Z",
        &[
            "as ana",
            "/finding accept finding:F-1 owner:dora due:2027-01-29 action:Ten minutes a month instead of a day a year",
            "/review hold certificates:Acme date:today attended:The board decisions:Resources as planned inputs:all",
            "/action add review:MR-1 owner:carl due:2027-02-26 what:A deputy for the access desk",
        ],
    ),
    (
        "2026-12-10T15:00:00Z",
        &[
            "as ana",
            "/audit log certificate:Acme kind:surveillance date:2026-12-09 until:2026-12-10 scope:Selected clauses and controls conclusion:No nonconformity lead-name:Example Certification",
            "/status",
        ],
    ),
    (
        "2027-01-20T09:00:00Z",
        &["as dora member", "/action done action:ACT-1 outcome:The first three were held", "/my"],
    ),
    (
        "2027-02-22T09:00:00Z",
        &[
            "as carl member",
            "/action done action:ACT-2 outcome:Elif stands in; it is in the desk's instructions",
        ],
    ),
    (
        "2027-11-16T15:00:00Z",
        &[
            "as ana manager",
            "/audit log certificate:Acme kind:surveillance date:2027-11-16 scope:Selected clauses and controls conclusion:No nonconformity lead-name:Example Certification",
        ],
    ),
    (
        "2028-12-13T15:00:00Z",
        &[
            "/audit log certificate:Acme kind:recertification date:2028-12-11 until:2028-12-13 scope:The whole system conclusion:Renewal recommended lead-name:Example Certification",
        ],
    ),
    ("2029-02-15T10:00:00Z", &["/certificate renew certificate:Acme date:2029-02-15"]),
    ("2029-03-02T12:00:00Z", &["/status"]),
];

/// How much of the transcript stands in the picture of the front page.
pub const PICTURED: usize = 14;

/// The instant at which the demo begins.
pub fn begins() -> DateTime<Utc> {
    SCRIPT.first().and_then(|(at, _)| at.parse().ok()).unwrap_or_default()
}

/// Plays the whole cycle.
pub async fn play(
    app: &App,
    clock: &HandClock,
    session: &mut Session,
    deliverer: &mut Deliverer<ConsolePost>,
    stage: &Stage,
) -> anyhow::Result<()> {
    for (at, lines) in SCRIPT {
        walk(app, clock, deliverer, at.parse()?).await?;
        stage.note(&clock.now().format("%-d %B %Y").to_string());
        for line in *lines {
            stage.typed(session.speaker(), line);
            session.line(line, &mut |_| None).await;
        }
        deliverer.round(clock).await?;
    }
    Ok(())
}

/// Sets the clock from one due instant to the next, posting what is due at each, up to `until`.
async fn walk(
    app: &App,
    clock: &HandClock,
    deliverer: &mut Deliverer<ConsolePost>,
    until: DateTime<Utc>,
) -> anyhow::Result<()> {
    loop {
        let next = {
            let mut c = app.store().read().await?;
            notices::next_due(&mut c).await?
        };
        match next.filter(|at| *at <= until) {
            Some(at) => {
                clock.set(at.max(clock.now()));
                deliverer.round(clock).await?;
            }
            None => break,
        }
    }
    clock.set(until.max(clock.now()));
    Ok(())
}
