//! `record --follow`: sleeps until something changes, then records it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use coroner_verbs::ingest::follow::Watch;
use tokio::signal::unix::{SignalKind, signal};

/// What changes at once is recorded at once.
const SETTLE: Duration = Duration::from_millis(400);
/// How often is looked where nothing can be watched.
const LOOK: Duration = Duration::from_secs(10);
/// How often is looked all the same: an agent may have been installed meanwhile.
const LOOK_ANYWAY: Duration = Duration::from_secs(600);
/// Exit code of a program that Ctrl-C ended, as shells count it.
const INTERRUPTED: i32 = 130;

/// Why it wakes up.
enum Wake {
    Changed,
    End,
}

/// Waits for changes, and for a person who ends it.
pub(super) struct Follower {
    watch: Option<Watch>,
    wakes: Receiver<Wake>,
    is_ended: Arc<AtomicBool>,
    /// Whether some place is not watched.
    is_blind: bool,
}

impl Follower {
    pub(super) fn start(is_ended: Arc<AtomicBool>) -> Follower {
        let (sender, wakes) = sync_channel(4);
        hear_the_end(sender.clone(), is_ended.clone());
        let watch = Watch::new().ok();
        if let Some(watch) = watch.clone() {
            std::thread::spawn(move || hear_changes(&watch, &sender));
        }
        Follower { is_blind: watch.is_none(), watch, wakes, is_ended }
    }

    /// Watches these places from now on.
    pub(super) fn watch(&mut self, places: &[std::path::PathBuf]) {
        self.is_blind = self.watch.as_ref().is_none_or(|watch| !watch.add(places).is_empty());
    }

    /// Sleeps until there may be news; `false` where it is to end.
    pub(super) fn wait(&self, asks_an_engine: bool) -> bool {
        let patience = if self.is_blind || asks_an_engine { LOOK } else { LOOK_ANYWAY };
        match self.wakes.recv_timeout(patience) {
            Ok(Wake::End) => return false,
            Ok(Wake::Changed) => std::thread::sleep(SETTLE),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(patience),
        }
        // What was said meanwhile is covered by the look that follows.
        while let Ok(wake) = self.wakes.try_recv() {
            if matches!(wake, Wake::End) {
                return false;
            }
        }
        !self.is_ended.load(Ordering::Relaxed)
    }
}

fn hear_changes(watch: &Watch, sender: &SyncSender<Wake>) {
    while watch.wait().is_ok() {
        // A full channel says it already.
        sender.try_send(Wake::Changed).ok();
        std::thread::sleep(SETTLE);
    }
}

/// The first signal ends the following when the recording at hand is kept; the second ends it at once.
fn hear_the_end(sender: SyncSender<Wake>, is_ended: Arc<AtomicBool>) {
    let hear = move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            for count in 0.. {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                if count > 0 {
                    std::process::exit(INTERRUPTED);
                }
                is_ended.store(true, Ordering::Relaxed);
                sender.try_send(Wake::End).ok();
            }
            Ok(())
        })
    };
    // Without it a signal ends the process as it always does, and the store is whole all the same.
    std::thread::spawn(hear);
}
