//! Lowers the tree of the real grammar (brush) to the small tree.

use std::rc::Rc;

use brush_parser::ast::{self, CommandPrefixOrSuffixItem as Piece, SourceLocation};

use super::tree::{Assign, AssignValue, Item, Join, Node, Redir, Simple};

/// The options under which both commands and words are parsed.
pub(crate) fn options() -> brush_parser::ParserOptions {
    brush_parser::ParserOptions::default()
}

/// Parses text that is known to be bounded; `None` where the grammar refuses it.
pub(crate) fn parse(text: &str) -> Option<Node> {
    let mut parser = brush_parser::Parser::new(text.as_bytes(), &options());
    let program = parser.parse_program().ok()?;
    Some(Node::List(program.complete_commands.iter().map(compound_list).collect()))
}

fn compound_list(list: &ast::CompoundList) -> Node {
    let items = list.0.iter().map(|ast::CompoundListItem(and_or, separator)| match separator {
        ast::SeparatorOperator::Async => Node::Background(Box::new(and_or_list(and_or))),
        ast::SeparatorOperator::Sequence => and_or_list(and_or),
    });
    Node::List(items.collect())
}

fn and_or_list(list: &ast::AndOrList) -> Node {
    let first = pipeline(&list.first);
    if list.additional.is_empty() {
        return first;
    }
    let rest = list.additional.iter().map(|next| match next {
        ast::AndOr::And(p) => (Join::And, pipeline(p)),
        ast::AndOr::Or(p) => (Join::Or, pipeline(p)),
    });
    Node::AndOr(Box::new(first), rest.collect())
}

fn pipeline(pipeline: &ast::Pipeline) -> Node {
    let mut stages: Vec<Node> = pipeline.seq.iter().map(command).collect();
    let node = if stages.len() == 1 { stages.remove(0) } else { Node::Pipeline(stages) };
    if pipeline.bang { Node::Not(Box::new(node)) } else { node }
}

fn command(command: &ast::Command) -> Node {
    match command {
        ast::Command::Simple(simple) => Node::Simple(lower_simple(simple)),
        ast::Command::Compound(compound, redirects) => with_redirects(lower_compound(compound), redirects.as_ref()),
        ast::Command::Function(function) => {
            let ast::FunctionBody(body, redirects) = &function.body;
            let body = with_redirects(lower_compound(body), redirects.as_ref());
            Node::Function { name: function.fname.value.clone(), body: Rc::new(body) }
        }
        ast::Command::ExtendedTest(test, _) => {
            let mut words = Vec::new();
            tested(&test.expr, &mut words);
            Node::Test(words)
        }
    }
}

/// The raw words of a test, in their order.
fn tested(expr: &ast::ExtendedTestExpr, out: &mut Vec<String>) {
    use ast::ExtendedTestExpr as E;
    match expr {
        E::And(left, right) | E::Or(left, right) => {
            tested(left, out);
            tested(right, out);
        }
        E::Not(inner) | E::Parenthesized(inner) => tested(inner, out),
        E::UnaryTest(_, word) => out.push(word.value.clone()),
        E::BinaryTest(_, left, right) => out.extend([left.value.clone(), right.value.clone()]),
    }
}

fn with_redirects(node: Node, redirects: Option<&ast::RedirectList>) -> Node {
    match redirects {
        Some(list) if !list.0.is_empty() => {
            Node::Redirected(Box::new(node), list.0.iter().filter_map(redirect).collect())
        }
        _ => node,
    }
}

fn lower_compound(compound: &ast::CompoundCommand) -> Node {
    use ast::CompoundCommand as C;
    match compound {
        C::Arithmetic(arithmetic) => Node::Test(vec![arithmetic.expr.value.clone()]),
        C::ArithmeticForClause(clause) => {
            let parts = [&clause.initializer, &clause.condition, &clause.updater];
            let words = parts.into_iter().flatten().map(|e| e.value.clone()).collect();
            Node::While { condition: Box::new(Node::Test(words)), body: Box::new(compound_list(&clause.body.list)) }
        }
        C::BraceGroup(group) => compound_list(&group.list),
        C::Subshell(shell) => Node::Subshell(Box::new(compound_list(&shell.list))),
        C::ForClause(clause) => Node::For {
            variable: clause.variable_name.clone(),
            words: clause.values.as_ref().map(|words| words.iter().map(|w| w.value.clone()).collect()),
            body: Box::new(compound_list(&clause.body.list)),
        },
        C::CaseClause(clause) => {
            Node::Case { value: clause.value.value.clone(), arms: clause.cases.iter().map(case_arm).collect() }
        }
        C::IfClause(clause) => if_clause(clause),
        C::WhileClause(clause) | C::UntilClause(clause) => {
            Node::While { condition: Box::new(compound_list(&clause.0)), body: Box::new(compound_list(&clause.1.list)) }
        }
        C::Coprocess(coprocess) => Node::Subshell(Box::new(command(&coprocess.body))),
    }
}

