//! Judges text that would be run unread.

use coroner_model::effect::{Effect, TargetClass};

use super::view::View;
use super::{Judged, Story, tool};
use crate::effect::{Execution, Planned, Source};

impl View<'_> {
    pub(super) fn execution(&self, planned: &Planned, execution: &Execution) -> Vec<Judged> {
        let Execution { reader, text, source } = execution;
        let mut effect = Effect::new(planned.kind, text.clone(), reader);
        let mut story = Story::default();
        match source {
            Source::Fetched(fetch) => {
                effect.add_class(TargetClass::Unresolved);
                story.would = format!("run in {reader} what another host sends: {text}");
                story.why = "Nobody has read it, and it can be another text the next time.".into();
                let words: Vec<String> = fetch.iter().map(|w| tool::quote(&w.show())).collect();
                story.instead = vec![format!("{} > /tmp/fetched.sh", words.join(" "))];
            }
            Source::Unresolved => {
                effect.add_class(TargetClass::Unresolved);
                story.would = format!("run in {reader} a text that is not known before: {text}");
                story.why = "What it would do cannot be told from the command.".into();
                if let Some(name) =
                    text.strip_prefix('$').filter(|n| n.chars().all(|c| c.is_alphanumeric() || c == '_'))
                {
                    story.instead = vec![format!("printf '%s\\n' \"${name}\"")];
                }
            }
            Source::Script => {
                story.would = format!("run {text}, which could not be read");
                story.why = "What it does was not judged.".into();
                // A pipeline that prints it stands for itself.
                let reads = if text.starts_with('/') { format!("cat {}", tool::quote(text)) } else { text.clone() };
                story.instead = vec![reads];
            }
        }
        vec![Judged { effect, story }]
    }
}
