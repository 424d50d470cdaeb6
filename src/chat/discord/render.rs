//! Cards as Discord shows them: embeds, or plain text where embeds are not permitted.
//!
//! Discord counts in characters; we count UTF-16 units, which are never fewer. What people typed can do nothing:
//! markdown is escaped, mentions are broken, control and bidirectional characters are dropped. (That nothing
//! pings is ensured by `allowed_mentions` besides.)

use std::borrow::Cow;

use serenity::builder::{CreateEmbed, CreateEmbedFooter};

use crate::say::card::{Card, Line, Span, Tone, visible_char};
use crate::say::discord as say;

const TITLE: usize = 256;
const DESCRIPTION: usize = 4_096;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
const FIELDS: usize = 25;
const EMBEDS: usize = 10;
const ALL: usize = 6_000;
const CONTENT: usize = 2_000;
/// Our share of the 2048 that a footer may have; the rest is for text of ours that must not be lost.
const FOOTER: usize = 500;
/// Room kept for the words that say how much was left out.
const NOTE: usize = 100;
/// Longer addresses are not made clickable.
const LINK: usize = 400;

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Whether it is an id of Discord's.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 20
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u64>().is_ok_and(|n| n != 0)
}

/// Drops what is not to be seen.
fn visible(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(visible_char)
        // No more than this could be shown anywhere.
        .take(ALL + 1)
        .collect()
}

/// An address that can safely be shown as a link (in `<...>`, so that it is not previewed).
fn link(word: &str) -> Option<(&str, &str)> {
    let lower = word.get(..8).unwrap_or(word).to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return None;
    }
    let address = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'']);
    let rest = word.get(address.len()..).unwrap_or_default();
    let sound = (11..=LINK).contains(&address.len())
        && address.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%[]".contains(&b));
    sound.then_some((address, rest))
}

fn escape_word(word: &str, line_start: bool, out: &mut String) {
    let mut start = line_start;
    for (at, c) in word.char_indices() {
        // As Discord counts them: beside a letter of another alphabet it does emphasise.
        let beside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        match c {
            // Within a word it emphasises nothing: a rule's id reads as it is.
            '_' if beside(word.get(..at).and_then(|w| w.chars().next_back()))
                && beside(word.get(at + 1..).and_then(|w| w.chars().next())) =>
            {
                out.push('_');
            }
            '\\' | '*' | '_' | '~' | '|' | '`' | '<' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            '>' | '#' | '-' | '+' if start => {
                out.push('\\');
                out.push(c);
            }
            '@' => {
                out.push('@');
                let after = word.get(at + 1..).unwrap_or_default().to_lowercase();
                if after.starts_with("everyone") || after.starts_with("here") {
                    out.push('\u{200b}');
                }
            }
            c => out.push(c),
        }
        start = false;
    }
}

/// A person's text in one line where Discord shows neither markdown nor mentions: a suggestion.
pub(super) fn bare(text: &str) -> String {
    visible(text).replace('\n', " ")
}

/// Text that shows as it is and does nothing.
fn escape(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let mut start = true;
        for (j, word) in line.split(' ').enumerate() {
            if j > 0 {
                out.push(' ');
            }
            match link(word) {
                Some((address, rest)) => {
                    out.push('<');
                    out.push_str(address);
                    out.push('>');
                    escape_word(rest, false, &mut out);
                }
                None => escape_word(word, start, &mut out),
            }
            start = start && word.is_empty();
        }
    }
    out
}

/// In what surroundings a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where Discord shows markdown and mentions.
    Body,
    /// Where it shows markdown, but no mentions: titles and names of fields.
    Heading,
    /// Where it shows neither: footers.
    Bare,
}

/// A stretch of rendered text, which may be cut inside `body` only, and there only if it is `breakable`.
struct Piece {
    around: &'static str,
    body: String,
    breakable: bool,
}

impl Piece {
    fn whole(body: String) -> Self {
        Self { around: "", body, breakable: false }
    }

    fn text(body: String) -> Self {
        Self { around: "", body, breakable: true }
    }
}

