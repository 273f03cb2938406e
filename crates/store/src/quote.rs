//! Finds where a kept JSON text quotes a piece of evidence, and blanks it there.
//!
//! Where a report only quotes, the text of the JSON is changed in place, so that
//! all its other bytes stay as they were reported.

use std::ops::Range;

use coroner_model::EvidenceId;
use coroner_model::evidence::EXCERPT_CHARS_MAX;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chain::Kind;
use crate::error::Result;
use crate::investigation::Body;
use crate::redact::REDACTED_MARK;
use crate::retold::Retold;

/// Shortest text, in bytes, that is replaced inside of longer ones too.
pub(crate) const INSIDE_BYTES_MIN: usize = 8;

/// What is looked for: citations by their id, and the text wherever it stands.
pub(crate) struct Search {
    id: EvidenceId,
    content: String,
    /// As they stand in JSON, longest first; a short one with its quotes.
    texts: Vec<String>,
}

impl Search {
    pub(crate) fn new(id: &EvidenceId, content: &str) -> Search {
        Search { id: id.clone(), content: content.to_owned(), texts: forms(content) }
    }

    /// Looks for citations only, where the text is not known any more.
    pub(crate) fn of_citations(id: &EvidenceId) -> Search {
        Search { id: id.clone(), content: String::new(), texts: Vec::new() }
    }

    /// The body without the quotes; `None` where it holds none.
    pub(crate) fn without(&self, body: &[u8], kind: Kind) -> Result<Option<Vec<u8>>> {
        let Ok(text) = std::str::from_utf8(body) else { return Ok(None) };
        let retold = Retold::new(&self.id, &self.content);
        match kind {
            Kind::Investigation => {
                // A report is JSON inside of a string.
                let Ok(body) = serde_json::from_str::<Body>(text) else { return Ok(None) };
                let told = retyped(&body.report, |report| retold.blank_investigation(report))?;
                let quoted = self.blanked(told.as_ref().unwrap_or(&body.report)).or(told);
                Ok(quoted.map(|report| serde_json::to_vec(&Body { report, ..body })).transpose()?)
            }
            Kind::Incident => {
                let told = retyped(text, |incident| retold.blank_incident(incident))?;
                Ok(self.blanked(told.as_deref().unwrap_or(text)).or(told).map(String::into_bytes))
            }
            _ => Ok(self.blanked(text).map(String::into_bytes)),
        }
    }

    fn blanked(&self, text: &str) -> Option<String> {
        let mut out = text.to_owned();
        let mark = format!("\"{REDACTED_MARK}\"");
        // From the end, so that the places before stay where they are.
        for place in citations(text, self.id.as_str()).into_iter().rev() {
            out.replace_range(place, &mark);
        }
        for form in &self.texts {
            out = out.replace(form.as_str(), if form.starts_with('"') { &mark } else { REDACTED_MARK });
        }
        (out != text).then_some(out)
    }
}

/// The JSON of a value after a change; `None` where nothing changed or it is no such value.
fn retyped<T>(json: &str, change: impl FnOnce(&mut T)) -> Result<Option<String>>
where
    T: Clone + PartialEq + Serialize + DeserializeOwned,
{
    let Ok(before) = serde_json::from_str::<T>(json) else { return Ok(None) };
    let mut after = before.clone();
    change(&mut after);
    Ok((after != before).then(|| serde_json::to_string(&after)).transpose()?)
}

/// The text whole, as it is shown, and as an excerpt cuts it.
fn forms(content: &str) -> Vec<String> {
    let shown: String = content.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let shown = shown.trim_end();
    let excerpt: String = shown.chars().take(EXCERPT_CHARS_MAX).collect();
    let mut forms = Vec::new();
    for text in [content, content.trim(), shown, &excerpt] {
        if text.len() >= INSIDE_BYTES_MIN {
            forms.push(escaped(text));
        } else if !text.trim().is_empty() {
            forms.push(format!("\"{}\"", escaped(text)));
        }
    }
    // The longest first, so that no rest of a longer one stays.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

/// The text as it stands between the quotes of a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Where the `text` of each citation of that id stands, its quotes included.
fn citations(json: &str, id: &str) -> Vec<Range<usize>> {
    let needle = format!("\"{}\"", escaped(id));
    json.match_indices(&needle)
        .filter(|(at, _)| {
            json[..*at].trim_end().strip_suffix(':').is_some_and(|before| before.trim_end().ends_with("\"id\""))
        })
        .filter_map(|(at, _)| text_after(json, at + needle.len()))
        .collect()
}

/// The value of the key `text` in the rest of the object that goes on at `from`.
fn text_after(json: &str, from: usize) -> Option<Range<usize>> {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut key) = (from, 0_usize, None::<Range<usize>>);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = string_end(bytes, at)?;
                match key.take() {
                    Some(key) if depth == 0 && &json[key.clone()] == "\"text\"" => return Some(at..end),
                    _ => key = Some(at..end),
                }
                at = end;
                continue;
            }
            b':' => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return None,
            b'}' | b']' => depth -= 1,
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => key = None,
        }
        if *byte != b':' {
            key = None;
        }
        at += 1;
    }
    None
}

/// The end of the string that begins at `from`, after its closing quote.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(json: &'a str, id: &str) -> Vec<&'a str> {
        citations(json, id).into_iter().map(|place| &json[place]).collect()
    }

    #[test]
    fn the_text_of_the_citation_is_found_and_no_other() {
        let json = r#"{"text":"no","e":[{"id":"abc","source":"log","n":[{"text":"no"}],"text":"yes \" \\"},{"id":"abd","text":"no"}]}"#;
        assert_eq!(found(json, "abc"), [r#""yes \" \\""#]);
        let pretty = "{\n  \"id\" : \"abc\",\n  \"text\" :\n \"yes\"\n}";
        assert_eq!(found(pretty, "abc"), ["\"yes\""]);
    }

    #[test]
    fn an_id_elsewhere_is_no_citation() {
        assert_eq!(found(r#"{"cites":["abc"],"text":"no"}"#, "abc"), Vec::<&str>::new());
        assert_eq!(found(r#"{"x":{"id":"abc"},"text":"no"}"#, "abc"), Vec::<&str>::new());
        assert_eq!(found(r#"{"id":"abc","label":"text","other":"no"}"#, "abc"), Vec::<&str>::new());
        assert_eq!(found(r#"{"id":"abc","text"#, "abc"), Vec::<&str>::new());
    }
}
