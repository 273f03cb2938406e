//! Loads the files of a project in order and lays them over each other.

use std::collections::BTreeMap;

use coroner_model::{Citation, Document};

use crate::compose::interpolate::{Interpolated, interpolate};
use crate::compose::types::{NetworkDeclaration, Problem, Project, Variable, VolumeDeclaration, Wanted};
use crate::compose::{environment, extends, merge, service, short};
use crate::yaml::{self, Entry, Node, Value};

/// Deepest chain of `include`.
const INCLUDE_DEPTH_MAX: usize = 5;

/// What compose would be called with.
#[derive(Clone)]
pub struct Request<'a> {
    /// Absolute paths, in the order of `-f`.
    pub files: Vec<String>,
    /// `--project-directory`; otherwise the first file's directory.
    pub directory: Option<String>,
    /// `--project-name`.
    pub name: Option<String>,
    /// `--env-file`, in order; otherwise the project directory's `.env`.
    pub env_files: Option<Vec<String>>,
    /// What is known of the environment that compose runs in.
    pub environment: BTreeMap<String, String>,
    /// The documents that are at hand, by absolute path.
    pub get: &'a dyn Fn(&str) -> Option<&'a Document>,
}

/// Reads a project; a part that cannot be read is told in `problems`, the rest is used.
pub fn project(request: &Request) -> Project {
    project_at(request, 0)
}

fn project_at(request: &Request, depth: usize) -> Project {
    let directory =
        request.directory.clone().unwrap_or_else(|| request.files.first().map_or("/", |f| short::parent(f)).to_owned());
    let mut loader = Loader {
        request,
        directory: directory.clone(),
        documents: Vec::new(),
        met: BTreeMap::new(),
        project: Project { directory, files: request.files.clone(), ..Project::default() },
    };
    environment::load_variables(&mut loader);
    let mut whole: Option<Node> = None;
    for path in &request.files {
        let Some(mut tree) = loader.tree(path, true) else { continue };
        extends::resolve_all(&mut loader, &mut tree, path);
        whole = Some(match whole {
            Some(base) => merge::merge(base, tree, ""),
            None => tree,
        });
    }
    let whole = whole.unwrap_or_else(|| Node::null(0));
    loader.name_project(&whole);
    loader.read_networks(&whole);
    loader.read_volumes(&whole);
    for entry in whole.get("services").map(Node::entries).unwrap_or_default() {
        if let Some(read) = service::read(&mut loader, entry) {
            loader.project.services.push(read);
        }
    }
    if depth < INCLUDE_DEPTH_MAX {
        include(&mut loader, &whole, depth);
    }
    let mut project = loader.project;
    project.wanted.sort();
    project.wanted.dedup();
    project.problems.sort();
    project.problems.dedup();
    project
}

/// What loading carries along.
pub(super) struct Loader<'a, 'r> {
    pub request: &'r Request<'a>,
    pub directory: String,
    /// Documents by the number that nodes carry as their file.
    pub documents: Vec<&'a Document>,
    /// What interpolation met, by file, line and resulting text.
    pub met: BTreeMap<(usize, u64, String), Interpolated>,
    pub project: Project,
}

