//! What git said, as text.

use coroner_model::probe::GitTable;
use jiff::Timestamp;

use super::{Casefile, Part, Raw, git_path, not_recorded};

/// A git table from its text.
pub(super) fn answer(case: &Casefile, table: GitTable, _since: Option<Timestamp>, _until: Option<Timestamp>) -> Raw {
    let path = git_path(table);
    if case.shelf.file_bytes(path).is_some() {
        return case.read(path, Part::Head).map(|seen| vec![seen]);
    }
    Err(not_recorded(path))
}
