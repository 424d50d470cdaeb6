//! Tables as people keep them: CSV and XLSX, read into rows with named columns.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};

/// How many rows a table may have.
pub const MOST_ROWS: usize = 5_000;
/// How many columns.
const MOST_COLUMNS: usize = 200;
/// How many characters a cell may hold: as many as an option of a command.
const MOST_CHARACTERS: usize = 6_000;
/// How many bytes of text all of it may hold.
const MOST_TEXT: usize = 8 << 20;
/// How many bytes a workbook may unpack to, and how many files may be in it.
const MOST_UNPACKED: u64 = 32 << 20;
const MOST_FILES: usize = 1_000;

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
    /// It is made in a way that the reader does not know.
    #[error("it is not made as a table is; save it anew as CSV in UTF-8")]
    Strange,
    /// It is too large.
    #[error("it is too large: at most {MOST_ROWS} rows of {MOST_COLUMNS} columns and {} MiB of text at a time", MOST_TEXT >> 20)]
    TooLarge,
    /// A cell holds too much.
    #[error("row {row} holds more than {MOST_CHARACTERS} characters in column {column}; shorten it")]
    Cell {
        /// The row.
        row: usize,
        /// The column, from 1.
        column: usize,
    },
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
        if let Some(at) = cells.iter().position(|c| c.chars().nth(MOST_CHARACTERS).is_some()) {
            return Err(Unreadable::Cell { row: number, column: at + 1 });
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
    if bytes.len() > MOST_TEXT {
        return Err(Unreadable::TooLarge);
    }
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
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(|e| Unreadable::Csv {
            line: e.position().map_or(1, csv::Position::line),
            why: e.to_string(),
        })?;
        if rows.len() > MOST_ROWS || record.len() > MOST_COLUMNS {
            return Err(Unreadable::TooLarge);
        }
        // The reader stands before the line's end where a record begins.
        let at = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or_default());
        let rest = text.get(at..).unwrap_or_default();
        let begins = at + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        line += text.get(counted..begins).unwrap_or_default().matches('\n').count();
        counted = counted.max(begins);
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    table(rows.into_iter())
}

fn xlsx(bytes: &[u8]) -> Result<Table, Unreadable> {
    let fault = |e: &dyn std::fmt::Display| Unreadable::Xlsx(e.to_string());
    // What unpacks to more than a sheet of records could is not opened.
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| fault(&e))?;
    if zip.len() > MOST_FILES {
        return Err(Unreadable::TooLarge);
    }
    let (mut left, mut unpacked) = (MOST_UNPACKED, Vec::new());
    for i in 0..zip.len() {
        unpacked.clear();
        // Not what it claims: what comes out of it.
        let entry = zip.by_index(i).map_err(|e| fault(&e))?;
        entry.take(left + 1).read_to_end(&mut unpacked).map_err(|e| fault(&e))?;
        left = left.checked_sub(unpacked.len() as u64).ok_or(Unreadable::TooLarge)?;
        if overclaims(&unpacked) {
            return Err(Unreadable::TooLarge);
        }
    }
    drop(unpacked);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| fault(&e))?;
    let name = book.sheet_names().first().cloned().ok_or(Unreadable::Empty)?;
    // Cell by cell: the rectangle that two far cells span, or one long text that all of them share, would take more
    // memory than there is.
    let mut cells = book.worksheet_cells_reader(&name).map_err(|e| fault(&e))?;
    let mut rows: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut text = 0;
    while let Some(found) = cells.next_cell().map_err(|e| fault(&e))? {
        let (row, column) = found.get_position();
        let (row, column) = (row as usize, column as usize);
        let said = cell(&Data::from(found.get_value().clone()));
        text += said.len();
        if text > MOST_TEXT {
            return Err(Unreadable::TooLarge);
        }
        if said.trim().is_empty() {
            continue;
        }
        let there = rows.entry(row).or_default();
        if column >= MOST_COLUMNS {
            return Err(Unreadable::TooLarge);
        }
        if there.len() <= column {
            there.resize(column + 1, String::new());
        }
        if let Some(place) = there.get_mut(column) {
            *place = said;
        }
        if rows.len() > MOST_ROWS + 1 {
            return Err(Unreadable::TooLarge);
        }
    }
    table(rows.into_iter().map(|(row, cells)| (row + 1, cells)))
}

