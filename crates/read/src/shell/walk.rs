//! Walks the tree as a shell would, without running anything.
//!
//! A *world* is what the shell would know at one moment: variables, functions,
//! directory. Where a command may succeed or fail, both ways are followed in
//! worlds of their own; equal worlds melt together again.

mod files;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::tree::{Assign, AssignValue, Item, Join, Node, Redir, Simple};
use super::word::{Unknown, Word};
use super::world::{Flow, Frame, Value, World, store};
use super::{Carrier, Context, Invocation, Limit, Redirect, RedirectKind, Script, Stdin};
use super::{builtin, carrier, fallback, grammar, path, produce, scan};

/// Most simple commands that are followed.
const STEPS_MAX: usize = 4_000;
/// Of these, how many script files may use up: the text around them is what is judged.
const FILE_STEPS_MAX: usize = 2_500;
/// Most worlds that are followed side by side.
const WORLDS_MAX: usize = 8;
/// Most rounds of one loop that are followed.
const ROUNDS_MAX: usize = 64;
/// Most commands that are named as the source of an output.
const PRINTING_MAX: usize = 24;
/// How often a function that calls itself is followed.
const RECURSION_MAX: usize = 2;
/// Deepest chain of texts within texts, functions and substitutions.
const TEXT_DEPTH_MAX: usize = 12;

/// Most carriers that are taken off one command.
const CARRIERS_MAX: usize = 24;
/// Most text that the grammar is given in all, in bytes: a text within a text is read anew.
const GRAMMAR_BYTES_MAX: usize = 3 * scan::GRAMMAR_BYTES_MAX;
/// Most files of which the text is remembered.
const WRITTEN_FILES_MAX: usize = 32;

pub(crate) struct Walker<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) script: Script,
    pub(crate) bodies: Vec<String>,
    /// Files that the text itself writes, with what it writes, by absolute path.
    written: BTreeMap<String, String>,
    /// Files that the text itself fills with what other commands print, by absolute path.
    printed: BTreeMap<String, Vec<Vec<Word>>>,
    /// Copies of files that are not at hand yet, with where they come from.
    copied: Vec<(String, String)>,
    /// Other names under which the text itself puts programs.
    renamed: BTreeMap<String, String>,
    /// Worlds that left the functions being followed by `return`.
    pub(crate) returned: Vec<Vec<World>>,
    steps: usize,
    depth: usize,
    /// How many script files are being read, each run by the one before.
    pub(crate) files: usize,
    /// How often files were opened by redirections so far.
    openings: usize,
    placeholders: usize,
    /// How much text was parsed so far.
    grammar_bytes: usize,
    /// How much text words became so far.
    pub(crate) expanded_bytes: usize,
}

/// Reads the outermost text.
pub(crate) fn run(text: &str, context: &Context<'_>) -> Script {
    let mut walker = Walker {
        context,
        script: Script::default(),
        bodies: Vec::new(),
        written: BTreeMap::new(),
        printed: BTreeMap::new(),
        copied: Vec::new(),
        renamed: BTreeMap::new(),
        returned: Vec::new(),
        steps: 0,
        depth: 0,
        files: 0,
        openings: 0,
        placeholders: 0,
        grammar_bytes: 0,
        expanded_bytes: 0,
    };
    let cwd = match context.cwd {
        "" => Word::unknown(Unknown::Variable("PWD".into())),
        known => path::join(&Word::literal("/"), &Word::literal(known)),
    };
    let world = World { cwd, ..World::default() };
    walker.text(text, world, &Frame::default());
    walker.script.limits.sort();
    walker.script.limits.dedup();
    walker.script.wanted.sort();
    walker.script.wanted.dedup();
    walker.script
}

