//! Reads the settings of git: `.git/config`, `~/.gitconfig`.

/// Most settings of one file.
pub const SETTINGS_MAX: usize = 10_000;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// In lower case.
    pub section: String,
    /// What stands in quotes behind the section.
    pub part: String,
    /// In lower case.
    pub name: String,
    pub value: String,
}

impl Setting {
    /// Whether this is `section.name`, of no part; names have no case.
    pub fn is(&self, section: &str, name: &str) -> bool {
        self.section == section && self.part.is_empty() && self.name.eq_ignore_ascii_case(name)
    }

    /// Whether another file is read at this place.
    pub fn names_file(&self) -> bool {
        matches!(self.section.as_str(), "include" | "includeif") && self.name == "path"
    }
}

/// The settings in their order; lines that cannot be read are left out.
pub fn read(text: &str) -> Vec<Setting> {
    let mut settings = Vec::new();
    let (mut section, mut part) = (String::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start();
        if line.starts_with(['#', ';']) || settings.len() >= SETTINGS_MAX {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let Some((head, behind)) = rest.split_once(']') else { continue };
            let (name, own) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
            section = name.to_ascii_lowercase();
            own.trim().trim_matches('"').clone_into(&mut part);
            line = behind.trim_start();
        }
        let (name, given) = line.split_once('=').unwrap_or((line, "true"));
        let name = name.trim().to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            continue;
        }
        let mut raw = given.to_owned();
        while raw.ends_with('\\') && !raw.ends_with("\\\\") {
            raw.pop();
            let Some(next) = lines.next() else { break };
            raw.push_str(next);
        }
        settings.push(Setting { section: section.clone(), part: part.clone(), name, value: value(&raw) });
    }
    settings
}

/// A value without its quotes, escapes and comment.
fn value(raw: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = raw.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('b') => drop(out.pop()),
                Some(other) => out.push(other),
                None => {}
            },
            '#' | ';' if !quoted => break,
            c => out.push(c),
        }
    }
    if quoted { out } else { out.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_reads_them() {
        let text = "# a\n[core]\n\tbare = false\n[alias]\n  ci = commit --no-verify ; why\n  x = \"!git \\\"commit\\\" -n # no\"\n  l = log \\\n --oneline\n[include]\n\tpath = ~/.more\n[remote \"origin\"] url = /x\n[Alias] UP=pull\n[push]\n  followTags\n";
        let all = read(text);
        let of = |section: &str, name: &str| all.iter().find(|s| s.is(section, name)).map(|s| s.value.as_str());
        assert_eq!(of("alias", "ci"), Some("commit --no-verify"));
        assert_eq!(of("alias", "x"), Some("!git \"commit\" -n # no"));
        assert_eq!(of("alias", "l"), Some("log  --oneline"));
        assert_eq!(of("alias", "up"), Some("pull"));
        assert_eq!(of("push", "followtags"), Some("true"));
        assert!(all.iter().any(|s| s.names_file() && s.value == "~/.more"));
        assert!(all.iter().any(|s| s.part == "origin" && s.name == "url"));
        assert!(read("[alias\n= x\n\u{0}").is_empty());
    }
}
