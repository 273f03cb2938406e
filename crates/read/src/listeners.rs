//! Reads what listens: `ss -H -ltnup`, or a table with columns by name.

use coroner_model::{Citation, Document};

use crate::tsv;

/// Something that listens.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub protocol: String,
    /// Without brackets; `*`, `0.0.0.0` and `::` mean every address.
    pub address: String,
    pub port: u16,
    /// Empty where unknown.
    pub process: String,
    pub container: Option<String>,
    pub at: Citation,
}

/// The listeners of either form.
pub fn read(document: &Document) -> Vec<Listener> {
    if document.path.ends_with(".tsv") { table(document) } else { ss(document) }
}

fn table(document: &Document) -> Vec<Listener> {
    let columns = ["proto", "address", "port", "process", "container"];
    tsv::rows(document.text.as_str(), &columns)
        .into_iter()
        .filter_map(|row| {
            Some(Listener {
                protocol: row.get("proto").unwrap_or("tcp").to_owned(),
                address: row.get("address").unwrap_or("*").trim_matches(['[', ']']).to_owned(),
                port: row.number("port")?,
                process: row.get("process").unwrap_or("").to_owned(),
                container: row.get("container").filter(|c| *c != "-").map(str::to_owned),
                at: document.cite_text_at(document.first_line + row.line - 1, row.text),
            })
        })
        .collect()
}

fn ss(document: &Document) -> Vec<Listener> {
    let line = |(index, text): (usize, &str)| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let protocol = words.first().filter(|w| w.starts_with("tcp") || w.starts_with("udp"))?;
        let local = words.get(4)?;
        let (address, port) = local.rsplit_once(':')?;
        let address = address.split('%').next().unwrap_or(address).trim_matches(['[', ']']);
        Some(Listener {
            protocol: (*protocol).to_owned(),
            address: address.to_owned(),
            port: port.parse().ok()?,
            process: text.split_once("((\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("").to_owned(),
            container: None,
            at: document.cite_text_at(document.first_line + index as u64, text),
        })
    };
    document.text.as_str().lines().enumerate().filter_map(line).collect()
}
