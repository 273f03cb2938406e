//! Recorded exchanges by the URL that was asked for.

use serde_json::Value;
use url::Url;

use super::{Casefile, Part, Raw, not_recorded, obstacle};
use coroner_model::Why;

/// Every recorded exchange or flow that asked for a URL.
pub(super) fn exchanges_of(case: &Casefile, url: &str) -> Raw {
    if !case.shelf.is_dir("http") {
        return Err(not_recorded("http/"));
    }
    let wanted = normal(url);
    let mut found = Vec::new();
    for path in case.shelf.files_under("http").into_iter().filter(|path| path.ends_with(".json")) {
        let Ok(seen) = case.read(path, Part::Whole) else { continue };
        let Ok(value) = serde_json::from_slice::<Value>(&seen.raw) else { continue };
        if asks_for(&value, &wanted) {
            found.push(seen);
        }
    }
    match found.is_empty() {
        true => Err(obstacle(Why::NotRecorded, format!("no exchange under http/ asked for {url}"))),
        false => Ok(found),
    }
}

fn asks_for(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Array(exchanges) => exchanges.iter().any(|one| asks_for(one, wanted)),
        exchange => exchange["request"]["url"].as_str().is_some_and(|url| normal(url) == wanted),
    }
}

/// A URL without what makes no difference: fragment, default port, a slash at the end.
fn normal(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.trim_end_matches('/').to_owned() };
    parsed.set_fragment(None);
    let path = parsed.path().trim_end_matches('/').to_owned();
    parsed.set_path(&path);
    parsed.to_string()
}
