//! Which environment variables source text reads, and what it uses where one is absent.
//!
//! Only code counts, no comments. A default that stands under a condition which
//! names a development environment is told as such.

mod comments;
mod dockerfile;
mod erb;
mod python;
mod shell;
mod spring;
mod text;
mod viper;

use std::sync::LazyLock;

use coroner_model::{Citation, Document};
use regex::Regex;

/// One place that reads a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub variable: String,
    /// The value used when the variable is absent; `None` where there is none.
    pub default: Option<String>,
    pub at: Citation,
    /// The place is reached only in a development or test environment.
    pub development_only: bool,
    /// The variable's name counts in any case, as settings classes read it.
    pub any_case: bool,
    /// The default stands in the image's own environment (`ENV` of a Dockerfile).
    pub in_image: bool,
    /// The default is also used where the variable is set and empty.
    pub when_empty: bool,
}

/// A reading before it is tied to its document.
#[derive(Clone, Debug, Default, PartialEq)]
struct Found {
    variable: String,
    default: Option<String>,
    /// Byte offset.
    at: usize,
    development_only: bool,
    any_case: bool,
    in_image: bool,
    when_empty: bool,
}

/// Largest source text that is read, in bytes; settings are not kept in larger files.
pub const SOURCE_BYTES_MAX: usize = 512 * 1024;

/// The variables that a source text reads; a language that is not known gives none.
pub fn read(document: &Document) -> Vec<Reading> {
    let text = document.text.as_str();
    if text.len() > SOURCE_BYTES_MAX {
        return Vec::new();
    }
    let mut found = match Language::of(&document.path, text) {
        Some(Language::Python) => python::read(text),
        Some(Language::Shell) => shell::read(text),
        Some(Language::Dockerfile) => dockerfile::read(text),
        Some(Language::Spring) => spring::read(text, &document.path),
        Some(Language::Braces) => text::read(text, comments::Style::Slashes),
        Some(Language::Hashes) => text::read(text, comments::Style::Hash),
        Some(Language::Erb) => erb::read(text),
        Some(Language::Php) => text::read(text, comments::Style::Both),
        None => Vec::new(),
    };
    found.sort_by(|a, b| (a.at, &a.variable).cmp(&(b.at, &b.variable)));
    found.dedup_by(|b, a| a.variable == b.variable && a.default == b.default && a.at == b.at);
    found
        .into_iter()
        .map(|f| {
            let line = text[..f.at.min(text.len())].matches('\n').count() as u64;
            Reading {
                variable: f.variable,
                default: f.default,
                at: document.cite_line(document.first_line + line),
                development_only: f.development_only,
                any_case: f.any_case,
                in_image: f.in_image,
                when_empty: f.when_empty,
            }
        })
        .collect()
}

/// Words by which source text loads a `.env` file by itself.
static DOTENV: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)\bload_dotenv\s*\(|\bdotenv(?:y)?(?:(?:["']\s*\))?\.config\s*\(|/config\b|::dotenv\s*\(|::from_)|\bgodotenv\.(?:Load|Overload)
        |\bDotenv(?:\\Dotenv)?(?:::create|\.load|\.configure)|\benv_file\s*=\s*\(?\s*["']|\bread_env\s*\(|\bSetConfigFile\(\s*"\.env"
        |\bfrom\s+decouple\s+import|\bimport\s+decouple"#,
    )
    .ok()
});

/// Whether source text loads variables from a `.env` file by itself.
pub fn loads_dotenv(document: &Document) -> bool {
    let text = document.text.as_str();
    text.len() <= SOURCE_BYTES_MAX && DOTENV.as_ref().is_some_and(|r| r.is_match(text))
}

/// Whether a file of that path can hold readings, by its name alone.
pub fn is_source(path: &str) -> bool {
    Language::of(path, "").is_some()
}

/// Families of languages that are read alike.
enum Language {
    Python,
    Shell,
    Dockerfile,
    Spring,
    /// Comments in `//`: JavaScript, TypeScript, Go, Java, Kotlin, Rust, C#.
    Braces,
    /// Comments in `#`: Ruby, Elixir.
    Hashes,
    Php,
    /// YAML with Ruby in it, as Rails reads its database's.
    Erb,
}

impl Language {
    fn of(path: &str, text: &str) -> Option<Language> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
        match extension {
            "py" | "pyw" => Some(Language::Python),
            "sh" | "bash" | "ash" | "dash" => Some(Language::Shell),
            "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" | "go" | "java" | "kt" | "rs" | "cs"
            | "scala" | "vue" | "svelte" => Some(Language::Braces),
            "rb" | "ex" | "exs" => Some(Language::Hashes),
            "php" => Some(Language::Php),
            "properties" => Some(Language::Spring),
            "yml" if name == "database.yml" => Some(Language::Erb),
            "yml" | "yaml" if name.starts_with("application") || name.starts_with("bootstrap") => {
                Some(Language::Spring)
            }
            _ if name == "Dockerfile"
                || name == "Containerfile"
                || name.starts_with("Dockerfile.")
                || extension == "dockerfile" =>
            {
                Some(Language::Dockerfile)
            }
            _ => of_first_line(text.lines().next().unwrap_or("")),
        }
    }
}

fn of_first_line(line: &str) -> Option<Language> {
    let interpreter = line.strip_prefix("#!")?;
    if interpreter.contains("python") {
        Some(Language::Python)
    } else if interpreter.contains("node") || interpreter.contains("deno") || interpreter.contains("bun") {
        Some(Language::Braces)
    } else if interpreter.contains("ruby") {
        Some(Language::Hashes)
    } else if interpreter.contains("php") {
        Some(Language::Php)
    } else if interpreter.trim_end().ends_with("sh") || interpreter.contains("sh ") {
        Some(Language::Shell)
    } else {
        None
    }
}

/// Whether a name looks like one of the environment: capitals, digits and underscores.
fn is_variable_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// A default inside a condition: `get("MODE", "production")`, `MODE || "production"`.
static DEFAULT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:,|\|\||\?\?|\bor\b)\s*(?:"[^"]*"|'[^']*')\s*\)"#).ok());

/// A condition without the values that it falls back to, which it does not ask for.
fn without_defaults(condition: &str) -> std::borrow::Cow<'_, str> {
    match &*DEFAULT {
        Some(default) => default.replace_all(condition, ")"),
        None => condition.into(),
    }
}

/// Whether a condition asks for a production environment, not for its opposite.
fn asks_for_production(condition: &str) -> bool {
    let lower = without_defaults(condition).to_ascii_lowercase();
    let named = |list: &[&str]| lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| list.contains(&w));
    let negated = lower.contains("!=") || lower.contains("not ") || lower.contains("!is");
    let production = named(&["prod", "production", "isprod", "isproduction", "live"]);
    let development = named(&["dev", "development", "local", "test", "isdev", "isdevelopment", "debug"]);
    if negated { development && !production } else { production }
}

/// Whether a condition asks for a development or test environment, not for its opposite.
fn asks_for_development(condition: &str) -> bool {
    let lower = without_defaults(condition).to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let development =
        ["dev", "development", "local", "debug", "test", "testing", "isdev", "isdevelopment", "tests", "ci"];
    let production = ["prod", "production", "isprod", "isproduction", "live"];
    let negated = lower.contains("!=") || lower.contains("not ") || lower.contains("!is");
    let named = |list: &[&str]| words.iter().any(|w| list.contains(w));
    if negated { named(&production) } else { named(&development) && !named(&production) }
}

#[cfg(test)]
mod tests;
