//! The three files that pages need, compiled in.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::page;

const CSS: &str = include_str!("../assets/coroner.css");
const KEYS: &str = include_str!("../assets/keys.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Answers with the file of that name; names are compared, never opened.
pub fn answer(name: &str) -> Response {
    let (kind, text) = match name {
        "coroner.css" => ("text/css; charset=utf-8", CSS),
        "keys.js" => ("text/javascript; charset=utf-8", KEYS),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return page::not_found("There is no such file."),
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// `--name: #rrggbb;` pairs of the first block after `from`.
    fn colours(from: usize) -> BTreeMap<&'static str, [f64; 3]> {
        let block = CSS[from..].split(['{', '}']).nth(1).unwrap();
        let pairs = block.split(';').filter_map(|d| d.split_once(':'));
        let parsed = pairs.filter_map(|(name, value)| {
            let digits = value.trim().strip_prefix('#').filter(|d| d.len() == 6)?;
            let channel = |at: usize| f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
            let name = name.rsplit(['{', '\n', ' ']).next()?;
            Some((name, [channel(0), channel(2), channel(4)]))
        });
        parsed.collect()
    }

    /// Contrast ratio of two colours as WCAG 2 defines it.
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let luminance = |c: [f64; 3]| 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_text_can_be_read_in_both_schemes() {
        let dark = CSS.find("prefers-color-scheme: dark").unwrap();
        let dark = dark + CSS[dark..].find(":root").unwrap();
        for (scheme, from) in [("light", CSS.find(":root").unwrap()), ("dark", dark)] {
            let colour = colours(from);
            for ink in ["--ink", "--soft", "--accent", "--critical", "--major", "--minor"] {
                for paper in ["--paper", "--raised", "--mark", "--warn-paper"] {
                    let ratio = contrast(colour[ink], colour[paper]);
                    assert!(ratio >= 4.5, "{scheme}: {ink} on {paper} is {ratio:.2}");
                }
            }
        }
    }
}
