//! `incident`: new, list, show, edit, import, export and search over what the store keeps.
//!
//! Incidents live in the store; Markdown and JSON are the forms in which they come
//! and go. What comes in is redacted before it is kept. Importing a page again adds
//! nothing, and what a person has edited since is left as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use coroner_act::{ActError, Existing, FileWrite, Plan};
use coroner_model::incident::{
    INCIDENTS_SCHEMA, Incident, IncidentList, IncidentStatus, PatternDraft, Problem, ProblemKind,
};
use coroner_model::{Category, IncidentId, Redactor, Severity};
use coroner_read::failure_page::{self, Link, Page, PageError, id_of};
use coroner_read::incident_file::{self, FileError};
use coroner_store::{Kept, Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The schema that `incident show` carries.
pub const INCIDENT_SCHEMA: &str = "coroner/incident/v1";
/// The schema that `incident import` carries.
pub const IMPORT_SCHEMA: &str = "coroner/import/v1";
/// Ids named where the letters given fit several.
const CANDIDATE_COUNT_MAX: usize = 5;
/// Incidents that a search gives at most.
const SEARCH_COUNT_MAX: usize = 1_000;

/// Why an incident verb cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Write(#[from] ActError),
    #[error("no incident has the id {id}")]
    Unknown { id: String },
    #[error("several incidents begin with {id}: {}", candidates.join(", "))]
    Ambiguous { id: String, candidates: Vec<String> },
    #[error("an incident needs a title")]
    NoTitle,
    #[error("{date} is no date such as 2026-01-23 or 2026-01-23T05:12:09Z")]
    NoDate { date: String },
    #[error("the text holds {count} incidents; an edit is of one")]
    NotOne { count: usize },
    #[error("the text has the id {found}, and {id} is edited")]
    OtherId { id: IncidentId, found: IncidentId },
}

impl IncidentError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            IncidentError::Store(error) => error.hint().unwrap_or_default(),
            IncidentError::Page(error) => error.hint(),
            IncidentError::File(error) => error.hint(),
            IncidentError::Write(error) => error.hint(),
            IncidentError::Unknown { .. } => "`coroner incident list` shows the ids",
            IncidentError::Ambiguous { .. } => "give more of the id",
            IncidentError::NoTitle => "say in one line what broke",
            IncidentError::NoDate { .. } => "leave the date out where it is not known",
            IncidentError::NotOne { .. } => "use `coroner incident import` for several",
            IncidentError::OtherId { .. } => "leave the id as it is; it is how others refer to the incident",
        }
    }
}

/// Which incidents are meant; each field that is set narrows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    pub severities: Vec<Severity>,
    pub statuses: Vec<IncidentStatus>,
    pub categories: Vec<Category>,
    /// A session as written, such as `23-B`; `23` also finds `~23`.
    pub session: Option<String>,
    /// Days in RFC 3339; undated incidents lie in no span.
    pub since: Option<String>,
    pub until: Option<String>,
    /// Words that all must occur.
    pub query: Option<String>,
}

impl IncidentFilter {
    fn is_empty(&self) -> bool {
        *self == IncidentFilter::default()
    }

    fn admits(&self, incident: &Incident) -> bool {
        let any = |empty: bool, holds: bool| empty || holds;
        let bare = |s: &str| s.trim_start_matches(['~', '#']).to_lowercase();
        any(self.severities.is_empty(), incident.severity.is_some_and(|s| self.severities.contains(&s)))
            && any(self.statuses.is_empty(), self.statuses.contains(&incident.status))
            && any(self.categories.is_empty(), incident.category.is_some_and(|c| self.categories.contains(&c)))
            && self.session.as_deref().is_none_or(|s| incident.sessions.iter().any(|own| bare(own) == bare(s)))
            && self.since.as_deref().is_none_or(|since| day(incident).is_some_and(|d| d >= since_day(since)))
            && self.until.as_deref().is_none_or(|until| day(incident).is_some_and(|d| d <= since_day(until)))
    }
}

fn day(incident: &Incident) -> Option<&str> {
    incident.date.as_deref().map(since_day)
}

