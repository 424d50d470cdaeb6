//! Answers to interactions: the first within Discord's three seconds, later ones where work takes longer.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serenity::builder::{
    AutocompleteChoice, CreateActionRow, CreateAllowedMentions, CreateAutocompleteResponse, CreateButton,
    CreateInputText, CreateInteractionResponse, CreateInteractionResponseFollowup,
    CreateInteractionResponseMessage, CreateModal, EditInteractionResponse,
};
use serenity::model::application::{ButtonStyle, InputTextStyle, InteractionResponseFlags};
use serenity::model::channel::MessageFlags;
use serenity::model::permissions::Permissions;
use tokio::time::Instant;

use super::inbound::{FORM, Inbound, NEXT};
use super::rest::{Call, Fault};
use super::{Shared, render};
use crate::command::{Answer, Choice, Form};
use crate::say::card::Card;
use crate::say::discord as say;

/// Discord takes a first answer for three seconds; the way there is not ours to measure.
const FIRST: Duration = Duration::from_millis(2_800);
/// How long we try to bring a later answer out.
const LATER: Duration = Duration::from_mins(1);
/// The most that a modal's input may take.
const LONGEST: u16 = 4_000;

/// An interaction's token, which is never shown.
#[derive(Clone)]
pub(super) struct Token(pub(super) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// Where the answers of one interaction go.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    shared: &'a Shared,
    id: String,
    application: String,
    token: Token,
    embeds: bool,
    /// Whether it came late, with what was missed.
    pub(super) missed: bool,
    arrived: Instant,
}

fn nobody() -> CreateAllowedMentions {
    CreateAllowedMentions::new()
}

/// The button that a card offers, if it does.
fn buttons(card: &Card) -> Vec<CreateActionRow> {
    card.offers
        .map(|nc| {
            let button = CreateButton::new(format!("{NEXT}{nc}")).label(say::next_question(nc));
            CreateActionRow::Buttons(vec![button.style(ButtonStyle::Secondary)])
        })
        .into_iter()
        .collect()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn modal(form: &Form) -> CreateModal {
    let rows = form
        .inputs
        .iter()
        .take(5)
        .map(|input| {
            let text =
                CreateInputText::new(InputTextStyle::Paragraph, cut(&input.label, 45), cut(&input.name, 100))
                    .required(!input.optional)
                    .max_length(LONGEST);
            let hint = cut(&input.hint, 100);
            CreateActionRow::InputText(if hint.is_empty() { text } else { text.placeholder(hint) })
        })
        .collect();
    CreateModal::new(cut(&format!("{FORM}{}", form.id), 100), cut(&form.title, 45)).components(rows)
}

/// What became of the first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// It was said.
    Said,
    /// One was said before, not by us or by our former self.
    SaidBefore,
    /// It could not be said.
    Unsaid,
}

/// Discord's mark of a message that is still only a deferral.
const LOADING: u64 = 1 << 7;

impl<'a> Reply<'a> {
    pub(super) fn new(shared: &'a Shared, inbound: &Inbound, missed: bool, arrived: Instant) -> Self {
        let may = |held: Permissions| held.intersects(Permissions::EMBED_LINKS | Permissions::ADMINISTRATOR);
        Self {
            shared,
            id: inbound.id.clone(),
            application: inbound.application.clone(),
            token: inbound.token.clone(),
            embeds: inbound.held.is_none_or(may),
            missed,
            arrived,
        }
    }

