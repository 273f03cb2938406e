//! Judges facts by the anti-patterns: what `check` reports.

use coroner_model::Finding;

use crate::fact::Fact;
use crate::pattern::Library;

/// The findings of all facts, worst first; a fact that no pattern names is none.
pub fn judge(facts: &[Fact], library: &Library) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts
        .iter()
        .flat_map(|fact| library.iter().filter(|p| p.matches_fact(fact)).map(move |p| (fact, p)))
        .map(|(fact, pattern)| Finding {
            pattern: pattern.id.clone(),
            category: pattern.header.category,
            severity: pattern.header.severity,
            confidence: fact.confidence,
            message: fact.text.clone(),
            location: fact.location.clone(),
            evidence: fact.because.iter().flat_map(|r| r.evidence.clone()).collect(),
            remedy: if fact.remedy.is_empty() { pattern.do_instead.clone() } else { fact.remedy.clone() },
        })
        .collect();
    findings.sort_by(|a, b| {
        (a.severity, &a.location, &a.pattern, &a.message).cmp(&(b.severity, &b.location, &b.pattern, &b.message))
    });
    findings.dedup();
    findings
}
