//! How much space what is fetched or installed is known to take.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::named::{Deciding, Named, literals};
use super::options::{Options, Order};

const GIGABYTE: u64 = 1_000_000_000;

/// Things that are known to grow, with the bytes that they come to.
const KNOWN: &[(&str, u64)] = &[
    ("bitcoind", 700),
    ("bitcoin-core", 700),
    ("bitcoin", 700),
    ("geth", 1200),
    ("ethereum", 1200),
    ("erigon", 2500),
    ("nethermind", 1200),
    ("monero", 250),
    ("monerod", 250),
    ("lnd", 20),
    ("cardano-node", 250),
    ("electrs", 60),
];

/// Adds the space that a thing of this name needs, where it is known.
pub(super) fn sized(out: &Plan<'_>, named: Named, name: &str) -> Named {
    let base =
        name.split(['=', ':', '@']).next().unwrap_or(name).rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    match KNOWN.iter().find(|(known, _)| *known == base) {
        Some((_, gigabytes)) => named.decided_by(Deciding::Space {
            directory: out.call.cwd.as_literal().unwrap_or("/").to_owned(),
            bytes: gigabytes * GIGABYTE,
        }),
        None => named,
    }
}

/// `ollama pull llama3:70b`.
pub(super) fn ollama(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], &["-f", "--file"], Order::Mixed);
    let words = literals(&options.operands);
    if let ["pull" | "run", model, ..] = words.as_slice() {
        let named = Named::of(*model, format!("fetch the model {model}"));
        let named = match model_bytes(model) {
            Some(bytes) => named.decided_by(Deciding::Space { directory: "/".into(), bytes }),
            None => named,
        };
        out.named(EffectKind::Download, named);
    }
}

/// Bytes of a model with so many parameters, at the half byte each that is usual, and some more.
fn model_bytes(model: &str) -> Option<u64> {
    let tag = model.rsplit_once(':').map(|(_, tag)| tag.to_ascii_lowercase())?;
    let size = tag.split(['-', '_']).find_map(|part| {
        let number = part.strip_suffix('b')?;
        match number.split_once('x') {
            Some((count, each)) => Some(count.parse::<f64>().ok()? * each.parse::<f64>().ok()?),
            None => number.parse::<f64>().ok(),
        }
    })?;
    let each = if tag.contains("fp16") || tag.contains("f16") {
        2.0
    } else if tag.contains("q8") {
        1.1
    } else {
        0.62
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
        assert_eq!(model_bytes("llama3:latest"), None);
    }
}
