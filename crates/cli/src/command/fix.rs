//! `coroner fix`: chores that go wrong by hand, done with a plan, a question and a way back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use coroner_verbs::fix_ownership::{self, OwnershipError, OwnershipPlan, OwnershipRequest, shown};
use coroner_verbs::fix_sync::{self, FixSyncError, SyncRequest};

use crate::args::Global;
use crate::command::guard::typed;
use crate::command::undo::confirmed;
use crate::context;
use crate::fail::{Exit, Failure};
use crate::terminal::tame;

/// Directories and kept paths that a plan names.
const LINES_MAX: usize = 20;

/// Does a dangerous chore the safe way: plan, question, way back.
///
/// Example: coroner fix ownership /opt/shop
#[derive(Debug, Args)]
pub struct FixArgs {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    Ownership(OwnershipArgs),
    Sync(SyncArgs),
}

/// Gives a tree to its owner, all but what is another's on purpose.
///
/// The owner comes from `[[ownership]]` in .coroner/coroner.toml, else from the top of the tree. Data of services,
/// protected paths and private keys keep theirs; links are not followed, other file systems not entered.
///
/// Example: coroner fix ownership /opt/shop
#[derive(Debug, Args)]
struct OwnershipArgs {
    /// The tree; without it that of the policy, else of the project.
    root: Option<PathBuf>,
    /// Whose it should be, as `user:group`.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Do it without asking; for a person.
    #[arg(long)]
    yes: bool,
}

/// Makes one directory like another, without what it must not lose.
///
/// Data of services, backups, `.git`, env files and protected paths of the destination are excluded by rules that are
/// shown. What would happen is computed by the rules and asked of the real rsync; where they differ, nothing is done.
/// What is replaced or deleted is kept for `coroner undo` first.
///
/// Example: coroner fix sync /srv/src /opt/shop --delete
#[derive(Debug, Args)]
struct SyncArgs {
    /// The directory whose contents are copied.
    source: PathBuf,
    /// The directory that they go into.
    destination: PathBuf,
    /// Delete what only the destination has.
    #[arg(long)]
    delete: bool,
    /// Do it without asking; for a person.
    #[arg(long)]
    yes: bool,
}

/// Runs `fix`.
pub fn run(global: &Global, args: FixArgs) -> anyhow::Result<Exit> {
    match args.chore {
        Chore::Ownership(args) => ownership(global, args),
        Chore::Sync(args) => sync(global, &args),
    }
}

fn ownership(global: &Global, args: OwnershipArgs) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let request = OwnershipRequest { root: args.root.map(|root| context::absolute(&ws.cwd, &root)), owner: args.owner };
    let plan = fix_ownership::plan(&ws.world, &ws.cwd, &request).map_err(|e| failed(&e))?;
    show(&plan);
    if plan.plan.changes.is_empty() {
        println!("Nothing to change.");
        return Ok(Exit::Clean);
    }
    if !ws.world.is_live() || !confirmed(args.yes, "Change these owners?") {
        return Ok(Exit::Found);
    }
    let done = fix_ownership::apply(&ws.home, &plan, ws.now).map_err(|e| failed(&e.into()))?;
    println!("{} changed", done.changed);
    for failure in done.failed.iter().take(LINES_MAX) {
        println!("could not change: {}", tame(failure));
    }
    if let Some(id) = &done.undo {
        println!("To take it back: coroner undo {id}");
    }
    Ok(if done.failed.is_empty() { Exit::Clean } else { Exit::Found })
}

