//! The common ground of text, Markdown and HTML: a page as a run of blocks.

/// What kind of block it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A heading of that level.
    Heading(u8),
    /// A line or paragraph.
    Text,
    /// An entry of a list, with its depth and its number where it has one.
    Item { depth: usize, number: Option<u32> },
    /// A row of a table; `head` marks a row of column names.
    Row { cells: Vec<String>, head: bool },
    /// Lines of code, kept as they are.
    Code,
}

/// One block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub kind: Kind,
    /// Bold or term that the block starts with: a label, if its words say so.
    pub lead: Option<String>,
    pub text: String,
    /// 1-based line of the source.
    pub line: usize,
    /// Whether an empty line, or a block's edge, stands before it.
    pub gap: bool,
}

impl Block {
    /// A block without a lead.
    pub fn new(kind: Kind, text: impl Into<String>, line: usize, gap: bool) -> Block {
        Block { kind, lead: None, text: text.into(), line, gap }
    }
}
