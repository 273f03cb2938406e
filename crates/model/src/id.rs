//! Identifiers as newtypes, so that a session is never handed over as a pattern.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Wraps the text of an id; the caller has checked its form.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id!(/// Id of an anti-pattern: its file name without `.md`.
    PatternId);
id!(/// Id of a piece of evidence: 12 hex digits over source, locator and text.
    EvidenceId);
id!(/// Id of an incident: `<date>-<slug>`, or `undated-<slug>`.
    IncidentId);
id!(/// Id of a kept investigation: 8 hex digits over symptom and evidence.
    InvestigationId);
id!(/// An agent session's own id, as its transcript gives it.
    SessionId);
id!(/// A tool call's own id, as its transcript gives it.
    ToolCallId);
