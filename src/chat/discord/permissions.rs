//! What the bot may do in a channel, by Discord's rules.

use serde::Deserialize;
use serenity::model::permissions::Permissions;

use super::rest::{Call, Fault, Rest};

/// What the bot needs where it posts, with Discord's names for it.
pub(super) const POSTING: [&str; 2] = ["View Channel", "Send Messages"];

const NEEDED: [(Permissions, &str); 5] = [
    (Permissions::VIEW_CHANNEL, "View Channel"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
    (Permissions::ATTACH_FILES, "Attach Files"),
];

/// A set of permissions as Discord writes it: a decimal number in a string.
pub(super) fn parse(text: &str) -> Option<Permissions> {
    text.parse().ok().map(Permissions::from_bits_retain)
}

/// Which of the needed permissions are not among `held`.
pub(super) fn missing(held: Permissions) -> Vec<String> {
    if held.contains(Permissions::ADMINISTRATOR) {
        return Vec::new();
    }
    NEEDED.iter().filter(|(bit, _)| !held.contains(*bit)).map(|(_, name)| (*name).to_owned()).collect()
}

#[derive(Debug, Deserialize)]
struct Channel {
    #[serde(default)]
    guild_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
}

#[derive(Debug, Clone, Deserialize)]
struct Overwrite {
    id: String,
    #[serde(default)]
    allow: String,
    #[serde(default)]
    deny: String,
}

#[derive(Debug, Deserialize)]
struct Role {
    id: String,
    #[serde(default)]
    permissions: String,
}

#[derive(Debug, Deserialize)]
struct Member {
    #[serde(default)]
    roles: Vec<String>,
}

/// The rules: <https://discord.com/developers/docs/topics/permissions#permission-overwrites>.
fn compute(guild: &str, me: &str, roles: &[Role], mine: &[String], overwrites: &[Overwrite]) -> Permissions {
    let mut held = Permissions::empty();
    for role in roles.iter().filter(|role| role.id == guild || mine.contains(&role.id)) {
        held |= parse(&role.permissions).unwrap_or_default();
    }
    if held.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }
    let mut apply = |of: &dyn Fn(&Overwrite) -> bool| {
        let (mut allow, mut deny) = (Permissions::empty(), Permissions::empty());
        for overwrite in overwrites.iter().filter(|o| of(o)) {
            allow |= parse(&overwrite.allow).unwrap_or_default();
            deny |= parse(&overwrite.deny).unwrap_or_default();
        }
        held = (held - deny) | allow;
    };
    apply(&|o| o.id == guild);
    apply(&|o| o.id != guild && mine.contains(&o.id));
    apply(&|o| o.id == me);
    if !held.contains(Permissions::VIEW_CHANNEL) {
        return Permissions::empty();
    }
    if !held.contains(Permissions::SEND_MESSAGES) {
        held -= Permissions::EMBED_LINKS | Permissions::ATTACH_FILES | Permissions::MENTION_EVERYONE;
    }
    held
}

/// A channel's name and what the bot lacks there, asked of Discord.
pub(super) async fn look_up(rest: &Rest, me: &str, channel: &str) -> Result<(String, Vec<String>), Fault> {
    let found = rest.json::<Channel>(Call::get(format!("/channels/{channel}"))).await;
    let found = match found {
        Err(Fault::Refused { status: 403, code: Some(50_001), .. }) => {
            return Ok((String::new(), vec!["View Channel".to_owned()]));
        }
        other => other?,
    };
    let name = found.name.unwrap_or_default();
    let Some(guild) = found.guild_id else { return Ok((name, Vec::new())) };
    let (roles, member) = futures_util::future::try_join(
        rest.json::<Vec<Role>>(Call::get(format!("/guilds/{guild}/roles"))),
        rest.json::<Member>(Call::get(format!("/guilds/{guild}/members/{me}"))),
    )
    .await?;
    let held = compute(&guild, me, &roles, &member.roles, &found.permission_overwrites);
    Ok((name, missing(held)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(id: &str, held: Permissions) -> Role {
        Role { id: id.to_owned(), permissions: held.bits().to_string() }
    }

    fn over(id: &str, allow: Permissions, deny: Permissions) -> Overwrite {
        Overwrite { id: id.to_owned(), allow: allow.bits().to_string(), deny: deny.bits().to_string() }
    }

    #[test]
    fn overwrites_apply_in_discords_order() {
        let all: Permissions = NEEDED.iter().map(|(p, _)| *p).collect();
        let none = Permissions::empty();
        let roles = [role("1", all), role("5", none), role("6", Permissions::ADMINISTRATOR)];
        let mine = ["5".to_owned()];
        assert!(missing(compute("1", "9", &roles, &mine, &[])).is_empty());
        // Everyone is denied, the role is allowed again.
        let overwrites = [over("1", none, all), over("5", all - Permissions::EMBED_LINKS, none)];
        assert_eq!(missing(compute("1", "9", &roles, &mine, &overwrites)), ["Embed Links"]);
        // The member's own overwrite comes last.
        let overwrites = [over("5", all, none), over("9", none, Permissions::SEND_MESSAGES)];
        assert_eq!(
            missing(compute("1", "9", &roles, &mine, &overwrites)),
            ["Send Messages", "Embed Links", "Attach Files"]
        );
        // A role's denial loses to another role's allowance.
        let both = ["5".to_owned(), "7".to_owned()];
        let overwrites = [over("5", none, all), over("7", all, none)];
        assert!(missing(compute("1", "9", &roles, &both, &overwrites)).is_empty());
        // An administrator is not bound by overwrites; a role not held changes nothing.
        let overwrites = [over("1", none, all)];
        assert!(missing(compute("1", "9", &roles, &["6".to_owned()], &overwrites)).is_empty());
        assert_eq!(missing(compute("1", "9", &roles, &mine, &overwrites)).len(), 5);
    }
}
