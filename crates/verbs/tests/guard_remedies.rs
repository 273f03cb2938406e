//! Every remedy that the patterns' own examples are answered with passes the guard, and every reason is short.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

mod remedy;

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionRequest};
use coroner_verbs::guard::Guard;

#[test]
fn what_is_offered_passes_the_guard_in_the_same_state() {
    let library = Library::built_in();
    let mut wrong = Vec::new();
    let mut answered = 0;
    for pattern in library.iter() {
        for example in pattern.caught.iter().filter(|e| !e.commands.is_empty()) {
            let texts = example.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
            let world = World::Casefile(Casefile::of_texts(texts, Limits::default()).unwrap());
            let mut guard = Guard::over(world, library.clone());
            for (line, command) in &example.commands {
                let session = (!example.before.is_empty()).then(|| format!("example {line}"));
                let request = |text: &str| PermissionRequest {
                    command: Some(text.to_owned()),
                    cwd: example.cwd.clone(),
                    session: session.clone(),
                    ..PermissionRequest::default()
                };
                for earlier in &example.before {
                    guard.judge(request(earlier));
                }
                let request = request(command);
                let answer = guard.judge(request.clone());
                answered += usize::from(answer.permission != Permission::Allow);
                wrong.extend(remedy::stopped(&mut guard, &request, &answer));
            }
        }
    }
    assert!(answered > 150, "{answered} answers were held to their remedies");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
