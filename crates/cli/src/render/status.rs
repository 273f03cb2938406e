//! The state of the workspace as text.

use coroner_verbs::status::Status;

/// Ten lines; what could not be seen says so.
pub fn status(status: &Status) {
    let row = |name: &str, text: String| println!("{name:<14} {text}");
    row("Project", status.project.clone().unwrap_or_else(|| "none here (no .coroner folder above)".to_owned()));
    row("Incidents", format!("{} open of {}", status.incidents_open, status.incidents));
    row("Anti-patterns", format!("{} in force", status.patterns));
    row("Evidence", format!("{} pieces kept", status.evidence));
    row(
        "Investigated",
        match &status.last_investigation {
            Some(last) => format!("{} {}", last.at.map(|at| at.to_string()).unwrap_or_default(), last.id),
            None => "never".to_owned(),
        },
    );
    row(
        "Disk",
        match &status.disk {
            Some((mount, used)) => format!("{used} % used on {mount}"),
            None => "could not look".to_owned(),
        },
    );
    row(
        "Containers",
        match &status.containers {
            Some(c) if c.unhealthy.is_empty() => format!("{} running, {} stopped", c.running, c.stopped),
            Some(c) => format!("{} running, {} stopped, unwell: {}", c.running, c.stopped, c.unhealthy.join(", ")),
            None => "could not look".to_owned(),
        },
    );
    row(
        "Guard hook",
        match status.claude_hook {
            Some(true) => "wired for Claude Code".to_owned(),
            Some(false) => "not wired for Claude Code".to_owned(),
            None => "no settings of Claude Code found".to_owned(),
        },
    );
    if let Some(failures) = &status.hook_failures {
        let times = if failures.count == 1 { "once".to_owned() } else { format!("{} times", failures.count) };
        row("Hook failed", format!("{times} since {}", failures.since));
    }
    println!();
    row("Next", status.next.clone());
}
