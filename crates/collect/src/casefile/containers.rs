//! Which log belongs to a container that is named by its name, id or compose service.

use serde_json::Value;

use super::{Casefile, Part, Raw, not_recorded};

const DIRECTORY_LABEL: &str = "com.docker.compose.project.working_dir";
const SERVICE_LABEL: &str = "com.docker.compose.service";

/// The names that one container goes by.
#[derive(Default)]
struct Names {
    name: String,
    service: String,
    id: String,
    directory: String,
}

/// The log of a container, or the logs of all containers of a service.
pub(super) fn log(case: &Casefile, container: &str) -> Raw {
    let asked = container.trim_start_matches('/');
    let path = |name: &str| format!("docker/logs/{name}.log");
    let there = |name: &str| case.shelf.file_bytes(&path(name)).is_some();
    let mut found: Vec<String> = Vec::new();
    if there(asked) {
        found.push(asked.to_owned());
    } else {
        let known = known_names(case);
        let of_service = known.iter().filter(|names| names.service == asked).map(|names| names.name.clone());
        found.extend(of_service.filter(|name| there(name)));
        if let (true, Some(names)) = (found.is_empty(), known.iter().find(|names| names.is(asked))) {
            let alone = known.iter().filter(|other| other.service == names.service).count() == 1;
            let spellings = [names.name.as_str(), if alone { names.service.as_str() } else { "" }, names.id.as_str()];
            let short = names.id.get(..12).unwrap_or("");
            found.extend(
                spellings.into_iter().chain([short]).find(|name| !name.is_empty() && there(name)).map(str::to_owned),
            );
        }
    }
    if found.is_empty() {
        return Err(not_recorded(&path(asked)));
    }
    found.iter().map(|name| case.read(&path(name), Part::Tail)).collect()
}

/// Logs of containers that neither `docker inspect` nor `docker ps` knows, so that nobody asks for them.
pub(super) fn unclaimed_logs(case: &Casefile) -> Vec<String> {
    let known = known_names(case);
    let logs = case.shelf.files_under("docker/logs");
    let unclaimed = |path: &&str| {
        let name = path.trim_start_matches("docker/logs/").trim_end_matches(".log");
        !known.iter().any(|names| names.is(name))
    };
    logs.into_iter().filter(|path| path.ends_with(".log")).filter(unclaimed).map(str::to_owned).collect()
}

/// The only directory that compose says its projects lie in, if there is just one.
pub(super) fn only_working_directory(case: &Casefile) -> Option<String> {
    let known = known_names(case);
    let mut all = known.into_iter().map(|names| names.directory).filter(|directory| !directory.is_empty());
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

impl Names {
    fn is(&self, asked: &str) -> bool {
        self.name == asked || self.service == asked || (asked.len() >= 12 && self.id.starts_with(asked))
    }
}

fn known_names(case: &Casefile) -> Vec<Names> {
    let inspected = case.read("docker/inspect.json", Part::Whole).ok();
    let parsed = inspected.and_then(|seen| serde_json::from_slice::<Vec<Value>>(&seen.raw).ok());
    if let Some(items) = parsed {
        return items.iter().map(of_inspect).collect();
    }
    let Ok(listed) = case.read("docker/ps.jsonl", Part::Tail) else { return Vec::new() };
    let text = String::from_utf8_lossy(&listed.raw).into_owned();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).map(|item: Value| of_ps(&item)).collect()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("").trim_start_matches('/').to_owned()
}

fn of_inspect(item: &Value) -> Names {
    let labels = &item["Config"]["Labels"];
    Names {
        name: word(&item["Name"]),
        service: word(&labels[SERVICE_LABEL]),
        id: word(&item["Id"]),
        directory: labels[DIRECTORY_LABEL].as_str().unwrap_or("").to_owned(),
    }
}

fn of_ps(item: &Value) -> Names {
    let labels = word(&item["Labels"]);
    let label = |name: &str| {
        let value = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or("").to_owned()
    };
    Names {
        name: word(&item["Names"]),
        service: label(SERVICE_LABEL),
        id: word(&item["ID"]),
        directory: label(DIRECTORY_LABEL),
    }
}
