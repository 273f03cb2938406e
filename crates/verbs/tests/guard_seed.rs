//! Repeats of known incidents with the state that decides, and their harmless twins.
//!
//! A file of `guard_seed/` holds states (`=== title`), each with the documents of a
//! casefile (`--- path`) and then what is stopped or passes over that state
//! (`--- stop in CWD`, `--- pass in CWD`): one request a line, a command or the JSON of
//! a request. Under `--- stop session in CWD` and `--- pass session in CWD` the lines of
//! one paragraph are one session, of which the last request counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;

#[derive(Default)]
struct State {
    title: String,
    files: Vec<(String, String)>,
    runs: Vec<Run>,
}

struct Run {
    stops: bool,
    cwd: String,
    requests: Vec<String>,
}

/// Reads the states of a file.
fn states(text: &str) -> Vec<State> {
    let mut all: Vec<State> = Vec::new();
    let mut head: Option<String> = None;
    let mut body = String::new();
    for line in text.lines().chain(["=== end"]) {
        let opens = line.strip_prefix("=== ").map(|t| (true, t)).or(line.strip_prefix("--- ").map(|t| (false, t)));
        let Some((is_state, title)) = opens else {
            body.push_str(line);
            body.push('\n');
            continue;
        };
        if let Some(head) = head.take() {
            close(all.last_mut().unwrap(), &head, &std::mem::take(&mut body));
        }
        body.clear();
        if is_state {
            all.push(State { title: title.to_owned(), ..State::default() });
        } else {
            head = Some(title.to_owned());
        }
    }
    all.pop();
    all
}

fn close(state: &mut State, head: &str, body: &str) {
    let verdict =
        head.split_once(" in ").filter(|(verdict, _)| verdict.starts_with("stop") || verdict.starts_with("pass"));
    let Some((verdict, cwd)) = verdict else {
        state.files.push((head.to_owned(), body.to_owned()));
        return;
    };
    let stops = verdict.starts_with("stop");
    let groups: Vec<Vec<String>> = if verdict.ends_with("session") {
        body.split("\n\n").map(|group| group.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect()).collect()
    } else {
        body.lines().filter(|l| !l.is_empty()).map(|l| vec![l.to_owned()]).collect()
    };
    let runs = groups.into_iter().filter(|g: &Vec<String>| !g.is_empty());
    state.runs.extend(runs.map(|requests| Run { stops, cwd: cwd.to_owned(), requests }));
}

fn request(line: &str, cwd: &str) -> PermissionRequest {
    let mut request = if line.starts_with('{') {
        serde_json::from_str::<PermissionRequest>(line).unwrap_or_else(|why| panic!("{why}: {line}"))
    } else {
        PermissionRequest { command: Some(line.to_owned()), ..PermissionRequest::default() }
    };
    request.cwd = cwd.to_owned();
    request.session = Some("now".into());
    request
}

fn answer(state: &State, run: &Run) -> PermissionAnswer {
    let files = state.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let casefile = Casefile::of_texts(files, Limits::default()).unwrap();
    let mut guard = Guard::over(World::Casefile(casefile), Library::built_in());
    run.requests.iter().map(|line| guard.judge(request(line, &run.cwd))).last().unwrap()
}

#[test]
fn repeats_are_stopped_and_their_twins_pass() {
    let folder = format!("{}/tests/guard_seed", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut wrong, mut stopped, mut passed) = (Vec::new(), 0, 0);
    for file in &files {
        for state in states(&std::fs::read_to_string(file).unwrap()) {
            assert!(!state.runs.is_empty(), "{} asks nothing", state.title);
            for run in &state.runs {
                let answer = answer(&state, run);
                *if run.stops { &mut stopped } else { &mut passed } += 1;
                if run.stops == (answer.permission == Permission::Allow) {
                    let name = file.file_name().unwrap().to_string_lossy().into_owned();
                    let pattern = answer.pattern.map(|p| p.to_string()).unwrap_or_default();
                    wrong.push(format!(
                        "{name}, {}: {:?} {pattern} {} {}\n    {}",
                        state.title,
                        answer.permission,
                        answer.reason,
                        answer.could_not_look.iter().map(|w| w.what.clone()).collect::<Vec<_>>().join("; "),
                        run.requests.join("\n    ")
                    ));
                }
            }
        }
    }
    println!("{stopped} stopped, {passed} passed");
    assert!(stopped >= 3 * 20 && passed >= 3 * 20, "{stopped} {passed}");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), stopped + passed, wrong.join("\n"));
}

/// Prints the answers, for a look at their words.
#[test]
#[ignore = "prints only"]
fn words() {
    let folder = format!("{}/tests/guard_seed", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        for state in states(&std::fs::read_to_string(file).unwrap()) {
            println!("##### {} {}", file.display(), state.title);
            for run in state.runs.iter().filter(|run| run.stops) {
                let answer = answer(&state, run);
                println!(
                    "{}\n  {:?} {:?}\n  {}\n  do: {}\n",
                    run.requests.join(" ; "),
                    answer.permission,
                    answer.pattern.map(|p| p.to_string()),
                    answer.reason,
                    answer.remedy
                );
            }
        }
    }
}