impl<'a> Loader<'a, '_> {
    /// The document at a path; where it is not at hand it is noted as wanted.
    pub fn document(&mut self, path: &str, required: bool) -> Option<&'a Document> {
        let found = (self.request.get)(path);
        if found.is_none() {
            self.project.wanted.push(Wanted { path: path.to_owned(), required });
        }
        found
    }

    /// The environment in which variables are looked up: the shell over the env files.
    pub fn lookup(&self, name: &str) -> Option<String> {
        let given = self.request.environment.get(name).cloned();
        given.or_else(|| self.project.variables.get(name).map(|v| v.value.clone()))
    }

    /// One file as a tree: interpolated, services in long form, paths absolute.
    pub fn tree(&mut self, path: &str, main: bool) -> Option<Node> {
        let document = self.document(path, true)?;
        let mut tree = match yaml::document(document.text.as_str()) {
            Ok(Some(tree)) => tree,
            Ok(None) => return None,
            Err(error) => {
                self.problem(path, error.line, error.reason);
                return None;
            }
        };
        let file = self.documents.len();
        self.documents.push(document);
        tree.set_file(file);
        self.interpolate_tree(&mut tree, file, path);
        let directory = if main { self.directory.clone() } else { short::parent(path).to_owned() };
        for service in services_mut(&mut tree) {
            merge::normalise(&mut service.value);
            merge::make_absolute(&mut service.value, &directory);
        }
        Some(tree)
    }

    fn interpolate_tree(&mut self, tree: &mut Node, file: usize, path: &str) {
        let mut met = Vec::new();
        let lookup = |name: &str| self.lookup(name);
        tree.map_scalars(&mut |text, line| {
            if !text.contains('$') {
                return None;
            }
            let seen = interpolate(text, &lookup);
            let value = seen.value.clone();
            met.push((line, seen));
            Some(value)
        });
        for (line, seen) in met {
            if let Some(reason) = &seen.error {
                self.problem(path, line, reason.clone());
            }
            let cited = self.documents[file].cite_line(line);
            for name in seen.unset.iter().chain(&seen.refused) {
                self.project.unset_variables.push((name.clone(), cited.clone()));
            }
            self.met.insert((file, line, seen.value.clone()), seen);
        }
    }

    pub fn problem(&mut self, path: &str, line: u64, reason: String) {
        self.project.problems.push(Problem { path: path.to_owned(), line, reason });
    }

    /// Cites the line of a node.
    pub fn cite(&self, file: usize, line: u64) -> Option<Citation> {
        self.documents.get(file).map(|d| d.cite_line(line))
    }

    /// What interpolation met when it made the text of a node.
    pub fn met(&self, file: usize, line: u64, holds: &str) -> Option<&Interpolated> {
        let key = (file, line, holds.to_owned());
        self.met.get(&key).or_else(|| {
            // A list item `NAME=value` was interpolated as a whole.
            let of_line = self.met.range((file, line, String::new())..(file, line + 1, String::new()));
            of_line.map(|(_, seen)| seen).find(|seen| seen.value.ends_with(holds) && seen.value.contains('='))
        })
    }

    fn name_project(&mut self, whole: &Node) {
        let given = self.request.name.clone();
        let written = whole.get("name").and_then(Node::text).map(str::to_owned);
        let name = given
            .or_else(|| self.lookup("COMPOSE_PROJECT_NAME").filter(|n| !n.is_empty()))
            .or(written)
            .unwrap_or_else(|| normal_name(self.directory.rsplit('/').next().unwrap_or("")));
        self.project.name = name;
    }

    fn read_networks(&mut self, whole: &Node) {
        let declared = whole.get("networks").map(Node::entries).unwrap_or_default();
        for Entry { key, value, .. } in declared {
            let (name, external) = self.declared_name(key, value);
            self.project.networks.insert(key.clone(), NetworkDeclaration { name, external });
        }
        let default = format!("{}_default", self.project.name);
        self.project
            .networks
            .entry("default".to_owned())
            .or_insert(NetworkDeclaration { name: default, external: false });
    }

    fn read_volumes(&mut self, whole: &Node) {
        for Entry { key, value, .. } in whole.get("volumes").map(Node::entries).unwrap_or_default() {
            let (name, external) = self.declared_name(key, value);
            let options = value.get("driver_opts");
            let option = |name: &str| options.and_then(|o| o.get(name)).and_then(Node::text).unwrap_or("");
            let bound = option("o").split(',').any(|o| o == "bind");
            let device = if bound { short::absolute(option("device"), &self.directory) } else { String::new() };
            self.project.volumes.insert(key.clone(), VolumeDeclaration { name, external, device });
        }
    }

    /// The engine's name of a declared network or volume, and whether compose makes it.
    fn declared_name(&self, key: &str, node: &Node) -> (String, bool) {
        let external = node.get("external");
        let is_external = external.is_some_and(|e| e.text() != Some("false") && !e.is_null());
        let old_form = external.and_then(|e| e.get("name"));
        let given = node.get("name").or(old_form).and_then(Node::text);
        let own = || if is_external { key.to_owned() } else { format!("{}_{key}", self.project.name) };
        (given.map_or_else(own, str::to_owned), is_external)
    }
}

/// The services of a tree, to be changed.
pub(super) fn services_mut(tree: &mut Node) -> &mut [Entry] {
    let Value::Map(entries) = &mut tree.value else { return &mut [] };
    match entries.iter_mut().find(|e| e.key == "services").map(|e| &mut e.value.value) {
        Some(Value::Map(services)) => services,
        _ => &mut [],
    }
}

/// Lower-case letters, digits, `-` and `_`, as compose makes a name of a directory.
fn normal_name(directory: &str) -> String {
    let kept: String = directory
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
        .collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}

/// Adds the services of included files; each is a project of its own directory.
fn include(loader: &mut Loader, whole: &Node, depth: usize) {
    for item in whole.get("include").map(Node::items).unwrap_or_default() {
        let paths = match item.get("path") {
            Some(path) => path.texts(),
            None => item.texts(),
        };
        let files: Vec<String> = paths.iter().map(|p| short::absolute(p, &loader.directory)).collect();
        let env_files = item.get("env_file").map(|e| e.texts());
        let known: BTreeMap<String, String> = loader
            .project
            .variables
            .iter()
            .map(|(name, v): (&String, &Variable)| (name.clone(), v.value.clone()))
            .chain(loader.request.environment.clone())
            .collect();
        let request = Request {
            directory: item
                .get("project_directory")
                .and_then(Node::text)
                .map(|d| short::absolute(d, &loader.directory)),
            files,
            name: Some(loader.project.name.clone()),
            env_files: env_files.map(|all| all.iter().map(|p| short::absolute(p, &loader.directory)).collect()),
            environment: known,
            get: loader.request.get,
        };
        let included = project_at(&request, depth + 1);
        loader.project.wanted.extend(included.wanted);
        loader.project.problems.extend(included.problems);
        loader.project.unset_variables.extend(included.unset_variables);
        loader.project.files.extend(included.files);
        for service in included.services {
            if loader.project.service(&service.name).is_none() {
                loader.project.services.push(service);
            }
        }
        for (key, network) in included.networks {
            loader.project.networks.entry(key).or_insert(network);
        }
        for (key, volume) in included.volumes {
            loader.project.volumes.entry(key).or_insert(volume);
        }
    }
}
