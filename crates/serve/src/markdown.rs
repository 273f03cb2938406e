//! Markdown to HTML: raw HTML is shown as text, nothing is fetched, ids become chips.

use coroner_model::Citation;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream, html};

use crate::chip::Chips;

/// Longest text that is rendered as Markdown, in bytes; more is cut.
pub const MARKDOWN_BYTES_MAX: usize = 200 * 1024;

/// HTML that this module made and that templates put out as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(pub String);

impl std::fmt::Display for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Renders one line: what stands between backticks is code, all else is text.
pub fn line(text: &str) -> Html {
    let mut out = String::new();
    let mut parts = text.split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        // A backtick that nothing closes is itself.
        let closes = parts.peek().is_some();
        match (is_code, closes) {
            (true, true) => out.push_str(&format!("<code>{}</code>", escaped(part))),
            (true, false) => out.push_str(&format!("`{}", escaped(part))),
            (false, _) => out.push_str(&escaped(part)),
        }
        is_code = !is_code;
    }
    Html(out)
}

/// Text as it stands in HTML, also between quotes.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// Renders Markdown that cites nothing.
pub fn plain(text: &str) -> Html {
    render(text, &mut |words| vec![Event::Text(words)])
}

/// Renders Markdown; `[evidence id]` and `[E2]`, the second citation, become chips.
pub fn cited(text: &str, citations: &[Citation], chips: &mut Chips) -> Html {
    render(text, &mut |words| with_chips(words, citations, chips))
}

fn render<'a>(text: &'a str, on_text: &mut dyn FnMut(CowStr<'a>) -> Vec<Event<'a>>) -> Html {
    let text = &text[..text.floor_char_boundary(MARKDOWN_BYTES_MAX)];
    let parser =
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS);
    let mut in_code = false;
    let mut dropped = Vec::new();
    let events = TextMergeStream::new(parser).flat_map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => vec![Event::Text(raw)],
        Event::Start(Tag::CodeBlock(kind)) => {
            in_code = true;
            vec![Event::Start(Tag::CodeBlock(kind))]
        }
        Event::End(TagEnd::CodeBlock) => {
            in_code = false;
            vec![Event::End(TagEnd::CodeBlock)]
        }
        // A chip opens in place and is a block; it may not stand in a `p`.
        Event::Start(Tag::Paragraph) => vec![Event::Html("<div class=\"p\">".into())],
        Event::End(TagEnd::Paragraph) => vec![Event::Html("</div>\n".into())],
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            vec![Event::Start(Tag::Heading { level: below_page_title(level), id, classes, attrs })]
        }
        Event::End(TagEnd::Heading(level)) => vec![Event::End(TagEnd::Heading(below_page_title(level)))],
        // An image would be fetched; its description is shown instead.
        Event::Start(Tag::Image { .. }) => vec![Event::Text("[image: ".into())],
        Event::End(TagEnd::Image) => vec![Event::Text("]".into())],
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let keep = is_safe_link(&dest_url, link_type);
            dropped.push(!keep);
            if keep { vec![Event::Start(Tag::Link { link_type, dest_url, title, id })] } else { Vec::new() }
        }
        Event::End(TagEnd::Link) => {
            if dropped.pop().unwrap_or(false) {
                Vec::new()
            } else {
                vec![Event::End(TagEnd::Link)]
            }
        }
        Event::Text(words) if !in_code => on_text(words),
        other => vec![other],
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    Html(out.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>"))
}

/// Headings of a text stand below the page's own title and sections.
fn below_page_title(level: HeadingLevel) -> HeadingLevel {
    use HeadingLevel::{H1, H2, H3, H4, H5, H6};
    match level {
        H1 | H2 => H3,
        H3 => H4,
        H4 => H5,
        H5 | H6 => H6,
    }
}

fn is_safe_link(url: &str, kind: LinkType) -> bool {
    if kind == LinkType::Email {
        return true;
    }
    let scheme = url.find([':', '/', '?', '#']).filter(|at| url[*at..].starts_with(':')).map(|at| &url[..at]);
    match scheme {
        Some(scheme) => ["http", "https", "mailto"].iter().any(|s| scheme.eq_ignore_ascii_case(s)),
        None => !url.starts_with("//"),
    }
}

