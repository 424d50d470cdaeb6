//! `/setup`, `/status` and `/help`.

use super::app::{Change, Read, Reply, Stop};
use super::grammar::{Help, Privacy, Setup, Status};
use crate::domain::organisation::{Escalation, Organisation};
use crate::domain::workdays::{QuietHours, WorkingDays};
use crate::say;
use crate::store;

/// After how many working days an unanswered reminder goes up, where only the channel for it was named.
const ESCALATE_AFTER: u32 = 3;

impl Setup {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut o = cx.org.clone();
        if let Some(zone) = &self.timezone {
            o.zone = zone_of(&zone.0)?;
        }
        if let Some(hour) = self.hour {
            o.hour = hour.0;
        }
        if let Some(role) = &self.manager {
            o.manager_role = Some(cx.role("manager", role)?);
        }
        if let Some(role) = &self.auditor {
            o.auditor_role = Some(cx.role("auditor", role)?);
        }
        if let Some(privacy) = self.privacy {
            o.minimal = privacy == Privacy::Minimal;
        }
        if let Some(channel) = &self.channel {
            o.channel = Some(cx.channel(channel)?);
        } else if o.channel.is_none() {
            o.channel.clone_from(&cx.request.channel);
        }
        self.manners(cx, &mut o)?;
        store::organisation::update(&mut cx.w, &o).await?;
        store::notices::unpark(&mut cx.w, o.id).await?;
        let missing =
            o.channel.as_ref().and_then(|c| cx.request.heard.channels.get(c)).and_then(|c| c.missing.clone());
        cx.org = o;
        Reply::public(say::records::setup(
            &cx.org,
            missing.as_deref(),
            cx.before.certificates.is_empty(),
            cx.now(),
        ))
    }
}

impl Setup {
    /// When it is spoken to, and what is done where nobody answers.
    fn manners(&self, cx: &Change<'_>, o: &mut Organisation) -> Result<(), Stop> {
        let m = &mut o.manners;
        if let Some(days) = &self.working_days {
            m.working_days = WorkingDays::parse(&days.0)
                .ok_or_else(|| Stop::Refused(say::refusal::no_working_days(&days.0)))?;
        }
        if let Some(holidays) = &self.holidays {
            m.holidays = match cx.catalogue.holidays(&holidays.0) {
                Some(found) => Some(found.id.clone()),
                None if holidays.0.eq_ignore_ascii_case("none") => None,
                None => {
                    return Err(Stop::Refused(say::refusal::no_holidays(
                        &holidays.0,
                        &cx.catalogue.holidays,
                    )));
                }
            };
        }
        if let Some(quiet) = &self.quiet_hours {
            m.quiet = match QuietHours::parse(quiet) {
                Some(hours) => Some(hours),
                None if matches!(quiet.trim().to_lowercase().as_str(), "off" | "none") => None,
                None => return Err(Stop::Refused(say::refusal::no_quiet_hours(quiet))),
            };
        }
        if let Some(channel) = &self.escalation {
            m.escalation_channel = Some(cx.channel(channel)?);
        }
        let after = match (self.escalate_after, &self.escalation, m.escalation) {
            (Some(days), _, _) => Some(days.0),
            // Whoever names the channel wants the rule.
            (None, Some(_), None) => Some(ESCALATE_AFTER),
            (None, _, _) => None,
        };
        if let Some(after) = after
            && m.escalation.is_none_or(|rule| rule.after != after)
        {
            m.escalation = (after > 0).then_some(Escalation { after, known_at: cx.now() });
        }
        match m.quiet.filter(|q| q.has(o.hour)) {
            Some(quiet) => Err(Stop::Refused(say::refusal::hour_is_quiet(o.hour, quiet))),
            None => Ok(()),
        }
    }
}

/// The zone meant: its IANA name, in whatever case, or the last part of it if only one has it.
fn zone_of(typed: &str) -> Result<chrono_tz::Tz, Stop> {
    let wanted = typed.to_lowercase().replace(' ', "_");
    chrono_tz::TZ_VARIANTS
        .iter()
        .find(|z| z.name().to_lowercase() == wanted)
        .copied()
        .ok_or_else(|| Stop::Refused(say::refusal::no_zone(typed)))
}

impl Status {
    pub(super) fn read(cx: &Read<'_>) -> Result<Reply, Stop> {
        let (files, parked) = (cx.snapshot.files(), &cx.snapshot.parked);
        let card = say::records::status(cx.org, cx.catalogue, files, parked, cx.today);
        Reply::private(say::records::with_roles_gone(card, cx.org, &cx.roles_gone))
    }
}

impl Help {
    pub(super) fn read(&self, cx: &Read<'_>) -> Result<Reply, Stop> {
        match &self.command {
            None => Reply::private(say::help::overview(cx.request.door)),
            Some(name) => match say::help::one(&name.0) {
                Some(card) => Reply::private(card),
                None => Err(Stop::Refused(say::refusal::no_command(&name.0))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fuzz::{answer, office, words};

    /// Discord says which channels of the server an interaction names; an id beside that may be another server's.
    #[tokio::test]
    async fn nothing_is_posted_where_the_chat_did_not_say_there_is_a_channel() {
        let folder = tempfile::tempdir().unwrap();
        let app = office(folder.path()).await;
        for (n, (line, refused)) in (100..).zip([
            ("setup --channel=300000000000000009", Some("There is no channel")),
            (
                "certificate add --standard=iso-9001 --name=B --channel=300000000000000009",
                Some("There is no channel"),
            ),
            ("certificate edit --certificate=1 --channel=300000000000000009", Some("There is no channel")),
            ("setup --manager=7", Some("everybody in this server")),
            ("setup --auditor=7", Some("everybody in this server")),
            ("setup --channel=300000000000000001 --manager=200000000000000001", None),
            ("certificate edit --certificate=1 --channel=300000000000000001", None),
        ]) {
            let argv = line.split(' ').map(str::to_owned).collect();
            let said = words(&answer(&app, argv, n, "", b"").await);
            match refused {
                Some(why) => assert!(said.contains("Not done") && said.contains(why), "{line}: {said}"),
                None => assert!(!said.contains("Not done"), "{line}: {said}"),
            }
        }
        let snapshot = app.store().snapshot("discord:7").await.unwrap().unwrap();
        let org = &snapshot.organisation;
        assert_eq!(org.channel.as_deref(), Some("300000000000000001"));
        assert_eq!(org.manager_role.as_deref(), Some("200000000000000001"));
        assert_eq!(snapshot.certificates[0].channel.as_deref(), Some("300000000000000001"));
    }
}
