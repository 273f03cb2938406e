//! A request that does something again each time it is sent.

use coroner_read::shell::Word;

use super::http::{is_mutation, path_of};

/// A `POST` by what makes it the same as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The address without its fragment.
    pub url: String,
    pub body: String,
    /// Whether the client itself sends it again where it fails.
    pub retries: bool,
    /// The file that the answer goes to, as the command names it.
    pub saved: Option<String>,
}

impl Sent {
    /// A `POST` that is not known to be harmless when it is sent twice.
    pub(super) fn of(method: &str, url: &Word, body: &str, headers: &[String]) -> Option<Sent> {
        let text = url.show();
        let keyed = headers.iter().any(|h| h.to_ascii_lowercase().contains("idempotency"));
        if method != "POST" || keyed || only_asks(&path_of(&text), body) {
            return None;
        }
        let url = text.split('#').next().unwrap_or(&text).trim_end_matches('/');
        let url = url.strip_prefix("http://").unwrap_or(url).to_owned();
        Some(Sent { url, body: body.split_whitespace().collect::<Vec<_>>().join(" "), retries: false, saved: None })
    }

    /// Whether another request does the same.
    pub fn repeats(&self, other: &Sent) -> bool {
        self.url == other.url && self.body == other.body
    }
}

/// A `POST` that reads: a search, a login, a model that answers, a call by a name that only asks.
fn only_asks(path: &str, body: &str) -> bool {
    let asks = path.split(['/', '.', ':', '-']).any(|part| {
        matches!(
            part.to_ascii_lowercase().trim_start_matches('_'),
            "login"
                | "signin"
                | "logout"
                | "token"
                | "tokens"
                | "oauth"
                | "oauth2"
                | "auth"
                | "authenticate"
                | "session"
                | "sessions"
                | "refresh"
                | "verify"
                | "search"
                | "msearch"
                | "query"
                | "count"
                | "validate"
                | "preview"
                | "estimate"
                | "lint"
                | "render"
                | "health"
                | "healthz"
                | "ping"
                | "echo"
                | "metrics"
                | "completions"
                | "embeddings"
                | "embed"
                | "generate"
                | "chat"
                | "tokenize"
                | "rerank"
                | "translate"
                | "config"
                | "reload"
                | "analyze"
        )
    });
    let named = serde_json::from_str::<serde_json::Value>(body).ok();
    let field = |name: &str| named.as_ref().and_then(|v| v.get(name)).and_then(|v| v.as_str()).map(str::to_owned);
    let query = field("query").is_some_and(|query| !is_mutation(&query));
    let method = field("method").is_some_and(|method| {
        let name = method.rsplit(['/', '_', '.']).next().unwrap_or(&method).to_ascii_lowercase();
        let reads = ["get", "list", "read", "describe", "call", "block", "chain", "initialize", "ping", "estimate"];
        let tool = method == "tools/call";
        !tool && reads.iter().any(|verb| name.starts_with(verb))
    });
    let dry = ["dry_run", "dryRun", "dryrun", "validate_only"]
        .iter()
        .any(|key| named.as_ref().and_then(|v| v.get(key)).and_then(serde_json::Value::as_bool) == Some(true));
    asks || query || method || dry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_asks_may_be_sent_again() {
        let of = |url: &str, body: &str| Sent::of("POST", &Word::literal(url), body, &[]).is_some();
        assert!(of("http://127.0.0.1:8000/instruct", r#"{"text":"restart"}"#));
        assert!(of("localhost:4000/graphql", r#"{"query":"mutation { order(id: 1) { id } }"}"#));
        assert!(of("localhost:4000/rpc", r#"{"method":"tools/call","params":{}}"#));
        assert!(!of("localhost:4000/graphql", r#"{"query":"{ orders { id } }"}"#));
        assert!(!of("https://api.example.org/oauth/token", "grant_type=x"));
        assert!(!of("localhost:8545", r#"{"jsonrpc":"2.0","method":"eth_blockNumber"}"#));
        assert!(!of("localhost:9200/orders/_search", "{}"));
        assert!(Sent::of("PUT", &Word::literal("localhost/x/1"), "{}", &[]).is_none());
        assert!(Sent::of("POST", &Word::literal("localhost/x"), "{}", &["Idempotency-Key: 7".into()]).is_none());
    }
}
