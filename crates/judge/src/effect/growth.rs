//! How much space what is fetched, installed or started is known to come to.

use std::sync::OnceLock;

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, join};

use super::Plan;
use super::named::{Deciding, Named, literals};
use super::options::{Options, Order};

const GIGABYTE: u64 = 1_000_000_000;

/// Things that are known to grow: names, what they come to, and what is left of it where they prune.
const KNOWN: &str = include_str!("../../../../facts/disk-needs.tsv");

/// Something that takes space on a filesystem.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// A package, image, model or file by its name.
    pub name: String,
    /// What it is started with, as far as that is known: some modes stay small.
    pub words: Vec<String>,
    pub place: Held,
    /// Bytes, where the command itself says so.
    pub bytes: Option<u64>,
}

/// Which filesystem holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Where the engine keeps images and volumes.
    Engine,
    /// That of a directory of this host.
    Directory(String),
}

struct Row {
    name: &'static str,
    gigabytes: u64,
    pruned: Option<u64>,
}

fn known() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |line: &'static str| {
            let mut fields = line.split('\t');
            let name = fields.next()?;
            let gigabytes = fields.next()?.parse().ok()?;
            Some(Row { name, gigabytes, pruned: fields.next().and_then(|f| f.parse().ok()) })
        };
        KNOWN.lines().skip(1).filter_map(row).collect()
    })
}

/// Words beside a known name that do not make it another thing.
const BESIDE: [&str; 10] =
    ["node", "full", "core", "mainnet", "server", "docker", "client", "daemon", "archive", "simple"];

/// The last part of a name, without version, tag and digest.
fn base_of(name: &str) -> String {
    let name = name.split(['?', '#']).next().unwrap_or(name).trim_end_matches('/');
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(['=', ':', '@']).next().unwrap_or(last).to_ascii_lowercase()
}

fn row_of(name: &str) -> Option<&'static Row> {
    let base = base_of(name);
    let core: Vec<&str> = base.split(['-', '_']).filter(|part| !BESIDE.contains(part)).collect();
    let core = core.join("-");
    known().iter().find(|row| row.name == base).or_else(|| known().iter().find(|row| row.name == core))
}

impl Growth {
    fn of(name: &str, place: Held) -> Growth {
        Growth { name: name.to_owned(), words: Vec::new(), place, bytes: None }
    }

    /// Whether it is not told to stay small.
    pub fn is_full(&self) -> bool {
        matches!(mode_of(&self.words), Mode::Full)
    }

    /// Bytes that it comes to, where that is known; a test chain or a pruned one stays small.
    pub fn need(&self) -> Option<u64> {
        if self.bytes.is_some() {
            return self.bytes;
        }
        let row = row_of(&self.name)?;
        match mode_of(&self.words) {
            Mode::Full => Some(row.gigabytes * GIGABYTE),
            Mode::Pruned => Some(row.pruned.unwrap_or(row.gigabytes) * GIGABYTE),
            Mode::Small => None,
        }
    }
}

enum Mode {
    Full,
    Pruned,
    /// A test chain, or a client that keeps next to nothing.
    Small,
}

fn mode_of(words: &[String]) -> Mode {
    let text = words.join(" ").to_ascii_lowercase();
    let has = |word: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word);
    if ["regtest", "testnet", "testnet4", "signet", "devnet", "dev", "light", "help", "version", "stagenet"]
        .iter()
        .any(|word| has(word))
    {
        return Mode::Small;
    }
    let at = text.find("prune").map(|at| &text[at..]);
    match at {
        Some(rest) if !rest.starts_with("prune=0") => Mode::Pruned,
        _ => Mode::Full,
    }
}

/// Adds the space that a thing of this name takes.
pub(super) fn sized(out: &Plan<'_>, named: Named, name: &str) -> Named {
    let local =
        matches!(out.call.program(), "npm" | "pnpm" | "yarn" | "bun" | "pip" | "pip3" | "uv" | "poetry" | "cargo");
    let directory = if local { here(out) } else { "/var".to_owned() };
    named.decided_by(Deciding::Space(Box::new(Growth::of(name, Held::Directory(directory)))))
}

fn here(out: &Plan<'_>) -> String {
    out.call.cwd.as_literal().unwrap_or("/").to_owned()
}

