//! Cards as text for a terminal. What a tone means is said by a sign, too, never by its colour alone; nothing
//! that a person typed can move the cursor, change colours or reverse the direction of the text.

use chrono::{DateTime, TimeZone};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::chat::Ask;
use crate::say::card::{Card, Field, Line, Span, Tone, visible_char};

/// The least width that text is laid out for.
const NARROWEST: usize = 24;
/// Names of fields wider than this stand above their text, not beside it.
const WIDEST_NAME: usize = 20;

/// How a terminal shows things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether it shows colours.
    pub colour: bool,
    /// How many columns it has.
    pub width: usize,
}

/// What a stretch of text is, for whoever colours it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Running text.
    Plain,
    /// Emphasised.
    Strong,
    /// To be typed or copied.
    Code,
    /// A date or an instant.
    Date,
    /// A person, role or channel.
    Mention,
    /// A field's name.
    Name,
    /// The small print.
    Dim,
    /// The sign of the card's tone.
    Sign,
}

/// A stretch of text in one ink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The text, without line breaks and control characters.
    pub text: String,
    /// Its ink.
    pub ink: Ink,
}

/// One row of a layout.
pub type Row = Vec<Run>;

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Makes a text harmless: line breaks stay, tabs become spaces, every other control character goes, and so do
/// the characters that reorder or hide text.
pub fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").chars().filter_map(visible_char).collect()
}

/// The sign that says what a tone means.
pub fn sign(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some("✓"),
        Tone::Warning => Some("▲"),
        Tone::Alarm => Some("!!"),
        Tone::Refusal => Some("✗"),
    }
}

/// A card as rows of at most `width` columns, without its frame.
pub fn layout(card: &Card, width: usize) -> Vec<Row> {
    let width = width.max(NARROWEST);
    let mut title: Row =
        sign(card.tone).map(|sign| Run { text: format!("{sign} "), ink: Ink::Sign }).into_iter().collect();
    title.extend(
        runs(&card.title, Ink::Strong)
            .into_iter()
            .map(|run| if run.ink == Ink::Date { Run { ink: Ink::Strong, ..run } } else { run }),
    );
    let mut rows = wrap(title, width, 0);
    for line in &card.lines {
        rows.extend(wrap(runs(line, Ink::Plain), width, 0));
    }
    rows.extend(fields(&card.fields, width));
    if let Some(footer) = &card.footer {
        rows.push(Row::new());
        let dim = runs(footer, Ink::Dim).into_iter().map(|run| Run { ink: Ink::Dim, ..run }).collect();
        rows.extend(wrap(dim, width, 0));
    }
    rows
}

/// The fields: short ones as a table, the others with their name above.
fn fields(fields: &[Field], width: usize) -> Vec<Row> {
    let short = |field: &Field| field.lines.len() == 1 && columns(&field.name) <= WIDEST_NAME;
    let names = fields.iter().filter(|field| short(field)).map(|field| columns(&clean(&field.name))).max();
    let column = names.unwrap_or_default() + 2;
    let mut rows = Vec::new();
    let mut table = false;
    for field in fields {
        let name = clean(&field.name).replace('\n', " ");
        if short(field) {
            if !table {
                rows.push(Row::new());
            }
            table = true;
            let pad = " ".repeat(column.saturating_sub(columns(&name)));
            let mut row = vec![Run { text: format!("{name}{pad}"), ink: Ink::Name }];
            row.extend(field.lines.iter().flat_map(|line| runs(line, Ink::Plain)));
            rows.extend(wrap(row, width, column));
        } else {
            table = false;
            rows.push(Row::new());
            rows.extend(wrap(vec![Run { text: name, ink: Ink::Name }], width, 0));
            for line in &field.lines {
                let mut row = vec![Run { text: "  ".to_owned(), ink: Ink::Plain }];
                row.extend(runs(line, Ink::Plain));
                rows.extend(wrap(row, width, 2));
            }
        }
    }
    rows
}

/// A line's spans as runs; `base` is the ink of plain words.
fn runs(line: &Line, base: Ink) -> Vec<Run> {
    line.0
        .iter()
        .map(|span| {
            let (text, ink) = match span {
                Span::Text(text) | Span::Said(text) => (text.clone(), base),
                Span::Strong(text) => (text.clone(), Ink::Strong),
                Span::Code(text) => (text.clone(), Ink::Code),
                Span::Date(day) => (day.format("%Y-%m-%d").to_string(), Ink::Date),
                Span::Instant(at) => (at.format("%Y-%m-%d %H:%M UTC").to_string(), Ink::Date),
                Span::Person { name, .. } => (format!("@{}", name.trim_start_matches('@')), Ink::Mention),
                Span::Role(id) => (format!("@{}", id.trim_start_matches('@')), Ink::Mention),
                Span::Channel(id) => (format!("#{}", id.trim_start_matches('#')), Ink::Mention),
            };
            Run { text: clean(&text), ink }
        })
        .collect()
}

