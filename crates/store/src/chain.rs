//! The chain: how a record is hashed, how a checkpoint is signed.
//!
//! A record's header is hashed as it stands; its body only through a salted
//! hash. So a body can be taken away later and the chain still verifies, and
//! nobody can guess a weak secret from the hash that stays.

use coroner_model::evidence::hex;
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

use crate::key;

/// A BLAKE3 hash.
pub(crate) type Hash = [u8; 32];

/// What kind of thing a record keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Evidence,
    Incident,
    Problem,
    Draft,
    Investigation,
    Action,
    /// Says which bodies were taken away, and why.
    Tombstone,
    /// Says that the records before it did not fit their signatures.
    Break,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Evidence => "evidence",
            Kind::Incident => "incident",
            Kind::Problem => "problem",
            Kind::Draft => "draft",
            Kind::Investigation => "investigation",
            Kind::Action => "action",
            Kind::Tombstone => "tombstone",
            Kind::Break => "break",
        }
    }
}

/// Columns of a record in the order in which [`Row::read`] takes them.
pub(crate) const COLUMNS: &str = "seq, kind, id, recorded_at, source, locator, observed_at, host, \
     salt, body, body_hash, prev, chain";

/// One record as it lies in the table, every column as bytes.
///
/// Columns are not trusted to have their type: a changed byte may have turned
/// text into a number, and that must be reported, not stumbled over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    /// kind, id, recorded_at, source, locator, observed_at, host.
    pub(crate) header: [Vec<u8>; 7],
    pub(crate) salt: Option<Vec<u8>>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) prev: Vec<u8>,
    pub(crate) chain: Vec<u8>,
}

impl Row {
    pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
        let mut header: [Vec<u8>; 7] = Default::default();
        for (at, field) in header.iter_mut().enumerate() {
            *field = bytes(row.get_ref(at + 1)?).unwrap_or_default();
        }
        Ok(Row {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            header,
            salt: bytes(row.get_ref(8)?),
            body: bytes(row.get_ref(9)?),
            body_hash: bytes(row.get_ref(10)?).unwrap_or_default(),
            prev: bytes(row.get_ref(11)?).unwrap_or_default(),
            chain: bytes(row.get_ref(12)?).unwrap_or_default(),
        })
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.header[0] == kind.as_str().as_bytes()
    }

    /// A column of the header as text.
    pub(crate) fn text(&self, column: usize) -> String {
        String::from_utf8_lossy(&self.header[column]).into_owned()
    }

    /// The hash that this record should carry after `prev`.
    pub(crate) fn link(&self, prev: &[u8]) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(prev);
        hasher.update(b"coroner/record/v1");
        for field in self.header.iter().chain([&self.body_hash]) {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }

    /// Whether the body fits its hash; `None` where it was taken away.
    pub(crate) fn body_fits(&self) -> Option<bool> {
        match (&self.salt, &self.body) {
            (None, None) => None,
            (Some(salt), Some(body)) => Some(body_hash(salt, body).as_slice() == self.body_hash),
            _ => Some(false),
        }
    }
}

fn bytes(value: ValueRef<'_>) -> Option<Vec<u8>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        ValueRef::Integer(number) => Some(format!("\0integer {number}").into_bytes()),
        ValueRef::Real(number) => Some(format!("\0real {number}").into_bytes()),
    }
}

/// Hash of a body under its own salt.
pub(crate) fn body_hash(salt: &[u8], body: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"coroner/body/v1");
    hasher.update(&(salt.len() as u64).to_le_bytes());
    hasher.update(salt);
    hasher.update(body);
    hasher.finalize().into()
}

/// Where the chain of a key begins, so that records of two stores never mix.
pub(crate) fn genesis(public: &[u8; 32]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"coroner/chain/v1");
    hasher.update(public);
    hasher.finalize().into()
}

/// A signed statement: so many records, and the last one hashes to this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) schema: String,
    pub(crate) count: u64,
    /// Hex.
    pub(crate) chain: String,
    /// When; empty for the one that a store begins with.
    pub(crate) at: String,
    /// Hex.
    pub(crate) public_key: String,
    /// Hex.
    pub(crate) signature: String,
}

const CHECKPOINT_SCHEMA: &str = "coroner/checkpoint/v1";

impl Checkpoint {
    pub(crate) fn sign(secret: &[u8; 32], count: u64, chain: &[u8], at: &str) -> Checkpoint {
        let mut checkpoint = Checkpoint::unsigned(count, &key::public(secret));
        checkpoint.chain = hex(chain);
        checkpoint.at = at.to_owned();
        checkpoint.signature = hex(&key::sign(secret, checkpoint.message().as_bytes()));
        checkpoint
    }

    /// A checkpoint that still lacks its chain value, time and signature.
    pub(crate) fn unsigned(count: u64, public: &[u8; 32]) -> Checkpoint {
        Checkpoint {
            schema: CHECKPOINT_SCHEMA.to_owned(),
            count,
            chain: String::new(),
            at: String::new(),
            public_key: hex(public),
            signature: String::new(),
        }
    }

    pub(crate) fn is_signed_by(&self, public: &[u8; 32]) -> bool {
        unhex(&self.signature).is_some_and(|s| key::is_signed(public, self.message().as_bytes(), &s))
    }

    fn message(&self) -> String {
        format!("{}\n{}\n{}\n{}\n", self.schema, self.count, self.chain, self.at)
    }

    /// As JSON of one line.
    pub(crate) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Bytes of lower-case hex digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
