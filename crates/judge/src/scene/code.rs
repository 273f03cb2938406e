//! Source text of services: on the host under their build contexts, or inside containers.

use coroner_model::Answers;
use coroner_model::Probe;
use coroner_read::docker::Container;

/// Most scripts that are read of one container.
pub(super) const CONTAINER_SCRIPTS_MAX: usize = 12;

/// Directories whose code never runs in production.
const TEST_DIRECTORIES: [&str; 8] = ["test", "tests", "__tests__", "spec", "examples", "docs", "fixtures", "testdata"];

/// Whether a path is source text that can run in production.
pub(super) fn is_production(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or("");
    !parts.any(|p| TEST_DIRECTORIES.contains(&p))
        && !name.starts_with("test_")
        && !name.contains(".test.")
        && !name.contains("_test.")
}

/// Files inside a container that its command names, and what those import.
pub(super) fn scripts(container: &Container, answers: &Answers) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let directory = if container.working_dir.is_empty() { "/" } else { &container.working_dir };
    let words: Vec<&str> = container.entrypoint.iter().chain(&container.cmd).map(String::as_str).collect();
    let python = words.iter().any(|w| is_python_runner(w));
    for (index, word) in words.iter().enumerate() {
        // `sh -c "exec python app.py"` names its script inside one word.
        for piece in word.split_whitespace() {
            let module_follows = index > 0 && words[index - 1] == "-m";
            paths.extend(script_path(piece, directory, python && module_follows));
        }
    }
    let named = paths.clone();
    for path in named {
        let probe = Probe::ContainerFile { container: container.name.clone(), path: path.clone() };
        if let Some(document) = answers.document(&probe) {
            paths.extend(imports(document.text.as_str(), &path, directory));
        }
    }
    paths.dedup();
    let mut unique: Vec<String> = Vec::new();
    for path in paths {
        if !unique.contains(&path) && unique.len() < CONTAINER_SCRIPTS_MAX {
            unique.push(path);
        }
    }
    unique
}

fn is_python_runner(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.starts_with("python") || matches!(name, "uvicorn" | "gunicorn" | "hypercorn" | "celery" | "flask")
}

/// The file that a word of a command line is, if it is one.
fn script_path(word: &str, directory: &str, is_module: bool) -> Option<String> {
    let word = word.trim_matches(['"', '\'', ';', '&']);
    let join = |relative: &str| format!("{}/{}", directory.trim_end_matches('/'), relative.trim_start_matches("./"));
    let script = ["py", "js", "mjs", "cjs", "ts", "sh", "rb", "php"];
    let extension = word.rsplit_once('.').map_or("", |(_, e)| e);
    if script.contains(&extension) && !word.contains(['=', '(', ':', '*']) {
        return Some(if word.starts_with('/') { word.to_owned() } else { join(word) });
    }
    // `package.module:app` of an application server.
    if let Some((module, object)) = word.split_once(':')
        && is_dotted(module)
        && is_dotted(object.trim_end_matches("()"))
        && module.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return Some(join(&format!("{}.py", module.replace('.', "/"))));
    }
    if is_module && is_dotted(word) {
        return Some(join(&format!("{}.py", word.replace('.', "/"))));
    }
    let is_system = ["/bin/", "/usr/", "/sbin/", "/lib/"]
        .iter()
        .any(|p| word.starts_with(p) && !word.starts_with("/usr/local/bin/") && !word.starts_with("/usr/src/"));
    let is_entrypoint = word.starts_with('/')
        && !is_system
        && word
            .rsplit('/')
            .next()
            .is_some_and(|n| n.contains("entrypoint") || n.contains("start") || n.contains("run"));
    is_entrypoint.then(|| word.to_owned())
}

fn is_dotted(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Local modules that a Python or JavaScript text imports.
fn imports(text: &str, path: &str, directory: &str) -> Vec<String> {
    let own = path.rsplit_once('/').map_or("/", |(d, _)| d);
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if path.ends_with(".py") {
            let module = line
                .strip_prefix("from ")
                .or_else(|| line.strip_prefix("import "))
                .and_then(|r| r.split_whitespace().next());
            let Some(module) = module else { continue };
            let relative = module.trim_start_matches('.');
            if module.starts_with('.') && is_dotted(relative) {
                found.push(format!("{own}/{}.py", relative.replace('.', "/")));
            } else if is_settings_module(module) {
                found.push(format!("{}/{}.py", directory.trim_end_matches('/'), module.replace('.', "/")));
                found.push(format!("{own}/{}.py", module.replace('.', "/")));
            }
        } else if let Some(at) = line.find("require(").map(|i| i + 8).or_else(|| line.find(" from ").map(|i| i + 6)) {
            let module =
                line[at..].trim_start().trim_start_matches(['\'', '"']).split(['\'', '"']).next().unwrap_or("");
            if let Some(relative) = module.strip_prefix("./") {
                let extension = path.rsplit('.').next().unwrap_or("js");
                let file = if relative.ends_with(".js") || relative.ends_with(".ts") {
                    relative.to_owned()
                } else {
                    format!("{relative}.{extension}")
                };
                found.push(format!("{own}/{file}"));
            }
        }
    }
    found
}

/// Whether a module's last name is one that settings are kept in.
fn is_settings_module(module: &str) -> bool {
    let last = module.rsplit('.').next().unwrap_or(module);
    is_dotted(module)
        && ["settings", "config", "configuration", "conf", "env", "database", "db", "core"].contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_their_scripts() {
        for (word, module, expected) in [
            ("server.py", false, Some("/app/server.py")),
            ("./bin/run.js", false, Some("/app/bin/run.js")),
            ("/docker-entrypoint.sh", false, Some("/docker-entrypoint.sh")),
            ("shop.main:app", false, Some("/app/shop/main.py")),
            ("shop.main", true, Some("/app/shop/main.py")),
            ("/usr/bin/python3", false, None),
            ("0.0.0.0:8000", false, None),
            ("--workers", false, None),
        ] {
            assert_eq!(script_path(word, "/app", module).as_deref(), expected, "{word}");
        }
        let text = "from .settings import S\nimport os\nfrom shop.config import X\n";
        assert!(imports(text, "/app/shop/main.py", "/app").contains(&"/app/shop/settings.py".to_owned()));
        assert!(imports(text, "/app/shop/main.py", "/app").contains(&"/app/shop/config.py".to_owned()));
        assert!(!is_production("/a/tests/settings.py") && is_production("/a/settings.py"));
    }
}