fn since_day(date: &str) -> &str {
    date.get(..10).unwrap_or(date)
}

/// Lists incidents, in the order in which they came, with what is wrong about them.
pub fn list(store: &Store, filter: &IncidentFilter) -> Result<IncidentList, IncidentError> {
    let all = store.incidents()?;
    let problems: Vec<Problem> = store.problems()?.into_iter().filter(|p| still_holds(p, &all)).collect();
    let found: Option<BTreeSet<IncidentId>> = match &filter.query {
        Some(query) => Some(store.search_incidents(query, SEARCH_COUNT_MAX)?.into_iter().collect()),
        None => None,
    };
    let wanted = |i: &Incident| filter.admits(i) && found.as_ref().is_none_or(|f| f.contains(&i.id));
    let incidents: Vec<Incident> = all.into_iter().filter(wanted).collect();
    let listed: BTreeSet<&IncidentId> = incidents.iter().map(|i| &i.id).collect();
    let problems = problems
        .into_iter()
        .filter(|p| p.incident.as_ref().map_or(filter.is_empty(), |id| listed.contains(id)))
        .collect();
    Ok(IncidentList { schema: INCIDENTS_SCHEMA.to_owned(), incidents, problems })
}

/// Incidents that hold all the words, best first.
pub fn search(store: &Store, query: &str, limit: usize) -> Result<Vec<Incident>, IncidentError> {
    let mut by_id: BTreeMap<IncidentId, Incident> = store.incidents()?.into_iter().map(|i| (i.id.clone(), i)).collect();
    let ids = store.search_incidents(query, limit)?;
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// Whether what a page got wrong is still so after the incident was edited.
fn still_holds(problem: &Problem, incidents: &[Incident]) -> bool {
    let Some(id) = &problem.incident else { return true };
    let Some(incident) = incidents.iter().find(|i| i.id == *id) else { return false };
    match problem.kind {
        ProblemKind::Undated => incident.date.is_none(),
        ProblemKind::StatusAsSeverity | ProblemKind::Unreadable => incident.severity.is_none(),
        ProblemKind::Contradiction => incident.contradictions.contains(&problem.text),
        ProblemKind::CountMismatch | ProblemKind::Order => true,
    }
}

/// What `incident show`, `new` and `edit` answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentReport {
    pub schema: String,
    pub incident: Incident,
    pub problems: Vec<Problem>,
    /// When each state of it was recorded, oldest first.
    pub revisions: Vec<Option<Timestamp>>,
}

/// Shows one incident, by its id or the beginning of it.
pub fn show(store: &Store, id: &str) -> Result<IncidentReport, IncidentError> {
    let id = resolve(store, id)?;
    let incident = store.incident(&id)?.ok_or_else(|| IncidentError::Unknown { id: id.to_string() })?;
    let problems = store.problems()?.into_iter().filter(|p| p.incident.as_ref() == Some(&id));
    let problems = problems.filter(|p| still_holds(p, std::slice::from_ref(&incident))).collect();
    let revisions = store.incident_revisions(&id)?.into_iter().map(|r| r.at).collect();
    Ok(IncidentReport { schema: INCIDENT_SCHEMA.to_owned(), incident, problems, revisions })
}

/// The incident whose id is given, begins so, or holds it, whichever is unique first.
fn resolve(store: &Store, given: &str) -> Result<IncidentId, IncidentError> {
    let ids: Vec<IncidentId> = store.incidents()?.into_iter().map(|i| i.id).collect();
    if let Some(id) = ids.iter().find(|id| id.as_str() == given) {
        return Ok(id.clone());
    }
    let fits: [fn(&str, &str) -> bool; 2] = [|id, given| id.starts_with(given), |id, given| id.contains(given)];
    for fit in fits {
        let found: Vec<&IncidentId> = ids.iter().filter(|id| !given.is_empty() && fit(id.as_str(), given)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok((*one).clone()),
            several => {
                let candidates = several.iter().take(CANDIDATE_COUNT_MAX).map(ToString::to_string).collect();
                return Err(IncidentError::Ambiguous { id: given.to_owned(), candidates });
            }
        }
    }
    Err(IncidentError::Unknown { id: given.to_owned() })
}

