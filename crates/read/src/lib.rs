//! Pure readers: bytes in, facts with spans out.
//!
//! No file is opened here, no clock read, no process started: `coroner-collect`
//! opens and streams, a reader understands one format. One file or folder each.

pub mod agent_hooks;
pub mod casebook;
pub mod compose;
pub mod config;
pub mod decision;
pub mod df;
pub mod docker;
pub mod docker_ps;
pub mod dockerfile;
pub mod dotenv;
pub mod exchange;
pub mod failure_page;
pub mod git_log;
pub mod git_settings;
pub mod incident_file;
pub mod json_text;
pub mod listeners;
pub mod log;
pub mod proxy_config;
pub mod samples;
pub mod secret_allow;
pub mod secret_table;
pub mod settings;
pub mod shell_history;
pub mod test_results;
pub mod transcript;
pub mod tree;
pub mod tsv;

pub mod shell;
pub mod yaml;
