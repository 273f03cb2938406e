//! Hypotheses: one for each bad state and each signature, ranked by weight of evidence.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use coroner_model::PatternId;
use coroner_model::finding::Confidence;
use coroner_model::investigation::{Change, Hypothesis, Reason, Status};
use jiff::{SignedDuration, Timestamp};

use super::replay::Replay;
use super::signature::Sighting;
use super::symptom::Focus;
use super::timeline::moment;
use super::topology::Relation;
use super::{Case, explain, lookalike, recent, replay};
use crate::fact::{Fact, FactKind};
use crate::pattern::AntiPattern;

/// Most hypotheses in a report.
pub const HYPOTHESES_MAX: usize = 12;
/// Most proven hypotheses whose state is kept for replay.
const REPLAYS_MAX: usize = 3;
/// How much later than the symptom a cause may seem to begin: clocks and logs lag.
const ONSET_SLACK: SignedDuration = SignedDuration::from_secs(60);

/// How long after its start a service may still be told to be away.
const START: SignedDuration = SignedDuration::from_secs(60);

/// Weights of evidence. Only their order has a meaning: a state that holds outweighs
/// any path, a path any nearness in time, and a contradiction two reasons for it.
const CONFIRMED: i64 = 4_000;
const LIKELY: i64 = 2_000;
const SIGNATURE: i64 = 120;
const IN_SYMPTOM: i64 = 160;
const REASON: i64 = 30;
const AGAINST: i64 = 2 * REASON;

/// A hypothesis before it is ranked.
pub struct Candidate<'a> {
    pub pattern: Option<&'a AntiPattern>,
    pub fact: Option<&'a Fact>,
    pub sightings: Vec<&'a Sighting>,
    pub component: String,
    pub relation: Relation,
}

/// All hypotheses, strongest first, and the states of the proven ones, cut for replay.
///
/// Sets the symptom's onset where only they know it.
pub fn rank(case: &Case<'_>, focus: &mut Focus, sightings: &[Sighting]) -> (Vec<Hypothesis>, Vec<Replay>) {
    let candidates = candidates(case, focus, sightings);
    if focus.report.onset.is_none() {
        let best = candidates.iter().filter(|c| c.relation.on_path()).filter_map(onset_of).min();
        focus.report.onset = best;
    }
    let path_known = candidates.iter().any(|c| c.fact.is_some() && (c.relation.on_path() || near_and_signed(c)));
    let mut hypotheses: Vec<Hypothesis> = candidates.iter().map(|c| weigh(case, focus, c, path_known)).collect();
    let facts: Vec<(Hypothesis, &Fact)> =
        hypotheses.iter().zip(&candidates).filter_map(|(h, c)| Some((h.clone(), c.fact?))).collect();
    hypotheses.extend(recent::open(case, focus, &hypotheses));
    hypotheses.sort_by(|a, b| {
        (Reverse(a.score), &a.pattern, &a.component, &a.title).cmp(&(
            Reverse(b.score),
            &b.pattern,
            &b.component,
            &b.title,
        ))
    });
    drop_named_lookalikes(&mut hypotheses);
    hypotheses.truncate(HYPOTHESES_MAX);
    for (index, hypothesis) in hypotheses.iter_mut().enumerate() {
        hypothesis.rank = index as u32 + 1;
    }
    let replays = replays(case, &hypotheses, &facts);
    (hypotheses, replays)
}

/// States of the proven hypotheses, as an anti-pattern learned from them needs them.
fn replays(case: &Case<'_>, ranked: &[Hypothesis], facts: &[(Hypothesis, &Fact)]) -> Vec<Replay> {
    let proven = ranked.iter().filter(|h| h.status == Status::Confirmed).take(REPLAYS_MAX);
    proven
        .filter_map(|h| {
            let same = |known: &Hypothesis| {
                known.title == h.title && known.component == h.component && known.pattern == h.pattern
            };
            let (_, fact) = facts.iter().find(|(known, _)| same(known))?;
            let place = h.explained_by.as_ref().and_then(|c| c.evidence.first()).map(|e| e.locator.as_str());
            let act = case.acts.all.iter().find(|a| place == Some(super::change::place_of(a).as_str()));
            Some(Replay { rank: h.rank, ..replay::cut(case, fact, act) })
        })
        .collect()
}

