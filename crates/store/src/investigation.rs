//! Investigations as they were reported, byte for byte.

use coroner_model::{EvidenceId, InvestigationId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::chain::Kind;
use crate::error::{Result, StoreError};
use crate::incident::Kept;
use crate::ledger::Entry;

/// Most investigations that one listing gives.
pub const INVESTIGATION_COUNT_MAX: usize = 10_000;

/// An investigation as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptInvestigation {
    pub id: InvestigationId,
    pub created_at: Option<Timestamp>,
    /// The evidence that it cites.
    pub cites: Vec<EvidenceId>,
    /// The report's JSON; `None` where it was taken out.
    pub report: Option<String>,
}

/// What the record of an investigation holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) cites: Vec<EvidenceId>,
    pub(crate) report: String,
}

impl Store {
    /// Keeps the report of an investigation; the same report is kept once.
    pub fn put_investigation(
        &self,
        id: &InvestigationId,
        report: &str,
        cites: &[EvidenceId],
        at: Timestamp,
    ) -> Result<Kept> {
        let body = Body { cites: cites.to_vec(), report: report.to_owned() };
        let kept = self.put(vec![Entry::new(Kind::Investigation, id.as_str(), serde_json::to_vec(&body)?)], at)?;
        Ok(kept.first().copied().unwrap_or(Kept::Unchanged))
    }

    /// The investigation of that id.
    pub fn investigation(&self, id: &InvestigationId) -> Result<Option<KeptInvestigation>> {
        Ok(self.read_investigations(id.as_str(), 1)?.pop())
    }

    /// The newest investigations, newest first.
    pub fn investigations(&self, limit: usize) -> Result<Vec<KeptInvestigation>> {
        self.read_investigations("", limit.min(INVESTIGATION_COUNT_MAX))
    }

    fn read_investigations(&self, id: &str, limit: usize) -> Result<Vec<KeptInvestigation>> {
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT seq, id, recorded_at, body FROM record WHERE seq IN \
             (SELECT max(seq) FROM record WHERE kind = 'investigation' AND (?1 = '' OR id = ?1) GROUP BY id) \
             ORDER BY seq DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(rusqlite::params![id, limit as i64], |row| {
            Ok((
                row.get::<_, i64>(0)?.unsigned_abs(),
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<Vec<u8>>>(3)?,
            ))
        })?;
        let mut investigations = Vec::new();
        for row in rows {
            let (record, id, at, body) = row?;
            let body: Option<Body> = body
                .map(|body| serde_json::from_slice(&body))
                .transpose()
                .map_err(|e| StoreError::Unreadable { record, because: e.to_string() })?;
            let (cites, report) = body.map_or((Vec::new(), None), |b| (b.cites, Some(b.report)));
            investigations.push(KeptInvestigation {
                id: InvestigationId::new(id),
                created_at: at.parse().ok(),
                cites,
                report,
            });
        }
        Ok(investigations)
    }
}
