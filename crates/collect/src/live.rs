//! The host as it is now: every probe is answered by looking, never by changing.
//!
//! What can hang (a dead mount, a slow socket) runs on threads of its own and is
//! left behind when its time is up; the report says that it was.

mod backups;
mod docker;
mod docker_tables;
mod engine;
mod files;
mod host;
mod http;
mod listeners;
mod processes;
mod proxy;
mod recent_log;
mod resolver;
mod sessions;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, RwLock, mpsc};
use std::time::{Duration, Instant};

use coroner_model::probe::HostTable;
use coroner_model::{Answer, CouldNotLook, Probe, Redactor, Why};
use jiff::Timestamp;

use crate::casefile::obstacle;
use crate::git::{self, Window};
use crate::limits::Limits;
use crate::named_log;
use crate::seen::Seen;

pub use files::project_root;
pub(crate) use http::client;
pub use recent_log::{Mark, Recent};

/// Threads that look at files and tables at the same time.
const THREADS_MAX: usize = 8;

/// What was read, or why not, before redaction.
type Raw = Result<Vec<Seen>, CouldNotLook>;

/// What the collectors must not find out by themselves.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// The environment of the process.
    pub env: BTreeMap<String, String>,
    /// Home directory of the person.
    pub home: PathBuf,
    /// Working directory; relative paths lie under it.
    pub cwd: PathBuf,
    /// The clock of this run.
    pub now: Timestamp,
    /// Key of the tokens that stand for secrets: the store's, so that they stay
    /// the same from run to run, or a fresh one for a casefile.
    pub redaction_key: [u8; 32],
}

/// The host as it is now.
#[derive(Clone, Debug)]
pub struct Live {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: LiveSettings,
    limits: Limits,
    host: String,
    redactor: RwLock<Arc<Redactor>>,
    /// Number of the next `http/<n>.json`.
    exchange: AtomicU64,
    /// Whether the project's settings were read for their secrets.
    primed: Once,
}

/// The name of this machine.
pub fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

impl Live {
    /// A host under these settings; nothing is looked at yet.
    pub fn new(settings: LiveSettings, limits: Limits) -> Live {
        let mut redactor = Redactor::new(settings.redaction_key);
        redactor.learn(&host::env_text(&settings.env));
        let host = machine();
        let redactor = RwLock::new(Arc::new(redactor));
        Live {
            inner: Arc::new(Inner {
                settings,
                limits,
                host,
                redactor,
                exchange: AtomicU64::new(1),
                primed: Once::new(),
            }),
        }
    }

    /// Name of the host.
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// The clock of this run.
    pub fn now(&self) -> Timestamp {
        self.inner.settings.now
    }

    /// The project root: the nearest directory above the working directory that looks like one.
    pub fn root(&self) -> PathBuf {
        files::project_root(&self.inner.settings.cwd)
    }

    /// The redactor with everything it has learned so far.
    pub fn redactor(&self) -> Arc<Redactor> {
        self.inner.redactor.read().map(|now| now.clone()).unwrap_or_else(|poisoned| poisoned.into_inner().clone())
    }

    /// Answers one probe.
    pub fn answer(&self, probe: &Probe) -> Answer {
        let missing =
            || Err(CouldNotLook { what: probe.subject(), why: Why::Unreadable, detail: "the look failed".into() });
        self.answer_all(std::slice::from_ref(probe)).pop().map_or_else(missing, |(_, answer)| answer)
    }

