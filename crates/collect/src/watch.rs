//! Waits until something changes in watched folders and files; costs nothing meanwhile.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

/// Most places that are watched; the kernel has a bound of its own.
const PLACES_MAX: usize = 20_000;
/// Bytes of events that are read at once.
const EVENT_BYTES: usize = 16 * 1024;

/// A set of places that the kernel watches.
#[derive(Clone, Debug)]
pub struct Watch {
    kernel: Arc<OwnedFd>,
}

impl Watch {
    /// A watch of nothing.
    pub fn new() -> io::Result<Watch> {
        Ok(Watch { kernel: Arc::new(inotify::init(CreateFlags::CLOEXEC)?) })
    }

    /// Watches these places too; one that is watched already stays so.
    ///
    /// Gives those that cannot be watched though they are there: whoever waits must look at
    /// them by himself.
    pub fn add(&self, places: &[PathBuf]) -> Vec<PathBuf> {
        let events = WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::CLOSE_WRITE;
        let is_watched = |path: &Path| inotify::add_watch(&*self.kernel, path, events).is_ok();
        let (within, beyond) = places.split_at(places.len().min(PLACES_MAX));
        let unwatched = within.iter().filter(|path| !is_watched(path) && path.exists());
        unwatched.chain(beyond).cloned().collect()
    }

    /// Waits until something changes; gives `true` where the kernel lost track of what did.
    pub fn wait(&self) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); EVENT_BYTES];
        let mut events = inotify::Reader::new(&*self.kernel, &mut buffer);
        loop {
            match events.next() {
                Ok(event) if event.events().contains(ReadFlags::IGNORED) => {}
                Ok(event) => return Ok(event.events().contains(ReadFlags::QUEUE_OVERFLOW)),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
