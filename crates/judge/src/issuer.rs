//! Issuers of keys: where one asks whether a key still works, and what the answer says.

use std::sync::OnceLock;

use serde_json::Value;

/// What issuers document.
const KNOWN: &str = include_str!("../../../facts/secret-issuers.tsv");
/// What stands for the key in a header.
const VALUE: &str = "{value}";

/// One request to an issuer that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub name: &'static str,
    /// The secret rules whose keys it issues.
    pub rules: Vec<&'static str>,
    pub method: &'static str,
    pub address: &'static str,
    /// Name and template of each header.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Where this is documented.
    pub document: &'static str,
    alive: Condition,
    dead: Condition,
}

/// What an answer says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The issuer does not take it any more.
    Dead,
    Alive,
    /// Neither of what is documented: a limit, a proxy, a failure.
    CouldNotTell,
}

/// Alternatives, each of terms that all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition(Vec<Vec<Term>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Status(u16),
    /// A field of the JSON answer, its parts by dots, and its text.
    Is(&'static str, &'static str),
    Begins(&'static str, &'static str),
}

/// The issuer of what a rule finds; none where it documents no such request.
pub fn of(rule: &str) -> Option<&'static Issuer> {
    known().iter().find(|issuer| issuer.rules.contains(&rule))
}

fn known() -> &'static [Issuer] {
    static ROWS: OnceLock<Vec<Issuer>> = OnceLock::new();
    ROWS.get_or_init(|| KNOWN.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect())
}

fn row(line: &'static str) -> Option<Issuer> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    Some(Issuer {
        name: next()?,
        rules: next()?.split_whitespace().collect(),
        method: next()?,
        address: next()?,
        headers: next()?.split(" | ").filter_map(|header| header.split_once(": ")).collect(),
        alive: Condition::read(next()?)?,
        dead: Condition::read(next()?)?,
        document: next()?,
    })
}

impl Issuer {
    /// The headers of a request for one key.
    pub fn headers_for(&self, value: &str) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, text)| ((*name).to_owned(), text.replace(VALUE, value))).collect()
    }

    /// What an answer says of the key that was sent.
    pub fn state(&self, status: u16, body: &str) -> KeyState {
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        match (self.alive.holds(status, &body), self.dead.holds(status, &body)) {
            (false, true) => KeyState::Dead,
            (true, false) => KeyState::Alive,
            _ => KeyState::CouldNotTell,
        }
    }
}

impl Condition {
    fn read(text: &'static str) -> Option<Condition> {
        let terms = |all: &'static str| all.split(" and ").map(Term::read).collect::<Option<Vec<_>>>();
        text.split(" or ").map(terms).collect::<Option<Vec<_>>>().map(Condition)
    }

    fn holds(&self, status: u16, body: &Value) -> bool {
        self.0.iter().any(|terms| terms.iter().all(|term| term.holds(status, body)))
    }
}

impl Term {
    fn read(text: &'static str) -> Option<Term> {
        if let Ok(status) = text.parse() {
            return Some(Term::Status(status));
        }
        match text.split_once("^=") {
            Some((field, begin)) => Some(Term::Begins(field, begin)),
            None => text.split_once('=').map(|(field, text)| Term::Is(field, text)),
        }
    }

    fn holds(&self, status: u16, body: &Value) -> bool {
        let field = |path: &str| match path.split('.').try_fold(body, |at, part| at.get(part)) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.to_string()),
            _ => None,
        };
        match self {
            Term::Status(wanted) => *wanted == status,
            Term::Is(path, text) => field(path).as_deref() == Some(*text),
            Term::Begins(path, text) => field(path).is_some_and(|found| found.starts_with(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_sends_a_key_in_a_header_over_an_encrypted_line() {
        let lines = KNOWN.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(known().len(), lines);
        for issuer in known() {
            assert!(issuer.address.starts_with("https://") && !issuer.address.contains(VALUE), "{}", issuer.name);
            assert_eq!(issuer.headers.iter().filter(|(_, text)| text.contains(VALUE)).count(), 1, "{}", issuer.name);
            assert!(matches!(issuer.method, "GET" | "POST") && issuer.document.starts_with("https://"));
        }
    }

    #[test]
    fn an_answer_is_taken_for_what_the_issuer_documents_and_for_nothing_else() {
        let of = |rule, status, body| of(rule).unwrap().state(status, body);
        assert_eq!(of("github-pat", 200, r#"{"login": "me"}"#), KeyState::Alive);
        assert_eq!(of("github-pat", 401, r#"{"message": "Bad credentials"}"#), KeyState::Dead);
        // A limit, a proxy that wants a login of its own, a server that fails.
        assert_eq!(of("github-pat", 403, r#"{"message": "API rate limit exceeded"}"#), KeyState::CouldNotTell);
        assert_eq!(of("github-pat", 401, "<html>proxy login</html>"), KeyState::CouldNotTell);
        assert_eq!(of("openai-key", 503, ""), KeyState::CouldNotTell);
        // Slack says it in the answer, whatever the status.
        assert_eq!(of("slack-bot-token", 200, r#"{"ok": true}"#), KeyState::Alive);
        assert_eq!(of("slack-bot-token", 200, r#"{"ok": false, "error": "token_revoked"}"#), KeyState::Dead);
        assert_eq!(of("slack-bot-token", 200, r#"{"ok": false, "error": "ratelimited"}"#), KeyState::CouldNotTell);
        // A key of the wrong kind is refused and alive.
        let wrong = r#"{"error": {"type": "invalid_request_error", "message": "A publishable key cannot do this"}}"#;
        assert_eq!(of("stripe-key", 401, wrong), KeyState::CouldNotTell);
        let unknown = r#"{"error": {"message": "Invalid API Key provided: sk_live_***"}}"#;
        assert_eq!(of("stripe-key", 401, unknown), KeyState::Dead);
        assert!(super::of("pypi-token").is_none() && super::of("aws-secret-key").is_none());
    }
}
