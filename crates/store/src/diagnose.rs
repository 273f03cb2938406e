//! Tells swapped, inserted and removed records apart, once the order is known not to fit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How one record is linked into the chain.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) prev: Vec<u8>,
    pub(crate) chain: Vec<u8>,
    /// The chain value that it should carry; differs where it was changed.
    pub(crate) own: Vec<u8>,
}

/// Names the records that do not stand where the chain puts them.
///
/// The chain itself tells the true order: from its beginning, each record is
/// followed by the one that names it. What is never reached was inserted; what
/// is reached elsewhere was swapped; where nothing follows, something is gone.
pub(crate) fn diagnose(links: &[Link], genesis: &[u8]) -> Vec<(u64, String)> {
    let walk = walk(links, genesis);
    let mut named = BTreeMap::new();
    let mut sorted = walk.order.clone();
    sorted.sort_unstable();
    for (&stands, &belongs) in walk.order.iter().zip(&sorted) {
        if stands != belongs {
            let (stands, belongs) = (links[stands].seq, links[belongs].seq);
            named.insert(stands, format!("the record was swapped: by its chain it belongs at {belongs}"));
        }
    }
    for at in walk.starts {
        let is_after_gap = at == 0 || links[at].seq != links[at - 1].seq + 1;
        if !is_after_gap || links[at].seq == 1 {
            named.entry(links[at].seq).or_insert_with(|| "one or more records before this one were removed".to_owned());
        }
    }
    let reached: BTreeSet<usize> = walk.order.iter().copied().collect();
    for (at, link) in links.iter().enumerate() {
        if !reached.contains(&at) {
            named.insert(link.seq, "the record was inserted: nothing in the chain follows it".to_owned());
        }
    }
    named.into_iter().collect()
}

struct Walk {
    /// Indexes in the true order.
    order: Vec<usize>,
    /// Indexes at which the walk had to begin again.
    starts: Vec<usize>,
}

fn walk(links: &[Link], genesis: &[u8]) -> Walk {
    let mut followers: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (at, link) in links.iter().enumerate() {
        followers.entry(&link.prev).or_default().push(at);
    }
    let values: BTreeSet<&[u8]> =
        links.iter().flat_map(|l| [l.chain.as_slice(), l.own.as_slice()]).chain([genesis]).collect();
    let mut orphans = (0..links.len()).filter(|&at| !values.contains(links[at].prev.as_slice()));
    let mut walk = Walk { order: Vec::new(), starts: Vec::new() };
    let mut seen = vec![false; links.len()];
    let mut ends = vec![genesis.to_vec()];
    loop {
        let next = match best(links, &followers, &ends, &seen) {
            Some(next) => next,
            None => match orphans.find(|&at| !seen[at] && leads_on(links, &followers, at)) {
                Some(orphan) => {
                    walk.starts.push(orphan);
                    orphan
                }
                None => return walk,
            },
        };
        seen[next] = true;
        walk.order.push(next);
        ends = vec![links[next].chain.clone(), links[next].own.clone()];
    }
}

/// An orphan at the end of the ledger is where it goes on; one that nothing follows inside of it is foreign.
fn leads_on(links: &[Link], followers: &HashMap<&[u8], Vec<usize>>, at: usize) -> bool {
    at + 1 == links.len() || followers.contains_key(links[at].chain.as_slice())
}

/// The follower with the longest way to go; a forged branch ends soon.
fn best(links: &[Link], followers: &HashMap<&[u8], Vec<usize>>, ends: &[Vec<u8>], seen: &[bool]) -> Option<usize> {
    let mut candidates: Vec<usize> = ends
        .iter()
        .filter_map(|end| followers.get(end.as_slice()))
        .flatten()
        .copied()
        .filter(|&at| !seen[at])
        .collect();
    candidates.sort_unstable();
    candidates.dedup();
    if candidates.len() < 2 {
        return candidates.pop();
    }
    candidates.into_iter().max_by_key(|&at| (way(links, followers, at), std::cmp::Reverse(at)))
}

fn way(links: &[Link], followers: &HashMap<&[u8], Vec<usize>>, from: usize) -> usize {
    let (mut at, mut steps) = (from, 0);
    while steps < links.len() {
        let Some(&next) = followers.get(links[at].chain.as_slice()).and_then(|f| f.first()) else { break };
        at = next;
        steps += 1;
    }
    steps
}
