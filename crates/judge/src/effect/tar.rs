//! `tar`, `zip` and `unzip`: files that an archive is laid over, sources that are removed after.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, join};

use super::options::{Options, Order};
use super::{Extent, Plan};

const VALUED: &[&str] = &[
    "-f",
    "--file",
    "-C",
    "--directory",
    "-T",
    "--files-from",
    "-X",
    "--exclude-from",
    "--exclude",
    "-b",
    "-I",
    "--use-compress-program",
    "--strip-components",
    "--transform",
    "--xform",
    "--owner",
    "--group",
    "--mode",
    "-g",
    "-K",
    "-N",
    "-V",
    "-L",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let mut words = out.call.argv[1..].to_vec();
    match out.call.program() {
        "unzip" => return unzip(out, &words),
        "zip" => return zip(out, &words),
        _ => {}
    }
    // `tar xzf a.tgz`: the first word holds options without a dash.
    if let Some(first) = words.first_mut().filter(|w| !w.prefix().starts_with('-'))
        && let Some(text) = first.as_literal()
    {
        *first = Word::literal(format!("-{text}"));
    }
    let options = Options::read(&words, VALUED, Order::Mixed);
    let directory = options.value(&["-C", "--directory"]).cloned().unwrap_or_else(|| out.call.cwd.clone());
    let extracts = options.has(&["-x", "--extract", "--get"]) || options.has(&["--get"]);
    let keeps = options.has(&["-k", "--keep-old-files"])
        || options.has(&["--skip-old-files"])
        || options.has(&["-O", "--to-stdout"]);
    if extracts && !keeps {
        over(out, &directory, &options.operands);
    }
    let creates = options.has(&["-c", "-r", "-u", "--create", "--append", "--update"]);
    if creates && options.has(&["--remove-files"]) {
        for source in &options.operands {
            let source = join(&join(&out.call.cwd, &directory), source);
            out.paths(EffectKind::Delete, &source, Extent::Tree, None);
        }
    }
}

/// `zip -m`: what is in the archive goes from where it lay.
fn zip(out: &mut Plan<'_>, words: &[Word]) {
    let options = Options::read(words, &["-b", "-i", "-n", "-P", "-s", "-t", "-tt", "-x"], Order::Mixed);
    if options.has(&["-m", "--move"]) {
        for source in options.operands.iter().skip(1) {
            let extent = if options.has(&["-r", "--recurse-paths"]) { Extent::Tree } else { Extent::Itself };
            out.paths(EffectKind::Move, source, extent, None);
        }
    }
}

fn unzip(out: &mut Plan<'_>, words: &[Word]) {
    let options = Options::read(words, &["-d", "-x", "-P"], Order::Mixed);
    if options.has(&["-l", "-t", "-n", "-p", "-Z", "-v"]) {
        return;
    }
    let directory = options.value(&["-d"]).cloned().unwrap_or_else(|| out.call.cwd.clone());
    over(out, &directory, options.operands.get(1..).unwrap_or_default());
}

/// An archive names its files itself; they lie at or below the directory.
fn over(out: &mut Plan<'_>, directory: &Word, members: &[Word]) {
    let member = Word::literal(MEMBER);
    let members = if members.is_empty() { std::slice::from_ref(&member) } else { members };
    for member in members {
        let path = join(&join(&out.call.cwd, directory), member);
        out.paths(EffectKind::Overwrite, &path, Extent::Itself, None);
    }
}

/// Stands for a file of an archive whose name is not known.
const MEMBER: &str = "files-of-the-archive";
