//! Look-alikes: what else would show the same, and what tells them apart here.

use std::collections::BTreeSet;

use coroner_model::PatternId;
use coroner_model::investigation::{Lookalike, LookalikeVerdict, Reason};

use super::Case;
use super::hypothesis::Candidate;
use crate::fact::FactKind;
use crate::pattern::AntiPattern;

/// The look-alikes of a candidate with what became of each.
pub fn of(case: &Case<'_>, candidate: &Candidate<'_>) -> Vec<Lookalike> {
    let Some(pattern) = candidate.pattern else { return Vec::new() };
    let ruled_out: &[Reason] = candidate.fact.map_or(&[], |f| &f.ruled_out);
    let mut told: BTreeSet<usize> = BTreeSet::new();
    let mut all: Vec<Lookalike> = Vec::new();
    for row in &pattern.header.lookalike {
        if row.pattern == pattern.id {
            continue;
        }
        let other = case.library.get(&row.pattern);
        let title = other.map_or_else(|| row.pattern.to_string(), |p| p.header.title.clone());
        let named = ruled_out.iter().position(|r| names(r, &row.pattern, &title));
        all.push(match (holding(case, other, candidate), named) {
            (Some(evidence), _) => Lookalike {
                pattern: row.pattern.clone(),
                title,
                verdict: LookalikeVerdict::Holds,
                text: evidence.text,
                evidence: evidence.evidence,
            },
            (None, Some(index)) => {
                told.insert(index);
                let reason = &ruled_out[index];
                out(row.pattern.clone(), title, reason.text.clone(), reason)
            }
            // Without a state that speaks for the candidate nothing is told apart.
            (None, None) if candidate.fact.is_some() && other.is_some_and(|p| could_look(case, p)) => out(
                row.pattern.clone(),
                title,
                format!("looked for and not found; {}", row.tells),
                &Reason { text: String::new(), evidence: Vec::new(), count: None },
            ),
            (None, None) => Lookalike {
                pattern: row.pattern.clone(),
                title,
                verdict: LookalikeVerdict::Possible,
                text: row.tells.clone(),
                evidence: Vec::new(),
            },
        });
    }
    for (index, reason) in ruled_out.iter().enumerate() {
        if !told.contains(&index) {
            // Another form of the same failure that the state check looked for.
            let (title, text) = reason.text.split_once(": ").unwrap_or((reason.text.as_str(), reason.text.as_str()));
            all.push(out(pattern.id.clone(), title.to_owned(), text.to_owned(), reason));
        }
    }
    all
}

fn out(pattern: PatternId, title: String, text: String, reason: &Reason) -> Lookalike {
    Lookalike { pattern, title, verdict: LookalikeVerdict::RuledOut, text, evidence: reason.evidence.clone() }
}

/// Whether a reason names the look-alike.
fn names(reason: &Reason, id: &PatternId, title: &str) -> bool {
    let text = reason.text.to_lowercase();
    text.contains(id.as_str()) || text.contains(&title.to_lowercase())
}

/// A fact that proves the look-alike for the same component.
fn holding(case: &Case<'_>, other: Option<&AntiPattern>, candidate: &Candidate<'_>) -> Option<Reason> {
    let other = other?;
    let holds = case.facts.iter().find(|f| {
        other.confirmed_by(f)
            && candidate.fact.is_none_or(|own| own.kind != f.kind || own.is != f.is)
            && (f.component == candidate.component || f.affects.contains(&candidate.component))
    })?;
    let evidence = holds.because.iter().flat_map(|r| r.evidence.clone()).collect();
    Some(Reason { text: holds.text.clone(), evidence, count: None })
}

/// Whether the state that would prove a pattern was there to be looked at.
pub fn could_look(case: &Case<'_>, pattern: &AntiPattern) -> bool {
    let scene = case.scene;
    !pattern.header.confirm.is_empty()
        && pattern.header.confirm.iter().all(|row| match row.probe {
            FactKind::CredentialFallback | FactKind::CredentialStale | FactKind::EnvDrift => {
                !scene.containers.is_empty() && !scene.projects.is_empty()
            }
            FactKind::MountSourceMissing => {
                !scene.containers.is_empty() && (!scene.paths.is_empty() || !scene.mount_inodes.is_empty())
            }
            FactKind::ProxyUnreachable | FactKind::BackendPort => !scene.containers.is_empty(),
            FactKind::DiskUsage => !scene.filesystems.is_empty(),
            FactKind::SecretInFile => !scene.secrets.is_empty(),
            FactKind::SecretCopiesDiffer => !scene.env_files.is_empty(),
            FactKind::HealthcheckLocalhost
            | FactKind::LogUnbounded
            | FactKind::RouteNotLoaded
            | FactKind::DependencyMissing
            | FactKind::CallerPort
            | FactKind::ReadOnlyData => !scene.projects.is_empty(),
        })
}
