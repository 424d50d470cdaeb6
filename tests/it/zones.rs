//! Reminders of organisations that change their zone and hour in mid-cycle: every zone there is, each reminder once.

use std::collections::BTreeMap;

use certkeeper::catalogue::Catalogue;
use certkeeper::domain::certificate::{Certificate, CertificateFile, Cycle, Terms};
use certkeeper::domain::organisation::{Manners, Organisation};
use certkeeper::notify::due::{Facts, Kind, Occurrence, Talk, next_after, occurrences};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

/// How an organisation is set up from an instant on.
#[derive(Debug, Clone, Copy)]
struct Setting {
    at: DateTime<Utc>,
    zone: Tz,
    hour: u32,
}

fn organisation(from: Setting) -> Organisation {
    Organisation {
        id: 1,
        place: "console".into(),
        name: "Acme".into(),
        zone: from.zone,
        hour: from.hour,
        channel: None,
        manager_role: None,
        auditor_role: None,
        minimal: false,
        manners: Manners::default(),
    }
}

/// A certificate that was decided on a day and entered then.
fn file(decided: NaiveDate, known_at: DateTime<Utc>) -> CertificateFile {
    CertificateFile::new(Certificate {
        id: 7,
        no: 3,
        standard: "iso-27001".into(),
        name: "Acme ISMS".into(),
        body: None,
        number: None,
        channel: None,
        owner: None,
        stage2_on: None,
        entered_at: known_at,
        stage2_known_at: known_at,
        cycles: vec![Cycle::first(decided, None, known_at)],
        terms: Terms::default(),
        scope: None,
    })
}

/// What a daemon says that plans at each change and whenever something falls due: when it says it, and what.
fn said(
    catalogue: &Catalogue,
    file: &CertificateFile,
    history: &[Setting],
) -> Vec<(DateTime<Utc>, Occurrence)> {
    let mut said: BTreeMap<String, (DateTime<Utc>, Occurrence)> = BTreeMap::new();
    for (i, set) in history.iter().enumerate() {
        let organisation = organisation(*set);
        let facts = Facts {
            organisation: &organisation,
            catalogue,
            files: std::slice::from_ref(file),
            talk: Talk::default(),
        };
        let until =
            history.get(i + 1).map_or(DateTime::<Utc>::MAX_UTC, |next| next.at - TimeDelta::nanoseconds(1));
        for due in occurrences(facts, DateTime::<Utc>::MIN_UTC, until) {
            let at = due.due_at.max(set.at);
            said.entry(due.key.clone()).or_insert((at, due));
        }
        // The alarm is set to the first that is not said yet.
        let next = next_after(facts, until);
        assert!(next.is_none_or(|next| next > until));
    }
    let mut said: Vec<_> = said.into_values().collect();
    said.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
    said
}

