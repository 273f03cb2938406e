//! The span of time that counts: what was asked for, or the hours around the onset.

use jiff::{SignedDuration, Timestamp};

/// How long before the onset events are still shown.
pub const BEFORE_ONSET: SignedDuration = SignedDuration::from_hours(2);
/// How long after it.
pub const AFTER_ONSET: SignedDuration = SignedDuration::from_mins(30);

/// A span of time, open where a bound is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Window {
    /// Whether a moment lies in it; what has no time is never left out.
    pub fn holds(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| self.from.is_none_or(|f| f <= at) && self.to.is_none_or(|t| at <= t))
    }

    /// The window around an onset, widened so that it begins before `cause`.
    pub fn around(onset: Timestamp, cause: Option<Timestamp>) -> Window {
        let early = onset.checked_sub(BEFORE_ONSET).unwrap_or(onset);
        let from = cause.map_or(early, |c| early.min(c.checked_sub(SignedDuration::from_mins(10)).unwrap_or(c)));
        Window { from: Some(from), to: onset.checked_add(AFTER_ONSET).ok() }
    }
}