    /// Answers several probes at once, in their order.
    ///
    /// All is read first, then all secrets in it are learned, then all is
    /// redacted: a value that one file gives away is gone from every other.
    pub fn answer_all(&self, probes: &[Probe]) -> Vec<(Probe, Answer)> {
        if probes.iter().any(is_told_by_others) {
            self.inner.primed.call_once(|| self.prime());
        }
        let raws = self.look_all(probes);
        let mut redactor = (*self.redactor()).clone();
        for seen in raws.iter().filter_map(|raw| raw.as_ref().ok()).flatten() {
            redactor.learn(&String::from_utf8_lossy(&seen.raw));
        }
        let redactor = Arc::new(redactor);
        if let Ok(mut slot) = self.inner.redactor.write() {
            *slot = redactor.clone();
        }
        let finish = |probe: &Probe, raw: Raw| -> Answer {
            let clean = |text: &str| redactor.redact(text).as_str().to_owned();
            match raw {
                Ok(seen) => Ok(seen
                    .into_iter()
                    .map(|one| one.into_document(&redactor, &self.inner.host, Some(self.now())))
                    .collect()),
                Err(why) => {
                    Err(CouldNotLook { what: clean(&probe.subject()), why: why.why, detail: clean(&why.detail) })
                }
            }
        };
        probes.iter().zip(raws).map(|(probe, raw)| (probe.clone(), finish(probe, raw))).collect()
    }

    /// Learns the secrets of the project's own settings before the first text that may repeat them.
    ///
    /// A log is read before anybody asks for the env file whose password it prints.
    fn prime(&self) {
        let mut redactor = (*self.redactor()).clone();
        for text in files::settings(&self.inner) {
            redactor.learn(&text);
        }
        if let Ok(mut slot) = self.inner.redactor.write() {
            *slot = Arc::new(redactor);
        }
    }

    fn look_all(&self, probes: &[Probe]) -> Vec<Raw> {
        let (remote, local): (Vec<_>, Vec<_>) = (0..probes.len()).partition(|at| is_remote(&probes[*at]));
        let mut raws: BTreeMap<usize, Raw> = BTreeMap::new();
        let pending = self.start_local(probes, &local);
        raws.extend(self.look_remote(probes, &remote));
        let rounds = local.len().div_ceil(THREADS_MAX) as u64;
        let until = Instant::now() + Duration::from_millis(self.inner.limits.probe_ms_max * rounds.max(1));
        while raws.len() < probes.len() {
            match pending.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((at, raw)) => drop(raws.insert(at, raw)),
                Err(_) => break,
            }
        }
        (0..probes.len()).map(|at| raws.remove(&at).unwrap_or_else(|| Err(self.timed_out()))).collect()
    }

    /// Starts what only this machine answers, on threads that nobody waits for forever.
    fn start_local(&self, probes: &[Probe], local: &[usize]) -> mpsc::Receiver<(usize, Raw)> {
        let (sender, receiver) = mpsc::channel();
        let queue: VecDeque<(usize, Probe)> = local.iter().map(|at| (*at, probes[*at].clone())).collect();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..local.len().min(THREADS_MAX) {
            let (inner, queue, sender) = (self.inner.clone(), queue.clone(), sender.clone());
            std::thread::spawn(move || {
                while let Some((at, probe)) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
                    if sender.send((at, inner.look_local(&probe))).is_err() {
                        break;
                    }
                }
            });
        }
        receiver
    }

    /// Asks the engine and HTTP servers, all at once on one small runtime.
    fn look_remote(&self, probes: &[Probe], remote: &[usize]) -> Vec<(usize, Raw)> {
        if remote.is_empty() {
            return Vec::new();
        }
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let failed = || Err(obstacle(Why::Unreadable, format!("no runtime: {error}")));
                return remote.iter().map(|at| (*at, failed())).collect();
            }
        };
        let time = Duration::from_millis(self.inner.limits.probe_ms_max);
        let looks = remote.iter().map(|at| async move {
            let number = self.inner.exchange_number(&probes[*at]);
            let raw = tokio::time::timeout(time, self.inner.look_remote(&probes[*at], number)).await;
            (*at, raw.unwrap_or_else(|_| Err(self.timed_out())))
        });
        let raws = runtime.block_on(futures_util::future::join_all(looks));
        // A name that is still being resolved must not hold up the rest.
        runtime.shutdown_background();
        raws
    }

    fn timed_out(&self) -> CouldNotLook {
        obstacle(Why::TimedOut, format!("no answer within {} ms", self.inner.limits.probe_ms_max))
    }
}

/// Whether the answer is text written by others, in which a secret of the project has no name.
fn is_told_by_others(probe: &Probe) -> bool {
    matches!(
        probe,
        Probe::ContainerLog { .. }
            | Probe::ContainerFile { .. }
            | Probe::LogFile { .. }
            | Probe::Sessions { .. }
            | Probe::HttpGet { .. }
            | Probe::Git { .. }
            | Probe::Host(HostTable::Ps)
    )
}

