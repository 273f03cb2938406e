//! The tables of the engine, as the `docker` command prints them.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use coroner_model::probe::DockerTable;
use coroner_model::{CouldNotLook, Why};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::engine::{self, Engine};
use super::{Inner, Raw};
use crate::casefile::docker_paths;
use crate::seen::Seen;

/// Objects of one kind that are inspected.
const OBJECTS_MAX: usize = 500;

/// Reads one table.
pub(super) async fn table(inner: &Inner, table: DockerTable) -> Raw {
    let path = docker_paths(table).first().copied().unwrap_or_default();
    let one = |text: String| Ok(vec![Seen::text(path, text)]);
    match table {
        DockerTable::Context => contexts(inner),
        DockerTable::Sockets => one(sockets(inner).await),
        // Samples are taken over time and recorded; a host as it is now has none.
        DockerTable::Samples => Ok(Vec::new()),
        DockerTable::Ps => one(ps(&Engine::chosen(inner).await?, inner.settings.now).await?),
        DockerTable::Inodes => one(inodes(&Engine::chosen(inner).await?).await?),
        DockerTable::Inspect => inspected(inner, path, "/containers/json", "/containers").await,
        DockerTable::Networks => inspected(inner, path, "/networks", "/networks").await,
        DockerTable::Images => inspected(inner, path, "/images/json", "/images").await,
        DockerTable::Volumes => {
            let answer = Engine::chosen(inner).await?.json("/volumes", &[]).await?;
            let volumes = answer.get("Volumes").cloned().filter(Value::is_array).unwrap_or(json!([]));
            one(indented(&volumes.to_string()))
        }
    }
}

/// The `inspect` array of every object of a kind.
async fn inspected(inner: &Inner, path: &str, list: &str, each: &str) -> Raw {
    let engine = Engine::chosen(inner).await?;
    let mut ids = ids(&engine, list).await?;
    let over = ids.len().saturating_sub(OBJECTS_MAX);
    ids.truncate(OBJECTS_MAX);
    let json_bytes_max = inner.limits.json_bytes_max;
    let objects = ids.iter().map(|id| object(&engine, each, id, json_bytes_max));
    let objects: Vec<String> = try_join_all(objects).await?.into_iter().flatten().collect();
    let mut seen = Seen::text(path, indented(&format!("[{}]", objects.join(","))));
    seen.bytes_left_out = over as u64;
    Ok(vec![seen])
}

async fn ids(engine: &Engine, list: &str) -> Result<Vec<String>, CouldNotLook> {
    let listed = engine.json(list, &[("all", "1")]).await?;
    let id = |item: &Value| item["Id"].as_str().map(str::to_owned);
    Ok(listed.as_array().into_iter().flatten().filter_map(id).collect())
}

/// One object as the engine writes it; `None` where it went away in between.
async fn object(engine: &Engine, each: &str, id: &str, bytes_max: u64) -> Result<Option<String>, CouldNotLook> {
    let path = match each {
        "/networks" => format!("{each}/{id}"),
        _ => format!("{each}/{id}/json"),
    };
    match engine.text(&path, &[], bytes_max).await {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(why) if why.why == Why::Absent => Ok(None),
        Err(why) => Err(why),
    }
}

/// Breaks JSON into lines as `docker inspect` does, order and spelling untouched.
fn indented(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut opened = false;
    for c in raw.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            out.push(c);
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        if (opened && !closes && !c.is_whitespace()) || (closes && !opened) {
            line(&mut out, depth);
        }
        opened = (opened && c.is_whitespace()) || matches!(c, '{' | '[');
        match c {
            '{' | '[' => depth += 1,
            '"' => quoted = true,
            _ => {}
        }
        match c {
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
}

/// `docker ps -a --no-trunc --format '{{json .}}'`.
async fn ps(engine: &Engine, now: Timestamp) -> Result<String, CouldNotLook> {
    let listed = engine.json("/containers/json", &[("all", "1")]).await?;
    let lines = listed.as_array().into_iter().flatten().map(|item| format!("{}\n", ps_line(item, now)));
    Ok(lines.collect())
}

fn ps_line(item: &Value, now: Timestamp) -> Value {
    let word = |key: &str| item[key].as_str().unwrap_or("").to_owned();
    let words = |value: &Value, name: &str| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|one| one[name].as_str().map(str::to_owned)).collect()
    };
    let keys = |value: &Value| value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let labels = item["Labels"].as_object().into_iter().flatten();
    let labels: Vec<String> = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or(""))).collect();
    let names = item["Names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<&str> = names.map(|name| name.trim_start_matches('/')).collect();
    let mounts: Vec<String> = item["Mounts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|mount| {
            mount["Name"].as_str().filter(|name| !name.is_empty()).or(mount["Source"].as_str()).map(str::to_owned)
        })
        .collect();
    let volumes = words(&item["Mounts"], "Type").iter().filter(|kind| *kind == "volume").count();
    let created = Timestamp::from_second(item["Created"].as_i64().unwrap_or(0)).unwrap_or_default();
    json!({
        "Command": format!("\"{}\"", word("Command")),
        "CreatedAt": created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        "ID": word("Id"),
        "Image": word("Image"),
        "Labels": labels.join(","),
        "LocalVolumes": volumes.to_string(),
        "Mounts": mounts.join(","),
        "Names": names.join(","),
        "Networks": keys(&item["NetworkSettings"]["Networks"]).join(","),
        "Ports": ports(&item["Ports"]),
        "RunningFor": ago(now.as_second() - created.as_second()),
        "State": word("State"),
        "Status": word("Status"),
    })
}

