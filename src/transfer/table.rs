//! Tables of comma-separated values (RFC 4180), a note a row.

use csv::{ByteRecord, ReaderBuilder};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The most rows, and the most columns.
const ROWS_MAX: usize = 200_000;
const COLUMNS_MAX: usize = 200;
/// What a column may hold; `field.NAME` beside these.
const ROLES: [&str; 8] = ["body", "title", "date", "client", "case", "label", "tags", "id"];
/// What holds the text where nobody says so.
const BODIES: [&str; 4] = ["body", "text", "note", "notes"];

/// Which column holds what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Columns(BTreeMap<String, String>);

impl Columns {
    /// Says that `column` holds `what`.
    pub fn set(&mut self, what: &str, column: &str) -> Result<(), String> {
        let shown: String = what.chars().take(40).flat_map(char::escape_debug).collect();
        let is_field = what.strip_prefix("field.").is_some_and(|name| !name.trim().is_empty());
        if !ROLES.contains(&what) && !is_field {
            return Err(format!(
                "`{shown}` is nothing that a column can hold: these are {}, and field.NAME",
                ROLES.join(", ")
            ));
        }
        if column.trim().is_empty() {
            return Err(format!("the column for `{shown}` has no name"));
        }
        self.0.insert(what.to_owned(), column.trim().to_owned());
        Ok(())
    }

    /// Which column holds `what`.
    pub fn of(&self, what: &str) -> Option<&str> {
        self.0.get(what).map(String::as_str)
    }

    /// These, and of `others` what they do not say.
    pub fn or(mut self, others: &Self) -> Self {
        for (what, column) in &others.0 {
            self.0.entry(what.clone()).or_insert_with(|| column.clone());
        }
        self
    }
}

/// Why a text is no table that can be imported.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadTable(String);

/// A row of a table.
pub struct Row {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its cells, or why there are none.
    pub cells: Result<Vec<Zeroizing<String>>, String>,
}

/// A table that was read.
pub struct Table {
    header: Vec<String>,
    /// Which column holds what, by its place.
    places: BTreeMap<String, usize>,
    /// The rows below the header.
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads a table with a header. A row that is not as wide as the header, or no text, says so in its place.
    pub fn read(bytes: &[u8], columns: &Columns) -> Result<Self, BadTable> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = |of: u8| first.iter().filter(|byte| **byte == of).count();
        let delimiter = match (count(b','), count(b';'), count(b'\t')) {
            (0, 1.., 0) => b';',
            (0, 0, 1..) => b'\t',
            _ => b',',
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(bytes);
        let mut record = ByteRecord::new();
        let bad = |words: String| BadTable(words);
        let unreadable = |error: csv::Error| BadTable(format!("it is no table: {error}"));
        if !reader.read_byte_record(&mut record).map_err(unreadable)? {
            return Err(bad("it is empty".into()));
        }
        let text = |cell: &[u8]| std::str::from_utf8(cell).map(|text| text.trim().to_owned()).ok();
        let header: Option<Vec<String>> = record.iter().map(text).collect();
        let header = header.ok_or_else(|| bad("its first row is not UTF-8 text".into()))?;
        if header.len() > COLUMNS_MAX {
            return Err(bad(format!("it has more than {COLUMNS_MAX} columns")));
        }
        let places = places(&header, columns).map_err(bad)?;
        let mut rows = Vec::new();
        while reader.read_byte_record(&mut record).map_err(unreadable)? {
            if rows.len() >= ROWS_MAX {
                return Err(bad(format!("it has more than {ROWS_MAX} rows; divide it")));
            }
            let line = record.position().map_or(0, csv::Position::line);
            let cells = match record.len() == header.len() {
                false => Err(format!(
                    "it has {} cells, and the first row {}",
                    record.len(),
                    header.len()
                )),
                true => {
                    let cell = |cell: &[u8]| std::str::from_utf8(cell).map(|text| Zeroizing::new(text.to_owned()));
                    let cells: Result<Vec<_>, _> = record.iter().map(cell).collect();
                    cells.map_err(|_| "it is not UTF-8 text".to_owned())
                }
            };
            rows.push(Row { line, cells });
        }
        Ok(Self { header, places, rows })
    }

