//! A transcript as a picture: who typed what, what was answered, what was posted. Real text in an SVG, so that
//! it can be read, searched and scaled; laid out by the same rules as the terminal's.

use std::fmt::Write as _;

use chrono::DateTime;
use chrono_tz::Tz;

use super::line::{self, Part};
use super::render::{Ink, Row, Run, clean, columns, layout, mention, wrap};
use crate::chat::Ask;
use crate::command::grammar;
use crate::say::card::{Card, Tone};

/// One piece of a transcript, in the order in which it is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Someone typed a line.
    Typed {
        /// Who.
        who: String,
        /// What.
        line: String,
    },
    /// A card: an answer, or part of the post whose header went before.
    Card(Card),
    /// The header of a post: the cards after it are what it says.
    Post {
        /// The channel's name.
        channel: String,
        /// When it was posted, in the organisation's zone.
        at: DateTime<Tz>,
        /// Whom it asks.
        asks: Vec<Ask>,
    },
    /// A line across: time passes.
    Note(String),
}

const WIDTH: f64 = 960.0;
const TITLE: f64 = 44.0;
const MARGIN: f64 = 28.0;
/// Where the text begins, right of the portraits.
const LEFT: f64 = MARGIN + 52.0;
const SIZE: f64 = 14.0;
/// A monospaced character is 0.6 of its size wide; every stretch of text says how long it is, so that another
/// font than ours keeps the layout.
const CHAR: f64 = SIZE * 0.6;
const LEADING: f64 = 21.0;
const PAD: f64 = 16.0;
const BAR: f64 = 4.0;
/// Columns of text in a card, and of a typed line.
const CARD_COLUMNS: usize = 93;
const LINE_COLUMNS: usize = 98;

/// Draws a transcript.
pub fn transcript_svg(blocks: &[Block]) -> String {
    let tree = grammar::tree();
    let mut body = String::new();
    let mut y = TITLE + 24.0;
    let mut before: Option<&Block> = None;
    for block in blocks {
        if let Some(before) = before {
            y += match (before, block) {
                (Block::Card(_), Block::Card(_)) => 8.0,
                (Block::Typed { .. } | Block::Post { .. }, Block::Card(_)) => 10.0,
                _ => 26.0,
            };
        }
        y = match block {
            Block::Typed { who, line } => typed(&mut body, &tree, who, line, y),
            Block::Card(shown) => card(&mut body, shown, y),
            Block::Post { channel, at, asks } => post(&mut body, channel, at, asks, y),
            Block::Note(text) => note(&mut body, text, y),
        };
        before = Some(block);
    }
    frame(&body, y + 28.0)
}

fn frame(body: &str, height: f64) -> String {
    let label = "A transcript of certkeeper: commands typed, and what it answered and posted";
    let dots = concat!(
        r##"<circle cx="26" cy="22" r="6" fill="#ff5f57"/><circle cx="46" cy="22" r="6" fill="#febc2e"/>"##,
        r##"<circle cx="66" cy="22" r="6" fill="#28c840"/>"##
    );
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" "#,
            r#"aria-label="{label}" font-size="{size}" xml:space="preserve" font-family="ui-monospace, "#,
            r#"SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace">"#,
            "\n<title>{label}</title>\n",
            r##"<rect x="0.5" y="0.5" width="{iw}" height="{ih}" rx="12" fill="#12161d" stroke="#2c3440"/>"##,
            r##"<path d="M0.5 {title}H{right}" stroke="#232a35"/>{dots}"##,
            r##"<text x="{mid}" y="27" text-anchor="middle" fill="#8a94a6" font-size="13">certkeeper</text>"##,
            "\n{body}</svg>\n"
        ),
        w = WIDTH,
        h = height.ceil(),
        iw = WIDTH - 1.0,
        ih = height.ceil() - 1.0,
        label = label,
        size = SIZE,
        title = TITLE,
        right = WIDTH - 0.5,
        mid = WIDTH / 2.0,
        dots = dots,
        body = body,
    )
}

fn typed(out: &mut String, tree: &clap::Command, who: &str, line: &str, y: f64) -> f64 {
    let who = one_line(who);
    let colour = portrait(&who);
    let initial: String = who.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    add(
        out,
        format_args!(
            r##"<circle cx="{x}" cy="{cy}" r="17" fill="{colour}"/><text x="{x}" y="{ty}" text-anchor="middle" font-weight="700" font-size="15" fill="#12161d">{initial}</text>"##,
            x = MARGIN + 17.0,
            cy = y + 17.0,
            ty = y + 22.0,
            initial = escape(&initial),
        ),
    );
    text(out, LEFT, y + 13.0, &who, colour, true);
    let runs = line::parts(tree, &one_line(line))
        .into_iter()
        .map(|(part, stretch)| {
            let ink = match part {
                Part::Path => Ink::Strong,
                Part::Name => Ink::Name,
                Part::Value => Ink::Code,
            };
            Run { text: stretch.to_owned(), ink }
        })
        .collect();
    let mut at = y + 13.0;
    for row in wrap(runs, LINE_COLUMNS, 2) {
        at += LEADING;
        draw(out, &row, LEFT, at, Tone::Plain);
    }
    at + 4.0
}

