//! Tables as people keep them: CSV and XLSX, read into rows with named columns.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};

/// How many rows a table may have.
pub const MOST_ROWS: usize = 5_000;

/// How many bytes a workbook may unpack to.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024;

/// A row: its number in the file, from 1, and what stands under each heading (in lower case, `_` and spaces as `-`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The line or row in the file, the heading being 1.
    pub number: usize,
    /// What stands in its cells, without those that are empty.
    pub cells: BTreeMap<String, String>,
}

impl Row {
    /// What stands under the first of these headings that has something.
    pub fn get(&self, headings: &[&str]) -> Option<&str> {
        headings.iter().find_map(|h| self.cells.get(*h)).map(String::as_str)
    }
}

/// A table with its headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The headings, in order.
    pub headings: Vec<String>,
    /// The rows that have something in them.
    pub rows: Vec<Row>,
}

/// Why a file is no table, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not text.
    #[error("it is no UTF-8 text; save it as CSV in UTF-8, or as XLSX")]
    NotText,
    /// It is no CSV.
    #[error("line {line} does not read as CSV: {why}")]
    Csv {
        /// The line.
        line: u64,
        /// Why.
        why: String,
    },
    /// It is no XLSX.
    #[error("it does not open as XLSX ({0})")]
    Xlsx(String),
    /// It is too large.
    #[error("it is too large: at most {MOST_ROWS} rows at a time")]
    TooLarge,
    /// There is nothing in it.
    #[error("it has no heading row, or no rows below it")]
    Empty,
}

fn heading(cell: &str) -> String {
    let bare = cell.trim().trim_start_matches('\u{feff}').to_lowercase();
    bare.split([' ', '_', '-']).filter(|p| !p.is_empty()).collect::<Vec<_>>().join("-")
}

/// Puts headings and rows together.
fn table(rows: impl Iterator<Item = (usize, Vec<String>)>) -> Result<Table, Unreadable> {
    let mut rows = rows.filter(|(_, cells)| cells.iter().any(|c| !c.trim().is_empty()));
    let (_, first) = rows.next().ok_or(Unreadable::Empty)?;
    let headings: Vec<String> = first.iter().map(|c| heading(c)).collect();
    let mut out = Table { headings, rows: Vec::new() };
    for (number, cells) in rows {
        if out.rows.len() >= MOST_ROWS {
            return Err(Unreadable::TooLarge);
        }
        let cells = out
            .headings
            .iter()
            .zip(cells)
            .filter(|(h, c)| !h.is_empty() && !c.trim().is_empty())
            .map(|(h, c)| (h.clone(), c.trim().to_owned()))
            .collect();
        out.rows.push(Row { number, cells });
    }
    if out.rows.is_empty() { Err(Unreadable::Empty) } else { Ok(out) }
}

/// Reads a file: XLSX by its first bytes, else CSV, with commas, semicolons or tabs between.
pub fn read(bytes: &[u8]) -> Result<Table, Unreadable> {
    if bytes.starts_with(b"PK\x03\x04") { xlsx(bytes) } else { csv(bytes) }
}

fn csv(bytes: &[u8]) -> Result<Table, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| Unreadable::NotText)?;
    let text = text.trim_start_matches('\u{feff}');
    if text.contains('\0') {
        return Err(Unreadable::NotText);
    }
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    let between =
        [b',', b';', b'\t'].into_iter().max_by_key(|c| (count(char::from(*c)), *c == b',')).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(between)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| Unreadable::Csv {
            line: e.position().map_or(1, csv::Position::line),
            why: e.to_string(),
        })?;
        if rows.len() > MOST_ROWS {
            return Err(Unreadable::TooLarge);
        }
        // The reader stands before the line's end where a record begins.
        let at = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or_default());
        let rest = text.get(at..).unwrap_or_default();
        let begins = at + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let line = text.get(..begins).unwrap_or_default().matches('\n').count() + 1;
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    table(rows.into_iter())
}

fn xlsx(bytes: &[u8]) -> Result<Table, Unreadable> {
    let fault = |e: &dyn std::fmt::Display| Unreadable::Xlsx(e.to_string());
    // What unpacks to more than a sheet of records could is not opened.
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| fault(&e))?;
    let mut left = MOST_UNPACKED;
    for i in 0..zip.len() {
        let entry = zip.by_index(i).map_err(|e| fault(&e))?;
        // Not what it claims: what comes out of it.
        let unpacked =
            std::io::copy(&mut entry.take(left + 1), &mut std::io::sink()).map_err(|e| fault(&e))?;
        left = left.checked_sub(unpacked).ok_or(Unreadable::TooLarge)?;
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| fault(&e))?;
    let name = book.sheet_names().first().cloned().ok_or(Unreadable::Empty)?;
    let range = book.worksheet_range(&name).map_err(|e| fault(&e))?;
    if range.height() > MOST_ROWS * 2 || range.width() > 200 {
        return Err(Unreadable::TooLarge);
    }
    let top = range.start().map_or(0, |(row, _)| usize::try_from(row).unwrap_or(0));
    table(range.rows().enumerate().map(|(i, row)| (top + i + 1, row.iter().map(cell).collect())))
}

/// A cell as text; a date as ISO 8601.
fn cell(data: &Data) -> String {
    match data {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(s) | Data::DateTimeIso(s) | Data::DurationIso(s) => s.clone(),
        Data::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => format!("{f:.0}"),
        Data::Float(f) => f.to_string(),
        Data::Int(i) => i.to_string(),
        Data::Bool(b) => b.to_string(),
        Data::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn csv_with_commas_semicolons_and_a_mark_in_front() {
        for text in ["Reference,Name\nX-1,\"IT, all\"\n\n", "\u{feff}reference;NAME\r\nX-1;IT, all\r\n"] {
            let table = read(text.as_bytes()).unwrap();
            assert_eq!(table.headings, ["reference", "name"]);
            let row = &table.rows[0];
            assert_eq!(
                (row.number, row.get(&["ref", "reference"]), row.get(&["name"])),
                (2, Some("X-1"), Some("IT, all"))
            );
        }
        assert_eq!(read(b""), Err(Unreadable::Empty));
        assert_eq!(read(b"a,b\n"), Err(Unreadable::Empty));
        assert_eq!(read(&[0xff, 0xfe, 0x00]), Err(Unreadable::NotText));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), zip in any::<bool>()) {
            if zip {
                bytes.splice(0..0, *b"PK\x03\x04");
            }
            let _outcome = read(&bytes);
        }
    }
}