fn pieces(line: &Line, place: Place) -> Vec<Piece> {
    let said = |text: &str| match place {
        Place::Body | Place::Heading => escape(text),
        Place::Bare => bare(text),
    };
    let body = place == Place::Body;
    line.0
        .iter()
        .map(|span| match span {
            Span::Text(text) | Span::Said(text) => Piece::text(said(text)),
            Span::Strong(text) => {
                let text = said(text);
                let bold = body && !text.trim().is_empty() && text.trim() == text;
                Piece { around: if bold { "**" } else { "" }, body: text, breakable: true }
            }
            Span::Code(text) => {
                let clean: String =
                    visible(text).replace('\n', " ").replace('`', "'").chars().take(500).collect();
                match place {
                    Place::Bare => Piece::text(clean),
                    Place::Body | Place::Heading if clean.trim().is_empty() => Piece::text(clean),
                    Place::Body | Place::Heading => Piece::whole(format!("`{clean}`")),
                }
            }
            Span::Date(day) => Piece::whole(day.format("%Y-%m-%d").to_string()),
            Span::Instant(at) if body => Piece::whole(format!("<t:{}:f>", at.timestamp())),
            Span::Instant(at) => Piece::whole(at.format("%Y-%m-%d %H:%M UTC").to_string()),
            Span::Person { handle, .. } if body && is_id(handle) => Piece::whole(format!("<@{handle}>")),
            Span::Person { name, .. } => Piece::text(said(name)),
            Span::Role(id) if body && is_id(id) => Piece::whole(format!("<@&{id}>")),
            Span::Channel(id) if body && is_id(id) => Piece::whole(format!("<#{id}>")),
            Span::Role(id) | Span::Channel(id) => Piece::text(said(id)),
        })
        .filter(|piece| !piece.body.is_empty())
        .collect()
}

/// How many bytes at the start of escaped text belong together.
fn atom(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    if text.starts_with('\\') {
        return first + text.chars().nth(1).map_or(0, char::len_utf8);
    }
    if text.starts_with("<http") {
        return text.find('>').map_or(first, |end| end + 1);
    }
    first
}

/// Where to cut `text` so that at most `room` units stand before the cut: at a space if one is near.
fn cut(text: &str, room: usize) -> usize {
    let (mut at, mut used, mut space) = (0, 0, None);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = atom(rest).max(1);
        let piece = rest.get(..length).unwrap_or(rest);
        used += units(piece);
        if used > room {
            break;
        }
        at += piece.len();
        if matches!(piece, " " | "\n") {
            space = Some(at);
        }
    }
    match space {
        Some(space) if at < text.len() && at - space <= 60 && space > 0 => space,
        _ => at,
    }
}

/// A line in stretches of at most `most` units; the first of at most `first`.
fn chunks(line: &Line, place: Place, first: usize, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut current = String::new();
    let mut room = first;
    for Piece { around, body, breakable } in pieces(line, place) {
        let mut body = Cow::from(body);
        while !body.is_empty() {
            let free = room.saturating_sub(units(&current));
            let extra = 2 * around.len();
            if units(&body) + extra <= free {
                current.push_str(around);
                current.push_str(&body);
                current.push_str(around);
                break;
            }
            let at = if breakable && free > extra + 8 { cut(&body, free - extra) } else { 0 };
            if at > 0 {
                let (now, later) = body.split_at(at);
                current.push_str(around);
                current.push_str(now.trim_end_matches([' ', '\n']));
                current.push_str(around);
                // What stood in a line stands at the beginning of one now, where it would be a heading or a list.
                body = match later.chars().next() {
                    Some('>' | '#' | '-' | '+') if place != Place::Bare => format!("\\{later}").into(),
                    _ => later.to_owned().into(),
                };
            } else if current.is_empty() {
                // Nothing fits at all; what can't be cut is dropped rather than let past the limit.
                break;
            }
            out.push(std::mem::take(&mut current));
            room = most;
        }
    }
    if !current.is_empty() || out.is_empty() {
        out.push(current);
    }
    out
}