fn candidates<'a>(case: &'a Case<'_>, focus: &Focus, sightings: &'a [Sighting]) -> Vec<Candidate<'a>> {
    let mut all = Vec::new();
    let mut used: BTreeSet<(PatternId, String)> = BTreeSet::new();
    for fact in case.facts {
        let pattern = pattern_of(case, fact, sightings);
        let components: BTreeSet<&str> =
            std::iter::once(fact.component.as_str()).chain(fact.affects.iter().map(String::as_str)).collect();
        // A signature belongs to the state when it stands in the logs of who suffers, of
        // who is needed, or of who needs: a server complains of its client's password.
        let belongs =
            |s: &&Sighting| s.component.is_empty() || components.iter().any(|c| linked(case, c, &s.component));
        let own: Vec<&Sighting> =
            sightings.iter().filter(|s| patterns_of(case, fact).any(|p| p.id == s.pattern)).filter(belongs).collect();
        used.extend(own.iter().map(|s| (s.pattern.clone(), s.component.clone())));
        let relation =
            components.iter().map(|c| relation_of(case, focus, fact, c)).min().unwrap_or(Relation::Unrelated);
        all.push(Candidate { pattern, fact: Some(fact), sightings: own, component: fact.component.clone(), relation });
    }
    let mut rest: Vec<&Sighting> =
        sightings.iter().filter(|s| !used.contains(&(s.pattern.clone(), s.component.clone()))).collect();
    // Words quoted by a person add nothing where a log already says them.
    rest.retain(|s| s.count > 0 || !used.iter().any(|(p, _)| *p == s.pattern));
    for sighting in rest {
        let Some(pattern) = case.library.get(&sighting.pattern) else { continue };
        let relation = match sighting.component.as_str() {
            "" => Relation::Unfocused,
            component => case.topology.relation(&focus.components, component),
        };
        all.push(Candidate {
            pattern: Some(pattern),
            fact: None,
            sightings: vec![sighting],
            component: sighting.component.clone(),
            relation,
        });
    }
    all
}

/// Whether two components are one, or one needs the other.
fn linked(case: &Case<'_>, a: &str, b: &str) -> bool {
    let focus = BTreeSet::from([a.to_owned()]);
    matches!(
        case.topology.relation(&focus, b),
        Relation::Same | Relation::Dependency(_) | Relation::Dependent | Relation::Proxy
    )
}

fn relation_of(case: &Case<'_>, focus: &Focus, fact: &Fact, component: &str) -> Relation {
    match case.topology.relation(&focus.components, component) {
        // A full filesystem is nobody's service and everybody's floor.
        Relation::Unrelated | Relation::Network if fact.kind == FactKind::DiskUsage => Relation::Host,
        other => other,
    }
}

/// Patterns that name a fact.
pub fn patterns_of<'a>(case: &'a Case<'_>, fact: &'a Fact) -> impl Iterator<Item = &'a AntiPattern> {
    case.library.iter().filter(move |p| p.confirmed_by(fact) || p.matches_fact(fact))
}

/// The pattern that speaks for a fact: one that it proves, whose signature was seen,
/// that says more about it, in this order.
fn pattern_of<'a>(case: &'a Case<'_>, fact: &Fact, sightings: &[Sighting]) -> Option<&'a AntiPattern> {
    case.library.iter().filter(|p| p.confirmed_by(fact) || p.matches_fact(fact)).min_by_key(|p| {
        let seen = sightings.iter().any(|s| s.pattern == p.id);
        let exact = p.header.confirm.iter().any(|row| row.probe == fact.kind && !row.is.is_empty());
        (!p.confirmed_by(fact), !seen, !p.matches_fact(fact), !exact, p.id.clone())
    })
}

fn onset_of(candidate: &Candidate<'_>) -> Option<Timestamp> {
    let first = candidate.sightings.iter().filter_map(|s| s.first).min();
    // A signature is the symptom seen; the state may be older.
    first.or(candidate.fact.and_then(|f| f.onset))
}

