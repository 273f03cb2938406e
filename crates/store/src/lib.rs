//! Keeps evidence and incidents: append-only, hash-chained, searchable.
