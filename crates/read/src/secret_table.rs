//! Reads `secrets.tsv`: where a search found secrets.

use coroner_model::secret::{SecretPlace, Standing};

use crate::tsv;

const COLUMNS: [&str; 8] = ["path", "line", "column", "kind", "token", "standing", "commit", "date"];

/// The rows of the table.
pub fn read(text: &str) -> Vec<SecretPlace> {
    let place = |row: tsv::Row<'_>| {
        let kind = row.get("kind").unwrap_or("secret").to_owned();
        Some(SecretPlace {
            path: row.get("path")?.to_owned(),
            line: row.number("line").unwrap_or(0),
            column: row.number("column").unwrap_or(0),
            description: kind.replace('-', " "),
            kind,
            token: row.get("token").unwrap_or_default().to_owned(),
            standing: match row.get("standing") {
                Some("named") => Standing::Named,
                Some("identifier") => Standing::Identifier,
                Some("allowed") => Standing::Allowed,
                _ => Standing::Issued,
            },
            allowed: None,
            commit: row.get("commit").map(str::to_owned),
            date: row.get("date").map(str::to_owned),
        })
    };
    tsv::rows(text, &COLUMNS).into_iter().filter_map(place).collect()
}
