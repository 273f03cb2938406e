//! `cp`, `install`, `dd`, `tee`, `sed -i`, `ln -f`: what they write over.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::options::{Options, Order};
use super::{Extent, Plan};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let words = &call.argv[1..];
    match call.program() {
        "dd" => {
            if let Some(word) = words.iter().find(|w| w.prefix().starts_with("of=")) {
                let target = strip(word, "of=");
                if !target.prefix().starts_with("/dev/null") {
                    out.paths(EffectKind::Overwrite, &target, Extent::Itself, None);
                }
            }
        }
        "tee" => {
            let options = Options::read(words, &[], Order::Mixed);
            if !options.has(&["-a", "--append"]) {
                each(out, &options.operands);
            }
        }
        "sed" | "perl" => {
            let in_place = words.iter().any(|w| {
                let text = w.prefix();
                text.starts_with("--in-place")
                    || (text.starts_with('-') && !text.starts_with("--") && text.contains('i'))
            });
            let options = Options::read(words, &["-e", "-f", "--expression", "--file"], Order::Mixed);
            let scripted = options.has(&["-e", "-f", "--expression", "--file"]);
            if in_place {
                each(out, options.operands.get(usize::from(!scripted)..).unwrap_or_default());
            }
        }
        _ => {
            let valued =
                ["-t", "--target-directory", "-S", "--suffix", "-m", "--mode", "-o", "--owner", "-g", "--group"];
            let options = Options::read(words, &valued, Order::Mixed);
            if options.has(&["-n", "--no-clobber"]) || options.has(&["-b", "--backup"]) {
                return;
            }
            if call.program() == "ln" && !options.has(&["-f", "--force"]) {
                return;
            }
            // `install -d` only makes directories.
            if call.program() == "install" && options.has(&["-d", "--directory"]) {
                return;
            }
            match (options.value(&["-t", "--target-directory"]).cloned(), options.operands.as_slice()) {
                (Some(directory), sources) => into(out, sources, &directory),
                (None, [_, target]) => {
                    let target = target.clone();
                    let sources = options.operands[..1].to_vec();
                    each(out, std::slice::from_ref(&target));
                    if call.program() != "ln" {
                        into(out, &sources, &target);
                    }
                }
                (None, [sources @ .., directory]) if sources.len() > 1 => into(out, sources, directory),
                _ => {}
            }
        }
    }
}

fn each(out: &mut Plan<'_>, words: &[Word]) {
    for word in words {
        out.paths(EffectKind::Overwrite, word, Extent::Itself, None);
    }
}

/// Files that a directory takes in lie over those of the same name.
fn into(out: &mut Plan<'_>, sources: &[Word], directory: &Word) {
    for source in sources {
        let Some(name) = source.as_literal().and_then(|s| s.trim_end_matches('/').rsplit('/').next()) else { continue };
        if matches!(name, "" | "." | "..") {
            continue;
        }
        let target = coroner_read::shell::join(directory, &Word::literal(name));
        each(out, &[target]);
    }
}

fn strip(word: &Word, prefix: &str) -> Word {
    let mut parts = word.parts.clone();
    if let Some(coroner_read::shell::Part::Text(text)) = parts.first_mut() {
        *text = text.strip_prefix(prefix).unwrap_or(text).to_owned();
    }
    Word { parts }
}