/// When the candidate's own consequence was first seen.
///
/// Where nobody said what is broken, another component's trouble may be older; then the
/// errors of the component and of those who need it count.
fn seen_at(case: &Case<'_>, focus: &Focus, candidate: &Candidate<'_>) -> Option<Timestamp> {
    let named = focus.report.onset.filter(|_| !focus.components.is_empty());
    let of_it = BTreeSet::from([candidate.component.clone()]);
    let suffers =
        |component: &str| matches!(case.topology.relation(&of_it, component), Relation::Same | Relation::Dependent);
    let own = case.errors.iter().filter(|e| suffers(&e.component)).filter_map(|e| e.first).min();
    let seen = onset_of(candidate).into_iter().chain(named).min();
    seen.or(own).or(focus.report.onset)
}

fn weigh(case: &Case<'_>, focus: &Focus, candidate: &Candidate<'_>, path_known: bool) -> Hypothesis {
    let starting = starting(case, focus, candidate);
    let status = if starting.is_some() { Status::Open } else { status(candidate, path_known) };
    let onset = focus.report.onset;
    let begin = candidate.fact.and_then(|f| f.onset).or(onset_of(candidate));
    let until = seen_at(case, focus, candidate);
    let explained_by = match candidate.fact {
        Some(fact) => explain::explain(case, fact, until),
        None => {
            let kinds: Vec<FactKind> =
                candidate.pattern.iter().flat_map(|p| p.header.confirm.iter().map(|row| row.probe)).collect();
            explain::explain_signature(case, &candidate.component, &kinds, until)
        }
    };
    let because = because(candidate);
    let mut against = against(case, candidate, onset, begin);
    against.extend(starting.map(plain));
    let mut score = match status {
        Status::Confirmed => CONFIRMED,
        Status::Likely => LIKELY,
        Status::Open => 0,
    };
    score += path_weight(candidate.relation) + nearness(explained_by.as_ref(), onset, begin);
    score += candidate.sightings.iter().any(|s| s.count > 0) as i64 * SIGNATURE;
    score += candidate.sightings.iter().any(|s| s.in_symptom) as i64 * IN_SYMPTOM;
    score += candidate.fact.map_or(0, specificity);
    score -= against.len() as i64 * AGAINST;
    let lookalikes = lookalike::of(case, candidate);
    Hypothesis {
        rank: 0,
        pattern: candidate.pattern.map(|p| p.id.clone()),
        title: title(candidate),
        status,
        score,
        component: candidate.component.clone(),
        because,
        against,
        explained_by,
        lookalikes,
        remedy: remedy(candidate),
    }
}

/// Why a mere signature is the noise of a start: the address answers now, and what it says was
/// said while something was starting that was needed for it.
fn starting(case: &Case<'_>, focus: &Focus, candidate: &Candidate<'_>) -> Option<String> {
    if !focus.answers || candidate.fact.is_some() || candidate.sightings.iter().any(|s| s.in_symptom) {
        return None;
    }
    let last = candidate.sightings.iter().filter_map(|s| s.last.or(s.first)).max()?;
    let container = case.scene.containers.iter().find(|c| {
        let needed = linked(case, &candidate.component, c.component());
        needed && c.state.started_at.is_some_and(|at| at <= last && last.duration_since(at) < START)
    })?;
    Some(format!("it was said while {} was starting, and the address answers now", container.component()))
}

/// The rule: a proven state on the path confirms, a signature alone makes likely, the rest is open.
fn status(candidate: &Candidate<'_>, path_known: bool) -> Status {
    let proven = match (candidate.fact, candidate.pattern) {
        // Where half of the state could not be seen, the failure itself in a log is the other half.
        (Some(fact), Some(pattern)) => {
            let seen = candidate.sightings.iter().any(|s| s.count > 0);
            pattern.confirmed_by(fact) && (fact.confidence > Confidence::Low || seen)
        }
        _ => false,
    };
    let reaches = candidate.relation.on_path() || near_and_signed(candidate);
    match (proven, reaches, signed(candidate)) {
        (true, true, _) => Status::Confirmed,
        (_, true, true) => Status::Likely,
        // Where no path leads anywhere else, a neighbour's proven state is worth a look.
        (true, false, _) if candidate.relation <= Relation::Network && !path_known => Status::Likely,
        _ => Status::Open,
    }
}

fn signed(candidate: &Candidate<'_>) -> bool {
    candidate.sightings.iter().any(|s| s.count > 0 || s.in_symptom)
}

