//! Where something must change before a recording could find news.

use std::path::{Path, PathBuf};

use coroner_collect::transcripts;
pub use coroner_collect::watch::Watch;
use coroner_store::Store;

use super::beside::Around;
use super::{IngestRequest, absolute};

/// Folders and files that a recording of this request would look into; none of the store's own.
pub fn places(store: &Store, request: &IngestRequest) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = match request.from.is_empty() {
        true => transcripts::folders(&request.home, &request.env),
        false => request.from.iter().flat_map(|from| transcripts::folders_under(&absolute(request, from))).collect(),
    };
    let around = Around::new(store, request);
    if request.from.is_empty() {
        all.extend(transcripts::aider_in(std::slice::from_ref(&request.cwd)).into_iter().map(|found| found.path));
        all.extend(around.files());
    }
    let own = store.path().parent().map(Path::to_owned).unwrap_or_default();
    all.retain(|path| !path.starts_with(&own) || own.as_os_str().is_empty());
    all
}

/// Whether something is recorded that no folder tells of: the logs of containers.
pub fn asks_an_engine(store: &Store, request: &IngestRequest) -> bool {
    Around::new(store, request).asks_an_engine()
}