    /// Says the first word. Sent again while nobody knows whether it arrived: a second one changes nothing.
    async fn first(&self, response: &CreateInteractionResponse) -> First {
        let body = serde_json::to_vec(response).unwrap_or_default();
        let mut again = false;
        loop {
            let call = Call::callback(&self.id, &self.token.0).raw(body.clone());
            let Err(fault) = self.shared.rest.send(call).await else {
                self.shared.rest.metrics().acknowledged(self.arrived.elapsed());
                tracing::debug!(after = ?self.arrived.elapsed(), "acknowledged");
                return First::Said;
            };
            let wait = match &fault {
                // Our own first try got through after all.
                Fault::Refused { code: Some(40_060), .. } if again => return First::Said,
                Fault::Refused { code: Some(40_060), .. } => return First::SaidBefore,
                Fault::RateLimited { after } => *after,
                Fault::Unreachable { .. } | Fault::Unknown { .. } => Duration::from_millis(150),
                Fault::Refused { .. } | Fault::Unauthorised => Duration::MAX,
            };
            if self.arrived.elapsed().saturating_add(wait) > FIRST {
                tracing::warn!(%fault, "could not acknowledge an interaction");
                return First::Unsaid;
            }
            again = true;
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends a later answer, patiently.
    async fn later(&self, make: impl Fn() -> Call, repeatable: bool) -> bool {
        let began = Instant::now();
        let mut pause = Duration::from_millis(500);
        loop {
            let Err(fault) = self.shared.rest.send(make()).await else { return true };
            let wait = match &fault {
                Fault::RateLimited { after } => *after,
                Fault::Unreachable { .. } => pause,
                Fault::Unknown { .. } if repeatable => pause,
                // A follow-up right behind its acknowledgement may overtake it.
                Fault::Refused { code: Some(10_015), .. } if began.elapsed() < Duration::from_secs(2) => {
                    pause
                }
                Fault::Unknown { .. } | Fault::Refused { .. } | Fault::Unauthorised => Duration::MAX,
            };
            if began.elapsed().saturating_add(wait) > LATER {
                tracing::warn!(%fault, "could not answer an interaction");
                return false;
            }
            pause = (pause * 2).min(Duration::from_secs(10));
            tokio::time::sleep(wait).await;
        }
    }

    /// Says a card as the first answer.
    pub(super) async fn say(&self, card: &Card, public: bool) -> bool {
        let mut flags = InteractionResponseFlags::empty();
        flags.set(InteractionResponseFlags::EPHEMERAL, !public);
        let message =
            CreateInteractionResponseMessage::new().allowed_mentions(nobody()).components(buttons(card));
        let message = if self.embeds {
            message.embeds(render::embeds(card, None)).flags(flags)
        } else {
            let flags = flags | InteractionResponseFlags::SUPPRESS_EMBEDS;
            message.content(render::text(card, "", None)).flags(flags)
        };
        self.first(&CreateInteractionResponse::Message(message)).await == First::Said
    }

    /// Gives an answer as the first one; a form only where one is possible.
    pub(super) async fn answer(&self, answer: &Answer, form_possible: bool) -> bool {
        match answer {
            Answer::Say { card, public } => self.say(card, *public).await,
            Answer::Ask(form) if form_possible => {
                self.first(&CreateInteractionResponse::Modal(modal(form))).await == First::Said
            }
            Answer::Ask(form) => self.say(&no_form(form), false).await,
        }
    }

    /// Acknowledges, to answer later: whether that will be seen by all is settled now. Returns whether it is still to
    /// be carried out. So is whatever comes in time; what was missed, only if Discord takes the deferral now or if our
    /// former self deferred it and came no further: what was answered or given up is not.
    pub(super) async fn defer(&self, public: bool) -> bool {
        #[derive(Deserialize)]
        struct Original {
            #[serde(default)]
            flags: u64,
        }
        let mut flags = InteractionResponseFlags::empty();
        flags.set(InteractionResponseFlags::EPHEMERAL, !public);
        let message = CreateInteractionResponseMessage::new().flags(flags);
        match self.first(&CreateInteractionResponse::Defer(message)).await {
            First::Said => true,
            First::Unsaid | First::SaidBefore if !self.missed => true,
            First::Unsaid => false,
            First::SaidBefore => {
                let ask = Call::original(Method::GET, &self.application, &self.token.0);
                let original = self.shared.rest.json::<Original>(ask).await;
                let open = original.is_ok_and(|o| o.flags & LOADING != 0);
                tracing::info!(open, "was acknowledged before");
                open
            }
        }
    }

    /// Offers completions.
    pub(super) async fn choices(&self, choices: &[Choice]) -> bool {
        let choices = choices
            .iter()
            .map(|choice| (render::bare(&choice.label), &choice.value))
            .filter(|(label, value)| {
                !label.trim().is_empty() && !value.trim().is_empty() && value.chars().count() <= 100
            })
            .take(25)
            .map(|(label, value)| AutocompleteChoice::new(cut(&label, 100), value.clone()))
            .collect();
        let response = CreateAutocompleteResponse::new().set_choices(choices);
        self.first(&CreateInteractionResponse::Autocomplete(response)).await == First::Said
    }

    /// Answers after a deferral that was seen by all (`public`) or only by whoever asked.
    pub(super) async fn finish(&self, answer: Answer, deferred_public: bool) {
        let (card, public) = match answer {
            Answer::Say { card, public } => (*card, public),
            Answer::Ask(form) => (no_form(&form), false),
        };
        match (deferred_public, public) {
            (true, true) | (false, false) => {
                self.edit(&card).await;
            }
            (true, false) => {
                let gone = || Call::original(Method::DELETE, &self.application, &self.token.0);
                self.later(gone, true).await;
                self.follow_up(&card, false).await;
            }
            (false, true) => {
                self.edit(&say::took_long()).await;
                self.follow_up(&card, true).await;
            }
        }
    }

    async fn edit(&self, card: &Card) -> bool {
        let edit = EditInteractionResponse::new().allowed_mentions(nobody()).components(buttons(card));
        let edit = if self.embeds {
            edit.embeds(render::embeds(card, None))
        } else {
            edit.content(render::text(card, "", None)).flags(MessageFlags::SUPPRESS_EMBEDS)
        };
        let make = || Call::original(Method::PATCH, &self.application, &self.token.0).json(&edit);
        self.later(make, true).await
    }

    async fn follow_up(&self, card: &Card, public: bool) -> bool {
        let mut flags = MessageFlags::empty();
        flags.set(MessageFlags::EPHEMERAL, !public);
        let more =
            CreateInteractionResponseFollowup::new().allowed_mentions(nobody()).components(buttons(card));
        let more = if self.embeds {
            more.embeds(render::embeds(card, None)).flags(flags)
        } else {
            more.content(render::text(card, "", None)).flags(flags | MessageFlags::SUPPRESS_EMBEDS)
        };
        let make = || Call::follow_up(&self.application, &self.token.0).json(&more);
        // Twice to the one who asked does no harm; twice to all would.
        self.later(make, !public).await
    }
}

fn no_form(form: &Form) -> Card {
    let names: Vec<String> = form.inputs.iter().map(|input| input.name.clone()).collect();
    say::no_form_here(&names)
}
