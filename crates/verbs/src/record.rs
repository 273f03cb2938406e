//! `record --to`: everything that could be looked at, as a casefile.

use std::path::PathBuf;

use coroner_collect::{CasefileMeta, WriteError, Written, write_answers};
use coroner_judge::scene::{Goal, Scene};
use coroner_model::probe::{DockerTable, HostTable, ProxyTable};
use coroner_model::{Answers, CouldNotLook, Probe};
use jiff::Timestamp;
use serde::Serialize;

use crate::look;
use crate::workspace::Workspace;

/// The POSIX shell script that collects a casefile on a host without Coroner.
pub fn script() -> &'static str {
    coroner_collect::script::collector_script()
}

/// What is recorded, and where to.
#[derive(Clone, Debug, Default)]
pub struct RecordRequest {
    /// A folder, or a name that ends in `.tar.zst` or `.tar`.
    pub to: PathBuf,
    /// A URL whose answer belongs to the case.
    pub urls: Vec<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct RecordReport {
    pub schema: String,
    pub path: PathBuf,
    pub files: usize,
    /// Bytes before compression.
    pub bytes: u64,
    /// What was asked, one entry each.
    pub looked: Vec<String>,
    pub could_not_look: Vec<CouldNotLook>,
}

/// Asks everything that an investigation or check could ask, and writes the answers.
///
/// `progress` hears what is being looked at.
pub fn record(ws: &Workspace, request: &RecordRequest, progress: &dyn Fn(&str)) -> Result<RecordReport, WriteError> {
    let answers = everything(ws, request, progress);
    progress("writing the casefile");
    let meta = CasefileMeta {
        host: ws.world.host().to_owned(),
        collected_at: ws.world.clock().or(Some(ws.now)),
        root: ws.world.root(),
        redacted: true,
        ..CasefileMeta::default()
    };
    let Written { path, files, bytes } = write_answers(&answers, &ws.world.redactor(), &request.to, &meta)?;
    Ok(RecordReport {
        schema: "coroner/record/v1".to_owned(),
        path,
        files,
        bytes,
        looked: answers.iter().filter(|(_, a)| a.is_ok()).map(|(p, _)| p.subject()).collect(),
        could_not_look: answers.could_not_look(),
    })
}

/// The answers to all questions, those that earlier answers raise included.
fn everything(ws: &Workspace, request: &RecordRequest, progress: &dyn Fn(&str)) -> Answers {
    let goals = [Goal::Investigate { since: request.since, until: request.until }, Goal::Check];
    let mut answers = Answers::new();
    let mut first = tables();
    first.push(Probe::Sessions { since: request.since, until: request.until });
    first.extend(request.urls.iter().map(|url| Probe::HttpGet { url: url.clone() }));
    progress("looking at host, containers, files, transcripts");
    look::rounds(&ws.world, &mut answers, first, |answers| {
        let mut more: Vec<Probe> = goals.iter().flat_map(|goal| Scene::ask(goal, answers)).collect();
        let scene = Scene::read(answers);
        more.extend(scene.containers.iter().map(|c| Probe::ContainerLog { container: c.name.clone() }));
        more
    });
    answers
}

/// Every table of a casefile that needs no name.
fn tables() -> Vec<Probe> {
    use DockerTable::{Context, Images, Inodes, Inspect, Networks, Ps, Samples, Sockets, Volumes};
    use HostTable::{
        Annotations, Date, Df, DfInodes, Dmesg, Dns, Env, Id, Journal, Listeners, OpenFiles, Packages, Ps as Processes,
        Units, Versions, Virt, Whoami,
    };
    let host = [
        Annotations,
        Date,
        Df,
        DfInodes,
        Dmesg,
        Dns,
        Env,
        Id,
        Journal,
        Listeners,
        OpenFiles,
        Packages,
        Processes,
        Units,
        Versions,
        Virt,
        Whoami,
    ];
    let docker = [Context, Images, Inodes, Inspect, Networks, Ps, Samples, Sockets, Volumes];
    let proxy = [ProxyTable::Routers, ProxyTable::Services, ProxyTable::Entrypoints];
    let mut all = vec![Probe::Config, Probe::Logs, Probe::HttpRecorded, Probe::Backups];
    all.extend(host.map(Probe::Host));
    all.extend(docker.map(Probe::Docker));
    all.extend(proxy.map(Probe::Proxy));
    all
}