/// What must hold of what was said over a history, whatever it was.
fn check(catalogue: &Catalogue, decided: NaiveDate, history: &[Setting]) {
    let known_at = history[0].at;
    let file = file(decided, known_at);
    let said = said(catalogue, &file, history);
    let programme = &catalogue.programmes[0];
    // Each phase whose day, wherever on earth, is after the certificate was entered is announced once.
    for phase in &programme.phases {
        let of_it: Vec<_> = said
            .iter()
            .filter(|(_, o)| o.kind == Kind::PhaseBegins && o.phase.as_ref() == Some(&phase.id))
            .collect();
        assert!(of_it.len() <= 1, "{history:?}: {} is announced {} times", phase.id, of_it.len());
        let Some((at, o)) = of_it.first() else {
            let stands = said.iter().any(|(_, o)| o.kind == Kind::Stands);
            assert!(stands, "{history:?}: {} is not announced", phase.id);
            continue;
        };
        // On its day where the organisation is then; after a move, at once.
        let set = history.iter().rev().find(|set| set.at <= *at).unwrap();
        let local = at.with_timezone(&set.zone);
        let moved = history.iter().any(|set| set.at == *at);
        let wanted = o.due_on.and_hms_opt(set.hour, 0, 0).unwrap();
        let skipped = set.zone.from_local_datetime(&wanted).earliest().is_none();
        assert!(
            moved || local.naive_local() == wanted || (skipped && *at == o.due_at),
            "{set:?}: {} is said at {local}, not at {wanted}",
            phase.id
        );
        assert!(
            *at >= known_at && (moved || local.date_naive() >= o.due_on),
            "{set:?}: {} is early",
            phase.id
        );
    }
    // What is said does not depend on where the organisation was meanwhile: nothing lost, nothing more.
    let still = self::said(catalogue, &file, &history[..1]);
    let after = known_at + TimeDelta::hours(50);
    let keys = |said: &[(DateTime<Utc>, Occurrence)]| -> Vec<String> {
        let mut keys: Vec<String> =
            said.iter().filter(|(_, o)| o.due_at > after).map(|(_, o)| o.key.clone()).collect();
        keys.sort();
        keys
    };
    let near = |said: &[(DateTime<Utc>, Occurrence)]| {
        said.iter().any(|(_, o)| (o.due_at - after).abs() < TimeDelta::hours(50))
    };
    if !near(&said) && !near(&still) {
        assert_eq!(keys(&said), keys(&still), "{history:?}");
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Every zone, by way of a far one and back, on days on which clocks and calendars change.
#[test]
fn every_zone_changed_in_mid_cycle_says_each_phase_once() {
    let catalogue = Catalogue::embedded().unwrap();
    let days = ["2024-02-29", "2026-03-29", "2025-12-31", "2026-10-25", "2027-01-31", "2023-06-30"];
    for (n, zone) in TZ_VARIANTS.iter().enumerate() {
        let decided = day(days[n % days.len()]);
        let hour = u32::try_from(n % 24).unwrap();
        let far = TZ_VARIANTS[(n * 7 + 211) % TZ_VARIANTS.len()];
        let noon = decided.and_hms_opt(12, 0, 0).unwrap().and_utc();
        // At the very hour at which a phase begins, where it begins last and first.
        let third = noon.checked_add_days(Days::new(92)).unwrap();
        let history = [
            Setting { at: noon - TimeDelta::days(3), zone: *zone, hour },
            Setting { at: third, zone: far, hour: 23 - hour },
            Setting { at: third + TimeDelta::hours(11), zone: *zone, hour: (hour + 5) % 24 },
            Setting { at: third + TimeDelta::days(300), zone: Tz::Pacific__Kiritimati, hour },
            Setting { at: third + TimeDelta::days(301), zone: Tz::Pacific__Pago_Pago, hour },
        ];
        check(&catalogue, decided, &history);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var_os("PROPTEST_CASES").and_then(|n| n.to_str()?.parse().ok()).unwrap_or(48)) })]

    /// Any day, any zones, any hours, changed at any minute.
    #[test]
    fn fuzz_a_history_of_zones_and_hours(
        decided in 0_u64..9_000, entered in -4_000_i64..60_000,
        moves in prop::collection::vec((0_i64..1_600_000, any::<prop::sample::Index>(), 0_u32..24), 0..5),
        first in any::<prop::sample::Index>(), hour in 0_u32..24,
    ) {
        let catalogue = Catalogue::embedded().unwrap();
        let decided = day("2012-01-01").checked_add_days(Days::new(decided)).unwrap();
        let begun = decided.and_hms_opt(0, 0, 0).unwrap().and_utc() + TimeDelta::minutes(entered);
        let zone = |index: &prop::sample::Index| TZ_VARIANTS[index.index(TZ_VARIANTS.len())];
        let mut history = vec![Setting { at: begun, zone: zone(&first), hour }];
        let mut moves = moves;
        moves.sort_by_key(|(after, ..)| *after);
        moves.dedup_by_key(|(after, ..)| *after);
        history.extend(moves.iter().map(|(after, to, hour)| {
            Setting { at: begun + TimeDelta::minutes(after + 1), zone: zone(to), hour: *hour }
        }));
        check(&catalogue, decided, &history);
    }
}
