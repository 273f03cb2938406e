//! HTML, read for its text: script and style are dropped, entities decoded.

use std::ops::Range;

use super::block::{Block, Kind};
use super::date::{self, SlashOrder};
use super::label::{Label, classify};
use super::meta;

/// Whether a text is an HTML page or a piece of one.
pub fn looks_like(text: &str, name: &str) -> bool {
    let lower = name.to_lowercase();
    if lower.ends_with(".html") || lower.ends_with(".htm") || lower.ends_with(".xhtml") {
        return true;
    }
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let head: String = start.chars().take(200).collect::<String>().to_lowercase();
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        return true;
    }
    let opens = ["div", "section", "article", "h1", "h2", "h3", "main", "body", "ul", "dl", "table", "p"];
    start.starts_with('<') && opens.iter().any(|t| head.contains(&format!("<{t}"))) && text.contains("</")
}

/// Elements whose content is no text of the page, or leads elsewhere.
const DROPPED: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "head", "iframe", "object", "select", "textarea", "math", "nav",
];
/// Elements whose footer is part of what they hold, not of the page.
const HOLDERS: &[&str] = &["article", "section", "details", "li", "td", "blockquote"];
/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "caption",
    "button",
];

enum Token<'a> {
    Text(&'a str),
    Open { name: String, attributes: &'a str },
    Close(String),
}

/// Cuts an HTML page into blocks.
pub fn blocks(text: &str) -> Vec<Block> {
    read(text, Page::default())
}

/// Cuts an HTML page into blocks that keep where its links lead, in the form of Markdown.
pub fn linked_blocks(text: &str) -> Vec<Block> {
    read(text, Page { links: true, ..Page::default() })
}

fn read(text: &str, mut page: Page) -> Vec<Block> {
    // A page has one footer; cards with a footer each are records.
    let footers = text.to_ascii_lowercase().matches("<footer").count();
    let mut at = 0;
    while let Some((token, mut end)) = next(text, at) {
        match &token {
            Token::Open { name, attributes }
                if DROPPED.contains(&name.as_str())
                    || name == "footer" && page.holders == 0 && (footers == 1 || behind_main(text, at)) =>
            {
                page.flush();
                if !attributes.ends_with('/') {
                    end = closing(text, end, name);
                }
            }
            _ => page.take(token),
        }
        page.line += text[at..end].matches('\n').count();
        at = end;
    }
    page.flush();
    page.out
}

/// Whether what the page is about has ended before that place.
fn behind_main(text: &str, at: usize) -> bool {
    text[..at].to_ascii_lowercase().contains("</main>")
}

/// Behind the closing tag of an element whose content is not read; its text may hold any `<`.
fn closing(text: &str, from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(found) = text[at..].find("</") {
        at += found;
        let rest = &text[at + 2..];
        if rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return at + tag_end(&text[at..]);
        }
        at += 2;
    }
    text.len()
}

/// The next token from `at` on and where it ends; comments and declarations are skipped.
fn next(text: &str, at: usize) -> Option<(Token<'_>, usize)> {
    let rest = text.get(at..).filter(|r| !r.is_empty())?;
    let is_tag =
        |r: &str| r.len() > 1 && r[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
    if !(rest.starts_with('<') && is_tag(rest)) {
        let end =
            rest.char_indices().skip(1).find(|(i, c)| *c == '<' && is_tag(&rest[*i..])).map_or(rest.len(), |(i, _)| i);
        return Some((Token::Text(&rest[..end]), at + end));
    }
    if rest.starts_with("<!--") {
        let end = rest.find("-->").map_or(rest.len(), |e| e + 3);
        return Some((Token::Text(""), at + end));
    }
    let end = tag_end(rest);
    let inner = rest[1..end].trim_end_matches('>');
    if inner.starts_with(['!', '?']) {
        return Some((Token::Text(""), at + end));
    }
    if let Some(name) = inner.strip_prefix('/') {
        return Some((Token::Close(name.trim().to_ascii_lowercase()), at + end));
    }
    let split = inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len());
    Some((Token::Open { name: inner[..split].to_ascii_lowercase(), attributes: inner[split..].trim() }, at + end))
}

fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (i, c) in rest.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, '>') => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

#[derive(Default)]
struct Page {
    out: Vec<Block>,
    text: String,
    lead: Option<String>,
    /// The term whose definition comes next.
    term: Option<String>,
    kind: Option<Kind>,
    line: usize,
    started: usize,
    gap: bool,
    lists: Vec<Option<u32>>,
    row: Option<(Vec<String>, bool)>,
    /// Where inline elements that may be labels began in `text`.
    marks: Vec<(String, usize)>,
    pre: usize,
    code: usize,
    /// Links are kept, and the open one's address with where its text began.
    links: bool,
    link: Option<(String, usize)>,
    /// How many elements are open that hold a part of the page.
    holders: usize,
    /// The open block is a heading or a card's line, where spans with header facts stand beside a title.
    splits: bool,
    /// Header facts in spans of the open block: where each stands in `text`.
    facts: Vec<Range<usize>>,
    /// An inline element just ended, so the next one is not glued to it.
    closed_inline: bool,
    /// The open `time`: its date attribute, and where it began in `text`.
    time: Option<(Option<String>, usize)>,
}

impl Page {
    fn take(&mut self, token: Token<'_>) {
        match token {
            Token::Text(raw) => self.words(raw),
            Token::Open { name, attributes } => self.open(&name, attributes),
            Token::Close(name) => self.close(&name),
        }
    }

    fn words(&mut self, raw: &str) {
        if raw.is_empty() {
            return;
        }
        self.closed_inline = false;
        let text = decode(raw);
        if self.pre > 0 {
            self.text.push_str(&text);
            return;
        }
        if self.text.is_empty() {
            self.started = self.line + 1;
        }
        for c in text.chars() {
            let c = if c.is_whitespace() { ' ' } else { c };
            if !(c == ' ' && (self.text.is_empty() || self.text.ends_with(' '))) {
                self.text.push(c);
            }
        }
    }

    fn open(&mut self, name: &str, attributes: &str) {
        match name {
            "br" => return self.flush(),
            "time" => {
                self.time = Some((attribute(attributes, "datetime"), self.text.len()));
                return;
            }
            "code" => self.code += 1,
            "a" if self.links => {
                let address = attribute(attributes, "href").filter(|href| href.contains("://"));
                self.link = address.map(|href| (href, self.text.len()));
            }
            _ => {}
        }
        if !BLOCKS.contains(&name) {
            let spaced = self.text.is_empty() || self.text.ends_with(' ');
            if self.closed_inline
                && !spaced
                && self.code == 0
                && self.pre == 0
                && matches!(name, "span" | "strong" | "b" | "small" | "label" | "em" | "a")
            {
                self.text.push(' ');
            }
            self.marks.push((name.to_owned(), self.text.len()));
            return;
        }
        self.flush();
        self.gap = true;
        self.holders += usize::from(HOLDERS.contains(&name));
        self.splits = matches!(name, "div" | "summary" | "header") || heading(name).is_some();
        match name {
            "pre" => self.pre += 1,
            "ul" => self.lists.push(None),
            "ol" => self.lists.push(Some(attribute(attributes, "start").and_then(|s| s.parse().ok()).unwrap_or(1))),
            "li" => self.kind = Some(self.item()),
            "tr" => self.row = Some((Vec::new(), true)),
            "td" => self.row = self.row.take().map(|(cells, _)| (cells, false)),
            "dd" => self.lead = self.term.take(),
            _ => self.kind = heading(name).map(Kind::Heading),
        }
    }

    fn item(&mut self) -> Kind {
        let depth = self.lists.len().saturating_sub(1);
        let number = self.lists.last_mut().and_then(|l| l.as_mut()).map(|n| {
            *n += 1;
            *n - 1
        });
        Kind::Item { depth, number }
    }

