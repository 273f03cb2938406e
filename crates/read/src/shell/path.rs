//! Paths made of words: joined to a working directory, dots taken out.

use super::word::{Part, Word};

/// Joins a path to a directory and resolves `.` and `..` without looking.
///
/// A path that begins with something unknown stays as it is: it may be absolute.
pub fn join(directory: &Word, path: &Word) -> Word {
    let begins = match path.parts.first() {
        Some(Part::Text(text)) => text.as_str(),
        Some(Part::Glob(_)) => "*",
        Some(Part::Unknown(_)) => return path.clone(),
        None => "",
    };
    if begins.starts_with('/') {
        return normal(path);
    }
    let mut whole = directory.clone();
    whole.push_text("/");
    whole.extend(path.clone());
    normal(&whole)
}

/// The components of a path, empty ones left out.
pub fn components(path: &Word) -> Vec<Word> {
    let mut all = vec![Word::default()];
    for part in &path.parts {
        let Part::Text(text) = part else {
            if let Some(last) = all.last_mut() {
                last.push(part.clone());
            }
            continue;
        };
        for (i, piece) in text.split('/').enumerate() {
            if i > 0 {
                all.push(Word::default());
            }
            if let Some(last) = all.last_mut() {
                last.push_text(piece);
            }
        }
    }
    all.retain(|c| !c.parts.is_empty());
    all
}

fn normal(path: &Word) -> Word {
    let absolute = path.prefix().starts_with('/');
    let mut kept: Vec<Word> = Vec::new();
    for component in components(path) {
        match component.as_literal() {
            Some(".") => {}
            Some("..") => match kept.last().map(|last| (last.as_literal() == Some(".."), last.is_unresolved())) {
                Some((false, false)) => drop(kept.pop()),
                None if absolute => {}
                _ => kept.push(component),
            },
            _ => kept.push(component),
        }
    }
    let mut out = Word::default();
    for (i, component) in kept.into_iter().enumerate() {
        if absolute || i > 0 {
            out.push_text("/");
        }
        out.extend(component);
    }
    if out.parts.is_empty() {
        out.push_text(if absolute { "/" } else { "." });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Unknown;

    fn joined(directory: &str, path: &str) -> String {
        join(&Word::literal(directory), &Word::literal(path)).show()
    }

    #[test]
    fn joins_and_takes_dots_out() {
        assert_eq!(joined("/opt/app", "data"), "/opt/app/data");
        assert_eq!(joined("/opt/app", "./a/../b/"), "/opt/app/b");
        assert_eq!(joined("/opt/app", "../.."), "/");
        assert_eq!(joined("/opt/app", "../../../x"), "/x");
        assert_eq!(joined("/opt/app", "//etc//x"), "/etc/x");
        assert_eq!(joined("/opt/app", ""), "/opt/app");
        assert_eq!(joined("", "."), "/");
    }

    #[test]
    fn what_is_unknown_stays() {
        let mut path = Word::unknown(Unknown::Variable("X".into()));
        path.push_text("/../a");
        assert_eq!(join(&Word::literal("/opt"), &path).show(), "$X/../a");
        let mut inner = Word::literal("/srv/");
        inner.extend(path);
        assert_eq!(join(&Word::literal("/opt"), &inner).show(), "/srv/$X/../a");
    }
}
