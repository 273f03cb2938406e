//! `fix ownership`: gives a tree to its owner and leaves alone what is another's on purpose.

use std::path::{Path, PathBuf};

use coroner_act::own::{self, Wish};
pub use coroner_act::own::{Change, OwnError, OwnPlan, Owned, Owner, shown};
use coroner_act::undo;
use coroner_collect::{World, place};
use coroner_judge::guard;
use coroner_judge::scene::Goal;
use coroner_model::{CouldNotLook, Probe, Why};
use coroner_read::config;
use jiff::Timestamp;

use crate::look;

/// Files that a server refuses when others may read them, wherever they lie.
const PRIVATE_NAMES: [&str; 4] = ["acme.json", "server.key", "id_rsa", "id_ed25519"];

/// Which tree, and whose it should be.
#[derive(Clone, Debug, Default)]
pub struct OwnershipRequest {
    /// Absolute; absent: the root of the policy, else of the project.
    pub root: Option<PathBuf>,
    /// `user:group`; absent: as the policy says, else whose the tree's top is.
    pub owner: Option<String>,
}

/// What would be done, and on what ground.
#[derive(Clone, Debug)]
pub struct OwnershipPlan {
    pub plan: OwnPlan,
    /// Where the owner comes from, as a sentence's end.
    pub policy: String,
    /// Exceptions that are not as the policy has them; they are told, not touched.
    pub differs: Vec<String>,
    pub could_not_look: Vec<CouldNotLook>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    #[error("nothing says whose {root} should be")]
    NoPolicy { root: PathBuf },
    #[error("{root} is what the host lives on")]
    System { root: PathBuf },
    #[error(transparent)]
    Own(#[from] OwnError),
}

impl OwnershipError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            OwnershipError::NoPolicy { .. } => {
                "add an [[ownership]] table with root and owner to .coroner/coroner.toml, or give --owner"
            }
            OwnershipError::System { .. } => "name the tree of a project",
            OwnershipError::Own(error) => error.hint(),
        }
    }
}

/// Trees that hold the system itself.
const SYSTEM: [&str; 18] = [
    "/", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys", "/run", "/var",
    "/var/lib", "/root", "/home", "/opt", "/srv",
];

/// Looks what would change hands; changes nothing.
pub fn plan(world: &World, cwd: &Path, request: &OwnershipRequest) -> Result<OwnershipPlan, OwnershipError> {
    let first = vec![Probe::Config, Probe::Backups];
    let answers = look::look(world, &Goal::Guard, first);
    let config = guard::config_of(&answers);
    let policy = policy_for(&config.ownership, request.root.as_deref());
    let root = request
        .root
        .clone()
        .or_else(|| policy.map(|p| PathBuf::from(&p.root)))
        .or_else(|| world.root().map(PathBuf::from))
        .unwrap_or_else(|| cwd.to_path_buf());
    let root = place::resolved(&root);
    if SYSTEM.iter().any(|top| root == Path::new(top)) {
        return Err(OwnershipError::System { root });
    }
    let (owner, ground) = match (&request.owner, policy) {
        (Some(owner), _) => (Some(own::resolve(owner)?), "as the call says".to_owned()),
        (None, Some(policy)) => (Some(own::resolve(&policy.owner)?), format!("by the policy for {}", policy.root)),
        (None, None) => (None, format!("as {} itself is", root.display())),
    };
    let mut differs = Vec::new();
    let mut exceptions: Vec<PathBuf> = guard::spared(&answers)
        .into_iter()
        .filter(|one| one.why != "backups")
        .map(|one| PathBuf::from(one.path))
        .filter(|path| *path != root)
        .collect();
    for exception in config.ownership.iter().flat_map(|p| p.exceptions.iter().map(move |e| (p, e))) {
        let path = Path::new(&exception.0.root).join(&exception.1.path);
        differs.extend(difference(&path, exception.1));
        exceptions.push(path);
    }
    let private_names = PRIVATE_NAMES.map(str::to_owned).to_vec();
    let plan = own::plan(&Wish { root: root.clone(), owner, exceptions, private_names })?;
    if owner.is_none() && plan.to.uid == 0 {
        return Err(OwnershipError::NoPolicy { root });
    }
    let mut could_not_look = answers.could_not_look();
    could_not_look.retain(|why| why.why != Why::Absent);
    Ok(OwnershipPlan { plan, policy: ground, differs, could_not_look })
}

/// The policy whose tree is, or most closely holds, the root.
fn policy_for<'c>(all: &'c [config::Ownership], root: Option<&Path>) -> Option<&'c config::Ownership> {
    let named = all.iter().filter(|p| !p.owner.is_empty() && p.root.starts_with('/'));
    match root {
        None => named.min_by_key(|p| p.root.len()),
        Some(root) => named.filter(|p| root.starts_with(&p.root)).max_by_key(|p| p.root.len()),
    }
}

/// How an exception stands apart from what the policy says of it.
fn difference(path: &Path, exception: &config::OwnershipException) -> Option<String> {
    let access = place::access(path)?;
    let now = Owner { uid: access.uid, gid: access.gid };
    let wanted = (!exception.owner.is_empty()).then(|| own::resolve(&exception.owner).ok()).flatten();
    let mode = u32::from_str_radix(exception.mode.trim_start_matches("0o"), 8).ok();
    let mut parts = Vec::new();
    if let Some(wanted) = wanted.filter(|w| *w != now) {
        parts.push(format!("owned by {}, the policy says {}", shown(now), shown(wanted)));
    }
    if let Some(mode) = mode.filter(|m| *m != access.mode) {
        parts.push(format!("mode {:04o}, the policy says {mode:04o}", access.mode));
    }
    (!parts.is_empty()).then(|| format!("{}: {}", path.display(), parts.join("; ")))
}

/// Does what was planned; `coroner undo` takes it back.
pub fn apply(home: &Path, plan: &OwnershipPlan, now: Timestamp) -> Result<Owned, OwnError> {
    let mut head = crate::undo::blank(now, format!("coroner fix ownership {}", plan.plan.root.display()));
    head.roots.push(undo::Name::from(plan.plan.root.as_path()));
    // An owner takes no space: a snapshot of them is never refused for its size.
    let bounds = crate::undo::bounds(home, &plan.plan.root).unwrap_or_default();
    own::apply(&home.join(undo::FOLDER), &plan.plan, head, &bounds)
}
