//! Limits of age and size. What goes leaves a tombstone; what an incident cites stays.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::error::{Result, StoreError};
use crate::evidence::Removal;
use crate::ledger::{Growth, instant};
use crate::place::{Place, read_small};
use crate::redact::take_out;

/// How large and how old a store may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The store stops growing when its filesystem is so full.
    pub disk_used_percent_max: u64,
    /// Size of what the database holds.
    pub bytes_max: u64,
    /// Age of content that no incident cites.
    pub age_days_max: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { disk_used_percent_max: 90, bytes_max: 4 << 30, age_days_max: 400 }
    }
}

impl Limits {
    /// The limits that `limits.toml` beside the database sets, else the default ones.
    pub(crate) fn of(place: &Place) -> Result<Limits> {
        let Some(bytes) = read_small(&place.limits)? else { return Ok(Limits::default()) };
        let wrong = |because: String| StoreError::LimitsUnreadable { path: place.limits.clone(), because };
        let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))
    }
}

/// What the limits took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// Records whose content is gone.
    pub expired: u64,
    /// Bytes of content that went.
    pub bytes: u64,
}

/// Part of the size limit that is freed at once, so that it is not hit again at the next record.
const FREED_SHARE: u64 = 10;
/// Digits of an evidence id, by which a text cites.
const ID_DIGITS: usize = 12;

impl Store {
    /// Takes away the content that is too old, or too much, and that no incident cites.
    pub fn retain(&self, now: Timestamp) -> Result<Retained> {
        let bytes = self.bytes()?;
        let surplus = match bytes.checked_sub(self.limits.bytes_max) {
            Some(over) if over > 0 => over + self.limits.bytes_max / FREED_SHARE,
            _ => 0,
        };
        let age_max = SignedDuration::from_hours(24 * i64::from(self.limits.age_days_max));
        let oldest = now.checked_sub(age_max).map(instant).unwrap_or_default();
        let (ranges, retained) = self.expired(&oldest, surplus)?;
        if ranges.is_empty() {
            return Ok(retained);
        }
        let reason = format!("older than {} days or over {} bytes", self.limits.age_days_max, self.limits.bytes_max);
        self.write(Growth::Shrinks, now, |batch| take_out(batch, Removal::Expired, &reason, ranges))?;
        Ok(retained)
    }

    /// Size of what the database holds, without free pages.
    pub fn bytes(&self) -> Result<u64> {
        let connection = self.connection();
        let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        let pages = pragma("page_count")? - pragma("freelist_count")?;
        Ok((pages * pragma("page_size")?).unsigned_abs())
    }

    /// Whose content goes: too old, or the oldest up to `surplus` bytes.
    fn expired(&self, oldest: &str, surplus: u64) -> Result<(Vec<(u64, u64)>, Retained)> {
        if surplus == 0 && self.oldest_recorded()?.is_none_or(|at| at.as_str() >= oldest) {
            return Ok((Vec::new(), Retained::default()));
        }
        let cited = self.cited()?;
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT seq, id, recorded_at, length(body) FROM record \
             WHERE kind IN ('evidence', 'investigation') AND body IS NOT NULL ORDER BY seq",
        )?;
        let mut rows = statement.query([])?;
        let (mut ranges, mut retained) = (Vec::<(u64, u64)>::new(), Retained::default());
        while let Some(row) = rows.next()? {
            let (seq, id, at) =
                (row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, String>(1)?, row.get::<_, String>(2)?);
            if at.as_str() >= oldest && retained.bytes >= surplus {
                break;
            }
            if cited.contains(&id) {
                continue;
            }
            retained.expired += 1;
            retained.bytes += row.get::<_, i64>(3)?.unsigned_abs();
            match ranges.last_mut() {
                Some(last) if last.1 + 1 == seq => last.1 = seq,
                _ => ranges.push((seq, seq)),
            }
        }
        Ok((ranges, retained))
    }

    fn oldest_recorded(&self) -> Result<Option<String>> {
        let sql = "SELECT min(recorded_at) FROM record WHERE seq IN ( \
             (SELECT min(seq) FROM record WHERE kind = 'evidence' AND body IS NOT NULL), \
             (SELECT min(seq) FROM record WHERE kind = 'investigation' AND body IS NOT NULL))";
        Ok(self.connection().query_row(sql, [], |row| row.get(0))?)
    }

    /// Ids that an incident names, in its evidence or anywhere in its text.
    fn cited(&self) -> Result<BTreeSet<String>> {
        let mut cited = BTreeSet::new();
        for incident in self.incidents()? {
            cited.extend(incident.evidence.iter().map(|c| c.id.as_str().to_owned()));
            let text = serde_json::to_string(&incident)?;
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            cited.extend(
                words.filter(|w| w.len() == ID_DIGITS && w.bytes().all(|b| b.is_ascii_hexdigit())).map(str::to_owned),
            );
        }
        Ok(cited)
    }
}

/// Applies the limits before something is added.
pub(crate) fn make_room(store: &Store, at: Timestamp) -> Result<()> {
    if store.is_read_only() {
        return Err(StoreError::ReadOnly);
    }
    store.retain(at)?;
    let (bytes, bytes_max) = (store.bytes()?, store.limits.bytes_max);
    if bytes <= bytes_max { Ok(()) } else { Err(StoreError::StoreFull { bytes, bytes_max }) }
}
