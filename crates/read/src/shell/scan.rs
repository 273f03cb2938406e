//! Measures text and lifts here-documents out before a recursive parser sees it.
//!
//! The parsers behind this recurse, and a deep or long text would overflow the
//! stack. This scan keeps its own stack on the heap, so it takes any text.
//! Bodies of here-documents are mostly data and may be long; lifting them out
//! keeps prose from being counted and parsed as shell.

/// Longest text that the grammars are given, in bytes, bodies not counted: they need a microsecond a byte.
pub const GRAMMAR_BYTES_MAX: usize = 32 * 1024;
/// Deepest nesting that the grammars are given; deeper text is read flat.
pub const NESTING_MAX: usize = 24;

/// Text whose here-documents are replaced by marks.
#[derive(Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) text: String,
    /// How deep brackets, quotes and compound commands nest.
    pub(crate) nesting: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Paren,
    Brace,
    Double,
    Backtick,
}

struct Here {
    delimiter: String,
    strips_tabs: bool,
}

const MARK: &str = "__lifted_here_document_";

/// The number in a mark that [`scan`] left where a body stood.
pub(crate) fn lifted(text: &str) -> Option<usize> {
    text.trim().strip_prefix(MARK)?.parse().ok()
}

/// Scans text once; bodies are appended to `bodies`, which outlives nested texts.
pub(crate) fn scan(text: &str, bodies: &mut Vec<String>) -> Scan {
    Scanner {
        text,
        at: 0,
        copied: 0,
        out: String::with_capacity(text.len()),
        stack: Vec::new(),
        keywords: 0,
        nesting: 0,
        pending: Vec::new(),
    }
    .run(bodies)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// How far the text stands in `out`.
    copied: usize,
    out: String,
    stack: Vec<Frame>,
    keywords: usize,
    nesting: usize,
    pending: Vec<Here>,
}