/// `0.0.0.0:8080->80/tcp, 9000/tcp`.
fn ports(value: &Value) -> String {
    let one = |port: &Value| {
        let inside =
            format!("{}/{}", port["PrivatePort"].as_u64().unwrap_or(0), port["Type"].as_str().unwrap_or("tcp"));
        match (port["PublicPort"].as_u64(), port["IP"].as_str().unwrap_or("")) {
            (Some(public), ip) if ip.contains(':') => format!("[{ip}]:{public}->{inside}"),
            (Some(public), ip) => format!("{ip}:{public}->{inside}"),
            (None, _) => inside,
        }
    };
    let mut all: Vec<String> = value.as_array().into_iter().flatten().map(one).collect();
    all.sort();
    all.dedup();
    all.join(", ")
}

fn ago(seconds: i64) -> String {
    let units = [
        (604_800 * 2, 604_800, "weeks"),
        (86_400 * 2, 86_400, "days"),
        (3_600 * 2, 3_600, "hours"),
        (120, 60, "minutes"),
    ];
    match units.iter().find(|(from, ..)| seconds >= *from) {
        Some((_, unit, name)) => format!("{} {name} ago", seconds / unit),
        None => format!("{} seconds ago", seconds.max(0)),
    }
}

/// `docker context ls --format json` and `docker context show`.
fn contexts(inner: &Inner) -> Raw {
    let all = engine::contexts(inner);
    let list: Vec<Value> = all
        .iter()
        .map(|context| {
            json!({
                "Current": context.current, "Description": context.description,
                "DockerEndpoint": context.endpoint, "Error": "", "Name": context.name,
            })
        })
        .collect();
    // A chosen context that is not there is shown all the same: that is the finding.
    let chosen = engine::chosen_name(inner);
    let list = serde_json::to_string_pretty(&list).unwrap_or_default();
    Ok(vec![Seen::text("docker/context.json", list), Seen::text("docker/context", format!("{chosen}\n"))])
}

/// Which sockets answer: `path answers`.
async fn sockets(inner: &Inner) -> String {
    let mut out = String::from("path\tanswers\n");
    for socket in engine::sockets(inner) {
        let answers = match Engine::at(&format!("unix://{}", socket.display())).await {
            Ok(_) => "yes",
            Err(why) if why.why == Why::Denied => "denied",
            Err(_) => "no",
        };
        out.push_str(&format!("{}\t{answers}\n", socket.display()));
    }
    out
}

/// Inodes of bind sources, on the host and inside: `-` where there is none, empty where nobody could look.
async fn inodes(engine: &Engine) -> Result<String, CouldNotLook> {
    let mut out = String::from("container\tpath\thost-inode\tcontainer-inode\n");
    for id in ids(engine, "/containers/json").await? {
        let item = match engine.json(&format!("/containers/{id}/json"), &[]).await {
            Err(why) if why.why == Why::Absent => continue,
            other => other?,
        };
        let name = item["Name"].as_str().unwrap_or("").trim_start_matches('/');
        let pid = item["State"]["Pid"].as_u64().filter(|pid| *pid > 0);
        for mount in item["Mounts"].as_array().into_iter().flatten().filter(|mount| mount["Type"] == "bind") {
            let (Some(source), Some(inside)) = (mount["Source"].as_str(), mount["Destination"].as_str()) else {
                continue;
            };
            let seen =
                pid.map(|pid| inode(&PathBuf::from(format!("/proc/{pid}/root")).join(inside.trim_start_matches('/'))));
            out.push_str(&format!("{name}\t{inside}\t{}\t{}\n", inode(Path::new(source)), seen.unwrap_or_default()));
        }
    }
    Ok(out)
}

fn inode(path: &Path) -> String {
    match std::fs::metadata(path) {
        Ok(meta) => meta.ino().to_string(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "-".into(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_broken_into_lines_and_nothing_else() {
        let raw = r#"[{"b":"a{\"[,: ","a":[],"c":{},"n":[1,2]}]"#;
        let text = indented(raw);
        assert_eq!(
            text,
            "[\n    {\n        \"b\": \"a{\\\"[,: \",\n        \"a\": [],\n        \"c\": {},\n        \"n\": [\n            1,\n            2\n        ]\n    }\n]\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::from_str::<Value>(raw).unwrap());
        assert_eq!(indented(&indented(raw)), text + "");
    }
}