fn show(plan: &OwnershipPlan) {
    let own = &plan.plan;
    println!("{} to {}, {}", tame(&own.root.display().to_string()), shown(own.to), plan.policy);
    // By the directory under the root, and from whom.
    let mut counts: BTreeMap<(PathBuf, (u32, u32)), usize> = BTreeMap::new();
    for change in &own.changes {
        let top = change.path.components().next().filter(|_| change.path.components().count() > 1);
        let top = top.map(|c| own.root.join(c)).unwrap_or_else(|| own.root.clone());
        *counts.entry((top, (change.from.uid, change.from.gid))).or_default() += 1;
    }
    for ((directory, (uid, gid)), count) in counts.iter().take(LINES_MAX) {
        let from = shown(fix_ownership::Owner { uid: *uid, gid: *gid });
        println!("  {count:>7}  {from} → {}  {}", shown(own.to), tame(&directory.display().to_string()));
    }
    if counts.len() > LINES_MAX {
        println!("  and in {} more directories", counts.len() - LINES_MAX);
    }
    for (path, why) in own.kept.iter().take(LINES_MAX) {
        println!("  kept     {}  {}", tame(&own.root.join(path).display().to_string()), tame(why));
    }
    if own.kept.len() > LINES_MAX {
        println!("  and {} more are kept", own.kept.len() - LINES_MAX);
    }
    for differs in &plan.differs {
        println!("  differs  {}", tame(differs));
    }
    println!("  {} of {} paths change", own.changes.len(), own.looked);
    crate::render::could_not_look(&plan.could_not_look);
}

fn failed(error: &OwnershipError) -> anyhow::Error {
    let exit = match error {
        OwnershipError::NoPolicy { .. } | OwnershipError::System { .. } => Exit::Usage,
        OwnershipError::Own(_) => Exit::CouldNotLook,
    };
    Failure { what: error.to_string(), because: Vec::new(), hint: error.hint().to_owned(), exit }.into()
}

fn sync(global: &Global, args: &SyncArgs) -> anyhow::Result<Exit> {
    let ws = context::workspace(global)?;
    let request = SyncRequest {
        source: context::absolute(&ws.cwd, &args.source),
        destination: context::absolute(&ws.cwd, &args.destination),
        deletes: args.delete,
    };
    let plan = fix_sync::plan(&ws.world, &request).map_err(|e| sync_failed(&e))?;
    let words: Vec<String> = plan.rules.arguments(false).iter().map(|w| typed(&w.to_string_lossy())).collect();
    println!("rsync {}", tame(&words.join(" ")));
    for (rule, why) in &plan.spared {
        println!("  spared   {}  {}", tame(rule), tame(why));
    }
    for (what, paths) in [("add", &plan.told.added), ("change", &plan.told.changed), ("delete", &plan.told.deleted)] {
        for path in paths.iter().take(LINES_MAX) {
            println!("  {what:<7}  {}", tame(&path.display().to_string()));
        }
        if paths.len() > LINES_MAX {
            println!("  {what:<7}  and {} more", paths.len() - LINES_MAX);
        }
    }
    let told = &plan.told;
    println!("  {} added, {} changed, {} deleted", told.added.len(), told.changed.len(), told.deleted.len());
    crate::render::could_not_look(&plan.could_not_look);
    if told.added.is_empty() && told.changed.is_empty() && told.deleted.is_empty() {
        return Ok(Exit::Clean);
    }
    if !ws.world.is_live() || !confirmed(args.yes, "Do this?") {
        return Ok(Exit::Found);
    }
    let done = fix_sync::apply(&ws.home, &plan, ws.now).map_err(|e| sync_failed(&e))?;
    if let Some(id) = &done.undo {
        println!("Done. What was replaced or deleted: coroner undo {id}");
    } else {
        println!("Done.");
    }
    if let Some(first) = done.left.first() {
        println!("{} paths still differ, {} first.", done.left.len(), tame(&first.display().to_string()));
    }
    Ok(if done.left.is_empty() { Exit::Clean } else { Exit::Found })
}

fn sync_failed(error: &FixSyncError) -> anyhow::Error {
    let exit = match error {
        FixSyncError::Directory { .. } | FixSyncError::Nested { .. } => Exit::Usage,
        FixSyncError::Sync(_) | FixSyncError::TooMuch { .. } => Exit::CouldNotLook,
        _ => Exit::Found,
    };
    Failure { what: error.to_string(), because: Vec::new(), hint: error.hint().to_owned(), exit }.into()
}
