//! Commits and tags that a command leaves unsigned where the settings of git ask for a signature.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::git_alias::setting_of;
use super::git_hooks::COMMIT;
use super::named::Named;
use super::options::{Options, Order};

/// What is signed, the setting that asks for it, and the option that leaves it out.
struct Signing {
    section: &'static str,
    off: &'static str,
    /// Shortest beginning of that option that git takes.
    off_chars_min: usize,
    on: &'static [&'static str],
}

const OF_COMMITS: Signing =
    Signing { section: "commit", off: "--no-gpg-sign", off_chars_min: "--no-g".len(), on: &["-S", "--gpg-sign"] };
const OF_TAGS: Signing = Signing {
    section: "tag",
    off: "--no-sign",
    off_chars_min: "--no-s".len(),
    on: &["-s", "--sign", "-u", "--local-user"],
};
/// The setting's name in its section.
const NAME: &str = "gpgsign";

pub(super) fn plan(out: &mut Plan<'_>, globals: &Options, verb: &str, rest: &[Word], directory: &Word) {
    let signing = match verb {
        "commit" | "merge" | "rebase" | "cherry-pick" | "revert" | "am" | "pull" => OF_COMMITS,
        "tag" => OF_TAGS,
        "config" => return config(out, rest, directory),
        _ => return,
    };
    let by_option = switched(&signing, verb, rest);
    // An option beats every setting.
    let off = by_option.unwrap_or_else(|| off_by_setting(out, globals, signing.section));
    if off {
        unsigned(out, signing.section, directory);
    }
}

/// What the last option of a command says of signing: `Some(true)` that it is left out.
fn switched(signing: &Signing, verb: &str, rest: &[Word]) -> Option<bool> {
    let valued: &[&str] = match verb {
        "commit" => COMMIT,
        "tag" => &["-m", "--message", "-F", "--file", "-u", "--local-user", "--cleanup", "--format", "--sort"],
        _ => &["-m", "-F", "--file", "-s", "--strategy", "-X", "--strategy-option", "--onto", "-x", "--exec", "-S?"],
    };
    let options = Options::read(rest, valued, Order::Mixed);
    let off = |flag: &str| flag.len() >= signing.off_chars_min && signing.off.starts_with(flag);
    let last = options.flags.iter().rev().find(|(flag, _)| off(flag) || signing.on.contains(&flag.as_str()));
    last.map(|(flag, _)| off(flag))
}

/// `-c commit.gpgsign=false`, and the same by the environment; the last one counts.
fn off_by_setting(out: &Plan<'_>, globals: &Options, section: &str) -> bool {
    let key = format!("{section}.{NAME}");
    let of_line = |text: String| {
        let (name, value) = text.split_once('=').map_or((text.as_str(), "true"), |(name, value)| (name, value));
        name.eq_ignore_ascii_case(&key).then(|| is_off(value))
    };
    let by_line = globals.values(&["-c"]).map(|word| of_line(word.show())).fold(None, |last, next| next.or(last));
    by_line.unwrap_or_else(|| {
        let variables: Vec<(&str, String)> = out.variables().collect();
        variables.iter().any(|(name, value)| {
            let number = name.strip_prefix("GIT_CONFIG_KEY_").filter(|_| value.eq_ignore_ascii_case(&key));
            let wanted = number.map(|number| format!("GIT_CONFIG_VALUE_{number}"));
            wanted.is_some_and(|wanted| variables.iter().any(|(name, value)| *name == wanted && is_off(value)))
        })
    })
}

/// `git config commit.gpgsign false`, `git config --unset commit.gpgsign`.
fn config(out: &mut Plan<'_>, rest: &[Word], directory: &Word) {
    let options = Options::read(rest, &["-f", "--file", "--blob", "--type", "--default", "--comment"], Order::Mixed);
    if options.has(&["-f", "--file", "--blob", "--get", "--global", "--system"]) {
        return;
    }
    let words: Vec<&str> = options.operands.iter().filter_map(Word::as_literal).collect();
    let (unset, words) = match words.as_slice() {
        ["unset", rest @ ..] => (true, rest),
        ["set", rest @ ..] => (false, rest),
        all => (options.has(&["--unset", "--unset-all"]), all),
    };
    let key = words.first().map(|key| key.to_ascii_lowercase()).unwrap_or_default();
    let Some(section) = ["commit", "tag"].into_iter().find(|section| key == format!("{section}.{NAME}")) else {
        return;
    };
    if unset || words.get(1).is_some_and(|value| is_off(value)) {
        unsigned(out, section, directory);
    }
}

/// As git reads a switch that is off.
fn is_off(value: &str) -> bool {
    ["false", "no", "off", "0", ""].iter().any(|off| value.trim().eq_ignore_ascii_case(off))
}

/// Adds the effect where the settings ask for a signature.
fn unsigned(out: &mut Plan<'_>, section: &'static str, directory: &Word) {
    if setting_of(out, directory, section, NAME).is_some_and(|value| !is_off(&value)) {
        let what = format!("leave a {section} unsigned, which the settings of git ask to be signed");
        out.named(EffectKind::LeaveUnsigned, Named::of(directory.show(), what));
    }
}
