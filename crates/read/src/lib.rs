//! Pure readers: bytes in, facts with spans out.