/// Breaks runs into rows of at most `width` columns, at white space where there is any. Rows after the first are
/// indented by `hang`, or under the text of a bullet.
pub fn wrap(runs: Vec<Run>, width: usize, hang: usize) -> Vec<Row> {
    let width = width.max(hang + 8);
    let mut rows = vec![Row::new()];
    let mut used = 0;
    let hang = hang + bullet(&runs);
    let hang = if hang + 8 > width { 0 } else { hang };
    let mut fresh = true;
    for run in runs {
        for (index, part) in run.text.split('\n').enumerate() {
            if index > 0 {
                rows.push(indent(hang));
                (used, fresh) = (hang, true);
            }
            for token in tokens(part) {
                let blank = token.trim().is_empty();
                let mut wide = columns(token);
                if used + wide <= width {
                    push(&mut rows, token, run.ink);
                    used += wide;
                    fresh = fresh && blank;
                    continue;
                }
                if blank {
                    // White space at a break is the break.
                    used = width;
                    continue;
                }
                if !fresh {
                    rows.push(indent(hang));
                    used = hang;
                }
                // A word longer than a row is broken where the row ends.
                let mut rest = token;
                while used + wide > width {
                    let cut = fitting(rest, width.saturating_sub(used));
                    let (head, tail) = rest.split_at(cut);
                    push(&mut rows, head, run.ink);
                    rows.push(indent(hang));
                    (used, rest) = (hang, tail);
                    wide = columns(rest);
                }
                push(&mut rows, rest, run.ink);
                used += wide;
                fresh = rest.is_empty();
            }
        }
    }
    for row in &mut rows {
        while let Some(last) = row.last_mut() {
            last.text.truncate(last.text.trim_end().len());
            if !last.text.is_empty() {
                break;
            }
            row.pop();
        }
    }
    rows
}

/// How wide the bullet is that a line begins with, if it begins with one.
fn bullet(runs: &[Run]) -> usize {
    let mut begin = runs.iter().flat_map(|run| run.text.chars()).skip_while(|c| *c == ' ');
    match (begin.next(), begin.next()) {
        (Some(mark), Some(' ')) if !mark.is_alphanumeric() => mark.width().unwrap_or_default() + 1,
        _ => 0,
    }
}

fn indent(by: usize) -> Row {
    if by == 0 { Row::new() } else { vec![Run { text: " ".repeat(by), ink: Ink::Plain }] }
}

fn push(rows: &mut [Row], text: &str, ink: Ink) {
    if text.is_empty() {
        return;
    }
    if let Some(row) = rows.last_mut() {
        match row.last_mut() {
            Some(last) if last.ink == ink => last.text.push_str(text),
            _ => row.push(Run { text: text.to_owned(), ink }),
        }
    }
}

/// How many bytes of a text fit into `width` columns; at least one character.
fn fitting(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or_default();
        if used > width && at > 0 {
            return at;
        }
    }
    text.len()
}

/// Splits a text into stretches that are all white space, or none.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let blank = first == ' ';
        let end = rest.find(|c: char| (c == ' ') != blank).unwrap_or(rest.len());
        let (token, tail) = rest.split_at(end);
        tokens.push(token);
        rest = tail;
    }
    tokens
}

/// A card for the terminal, with a bar at its left in the tone's colour. Ends with a line break.
pub fn render(card: &Card, style: Style) -> String {
    let bar = paint("▌", Some(hue(card.tone)), style);
    let mut out = String::new();
    for row in layout(card, style.width.saturating_sub(2)) {
        out.push_str(&bar);
        for (index, run) in row.iter().enumerate() {
            if index == 0 {
                out.push(' ');
            }
            out.push_str(&paint(&run.text, escape(run.ink, card.tone), style));
        }
        out.push('\n');
    }
    out
}

/// A post as its channel would show it: where and when (in the organisation's zone), whom it asks, what it says.
pub fn message<Z: TimeZone>(
    channel: &str,
    at: &DateTime<Z>,
    cards: &[Card],
    asks: &[Ask],
    style: Style,
) -> String {
    let channel = clean(channel).replace('\n', " ");
    let when = at.naive_local().format("%a %Y-%m-%d %H:%M");
    let mut out = paint(&format!("#{}", channel.trim_start_matches('#')), Some("1;36"), style);
    out.push_str(&paint(&format!(" · {when}"), Some("2"), style));
    out.push('\n');
    if !asks.is_empty() {
        let names: Vec<String> = asks.iter().map(mention).collect();
        out.push_str(&paint(&names.join(" "), Some("34"), style));
        out.push('\n');
    }
    for card in cards {
        out.push_str(&render(card, style));
    }
    out
}

