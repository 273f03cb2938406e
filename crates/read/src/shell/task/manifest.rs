//! Tasks that a manifest names: `package.json`, `composer.json`, `pyproject.toml`, `Taskfile.yml`, `deno.json`.

use serde_json::Value;

use super::super::path;
use super::super::walk::Walker;
use super::super::word::Word;
use super::super::world::{Frame, World};
use super::{Call, Texts, first_file, sorted, value_of};

/// Scripts that an installation runs by itself.
const LIFECYCLE: &[&str] = &["preinstall", "install", "postinstall", "prepare"];

/// `npm run NAME`, `yarn NAME`, `bun run NAME`, `npm install`, `node --run NAME`.
pub(crate) fn package(walker: &mut Walker<'_>, words: &[Word], world: &World, _: &Frame) -> Option<(Call, Texts)> {
    let split = words.iter().position(|w| w.as_literal() == Some("--")).unwrap_or(words.len());
    let valued = ["--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter", "-F", "--run", "--config"];
    let (options, operands) = sorted(&words[..split], &valued);
    let directory = value_of(&options, &["--prefix", "-C", "--dir", "--cwd"]);
    let directory = directory.map_or_else(|| world.cwd.clone(), |d| path::join(&world.cwd, &d));
    let own_run = value_of(&options, &["--run"]);
    let verb = operands.first().and_then(|w| w.as_literal()).unwrap_or_default();
    let mut rest: Vec<Word> = operands.iter().skip(1).map(|w| (*w).clone()).collect();
    let (names, also): (Vec<String>, bool) = match (own_run, verb) {
        (Some(name), _) => (vec![name.show()], false),
        (None, "run" | "run-script") => {
            let name = rest.first()?.show();
            rest.remove(0);
            (vec![name], false)
        }
        (None, "ci" | "install" | "i" | "clean-install") if rest.is_empty() => {
            (LIFECYCLE.iter().map(|n| (*n).to_owned()).collect(), true)
        }
        (None, "t" | "tst") => (vec!["test".to_owned()], false),
        (None, "add" | "remove" | "exec" | "x" | "dlx" | "create" | "init" | "publish" | "") => return None,
        (None, name) => (vec![name.to_owned()], false),
    };
    let text = first_file(walker, &directory, &["package.json"])?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    let scripts = manifest.get("scripts")?;
    let script = |name: &str| scripts.get(name).and_then(Value::as_str).map(str::to_owned);
    rest.extend(words[split..].iter().skip(1).cloned());
    let mut texts = Texts::new();
    for name in &names {
        let around = if also { [None, None] } else { [script(&format!("pre{name}")), script(&format!("post{name}"))] };
        let [before, after] = around;
        texts.extend(before);
        let mut own = script(name);
        if let Some(text) = own.as_mut().filter(|_| !also && !rest.is_empty()) {
            text.push_str(" \"$@\"");
        }
        texts.extend(own);
        texts.extend(after);
    }
    if texts.is_empty() {
        return None;
    }
    let call = Call { directory, also };
    let tail = if also { Vec::new() } else { rest };
    // The words behind the name belong to the script itself, not to those around it.
    let texts = texts.into_iter().map(|text| with_arguments(walker, text, &tail, world)).collect();
    Some((call, texts))
}

/// Puts the words of a call where a script's text takes them.
fn with_arguments(walker: &mut Walker<'_>, text: String, words: &[Word], world: &World) -> String {
    match text.strip_suffix(" \"$@\"") {
        Some(script) => format!("{script} {}", walker.as_text(words, &mut world.clone())),
        None => text,
    }
}

/// `composer run-script NAME`, `composer NAME`.
pub(crate) fn composer(walker: &mut Walker<'_>, words: &[Word], world: &World, _: &Frame) -> Option<(Call, Texts)> {
    let (options, operands) = sorted(words, &["-d", "--working-dir", "--timeout"]);
    let directory = value_of(&options, &["-d", "--working-dir"]);
    let directory = directory.map_or_else(|| world.cwd.clone(), |d| path::join(&world.cwd, &d));
    let verb = operands.first()?.as_literal()?;
    let (names, also): (Vec<String>, bool) = match verb {
        "run" | "run-script" => (vec![operands.get(1)?.show()], false),
        "install" | "update" => (hooks(verb), true),
        name => (vec![name.to_owned()], false),
    };
    let text = first_file(walker, &directory, &["composer.json"])?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    let scripts = manifest.get("scripts")?;
    let mut texts = Texts::new();
    for name in &names {
        listed(scripts, name, &mut texts, 0);
    }
    (!texts.is_empty()).then_some((Call { directory, also }, texts))
}

fn hooks(verb: &str) -> Vec<String> {
    [format!("pre-{verb}-cmd"), format!("post-{verb}-cmd"), "post-autoload-dump".to_owned()].to_vec()
}

/// A script that is a text or a list of them; `@name` stands for another one.
fn listed(scripts: &Value, name: &str, out: &mut Texts, depth: usize) {
    let lines: Vec<&str> = match scripts.get(name) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for line in lines {
        match line.strip_prefix('@') {
            Some(other) if other.starts_with("php ") || other.starts_with("composer ") => out.push(other.to_owned()),
            Some(other) if depth < 8 => listed(scripts, other, out, depth + 1),
            Some(_) => {}
            // A name of a class is a callback, no command.
            None if line.contains("::") && !line.contains(' ') => {}
            None => out.push(line.to_owned()),
        }
    }
}

