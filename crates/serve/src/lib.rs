//! Web pages over the verbs.