/// A line in at most `most` units, with `…` where it had to be cut.
fn short(line: &Line, place: Place, most: usize) -> String {
    let mut chunks = chunks(line, place, most, most).into_iter();
    let first = chunks.next().unwrap_or_default();
    if chunks.next().is_none() {
        return first;
    }
    let mut again =
        self::chunks(line, place, most.saturating_sub(1), most).into_iter().next().unwrap_or_default();
    again.push('…');
    again
}

fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Plain => 0x5b_6e_8c,
        Tone::Good => 0x2e_8b_57,
        Tone::Warning => 0xd9_9a_1c,
        Tone::Alarm => 0xc0_39_2b,
        Tone::Refusal => 0x7f_7f_7f,
    }
}

fn footer(card: &Card, left_out: usize, reference: Option<&str>) -> String {
    let mut parts = Vec::new();
    if left_out > 0 {
        parts.push(say::left_out(left_out));
    }
    let own = card.footer.as_ref().map(|line| short(line, Place::Bare, FOOTER)).unwrap_or_default();
    let own = own.trim();
    if !own.is_empty() {
        parts.push(own.to_owned());
    }
    if let Some(reference) = reference
        && !own.split([' ', '·', ',']).any(|word| word == reference)
    {
        parts.push(visible(reference).chars().take(100).collect());
    }
    parts.join(" · ")
}

/// One embed in the making.
#[derive(Default)]
struct Sheet {
    description: String,
    fields: Vec<(String, String)>,
}

/// A mark as long as those of messages.
const A_MARK: &str = "ckd-0123456789";

/// Whether one message shows all of a card, in embeds or as plain text.
pub(super) fn holds(card: &Card, embeds: bool) -> bool {
    // As many mentions in front as there can be.
    if embeds { in_embeds(card, Some(A_MARK)).1 } else { in_text(card, &"@".repeat(400), Some(A_MARK)).1 }
}

/// A card as embeds, within every limit of Discord's.
pub(super) fn embeds(card: &Card, reference: Option<&str>) -> Vec<CreateEmbed> {
    in_embeds(card, reference).0
}

