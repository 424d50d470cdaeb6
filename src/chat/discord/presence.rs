//! Who is still there: asked of Discord before somebody is mentioned, since who leaves a server is told to bots with a
//! privileged intent only.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::render;
use super::rest::{Call, Fault, Rest};
use crate::chat::Ask;

/// How long somebody who was there is taken to be there.
const KNOWN: Duration = Duration::from_mins(10);
/// How long the same is assumed where it could not be asked.
const ASSUMED: Duration = Duration::from_mins(1);
/// How long a reminder waits for the answer.
const WAIT: Duration = Duration::from_secs(2);
/// So many members are remembered.
const MOST: usize = 1_024;

/// The roles of a server, where they could be told.
#[derive(Debug, Clone)]
struct Roles {
    until: Instant,
    there: Option<HashSet<String>>,
}

/// What was found lately.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// By server and user: until when they are taken to be there.
    members: Mutex<HashMap<(String, String), Instant>>,
    /// By server.
    roles: Mutex<HashMap<String, Roles>>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Presence {
    /// A role of a server was deleted.
    pub(super) fn forget_roles(&self, guild: &str) {
        lock(&self.roles).remove(guild);
    }

    /// Those of `asked` that are certainly no longer in a server; whoever cannot be asked after counts as there.
    pub(super) async fn gone(&self, rest: &Rest, guild: &str, asked: &[Ask]) -> Vec<Ask> {
        let mut gone = Vec::new();
        for ask in asked {
            let left = match ask {
                Ask::Person(id) | Ask::Role(id) if !render::is_id(id) => false,
                Ask::Person(id) => self.left(rest, guild, id).await,
                Ask::Role(id) => self.deleted(rest, guild, id).await,
            };
            if left {
                gone.push(ask.clone());
            }
        }
        gone
    }

    async fn left(&self, rest: &Rest, guild: &str, user: &str) -> bool {
        let key = (guild.to_owned(), user.to_owned());
        if lock(&self.members).get(&key).is_some_and(|until| Instant::now() < *until) {
            return false;
        }
        let call = Call::get(format!("/guilds/{guild}/members/{user}")).patience(WAIT).deadline(WAIT);
        let known = match rest.send(call).await {
            Ok(_) => KNOWN,
            // Unknown Member, Unknown User.
            Err(Fault::Refused { status: 404, code: Some(10_007 | 10_013), .. }) => {
                lock(&self.members).remove(&key);
                return true;
            }
            Err(fault) => {
                tracing::debug!(guild, %fault, "whether a member is still there could not be told");
                ASSUMED
            }
        };
        let (mut members, now) = (lock(&self.members), Instant::now());
        if members.len() >= MOST {
            members.retain(|_, until| now < *until);
        }
        members.insert(key, now + known);
        false
    }

    async fn deleted(&self, rest: &Rest, guild: &str, role: &str) -> bool {
        #[derive(Deserialize)]
        struct Role {
            id: String,
        }
        let there = |roles: &Roles| roles.there.as_ref().is_none_or(|there| there.contains(role));
        let known = lock(&self.roles).get(guild).filter(|roles| Instant::now() < roles.until).cloned();
        // One that is not among those known may have been made since.
        let roles = match known.filter(there) {
            Some(roles) => roles,
            None => {
                let call = Call::get(format!("/guilds/{guild}/roles")).patience(WAIT).deadline(WAIT);
                let roles = match rest.json::<Vec<Role>>(call).await {
                    Ok(roles) => Roles {
                        until: Instant::now() + KNOWN,
                        there: Some(roles.into_iter().map(|role| role.id).collect()),
                    },
                    Err(fault) => {
                        tracing::debug!(guild, %fault, "which roles there are could not be told");
                        Roles { until: Instant::now() + ASSUMED, there: None }
                    }
                };
                lock(&self.roles).insert(guild.to_owned(), roles.clone());
                roles
            }
        };
        !there(&roles)
    }
}
