//! Actions: each change of one is a new record, the earlier ones stay.

use coroner_model::action::Action;
use jiff::Timestamp;

use crate::Store;
use crate::chain::Kind;
use crate::error::Result;
use crate::incident::Kept;
use crate::ledger::Entry;

impl Store {
    /// Keeps actions as they stand now; the answers stand in the order of the actions.
    pub fn put_actions(&self, actions: &[Action], at: Timestamp) -> Result<Vec<Kept>> {
        let mut entries = Vec::new();
        for action in actions {
            entries.push(Entry::new(Kind::Action, &action.id, serde_json::to_vec(action)?));
        }
        self.put(entries, at)
    }

    /// The newest state of each action, in the order in which they were opened.
    pub fn actions(&self) -> Result<Vec<Action>> {
        self.newest(Kind::Action)
    }
}
