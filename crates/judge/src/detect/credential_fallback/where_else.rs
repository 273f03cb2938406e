//! Where a variable that does not reach a service stands instead.

use coroner_model::{Citation, investigation::Reason};

use super::Case;
use crate::detect::{part, reason};

/// Shortest name that is compared with near ones.
const NEAR_NAME_BYTES_MIN: usize = 5;
/// Most edits between a name and a misspelling of it.
const EDITS_MAX: usize = 2;

/// What was found of a variable besides its absence.
pub(super) struct Place {
    /// The form of the fact.
    pub is: &'static str,
    /// Ends the sentence that begins with the variable's name.
    pub words: String,
    pub because: Vec<Reason>,
    pub at: Option<Citation>,
    /// Markdown.
    pub remedy: String,
}

/// Searches near names, other services and env files.
pub(super) fn search(case: &Case, variable: &str) -> Place {
    misspelt(case, variable)
        .or_else(|| elsewhere(case, variable))
        .or_else(|| not_loaded(case, variable))
        .unwrap_or_else(|| absent(case, variable))
}

/// The file that a variable of the part belongs into.
fn home(case: &Case) -> String {
    let of_service = case.part.service.and_then(|s| s.env_files.last());
    let of_project = case.part.project.and_then(|p| p.env_files.last().or_else(|| p.files.last()));
    of_service.or(of_project).cloned().unwrap_or_default()
}

fn absent(case: &Case, variable: &str) -> Place {
    let home = home(case);
    let into = if home.is_empty() {
        format!("Give `{variable}` to {}", case.part.name())
    } else {
        format!("Add `{variable}` to `{home}`")
    };
    let then = match case.part.service {
        Some(_) => format!(", then `{}`", case.part.up_command()),
        None => format!(", and make the container `{}` anew with it", case.part.container_name()),
    };
    Place {
        is: "absent",
        words: "is absent".to_owned(),
        because: Vec::new(),
        at: None,
        remedy: format!("{into}{then}"),
    }
}

/// A near name that its code does not read.
fn misspelt(case: &Case, variable: &str) -> Option<Place> {
    let read = |name: &str| case.readings.iter().any(|r| r.variable == name);
    let near = case.part.names().into_iter().find(|name| {
        name.len() >= NEAR_NAME_BYTES_MIN
            && *name != variable
            && !read(name)
            && edits(name, variable) <= EDITS_MAX
            && !differ_in_number(name, variable)
    })?;
    let value = case.part.variable(near)?;
    let at = case
        .part
        .service
        .and_then(|s| s.environment.get(near))
        .map(|v| v.at.clone())
        .unwrap_or_else(|| value.at.clone());
    let file = part::location_of(&at).path;
    let file = file.strip_prefix("files").unwrap_or(&file).to_owned();
    let place = if file.starts_with('/') { format!(" in `{file}`") } else { String::new() };
    Some(Place {
        is: "misspelt",
        words: format!("is spelt {near} there"),
        because: vec![reason(format!("it has {near} instead, which its code does not read"), [value.at])],
        at: Some(at),
        remedy: format!("Rename `{near}` to `{variable}`{place}, then `{}`", case.part.up_command()),
    })
}

/// Another service that has the variable.
fn elsewhere(case: &Case, variable: &str) -> Option<Place> {
    let other = case.parts.iter().find(|p| {
        !p.is(&case.part) && p.shares_project(&case.part) && p.variable(variable).is_some_and(|v| !v.text.is_empty())
    })?;
    let value = other.variable(variable)?;
    let declared = other.service.and_then(|s| s.environment.get(variable)).map(|v| v.at.clone());
    let file = declared.as_ref().map(|at| part::location_of(at).path).unwrap_or_default();
    let env_file = other.service.and_then(|s| s.env_files.iter().find(|f| file.ends_with(f.as_str())));
    let fix = match env_file {
        Some(env_file) => format!("Add `env_file: {env_file}` to service `{}`", case.part.name()),
        None => format!("Give `{variable}` to service `{}` as `{}` has it", case.part.name(), other.name()),
    };
    Some(Place {
        is: "elsewhere",
        words: format!("is given to {} only", other.name()),
        because: vec![reason(
            format!("{} has {variable}, {} does not", other.name(), case.part.name()),
            declared.or(Some(value.at)),
        )],
        at: None,
        remedy: format!("{fix}, then `{}`", case.part.up_command()),
    })
}

/// An env file that has the variable and that the service does not load.
fn not_loaded(case: &Case, variable: &str) -> Option<Place> {
    let directory = case.part.project.map(|p| p.directory.as_str()).unwrap_or("/");
    let mut files: Vec<_> = case.scene.env_files.values().filter(|f| !is_template(&f.path)).collect();
    files.sort_by_key(|f| (!f.path.starts_with(directory), f.path.clone()));
    let (file, at) = files.iter().find_map(|f| {
        let (_, _, at) = f.variables.iter().find(|(name, value, _)| name == variable && !value.is_empty())?;
        Some((f.path.as_str(), at.clone()))
    })?;
    let loads = case.part.service.is_some_and(|s| s.env_files.iter().any(|f| f == file));
    // The compose file hands the variable on: what lacks it is the file that compose was run with.
    let handed_on = case.part.service.is_some_and(|s| {
        s.passed_through.contains_key(variable)
            || s.environment.get(variable).is_some_and(|v| v.from.iter().any(|f| f == variable))
    });
    let run_with = case.part.project.and_then(|p| p.env_files.last()).filter(|f| handed_on && *f != file);
    let (words, remedy) = if let Some(run_with) = run_with {
        (
            format!("stands in {file}, but not in {run_with}, which compose was run with"),
            format!("Add `{variable}` to `{run_with}` as `{file}` has it, then `{}`", case.part.up_command()),
        )
    } else if loads {
        (format!("stands in {file}, but its container was made before"), format!("`{}`", case.part.up_command()))
    } else {
        let name = case.part.name();
        (
            format!("stands in {file}, which {name} does not load"),
            format!(
                "Add `env_file: {file}` (or `{variable}: ${{{variable}}}` under `environment`) to service `{name}`, then `{}`",
                case.part.up_command()
            ),
        )
    };
    Some(Place {
        is: "not-loaded",
        because: vec![reason(format!("{variable} {words}"), [at.clone()])],
        words,
        at: None,
        remedy,
    })
}

/// Whether a file is an example to be copied, which nobody loads.
pub(super) fn is_template(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.split(['.', '-', '_']).any(|w| matches!(w, "example" | "sample" | "template" | "dist" | "tpl"))
}

/// Whether two names differ only in a number, as `DB1_URL` and `DB2_URL` do.
fn differ_in_number(a: &str, b: &str) -> bool {
    let letters = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(a) == letters(b)
}

/// Edits from one name to another: insert, delete, replace, swap neighbours.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_ascii_uppercase().chars().collect(), b.to_ascii_uppercase().chars().collect());
    if a.len().abs_diff(b.len()) > EDITS_MAX {
        return EDITS_MAX + 1;
    }
    let mut table = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in table.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in table[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(table[i - 2][j - 2] + 1);
            }
            table[i][j] = best;
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_near_and_others_are_not() {
        for (near, far) in
            [("DATABSE_URL", 1), ("DATABASE_ULR", 1), ("DATABASEURL", 1), ("DB_URL", 3), ("REDIS_URL", 3)]
        {
            assert_eq!(edits(near, "DATABASE_URL").min(3), far, "{near}");
        }
        assert!(differ_in_number("DB1_URL", "DB2_URL"));
        assert!(is_template("/a/.env.example") && !is_template("/a/compose.env"));
    }
}
