//! Which files are of which class, by their names.

use coroner_model::probe::FileClass;

/// Directories that hold no file a person wrote; a walk does not enter them.
const SKIPPED_DIRS: &[&str] =
    &[".git", "node_modules", "__pycache__", ".venv", "venv", "target", "vendor", ".tox", ".mypy_cache"];

/// Source text that can hold defaults of settings.
const CODE_EXTENSIONS: &[&str] = &[
    "py",
    "js",
    "ts",
    "mjs",
    "cjs",
    "jsx",
    "tsx",
    "go",
    "rb",
    "php",
    "java",
    "kt",
    "rs",
    "cs",
    "ex",
    "exs",
    "scala",
    "pl",
    "lua",
    "sh",
    "bash",
    "properties",
    "ini",
    "cfg",
    "conf",
    "yml",
    "yaml",
    "toml",
    "json",
    "sql",
    "service",
    "j2",
    "jinja",
    "jinja2",
    "tpl",
    "tmpl",
];
/// Names without an extension that are scripts or recipes.
const CODE_NAMES: &[&str] = &["dockerfile", "containerfile", "makefile", "procfile", "rakefile", "gemfile", "justfile"];

/// Whether a walk enters a directory of this name.
pub(crate) fn is_walked(directory: &str) -> bool {
    !SKIPPED_DIRS.contains(&directory)
}

/// Whether the name of a file (its whole path, `/`-separated) puts it into a class.
pub(crate) fn holds(class: FileClass, path: &str) -> bool {
    match class {
        FileClass::Compose => is_compose(name_of(path)),
        FileClass::Env => is_env(name_of(path)),
        FileClass::Proxy => is_proxy(path),
        FileClass::Code => is_code(name_of(path)),
        FileClass::All => {
            let name = name_of(path);
            is_compose(name) || is_env(name) || is_proxy(path) || is_code(name)
        }
    }
}

/// Whether a YAML file may be a compose file under any name.
pub(crate) fn is_yaml(path: &str) -> bool {
    matches!(extension(name_of(path)).as_str(), "yml" | "yaml")
}

/// Whether YAML text has a `services` mapping at its top level.
pub(crate) fn has_services(text: &str) -> bool {
    text.lines().any(|line| {
        line.strip_prefix("services:")
            .is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with(['#', '{', '&']))
    })
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ext)| ext.to_ascii_lowercase()).unwrap_or_default()
}

fn is_compose(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_yaml(&lower) && lower.split(['.', '-', '_']).any(|word| word == "compose")
}

/// `.env`, `.env.secrets`, `compose.env`, `env.production`, `db_env`: a word of the name is `env`.
fn is_env(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ext = extension(&lower);
    let words = lower.split(['.', '-', '_']).any(|word| matches!(word, "env" | "environment" | "envrc"));
    words && (ext == "env" || lower.starts_with(".env") || !CODE_EXTENSIONS.contains(&ext.as_str()))
}

fn is_proxy(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = name_of(&lower);
    let ext = extension(name);
    let directories = || lower.rsplit('/').skip(1);
    match ext.as_str() {
        "yml" | "yaml" | "toml" => {
            !is_compose(name)
                && (name.split(['.', '-', '_']).any(|word| matches!(word, "traefik" | "dynamic"))
                    || directories()
                        .any(|dir| dir.split(['.', '-', '_']).any(|word| matches!(word, "traefik" | "dynamic"))))
        }
        "conf" => {
            name == "nginx.conf"
                || directories()
                    .next()
                    .is_some_and(|dir| dir.ends_with(".d") || dir.contains("nginx") || dir.starts_with("sites-"))
        }
        "cfg" => name.contains("haproxy") || directories().next().is_some_and(|dir| dir.contains("haproxy")),
        _ => {
            name == "caddyfile"
                || ext == "caddyfile"
                || directories().next().is_some_and(|dir| matches!(dir, "sites-enabled" | "sites-available"))
        }
    }
}

fn is_code(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    CODE_EXTENSIONS.contains(&extension(&lower).as_str())
        || CODE_NAMES
            .iter()
            .any(|known| lower == *known || lower.strip_prefix(known).is_some_and(|rest| rest.starts_with('.')))
        || lower.contains("entrypoint")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_their_classes() {
        for name in ["compose.yml", "compose.override.yaml", "docker-compose.prod.yml", "a/b/docker-compose.yaml"] {
            assert!(holds(FileClass::Compose, name), "{name}");
        }
        for name in [".env", ".env.secrets", "compose.env", "env.production", "shop/new.env", "db-env.local"] {
            assert!(holds(FileClass::Env, name), "{name}");
        }
        for name in [
            "traefik.yml",
            "traefik/dynamic.toml",
            "dynamic/routes.yml",
            "nginx.conf",
            "conf.d/site.conf",
            "Caddyfile",
            "haproxy.cfg",
        ] {
            assert!(holds(FileClass::Proxy, name), "{name}");
        }
        for name in ["settings.py", "src/config.ts", "Dockerfile", "Dockerfile.api", "docker-entrypoint", "run.sh"] {
            assert!(holds(FileClass::Code, name), "{name}");
        }
    }

    #[test]
    fn neighbours_do_not() {
        for name in ["composer.json", "decompose.yml.txt", "services.yml"] {
            assert!(!holds(FileClass::Compose, name), "{name}");
        }
        for name in ["env.py", "environment.ts", "venv.txt", "envoy.yaml", "README.md"] {
            assert!(!holds(FileClass::Env, name), "{name}");
        }
        for name in ["compose.yml", "settings.py", "setup.cfg", "etc/resolv.conf", "traefik/acme.json"] {
            assert!(!holds(FileClass::Proxy, name), "{name}");
        }
        assert!(!holds(FileClass::All, "photo.jpg"));
    }
}
