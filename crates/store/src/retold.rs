//! What reports tell of a piece of evidence in words of their own, and how that is blanked.
//!
//! A timeline shortens a log line, a reason repeats a command: where a secret
//! was missed in the line, it was missed there too.

use coroner_model::incident::Incident;
use coroner_model::investigation::Investigation;
use coroner_model::redact::is_token;
use coroner_model::{Citation, EvidenceId};

use crate::redact::REDACTED_MARK;

/// Shortest word, in bytes, that is taken for a value and not for language.
const VALUE_BYTES_MIN: usize = 6;

/// One piece of evidence that is to be told no more.
pub(crate) struct Retold<'a> {
    id: &'a EvidenceId,
    /// Words of the content that look like values, longest first.
    values: Vec<String>,
}

impl Retold<'_> {
    /// `content` is empty where it is not known any more.
    pub(crate) fn new<'a>(id: &'a EvidenceId, content: &str) -> Retold<'a> {
        Retold { id, values: values(content) }
    }

    /// Blanks what cites the evidence, and the values of its content in all other words of the report.
    pub(crate) fn blank_investigation(&self, report: &mut Investigation) {
        let mut is_cited = self.blank_if_cited(&mut report.symptom.observed, &report.symptom.evidence);
        for hypothesis in &mut report.hypotheses {
            for reason in hypothesis.because.iter_mut().chain(&mut hypothesis.against) {
                is_cited |= self.blank_if_cited(&mut reason.text, &reason.evidence);
            }
            for lookalike in &mut hypothesis.lookalikes {
                is_cited |= self.blank_if_cited(&mut lookalike.text, &lookalike.evidence);
            }
            if let Some(change) = &mut hypothesis.explained_by
                && let Some(command) = &mut change.command
            {
                is_cited |= self.blank_if_cited(command, &change.evidence);
            }
        }
        for event in &mut report.timeline {
            is_cited |= self.blank_if_cited(&mut event.text, &event.evidence);
        }
        if is_cited {
            words_of(report).into_iter().for_each(|text| self.blank_values(text));
        }
    }

    /// Blanks lines that name the evidence, and the values of its content in all other words.
    pub(crate) fn blank_incident(&self, incident: &mut Incident) {
        let labels = [
            &mut incident.what_happened,
            &mut incident.root_cause,
            &mut incident.data_lost,
            &mut incident.fix,
            &mut incident.lesson,
        ];
        let mut texts: Vec<&mut String> = labels.into_iter().flatten().collect();
        texts.extend([&mut incident.title, &mut incident.body]);
        texts.extend(&mut incident.contradictions);
        let names = |text: &String| text.contains(self.id.as_str());
        if !texts.iter().any(|text| names(text)) && !self.is_in(&incident.evidence) {
            return;
        }
        for text in texts {
            if names(text) {
                let line = |line: &str| match line.contains(self.id.as_str()) {
                    true => format!("{REDACTED_MARK} ({})", self.id),
                    false => line.to_owned(),
                };
                *text = text.split('\n').map(line).collect::<Vec<_>>().join("\n");
            }
            self.blank_values(text);
        }
    }

    fn is_in(&self, citations: &[Citation]) -> bool {
        citations.iter().any(|citation| citation.id == *self.id)
    }

    fn blank_if_cited(&self, text: &mut String, citations: &[Citation]) -> bool {
        let is_cited = self.is_in(citations);
        if is_cited && !text.is_empty() {
            *text = REDACTED_MARK.to_owned();
        }
        is_cited
    }

    fn blank_values(&self, text: &mut String) {
        for value in &self.values {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), REDACTED_MARK);
            }
        }
    }
}

/// Every text of a report that is language.
fn words_of(report: &mut Investigation) -> Vec<&mut String> {
    let mut texts = vec![&mut report.symptom.given, &mut report.symptom.observed];
    for hypothesis in &mut report.hypotheses {
        texts.extend([&mut hypothesis.title, &mut hypothesis.remedy]);
        texts.extend(hypothesis.because.iter_mut().chain(&mut hypothesis.against).map(|reason| &mut reason.text));
        texts.extend(hypothesis.lookalikes.iter_mut().map(|lookalike| &mut lookalike.text));
        texts.extend(hypothesis.explained_by.iter_mut().filter_map(|change| change.command.as_mut()));
    }
    texts.extend(report.timeline.iter_mut().map(|event| &mut event.text));
    texts.extend(report.steps.iter_mut().flat_map(|step| &mut step.done));
    texts.extend(report.coverage.iter_mut().map(|coverage| &mut coverage.what));
    texts.extend(report.could_not_look.iter_mut().map(|obstacle| &mut obstacle.detail));
    texts
}

/// Words, and parts of words, that mix digits or cases as language does not.
fn values(content: &str) -> Vec<String> {
    let words = content.split_whitespace();
    let parts = content.split(|c: char| c.is_whitespace() || "\"'`=:,;|()[]{}<>/@&?".contains(c));
    let mut values: Vec<String> = words
        .chain(parts)
        .map(|word| word.trim_matches(|c: char| ".,;:!?\"'`()[]{}".contains(c)))
        .filter(|word| word.len() >= VALUE_BYTES_MIN && is_value(word) && !is_token(word))
        .map(str::to_owned)
        .collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    values
}

fn is_value(word: &str) -> bool {
    let is_time = word.chars().all(|c| c.is_ascii_digit() || "-:.+TZ".contains(c));
    let has_digit = word.chars().any(|c| c.is_ascii_digit());
    let mixes_cases = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    !is_time && (has_digit || mixes_cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_from_language() {
        let (word, token) = (["s3cr3t", "-word"].concat(), ["xYzzy", "Abc"].concat());
        let pair = format!("password={word}");
        let found = values(&format!("2026-01-01T00:00:05Z login of admin failed: {pair}, token {token}!"));
        assert_eq!(found, [pair, word, token]);
        assert_eq!(values("The connection was refused by the database."), Vec::<String>::new());
    }
}
