//! Thirty-six months of many certificates in several zones, the daemon killed again and again while commands
//! arrive; then an independent reckoning of what the channels show and what is on record.
//!
//! `cargo test` runs it for a short while. At length, or again with the seed that a failure names:
//!
//! ```sh
//! CERTKEEPER_TORTURE_KILLS=1000 CERTKEEPER_TORTURE_SEED=7 cargo test --release --test it torture -- --nocapture
//! ```

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Months, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use sqlx::{Connection as _, SqliteConnection};

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::world::Message;

/// Months after the decision at which each phase begins: its month in the cycle less one.
const PHASES: [(u32, &str); 9] = [
    (0, "Internal audits and reviews"),
    (6, "Prepare for surveillance"),
    (9, "First surveillance audit"),
    (12, "Continue the cycle"),
    (18, "Prepare for surveillance"),
    (21, "Second surveillance audit"),
    (24, "Comprehensive review"),
    (30, "Intensify preparation"),
    (33, "Recertification audit"),
];

/// Between which steps the process is ended.
const POINTS: [&str; 8] = [
    "change-before-commit",
    "changed",
    "claim-before-commit",
    "claimed",
    "post-before",
    "post-sent",
    "settle-before-commit",
    "settled",
];

const ZONES: [(&str, u32); 4] =
    [("Europe/Berlin", 9), ("America/New_York", 8), ("Asia/Kolkata", 0), ("Pacific/Auckland", 23)];

/// SplitMix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var_os(name).map_or(otherwise, |given| given.to_str().unwrap().parse().unwrap())
}

/// A certificate, and where and when it is to be spoken of.
struct Kept {
    name: String,
    /// A channel of its server in which commands are typed.
    desk: String,
    channel: String,
    zone: Tz,
    hour: u32,
    decided: NaiveDate,
    /// Whether what begins on a Saturday or Sunday is announced on the Monday after it.
    weekdays: bool,
    /// What was due before it was entered is not announced.
    entered: DateTime<Utc>,
}

impl Kept {
    /// When each phase is to be announced: the ninth hour (or whichever) of its first day, there. An hour that a
    /// change of clocks leaves out is the next that there is; of two, the first.
    fn due(&self) -> Vec<(DateTime<Utc>, &'static str)> {
        PHASES
            .iter()
            .map(|(months, title)| {
                let mut day = self.decided.checked_add_months(Months::new(*months)).unwrap();
                while self.weekdays && day.weekday().number_from_monday() > 5 {
                    day = day.succ_opt().unwrap();
                }
                let mut at = day.and_hms_opt(self.hour, 0, 0).unwrap();
                loop {
                    if let Some(due) = self.zone.from_local_datetime(&at).earliest() {
                        return (due.with_timezone(&Utc), *title);
                    }
                    at += TimeDelta::minutes(15);
                }
            })
            .filter(|(due, _)| *due > self.entered)
            .collect()
    }
}

/// What a command asked for, by the words that it put on record, and the interaction that carried it.
struct Asked {
    words: String,
    interaction: String,
}

fn any_number() -> u64 {
    std::hash::RandomState::new().build_hasher().finish() % 1_000_000
}