/// Whether a probe is answered by a server rather than by this machine's files.
fn is_remote(probe: &Probe) -> bool {
    matches!(
        probe,
        Probe::Docker(_)
            | Probe::ContainerLog { .. }
            | Probe::ContainerFile { .. }
            | Probe::HttpGet { .. }
            | Probe::Proxy(_)
    )
}

impl Inner {
    fn look_local(&self, probe: &Probe) -> Raw {
        match probe {
            Probe::Config => files::config(self),
            Probe::File { path } => files::file(self, &self.absolute(path)).map(|seen| vec![seen]),
            Probe::Files { root, class } => {
                let root =
                    root.as_deref().map_or_else(|| files::project_root(&self.settings.cwd), |root| self.absolute(root));
                files::listing(self, &root, *class).map(|seen| vec![seen])
            }
            Probe::Stat { path } => files::stat(&self.absolute(path)).map(|seen| vec![seen]),
            Probe::Tree { root, depth_max } => {
                files::tree(self, &self.absolute(root), *depth_max).map(|seen| vec![seen])
            }
            // Nobody notes or samples on a host itself; that there is none is the answer.
            Probe::Host(HostTable::Annotations | HostTable::Growth) => Ok(Vec::new()),
            Probe::Host(table) => host::table(self, *table).map(|seen| vec![seen]),
            Probe::Logs => Err(obstacle(Why::Unsupported, "name a log with --log to have it read")),
            Probe::LogFile { path } => named_log::read(path, &self.limits).map(|seen| vec![seen]),
            Probe::HttpRecorded => Ok(Vec::new()),
            Probe::Git { repository, table, since, until } => git::of_worktree(
                &self.absolute(repository),
                *table,
                Window { since: *since, until: *until },
                &self.limits,
            )
            .map(|seen| vec![seen]),
            Probe::Sessions { since, until } => sessions::transcripts(self, *since, *until),
            Probe::Backups => backups::listing(self).map(|seen| vec![seen]),
            // A search has a scope of its own; `secrets` makes it.
            Probe::Secrets => Ok(Vec::new()),
            Probe::Docker(_)
            | Probe::ContainerLog { .. }
            | Probe::ContainerFile { .. }
            | Probe::HttpGet { .. }
            | Probe::Proxy(_) => Err(obstacle(Why::Unsupported, "asked of the wrong place")),
        }
    }

    async fn look_remote(&self, probe: &Probe, number: u64) -> Raw {
        match probe {
            Probe::Docker(table) => docker_tables::table(self, *table).await,
            Probe::ContainerLog { container } => docker::log(self, container).await,
            Probe::ContainerFile { container, path } => {
                docker::file(self, container, path).await.map(|seen| vec![seen])
            }
            Probe::HttpGet { url } => http::get(self, url, number).await.map(|seen| vec![seen]),
            Probe::Proxy(table) => proxy::table(self, *table).await.map(|seen| vec![seen]),
            _ => Err(obstacle(Why::Unsupported, "asked of the wrong place")),
        }
    }

    /// Numbers exchanges in the order in which they were asked for.
    fn exchange_number(&self, probe: &Probe) -> u64 {
        match probe {
            Probe::HttpGet { .. } => self.exchange.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        }
    }

    fn absolute(&self, path: &str) -> PathBuf {
        let full = self.settings.cwd.join(path);
        let mut clean = PathBuf::new();
        for part in full.components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => drop(clean.pop()),
                other => clean.push(other),
            }
        }
        clean
    }

    fn env(&self, name: &str) -> Option<&str> {
        self.settings.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The kind of obstacle that an error of the operating system is.
fn blocked(path: &Path, error: &std::io::Error) -> CouldNotLook {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Why::Absent,
        std::io::ErrorKind::PermissionDenied => Why::Denied,
        std::io::ErrorKind::TimedOut => Why::TimedOut,
        _ => Why::Unreadable,
    };
    obstacle(why, format!("{}: {error}", path.display()))
}
