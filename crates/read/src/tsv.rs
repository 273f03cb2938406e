//! Reads tab-separated tables whose first line may name the columns.

use std::collections::BTreeMap;

/// One row with its 1-based line.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    pub line: u64,
    /// The line as it stands.
    pub text: &'a str,
    cells: BTreeMap<&'a str, &'a str>,
}

impl<'a> Row<'a> {
    /// The cell of a column; `None` where the table lacks the column or the cell is empty.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        self.cells.get(column).copied().filter(|v| !v.is_empty())
    }

    /// The cell of a column as a number.
    pub fn number<T: std::str::FromStr>(&self, column: &str) -> Option<T> {
        self.get(column)?.trim().parse().ok()
    }
}

/// The rows of a table. The first line is a header where it names one of `columns`
/// and every cell is such a name or at least a word; otherwise `columns` are the
/// columns in order.
pub fn rows<'a>(text: &'a str, columns: &[&'a str]) -> Vec<Row<'a>> {
    let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).peekable();
    let mut names: Vec<&str> = columns.to_vec();
    if let Some((_, first)) = lines.peek() {
        let cells: Vec<&str> = first.split('\t').map(str::trim).collect();
        let known = cells.iter().filter(|c| columns.contains(c)).count();
        if known > 0 && known * 2 >= cells.len() {
            names = cells;
            lines.next();
        }
    }
    lines
        .map(|(index, text)| Row {
            line: index as u64 + 1,
            text,
            cells: names.iter().copied().zip(text.split('\t')).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_or_by_place() {
        let named = rows("b\ta\n1\t2\n\n3\t\n", &["a", "b"]);
        assert_eq!((named[0].get("a"), named[0].get("b"), named[1].line), (Some("2"), Some("1"), 4));
        assert_eq!(named[1].get("a"), None);
        let bare = rows("1\t2\n", &["a", "b"]);
        assert_eq!(bare[0].number::<u8>("b"), Some(2));
        assert!(rows("a\tb\n", &["a", "b"]).is_empty());
    }
}