/// Splits text at `[id]` or `[id, id]` where the ids are citations.
fn with_chips<'a>(words: CowStr<'a>, citations: &[Citation], chips: &mut Chips) -> Vec<Event<'a>> {
    if citations.is_empty() || !words.contains('[') {
        return vec![Event::Text(words)];
    }
    let mut events = Vec::new();
    let mut plain = String::new();
    let mut rest: &str = &words;
    while let Some(open) = rest.find('[') {
        let close = rest[open..].find(']').map(|at| open + at);
        let found = close.and_then(|close| cited_ids(&rest[open + 1..close], citations));
        let (Some(close), Some(found)) = (close, found) else {
            plain.push_str(&rest[..=open]);
            rest = &rest[open + 1..];
            continue;
        };
        plain.push_str(rest[..open].trim_end());
        events.push(Event::Text(std::mem::take(&mut plain).into()));
        for citation in found {
            events.push(Event::InlineHtml(chips.chip(citation).to_string().into()));
        }
        rest = &rest[close + 1..];
    }
    plain.push_str(rest);
    events.push(Event::Text(plain.into()));
    events
}

/// The citations that a bracket names, where it names nothing else.
fn cited_ids<'c>(inside: &str, citations: &'c [Citation]) -> Option<Vec<&'c Citation>> {
    let named = inside.split([',', ' ']).filter(|w| !w.is_empty()).filter(|w| *w != "evidence");
    let by_number = |word: &str| citations.get(word.strip_prefix('E')?.parse::<usize>().ok()?.checked_sub(1)?);
    let found: Option<Vec<_>> =
        named.map(|w| citations.iter().find(|c| c.id.as_str() == w).or_else(|| by_number(w))).collect();
    found.filter(|f| !f.is_empty())
}

/// The text without the second-level sections that `repeats` says are shown already.
pub fn without_sections(text: &str, repeats: impl Fn(&str, &str) -> bool) -> String {
    let starts: Vec<(usize, usize, String)> = headings(text);
    let first = starts.first().map_or(text.len(), |s| s.0);
    let mut out = text[..first].to_owned();
    for (at, (from, body, title)) in starts.iter().enumerate() {
        let to = starts.get(at + 1).map_or(text.len(), |s| s.0);
        if !repeats(title, text[*body..to].trim()) {
            out.push_str(&text[*from..to]);
        }
    }
    out
}

/// Second-level headings: where each begins, where it ends, and its words.
fn headings(text: &str) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => open = Some((range.start, String::new())),
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => {
                found.extend(open.take().map(|(at, title)| (at, range.end, title)))
            }
            Event::Text(words) | Event::Code(words) => open.iter_mut().for_each(|(_, title)| title.push_str(&words)),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_model::Source;
    use std::collections::BTreeMap;

    #[test]
    fn raw_html_is_text_and_links_are_harmless() {
        let html = plain("a <script>alert(1)</script> [x](javascript:alert(1)) [y](//evil.test) ![z](http://evil.test/z.png)\n\n<b onclick=x>bold</b>\n\n[ok](https://example.org)").0;
        assert!(!html.contains("<script") && !html.contains("<b ") && !html.contains("<img"), "{html}");
        assert!(!html.contains("javascript:") && !html.contains("//evil.test"), "{html}");
        assert!(html.contains("&lt;script&gt;") && html.contains("href=\"https://example.org\""), "{html}");
    }

    #[test]
    fn sections_that_repeat_are_left_out() {
        let text = "Before.\n\n## Fix\n\nThe same.\n\n## Log\n\n```\n## Fix\n```\n\n## Fix\nAnother.\n";
        let kept = without_sections(text, |title, body| title == "Fix" && body == "The same.");
        assert_eq!(kept, "Before.\n\n## Log\n\n```\n## Fix\n```\n\n## Fix\nAnother.\n");
    }

    #[test]
    fn a_line_knows_only_code() {
        assert_eq!(
            line("`down -v` & <b>*x*</b> `a<b`").0,
            "<code>down -v</code> &amp; &lt;b&gt;*x*&lt;/b&gt; <code>a&lt;b</code>"
        );
        assert_eq!(line("no end `here").0, "no end `here");
    }

    #[test]
    fn ids_in_brackets_become_chips() {
        let citation = Citation::new(Source::Log, "logs/api.log:7".into(), "it <broke>".into());
        let kept = BTreeMap::new();
        let text = format!("It broke [{}] [E1]. An [array] stays, [E2] and [E0] too.\n\n    code [{0}]", citation.id);
        let html = cited(&text, std::slice::from_ref(&citation), &mut Chips::new(&kept)).0;
        assert_eq!(html.matches("<details").count(), 2, "{html}");
        assert!(
            html.contains("[array]")
                && html.contains("[E2]")
                && html.contains("[E0]")
                && html.contains("it &#60;broke&#62;"),
            "{html}"
        );
        assert!(!html.contains("<p>") || !html.contains("<p><details"), "{html}");
    }
}
