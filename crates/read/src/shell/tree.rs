//! The small syntax tree that both grammars are lowered to.
//!
//! Words stay raw here (quotes, expansions and all); `expand` takes them apart
//! when a value is needed, since what a word means depends on what ran before.

use std::rc::Rc;

/// One piece of shell syntax.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Simple(Simple),
    /// Commands one after the other.
    List(Vec<Node>),
    /// A first command and what follows it on success or failure.
    AndOr(Box<Node>, Vec<(Join, Node)>),
    Pipeline(Vec<Node>),
    /// `! command`.
    Not(Box<Node>),
    /// `command &`: it runs beside what follows.
    Background(Box<Node>),
    /// `( … )`: nothing inside changes the shell outside.
    Subshell(Box<Node>),
    For {
        variable: String,
        words: Option<Vec<String>>,
        body: Box<Node>,
    },
    While {
        condition: Box<Node>,
        body: Box<Node>,
    },
    /// Conditions with their bodies; the last one without a condition is `else`.
    If(Vec<(Option<Node>, Node)>),
    Case {
        value: String,
        arms: Vec<(Vec<String>, Node)>,
    },
    Function {
        name: String,
        body: Rc<Node>,
    },
    /// A compound command with its own redirections.
    Redirected(Box<Node>, Vec<Redir>),
    /// `[[ … ]]`, `(( … ))`: may succeed or fail; its raw words may hold substitutions.
    Test(Vec<String>),
}

/// How two commands of an and-or list are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    And,
    Or,
}

/// A simple command before expansion.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Simple {
    pub(crate) assigns: Vec<Assign>,
    pub(crate) items: Vec<Item>,
    pub(crate) redirs: Vec<Redir>,
    /// Characters of the outermost text that it covers.
    pub(crate) span: std::ops::Range<usize>,
}

/// A word of a simple command; after the name it may look like an assignment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Word(String),
    /// An argument such as `X=(a b)` of `declare`, with its raw text.
    Assign(Assign, String),
    /// `<( … )` or `>( … )`: a file that stands for what a command prints or reads.
    Process(Node),
}

/// `NAME=value`, `NAME+=value`, `NAME=(…)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assign {
    pub(crate) name: String,
    pub(crate) index: Option<String>,
    pub(crate) value: AssignValue,
    pub(crate) append: bool,
}

/// What is assigned, raw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AssignValue {
    Scalar(String),
    Array(Vec<(Option<String>, String)>),
}

/// A redirection before expansion.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Redir {
    Read(String),
    /// `>`, `>|`, `&>` with the stream: what was there is gone.
    Write(u32, String),
    Append(u32, String),
    /// The text of a here-document, and whether it is expanded.
    Here {
        text: String,
        expands: bool,
    },
    HereString(String),
    /// `< <(…)`: the standard input is what a command prints.
    ReadFrom(Box<Node>),
    /// `> >(…)`.
    WriteTo(Box<Node>),
    /// `3< FILE`: another descriptor than the standard input is opened.
    Opened(u32, Box<Redir>),
    /// `<&3`: the standard input is what that descriptor was opened to.
    Same(u32),
}
