//! Requests that were sent already: a second one does the same again.

use coroner_model::effect::Effect;

use super::past::Deed;
use super::tool::quote;
use super::view::View;
use super::{Judged, Story};
use crate::effect::{self, Deciding, Planned, Sent, Target};

/// How long an earlier request counts, in minutes, where it is known when it was sent.
const REPEAT_MINUTES_MAX: i64 = 120;

/// Where a request was sent before.
enum Before<'v> {
    Deed(&'v Deed, Sent),
    SameText,
    Retries,
}

impl View<'_> {
    pub(super) fn repeated(&self, planned: &Planned, sent: &Sent, effect: Effect) -> Vec<Judged> {
        let Some(before) = self.sent_before(planned, sent) else { return Vec::new() };
        let mut story = Story {
            would: format!("send the same POST to {} again", sent.url),
            why: "The first one may have been carried out; the second does it once more.".into(),
            ..Story::default()
        };
        match before {
            Before::Deed(deed, earlier) => {
                story.lines.push(format!("sent before ({})", deed.name));
                story.evidence.extend(deed.cited.iter().cloned());
                story.instead.extend(earlier.saved.map(|file| format!("cat {}", quote(&file))));
            }
            Before::SameText => story.lines.push("the same command sends it twice".into()),
            Before::Retries => {
                story.would = format!("send a POST to {} again by itself where no answer comes", sent.url);
                story.lines.push("a request whose answer was lost may have been carried out".into());
            }
        }
        vec![Judged { effect, story }]
    }

    fn sent_before(&self, planned: &Planned, sent: &Sent) -> Option<Before<'_>> {
        let earlier = self.effects.planned.iter().take_while(|p| !std::ptr::eq(*p, planned));
        if earlier.filter_map(sent_by).any(|other| other.repeats(sent)) {
            return Some(Before::SameText);
        }
        let deed = self.tried.iter().rev().filter(|deed| self.is_recent(deed)).find_map(|deed| {
            let command = deed.command.as_ref()?;
            let effects = effect::of_command(command, &deed.cwd, &self.case.request.env);
            let found = effects.planned.iter().filter_map(sent_by).find(|other| other.repeats(sent))?.clone();
            Some(Before::Deed(deed, found))
        });
        deed.or(sent.retries.then_some(Before::Retries))
    }

    fn is_recent(&self, deed: &Deed) -> bool {
        match (deed.at, self.scene.now) {
            (Some(at), Some(now)) => now.as_second().saturating_sub(at.as_second()) <= REPEAT_MINUTES_MAX * 60,
            _ => true,
        }
    }
}

fn sent_by(planned: &Planned) -> Option<&Sent> {
    match &planned.target {
        Target::Named(named) => match &named.deciding {
            Deciding::Repeated(sent) => Some(sent),
            _ => None,
        },
        _ => None,
    }
}
