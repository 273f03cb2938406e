//! The person's passphrase: what proves that it is not an agent who answers.
//!
//! The passphrase is never kept. It is stretched by scrypt (RFC 7914) to the seed of a signing key,
//! of which only the public half lies beside the journal, so that whoever reads the file can check
//! a signature and make none.

use std::path::{Path, PathBuf};

use coroner_model::evidence::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::journal::JOURNAL_FOLDER;
use crate::key;
use crate::place::{file_error, read_small, replace};

/// Cost of stretching: 2^14 blocks of 1 KiB, some 16 MiB of memory.
const COST: Cost = Cost { blocks: 1 << 14, size: 8, lanes: 1 };
/// Fewest characters of a passphrase.
pub const PASSPHRASE_CHARS_MIN: usize = 8;

/// What is known of the person: enough to check, not to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    salt: String,
    public: String,
}

impl Person {
    fn path(home: &Path) -> PathBuf {
        home.join(JOURNAL_FOLDER).join("person.json")
    }

    /// The person who set a passphrase here, if one did.
    pub fn read(home: &Path) -> Result<Option<Person>> {
        let Some(bytes) = read_small(&Person::path(home))? else { return Ok(None) };
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// Keeps what checks a new passphrase.
    pub fn set(home: &Path, passphrase: &str) -> Result<Person> {
        let salt = hex(&key::random()?);
        let seed = stretch(passphrase.as_bytes(), salt.as_bytes(), COST);
        let person = Person { salt, public: hex(&key::public(&seed)) };
        let path = Person::path(home);
        if let Some(folder) = path.parent() {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(file_error("write", folder))?;
        }
        replace(&path, &serde_json::to_vec(&person)?)?;
        Ok(person)
    }

    /// Signs a message with a passphrase; `None` where it is another one.
    pub fn sign(&self, passphrase: &str, message: &str) -> Option<String> {
        let seed = stretch(passphrase.as_bytes(), self.salt.as_bytes(), COST);
        let right = hex(&key::public(&seed)) == self.public;
        right.then(|| hex(&key::sign(&seed, message.as_bytes())))
    }

    /// Whether the person signed the message.
    pub fn signed(&self, message: &str, signature: &str) -> bool {
        let public: Option<[u8; 32]> = unhex(&self.public).and_then(|bytes| bytes.try_into().ok());
        public
            .zip(unhex(signature))
            .is_some_and(|(public, signature)| key::is_signed(&public, message.as_bytes(), &signature))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

/// What scrypt is told to spend.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// N, a power of two.
    blocks: usize,
    /// r
    size: usize,
    /// p
    lanes: usize,
}

/// Thirty-two bytes of scrypt.
fn stretch(passphrase: &[u8], salt: &[u8], cost: Cost) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&scrypt(passphrase, salt, cost, 32));
    out
}

fn scrypt(passphrase: &[u8], salt: &[u8], cost: Cost, length: usize) -> Vec<u8> {
    let lane = 128 * cost.size;
    let mut blocks = pbkdf2(passphrase, salt, cost.lanes * lane);
    for block in blocks.chunks_exact_mut(lane) {
        mix(block, cost);
    }
    pbkdf2(passphrase, &blocks, length)
}

/// PBKDF2 with HMAC-SHA-256 and one round.
fn pbkdf2(passphrase: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 32);
    let mut index = 1u32;
    while out.len() < length {
        out.extend(hmac(passphrase, &[salt, &index.to_be_bytes()].concat()));
        index += 1;
    }
    out.truncate(length);
    out
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::digest([&block.map(|b| b ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|b| b ^ 0x5c)[..], &inner[..]].concat()).into()
}

/// ROMix over one lane.
fn mix(block: &mut [u8], cost: Cost) {
    let words = 32 * cost.size;
    let mut x: Vec<u32> = block.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let mut table = Vec::with_capacity(cost.blocks * words);
    let mut next = vec![0; words];
    for _ in 0..cost.blocks {
        table.extend_from_slice(&x);
        block_mix(&x, &mut next);
        std::mem::swap(&mut x, &mut next);
    }
    for _ in 0..cost.blocks {
        let at = x[words - 16] as usize & (cost.blocks - 1);
        x.iter_mut().zip(&table[at * words..(at + 1) * words]).for_each(|(a, b)| *a ^= b);
        block_mix(&x, &mut next);
        std::mem::swap(&mut x, &mut next);
    }
    for (bytes, word) in block.chunks_exact_mut(4).zip(&x) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
}

fn block_mix(input: &[u32], output: &mut [u32]) {
    let count = input.len() / 16;
    let mut x = [0u32; 16];
    x.copy_from_slice(&input[input.len() - 16..]);
    for (index, block) in input.chunks_exact(16).enumerate() {
        x.iter_mut().zip(block).for_each(|(a, b)| *a ^= b);
        salsa(&mut x);
        // Even blocks come first.
        let at = index / 2 + if index % 2 == 1 { count / 2 } else { 0 };
        output[at * 16..at * 16 + 16].copy_from_slice(&x);
    }
}

/// Salsa20/8.
fn salsa(block: &mut [u32; 16]) {
    let mut x = *block;
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
        x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
        x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
        x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
    };
    for _ in 0..4 {
        quarter(0, 4, 8, 12);
        quarter(5, 9, 13, 1);
        quarter(10, 14, 2, 6);
        quarter(15, 3, 7, 11);
        quarter(0, 1, 2, 3);
        quarter(5, 6, 7, 4);
        quarter(10, 11, 8, 9);
        quarter(15, 12, 13, 14);
    }
    block.iter_mut().zip(x).for_each(|(a, b)| *a = a.wrapping_add(b));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 7914, section 12.
    #[test]
    fn stretching_is_scrypt() {
        let small = scrypt(b"", b"", Cost { blocks: 16, size: 1, lanes: 1 }, 64);
        assert_eq!(
            hex(&small),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        );
        let more = scrypt(b"password", b"NaCl", Cost { blocks: 1024, size: 8, lanes: 16 }, 64);
        assert_eq!(
            hex(&more),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        );
    }

    #[test]
    fn only_the_right_passphrase_signs() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Person::read(home.path()).unwrap(), None);
        let person = Person::set(home.path(), "correct horse").unwrap();
        assert_eq!(Person::read(home.path()).unwrap(), Some(person.clone()));
        let signature = person.sign("correct horse", "run it").unwrap();
        assert!(person.signed("run it", &signature) && !person.signed("run that", &signature));
        assert_eq!(person.sign("wrong horse", "run it"), None);
        let text = std::fs::read_to_string(Person::path(home.path())).unwrap();
        assert!(!text.contains("horse"), "{text}");
    }
}