/// Keeps a new incident; its id is made of its date and title.
pub fn new(store: &Store, mut incident: Incident, now: Timestamp) -> Result<IncidentReport, IncidentError> {
    if incident.title.trim().is_empty() {
        return Err(IncidentError::NoTitle);
    }
    if let Some(date) = incident.date.as_deref().filter(|d| !incident_file::is_date(d)) {
        return Err(IncidentError::NoDate { date: date.to_owned() });
    }
    redact(&mut incident, &redactor_for(store, &[]));
    incident_file::normal(&mut incident);
    let taken: BTreeSet<IncidentId> = store.incidents()?.into_iter().map(|i| i.id).collect();
    let base = id_of(incident.date.as_deref(), &incident.title);
    let numbered = (2..).map(|n| IncidentId::new(format!("{base}-{n}")));
    incident.id = std::iter::once(base.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or(base.clone());
    store.put_incident(&incident, now)?;
    recalled_later(store);
    show(store, incident.id.as_str())
}

/// The text that a person edits.
pub fn edit_form(store: &Store, id: &str) -> Result<String, IncidentError> {
    Ok(incident_file::write(&show(store, id)?.incident))
}

/// Keeps an edited text as the next state of an incident; earlier states stay.
pub fn edit(store: &Store, id: &str, text: &str, now: Timestamp) -> Result<IncidentReport, IncidentError> {
    let id = resolve(store, id)?;
    let list = incident_file::read(text, &format!("{id}.md"))?;
    let mut incidents = list.map(|l| l.incidents).unwrap_or_default();
    let count = incidents.len();
    let Some(mut incident) = incidents.pop().filter(|_| count == 1) else {
        return Err(IncidentError::NotOne { count });
    };
    if incident.id != id {
        return Err(IncidentError::OtherId { id, found: incident.id });
    }
    redact(&mut incident, &redactor_for(store, &[text]));
    store.put_incident(&incident, now)?;
    recalled_later(store);
    show(store, id.as_str())
}

/// What `incident import` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    pub schema: String,
    pub file: String,
    /// Incidents that the file holds.
    pub incidents: usize,
    pub added: Vec<IncidentId>,
    /// Changed by an export that was edited.
    pub revised: Vec<IncidentId>,
    pub unchanged: usize,
    /// Differ from what the page says, and were left as they are.
    pub left: Vec<IncidentId>,
    /// Links to post-mortems elsewhere.
    pub links: usize,
    /// Entries of a failure log.
    pub drafts: Vec<PatternDraft>,
    /// Entries of a failure log that were not known.
    pub drafts_added: u64,
    /// What the page gets wrong about itself.
    pub problems: Vec<Problem>,
    /// Texts from which a secret was taken out.
    pub redactions: usize,
}

/// Imports a failure page, a failure log, a list of post-mortems, or an export.
pub fn import(store: &Store, text: &str, name: &str, now: Timestamp) -> Result<ImportReport, IncidentError> {
    let ours = incident_file::read(text.trim_start_matches('\u{feff}'), name)?.is_some();
    let mut page = failure_page::read(text, name)?;
    let redactions = redact_page(&mut page, &redactor_for(store, &[text]));
    page.incidents.iter_mut().for_each(incident_file::normal);
    let known: BTreeMap<IncidentId, Incident> = store.incidents()?.into_iter().map(|i| (i.id.clone(), i)).collect();
    let mut report = ImportReport {
        schema: IMPORT_SCHEMA.to_owned(),
        file: name.to_owned(),
        incidents: page.incidents.len(),
        links: page.links.len(),
        redactions,
        ..ImportReport::default()
    };
    // A page is older than what a person wrote since; an export that differs was edited on purpose.
    let differs = |i: &Incident| known.get(&i.id).is_some_and(|k| k != i);
    let (left, wanted): (Vec<Incident>, Vec<Incident>) = page.incidents.into_iter().partition(|i| !ours && differs(i));
    report.left = left.into_iter().map(|i| i.id).collect();
    for (incident, kept) in wanted.iter().zip(store.put_incidents(&wanted, now)?) {
        match kept {
            Kept::Added => report.added.push(incident.id.clone()),
            Kept::Revised => report.revised.push(incident.id.clone()),
            Kept::Unchanged => report.unchanged += 1,
        }
    }
    store.put_problems(&page.problems, now)?;
    report.drafts_added = store.put_drafts(&page.drafts, now)?;
    recalled_later(store);
    report.problems = page.problems;
    report.drafts = page.drafts;
    Ok(report)
}

