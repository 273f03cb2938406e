//! Transcripts that are one JSON document: the elements of one list in it, each with its own place.

use std::collections::BTreeMap;

use coroner_model::entry::{About, Entry, RawPlace};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::batch::{Batch, JsonLines, parsed};

/// Reads the elements under `list` by a reader that `start` makes of the document's other fields.
///
/// What the document says of its session stands at the place before the first element.
/// Of a document that is cut off or broken, the elements before the break are read.
pub(super) fn read<R: JsonLines>(
    text: &str,
    list: &str,
    start: impl FnOnce(&Map<String, Value>) -> (R, About),
) -> Batch {
    let mut batch = Batch::default();
    batch.counts.lines = lines(text);
    let document = document(text, list);
    let (mut reader, about) = start(&document.fields);
    let head = document.elements.first().map_or(text.len() as u64, |first| first.offset);
    batch.add(Entry {
        session: reader.session().to_owned(),
        raw: RawPlace { offset: 0, len: head, line: 1 },
        about: (about != About::default()).then(|| Box::new(about)),
        ..Entry::default()
    });
    for raw in document.elements {
        let element = slice(text, raw);
        match parsed(element) {
            Ok(record) => reader.record(record, element, raw, &mut batch),
            Err(error) => batch.issue(unread(&reader, raw), &error.to_string(), element),
        }
    }
    if let Some((raw, reason)) = document.broken {
        batch.issue(unread(&reader, raw), &reason, slice(text, raw));
    }
    batch
}

/// How many lines of a text are not blank.
pub(super) fn lines(text: &str) -> u64 {
    text.lines().filter(|line| !line.trim().is_empty()).count() as u64
}

fn unread(reader: &impl JsonLines, raw: RawPlace) -> Entry {
    Entry { session: reader.session().to_owned(), raw, ..Entry::default() }
}

fn slice(text: &str, raw: RawPlace) -> &str {
    let from = usize::try_from(raw.offset).unwrap_or(usize::MAX);
    let len = usize::try_from(raw.len).unwrap_or(usize::MAX);
    text.get(from..from.saturating_add(len)).unwrap_or("")
}

#[derive(Default)]
struct Document {
    fields: Map<String, Value>,
    elements: Vec<RawPlace>,
    /// What could not be read, and why.
    broken: Option<(RawPlace, String)>,
}

fn document(text: &str, list: &str) -> Document {
    let error = match parts(text, list) {
        Ok(document) => return document,
        Err(error) => error.to_string(),
    };
    let (closed, cut) = closed(text);
    let mut document = parts(&closed, list).unwrap_or_default();
    document.elements.retain(|raw| raw.offset + raw.len <= cut as u64);
    let (offset, line) = document.elements.last().map_or((0, 1), |raw| (raw.offset + raw.len, raw.line));
    document.broken = Some((RawPlace { offset, len: text.len() as u64 - offset, line }, error));
    document
}

fn parts(text: &str, list: &str) -> Result<Document, serde_json::Error> {
    let mut document = Document::default();
    for (key, value) in serde_json::from_str::<BTreeMap<String, &RawValue>>(text)? {
        match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            Ok(elements) if key == list => document.elements = places(text, &elements),
            _ => drop(document.fields.insert(key, parsed(value.get())?)),
        }
    }
    Ok(document)
}

/// Where elements stand in the text that they were read from.
fn places(text: &str, elements: &[&RawValue]) -> Vec<RawPlace> {
    let (mut line, mut counted) = (1, 0);
    let place = |element: &&RawValue| {
        let offset = element.get().as_ptr() as usize - text.as_ptr() as usize;
        line += text[counted..offset].matches('\n').count() as u64;
        counted = offset;
        RawPlace { offset: offset as u64, len: element.get().len() as u64, line }
    };
    elements.iter().map(place).collect()
}

/// The part of a JSON text before a cut, with what is open in it closed; and how long that part is.
///
/// The cut is put after the last value that is complete.
pub(super) fn closed(text: &str) -> (String, usize) {
    let (mut open, mut open_at_cut, mut cut) = (Vec::new(), Vec::new(), 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => open.push(if byte == b'{' { '}' } else { ']' }),
            b'}' | b']' if open.pop().is_none() => break,
            _ => {}
        }
        if !in_string && matches!(byte, b'{' | b'[' | b'}' | b']' | b',') {
            cut = if byte == b',' { index } else { index + 1 };
            open_at_cut.clone_from(&open);
        }
    }
    let closed = text[..cut].chars().chain(open_at_cut.into_iter().rev()).collect();
    (closed, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_cut_off_keeps_what_stands_before_the_cut() {
        let text = "{\"id\": \"s\",\n \"items\": [\n  {\"n\": \"}]\\\"\"},\n  {\"n\": 2, \"m\": [1, 2";
        let document = document(text, "items");
        assert_eq!(document.fields["id"], "s");
        assert_eq!(document.elements.len(), 1);
        assert_eq!((slice(text, document.elements[0]), document.elements[0].line), ("{\"n\": \"}]\\\"\"}", 3));
        let (raw, _) = document.broken.unwrap();
        assert_eq!(raw.offset + raw.len, text.len() as u64);
    }
}
