//! `coroner serve`: the pages, for this machine only.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;
use coroner_verbs::book::Shelf;
use coroner_verbs::demo;

use crate::args::Global;
use crate::context;
use crate::fail::{Exit, Failure};

/// Shows incidents, investigations and anti-patterns in a browser.
///
/// Listens on 127.0.0.1 only and turns away requests with a foreign Host or Origin. Reach it from elsewhere with
/// `ssh -L`.
///
/// Example: coroner serve --port 4510
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 4510)]
    port: u16,
    /// Show the workspace that `coroner demo` leaves.
    #[arg(long, conflicts_with_all = ["store", "casefile"])]
    demo: bool,
}

/// Runs `serve` until it is interrupted.
pub fn run(global: &Global, args: &ServeArgs) -> anyhow::Result<Exit> {
    let mut request = context::request(global)?;
    if args.demo {
        request.home = demo::home_below(&request.home);
        request.cwd = request.home.clone();
    }
    let shelf = Shelf::new(request).map_err(|e| context::failed(&e))?;
    // Read once before, so that a store that cannot be read is said here and not on a page.
    shelf.book().map_err(|e| context::failed(&e))?;
    let open = move || shelf.book().map_err(Into::into);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(async {
        tokio::select! {
            served = coroner_serve::serve(open, address, |at| eprintln!("Serving http://{at}/ (end with Ctrl-C)")) => served,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    });
    served.map_err(|e| Failure::usage(e.to_string(), e.hint()))?;
    Ok(Exit::Clean)
}
