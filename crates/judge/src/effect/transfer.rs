//! `sftp` and `lftp`: files of another host that their own commands delete.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Part, Unknown, Word};

use super::database;
use super::options::{Options, Order};
use super::path::{self, Extent, Place};
use super::{Plan, Target};

const VALUED: &[&str] =
    &["-b", "-B", "-c", "-D", "-F", "-i", "-J", "-l", "-o", "-P", "-R", "-S", "-s", "-X", "-e", "-f", "-u", "-p"];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], VALUED, Order::Mixed);
    let host = host_of(options.operands.first().map(Word::show).unwrap_or_default());
    for text in texts(out, &options) {
        for command in text.split(['\n', ';', '&', '|']) {
            delete(out, command, &host);
        }
    }
}

/// What the program is told to do: by an option, by a file, or on its standard input.
fn texts(out: &mut Plan<'_>, options: &Options) -> Vec<String> {
    let mut texts = Vec::new();
    let named: &[&str] = if out.call.program() == "lftp" { &["-f"] } else { &["-b"] };
    if out.call.program() == "lftp" {
        texts.extend(options.values(&["-e", "-c"]).map(Word::show));
    }
    let files: Vec<Word> = options.values(named).filter(|w| w.as_literal() != Some("-")).cloned().collect();
    texts.extend(files.iter().filter_map(|file| out.text_of(file)));
    texts.extend(database::standard_input(out));
    texts
}

/// `user@host:path`, `sftp://user@host/path`.
fn host_of(address: String) -> String {
    let bare = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let bare = bare.rsplit_once('@').map_or(bare, |(_, host)| host);
    bare.split([':', '/']).next().filter(|host| !host.is_empty()).unwrap_or("the other host").to_owned()
}

fn delete(out: &mut Plan<'_>, command: &str, host: &str) {
    let words: Vec<Word> =
        command.trim_start_matches(['-', '@', ' ', '\t', '!']).split_whitespace().map(unquoted).collect();
    let words = if words.first().and_then(Word::as_literal) == Some("glob") { &words[1..] } else { &words[..] };
    let Some((verb, rest)) = words.split_first() else { return };
    let verb = verb.as_literal().unwrap_or_default();
    let local = command.trim_start().starts_with('!');
    if local || !matches!(verb, "rm" | "mrm" | "rmdir") {
        return;
    }
    let options = Options::read(rest, &[], Order::Mixed);
    for word in &options.operands {
        // Of a pattern nobody here knows how many files it names.
        let many = verb == "mrm" || options.has(&["-r", "-R"]) || word.has_glob();
        let extent = if many { Extent::Tree } else { Extent::Itself };
        for mut paths in path::of_word(word, &Word::unknown(Unknown::Variable("HOME".into())), extent) {
            paths.place = Place::Remote { host: host.to_owned() };
            out.push(EffectKind::Delete, Target::Paths(paths));
        }
    }
}

fn unquoted(text: &str) -> Word {
    let text = text.trim_matches(['"', '\'']);
    if text.contains(['*', '?', '[']) { Word { parts: vec![Part::Glob(text.to_owned())] } } else { Word::literal(text) }
}
