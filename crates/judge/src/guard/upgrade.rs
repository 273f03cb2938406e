//! Images whose next major version does not take over the data of the last one.

use super::Judged;
use super::view::View;
use crate::effect::{ComposeTarget, Planned};

impl View<'_> {
    pub(super) fn upgrades(&self, _planned: &Planned, _compose: &ComposeTarget) -> Vec<Judged> {
        Vec::new()
    }
}