    fn close(&mut self, name: &str) {
        if name == "code" {
            self.code = self.code.saturating_sub(1);
        }
        if name == "time" {
            let from = self.time.as_ref().map_or(self.text.len(), |(_, from)| *from);
            self.close_time();
            return self.note_fact(from);
        }
        if let Some((address, from)) = self.link.take_if(|_| name == "a") {
            let inner = self.text.split_off(from.min(self.text.len()));
            self.text.push_str(&format!("[{}]({address})", inner.trim()));
        }
        if !BLOCKS.contains(&name) {
            return self.close_inline(name);
        }
        self.holders = self.holders.saturating_sub(usize::from(HOLDERS.contains(&name)));
        match name {
            "td" | "th" => {
                if let Some((cells, _)) = &mut self.row {
                    cells.push(std::mem::take(&mut self.text).trim().to_owned());
                    self.marks.clear();
                }
                return;
            }
            "tr" => {
                if let Some((cells, head)) = self.row.take() {
                    self.out.push(Block::new(Kind::Row { cells, head }, "", self.line + 1, true));
                }
                return;
            }
            "dt" => {
                self.term = Some(std::mem::take(&mut self.text).trim().to_owned());
                self.marks.clear();
                return;
            }
            "pre" => {
                self.kind = Some(Kind::Code);
                self.flush();
                self.pre = self.pre.saturating_sub(1);
            }
            "ul" | "ol" => {
                self.flush();
                self.lists.pop();
            }
            _ => self.flush(),
        }
        self.gap = true;
    }

    /// A date attribute stands for a text that leaves the year out.
    fn close_time(&mut self) {
        let Some((value, from)) = self.time.take() else { return };
        let value = value.unwrap_or_default();
        let shown = self.text.get(from..).unwrap_or("");
        if !date::find(shown, SlashOrder::Unknown).iter().any(|f| f.day().is_some())
            && date::find(&value, SlashOrder::Unknown).iter().any(|f| f.day().is_some())
        {
            self.text.truncate(from);
            self.text.push_str(&value);
        }
        self.closed_inline = true;
    }

    /// An inline element whose words are a label opens a block of its own.
    fn close_inline(&mut self, name: &str) {
        let Some(at) = self.marks.iter().rposition(|(n, _)| n == name) else { return };
        let from = self.marks[at].1;
        self.marks.truncate(at);
        self.closed_inline = true;
        let is_heading = matches!(self.kind, Some(Kind::Heading(_)));
        if name == "a" && is_heading && !self.text.get(from..).unwrap_or("").contains(char::is_alphanumeric) {
            // The sign behind a heading that links to it.
            self.text.truncate(from);
        }
        if matches!(name, "span" | "small") {
            self.note_fact(from);
        }
        if self.pre > 0
            || self.row.is_some()
            || is_heading
            || !matches!(name, "strong" | "b" | "span" | "em" | "i" | "label" | "u" | "small" | "mark")
        {
            return;
        }
        let Some(inner) = self.text.get(from..).map(str::trim) else { return };
        let before = self.text[..from].trim_end();
        let edge = before.is_empty()
            || before.ends_with(['.', '!', '?', ')', '|', '·', ';', ':', '"', '”', '’', '…', '`', '—']);
        let colon = inner.ends_with([':', '：']);
        let strong = matches!(name, "strong" | "b" | "label");
        let label = inner.starts_with(char::is_uppercase)
            && match classify(inner) {
                Some(Label::Key(_)) => colon || strong && before.is_empty(),
                Some(_) => edge || colon,
                None => false,
            };
        if label {
            let lead = inner.trim_end_matches([':', '：']).trim().to_owned();
            self.text.truncate(from);
            self.flush();
            self.lead = Some(lead);
            self.closed_inline = false;
        }
    }

    /// Remembers what began at `from` where it is a header fact, such as a badge with the severity.
    fn note_fact(&mut self, from: usize) {
        let inner = self.text.get(from..).unwrap_or("");
        if self.splits && self.row.is_none() && self.lead.is_none() && meta::read(inner, SlashOrder::Unknown).is_some()
        {
            self.facts.push(from..self.text.len());
        }
    }

