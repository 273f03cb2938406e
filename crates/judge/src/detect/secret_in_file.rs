//! A secret stands in a file that others get, or in the history of a repository.

use coroner_model::finding::{Confidence, Location};
use coroner_model::secret::{SecretPlace, Standing};
use coroner_model::{Citation, Source};

use crate::detect::reason;
use crate::fact::{Fact, FactKind, Subject};
use crate::scene::Scene;

/// Finds it; a scene in order gives nothing.
pub fn detect(scene: &Scene) -> Vec<Fact> {
    of(&scene.secrets)
}

/// The facts of places that a search found.
pub fn of(places: &[SecretPlace]) -> Vec<Fact> {
    places.iter().map(fact).collect()
}

fn fact(place: &SecretPlace) -> Fact {
    let SecretPlace { path, line, column, description, token, .. } = place;
    let what = description.as_str();
    let text = match (&place.commit, place.standing) {
        (_, Standing::Allowed) if place.allowed.is_some() => {
            let why = place.allowed.as_deref().unwrap_or_default();
            format!("{what} in {path}, line {line}; the project's list says that it may stand there: {why}")
        }
        (_, Standing::Allowed) => {
            format!("{what} in {path}, line {line}; a comment there says that it may stand there")
        }
        (Some(commit), _) => {
            let when = place.date.as_deref().map(|date| format!(" of {date}")).unwrap_or_default();
            let short = commit.get(..12).unwrap_or(commit);
            format!("{what} in {path}, line {line}, in commit {short}{when}")
        }
        (None, _) => format!("{what} in {path}, line {line}"),
    };
    let source = if place.commit.is_some() { Source::Git } else { Source::File };
    let cited = Citation::new(source, format!("{path}:{line}"), format!("{} {token}", place.kind));
    let (is, confidence) = match (place.standing, &place.commit) {
        (Standing::Allowed, _) => ("allowed", Confidence::Low),
        (Standing::Identifier, _) => ("identifier", Confidence::Low),
        (Standing::Named, None) => ("present", Confidence::Medium),
        (Standing::Named, Some(_)) => ("history", Confidence::Medium),
        (Standing::Issued, None) => ("present", Confidence::High),
        (Standing::Issued, Some(_)) => ("history", Confidence::High),
    };
    Fact {
        kind: FactKind::SecretInFile,
        is,
        component: path.clone(),
        affects: Vec::new(),
        because: vec![reason(text.clone(), [cited])],
        text,
        against: Vec::new(),
        confidence,
        location: Location { path: path.clone(), line: *line, column: *column },
        subjects: vec![Subject::Path(path.clone())],
        onset: None,
        ruled_out: Vec::new(),
        remedy: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_names_the_place_and_never_more_of_the_value_than_its_token() {
        let place = SecretPlace {
            path: "app.py".into(),
            line: 3,
            column: 9,
            kind: "github-pat".into(),
            description: "GitHub personal access token".into(),
            token: "hmac:0123456789abcdef".into(),
            ..SecretPlace::default()
        };
        let facts = of(&[
            place.clone(),
            SecretPlace { commit: Some("4a1f0c2b9d8e7f6a".into()), ..place.clone() },
            SecretPlace { standing: Standing::Allowed, ..place.clone() },
        ]);
        let listed = SecretPlace { standing: Standing::Allowed, allowed: Some("revoked".into()), ..place.clone() };
        assert!(of(&[listed])[0].text.ends_with("may stand there: revoked"));
        assert_eq!(facts.iter().map(|f| f.is).collect::<Vec<_>>(), ["present", "history", "allowed"]);
        assert_eq!(facts[0].text, "GitHub personal access token in app.py, line 3");
        assert!(facts[1].text.contains("4a1f0c2b9d8e"));
        assert!(of(&[]).is_empty());
    }
}
