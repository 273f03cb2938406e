//! How full the filesystem under the store is.

use std::path::Path;

use crate::error::{Result, StoreError};
use crate::place::file_error;

/// Percent of the filesystem in use, counted as `df` counts it.
pub fn used_percent(path: &Path) -> Result<u64> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let stat = rustix::fs::statvfs(path).map_err(|e| file_error("read", path)(e.into()))?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    let usable = used.saturating_add(stat.f_bavail);
    Ok(if usable == 0 { 0 } else { used.saturating_mul(100).div_ceil(usable) })
}

/// Refuses where the filesystem is as full as the limit says.
///
/// A recorder that fills the disk becomes the incident it should explain.
pub(crate) fn refuse_if_full(path: &Path, used_percent_max: u64) -> Result<()> {
    let used_percent = used_percent(path)?;
    if used_percent < used_percent_max {
        return Ok(());
    }
    Err(StoreError::DiskFull { path: path.to_path_buf(), used_percent, used_percent_max })
}