/// A form of export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportForm {
    #[default]
    Json,
    Markdown,
}

/// Incidents as text that imports as they are.
pub fn export(store: &Store, filter: &IncidentFilter, form: ExportForm) -> Result<String, IncidentError> {
    let list = list(store, filter)?;
    match form {
        ExportForm::Json => Ok(incident_file::write_json(&list).map_err(StoreError::from)?),
        ExportForm::Markdown => Ok(incident_file::write_stream(&list)),
    }
}

/// Name of the file that holds the problems in an export of one file each.
pub const PROBLEMS_FILE: &str = "_problems.md";

/// Incidents as files, one each, with their names.
pub fn export_files(store: &Store, filter: &IncidentFilter) -> Result<Vec<(String, String)>, IncidentError> {
    let list = list(store, filter)?;
    let mut files: Vec<(String, String)> =
        list.incidents.iter().map(|i| (format!("{}.md", i.id), incident_file::write(i))).collect();
    if !list.problems.is_empty() {
        let head = IncidentList { incidents: Vec::new(), ..list };
        files.push((PROBLEMS_FILE.to_owned(), incident_file::write_stream(&head)));
    }
    Ok(files)
}

/// Writes exported files into a folder, replacing older exports of the same incidents.
pub fn write_files(folder: &Path, files: Vec<(String, String)>) -> Result<usize, IncidentError> {
    let write = |(name, text): (String, String)| FileWrite {
        path: folder.join(name),
        text,
        mode: 0o644,
        existing: Existing::Replace,
    };
    let plan = Plan { writes: files.into_iter().map(write).collect() };
    plan.apply()?;
    Ok(plan.writes.len())
}

/// Keeps the sample incidents, so that there is something to look at.
pub fn load_casebook(store: &Store, now: Timestamp) -> Result<usize, IncidentError> {
    let incidents = coroner_read::casebook::incidents()?;
    let problems: Vec<Problem> = incidents.iter().flat_map(failure_page::own_problems).collect();
    let kept = store.put_incidents(&incidents, now)?;
    store.put_problems(&problems, now)?;
    recalled_later(store);
    Ok(kept.iter().filter(|k| **k == Kept::Added).count())
}

/// What incidents touched is recalled before commands from a file of its own, which can be made anew at any time.
fn recalled_later(store: &Store) {
    let _ = crate::lessons::refresh(store);
}

/// A redactor under the store's key that knows the secrets of the texts.
fn redactor_for(store: &Store, texts: &[&str]) -> Redactor {
    let mut redactor = Redactor::new(store.redaction_key());
    texts.iter().for_each(|text| redactor.learn(text));
    redactor
}

/// Takes secrets out of a page; an id is made anew where its title held one.
fn redact_page(page: &mut Page, redactor: &Redactor) -> usize {
    let mut renamed: BTreeMap<IncidentId, IncidentId> = BTreeMap::new();
    let mut count = 0;
    for incident in &mut page.incidents {
        let title = incident.title.clone();
        count += redact(incident, redactor);
        if incident.title != title {
            let id = id_of(incident.date.as_deref(), &incident.title);
            renamed.insert(std::mem::replace(&mut incident.id, id.clone()), id);
        }
    }
    for problem in &mut page.problems {
        count += clean(&mut problem.text, redactor);
        if let Some(id) = problem.incident.as_ref().and_then(|id| renamed.get(id)) {
            problem.incident = Some(id.clone());
        }
    }
    for Link { title, url, .. } in &mut page.links {
        count += clean(title, redactor) + clean(url, redactor);
    }
    for draft in &mut page.drafts {
        count += clean(&mut draft.title, redactor);
        count += draft.fields.iter_mut().map(|(_, text)| clean(text, redactor)).sum::<usize>();
    }
    count
}