/// A file that is fetched into a directory, or to a path.
pub(super) fn fetched(out: &mut Plan<'_>, source: &Word, to: Option<&Word>) {
    let path = to.map(|to| join(&out.call.cwd, to)).and_then(|path| path.as_literal().map(str::to_owned));
    let name = source.show();
    let growth = Growth::of(&name, Held::Directory(path.unwrap_or_else(|| here(out))));
    let named = Named::of(name.clone(), format!("fetch {name}")).decided_by(Deciding::Space(Box::new(growth)));
    out.named(EffectKind::Download, named);
}

/// An image that the engine fetches or builds; its data lies where it is mounted from the host.
pub(super) fn image(out: &mut Plan<'_>, kind: EffectKind, name: &str, words: Vec<String>, mounted: Option<String>) {
    let place = mounted.map_or(Held::Engine, Held::Directory);
    let growth = Growth { words, ..Growth::of(name, place) };
    let named = Named::of(name, format!("fetch the image {name}")).decided_by(Deciding::Space(Box::new(growth)));
    out.named(kind, named);
}

/// The image of a compose service, by what the project says of it.
pub(crate) fn of_service(image: &str, words: Vec<String>, mounted: Option<String>) -> Growth {
    Growth { words, ..Growth::of(image, mounted.map_or(Held::Engine, Held::Directory)) }
}

/// A node of a chain that is started by its own program.
pub(super) fn node(out: &mut Plan<'_>, program: &str) {
    if row_of(program).is_none() {
        return;
    }
    let words: Vec<String> = out.call.argv[1..].iter().map(Word::show).collect();
    let queries = ["attach", "console", "account", "version", "help", "export", "db", "init", "dump"];
    if words.iter().any(|w| queries.contains(&w.as_str())) {
        return;
    }
    let told = words.iter().zip(words.iter().skip(1).map(Some).chain([None])).find_map(|(word, next)| {
        let name = word.trim_start_matches('-');
        let option = name.split('=').next().unwrap_or(name);
        let is_place = matches!(option, "datadir" | "data-dir" | "datadir-dir" | "data-path" | "ledger");
        is_place.then(|| name.split_once('=').map(|(_, v)| v.to_owned()).or_else(|| next.cloned())).flatten()
    });
    let growth = Growth { words, ..Growth::of(program, Held::Directory(told.unwrap_or_else(|| "/home".to_owned()))) };
    let named =
        Named::of(program, format!("start {program}, whose data grows")).decided_by(Deciding::Space(Box::new(growth)));
    out.named(EffectKind::FillDisk, named);
}

/// `fallocate -l 50G swapfile`.
/// `yes > file`, `cat /dev/zero > file`, `dd if=/dev/zero of=file` without a count: a file that only a full disk ends.
pub(super) fn endless(out: &mut Plan<'_>) {
    let call = out.call;
    let words: Vec<&str> = call.argv.iter().skip(1).filter_map(Word::as_literal).collect();
    let source = |path: &str| matches!(path, "/dev/zero" | "/dev/urandom" | "/dev/random" | "/dev/full");
    let (runs_on, file) = match call.program() {
        "yes" => (true, None),
        "cat" => (words.iter().any(|w| source(w)), None),
        "dd" => {
            let value = |name: &str| words.iter().find_map(|w| w.strip_prefix(name));
            (value("if=").is_some_and(source) && value("count=").is_none(), value("of=").map(str::to_owned))
        }
        _ => return,
    };
    let bounded = call.carriers.iter().any(
        |carrier| matches!(carrier, coroner_read::shell::Carrier::Wrapped { program } if program.ends_with("timeout")),
    );
    let redirected = call
        .redirects
        .iter()
        .filter(|r| r.kind != coroner_read::shell::RedirectKind::Read)
        .map(|r| r.target.show())
        .next_back();
    if let Some(file) = file.or(redirected).filter(|f| runs_on && !bounded && !f.starts_with("/dev/")) {
        let named = Named::of(file.clone(), format!("write to {file} until the disk is full"))
            .with(coroner_model::effect::Circumstance::ExceedsSpace);
        out.named(EffectKind::FillDisk, named);
    }
}

pub(super) fn allocated(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], &["-l", "--length", "-o", "--offset"], Order::Mixed);
    let frees = ["-p", "--punch-hole", "-c", "--collapse-range", "-d", "--dig-holes"].iter().any(|o| options.has(&[o]));
    let bytes = options.value(&["-l", "--length"]).and_then(|w| size_of(w.as_literal()?));
    let Some((file, bytes)) = options.operands.first().cloned().zip(bytes).filter(|_| !frees) else { return };
    let place = join(&out.call.cwd, &file).as_literal().unwrap_or("/").to_owned();
    let growth = Growth { bytes: Some(bytes), ..Growth::of(&file.show(), Held::Directory(place)) };
    let named = Named::of(file.show(), format!("fill {}", file.show())).decided_by(Deciding::Space(Box::new(growth)));
    out.named(EffectKind::FillDisk, named);
}

