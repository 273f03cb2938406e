//! Copies of the same secrets that no longer agree.

use coroner_model::finding::Confidence;

use crate::detect::credential::{self, Sameness};
use crate::detect::{declared, listed, reason, within};
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::{EnvFile, Scene};

/// Most secrets that one sentence names.
const NAMES_MAX: usize = 5;

/// Finds it; copies that agree give nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    let files: Vec<&EnvFile> = scene.env_files.values().filter(|f| !is_link(scene, &f.path)).collect();
    let mut facts = Vec::new();
    for (index, a) in files.iter().enumerate() {
        for b in &files[index + 1..] {
            let Some(is) = relation(scene, a, b) else { continue };
            facts.extend(fact(scene, a, b, is));
        }
    }
    facts
}

/// What makes two files copies of each other.
fn relation(scene: &Scene, a: &EnvFile, b: &EnvFile) -> Option<&'static str> {
    let told = scene.config.secret_copies();
    if told.iter().any(|copies| copies.contains(&a.path) && copies.contains(&b.path)) {
        return Some("declared");
    }
    let name = |f: &EnvFile| f.path.rsplit('/').next().unwrap_or_default().to_owned();
    let directory = |f: &EnvFile| f.path.rsplit_once('/').map(|(d, _)| d.to_owned()).unwrap_or_default();
    if name(a) != name(b) || environment(&a.path) != environment(&b.path) || is_sample(&a.path) || is_sample(&b.path) {
        return None;
    }
    // Two projects, or two installations of one, have secrets of their own.
    let home = |f: &EnvFile| scene.projects.iter().find(|p| within(&f.path, &p.directory)).map(|p| p.directory.clone());
    if let (Some(one), Some(other)) = (home(a), home(b))
        && one != other
    {
        return None;
    }
    let own_env = |f: &EnvFile| scene.projects.iter().any(|p| p.env_files.contains(&f.path));
    if directory(a) == directory(b) || (own_env(a) && own_env(b)) {
        return None;
    }
    let (same, other) = compared(a, b);
    let loaded = |f: &EnvFile| scene.projects.iter().any(|p| p.services.iter().any(|s| s.env_files.contains(&f.path)));
    let in_one_project =
        scene.projects.iter().any(|p| [a, b].iter().all(|f| p.services.iter().any(|s| s.env_files.contains(&f.path))));
    // Most of their secrets are one and the same: they were copied from each other.
    let copied = !same.is_empty() && same.len() >= other.len();
    let alike = same.len() + other.len() > 0 && in_one_project && a.variables.len() == b.variables.len();
    (copied || alike || (loaded(a) && loaded(b) && !same.is_empty())).then_some("copies")
}

/// Names of the secrets that both have: equal, and different.
fn compared<'f>(a: &'f EnvFile, b: &'f EnvFile) -> (Vec<&'f str>, Vec<&'f str>) {
    let (mut same, mut other) = (Vec::new(), Vec::new());
    for (name, value, _) in a.variables.iter().filter(|(name, value, _)| is_secret(name, value)) {
        let Some((_, theirs, _)) = b.variables.iter().rfind(|(n, _, _)| n == name) else { continue };
        match credential::compare(value, theirs) {
            Sameness::Same => same.push(name.as_str()),
            // Both were read by one rule under one name: what was replaced in one alone is another value.
            Sameness::Different | Sameness::Unknown => other.push(name.as_str()),
        }
    }
    (same, other)
}

fn fact(scene: &Scene, a: &EnvFile, b: &EnvFile, is: &'static str) -> Option<Fact> {
    let (same, other) = compared(a, b);
    let first = other.first()?;
    let at = |f: &EnvFile| f.variables.iter().rfind(|(n, _, _)| n == first).map(|(_, _, at)| at.clone());
    let named = listed(&other[..other.len().min(NAMES_MAX)]);
    let verb = if other.len() == 1 { "differs" } else { "differ" };
    let readers = |f: &EnvFile| {
        let names: Vec<&str> = scene
            .projects
            .iter()
            .flat_map(|p| &p.services)
            .filter(|s| s.env_files.contains(&f.path))
            .map(|s| s.name.as_str())
            .collect();
        if names.is_empty() { f.path.clone() } else { format!("{} (loaded by {})", f.path, listed(&names)) }
    };
    let text = format!(
        "{named} {verb} between {} and {}; {} of {} secrets in both are equal",
        readers(a),
        readers(b),
        same.len(),
        same.len() + other.len()
    );
    let mut fact = declared(FactKind::SecretCopiesDiffer, is, &a.path, text.clone(), &at(a)?);
    fact.because = vec![reason(text, at(a).into_iter().chain(at(b)))];
    fact.confidence = if is == "declared" { Confidence::High } else { Confidence::Medium };
    fact.subjects =
        vec![Subject::Path(a.path.clone()), Subject::Path(b.path.clone()), Subject::Variable((*first).to_owned())];
    fact.remedy = format!("Write the same value into `{}` and `{}`, or make one a link to the other.", a.path, b.path);
    Some(fact)
}

fn is_secret(name: &str, value: &str) -> bool {
    let words = credential::words(name);
    let says = ["key", "secret", "token", "password", "passwd", "pass", "credential", "credentials", "apikey", "dsn"];
    let is_identifier =
        words.last().is_some_and(|w| matches!(w.as_str(), "id" | "file" | "path" | "url" | "host" | "name"));
    !value.is_empty()
        && (value.contains("hmac:") || (words.iter().any(|w| says.contains(&w.as_str())) && !is_identifier))
}

fn is_link(scene: &Scene, path: &str) -> bool {
    scene.paths.get(path).is_some_and(|p| p.kind == Some('l') || p.link_target.is_some())
}

fn is_sample(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ["example", "sample", "template", "dist", "default", "bak", "old", "orig"]
        .iter()
        .any(|w| name.split(['.', '-', '_']).any(|part| part == *w))
}

/// The environment that a path names: `staging` in `.env.staging` and in `/srv/staging/.env`.
fn environment(path: &str) -> Option<&'static str> {
    const KNOWN: [&str; 12] = [
        "production",
        "prod",
        "staging",
        "stage",
        "test",
        "testing",
        "dev",
        "development",
        "local",
        "ci",
        "qa",
        "preview",
    ];
    let lower = path.to_ascii_lowercase();
    let word = lower.split(['/', '.', '-', '_']).find_map(|part| KNOWN.iter().find(|known| **known == part));
    word.copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_say_what_they_are() {
        assert!(is_secret("OPENAI_API_KEY", "x") && is_secret("SMTP_PASSWORD", "x") && is_secret("A", "hmac:00"));
        assert!(!is_secret("REGION", "eu") && !is_secret("API_KEY_FILE", "/run/x") && !is_secret("TOKEN", ""));
        assert!(is_sample("/a/.env.example") && !is_sample("/a/.env.secrets"));
        assert_eq!(environment("/srv/staging/.env"), Some("staging"));
        assert_eq!(environment("/etc/app/.env"), None);
    }
}