/// `poe NAME`, `pdm run NAME`.
pub(crate) fn pyproject(walker: &mut Walker<'_>, words: &[Word], world: &World, _: &Frame) -> Option<(Call, Texts)> {
    let (options, operands) = sorted(words, &["-C", "--root", "--directory", "-p", "--project"]);
    let directory = value_of(&options, &["-C", "--root", "--directory", "-p", "--project"]);
    let directory = directory.map_or_else(|| world.cwd.clone(), |d| path::join(&world.cwd, &d));
    let name = operands.iter().map(|w| w.show()).find(|w| w != "run")?;
    let text = first_file(walker, &directory, &["pyproject.toml"])?;
    let manifest: toml::Value = toml::from_str(&text).ok()?;
    let tool = manifest.get("tool")?;
    let tables = [tool.get("poe").and_then(|poe| poe.get("tasks")), tool.get("pdm").and_then(|pdm| pdm.get("scripts"))];
    let tasks: Vec<&toml::Value> = tables.into_iter().flatten().collect();
    let mut texts = Texts::new();
    for table in tasks {
        if let Some(value) = table.get(&name) {
            python_task(table, value, &mut texts, 0);
        }
    }
    (!texts.is_empty()).then_some((Call { directory, also: false }, texts))
}

fn python_task(tasks: &toml::Value, value: &toml::Value, out: &mut Texts, depth: usize) {
    use toml::Value as V;
    match value {
        V::String(text) if depth > 0 && tasks.get(text).is_some() && depth < 8 => {
            tasks.get(text).iter().for_each(|other| python_task(tasks, other, out, depth + 1));
        }
        V::String(text) => out.push(text.clone()),
        V::Array(all) if depth < 8 => all.iter().for_each(|one| python_task(tasks, one, out, depth + 1)),
        V::Table(table) => {
            for key in ["deps", "cmd", "shell", "sequence", "composite", "ref"] {
                table.get(key).iter().for_each(|inner| python_task(tasks, inner, out, depth + 1));
            }
        }
        _ => {}
    }
}

/// `task NAME` of a `Taskfile.yml`.
pub(crate) fn taskfile(walker: &mut Walker<'_>, words: &[Word], world: &World, _: &Frame) -> Option<(Call, Texts)> {
    let (options, operands) = sorted(words, &["-d", "--dir", "-t", "--taskfile"]);
    let directory = value_of(&options, &["-d", "--dir"]);
    let directory = directory.map_or_else(|| world.cwd.clone(), |d| path::join(&world.cwd, &d));
    let names: Vec<String> = operands.iter().map(|w| w.show()).filter(|w| !w.contains('=')).collect();
    let names = if names.is_empty() { vec!["default".to_owned()] } else { names };
    let text = first_file(walker, &directory, &["Taskfile.yml", "Taskfile.yaml"])?;
    let file: Value = serde_saphyr::from_str(&text).ok()?;
    let tasks = file.get("tasks")?;
    let mut texts = Texts::new();
    for name in &names {
        yaml_task(tasks, name, &mut texts, 0);
    }
    (!texts.is_empty()).then_some((Call { directory, also: false }, texts))
}

fn yaml_task(tasks: &Value, name: &str, out: &mut Texts, depth: usize) {
    let Some(task) = tasks.get(name).filter(|_| depth < 8) else { return };
    let list = |key: &str| task.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for need in list("deps").iter().filter_map(Value::as_str) {
        yaml_task(tasks, need, out, depth + 1);
    }
    let single = [task, task.get("cmd").unwrap_or(&Value::Null)].into_iter().filter_map(Value::as_str);
    out.extend(single.map(str::to_owned));
    let commands = if task.is_array() { task.as_array().cloned().unwrap_or_default() } else { list("cmds") };
    for command in commands {
        match (
            command.as_str(),
            command.get("cmd").and_then(Value::as_str),
            command.get("task").and_then(Value::as_str),
        ) {
            (Some(text), _, _) | (None, Some(text), _) => out.push(text.to_owned()),
            (None, None, Some(other)) => yaml_task(tasks, other, out, depth + 1),
            _ => {}
        }
    }
}

/// `deno task NAME`.
pub(crate) fn deno(walker: &mut Walker<'_>, words: &[Word], world: &World, _: &Frame) -> Option<(Call, Texts)> {
    let (_, operands) = sorted(words, &["--cwd", "-c", "--config"]);
    let ["task", name] = operands.iter().take(2).map(|w| w.as_literal()).collect::<Option<Vec<_>>>()?[..] else {
        return None;
    };
    let text = first_file(walker, &world.cwd, &["deno.json", "deno.jsonc"])?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    let task = manifest.get("tasks")?.get(name)?;
    let text = task.as_str().or_else(|| task.get("command").and_then(Value::as_str))?;
    Some((Call { directory: world.cwd.clone(), also: false }, vec![text.to_owned()]))
}