impl Walker<'_> {
    pub(crate) fn limit(&mut self, limit: Limit) {
        let limit = match limit {
            Limit::Bytes | Limit::Nesting | Limit::Steps if self.files > 0 => Limit::File,
            other => other,
        };
        if self.script.limits.contains(&limit) {
            return;
        }
        self.script.limits.push(limit);
    }

    /// Follows text that a program gives to a shell of its own.
    pub(crate) fn run_text(&mut self, text: &Word, program: &str, world: World, frame: &Frame) -> Flow {
        let mut inside = world.clone();
        for (name, value) in &frame.assignments {
            inside.set(name, value.clone());
        }
        let text = self.raw_text(text, &mut inside);
        let output = self.text(&text, inside, &frame.through(Carrier::Shell { program: program.to_owned() })).output;
        Flow { output, ..Flow::either(world) }
    }

    /// Follows a text: the outermost one, or one that a shell is given.
    pub(crate) fn text(&mut self, text: &str, world: World, frame: &Frame) -> Flow {
        if self.depth >= TEXT_DEPTH_MAX {
            self.limit(Limit::Steps);
            return Flow::either(world);
        }
        let node = self.parse(text);
        self.depth += 1;
        let flow = self.exec(&node, world, frame);
        self.depth -= 1;
        flow
    }

    fn parse(&mut self, text: &str) -> Node {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut clean = Cow::Borrowed(text);
        if clean.contains('\0') {
            clean = Cow::Owned(clean.replace('\0', ""));
        }
        if clean.contains('\r') {
            clean = Cow::Owned(clean.replace("\r\n", "\n"));
        }
        let clean = clean.trim_end_matches('\r');
        let scanned = scan::scan(clean, &mut self.bodies);
        self.grammar_bytes += scanned.text.len();
        if scanned.text.len() > scan::GRAMMAR_BYTES_MAX || self.grammar_bytes > GRAMMAR_BYTES_MAX {
            self.limit(Limit::Bytes);
            return fallback::flat(&scanned.text);
        }
        if scanned.nesting > scan::NESTING_MAX {
            self.limit(Limit::Nesting);
            return fallback::flat(&scanned.text);
        }
        if let Some(node) = grammar::parse(&scanned.text) {
            return node;
        }
        self.limit(Limit::Grammar);
        fallback::parse(&scanned.text).unwrap_or_else(|| fallback::flat(&scanned.text))
    }

    pub(crate) fn exec(&mut self, node: &Node, world: World, frame: &Frame) -> Flow {
        match node {
            Node::Simple(simple) => self.simple(simple, world, frame),
            Node::List(nodes) => self.sequence(nodes, world, frame),
            Node::AndOr(first, rest) => self.and_or(first, rest, world, frame),
            Node::Pipeline(stages) => self.pipeline(stages, world, frame),
            Node::Not(inner) => {
                let flow = self.exec(inner, world, frame);
                Flow { ok: flow.fail, fail: flow.ok, output: flow.output }
            }
            Node::Background(inner) => {
                let output = self.exec(inner, world.clone(), &Frame { beside: true, ..frame.clone() }).output;
                Flow { output, ..Flow::either(world) }
            }
            Node::Subshell(inner) => {
                let output = self.exec(inner, world.clone(), frame).output;
                Flow { output, ..Flow::either(world) }
            }
            Node::For { variable, words, body } => self.for_loop(variable, words.as_deref(), body, world, frame),
            Node::While { condition, body } => self.while_loop(condition, body, world, frame),
            Node::If(branches) => self.branches(branches, world, frame),
            Node::Case { value, arms } => self.case(value, arms, world, frame),
            Node::Function { name, body } => {
                let mut world = world;
                world.functions.insert(name.clone(), Rc::clone(body));
                Flow::ok(world)
            }
            Node::Redirected(inner, redirs) => {
                let mut world = world;
                let mut inside = frame.clone();
                self.redirect(redirs, &mut world, &mut inside);
                self.exec(inner, world, &inside)
            }
            Node::Test(words) => {
                let mut world = world;
                for raw in words.iter().filter(|raw| raw.contains(['$', '`'])) {
                    self.expand_here(raw, &mut world, frame);
                }
                Flow::either(world)
            }
        }
    }

    fn settle(&mut self, worlds: Vec<World>) -> Vec<World> {
        let mut kept: Vec<World> = Vec::with_capacity(worlds.len());
        for world in worlds {
            if !kept.contains(&world) {
                kept.push(world);
            }
        }
        if kept.len() > WORLDS_MAX {
            self.limit(Limit::Rounds);
            kept.truncate(WORLDS_MAX);
        }
        kept
    }

    fn sequence(&mut self, nodes: &[Node], world: World, frame: &Frame) -> Flow {
        let mut flow = Flow::ok(world);
        let mut output = Word::default();
        let mut known = false;
        for node in nodes {
            let mut before = std::mem::take(&mut flow.ok);
            let (doubtful, sure): (Vec<_>, Vec<_>) = flow.fail.drain(..).partition(|w| w.doubtful);
            before.extend(sure);
            if before.is_empty() {
                before = doubtful;
            }
            let before = self.settle(before);
            if before.is_empty() {
                return flow;
            }
            let from = self.script.invocations.len();
            for mut world in before {
                world.doubtful = false;
                let next = self.exec(node, world, frame);
                flow.absorb(next);
            }
            known |= self.add_output(&mut output, flow.output.take(), from, frame);
        }
        // Where nothing of it is known, the commands that print it say more.
        flow.output = Some(output).filter(|o| known && !o.parts.is_empty());
        flow.ok = self.settle(flow.ok);
        flow.fail = self.settle(flow.fail);
        flow
    }

    /// Puts what a command prints behind what others printed; true where it is known.
    fn add_output(&self, output: &mut Word, more: Option<Word>, from: usize, frame: &Frame) -> bool {
        match more {
            Some(more) => {
                output.extend(more);
                true
            }
            None => {
                let printed = self.printed_since(from, &Stdin::Inherited, frame);
                if !printed.is_empty() {
                    output.push(super::Part::Unknown(Unknown::Output(printed)));
                }
                false
            }
        }
    }

    fn and_or(&mut self, first: &Node, rest: &[(Join, Node)], world: World, frame: &Frame) -> Flow {
        let mut from = self.script.invocations.len();
        let mut flow = self.exec(first, world, frame);
        let mut output = Word::default();
        let mut known = rest.iter().all(|(join, _)| *join == Join::And);
        let mut any = self.add_output(&mut output, flow.output.take(), from, frame);
        for (at, (join, node)) in rest.iter().enumerate() {
            from = self.script.invocations.len();
            let entering = match join {
                Join::And => std::mem::take(&mut flow.ok),
                Join::Or => std::mem::take(&mut flow.fail),
            };
            for mut world in self.settle(entering) {
                world.doubtful = false;
                let mut inside = frame.conditional();
                // Behind a second join another command decides as well.
                if at == 0 {
                    inside.absent.extend(self.tested_absent(first, *join, &mut world, frame));
                }
                let next = self.exec(node, world, &inside);
                flow.absorb(next);
            }
            any |= self.add_output(&mut output, flow.output.take(), from, frame);
        }
        known &= any && !output.parts.is_empty();
        flow.output = Some(output).filter(|_| known);
        flow.ok = self.settle(flow.ok);
        flow.fail = self.settle(flow.fail);
        flow
    }

    /// The path that is not there where a test of its existence lets the next command run.
    fn tested_absent(&mut self, test: &Node, join: Join, world: &mut World, frame: &Frame) -> Option<Word> {
        let (test, turned) = match test {
            Node::Not(inner) => (inner.as_ref(), true),
            other => (other, false),
        };
        let words: Vec<Word> = match test {
            Node::Simple(simple) => {
                let raw: Vec<&String> = simple
                    .items
                    .iter()
                    .filter_map(|item| match item {
                        Item::Word(raw) => Some(raw),
                        _ => None,
                    })
                    .collect();
                raw.into_iter().flat_map(|raw| self.expand(raw, world, frame)).collect()
            }
            Node::Test(words) => words.iter().map(|raw| self.expand_one(raw, world, frame)).collect(),
            _ => return None,
        };
        let literal: Vec<&str> = words.iter().map(|w| w.as_literal().unwrap_or_default()).collect();
        let inner = match literal.as_slice() {
            ["[", inner @ .., "]"] | ["[[", inner @ .., "]]"] | ["test", inner @ ..] => inner,
            inner if matches!(test, Node::Test(_)) => inner,
            _ => return None,
        };
        let (inner, negated) = match inner {
            ["!", rest @ ..] => (rest, true),
            rest => (rest, false),
        };
        let [flag, path] = inner else { return None };
        let exists = matches!(*flag, "-e" | "-f" | "-s" | "-d");
        let holds_absent = negated != turned;
        let entered = if holds_absent { Join::And } else { Join::Or };
        // A file that is empty is lost as little as one that is not there.
        (exists && join == entered && !path.is_empty()).then(|| path::join(&world.cwd, &Word::literal(*path)))
    }

    fn pipeline(&mut self, stages: &[Node], world: World, frame: &Frame) -> Flow {
        let mut stdin = frame.stdin.clone();
        let mut output = None;
        for stage in stages {
            let beside = frame.beside || stages.len() > 1;
            let inside = Frame { stdin: stdin.clone(), beside, ..frame.clone() };
            let from = self.script.invocations.len();
            output = self.exec(stage, world.clone(), &inside).output;
            stdin = match &output {
                Some(text) => Stdin::Text(text.clone()),
                None => Stdin::Output(self.printed_since(from, &stdin, &inside)),
            };
        }
        Flow { output, ..Flow::either(world) }
    }

    /// The commands whose output a following command reads; those in substitutions print elsewhere.
    pub(crate) fn printed_since(&self, from: usize, stdin: &Stdin, frame: &Frame) -> Vec<Vec<Word>> {
        let mut commands = match stdin {
            Stdin::Output(before) => before.clone(),
            _ => Vec::new(),
        };
        let substituted = |carriers: &[Carrier]| carriers.iter().filter(|c| **c == Carrier::Substitution).count();
        let own = substituted(&frame.carriers);
        let since = self.script.invocations.get(from..).unwrap_or_default();
        let printing = since.iter().filter(|i| substituted(&i.carriers) == own).map(|i| i.argv.clone());
        commands.extend(printing.take(PRINTING_MAX.saturating_sub(commands.len())));
        commands
    }

    fn for_loop(&mut self, variable: &str, words: Option<&[String]>, body: &Node, world: World, frame: &Frame) -> Flow {
        let mut world = world;
        let values: Vec<Word> = match words {
            Some(words) => words.iter().flat_map(|raw| self.expand(raw, &mut world, frame)).collect(),
            None => world.arguments.iter().skip(1).cloned().collect(),
        };
        if values.len() > ROUNDS_MAX {
            self.limit(Limit::Rounds);
        }
        let mut worlds = vec![world];
        let start = self.steps;
        for value in values.into_iter().take(ROUNDS_MAX) {
            // A loop leaves steps for what comes behind it.
            if self.steps - start > (STEPS_MAX.saturating_sub(start)) / 2 {
                self.limit(Limit::Rounds);
                break;
            }
            let mut next = Vec::new();
            for mut world in std::mem::take(&mut worlds) {
                world.set(variable, value.clone());
                if value.has_glob() {
                    world.matched.insert(variable.to_owned());
                } else {
                    world.matched.remove(variable);
                }
                let flow = self.exec(body, world, frame);
                next.extend(flow.ok);
                next.extend(flow.fail);
            }
            worlds = self.settle(next);
        }
        Flow { ok: worlds.clone(), fail: worlds, output: None }
    }

    fn while_loop(&mut self, condition: &Node, body: &Node, world: World, frame: &Frame) -> Flow {
        let inside = Frame { repeated: true, ..frame.clone() };
        let tested = self.exec(condition, world, &inside);
        let mut after = tested.fail;
        for world in self.settle(tested.ok) {
            let flow = self.exec(body, world.clone(), &inside.conditional());
            after.push(world);
            after.extend(flow.ok);
            after.extend(flow.fail);
        }
        let after = self.settle(after);
        Flow { ok: after.clone(), fail: after, output: None }
    }

    fn branches(&mut self, branches: &[(Option<Node>, Node)], world: World, frame: &Frame) -> Flow {
        let mut pending = vec![world];
        let mut out = Flow::default();
        let inside = frame.conditional();
        for (condition, body) in branches {
            let mut entering = Vec::new();
            let mut skipped = Vec::new();
            for world in std::mem::take(&mut pending) {
                match condition {
                    Some(condition) => {
                        let flow = self.exec(condition, world, frame);
                        entering.extend(flow.ok);
                        skipped.extend(flow.fail);
                    }
                    None => entering.push(world),
                }
            }
            for mut world in self.settle(entering) {
                let mut inside = inside.clone();
                if let Some(condition) = condition {
                    inside.absent.extend(self.tested_absent(condition, Join::And, &mut world, frame));
                }
                let flow = self.exec(body, world, &inside);
                out.absorb(flow);
            }
            pending = self.settle(skipped);
        }
        out.ok.extend(pending);
        out.output = None;
        out.ok = self.settle(out.ok);
        out.fail = self.settle(out.fail);
        out
    }

    fn case(&mut self, value: &str, arms: &[(Vec<String>, Node)], world: World, frame: &Frame) -> Flow {
        let mut world = world;
        let subject = self.expand_one(value, &mut world, frame);
        let known = subject.as_literal().map(str::to_owned);
        let mut out = Flow::default();
        let mut taken = false;
        for (patterns, body) in arms {
            let hit = known.as_ref().map(|text| {
                patterns.iter().any(|raw| {
                    let pattern = self.expand_one(raw, &mut world, frame).as_pattern();
                    pattern.is_none_or(|p| super::pattern_matches(&p, text))
                })
            });
            if hit == Some(false) || (hit == Some(true) && taken) {
                continue;
            }
            taken |= hit == Some(true);
            let flow = self.exec(body, world.clone(), &frame.conditional());
            out.absorb(flow);
        }
        if !taken {
            out.ok.push(world);
        }
        out.output = None;
        out.ok = self.settle(out.ok);
        out
    }

    fn simple(&mut self, simple: &Simple, world: World, frame: &Frame) -> Flow {
        self.steps += 1;
        let most = if self.files > 0 { FILE_STEPS_MAX } else { STEPS_MAX };
        if self.steps > most {
            self.limit(Limit::Steps);
            return Flow::either(world);
        }
        let mut world = world;
        let mut frame = frame.clone();
        // What a round changes makes each one another command.
        frame.repeated &= !simple.items.iter().any(|item| matches!(item, Item::Word(raw) if raw.contains(['$', '`'])));
        if frame.span.is_none() || self.depth <= 1 {
            frame.span = Some(simple.span.clone());
        }
        self.redirect(&simple.redirs, &mut world, &mut frame);
        if simple.items.is_empty() {
            for assign in &simple.assigns {
                self.assign(assign, &mut world, &frame);
            }
            if let ([], [Redir::Read(_)], Some(read)) =
                (simple.assigns.as_slice(), simple.redirs.as_slice(), frame.redirects.last())
            {
                // `$(< FILE)` is what the file holds.
                let cat = vec![Word::literal("cat"), path::join(&world.cwd, &read.target)];
                let text = self.printed_file(&cat, &world, &Frame { redirects: Vec::new(), ..frame.clone() });
                let output = Some(text.unwrap_or_else(|| Word::unknown(Unknown::Output(vec![cat]))));
                return Flow { output, ..Flow::either(world) };
            }
            if !simple.redirs.is_empty() {
                self.emit(Vec::new(), world.clone(), &frame);
            }
            return Flow::either(world);
        }
        for assign in &simple.assigns {
            if let AssignValue::Scalar(raw) = &assign.value {
                let value = self.expand_one(raw, &mut world, &frame);
                frame.assignments.push((assign.name.clone(), value));
            }
        }
        let argv = self.words(&simple.items, &mut world, &frame);
        if !simple.redirs.is_empty() && matches!(argv.first().and_then(Word::as_literal), Some(":" | "true" | "exec")) {
            // A builtin does nothing else, but its redirections still empty files.
            self.emit(argv.clone(), world.clone(), &frame);
        }
        carrier::assigned(self, &argv, &world, &frame);
        self.dispatch(argv, world, &frame)
    }

    fn words(&mut self, items: &[Item], world: &mut World, frame: &Frame) -> Vec<Word> {
        let mut argv = Vec::new();
        for item in items {
            match item {
                Item::Word(raw) => argv.extend(self.expand(raw, world, frame)),
                Item::Process(node) => argv.push(self.process(node, world, frame)),
                Item::Assign(assign, raw) => {
                    let declares = argv.first().and_then(Word::as_literal).is_some_and(builtin::declares);
                    if declares {
                        self.assign(assign, world, frame);
                        argv.push(Word::literal(assign.name.clone()));
                    } else {
                        argv.extend(self.expand(raw, world, frame));
                    }
                }
            }
        }
        argv
    }

    /// A file that stands for what a command prints.
    fn process(&mut self, node: &Node, world: &World, frame: &Frame) -> Word {
        let mut word = Word::literal(carrier::PROCESS_FILE);
        word.extend(self.substitute(node, world, frame));
        word
    }

    /// What a substituted command prints, or the commands that print it.
    pub(crate) fn substitute(&mut self, node: &Node, world: &World, frame: &Frame) -> Word {
        if self.depth >= TEXT_DEPTH_MAX {
            self.limit(Limit::Steps);
            return Word::unknown(Unknown::Other);
        }
        let inside = Frame { redirects: Vec::new(), assignments: Vec::new(), ..frame.through(Carrier::Substitution) };
        let from = self.script.invocations.len();
        self.depth += 1;
        let flow = self.exec(node, world.clone(), &inside);
        self.depth -= 1;
        match flow.output {
            Some(text) => produce::without_last_newlines(&text),
            None => {
                let mut commands = self.printed_since(from, &Stdin::Inherited, &inside);
                commands.retain(|argv| !produce::is_silent(argv));
                // `$()` and `$(true)` leave nothing, and what stands beside them is the word.
                if commands.is_empty() { Word::default() } else { Word::unknown(Unknown::Output(commands)) }
            }
        }
    }

    /// The same for raw text between `$(` and `)`.
    pub(crate) fn substitute_text(&mut self, text: &str, world: &World, frame: &Frame) -> Word {
        let node = self.parse(text);
        self.substitute(&node, world, frame)
    }

    pub(crate) fn assign(&mut self, assign: &Assign, world: &mut World, frame: &Frame) {
        if let Some(index) = assign.index.as_ref().filter(|index| index.contains(['$', '`'])) {
            self.expand_here(index, world, frame);
        }
        let value = match &assign.value {
            AssignValue::Scalar(raw) => Value::Scalar(self.expand_one(raw, world, frame)),
            AssignValue::Array(items) => {
                let mut all: Vec<(String, Word)> = Vec::new();
                for (key, raw) in items {
                    for word in self.expand(raw, world, frame) {
                        let key = key.clone().unwrap_or_else(|| all.len().to_string());
                        all.push((key, word));
                    }
                }
                Value::Array(all)
            }
        };
        let matches = matches!(&value, Value::Array(items) if items.iter().any(|(_, word)| word.has_glob()));
        store(world, assign, value);
        if matches {
            world.matched.insert(assign.name.clone());
        }
    }

    fn redirect(&mut self, redirs: &[Redir], world: &mut World, frame: &mut Frame) {
        self.openings += 1;
        for redir in redirs {
            let (kind, stream, raw) = match redir {
                Redir::Read(raw) => (RedirectKind::Read, 0, raw),
                Redir::Write(stream, raw) => (RedirectKind::Write, *stream, raw),
                Redir::Append(stream, raw) => (RedirectKind::Append, *stream, raw),
                Redir::Here { text, expands } => {
                    let body = self.body(text);
                    let word = if *expands { self.expand_here(&body, world, frame) } else { Word::literal(body) };
                    frame.stdin = Stdin::Text(word);
                    continue;
                }
                Redir::HereString(raw) => {
                    let mut text = self.expand_one(raw, world, frame);
                    text.push_text("\n");
                    frame.stdin = Stdin::Text(text);
                    continue;
                }
                Redir::ReadFrom(node) => {
                    let word = self.substitute(node, world, frame);
                    frame.stdin = match word.produced_by() {
                        Some(commands) => Stdin::Output(commands.to_vec()),
                        None => Stdin::Text(word),
                    };
                    continue;
                }
                Redir::WriteTo(node) => {
                    self.substitute(node, world, frame);
                    continue;
                }
                Redir::Opened(descriptor, inner) => {
                    let mut apart = Frame { stdin: Stdin::Inherited, ..frame.clone() };
                    self.redirect(std::slice::from_ref(&**inner), world, &mut apart);
                    world.descriptors.insert(*descriptor, apart.stdin);
                    frame.redirects = apart.redirects;
                    continue;
                }
                Redir::Same(descriptor) => {
                    if let Some(stdin) = world.descriptors.get(descriptor) {
                        frame.stdin = stdin.clone();
                    }
                    continue;
                }
            };
            let target = self.expand_one(raw, world, frame);
            if kind == RedirectKind::Read {
                frame.stdin = Stdin::File(target.clone());
            }
            frame.redirects.push(Redirect { kind, target, stream, opening: self.openings });
        }
    }

    /// The body of a here-document; a text within a text was lifted more than once.
    fn body(&self, text: &str) -> String {
        let mut body = text;
        for _ in 0..TEXT_DEPTH_MAX {
            match scan::lifted(body).and_then(|n| self.bodies.get(n)) {
                Some(lifted) => body = lifted,
                None => break,
            }
        }
        body.to_owned()
    }

    /// Follows one command of which the words are known.
    pub(crate) fn dispatch(&mut self, argv: Vec<Word>, world: World, frame: &Frame) -> Flow {
        if frame.carriers.len() > CARRIERS_MAX {
            self.limit(Limit::Steps);
            return self.emit(argv, world, frame);
        }
        let mut argv = argv;
        if let Some(name) = argv.first().and_then(|word| self.program_behind(word, &world)) {
            argv[0] = Word::literal(name);
        }
        let Some(name) = argv.first().and_then(Word::as_literal).map(str::to_owned) else {
            return self.unnamed(argv, world, frame);
        };
        if let Some(alias) = world.aliases.get(&name).cloned() {
            return self.alias(&name, &alias, &argv[1..], world, frame);
        }
        if let Some(body) = world.functions.get(&name).cloned() {
            return self.call(&name, &body, argv, world, frame);
        }
        match builtin::run(self, &name, &argv, world, frame) {
            Ok(flow) => flow,
            Err(world) => match carrier::unwrap(self, &argv, world, frame) {
                Ok(flow) => flow,
                Err(world) => self.emit(argv, world, frame),
            },
        }
    }

    /// Follows a command whose name holds a variable that nothing sets: an empty one vanishes.
    fn unnamed(&mut self, argv: Vec<Word>, world: World, frame: &Frame) -> Flow {
        let mut rest = argv.clone();
        let only_variables = argv.first().is_some_and(|name| {
            name.parts.iter().all(|p| matches!(p, super::Part::Text(_) | super::Part::Unknown(Unknown::Variable(_))))
        });
        let flow = self.emit(argv, world.clone(), frame);
        if rest.is_empty() || !only_variables {
            return flow;
        }
        rest[0].parts.retain(|p| matches!(p, super::Part::Text(_)));
        let mut name = Word::default();
        name.extend(std::mem::take(&mut rest[0]));
        if name.parts.is_empty() {
            rest.remove(0);
        } else {
            rest[0] = name;
        }
        match rest.first().and_then(Word::as_literal) {
            Some(name) if !name.is_empty() && !name.starts_with('-') => self.dispatch(rest, world, frame),
            _ => flow,
        }
    }

    /// Records a command that nothing carries further.
    pub(crate) fn emit(&mut self, argv: Vec<Word>, world: World, frame: &Frame) -> Flow {
        let output = produce::output(&argv, &world, &frame.stdin).or_else(|| self.printed_file(&argv, &world, frame));
        self.note_written(&argv, output.as_ref(), &world, frame);
        self.script.invocations.push(Invocation {
            argv,
            cwd: world.cwd.clone(),
            assignments: world.environment().chain(frame.assignments.iter().cloned()).collect(),
            redirects: frame.redirects.clone(),
            stdin: frame.stdin.clone(),
            carriers: frame.carriers.clone(),
            conditional: frame.conditional,
            repeated: frame.repeated,
            absent: frame.absent.iter().filter_map(|path| path.as_literal().map(str::to_owned)).collect(),
            span: frame.span.clone().unwrap_or_default(),
        });
        Flow { output, ..Flow::either(world) }
    }

    fn alias(&mut self, name: &str, alias: &str, rest: &[Word], world: World, frame: &Frame) -> Flow {
        let mut inside = world.clone();
        // An alias is not expanded again within itself.
        inside.aliases.remove(name);
        let words = self.as_text(rest, &mut inside);
        self.text(&format!("{alias} {words}"), inside, frame)
    }

    fn call(&mut self, name: &str, body: &Rc<Node>, argv: Vec<Word>, world: World, frame: &Frame) -> Flow {
        // A function that calls itself does the same again.
        let own = |c: &&Carrier| matches!(c, Carrier::Function { name: n } if n == name);
        if frame.carriers.iter().filter(own).count() >= RECURSION_MAX {
            self.limit(Limit::Rounds);
            // Beside itself, and whatever happened before: each copy starts further ones.
            if frame.beside && !frame.conditional && self.script.multiplies.is_none() {
                self.script.multiplies = Some(self.script.invocations.len());
                self.emit(argv, world.clone(), frame);
            }
            return Flow::either(world);
        }
        if self.depth >= TEXT_DEPTH_MAX {
            self.limit(Limit::Steps);
            return Flow::either(world);
        }
        let arguments = world.arguments.clone();
        let mut own = argv;
        if let (Some(first), Some(script)) = (own.first_mut(), arguments.first()) {
            first.clone_from(script);
        }
        let inside = World { arguments: own, ..world };
        self.depth += 1;
        self.returned.push(Vec::new());
        let mut flow = self.exec(body, inside, &frame.through(Carrier::Function { name: name.to_owned() }));
        self.depth -= 1;
        let returned = self.returned.pop().unwrap_or_default();
        flow.ok.extend(returned.clone());
        flow.fail.extend(returned);
        for world in flow.ok.iter_mut().chain(&mut flow.fail) {
            world.arguments.clone_from(&arguments);
        }
        flow.ok = self.settle(flow.ok);
        flow.fail = self.settle(flow.fail);
        flow
    }

    /// Words as shell text again; what is unknown becomes a variable that holds it.
    pub(crate) fn as_text(&mut self, words: &[Word], world: &mut World) -> String {
        let mut out = String::new();
        for word in words {
            if !out.is_empty() {
                out.push(' ');
            }
            if word.parts.is_empty() {
                out.push_str("''");
            }
            for part in &word.parts {
                match part {
                    super::Part::Text(text) => out.push_str(&format!("'{}'", text.replace('\'', r"'\''"))),
                    super::Part::Glob(text) => out.push_str(text),
                    super::Part::Unknown(unknown) => out.push_str(&self.placeholder(unknown.clone(), world)),
                }
            }
        }
        out
    }

    /// Text that a shell is given as text, such as the argument of `-c`.
    pub(crate) fn raw_text(&mut self, word: &Word, world: &mut World) -> String {
        let mut out = String::new();
        for part in &word.parts {
            if let super::Part::Unknown(Unknown::Output(commands)) = part
                && let Some(text) = self.cat(commands, world)
            {
                out.push_str(&text);
                continue;
            }
            match part {
                super::Part::Text(text) | super::Part::Glob(text) => out.push_str(text),
                super::Part::Unknown(unknown) => out.push_str(&self.placeholder(unknown.clone(), world)),
            }
        }
        out
    }

    fn placeholder(&mut self, unknown: Unknown, world: &mut World) -> String {
        self.placeholders += 1;
        let name = format!("__unknown_{}", self.placeholders);
        world.set(&name, Word::unknown(unknown));
        format!("${{{name}}}")
    }
}
