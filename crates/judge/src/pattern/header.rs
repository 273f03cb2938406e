//! The TOML header of an anti-pattern: typed rows, no expression language.
//!
//! Rows are OR, fields in a row are AND, a list in a field means any of them.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::permission::Strength;
use coroner_model::{Category, IncidentId, PatternId, Severity, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Fact, FactKind, Layer};

/// Everything between the two `+++` lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Number in the failure log that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// What happens, in one line.
    pub title: String,
    pub category: Category,
    pub severity: Severity,
    /// Incidents in which it happened; the only place that stores the link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<IncidentId>,
    /// What to remember, in one or two sentences.
    pub lesson: String,
    /// What prevents it.
    #[serde(default, skip_serializing_if = "When::is_empty")]
    pub when: When,
    /// How it looks afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<TraceRow>,
    /// The state that proves it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirm: Vec<ConfirmRow>,
    /// What else looks the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookalike: Vec<LookalikeRow>,
}

/// The rows that prevent: on effects of commands, and on typed facts of state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effect: Vec<EffectRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compose: Vec<FactRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<FactRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub container: Vec<FactRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<FactRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file: Vec<FactRow>,
}

impl When {
    fn is_empty(&self) -> bool {
        *self == When::default()
    }

    /// The fact rows with the layer that each stands in.
    pub fn fact_rows(&self) -> impl Iterator<Item = (Layer, &FactRow)> {
        self.compose
            .iter()
            .map(|r| (Layer::Compose, r))
            .chain(self.env.iter().map(|r| (Layer::Env, r)))
            .chain(self.container.iter().map(|r| (Layer::Container, r)))
            .chain(self.host.iter().map(|r| (Layer::Host, r)))
            .chain(self.file.iter().map(|r| (Layer::File, r)))
    }
}

/// One value or a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T: PartialEq> OneOrMany<T> {
    /// Whether the value is among them.
    pub fn has(&self, value: &T) -> bool {
        match self {
            OneOrMany::One(one) => one == value,
            OneOrMany::Many(many) => many.contains(value),
        }
    }
}

/// Matches an effect of a command before it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffectRow {
    pub kind: OneOrMany<EffectKind>,
    /// Any of these classes; empty: any target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<TargetClass>,
    /// None of these classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_target: Vec<TargetClass>,
    /// Any of these circumstances; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub circumstance: Vec<Circumstance>,
    /// None of these circumstances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_circumstance: Vec<Circumstance>,
    /// Programs by name; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub program: Vec<String>,
    pub permission: Strength,
}

impl EffectRow {
    /// Whether the row matches the effect.
    pub fn matches(&self, effect: &Effect) -> bool {
        let any = |wanted: &[TargetClass]| wanted.iter().any(|c| effect.class.contains(c));
        let holds = |wanted: &[Circumstance]| wanted.iter().any(|c| effect.circumstance.contains(c));
        self.kind.has(&effect.kind)
            && (self.target.is_empty() || any(&self.target))
            && !any(&self.not_target)
            && (self.circumstance.is_empty() || holds(&self.circumstance))
            && !holds(&self.not_circumstance)
            && (self.program.is_empty() || self.program.contains(&effect.program))
    }
}

/// Matches a fact of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactRow {
    pub fact: FactKind,
    /// Any of these forms; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
}

/// Recognises a failure in what was logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceRow {
    /// `container-log`, `log`, `journal`, `http`, …; empty: any log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<Source>,
    /// Regular expression over one line without its header.
    pub matches: String,
}

/// A state that proves the failure when the named probe's detector finds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRow {
    pub probe: FactKind,
    /// Any of these forms; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
}

impl ConfirmRow {
    /// Whether the fact is the proof.
    pub fn matches(&self, fact: &Fact) -> bool {
        self.probe == fact.kind && (self.is.is_empty() || self.is.iter().any(|w| w == fact.is))
    }
}

/// Another cause that prints the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookalikeRow {
    pub pattern: PatternId,
    /// What tells them apart, in one sentence.
    pub tells: String,
}

/// The kinds that the effect rows ask for.
#[cfg(test)]
pub(super) fn effect_kinds(header: &Header) -> Vec<EffectKind> {
    let kinds = header.when.effect.iter().flat_map(|row| match &row.kind {
        OneOrMany::One(one) => vec![*one],
        OneOrMany::Many(many) => many.clone(),
    });
    kinds.collect()
}

/// Words in `is` that their fact does not know, facts in a wrong table, and expressions that
/// are none; those of built-in files (`tested`) are compiled by a test instead of each time.
pub(super) fn problems(header: &Header, tested: bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let rows = header.when.fact_rows().map(|(layer, r)| (Some(layer), r.fact, &r.is));
    let confirms = header.confirm.iter().map(|r| (None, r.probe, &r.is));
    for (layer, kind, is) in rows.chain(confirms) {
        if layer.is_some_and(|l| !kind.layers().contains(&l)) {
            found.push((name_of(kind), format!("fact `{}` does not belong into this table", name_of(kind))));
        }
        for word in is {
            if !kind.words().contains(&word.as_str()) {
                let known = kind.words().join("`, `");
                found.push((word.clone(), format!("`{word}` is no form of `{}`; it has `{known}`", name_of(kind))));
            }
        }
    }
    for row in header.trace.iter().filter(|_| !tested) {
        if let Err(error) = regex::Regex::new(&row.matches) {
            let text = error.to_string().lines().last().unwrap_or_default().to_owned();
            found.push((row.matches.clone(), format!("not a regular expression: {text}")));
        }
    }
    found
}

/// The word of a fact kind in files.
pub fn name_of(kind: FactKind) -> String {
    serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