    /// Takes the facts at the edges of a title out of its line; they come back as lines of their own.
    fn edge_facts(&mut self) -> (Vec<String>, Vec<String>) {
        let facts = std::mem::take(&mut self.facts);
        if facts.is_empty() || meta::read(&self.text, SlashOrder::Unknown).is_some() {
            return (Vec::new(), Vec::new());
        }
        let bare = |text: &str| !text.contains(char::is_alphanumeric);
        let (mut from, mut to) = (0, self.text.len());
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        for fact in &facts {
            if self.text.get(from..fact.start).is_some_and(bare) {
                before.push(self.text[fact.clone()].trim().to_owned());
                from = fact.end;
            }
        }
        for fact in facts.iter().rev().take_while(|f| f.start >= from) {
            if self.text.get(fact.end..to).is_some_and(bare) {
                behind.insert(0, self.text[fact.clone()].trim().to_owned());
                to = fact.start;
            }
        }
        let title = self.text[from..to].trim_matches([' ', '·', '|', '–', '—', '-', ':', '•']);
        if bare(title) || title.ends_with(['.', '!', '?']) {
            return (Vec::new(), Vec::new());
        }
        self.text = title.to_owned();
        (before, behind)
    }

    fn flush(&mut self) {
        let (before, behind) = if self.row.is_none() { self.edge_facts() } else { Default::default() };
        let heading = matches!(self.kind, Some(Kind::Heading(_)));
        let line = self.started.max(1);
        let fact = |text: String| Block::new(Kind::Text, text, line, false);
        let (before, behind) = if heading { (Vec::new(), [before, behind].concat()) } else { (before, behind) };
        self.out.extend(before.into_iter().map(fact));
        self.flush_text();
        self.out.extend(behind.into_iter().map(fact));
    }

    fn flush_text(&mut self) {
        let raw = std::mem::take(&mut self.text);
        self.marks.clear();
        self.closed_inline = false;
        if self.row.is_some() {
            // Blocks inside a cell stay in the cell.
            self.text = raw;
            if !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
            return;
        }
        let kind = self.kind.take();
        let text = if kind == Some(Kind::Code) {
            format!("```\n{}\n```", raw.trim_matches('\n').trim_end())
        } else {
            raw.trim().to_owned()
        };
        let text = if self.lead.is_some() {
            text.trim_start_matches([':', '：', '—', '–']).trim_start().to_owned()
        } else {
            text
        };
        if raw.trim().is_empty() && self.lead.is_none() {
            self.kind = kind.filter(|k| matches!(k, Kind::Item { .. }));
            return;
        }
        if raw.trim().is_empty() && matches!(kind, Some(Kind::Item { .. })) {
            self.kind = kind;
            return;
        }
        let block = Block {
            kind: kind.unwrap_or(Kind::Text),
            lead: self.lead.take(),
            text,
            line: self.started.max(1),
            gap: self.gap,
        };
        self.out.push(block);
        self.gap = false;
    }
}

fn heading(name: &str) -> Option<u8> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let lower = attributes.to_ascii_lowercase();
    let at = lower.find(&format!("{name}="))?;
    let value = attributes.get(at + name.len() + 1..)?;
    let inner = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split(char::is_whitespace).next()?,
    };
    Some(decode(inner))
}