/// The same, and whether all of it is there.
fn in_embeds(card: &Card, reference: Option<&str>) -> (Vec<CreateEmbed>, bool) {
    let title = short(&card.title, Place::Heading, TITLE).replace('\n', " ");
    let title = title.trim().to_owned();
    let mut room = ALL - units(&title) - units(&footer(card, 0, reference)) - NOTE;

    // Every field as the parts it will have, each with how many lines stand in it.
    let mut fields: Vec<(String, String, usize)> = Vec::new();
    for field in &card.fields {
        let heading =
            short(&Line::from(field.name.as_str()), Place::Heading, FIELD_NAME - 20).replace('\n', " ");
        let heading = if heading.trim().is_empty() { "–".to_owned() } else { heading.trim().to_owned() };
        let mut first = true;
        let mut value = String::new();
        let mut count = 0;
        let mut close = |value: &mut String, count: &mut usize| {
            let name = if first { heading.clone() } else { say::continued(&heading) };
            first = false;
            let text = std::mem::take(value);
            let text = if text.trim().is_empty() { "–".to_owned() } else { text };
            fields.push((name, text, std::mem::take(count)));
        };
        for line in &field.lines {
            for chunk in chunks(line, Place::Body, FIELD_VALUE, FIELD_VALUE) {
                if count > 0 && units(&value) + 1 + units(&chunk) > FIELD_VALUE {
                    close(&mut value, &mut count);
                }
                if count > 0 {
                    value.push('\n');
                }
                value.push_str(&chunk);
                count += 1;
            }
        }
        close(&mut value, &mut count);
    }
    let for_fields: usize = fields.iter().map(|(name, value, _)| units(name) + units(value)).sum();

    let mut sheets = vec![Sheet::default()];
    let (mut left_out, mut whole) = (0, true);

    // The text: all of it if there is room, else what the fields leave, and two thirds at the least.
    let mut for_lines = room.saturating_sub(for_fields).max(room * 2 / 3);
    let lines: Vec<String> =
        card.lines.iter().flat_map(|line| chunks(line, Place::Body, DESCRIPTION, DESCRIPTION)).collect();
    let mut lines = lines.into_iter();
    while let Some(chunk) = lines.next() {
        let need = units(&chunk) + 1;
        if need > for_lines {
            whole = false;
            left_out += lines.len();
            let start = cut(&chunk, for_lines.saturating_sub(2));
            match chunk.get(..start).filter(|part| units(part) > 40) {
                Some(part) => {
                    room = room.saturating_sub(units(part) + 2);
                    push_line(&mut sheets, &format!("{}…", part.trim_end()));
                }
                None => left_out += 1,
            }
            break;
        }
        for_lines -= need;
        room = room.saturating_sub(need);
        push_line(&mut sheets, &chunk);
    }

    let mut fields = fields.into_iter();
    while let Some((name, value, count)) = fields.next() {
        let need = units(&name) + units(&value);
        let full = sheets.last().is_none_or(|sheet| sheet.fields.len() >= FIELDS);
        if need > room || (full && sheets.len() >= EMBEDS) {
            left_out += count + fields.map(|(_, _, count)| count).sum::<usize>();
            break;
        }
        room -= need;
        if full {
            sheets.push(Sheet::default());
        }
        if let Some(sheet) = sheets.last_mut() {
            sheet.fields.push((name, value));
        }
    }

    let last = sheets.len() - 1;
    let footer = footer(card, left_out, reference);
    let embeds = sheets
        .into_iter()
        .enumerate()
        .map(|(i, sheet)| {
            let mut embed = CreateEmbed::new().colour(colour(card.tone));
            if i == 0 && !title.is_empty() {
                embed = embed.title(title.clone());
            }
            let description = sheet.description.trim_matches('\n');
            if !description.trim().is_empty() {
                embed = embed.description(description);
            } else if sheet.fields.is_empty() && (i > 0 || title.is_empty()) {
                embed = embed.description("–");
            }
            embed = embed.fields(sheet.fields.into_iter().map(|(name, value)| (name, value, false)));
            if i == last && !footer.is_empty() {
                embed = embed.footer(CreateEmbedFooter::new(footer.clone()));
            }
            embed
        })
        .collect();
    (embeds, whole && left_out == 0)
}

/// Adds a line to the last description, or to a further embed where it is full.
fn push_line(sheets: &mut Vec<Sheet>, line: &str) {
    let full = sheets.last().is_none_or(|sheet| {
        !sheet.description.is_empty() && units(&sheet.description) + 1 + units(line) > DESCRIPTION
    });
    if full {
        sheets.push(Sheet::default());
    }
    if let Some(sheet) = sheets.last_mut() {
        if !sheet.description.is_empty() {
            sheet.description.push('\n');
        }
        sheet.description.push_str(line);
    }
}

/// A card as one message of plain text that begins with `before` (the mentions), within Discord's limit.
pub(super) fn text(card: &Card, before: &str, reference: Option<&str>) -> String {
    in_text(card, before, reference).0
}

