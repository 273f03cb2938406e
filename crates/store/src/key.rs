//! The two keys of a store: one signs the chain, one makes redaction tokens.
//!
//! Both lie beside the database with mode 0600 and are never exported.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::error::{Result, StoreError};
use crate::place::{file_error, read_small, replace};

/// Reads a key of 32 bytes; `None` where there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<[u8; 32]>> {
    let Some(bytes) = read_small(path)? else { return Ok(None) };
    let key = bytes.try_into().map_err(|_| StoreError::KeyUnreadable { path: path.to_path_buf() })?;
    Ok(Some(key))
}

/// Reads a key, or makes one at first use.
pub(crate) fn read_or_make(path: &Path) -> Result<[u8; 32]> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let key = random()?;
    replace(path, &key)?;
    Ok(key)
}

/// Takes a key away from other users where a copy or restore gave it to them.
pub(crate) fn keep_private(path: &Path) -> Result<()> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(file_error("write", path))
}

/// Thirty-two bytes that nobody can foresee.
pub fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(StoreError::Randomness)?;
    Ok(bytes)
}

/// The public half of a signing key.
pub(crate) fn public(key: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(key).verifying_key().to_bytes()
}

/// Signs a message.
pub(crate) fn sign(key: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(key).sign(message).to_bytes()
}

/// Whether the signature is the key's for this message.
pub(crate) fn is_signed(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_bytes(public), Signature::from_slice(signature)) else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
}
