//! Reads one anti-pattern file: header, explanation, examples.

use coroner_model::PatternId;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::fact::Fact;
use crate::pattern::example::Example;
use crate::pattern::header::{self, Header};

/// Largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// Where a pattern came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Compiled into the binary.
    BuiltIn,
    /// A file of the project or of the person, by path.
    File(String),
}

/// One known failure.
#[derive(Clone, Debug, PartialEq)]
pub struct AntiPattern {
    pub id: PatternId,
    pub origin: Origin,
    pub header: Header,
    /// The paragraph that says why it bites.
    pub why: String,
    /// Markdown of *Do instead*.
    pub do_instead: String,
    pub caught: Vec<Example>,
    pub passed: Vec<Example>,
    /// The whole file.
    pub text: String,
}

/// A file that is no anti-pattern, and where it stops being one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {reason}")]
pub struct PatternError {
    pub path: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    pub reason: String,
    pub hint: String,
}

impl AntiPattern {
    /// Reads a file; `path` is used in errors and its stem is the id.
    pub fn read(text: &str, path: &str, origin: Origin) -> Result<AntiPattern, Vec<PatternError>> {
        let error = |at: usize, reason: String, hint: &str| vec![error_at(text, path, at, reason, hint)];
        if text.len() > FILE_BYTES_MAX {
            return Err(error(0, format!("larger than {FILE_BYTES_MAX} bytes"), "one file holds one failure"));
        }
        let (toml_range, body_at) = front_matter(text).ok_or_else(|| {
            error(
                0,
                "no TOML header between two `+++` lines".into(),
                "`coroner pattern new ID` writes a file to start from",
            )
        })?;
        let toml_text = &text[toml_range.clone()];
        let header: Header = toml::from_str(toml_text).map_err(|e| {
            let at = toml_range.start + e.span().map_or(0, |s| s.start);
            error(at, e.message().to_owned(), "`coroner pattern explain --schema` prints the schema of the header")
        })?;
        let built_in = origin == Origin::BuiltIn;
        let problems: Vec<PatternError> = header::problems(&header, built_in)
            .into_iter()
            .map(|(word, reason)| {
                let at = toml_range.start + toml_text.find(&word).unwrap_or(0);
                error_at(text, path, at, reason, "`coroner pattern explain` lists facts and their forms")
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let body = Body::read(&text[body_at..]);
        let line_of_body = text[..body_at].matches('\n').count();
        let examples = |section: &str| -> Result<Vec<Example>, Vec<PatternError>> {
            let blocks = body.blocks.iter().filter(|b| b.section == section);
            let read = blocks.map(|b| {
                Example::read(&b.info, &b.text, line_of_body + b.line).map_err(|reason| {
                    error_at(text, path, body_at + b.at, reason, "examples are `sh`, `log COMPONENT` or `case` blocks")
                })
            });
            read.collect::<Result<Vec<_>, _>>().map_err(|e| vec![e])
        };
        Ok(AntiPattern {
            id: PatternId::new(stem(path)),
            origin,
            caught: examples("caught")?,
            passed: examples("passed")?,
            why: body.why,
            do_instead: body.do_instead,
            header,
            text: text.to_owned(),
        })
    }

    /// Whether a `[[when.*]]` row names the fact.
    pub fn matches_fact(&self, fact: &Fact) -> bool {
        self.header
            .when
            .fact_rows()
            .any(|(_, row)| row.fact == fact.kind && (row.is.is_empty() || row.is.iter().any(|w| w == fact.is)))
    }

    /// Whether a `[[confirm]]` row takes the fact as proof.
    pub fn confirmed_by(&self, fact: &Fact) -> bool {
        self.header.confirm.iter().any(|row| row.matches(fact))
    }

    /// First line of *Do instead*, for denials.
    pub fn do_instead_line(&self) -> &str {
        self.do_instead.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("```")).unwrap_or("")
    }
}

/// File name without folder and `.md`.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".md").unwrap_or(name)
}

/// Byte range of the TOML and start of the body.
fn front_matter(text: &str) -> Option<(std::ops::Range<usize>, usize)> {
    let start = text.strip_prefix("+++").map(|_| 3)?;
    let start = start + text[start..].find('\n')? + 1;
    if text[..start].trim() != "+++" {
        return None;
    }
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == "+++" {
            return Some((start..at, at + line.len()));
        }
        at += line.len();
    }
    None
}

