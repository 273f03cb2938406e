//! What the shell would know at one moment, and how a command ends.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::tree::{Assign, Node};
use super::word::Word;
use super::{Carrier, Redirect, Stdin};

/// Most variables that are followed into the environment of commands.
pub(super) const EXPORTED_MAX: usize = 128;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Scalar(Word),
    Array(Vec<(String, Word)>),
}

/// What the shell would know at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct World {
    pub(crate) vars: BTreeMap<String, Value>,
    /// Names of variables that every command is given.
    pub(crate) exported: BTreeSet<String>,
    pub(crate) cwd: Word,
    pub(crate) previous: Option<Word>,
    pub(crate) stack: Vec<Word>,
    pub(crate) functions: BTreeMap<String, Rc<Node>>,
    pub(crate) aliases: BTreeMap<String, String>,
    /// `$0` and the positional parameters.
    pub(crate) arguments: Vec<Word>,
    /// Variables that hold names which a pattern matched: quotes do not make them text again.
    pub(crate) matched: BTreeSet<String>,
    /// What descriptors other than the standard ones read from.
    pub(crate) descriptors: BTreeMap<u32, Stdin>,
    /// After `set -a`: what is assigned is exported.
    pub(crate) exports_all: bool,
    /// After a `cd` that failed: followed only where the text asks for it.
    pub(crate) doubtful: bool,
}

impl World {
    /// The exported variables and their values.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (String, Word)> + '_ {
        self.exported.iter().filter_map(|name| match self.vars.get(name)? {
            Value::Scalar(word) => Some((name.clone(), word.clone())),
            Value::Array(_) => None,
        })
    }

    pub(crate) fn set(&mut self, name: &str, word: Word) {
        self.export_new(name);
        self.vars.insert(name.to_owned(), Value::Scalar(word));
    }
}

impl World {
    fn export_new(&mut self, name: &str) {
        if self.exports_all && self.exported.len() < EXPORTED_MAX {
            self.exported.insert(name.to_owned());
        }
    }
}

/// What surrounds a command: through what it runs and what it reads and writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) carriers: Vec<Carrier>,
    pub(crate) stdin: Stdin,
    pub(crate) redirects: Vec<Redirect>,
    pub(crate) assignments: Vec<(String, Word)>,
    pub(crate) conditional: bool,
    /// Whether a loop runs it again, word for word the same.
    pub(crate) repeated: bool,
    /// Paths that are not there where this runs, by the test before it.
    pub(crate) absent: Vec<Word>,
    /// Whether it runs beside another command rather than after it.
    pub(crate) beside: bool,
    pub(crate) span: Option<Range<usize>>,
}

impl Frame {
    pub(crate) fn through(&self, carrier: Carrier) -> Frame {
        let mut frame = self.clone();
        frame.carriers.push(carrier);
        frame
    }

    pub(super) fn conditional(&self) -> Frame {
        Frame { conditional: true, ..self.clone() }
    }
}

/// How a command ends, and what it prints where that is known.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) ok: Vec<World>,
    pub(crate) fail: Vec<World>,
    pub(crate) output: Option<Word>,
}

impl Flow {
    /// Ends either way in the same world.
    pub(crate) fn either(world: World) -> Flow {
        Flow { ok: vec![world.clone()], fail: vec![world], output: None }
    }

    pub(crate) fn ok(world: World) -> Flow {
        Flow { ok: vec![world], ..Flow::default() }
    }

    pub(super) fn absorb(&mut self, other: Flow) {
        self.ok.extend(other.ok);
        self.fail.extend(other.fail);
        self.output = other.output;
    }
}

/// Puts a value where an assignment says: a variable, an element, or behind what is there.
pub(super) fn store(world: &mut World, assign: &Assign, value: Value) {
    world.matched.remove(&assign.name);
    world.export_new(&assign.name);
    let old = world.vars.remove(&assign.name);
    let new = match (&assign.index, value, old) {
        (Some(index), Value::Scalar(word), old) => {
            let mut items = match old {
                Some(Value::Array(items)) => items,
                Some(Value::Scalar(word)) => vec![("0".to_owned(), word)],
                None => Vec::new(),
            };
            items.retain(|(key, _)| key != index);
            items.push((index.clone(), word));
            Value::Array(items)
        }
        (_, Value::Scalar(more), Some(Value::Scalar(mut word))) if assign.append => {
            word.extend(more);
            Value::Scalar(word)
        }
        (_, Value::Array(more), Some(old)) if assign.append => {
            let mut items = match old {
                Value::Array(items) => items,
                Value::Scalar(word) => vec![("0".to_owned(), word)],
            };
            for (_, word) in more {
                items.push((items.len().to_string(), word));
            }
            Value::Array(items)
        }
        (_, value, _) => value,
    };
    world.vars.insert(assign.name.clone(), new);
}