/// Whether a part of a workbook claims to hold more strings than it has room for: the reader makes room for as many as
/// are claimed before it reads one.
fn overclaims(part: &[u8]) -> bool {
    const CLAIM: &[u8] = b"uniqueCount";
    let claims = part
        .iter()
        .enumerate()
        .filter(|(at, b)| **b == b'u' && part.get(*at..).is_some_and(|rest| rest.starts_with(CLAIM)));
    claims.into_iter().any(|(at, _)| {
        let digits: String = part
            .iter()
            .skip(at + CLAIM.len())
            .take(64)
            .skip_while(|b| b.is_ascii_whitespace() || matches!(b, b'=' | b'"' | b'\''))
            .take_while(|b| b.is_ascii_digit())
            .map(|b| char::from(*b))
            .collect();
        !digits.is_empty() && digits.parse::<usize>().map_or(true, |n| n > part.len())
    })
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
pub(crate) mod tests {
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

    /// A workbook of one sheet.
    pub(crate) fn workbook(sheet: &str, strings: &str) -> Vec<u8> {
        use std::io::Write as _;
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let parts = [
            (
                "[Content_Types].xml",
                "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
            ),
            (
                "_rels/.rels",
                format!(
                    "<Relationships><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships><Relationship Id=\"r1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
                ),
            ),
            ("xl/sharedStrings.xml", strings.to_owned()),
            (
                "xl/worksheets/sheet1.xml",
                format!("<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>"),
            ),
        ];
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn inline(at: &str, text: &str) -> String {
        format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    }

    #[test]
    fn a_workbook_is_read_wherever_its_cells_stand() {
        let strings = "<sst uniqueCount=\"2\"><si><t>Name</t></si><si><t>IT, all</t></si></sst>";
        let sheet = "<row r=\"3\"><c r=\"B3\" t=\"s\"><v>0</v></c><c r=\"C3\" t=\"inlineStr\"><is><t>every</t></is></c></row>\
             <row r=\"9\"><c r=\"B9\" t=\"s\"><v>1</v></c><c r=\"C9\"><v>6</v></c><c r=\"GZ9\"/></row>";
        let table = read(&workbook(sheet, strings)).unwrap();
        assert_eq!(table.headings, ["", "name", "every"]);
        let row = &table.rows[0];
        assert_eq!((row.number, row.get(&["name"]), row.get(&["every"])), (9, Some("IT, all"), Some("6")));
    }

    #[test]
    fn a_workbook_that_would_take_all_memory_is_refused() {
        // Two cells as far apart as a sheet is wide and high.
        let far = format!(
            "<row r=\"1\">{}</row><row r=\"1048576\">{}</row>",
            inline("A1", "name"),
            inline("XFD1048576", "x")
        );
        assert_eq!(read(&workbook(&far, "<sst/>")), Err(Unreadable::TooLarge));
        // More strings claimed than there are bytes.
        for claim in ["uniqueCount=\"99999999999\"", "uniqueCount = '18446744073709551616'"] {
            let strings = format!("<sst {claim}><si><t>x</t></si></sst>");
            assert_eq!(read(&workbook("", &strings)), Err(Unreadable::TooLarge), "{claim}");
        }
        // One long text in every cell.
        let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(5_000));
        let cells = "<row><c t=\"s\"><v>0</v></c></row>".repeat(4_000);
        assert_eq!(read(&workbook(&cells, &strings)), Err(Unreadable::TooLarge));
        // A bomb.
        let blank = " ".repeat(33 << 20);
        assert_eq!(read(&workbook(&blank, "<sst/>")), Err(Unreadable::TooLarge));
    }

    #[test]
    fn a_table_is_read_within_its_limits_and_in_time() {
        let begun = std::time::Instant::now();
        // Each row's number must not cost a look at all that stands before it.
        let row = format!("{},b\n", "a".repeat(1_500));
        let table = read(format!("x,name\n{}", row.repeat(MOST_ROWS)).as_bytes()).unwrap();
        assert_eq!(table.rows.last().map(|r| r.number), Some(MOST_ROWS + 1));
        assert_eq!(
            read(format!("x,name\n{}", "a,b\n".repeat(1_000_000)).as_bytes()),
            Err(Unreadable::TooLarge)
        );
        assert_eq!(read(",".repeat(1 << 20).as_bytes()), Err(Unreadable::TooLarge));
        assert_eq!(read(&vec![b'a'; MOST_TEXT + 1]), Err(Unreadable::TooLarge));
        assert_eq!(read(b"name\nn\0ul\n"), Err(Unreadable::NotText));
        let long = format!("name,what\nx,{}\n", "é".repeat(MOST_CHARACTERS + 1));
        assert_eq!(read(long.as_bytes()), Err(Unreadable::Cell { row: 2, column: 2 }));
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
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
