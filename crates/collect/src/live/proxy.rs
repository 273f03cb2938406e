//! Traefik's own answers, asked where a container of it offers its API.

use coroner_model::probe::ProxyTable;
use coroner_model::{CouldNotLook, Why};
use serde_json::Value;

use super::Inner;
use super::engine::Engine;
use super::http::no_trust;
use crate::casefile::{obstacle, proxy_paths};
use crate::seen::Seen;

/// The port of Traefik's API where its configuration names no other.
const API_PORT: u64 = 8080;
/// Milliseconds that one address gets.
const ASK_MS_MAX: u64 = 2_000;

/// Asks the first Traefik that answers.
pub(super) async fn table(inner: &Inner, table: ProxyTable) -> Result<Seen, CouldNotLook> {
    let engine = Engine::chosen(inner).await?;
    let listed = engine.json("/containers/json", &[]).await?;
    let addresses: Vec<String> =
        listed.as_array().into_iter().flatten().filter(|item| is_traefik(item)).flat_map(addresses).collect();
    if addresses.is_empty() {
        return Err(obstacle(Why::Absent, "no running Traefik container, so no address of its API is known"));
    }
    let path = proxy_paths(table).first().copied().unwrap_or_default();
    let what = match table {
        ProxyTable::Routers => "http/routers",
        ProxyTable::Services => "http/services",
        ProxyTable::Entrypoints => "entrypoints",
    };
    for address in &addresses {
        if let Some(text) =
            ask(&format!("http://{address}/api/{what}?per_page=1000"), inner.limits.json_bytes_max).await
        {
            return Ok(Seen::text(path, text));
        }
    }
    Err(obstacle(
        Why::Absent,
        format!("Traefik's API answers at none of {}; it may be switched off", addresses.join(", ")),
    ))
}

fn is_traefik(item: &Value) -> bool {
    let image = item["Image"].as_str().unwrap_or("");
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split([':', '@']).next() == Some("traefik")
}

/// Published addresses of the API's port, then those inside the container's networks.
fn addresses(item: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let published = list(&item["Ports"]);
    let published = published
        .iter()
        .filter(|port| port["PrivatePort"].as_u64() == Some(API_PORT))
        .filter_map(|port| port["PublicPort"].as_u64());
    let mut all: Vec<String> = published.map(|port| format!("127.0.0.1:{port}")).collect();
    let networks = item["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let inside = networks.filter_map(|(_, network)| network["IPAddress"].as_str().filter(|ip| !ip.is_empty()));
    all.extend(inside.map(|ip| format!("{ip}:{API_PORT}")));
    all.dedup();
    all
}

/// The JSON array behind a URL, if that is what is there.
async fn ask(url: &str, bytes_max: u64) -> Option<String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_millis(ASK_MS_MAX))
        .no_proxy()
        .tls_backend_preconfigured(no_trust())
        .build()
        .ok()?;
    let mut answer = client.get(url).send().await.ok()?.error_for_status().ok()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > bytes_max {
            return None;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    serde_json::from_str::<Vec<Value>>(&text).ok()?;
    Some(text)
}