fn post(out: &mut String, channel: &str, at: &DateTime<Tz>, asks: &[Ask], y: f64) -> f64 {
    let x = MARGIN;
    add(
        out,
        format_args!(
            concat!(
                r##"<rect x="{x}" y="{y}" width="34" height="34" rx="10" fill="#3d5afe"/>"##,
                r##"<path d="M{a} {b}l5.5 6 11-12" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>"##
            ),
            x = x,
            y = y,
            a = x + 8.5,
            b = y + 17.5,
        ),
    );
    let base = y + 13.0;
    text(out, LEFT, base, "certkeeper", "#f2f5fa", true);
    let tag = LEFT + 10.0 * CHAR + 8.0;
    add(
        out,
        format_args!(
            r##"<rect x="{tag}" y="{ty}" width="34" height="16" rx="4" fill="#3d5afe"/><text x="{tx}" y="{by}" text-anchor="middle" font-size="10" font-weight="700" fill="#fff">APP</text>"##,
            ty = base - 12.0,
            tx = tag + 17.0,
            by = base - 0.5,
        ),
    );
    let name = format!("#{}", one_line(channel).trim_start_matches('#'));
    let from = tag + 46.0;
    text(out, from, base, &name, "#7fb4ff", false);
    let when = at.naive_local().format("%a %Y-%m-%d %H:%M").to_string();
    text(out, from + wide(&name) + 2.0 * CHAR, base, &when, "#8893a7", false);
    let mut end = base;
    if !asks.is_empty() {
        let names: Vec<String> = asks.iter().map(mention).collect();
        let runs = vec![Run { text: names.join(" "), ink: Ink::Mention }];
        for row in wrap(runs, LINE_COLUMNS, 0) {
            end += LEADING;
            draw(out, &row, LEFT, end, Tone::Plain);
        }
    }
    end + 4.0
}

fn card(out: &mut String, card: &Card, y: f64) -> f64 {
    // A row with nothing in it is a gap, less high than a row.
    let rows = layout(card, CARD_COLUMNS);
    let step = |row: &Row| if row.is_empty() { LEADING * 0.5 } else { LEADING };
    let height: f64 = rows.iter().map(step).sum::<f64>() + 2.0 * PAD - 6.0;
    let (x, width) = (LEFT, WIDTH - LEFT - MARGIN);
    add(
        out,
        format_args!(
            concat!(
                r##"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="#1b212b"/>"##,
                r##"<path d="M{r} {y}a8 8 0 0 0 -8 8v{side}a8 8 0 0 0 8 8z" fill="{hue}"/>"##
            ),
            x = x,
            y = y,
            width = width,
            height = height,
            // The bar's left corners are the card's.
            r = x + 8.0,
            side = height - 16.0,
            hue = hue(card.tone),
        ),
    );
    add(
        out,
        format_args!(
            r##"<rect x="{bx}" y="{y}" width="{bw}" height="{height}" fill="#1b212b"/>"##,
            bx = x + BAR,
            bw = 8.0,
        ),
    );
    let mut at = y + PAD - 9.0;
    for row in &rows {
        at += step(row);
        draw(out, row, x + BAR + PAD, at, card.tone);
    }
    y + height
}

fn note(out: &mut String, words: &str, y: f64) -> f64 {
    let words = one_line(words);
    let half = wide(&words) / 2.0 + 16.0;
    let mid = WIDTH / 2.0;
    add(
        out,
        format_args!(
            r##"<path d="M{MARGIN} {line}H{left}M{right} {line}H{end}" stroke="#2c3440"/><text x="{mid}" y="{base}" text-anchor="middle" fill="#8a94a6">{words}</text>"##,
            line = y + 8.0,
            left = mid - half,
            right = mid + half,
            end = WIDTH - MARGIN,
            base = y + 13.0,
            words = escape(&words),
        ),
    );
    y + 16.0
}

fn draw(out: &mut String, row: &Row, x: f64, y: f64, tone: Tone) {
    let mut from = x;
    for run in row {
        let (fill, bold) = match run.ink {
            Ink::Plain => ("#d5dbe6", false),
            Ink::Strong => ("#f7f9fc", true),
            Ink::Code => ("#8fd6c8", false),
            Ink::Date => ("#e9c987", false),
            Ink::Mention => ("#7fb4ff", false),
            Ink::Name => ("#a3aec2", false),
            Ink::Dim => ("#8893a7", false),
            Ink::Sign => (hue(tone), true),
        };
        let lead = run.text.len() - run.text.trim_start().len();
        let (blank, words) = run.text.split_at(lead);
        let at = from + wide(blank);
        text(out, at, y, words.trim_end(), fill, bold);
        from += wide(&run.text);
    }
}

