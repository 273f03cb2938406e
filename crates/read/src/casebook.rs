//! The sample incidents, compiled in from `casebook/`: what a first look at Coroner shows.

use coroner_model::incident::Incident;

use crate::incident_file::{self, FileError};

include!(concat!(env!("OUT_DIR"), "/casebook.rs"));

/// The sample incidents, oldest first, undated ones last.
pub fn incidents() -> Result<Vec<Incident>, FileError> {
    let mut incidents = Vec::new();
    for (name, text) in FILES {
        incidents.extend(incident_file::read(text, name)?.into_iter().flat_map(|list| list.incidents));
    }
    incidents.sort_by(|a, b| (a.date.is_none(), &a.date, &a.id).cmp(&(b.date.is_none(), &b.date, &b.id)));
    Ok(incidents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_form_that_export_writes() {
        for (name, text) in FILES {
            let list = incident_file::read(text, name).expect("reads").expect("is ours");
            let [incident] = list.incidents.as_slice() else { panic!("{name}: not one incident") };
            assert_eq!(format!("{}.md", incident.id), *name);
            assert_eq!(incident_file::write(incident), *text, "{name}");
        }
    }

    #[test]
    fn every_incident_is_told_whole() {
        for incident in incidents().expect("reads") {
            let told = [&incident.what_happened, &incident.root_cause, &incident.fix, &incident.lesson];
            assert!(
                told.iter().all(|t| t.is_some()) && incident.category.is_some() && !incident.sessions.is_empty(),
                "{}",
                incident.id
            );
        }
    }
}