    /// What a row says of `what`, where a column holds that and the cell is not empty.
    pub fn of<'r>(&self, row: &'r [Zeroizing<String>], what: &str) -> Option<&'r str> {
        let cell = row.get(*self.places.get(what)?)?;
        Some(cell.as_str()).filter(|text| !text.trim().is_empty())
    }

    /// What a row says in the column of that name, whatever its case.
    pub fn column<'r>(&self, row: &'r [Zeroizing<String>], name: &str) -> Option<&'r str> {
        let place = place(&self.header, name)?;
        row.get(place).map(|cell| cell.as_str())
    }

    /// The fields that a row gives.
    pub fn fields(&self, row: &[Zeroizing<String>]) -> Vec<(String, String)> {
        let fields = self
            .places
            .keys()
            .filter_map(|what| Some((what, what.strip_prefix("field.")?)));
        let value = |(what, name): (&String, &str)| Some((name.to_owned(), self.of(row, what)?.trim().to_owned()));
        fields.filter_map(value).collect()
    }

    /// The fields that there is a column for, and nothing in it in this row.
    pub fn empty_fields(&self, row: &[Zeroizing<String>]) -> Vec<String> {
        let empty = self.places.keys().filter(|what| self.of(row, what).is_none());
        let names = empty.filter_map(|what| what.strip_prefix("field."));
        names.map(|name| name.trim().to_owned()).collect()
    }

    /// The columns that nothing is taken from; what of the things in `but` is told is not taken either.
    pub fn left(&self, but: &[&str]) -> Vec<&str> {
        let taken = |place: &usize| {
            let mut holding = self.places.iter().filter(|(_, known)| *known == place);
            holding.any(|(what, _)| !but.contains(&what.as_str()))
        };
        let names = self.header.iter().enumerate();
        names
            .filter(|(place, _)| !taken(place))
            .map(|(_, name)| name.as_str())
            .collect()
    }
}

fn place(header: &[String], name: &str) -> Option<usize> {
    let exact = header.iter().position(|known| known == name);
    exact.or_else(|| header.iter().position(|known| known.eq_ignore_ascii_case(name)))
}

/// Where each thing stands. Where nobody says, a column that is called so holds it.
fn places(header: &[String], columns: &Columns) -> Result<BTreeMap<String, usize>, String> {
    let names = header.join(", ");
    let mut places = BTreeMap::new();
    for (what, column) in &columns.0 {
        let found = place(header, column);
        let found = found.ok_or_else(|| format!("it has no column `{column}`; there are {names}"))?;
        places.insert(what.clone(), found);
    }
    for role in ROLES {
        let names: &[&str] = if role == "body" { &BODIES } else { &[role] };
        let found = names.iter().find_map(|name| place(header, name));
        if let Some(found) = found.filter(|found| !places.values().any(|known| known == found)) {
            places.entry(role.to_owned()).or_insert(found);
        }
    }
    match places.contains_key("body") {
        true => Ok(places),
        false => Err(format!(
            "nothing says which column holds the text: --column body=NAME; there are {names}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(pairs: &[(&str, &str)]) -> Columns {
        let mut columns = Columns::default();
        pairs
            .iter()
            .for_each(|(what, column)| columns.set(what, column).unwrap());
        columns
    }

    #[test]
    fn rows_are_read_by_what_their_columns_hold() {
        let text = "id,What,Plate,Room,when\n1,\"Seen, \"\"twice\"\"\nat six\",LX68QZV,4,x\n2,b\n3,c,d,e,f\n";
        let table = Table::read(text.as_bytes(), &columns(&[("body", "what"), ("field.plate", "Plate")])).unwrap();
        assert_eq!(table.rows.len(), 3);
        let row = table.rows[0].cells.as_ref().unwrap();
        assert_eq!(table.of(row, "body"), Some("Seen, \"twice\"\nat six"));
        assert_eq!((table.of(row, "id"), table.of(row, "title")), (Some("1"), None));
        assert_eq!(table.fields(row), [("plate".to_owned(), "LX68QZV".to_owned())]);
        assert_eq!(table.column(row, "ROOM"), Some("4"));
        assert_eq!(table.left(&[]), ["Room", "when"]);
        assert_eq!(table.left(&["id"]), ["id", "Room", "when"]);
        assert_eq!(
            table.rows[1].cells.as_ref().unwrap_err(),
            "it has 2 cells, and the first row 5"
        );
        assert_eq!((table.rows[1].line, table.rows[2].line), (4, 5));
    }

    #[test]
    fn what_is_no_table_says_why() {
        let bad = |bytes: &[u8], pairs: &[(&str, &str)]| Table::read(bytes, &columns(pairs)).err().unwrap().0;
        assert_eq!(bad(b"", &[]), "it is empty");
        assert!(bad(b"a,b\n", &[]).contains("--column body=NAME; there are a, b"));
        assert!(bad(b"a,b\n", &[("body", "c")]).contains("no column `c`"));
        assert!(bad(b"\xff,b\n", &[]).contains("not UTF-8"));
        assert!(Columns::default().set("bodice", "a").is_err());
        assert!(Columns::default().set("field.", "a").is_err());
        let table = Table::read(b"\xef\xbb\xbftext;date\n\xff;b\nc;d\n", &Columns::default()).unwrap();
        assert!(table.rows[0].cells.as_ref().unwrap_err().contains("not UTF-8"));
        assert_eq!(table.of(table.rows[1].cells.as_ref().unwrap(), "date"), Some("d"));
    }
}