impl Scanner<'_> {
    fn run(mut self, bodies: &mut Vec<String>) -> Scan {
        while let Some(c) = self.text[self.at..].chars().next() {
            let before = self.at;
            self.at += c.len_utf8();
            if self.stack.last() == Some(&Frame::Double) {
                self.in_double(c);
            } else {
                self.in_plain(c, before);
            }
            self.nesting = self.nesting.max(self.stack.len() + self.keywords);
            if c == '\n' && !self.pending.is_empty() && self.stack.last() != Some(&Frame::Double) {
                self.lift(bodies);
            }
        }
        if !self.pending.is_empty() && self.text.ends_with('\n') {
            self.lift(bodies);
        }
        self.out.push_str(&self.text[self.copied..]);
        Scan { text: self.out, nesting: self.nesting }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn in_double(&mut self, c: char) {
        match c {
            '\\' => self.skip_char(),
            '"' => drop(self.stack.pop()),
            '`' => self.backtick(),
            '$' => self.dollar(),
            _ => {}
        }
    }

    fn in_plain(&mut self, c: char, before: usize) {
        let in_double_brace = self.stack.ends_with(&[Frame::Double, Frame::Brace]);
        match c {
            '\\' => self.skip_char(),
            '\'' if !in_double_brace => self.skip_past('\''),
            '"' => self.stack.push(Frame::Double),
            '`' => self.backtick(),
            '$' if self.rest().starts_with('\'') => self.ansi(),
            '$' => self.dollar(),
            '(' => self.stack.push(Frame::Paren),
            '{' => self.stack.push(Frame::Brace),
            ')' => self.close(Frame::Paren),
            '}' => self.close(Frame::Brace),
            '#' if self.starts_word(before) && self.stack.last() != Some(&Frame::Brace) => {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            }
            '<' if self.rest().starts_with("<<") => self.at += 2,
            '<' if self.rest().starts_with('<') => self.here(),
            c if c.is_ascii_lowercase() && self.starts_word(before) => self.keyword(before),
            _ => {}
        }
    }

    fn starts_word(&self, at: usize) -> bool {
        self.text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')'))
    }

    fn keyword(&mut self, start: usize) {
        let word: &str = {
            let tail = &self.text[start..];
            &tail[..tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(tail.len())]
        };
        match word {
            "if" | "case" | "while" | "until" | "for" | "select" => self.keywords += 1,
            "fi" | "esac" | "done" => self.keywords = self.keywords.saturating_sub(1),
            _ => {}
        }
        self.at = start + word.len();
    }

    fn skip_char(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    fn skip_past(&mut self, end: char) {
        self.at += self.rest().find(end).map_or(self.rest().len(), |i| i + end.len_utf8());
    }

    fn ansi(&mut self) {
        self.at += 1;
        while let Some(c) = self.rest().chars().next() {
            self.at += c.len_utf8();
            match c {
                '\\' => self.skip_char(),
                '\'' => return,
                _ => {}
            }
        }
    }

    fn dollar(&mut self) {
        let frame = match self.rest().chars().next() {
            Some('(') => Frame::Paren,
            Some('{') => Frame::Brace,
            _ => return,
        };
        self.at += 1;
        self.stack.push(frame);
    }

    fn backtick(&mut self) {
        match self.stack.iter().rposition(|f| *f == Frame::Backtick) {
            Some(at) => self.stack.truncate(at),
            None => self.stack.push(Frame::Backtick),
        }
    }

    fn close(&mut self, frame: Frame) {
        if self.stack.last() == Some(&frame) {
            self.stack.pop();
        }
    }

    /// Notes the delimiter after `<<`; the body begins on the next line.
    fn here(&mut self) {
        self.at += 1;
        let strips_tabs = self.rest().starts_with('-');
        self.at += usize::from(strips_tabs);
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let rest = self.rest();
        let mut delimiter = String::new();
        let mut quote = None;
        let mut length = 0;
        for c in rest.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) => delimiter.push(c),
                None if c == '\'' || c == '"' => quote = Some(c),
                None if c == '\\' => {}
                None if c.is_whitespace() || matches!(c, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '`') => break,
                None => delimiter.push(c),
            }
            length += c.len_utf8();
        }
        if !delimiter.is_empty() && !delimiter.starts_with(|c: char| c.is_ascii_digit()) {
            self.at += length;
            self.pending.push(Here { delimiter, strips_tabs });
        }
    }

    /// Replaces the bodies that begin here by marks.
    fn lift(&mut self, bodies: &mut Vec<String>) {
        self.out.push_str(&self.text[self.copied..self.at]);
        for here in std::mem::take(&mut self.pending) {
            let rest = &self.text[self.at..];
            let mut body = String::new();
            let mut length = 0;
            let mut closing = here.delimiter.as_str();
            for line in rest.split_inclusive('\n') {
                length += line.len();
                let bare = line.strip_suffix('\n').unwrap_or(line);
                let bare = bare.strip_suffix('\r').unwrap_or(bare);
                let stripped = if here.strips_tabs { bare.trim_start_matches('\t') } else { bare };
                if stripped == here.delimiter {
                    closing = stripped;
                    break;
                }
                // `EOF)` closes the document and the substitution around it.
                if !self.stack.is_empty()
                    && stripped.strip_prefix(&here.delimiter).is_some_and(|t| t.starts_with([')', '`']))
                {
                    length -= line.len() - here.delimiter.len();
                    break;
                }
                body.push_str(stripped);
                body.push('\n');
            }
            self.out.push_str(&format!("{MARK}{}\n{closing}\n", bodies.len()));
            bodies.push(body);
            self.at += length;
        }
        self.copied = self.at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nesting(text: &str) -> usize {
        scan(text, &mut Vec::new()).nesting
    }

    #[test]
    fn counts_what_nests_and_not_what_is_quoted() {
        assert_eq!(nesting("echo hello"), 0);
        assert_eq!(nesting("echo $(echo $(echo x))"), 2);
        assert_eq!(nesting("echo '((((((((' # ((((("), 0);
        assert!(nesting(&"$(".repeat(10_000)) >= 10_000);
        assert!(nesting(&"if true; then ".repeat(40)) > NESTING_MAX);
        assert!(nesting("git commit -m 'if this works for all, wait for it while you can'") < 2);
    }

    #[test]
    fn lifts_bodies_out() {
        let mut bodies = Vec::new();
        let text = "cat > a <<'EOF' && ls\nrm -rf /\n((((\nEOF\necho done\n";
        let scan = scan(text, &mut bodies);
        assert_eq!(bodies, ["rm -rf /\n((((\n"]);
        assert!(scan.text.contains("&& ls\n__lifted_here_document_0\nEOF\necho done"), "{}", scan.text);
        assert_eq!(scan.nesting, 0);
    }

    #[test]
    fn lifts_a_body_inside_a_substitution() {
        let mut bodies = Vec::new();
        let text = "git commit -m \"$(cat <<'EOF'\nit's for rsync --delete\nEOF\n)\"";
        let scan = scan(text, &mut bodies);
        assert_eq!(bodies, ["it's for rsync --delete\n"]);
        assert!(scan.text.ends_with("\nEOF\n)\""), "{}", scan.text);
    }

    #[test]
    fn a_here_string_and_a_shift_are_no_documents() {
        for text in ["cat <<< word\nls\n", "echo $((1<<2))\nls\n"] {
            let mut bodies = Vec::new();
            assert_eq!(scan(text, &mut bodies).text, text);
            assert!(bodies.is_empty());
        }
    }
}