/// Whom a post asks, as text.
pub fn mention(ask: &Ask) -> String {
    match ask {
        Ask::Person(name) | Ask::Role(name) => {
            format!("@{}", clean(name).replace('\n', " ").trim_start_matches('@'))
        }
    }
}

fn paint(text: &str, code: Option<&str>, style: Style) -> String {
    match code {
        Some(code) if style.colour && !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        _ => text.to_owned(),
    }
}

fn hue(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "34",
        Tone::Good => "32",
        Tone::Warning => "33",
        Tone::Alarm => "31",
        Tone::Refusal => "35",
    }
}

fn escape(ink: Ink, tone: Tone) -> Option<&'static str> {
    match ink {
        Ink::Plain | Ink::Date => None,
        Ink::Strong => Some("1"),
        Ink::Name | Ink::Dim => Some("2"),
        Ink::Code => Some("36"),
        Ink::Mention => Some("34"),
        Ink::Sign => Some(hue(tone)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, Utc};
    use chrono_tz::Europe::Berlin;
    use proptest::prelude::*;

    use super::*;

    const BARE: Style = Style { colour: false, width: 60 };

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn nonconformity() -> Card {
        Card::new(Tone::Refusal, Line::new().text("NC-4 cannot be closed yet"))
            .line(
                Line::new()
                    .text("Raised against ")
                    .code("A.5.18")
                    .text(" on ")
                    .date(day("2026-05-04"))
                    .text("."),
            )
            .field("Owner", vec![Line::new().person("7", "ana")])
            .field("Due", vec![Line::new().date(day("2026-06-15")).text(" (in 42 days)")])
            .field(
                "Missing",
                vec![
                    Line::from("• the root cause, which says why it could happen and not only what happened"),
                    Line::new().text("• evidence: ").code("/nc evidence nc:NC-4"),
                ],
            )
            .footer("NC-4 · Acme ISMS")
    }

    #[test]
    fn a_card_is_laid_out() {
        insta::assert_snapshot!(render(&nonconformity(), BARE), @r#"
        ▌ ✗ NC-4 cannot be closed yet
        ▌ Raised against A.5.18 on 2026-05-04.
        ▌
        ▌ Owner  @ana
        ▌ Due    2026-06-15 (in 42 days)
        ▌
        ▌ Missing
        ▌   • the root cause, which says why it could happen and not
        ▌     only what happened
        ▌   • evidence: /nc evidence nc:NC-4
        ▌
        ▌ NC-4 · Acme ISMS
        "#);
    }

    #[test]
    fn a_post_is_shown_with_its_channel_and_local_time() {
        let at = Berlin.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).unwrap();
        let card = Card::new(Tone::Alarm, "Late").line(Line::new().instant(at.with_timezone(&Utc)));
        let asks = [Ask::Person("ana".to_owned())];
        insta::assert_snapshot!(message("isms", &at, &[card], &asks, BARE), @r#"
        #isms · Mon 2026-03-02 09:00
        @ana
        ▌ !! Late
        ▌ 2026-03-02 08:00 UTC
        "#);
    }

    #[test]
    fn colours_wrap_whole_stretches_and_end() {
        let text = render(&nonconformity(), Style { colour: true, width: 60 });
        assert_eq!(text.matches("\u{1b}[0m").count() * 2, text.matches('\u{1b}').count());
        assert!(
            text.starts_with("\u{1b}[35m▌\u{1b}[0m \u{1b}[35m✗ \u{1b}[0m\u{1b}[1mNC-4 cannot"),
            "{text:?}"
        );
    }

    #[test]
    fn what_people_say_does_nothing() {
        let said = "a\u{1b}[31mb\u{7}\u{202e}c\u{9b}2Jd\u{200b}e\tf\u{2066}g\r\nh";
        let text = render(&Card::new(Tone::Plain, Line::new().said(said)), BARE);
        assert_eq!(text, "▌ a[31mbc2Jde fg\n▌ h\n");
        let text =
            render(&Card::new(Tone::Plain, "x").line(Line::new().person("1", "\u{1b}]0;evil\u{7}")), BARE);
        assert!(!text.contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_terminal_and_no_word_is_lost(text in "[a-z界é\u{1b}\u{202e}\n -]{0,160}", width in 26usize..80) {
            let card = Card::new(Tone::Good, Line::new().said(text.clone()))
                .field("Name", vec![Line::new().said(text.clone())])
                .field("Two", vec![Line::new().said(text.clone()), Line::from("x")]);
            let shown = render(&card, Style { colour: false, width });
            for line in shown.lines() {
                prop_assert!(columns(line) <= width, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| matches!(c, '界' | 'é')).count();
            prop_assert_eq!(letters(&shown), letters(&text) * 3);
        }
    }
}
