//! Where agents keep their settings, and which agents are here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner_collect::place;
use coroner_model::Agent;

/// Most folders of PATH that are looked through.
const PATH_FOLDERS_MAX: usize = 100;

/// Whose settings a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Administrator,
    Person,
    Project,
}

/// One file of settings, there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    pub path: PathBuf,
    pub scope: Scope,
}

/// What the places are made from.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    pub env: &'a BTreeMap<String, String>,
    /// The project's folder.
    pub project: &'a Path,
}

impl Surroundings<'_> {
    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.env.get(name).filter(|value| value.starts_with('/')).map(PathBuf::from)
    }

    /// The person's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME")
    }

    /// The folder of an agent in the person's home.
    pub fn folder(&self, agent: Agent) -> Option<PathBuf> {
        let below = |name: &str| self.home().map(|home| home.join(name));
        match agent {
            Agent::Claude => self.variable("CLAUDE_CONFIG_DIR").or_else(|| below(".claude")),
            Agent::Codex => self.variable("CODEX_HOME").or_else(|| below(".codex")),
            Agent::Gemini => below(".gemini"),
            Agent::Cursor => below(".cursor"),
            Agent::Copilot => self.variable("COPILOT_HOME").or_else(|| below(".copilot")),
            Agent::OpenCode => {
                let config = self.variable("XDG_CONFIG_HOME").or_else(|| below(".config"));
                config.map(|config| config.join("opencode"))
            }
        }
    }

    /// The file into which the hook of an agent belongs, for the person or for the project.
    pub fn hook_file(&self, agent: Agent, scope: Scope) -> Option<PathBuf> {
        let (own, of_project) = match agent {
            Agent::Claude => ("settings.json", ".claude/settings.json"),
            Agent::Codex => ("hooks.json", ".codex/hooks.json"),
            Agent::Gemini => ("settings.json", ".gemini/settings.json"),
            Agent::Cursor => ("hooks.json", ".cursor/hooks.json"),
            Agent::Copilot => ("hooks/coroner.json", ".github/hooks/coroner.json"),
            Agent::OpenCode => ("plugins/coroner.js", ".opencode/plugins/coroner.js"),
        };
        match scope {
            Scope::Project => Some(self.project.join(of_project)),
            _ => self.folder(agent).map(|folder| folder.join(own)),
        }
    }

    /// Every file from which an agent may take hooks, strongest first.
    pub fn settings_files(&self, agent: Agent) -> Vec<SettingsFile> {
        let system: &[&str] = match agent {
            Agent::Claude => &["/etc/claude-code/managed-settings.json"],
            Agent::Gemini => &["/etc/gemini-cli/settings.json"],
            Agent::Cursor => &["/etc/cursor/hooks.json"],
            _ => &[],
        };
        let own: &[&str] = match agent {
            Agent::Claude => &["settings.json"],
            Agent::Codex => &["hooks.json", "config.toml"],
            Agent::Gemini => &["settings.json"],
            Agent::Cursor => &["hooks.json"],
            Agent::Copilot => &["settings.json", "config.json"],
            Agent::OpenCode => &[],
        };
        let of_project: &[&str] = match agent {
            Agent::Claude => &[".claude/settings.json", ".claude/settings.local.json"],
            Agent::Codex => &[".codex/hooks.json", ".codex/config.toml"],
            Agent::Gemini => &[".gemini/settings.json"],
            Agent::Cursor => &[".cursor/hooks.json"],
            Agent::Copilot | Agent::OpenCode => &[],
        };
        let folder = self.folder(agent);
        let mut all: Vec<SettingsFile> =
            system.iter().map(|path| SettingsFile { path: path.into(), scope: Scope::Administrator }).collect();
        let below = |folder: &Path, names: &[&str], scope: Scope| -> Vec<SettingsFile> {
            names.iter().map(|name| SettingsFile { path: folder.join(name), scope }).collect()
        };
        all.extend(folder.iter().flat_map(|folder| below(folder, own, Scope::Person)));
        all.extend(below(self.project, of_project, Scope::Project));
        let (folders, ending): (&[(&str, Scope)], &[&str]) = match agent {
            Agent::Copilot => (&[("hooks", Scope::Person), (".github/hooks", Scope::Project)], &["json"]),
            Agent::OpenCode => (
                &[
                    ("plugin", Scope::Person),
                    ("plugins", Scope::Person),
                    (".opencode/plugin", Scope::Project),
                    (".opencode/plugins", Scope::Project),
                ],
                &["js", "ts", "mjs"],
            ),
            _ => (&[], &[]),
        };
        for (name, scope) in folders {
            let base = if *scope == Scope::Person { folder.as_deref() } else { Some(self.project) };
            let found = base.map(|base| place::files_of(&base.join(name), ending)).unwrap_or_default();
            all.extend(found.into_iter().map(|path| SettingsFile { path, scope: *scope }));
        }
        // A project in the home directory names the same file twice.
        let mut seen = Vec::new();
        all.retain(|file| {
            !seen.contains(&file.path) && {
                seen.push(file.path.clone());
                true
            }
        });
        all
    }

    /// Where a program lies, by PATH.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.env.get("PATH")?;
        let folders = path.split(':').filter(|folder| folder.starts_with('/')).take(PATH_FOLDERS_MAX);
        folders.map(|folder| Path::new(folder).join(name)).find(|file| place::is_program(file))
    }

    /// Whether an agent is here: its program, its folder, or settings of it in the project.
    pub fn has(&self, agent: Agent) -> bool {
        let programs: &[&str] = match agent {
            Agent::Claude => &["claude"],
            Agent::Codex => &["codex"],
            Agent::Gemini => &["gemini"],
            Agent::Cursor => &["cursor", "cursor-agent"],
            Agent::Copilot => &["copilot"],
            Agent::OpenCode => &["opencode"],
        };
        let folder = match agent {
            Agent::Claude => ".claude",
            Agent::Codex => ".codex",
            Agent::Gemini => ".gemini",
            Agent::Cursor => ".cursor",
            Agent::Copilot => ".github/hooks",
            Agent::OpenCode => ".opencode",
        };
        self.folder(agent).is_some_and(|folder| place::is_directory(&place::resolved(&folder)))
            || place::is_directory(&self.project.join(folder))
            || programs.iter().any(|name| self.program(name).is_some())
    }

    /// The agents that are here.
    pub fn agents(&self) -> Vec<Agent> {
        Agent::ALL.into_iter().filter(|agent| self.has(*agent)).collect()
    }
}