/// `50G`, `10GiB`, `1024`.
fn size_of(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..at].parse().ok()?;
    let power = match text[at..].chars().next().map(|c| c.to_ascii_uppercase()) {
        None | Some('B') => 0,
        Some('K') => 10,
        Some('M') => 20,
        Some('G') => 30,
        Some('T') => 40,
        _ => return None,
    };
    number.checked_mul(1 << power)
}

/// `ollama pull llama3:70b`, `hf download org/model-70B`.
pub(super) fn model(out: &mut Plan<'_>) {
    let valued = ["-f", "--file", "--local-dir", "--cache-dir", "--revision", "--include", "--exclude", "--repo-type"];
    let options = Options::read(&out.call.argv[1..], &valued, Order::Mixed);
    let words = literals(&options.operands);
    let ("pull" | "run" | "download", Some(model)) = (words.first().copied().unwrap_or_default(), words.get(1)) else {
        return;
    };
    let part_only = words.len() > 2 && words[0] == "download" || options.value(&["--include"]).is_some();
    let bytes = if part_only { None } else { model_bytes(model) };
    let place =
        options.value(&["--local-dir"]).map(|d| join(&out.call.cwd, d).show()).unwrap_or_else(|| "/".to_owned());
    let growth = Growth { bytes, ..Growth::of(model, Held::Directory(place)) };
    let named = Named::of(*model, format!("fetch the model {model}")).decided_by(Deciding::Space(Box::new(growth)));
    out.named(EffectKind::Download, named);
}

/// Bytes of a model with so many parameters: half a byte each and some more where it is
/// quantised, as tags have it, else two.
fn model_bytes(model: &str) -> Option<u64> {
    let (name, tagged) = match model.rsplit_once(':') {
        Some((_, tag)) => (tag.to_ascii_lowercase(), true),
        None => (model.rsplit('/').next()?.to_ascii_lowercase(), false),
    };
    let size = name.split(['-', '_']).find_map(|part| {
        let number = part.strip_suffix('b')?;
        match number.split_once('x') {
            Some((count, each)) => Some(count.parse::<f64>().ok()? * each.parse::<f64>().ok()?),
            None => number.parse::<f64>().ok(),
        }
    })?;
    let small = ["q4", "int4", "4bit", "awq", "gptq"].iter().any(|mark| name.contains(mark));
    let each = if name.contains("fp16") || name.contains("f16") {
        2.0
    } else if name.contains("q8") || name.contains("int8") || name.contains("fp8") {
        1.1
    } else if tagged || small {
        0.62
    } else {
        2.0
    };
    Some((size * each * GIGABYTE as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_a_size() {
        assert!(model_bytes("llama3:70b").unwrap() > 40 * GIGABYTE);
        assert!(model_bytes("mixtral:8x7b-instruct-q8_0").unwrap() > 50 * GIGABYTE);
        assert!(model_bytes("org/Model-3.1-70B-Instruct").unwrap() > 130 * GIGABYTE);
        assert_eq!(model_bytes("llama3:latest"), None);
    }

    #[test]
    fn what_grows_is_known_by_its_names() {
        let need = |name: &str, words: &[&str]| {
            let words = words.iter().map(|w| (*w).to_owned()).collect();
            of_service(name, words, None).need().map(|bytes| bytes / GIGABYTE)
        };
        for name in
            ["bitcoind", "lncm/bitcoind:v27", "ruimarinho/bitcoin-core", "bitcoin-full-node", "kylemanna/bitcoind"]
        {
            assert!(need(name, &[]).is_some_and(|gigabytes| gigabytes > 500), "{name}");
        }
        for name in ["bitcoin-exporter", "python3-bitcoinlib", "nginx", "getho", "jq", "redis:7"] {
            assert_eq!(need(name, &[]), None, "{name}");
        }
        assert!(need("bitcoind", &["-prune=550"]).is_some_and(|gigabytes| gigabytes < 30));
        assert!(need("bitcoind", &["-prune=0"]).is_some_and(|gigabytes| gigabytes > 500));
        assert_eq!(need("bitcoind", &["-regtest"]), None);
        assert_eq!(size_of("50G"), Some(50 << 30));
    }
}
