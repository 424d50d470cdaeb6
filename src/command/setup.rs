//! `/setup`, `/status` and `/help`.

use super::app::{Change, Read, Reply, Stop};
use super::grammar::{Help, Privacy, Setup, Status};
use crate::say;
use crate::store;

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
            o.manager_role = Some(role.0.clone());
        }
        if let Some(role) = &self.auditor {
            o.auditor_role = Some(role.0.clone());
        }
        if let Some(privacy) = self.privacy {
            o.minimal = privacy == Privacy::Minimal;
        }
        if let Some(channel) = &self.channel {
            o.channel = Some(channel.0.clone());
        } else if o.channel.is_none() {
            o.channel.clone_from(&cx.request.channel);
        }
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
