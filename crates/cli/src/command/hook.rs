//! `coroner hook`: the guard in the protocol of an agent's hooks.

use std::io::{Read, Write};

use clap::{Args, ValueEnum};
use coroner_verbs::guard::Guard;
use coroner_verbs::hook;

use crate::args::Global;
use crate::context;
use crate::fail::Exit;

/// Answers one hook event of an agent on standard input and output.
///
/// A denial is the agent's own JSON and exit 2; what cannot be read asks; an event of an unknown name gets no opinion.
///
/// Example: coroner hook --agent claude < event.json
#[derive(Debug, Args)]
pub struct HookArgs {
    /// Whose protocol to speak.
    #[arg(long, value_enum)]
    agent: Agent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Agent {
    Claude,
}

/// Runs `hook`; it ends the process itself where the protocol wants another exit code.
pub fn run(global: &Global, args: HookArgs) -> anyhow::Result<Exit> {
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(hook::INPUT_BYTES_MAX).read_to_end(&mut input);
    let Agent::Claude = args.agent;
    let reply = match read {
        Ok(_) => hook::claude(&input, || Guard::open(context::request(global)?).map_err(anyhow::Error::from)),
        Err(error) => hook::ask(&format!("Coroner could not read the hook's input: {error}")),
    };
    print!("{}", reply.stdout);
    eprint!("{}", reply.stderr);
    std::io::stdout().flush()?;
    match reply.exit {
        0 => Ok(Exit::Clean),
        code => std::process::exit(i32::from(code)),
    }
}