/// A shared network counts as a path once the state's own signature was seen: no
/// declaration need name a dependency that an error line proves.
fn near_and_signed(candidate: &Candidate<'_>) -> bool {
    candidate.fact.is_some() && candidate.relation <= Relation::Network && signed(candidate)
}

fn path_weight(relation: Relation) -> i64 {
    match relation {
        Relation::Same => 600,
        Relation::Dependency(steps) => 560 - 40 * i64::from(steps.min(8)),
        Relation::Proxy => 500,
        Relation::Host => 300,
        Relation::Unfocused => 400,
        Relation::Dependent => 150,
        Relation::Network => 100,
        Relation::Unrelated => 0,
    }
}

/// How near to the onset the explaining change lies, or the state's own beginning.
fn nearness(change: Option<&Change>, onset: Option<Timestamp>, begin: Option<Timestamp>) -> i64 {
    let found = i64::from(change.is_some()) * 20;
    let Some(onset) = onset else { return found };
    let Some(at) = change.and_then(|c| c.at).or(begin) else { return found };
    let apart = onset.duration_since(at).abs();
    let near = match apart.as_mins() {
        ..15 => 80,
        15..60 => 60,
        60..1440 => 40,
        _ => 10,
    };
    found + near
}

fn specificity(fact: &Fact) -> i64 {
    let sure = match fact.confidence {
        Confidence::High => 30,
        Confidence::Medium => 15,
        Confidence::Low => 0,
    };
    sure + 5 * fact.because.len().min(6) as i64
}

fn because(candidate: &Candidate<'_>) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = candidate.fact.map(|f| f.because.clone()).unwrap_or_default();
    for sighting in &candidate.sightings {
        let cited = sighting.cited.first();
        if let Some(known) =
            reasons.iter_mut().find(|r| cited.is_some_and(|c| r.evidence.iter().any(|e| e.locator == c.locator)))
        {
            known.count = known.count.or((sighting.count > 1).then_some(sighting.count));
            continue;
        }
        reasons.push(sighting.reason());
    }
    reasons
}

fn against(
    case: &Case<'_>,
    candidate: &Candidate<'_>,
    onset: Option<Timestamp>,
    begin: Option<Timestamp>,
) -> Vec<Reason> {
    let mut reasons = candidate.fact.map(|f| f.against.clone()).unwrap_or_default();
    if !candidate.relation.on_path() {
        reasons.push(plain(format!("{}: {}", candidate.component, candidate.relation.words())));
    }
    if let (Some(onset), Some(begin)) = (onset, begin)
        && begin.duration_since(onset) > ONSET_SLACK
    {
        reasons.push(plain(format!("it began {}, after the symptom ({})", moment(begin), moment(onset))));
    }
    if candidate.fact.is_none()
        && let Some(pattern) = candidate.pattern
        && lookalike::could_look(case, pattern)
    {
        reasons.push(plain("the state that would prove it was looked for and not found".to_owned()));
    }
    reasons
}

fn plain(text: String) -> Reason {
    Reason { text, evidence: Vec::new(), count: None }
}

fn title(candidate: &Candidate<'_>) -> String {
    match (candidate.fact, candidate.pattern) {
        (Some(fact), _) => fact.text.trim_end_matches('.').to_owned(),
        (None, Some(pattern)) => pattern.header.title.clone(),
        (None, None) => String::new(),
    }
}

fn remedy(candidate: &Candidate<'_>) -> String {
    let own = candidate.fact.map(|f| f.remedy.clone()).filter(|r| !r.is_empty());
    own.or_else(|| candidate.pattern.map(|p| p.do_instead.clone())).unwrap_or_default()
}

/// A mere signature that a proven cause already names as its look-alike is told there.
fn drop_named_lookalikes(hypotheses: &mut Vec<Hypothesis>) {
    let mut named: BTreeSet<PatternId> = BTreeSet::new();
    hypotheses.retain(|h| {
        let signature_only = h.explained_by.is_none() && h.status != Status::Confirmed;
        let told = h.pattern.as_ref().is_some_and(|p| named.contains(p));
        if signature_only && told {
            return false;
        }
        if h.status == Status::Confirmed {
            named.extend(h.lookalikes.iter().map(|l| l.pattern.clone()));
        }
        true
    });
}