#[tokio::test]
async fn torture() {
    let kills = setting("CERTKEEPER_TORTURE_KILLS", 24);
    let seed = setting("CERTKEEPER_TORTURE_SEED", any_number());
    println!("torture: CERTKEEPER_TORTURE_SEED={seed} CERTKEEPER_TORTURE_KILLS={kills}");
    let mut dice = Dice(seed);
    let Some(clock) = WallClock::at("2026-03-02T00:00:00Z") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::on_clock(&clock) }).await;
    let certificates = enter(&discord, &clock, &mut dice).await;
    let end = clock.now() + TimeDelta::days(3 * 366);
    let total = (end - clock.now()).num_minutes().unsigned_abs();

    let (mut asked, mut killed, mut at_points) = (Vec::new(), 0, HashMap::<&str, u32>::new());
    let mut armed: Option<&str> = None;
    while clock.now() < end || killed < kills {
        if clock.now() < end {
            // Sometimes hours, sometimes days: so that each kill has its share of the three years.
            let share = total / kills.max(1);
            clock.jump(TimeDelta::minutes(1 + dice.below(2 * share).cast_signed()));
        }
        for _ in 0..dice.below(3) {
            asked.push(ask(&discord, &certificates, asked.len(), &mut dice));
        }
        tokio::time::sleep(Duration::from_millis(dice.below(120))).await;
        if let Some(point) = armed.take() {
            // It has ended by itself at the point, or the point was not come by.
            if !daemon.runs() {
                *at_points.entry(point).or_default() += 1;
            }
        }
        daemon.kill9().await;
        killed += 1;
        if dice.below(2) == 0 {
            let point = POINTS[dice.below(POINTS.len() as u64) as usize];
            armed = Some(point);
            daemon.set_env("FAILPOINTS", Some(&format!("{point}={}*off->return", dice.below(4))));
        } else {
            daemon.set_env("FAILPOINTS", None);
        }
        daemon.start_again();
        // One in four is killed again while it is still starting.
        if dice.below(4) > 0 {
            daemon.there(&discord, SOON).await;
        }
    }
    if daemon.runs() {
        daemon.kill9().await;
    }
    // What waits for a working day is said on one.
    while [0, 5, 6].contains(&clock.now().weekday().num_days_from_monday()) {
        clock.jump(TimeDelta::days(1));
    }
    daemon.set_env("FAILPOINTS", None);
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    settled(&discord, &certificates).await;
    daemon.terminate();
    assert!(daemon.wait_exit(Duration::from_secs(5)).await.success());

    let faults = reckon(&discord, &daemon, &certificates, &asked).await;
    println!("torture: {killed} kills, of them at points {at_points:?}; {} commands sent", asked.len());
    assert!(faults.is_empty(), "seed {seed}:\n{faults}\n{}", daemon.output());
}

/// Four servers, three certificates each, in channels of their own.
async fn enter(discord: &Discord, clock: &WallClock, dice: &mut Dice) -> Vec<Kept> {
    let mut certificates = Vec::new();
    for (serial, (zone, hour)) in ZONES.into_iter().enumerate() {
        // Each server's certificates have an anchor of their own, the ends of months among them.
        clock.jump(TimeDelta::hours(dice.below(12 * 24).cast_signed()));
        let (guild, desk) = if serial == 0 {
            let desk = discord.channel("general");
            (discord.world(|state| state.channels[&desk].guild.clone()), desk)
        } else {
            discord.add_guild(&format!("server{serial}"), "owner")
        };
        // The first keeps working days, and what nobody there answers goes up.
        let weekdays = serial == 0;
        let manners = if weekdays { " working-days:mon-fri escalate-after:2" } else { "" };
        let setup = format!("/setup timezone:{zone} hour:{hour}{manners}");
        assert!(discord.person("owner").at(&desk).line(&setup).await.unwrap().acked);
        let zone: Tz = zone.parse().unwrap();
        for letter in ["X", "Y", "Z"] {
            let name = format!("Cert{serial}{letter}");
            let channel = discord.world(|state| {
                let id = state.name_id();
                state.add_channel(&id, &guild, &name.to_lowercase(), 0);
                id
            });
            let decided = clock.now().with_timezone(&zone).date_naive();
            let standard = ["iso-27001", "iso-9001", "iso-45001"][dice.below(3) as usize];
            let line = format!(
                "/certificate add standard:{standard} name:{name} decided:{decided} channel:{}",
                name.to_lowercase()
            );
            let reply = discord.person("owner").at(&desk).line(&line).await.unwrap();
            assert!(reply.text().contains(&name), "{}", reply.text());
            certificates.push(Kept {
                name,
                desk: desk.clone(),
                channel,
                zone,
                hour,
                decided,
                weekdays,
                entered: clock.now(),
            });
        }
    }
    certificates
}

/// Sends a command and does not wait for what comes of it.
fn ask(discord: &Discord, certificates: &[Kept], serial: usize, dice: &mut Dice) -> Asked {
    let kept = &certificates[dice.below(certificates.len() as u64) as usize];
    let words = format!("finding-{serial}-end");
    let interaction = discord
        .person("owner")
        .at(&kept.desk)
        .options(&[
            ("certificate", &kept.name),
            ("grade", "minor"),
            ("clause", "9.2"),
            ("statement", &words),
            ("due", "in 30 years"),
        ])
        .send("/nc raise")
        .unwrap();
    Asked { words, interaction }
}

/// Every appearance of a text in a channel, with the instant of its message.
fn shown(messages: &[Message], text: &str) -> Vec<DateTime<Utc>> {
    messages.iter().flat_map(|m| std::iter::repeat_n(m.posted, m.text().matches(text).count())).collect()
}