/// The same, and whether all of it is there.
fn in_text(card: &Card, before: &str, reference: Option<&str>) -> (String, bool) {
    let title = short(&card.title, Place::Heading, TITLE).replace('\n', " ");
    let mut all: Vec<String> = Vec::new();
    for line in &card.lines {
        all.extend(chunks(line, Place::Body, 1_000, 1_000));
    }
    for field in &card.fields {
        all.push(format!("**{}**", short(&Line::from(field.name.as_str()), Place::Heading, FIELD_NAME)));
        for line in &field.lines {
            all.extend(chunks(line, Place::Body, 1_000, 1_000));
        }
    }
    let mut out: String = before.chars().take(400).collect();
    if !title.trim().is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("**");
        out.push_str(title.trim());
        out.push_str("**");
    }
    // A footer's words are escaped here, since here they would be markdown.
    let tail = |left_out: usize| -> String {
        let words = footer(card, left_out, reference);
        if words.is_empty() { String::new() } else { format!("\n-# {}", escape(&words)) }
    };
    let keep = units(&tail(0)) + NOTE;
    let (mut left_out, mut whole) = (0, true);
    let mut lines = all.into_iter();
    while let Some(line) = lines.next() {
        let free = (CONTENT - keep).saturating_sub(units(&out) + 1);
        if units(&line) > free {
            whole = false;
            left_out += lines.len();
            let at = cut(&line, free.saturating_sub(1));
            match line.get(..at).filter(|part| units(part) > 40) {
                Some(part) => {
                    out.push('\n');
                    out.push_str(part.trim_end());
                    out.push('…');
                }
                None => left_out += 1,
            }
            break;
        }
        out.push('\n');
        out.push_str(&line);
    }
    out.push_str(&tail(left_out));
    let out = out.trim().to_owned();
    (if out.is_empty() { "–".to_owned() } else { out }, whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::card::Field;
    use proptest::prelude::*;

    fn json(card: &Card) -> Vec<serde_json::Value> {
        embeds(card, Some("ref-7k2q")).iter().map(|e| serde_json::to_value(e).unwrap()).collect()
    }

    fn words(value: &serde_json::Value) -> usize {
        value.as_str().map_or(0, units)
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            ".{0,40}",
            "[ -~\n]{0,300}",
            Just("x".repeat(5_000)),
            Just("*_`<@1> https://example.org/a_b ".repeat(150)),
            Just("🦀".repeat(1_500)),
            Just("\\".repeat(3_000)),
            Just(String::new()),
            Just("\u{202e}\u{200b}\n\n  ".to_owned()),
        ]
    }

    fn any_span() -> impl Strategy<Value = Span> {
        prop_oneof![
            any_text().prop_map(Span::Said),
            any_text().prop_map(Span::Text),
            any_text().prop_map(Span::Strong),
            any_text().prop_map(Span::Code),
            ("[0-9]{0,22}", any_text()).prop_map(|(handle, name)| Span::Person { handle, name }),
            any_text().prop_map(Span::Channel),
            Just(Span::Instant(chrono::DateTime::UNIX_EPOCH)),
        ]
    }

    fn any_line() -> impl Strategy<Value = Line> {
        proptest::collection::vec(any_span(), 0..3).prop_map(Line)
    }

    fn any_card() -> impl Strategy<Value = Card> {
        let lines = || proptest::collection::vec(any_line(), 0..8);
        let fields = proptest::collection::vec(
            (any_text(), proptest::collection::vec(any_line(), 0..6))
                .prop_map(|(name, lines)| Field { name, lines }),
            0..32,
        );
        (any_line(), lines(), fields, proptest::option::of(any_line())).prop_map(
            |(title, lines, fields, footer)| Card {
                title,
                tone: Tone::Plain,
                lines,
                fields,
                footer,
                offers: None,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn no_card_breaks_a_limit(card in any_card()) {
            let all = json(&card);
            prop_assert!((1..=10).contains(&all.len()));
            let mut sum = 0;
            for embed in &all {
                let (title, description) = (words(&embed["title"]), words(&embed["description"]));
                let footer = words(&embed["footer"]["text"]);
                prop_assert!(title <= 256 && description <= 4096 && footer <= 2048);
                let none = Vec::new();
                let fields = embed["fields"].as_array().unwrap_or(&none);
                prop_assert!(fields.len() <= 25);
                sum += title + description + footer;
                for field in fields {
                    let (name, value) = (words(&field["name"]), words(&field["value"]));
                    prop_assert!((1..=256).contains(&name), "name {name}");
                    prop_assert!((1..=1024).contains(&value), "value {value}");
                    prop_assert!(!field["value"].as_str().unwrap().trim().is_empty());
                    sum += name + value;
                }
                prop_assert!(title + description + footer + fields.len() > 0);
            }
            prop_assert!(sum <= 6000, "sum {sum}");
            let last = all.last().unwrap();
            prop_assert!(last["footer"]["text"].as_str().unwrap().contains("ref-7k2q"));
            let text = text(&card, "<@123456789012345678>", Some("ref-7k2q"));
            prop_assert!((1..=2000).contains(&units(&text)));
            prop_assert!(text.contains("ref\\-7k2q") || text.contains("ref-7k2q"));
        }

        #[test]
        fn nothing_that_people_type_mentions(said in "[@<>&!#a-z0-9: ]{0,30}(@everyone|@here|<@&?[0-9]{17,19}>|<#1>|</a:1>).{0,9}") {
            let shown = escape(&said);
            prop_assert!(!shown.contains("@everyone") && !shown.contains("@here"));
            let bytes = shown.as_bytes();
            for (at, _) in shown.match_indices('<') {
                prop_assert!(at > 0 && bytes[at - 1] == b'\\', "{shown}");
            }
        }
    }

    #[test]
    fn what_people_type_shows_as_typed_and_does_nothing() {
        assert_eq!(
            escape("**bold** _it_ `x` ||s|| ~~y~~ [a](b)"),
            "\\*\\*bold\\*\\* \\_it\\_ \\`x\\` \\|\\|s\\|\\| \\~\\~y\\~\\~ \\[a\\](b)"
        );
        assert_eq!(escape("# big\n> quote\n- item\n1 - 2"), "\\# big\n\\> quote\n\\- item\n1 - 2");
        assert_eq!(escape("@everyone <@123> <t:1:R>"), "@\u{200b}everyone \\<@123> \\<t:1:R>");
        assert_eq!(escape("a\u{202e}b\u{0}c\u{1b}[31m"), "abc\\[31m");
        assert_eq!(escape("see https://x.example/a_b."), "see <https://x.example/a_b>.");
        assert_eq!(escape("a_b é_é_é"), "a_b é\\_é\\_é");
        assert_eq!(escape("https://x.example/`a`"), "https://x.example/\\`a\\`");
    }

    #[test]
    fn spans_have_their_discord_form() {
        let line = Line::new()
            .strong("Due")
            .text(" ")
            .date(chrono::NaiveDate::from_ymd_opt(2027, 3, 2).unwrap())
            .text(" ")
            .instant(chrono::DateTime::UNIX_EPOCH)
            .text(" ")
            .person("123456789012345678", "Ann")
            .text(" ")
            .person("Bob_", "Bob_")
            .text(" ")
            .channel("5")
            .text(" ")
            .role("6")
            .text(" ")
            .code("/nc `show`");
        let card = Card::new(Tone::Good, "T").line(line);
        assert_eq!(
            json(&card)[0]["description"],
            "**Due** 2027-03-02 <t:0:f> <@123456789012345678> Bob\\_ <#5> <@&6> `/nc 'show'`"
        );
    }

    #[test]
    fn a_long_text_begins_no_heading_where_it_is_cut() {
        for markup in ["# ", "> ", "- ", "+ ", ">>> ", "### ", "-# "] {
            for at in [1_000, 1_023, 1_024, 1_025, 4_095] {
                let said = format!("{}{markup}big", "x".repeat(at));
                let card = Card::new(Tone::Plain, "T").field("F", vec![Line::new().said(&said)]);
                let embeds = json(&card);
                for field in embeds.iter().flat_map(|e| e["fields"].as_array().into_iter().flatten()) {
                    let value = field["value"].as_str().unwrap().to_owned();
                    assert!(!value.starts_with(['>', '#', '-', '+']), "{at} {markup}: {value}");
                }
                for line in text(&card, "", None).lines().skip(1).filter(|line| !line.starts_with("-# …")) {
                    assert!(!line.starts_with(['>', '#', '-', '+']), "{at} {markup}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_long_card_says_how_much_was_left_out() {
        let mut card = Card::new(Tone::Plain, "Long");
        for i in 0..200 {
            card = card.line(format!("line {i} {}", "x".repeat(100)));
        }
        let all = json(&card);
        assert_eq!(all.len(), 2);
        let footer = all[1]["footer"]["text"].as_str().unwrap();
        assert!(footer.starts_with("… 14"), "{footer}");
        assert!(text(&card, "", None).ends_with("left out"));
        assert!(!holds(&card, true) && !holds(&card, false));
        card.lines.truncate(20);
        assert!(holds(&card, true) && !holds(&card, false));
        card.lines.truncate(10);
        assert!(holds(&card, true) && holds(&card, false));
    }
}