const ENTITIES: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("mdash", "—"),
    ("ndash", "–"),
    ("hellip", "…"),
    ("rarr", "→"),
    ("larr", "←"),
    ("harr", "↔"),
    ("rsquo", "’"),
    ("lsquo", "‘"),
    ("rdquo", "”"),
    ("ldquo", "“"),
    ("bull", "•"),
    ("middot", "·"),
    ("times", "×"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("deg", "°"),
    ("plusmn", "±"),
    ("le", "≤"),
    ("ge", "≥"),
    ("ne", "≠"),
    ("asymp", "≈"),
    ("sect", "§"),
    ("para", "¶"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("euro", "€"),
    ("pound", "£"),
    ("cent", "¢"),
    ("yen", "¥"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("szlig", "ß"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("agrave", "à"),
    ("ccedil", "ç"),
    ("ntilde", "ñ"),
    ("lbrace", "{"),
    ("lcub", "{"),
    ("rcub", "}"),
    ("rbrace", "}"),
    ("lbrack", "["),
    ("rbrack", "]"),
    ("lsqb", "["),
    ("rsqb", "]"),
    ("lpar", "("),
    ("rpar", ")"),
    ("num", "#"),
    ("ast", "*"),
    ("lowbar", "_"),
    ("grave", "`"),
    ("colon", ":"),
    ("semi", ";"),
    ("equals", "="),
    ("sol", "/"),
    ("bsol", "\\"),
    ("period", "."),
    ("comma", ","),
    ("excl", "!"),
    ("quest", "?"),
    ("dollar", "$"),
    ("percnt", "%"),
    ("plus", "+"),
    ("verbar", "|"),
    ("vert", "|"),
    ("hyphen", "-"),
    ("commat", "@"),
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("ensp", " "),
    ("emsp", " "),
    ("thinsp", " "),
    ("zwj", ""),
    ("zwnj", ""),
    ("shy", ""),
    ("check", "✓"),
    ("cross", "✗"),
    ("infin", "∞"),
    ("micro", "µ"),
    ("frac12", "½"),
    ("AElig", "Æ"),
    ("Aacute", "Á"),
    ("Acirc", "Â"),
    ("Agrave", "À"),
    ("Aring", "Å"),
    ("Atilde", "Ã"),
    ("Ccedil", "Ç"),
    ("Dagger", "‡"),
    ("ETH", "Ð"),
    ("Eacute", "É"),
    ("Ecirc", "Ê"),
    ("Egrave", "È"),
    ("Euml", "Ë"),
    ("Iacute", "Í"),
    ("Icirc", "Î"),
    ("Igrave", "Ì"),
    ("Iuml", "Ï"),
    ("Ntilde", "Ñ"),
    ("OElig", "Œ"),
    ("Oacute", "Ó"),
    ("Ocirc", "Ô"),
    ("Ograve", "Ò"),
    ("Oslash", "Ø"),
    ("Otilde", "Õ"),
    ("Prime", "″"),
    ("Scaron", "Š"),
    ("THORN", "Þ"),
    ("Uacute", "Ú"),
    ("Ucirc", "Û"),
    ("Ugrave", "Ù"),
    ("Yacute", "Ý"),
    ("aacute", "á"),
    ("acirc", "â"),
    ("acute", "´"),
    ("aelig", "æ"),
    ("aring", "å"),
    ("atilde", "ã"),
    ("bdquo", "„"),
    ("brvbar", "¦"),
    ("cedil", "¸"),
    ("curren", "¤"),
    ("dagger", "†"),
    ("darr", "↓"),
    ("divide", "÷"),
    ("ecirc", "ê"),
    ("equiv", "≡"),
    ("eth", "ð"),
    ("euml", "ë"),
    ("frac14", "¼"),
    ("frac34", "¾"),
    ("hArr", "⇔"),
    ("iacute", "í"),
    ("icirc", "î"),
    ("iexcl", "¡"),
    ("igrave", "ì"),
    ("iquest", "¿"),
    ("iuml", "ï"),
    ("lArr", "⇐"),
    ("lsaquo", "‹"),
    ("macr", "¯"),
    ("minus", "−"),
    ("not", "¬"),
    ("oacute", "ó"),
    ("ocirc", "ô"),
    ("oelig", "œ"),
    ("ograve", "ò"),
    ("ordf", "ª"),
    ("ordm", "º"),
    ("oslash", "ø"),
    ("otilde", "õ"),
    ("permil", "‰"),
    ("prime", "′"),
    ("rArr", "⇒"),
    ("radic", "√"),
    ("rsaquo", "›"),
    ("sbquo", "‚"),
    ("scaron", "š"),
    ("sum", "∑"),
    ("sup1", "¹"),
    ("sup2", "²"),
    ("sup3", "³"),
    ("thorn", "þ"),
    ("uacute", "ú"),
    ("uarr", "↑"),
    ("ucirc", "û"),
    ("ugrave", "ù"),
    ("uml", "¨"),
    ("yacute", "ý"),
    ("yuml", "ÿ"),
    ("ZeroWidthSpace", ""),
];

/// Longest name of an entity, in bytes.
const ENTITY_BYTES_MAX: usize = 20;

/// Decodes the entities of a text; what is none stays as it is.
fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(ENTITY_BYTES_MAX).position(|b| b == b';');
        match end.and_then(|end| entity(&rest[1..end]).map(|c| (c, end))) {
            Some((decoded, end)) => {
                out.push_str(&decoded);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(|c| if c == '\u{a0}' { " ".to_owned() } else { c.to_string() });
    }
    ENTITIES.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(html: &str) -> Vec<(Option<String>, String)> {
        blocks(html).into_iter().map(|b| (b.lead, b.text)).collect()
    }

    #[test]
    fn script_and_style_are_dropped_and_entities_decoded() {
        let got =
            texts("<style>p{}</style><p>a &amp; b&nbsp;&#8212; c &lt;d&gt;</p><script>if (a<b) {}</script><p>e</p>");
        assert_eq!(got, [(None, "a & b — c <d>".to_owned()), (None, "e".to_owned())]);
    }

    #[test]
    fn labels_in_strong_dt_and_span() {
        let got = texts(
            "<p><strong>What Happened</strong> A <b>big</b> crash. <strong>Root Cause:</strong> Typo.</p><dl><dt>Fix</dt><dd>Undone.</dd></dl>",
        );
        assert_eq!(got[0], (Some("What Happened".to_owned()), "A big crash.".to_owned()));
        assert_eq!(got[1], (Some("Root Cause".to_owned()), "Typo.".to_owned()));
        assert_eq!(got[2], (Some("Fix".to_owned()), "Undone.".to_owned()));
    }

    #[test]
    fn neighbouring_spans_are_not_glued_but_code_is() {
        assert_eq!(texts("<div><span>Session 23</span><span>2026-01-23</span></div>")[0].1, "Session 23 2026-01-23");
        assert_eq!(texts("<p>x <code>a</code>→<code>b</code></p>")[0].1, "x a→b");
    }

    #[test]
    fn facts_in_spans_beside_a_title_stand_by_themselves() {
        let lines = |html: &str| texts(html).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(
            lines("<h3><span>Critical</span> Disk full <time>2026-01-23</time></h3>"),
            ["Disk full", "Critical", "2026-01-23"]
        );
        assert_eq!(
            lines("<summary><span>2026-01-23</span> <span>Disk full</span> <span>Major</span></summary>"),
            ["2026-01-23", "Disk full", "Major"]
        );
        assert_eq!(lines("<div><span>Session 9</span><span>Major</span></div>"), ["Session 9 Major"]);
        assert_eq!(lines("<p><span>2026-01-23</span> was the day.</p>"), ["2026-01-23 was the day."]);
        assert_eq!(lines("<h3>The <span>critical</span> path</h3>"), ["The critical path"]);
    }

    #[test]
    fn signs_that_link_and_the_pages_edges_are_left_out() {
        let lines = |html: &str| texts(html).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(lines("<h2>Title <a class=\"headerlink\" href=\"#t\">¶</a></h2>"), ["Title"]);
        assert_eq!(lines("<h2><a href=\"#t\">Title</a></h2>"), ["Title"]);
        assert_eq!(lines("<nav><a>Home</a></nav><p>a b</p><footer><p>Made by us.</p></footer>"), ["a b"]);
        assert_eq!(lines("<article><p>a b</p><footer>Session 9</footer></article>"), ["a b", "Session 9"]);
        assert_eq!(lines("<main>a b</main><footer>c</footer><footer>d</footer>"), ["a b"]);
        assert_eq!(lines("<div>a<footer>b</footer></div><div>c<footer>d</footer></div>"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_datetime_attribute_completes_a_date() {
        assert_eq!(texts("<p>On <time datetime=\"2026-01-23\">Jan 23</time></p>")[0].1, "On 2026-01-23");
    }
}