/// Until the last phase of each certificate is announced: what was in flight is then settled.
async fn settled(discord: &Discord, certificates: &[Kept]) {
    for kept in certificates {
        let last = format!("{}: Recertification audit begins", kept.name);
        discord.wait_message(&kept.channel, &last, SOON).await;
    }
}

/// What is lost, doubled, early, in the wrong place or not on record; empty if nothing is.
#[expect(clippy::print_stdout, reason = "how much was put to the test")]
async fn reckon(discord: &Discord, daemon: &Daemon, certificates: &[Kept], asked: &[Asked]) -> String {
    let mut faults = String::new();
    for kept in certificates {
        let messages = discord.messages(&kept.channel);
        let mut by_title: HashMap<&str, Vec<DateTime<Utc>>> = HashMap::new();
        for (due, title) in kept.due() {
            by_title.entry(title).or_default().push(due);
        }
        for (title, due) in by_title {
            let text = format!("{}: {title} begins", kept.name);
            let posted = shown(&messages, &text);
            if posted.len() != due.len() {
                writeln!(faults, "{text}: {} times, {} were due", posted.len(), due.len()).unwrap();
            }
            for (due, posted) in due.iter().zip(&posted) {
                if posted < due {
                    writeln!(faults, "{text}: posted {posted}, due {due}").unwrap();
                }
            }
        }
        // Each clock is spoken of, and no reminder of the day stands there twice.
        for year in [kept.decided.year() + 1, kept.decided.year() + 2] {
            if shown(&messages, &format!("surveillance audit in {year}")).is_empty()
                && shown(&messages, "first surveillance audit").is_empty()
            {
                writeln!(faults, "{}: nothing was said of surveillance in {year}", kept.name).unwrap();
            }
        }
        let mut seen: HashMap<String, DateTime<Utc>> = HashMap::new();
        for message in &messages {
            let Some(reference) = reference(message) else { continue };
            if let Some(first) = seen.insert(reference.clone(), message.posted) {
                writeln!(faults, "{}: {reference} at {first} and {}", kept.name, message.posted).unwrap();
            }
        }
        for other in certificates.iter().filter(|o| o.channel != kept.channel) {
            let astray = shown(&messages, &format!("{}: ", other.name)).len();
            if astray > 0 {
                writeln!(faults, "{astray} times {} in the channel of {}", other.name, kept.name).unwrap();
            }
        }
    }
    let mut file = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", daemon.database().display()))
        .await
        .unwrap();
    let on_record: Vec<String> =
        sqlx::query_scalar("SELECT statement FROM nonconformity").fetch_all(&mut file).await.unwrap();
    let mut acknowledged = 0;
    for asked in asked {
        let times = on_record.iter().filter(|s| **s == asked.words).count();
        let acked = discord.world(|state| state.interactions[&asked.interaction].acked.is_some());
        acknowledged += usize::from(acked);
        if times > 1 || (acked && times == 0) {
            writeln!(faults, "{}: acknowledged {acked}, {times} times on record", asked.words).unwrap();
        }
    }
    // What the file says was sent stands in its channel, and nothing stands there that it does not know of.
    let sent: Vec<(String, String)> = sqlx::query_as(
        "SELECT coalesce(p.message, ''), n.key FROM notice n JOIN post p ON p.id = n.post_id WHERE n.state = 'sent'",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    for (message, key) in &sent {
        if discord.message(message).is_none() {
            writeln!(faults, "{key} is marked as sent in {message:?}, which is not there").unwrap();
        }
    }
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM notice WHERE state IN ('pending', 'claimed')")
        .fetch_one(&mut file)
        .await
        .unwrap();
    if open > 0 {
        writeln!(faults, "{open} notices are not settled").unwrap();
    }
    for violation in discord.violations() {
        writeln!(faults, "Discord's rules: {violation:?}").unwrap();
    }
    let verified = daemon.certkeeper(&["verify"]);
    if !verified.status.success() {
        writeln!(faults, "verify: {}", String::from_utf8_lossy(&verified.stdout)).unwrap();
    }
    println!(
        "torture: {} notices sent; {acknowledged} commands acknowledged, {} on record",
        sent.len(),
        on_record.len()
    );
    faults
}

/// The mark that a message of the bot's own carries.
fn reference(message: &Message) -> Option<String> {
    let text = message.json.to_string();
    let at = ["ck-", "ckd-", "cka-"].iter().find_map(|mark| text.find(mark))?;
    text.get(at..)?.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().map(str::to_owned)
}