/// Takes secrets out of an incident; gives the number of texts that held one.
fn redact(incident: &mut Incident, redactor: &Redactor) -> usize {
    let texts = [
        Some(&mut incident.title),
        incident.what_happened.as_mut(),
        incident.root_cause.as_mut(),
        incident.data_lost.as_mut(),
        incident.fix.as_mut(),
        incident.lesson.as_mut(),
        Some(&mut incident.body),
    ];
    let texts = texts.into_iter().flatten().chain(&mut incident.sessions).chain(&mut incident.contradictions);
    let cited = incident.evidence.iter_mut().map(|c| &mut c.text);
    texts.chain(cited).map(|text| clean(text, redactor)).sum()
}

fn clean(text: &mut String, redactor: &Redactor) -> usize {
    let cleaned = redactor.redact(text);
    let held = cleaned.as_str() != text.as_str();
    if held {
        *text = cleaned.to_string();
    }
    usize::from(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-05-01T10:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().expect("a time")
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        (folder, store)
    }

    fn page() -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../read/tests/fixtures/failure-page.txt");
        std::fs::read_to_string(path).expect("the fixture")
    }

    #[test]
    fn importing_a_page_twice_adds_nothing() {
        let (_folder, store) = store();
        let first = import(&store, &page(), "page.txt", now()).expect("imports");
        assert_eq!((first.added.len(), first.incidents, first.problems.len()), (5, 5, 5));
        let exported = export(&store, &IncidentFilter::default(), ExportForm::Json).expect("exports");
        let records = store.verify().expect("verifies").records;
        let second = import(&store, &page(), "page.txt", now()).expect("imports");
        assert_eq!((second.added.len(), second.unchanged), (0, 5));
        assert_eq!(store.verify().expect("verifies").records, records);
        assert_eq!(export(&store, &IncidentFilter::default(), ExportForm::Json).expect("exports"), exported);
    }

    #[test]
    fn an_export_imports_into_an_empty_store_as_the_same_bytes() {
        let (_folder, first) = store();
        import(&first, &page(), "page.txt", now()).expect("imports");
        load_casebook(&first, now()).expect("loads");
        for form in [ExportForm::Json, ExportForm::Markdown] {
            let exported = export(&first, &IncidentFilter::default(), form).expect("exports");
            let (_folder, second) = store();
            import(&second, &exported, "export", now()).expect("imports");
            assert_eq!(export(&second, &IncidentFilter::default(), form).expect("exports"), exported);
        }
        let files = export_files(&first, &IncidentFilter::default()).expect("exports");
        let (_folder, third) = store();
        for (name, text) in &files {
            import(&third, text, name, now()).expect("imports");
        }
        let mut again = export_files(&third, &IncidentFilter::default()).expect("exports");
        let mut files = files;
        files.sort();
        again.sort();
        assert_eq!(again, files);
    }

    #[test]
    fn an_edit_stays_when_the_page_is_imported_again() {
        let (_folder, store) = store();
        import(&store, &page(), "page.txt", now()).expect("imports");
        let id = "undated-new-routes";
        let form = edit_form(&store, id)
            .expect("a form")
            .replace("status = \"open\"", "status = \"resolved\"\ndate = \"2026-02-01\"");
        let report = edit(&store, id, &form, now()).expect("edits");
        assert_eq!(
            (report.incident.status, report.revisions.len(), report.problems.len()),
            (IncidentStatus::Resolved, 2, 0)
        );
        let again = import(&store, &page(), "page.txt", now()).expect("imports");
        assert_eq!((again.left.len(), again.unchanged), (1, 4));
        assert_eq!(show(&store, id).expect("shows").incident.status, IncidentStatus::Resolved);
        assert!(matches!(edit(&store, "2026-03-14", &form, now()), Err(IncidentError::OtherId { .. })));
    }

    #[test]
    fn secrets_of_a_page_are_not_kept() {
        let (_folder, store) = store();
        let key = format!("ghp_{}", "a1B2c3D4".repeat(5));
        let text = format!(
            "Token {key} leaked\nCritical\nSession 3 2026-01-02\nWhat Happened A key {key} was printed. Root Cause It stood in argv. Fix Rotated. Lesson Source it.\n"
        );
        let report = import(&store, &text, "page.txt", now()).expect("imports");
        assert!(report.redactions >= 2 && report.added.len() == 1, "{report:?}");
        let exported = export(&store, &IncidentFilter::default(), ExportForm::Markdown).expect("exports");
        assert!(!exported.to_lowercase().contains(&key.to_lowercase()), "{exported}");
        assert!(exported.contains("hmac:"));
    }

    #[test]
    fn filters_narrow_and_words_find() {
        let (_folder, store) = store();
        import(&store, &page(), "page.txt", now()).expect("imports");
        let count = |filter: IncidentFilter| list(&store, &filter).expect("lists").incidents.len();
        assert_eq!(count(IncidentFilter { severities: vec![Severity::Major], ..Default::default() }), 2);
        assert_eq!(count(IncidentFilter { session: Some("9".into()), ..Default::default() }), 1);
        assert_eq!(count(IncidentFilter { since: Some("2026-03-20".into()), ..Default::default() }), 2);
        assert_eq!(
            count(IncidentFilter {
                categories: vec![Category::Docker],
                query: Some("compose".into()),
                ..Default::default()
            }),
            1
        );
        assert_eq!(count(IncidentFilter { statuses: vec![IncidentStatus::Mitigated], ..Default::default() }), 0);
        assert_eq!(
            search(&store, "photo archive", 3).expect("finds")[0].id.as_str(),
            "2026-03-14-mirror-job-emptied-the-photo-archive"
        );
        let listed =
            list(&store, &IncidentFilter { severities: vec![Severity::Minor], ..Default::default() }).expect("lists");
        assert_eq!(listed.problems.len(), 1, "only what concerns the listed one");
    }

    #[test]
    fn a_new_incident_gets_an_id_of_its_own() {
        let (_folder, store) = store();
        let incident =
            || Incident { title: "Disk full".into(), date: Some("2026-01-02".into()), ..Incident::default() };
        assert_eq!(new(&store, incident(), now()).expect("keeps").incident.id.as_str(), "2026-01-02-disk-full");
        assert_eq!(new(&store, incident(), now()).expect("keeps").incident.id.as_str(), "2026-01-02-disk-full-2");
        assert!(matches!(show(&store, "2026-01-02-disk"), Err(IncidentError::Ambiguous { .. })));
        assert!(matches!(show(&store, "nothing"), Err(IncidentError::Unknown { .. })));
        assert!(matches!(new(&store, Incident::default(), now()), Err(IncidentError::NoTitle)));
        let wrong = Incident { date: Some("23.01.2026".into()), ..incident() };
        assert!(matches!(new(&store, wrong, now()), Err(IncidentError::NoDate { .. })));
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_a_hint() {
        let (_folder, store) = store();
        let error = import(&store, "# Shopping\n\n- milk\n", "list.md", now()).expect_err("no page");
        assert!(error.to_string().contains("list.md") && error.hint().contains("coroner incident new"));
        assert!(store.incidents().expect("lists").is_empty());
    }

    #[test]
    fn an_outside_page_comes_in_whole() {
        let Some(root) = std::env::var_os("CORONER_FIXTURES") else {
            println!("skipped: CORONER_FIXTURES is not set");
            return;
        };
        let text = std::fs::read_to_string(std::path::Path::new(&root).join("seed/forensics.txt")).expect("the page");
        let (_folder, store) = store();
        let report = import(&store, &text, "forensics.txt", now()).expect("imports");
        assert_eq!((report.redactions, report.added.len()), (0, report.incidents));
        let listed = list(&store, &IncidentFilter::default()).expect("lists");
        assert_eq!(listed.incidents, failure_page::read(&text, "forensics.txt").expect("a page").incidents);
        assert_eq!(listed.problems, report.problems);
    }
}