fn error_at(text: &str, path: &str, at: usize, reason: String, hint: &str) -> PatternError {
    let at = text.floor_char_boundary(at.min(text.len()));
    let line_start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    PatternError {
        path: path.to_owned(),
        line: text[..at].matches('\n').count() + 1,
        column: text[line_start..at].chars().count() + 1,
        reason,
        hint: hint.to_owned(),
    }
}

/// A fenced block under a second-level heading.
struct Block {
    section: String,
    info: String,
    text: String,
    /// Byte offset in the body.
    at: usize,
    /// 1-based line of the block's first content line, in the body.
    line: usize,
}

#[derive(Default)]
struct Body {
    why: String,
    do_instead: String,
    blocks: Vec<Block>,
}

impl Body {
    fn read(text: &str) -> Body {
        let mut body = Body::default();
        let mut sections: Vec<(String, usize, usize)> = Vec::new();
        let mut heading: Option<(usize, String)> = None;
        let mut block: Option<Block> = None;
        for (event, range) in Parser::new(text).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                    heading = Some((range.start, String::new()))
                }
                Event::End(TagEnd::Heading(HeadingLevel::H2)) => {
                    if let Some((at, title)) = heading.take() {
                        sections.push((title.trim().to_lowercase(), at, range.end));
                    }
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    block = Some(Block {
                        section: sections.last().map(|s| s.0.clone()).unwrap_or_default(),
                        info: info.trim().to_owned(),
                        text: String::new(),
                        at: range.start,
                        line: text[..range.start].matches('\n').count() + 2,
                    });
                }
                Event::End(TagEnd::CodeBlock) => body.blocks.extend(block.take()),
                Event::Text(words) | Event::Code(words) => match (&mut block, &mut heading) {
                    (Some(b), _) => b.text.push_str(&words),
                    (None, Some((_, title))) => title.push_str(&words),
                    _ => {}
                },
                _ => {}
            }
        }
        let first = sections.first().map_or(text.len(), |s| s.1);
        body.why = text[..first].trim().to_owned();
        for (index, (title, _, from)) in sections.iter().enumerate() {
            let to = sections.get(index + 1).map_or(text.len(), |s| s.1);
            if title == "do instead" {
                body.do_instead = text[*from..to].trim().to_owned();
            }
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::ExampleKind;

    const TEXT: &str = "+++\ntitle = \"A\"\ncategory = \"disk\"\nseverity = \"minor\"\nlesson = \"L.\"\n\n[[when.effect]]\nkind = \"delete\"\ntarget = [\"live-data\"]\npermission = \"deny\"\n+++\nWhy it bites.\n\n## Do instead\nUse `git`.\n\n## Caught\n```sh\n# cwd: /srv   live-data: /srv/db\nrm -rf db\n```\n## Passed\n```sh\necho hi\n```\n";

    #[test]
    fn a_file_is_read_whole() {
        let p = AntiPattern::read(TEXT, "x/rm-db.md", Origin::BuiltIn).unwrap();
        assert_eq!(p.id.as_str(), "rm-db");
        assert_eq!((p.why.as_str(), p.do_instead_line()), ("Why it bites.", "Use `git`."));
        assert_eq!((p.caught.len(), p.passed.len()), (1, 1));
        assert!(matches!(p.caught[0].kind, ExampleKind::Commands));
    }

    #[test]
    fn errors_point_at_line_and_column() {
        let wrong = TEXT.replace("severity = \"minor\"", "severity = \"huge\"");
        let e = &AntiPattern::read(&wrong, "a.md", Origin::BuiltIn).unwrap_err()[0];
        assert_eq!((e.line, e.column), (4, 12), "{e}");
        let unknown = TEXT.replace("lesson", "leson");
        let e = &AntiPattern::read(&unknown, "a.md", Origin::BuiltIn).unwrap_err()[0];
        assert_eq!(e.line, 5, "{e}");
        assert!(AntiPattern::read("hello", "a.md", Origin::BuiltIn).is_err());
    }
}
