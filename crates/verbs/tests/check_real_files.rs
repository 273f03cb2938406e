//! Compose files of public projects: as published they give no finding, with one fault put in they do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::path::Path;

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::fact::{self, Fact, FactKind};
use coroner_judge::scene::{Goal, Scene};
use coroner_verbs::look::look;

fn facts(text: &str) -> Vec<Fact> {
    let files = [
        ("casefile.toml", "schema = \"coroner/casefile/v1\"\nroot = \"/project\"\n"),
        ("files/project/compose.yml", text),
    ];
    let world = World::Casefile(Casefile::of_texts(files, Limits::default()).unwrap());
    let answers = look(&world, &Goal::Check, Vec::new());
    fact::all(&Scene::read(&answers))
}

fn each(folder: &Path, mut visit: impl FnMut(&str, Vec<Fact>)) -> usize {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        visit(path.file_name().unwrap().to_str().unwrap(), facts(&text));
    }
    paths.len()
}

#[test]
fn published_files_pass_and_broken_ones_do_not() {
    let Some(folder) = std::env::var_os("CORONER_FIXTURES") else {
        println!("skipped: CORONER_FIXTURES is not set");
        return;
    };
    let folder = Path::new(&folder).join("checks-real/compose");
    let mut alarms = Vec::new();
    let good = each(&folder.join("good"), |name, facts| {
        alarms.extend(facts.into_iter().map(|f| format!("{name}: {}", f.text)));
    });
    assert!(alarms.is_empty(), "{alarms:#?}");
    let expected = [
        ("fastapi-template__network.yml", Some((FactKind::ProxyUnreachable, "adminer"))),
        ("fastapi-template__no-db-url.yml", Some((FactKind::CredentialFallback, "backend"))),
        ("fastapi-template__port-label.yml", Some((FactKind::BackendPort, "backend"))),
        ("traefik-golang__no-shared-network.yaml", Some((FactKind::ProxyUnreachable, "backend"))),
        // A fault of another kind: nothing of these kinds may be found in it.
        ("umami__wget-localhost.yml", None),
    ];
    each(&folder.join("bad"), |name, facts| {
        let found: Vec<_> = facts.iter().map(|f| (f.kind, f.component.as_str())).collect();
        let wanted = expected.iter().find(|(file, _)| *file == name).and_then(|(_, wanted)| *wanted);
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{name}");
    });
    println!("checked {good} published files");
}