fn text(out: &mut String, x: f64, y: f64, words: &str, fill: &str, bold: bool) {
    if words.is_empty() {
        return;
    }
    add(
        out,
        format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" textLength="{length:.1}" fill="{fill}"{weight}>{words}</text>"#,
            length = wide(words),
            weight = if bold { r#" font-weight="700""# } else { "" },
            words = escape(words),
        ),
    );
    out.push('\n');
}

fn wide(text: &str) -> f64 {
    f64::from(u32::try_from(columns(text)).unwrap_or(u32::MAX)) * CHAR
}

/// Writing to a string cannot fail.
fn add(out: &mut String, what: std::fmt::Arguments<'_>) {
    if out.write_fmt(what).is_err() {
        out.push_str("<!-- -->");
    }
}

fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not characters of XML.
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

fn hue(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "#5b7cfa",
        Tone::Good => "#3fcf8e",
        Tone::Warning => "#f5b83d",
        Tone::Alarm => "#f4595f",
        Tone::Refusal => "#b58cf2",
    }
}

/// The colour of a person's portrait: the same for the same name.
fn portrait(name: &str) -> &'static str {
    const COLOURS: [&str; 5] = ["#8fd6c8", "#e9c987", "#c4a7f5", "#8ec1f7", "#f2a3a8"];
    let mix = name.bytes().fold(7_usize, |mix, byte| mix.wrapping_mul(37).wrapping_add(usize::from(byte)));
    COLOURS.get(mix % COLOURS.len()).copied().unwrap_or("#8fd6c8")
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use chrono_tz::Europe::Berlin;

    use super::*;
    use crate::say::card::Line;

    fn transcript() -> Vec<Block> {
        let day = |text: &str| text.parse().unwrap();
        vec![
            Block::Typed {
                who: "ana".to_owned(),
                line: "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 body:TÜV Nord owner:@ana".to_owned(),
            },
            Block::Card(
                Card::new(Tone::Good, Line::new().text("Acme ISMS is on record: its cycle began on ").date(day("2026-03-02")))
                    .line(Line::new().text("Understood: decided on ").date(day("2026-03-02")).text(", valid until ").date(day("2029-03-01")).text("."))
                    .field("Phase", vec![Line::from("Establish and correct (months 1 to 3)")])
                    .field("Next deadline", vec![Line::new().date(day("2027-03-01")).text(" first surveillance audit, within 12 months of the decision (ISO/IEC 17021-1, 9.1.3.3)")])
                    .field("Owner", vec![Line::new().person("1", "ana")])
                    .footer("Certificate 1 · reminders go to #isms at 09:00 Europe/Berlin"),
            ),
            Block::Note("nine months later".to_owned()),
            Block::Post {
                channel: "isms".to_owned(),
                at: Berlin.with_ymd_and_hms(2026, 12, 2, 9, 0, 0).unwrap(),
                asks: vec![Ask::Person("ana".to_owned())],
            },
            Block::Card(
                Card::new(Tone::Warning, "Surveillance 1 begins: Acme ISMS, months 10 to 12")
                    .line("The certification body looks whether the management system is still kept up. Be ready to show it.")
                    .field(
                        "To do",
                        vec![
                            Line::new().text("• Agree on the date with the body ").code("9.6.2"),
                            Line::new().text("• Close what the internal audit found: ").code("NC-1").text(" <still> open & due ").date(day("2026-12-20")),
                            Line::new().text("• Hold the management review ").code("9.3"),
                        ],
                    )
                    .footer("cert/1 · ref k7f2q"),
            ),
            Block::Typed { who: "ben".to_owned(), line: "/nc close nc:NC-1".to_owned() },
            Block::Card(
                Card::new(Tone::Refusal, "NC-1 cannot be closed yet")
                    .field("Missing", vec![Line::from("• the effectiveness, verified by someone other than whoever acted"), Line::new().text("• evidence: ").code("/nc evidence nc:NC-1 file:…")]),
            ),
            Block::Post { channel: "isms".to_owned(), at: Berlin.with_ymd_and_hms(2026, 12, 21, 9, 0, 0).unwrap(), asks: vec![] },
            Block::Card(Card::new(Tone::Alarm, "NC-1 is late: it was due on 2026-12-20").line(Line::new().text("Minor, against ").code("A.5.18").text(": ").said("Access rights of leavers <b>not</b> withdrawn").text("."))),
        ]
    }

    #[test]
    fn a_transcript_is_well_formed_and_escaped() {
        let svg = transcript_svg(&transcript());
        assert!(svg.contains("&lt;b&gt;not&lt;/b&gt;"));
        assert!(svg.contains("open &amp; due"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        assert_eq!(svg, transcript_svg(&transcript()), "the same each time");
    }

    #[test]
    fn an_empty_transcript_is_a_picture_too() {
        assert!(transcript_svg(&[]).ends_with("</svg>\n"));
        let svg =
            transcript_svg(&[Block::Typed { who: "\u{1b}\u{0}".to_owned(), line: "\u{202e}".to_owned() }]);
        assert!(!svg.contains(['\u{1b}', '\u{0}', '\u{202e}']));
    }
}