fn case_arm(item: &ast::CaseItem) -> (Vec<String>, Node) {
    let body = item.cmd.as_ref().map_or(Node::List(Vec::new()), compound_list);
    (item.patterns.iter().map(|w| w.value.clone()).collect(), body)
}

fn if_clause(clause: &ast::IfClauseCommand) -> Node {
    let mut branches = vec![(Some(compound_list(&clause.condition)), compound_list(&clause.then))];
    for branch in clause.elses.iter().flatten() {
        branches.push((branch.condition.as_ref().map(compound_list), compound_list(&branch.body)));
    }
    Node::If(branches)
}

fn lower_simple(simple: &ast::SimpleCommand) -> Simple {
    let mut out = Simple::default();
    if let Some(span) = simple.location() {
        out.span = span.start.index..span.end.index;
    }
    for piece in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
        match piece {
            Piece::AssignmentWord(assignment, _) => out.assigns.push(assign(assignment)),
            other => push_piece(&mut out, other),
        }
    }
    out.items.extend(simple.word_or_name.iter().map(|w| Item::Word(w.value.clone())));
    for piece in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
        push_piece(&mut out, piece);
    }
    out
}

fn push_piece(out: &mut Simple, piece: &Piece) {
    match piece {
        Piece::IoRedirect(io) => out.redirs.extend(redirect(io)),
        Piece::Word(word) => out.items.push(Item::Word(word.value.clone())),
        Piece::AssignmentWord(assignment, word) => out.items.push(Item::Assign(assign(assignment), word.value.clone())),
        Piece::ProcessSubstitution(_, shell) => out.items.push(Item::Process(compound_list(&shell.list))),
    }
}

fn assign(assignment: &ast::Assignment) -> Assign {
    let (name, index) = match &assignment.name {
        ast::AssignmentName::VariableName(name) => (name.clone(), None),
        ast::AssignmentName::ArrayElementName(name, index) => (name.clone(), Some(index.clone())),
    };
    let value = match &assignment.value {
        ast::AssignmentValue::Scalar(word) => AssignValue::Scalar(word.value.clone()),
        ast::AssignmentValue::Array(items) => AssignValue::Array(
            items.iter().map(|(key, word)| (key.as_ref().map(|k| k.value.clone()), word.value.clone())).collect(),
        ),
    };
    Assign { name, index, value, append: assignment.append }
}

fn redirect(io: &ast::IoRedirect) -> Option<Redir> {
    let read = plain_redirect(io)?;
    let (ast::IoRedirect::File(given, ..)
    | ast::IoRedirect::HereDocument(given, _)
    | ast::IoRedirect::HereString(given, _)) = io
    else {
        return Some(read);
    };
    let reads = matches!(read, Redir::Read(_) | Redir::ReadFrom(_) | Redir::Here { .. } | Redir::HereString(_));
    match given.and_then(|fd| u32::try_from(fd).ok()).filter(|fd| reads && *fd > 0) {
        Some(fd) => Some(Redir::Opened(fd, Box::new(read))),
        None => Some(read),
    }
}

fn plain_redirect(io: &ast::IoRedirect) -> Option<Redir> {
    use ast::IoFileRedirectKind as Kind;
    use ast::IoFileRedirectTarget as Target;
    match io {
        ast::IoRedirect::File(given, kind, Target::Filename(word)) => {
            let stream = given.and_then(|fd| u32::try_from(fd).ok()).unwrap_or(1);
            Some(match kind {
                Kind::Read | Kind::DuplicateInput => Redir::Read(word.value.clone()),
                Kind::Write | Kind::Clobber => Redir::Write(stream, word.value.clone()),
                Kind::Append | Kind::ReadAndWrite => Redir::Append(stream, word.value.clone()),
                Kind::DuplicateOutput => return None,
            })
        }
        ast::IoRedirect::File(None | Some(0), Kind::DuplicateInput, Target::Duplicate(word)) => {
            word.value.parse().ok().map(Redir::Same)
        }
        ast::IoRedirect::File(None | Some(0), Kind::DuplicateInput, Target::Fd(fd)) => {
            u32::try_from(*fd).ok().map(Redir::Same)
        }
        ast::IoRedirect::File(_, Kind::Read, Target::ProcessSubstitution(_, shell)) => {
            Some(Redir::ReadFrom(Box::new(compound_list(&shell.list))))
        }
        ast::IoRedirect::File(_, _, Target::ProcessSubstitution(_, shell)) => {
            Some(Redir::WriteTo(Box::new(compound_list(&shell.list))))
        }
        ast::IoRedirect::File(..) => None,
        ast::IoRedirect::HereDocument(_, doc) => {
            Some(Redir::Here { text: doc.doc.value.clone(), expands: doc.requires_expansion })
        }
        ast::IoRedirect::HereString(_, word) => Some(Redir::HereString(word.value.clone())),
        ast::IoRedirect::OutputAndError(word, true) => Some(Redir::Append(1, word.value.clone())),
        ast::IoRedirect::OutputAndError(word, false) => Some(Redir::Write(1, word.value.clone())),
    }
}
