//! A person's home, a project and a store of their own, and the real program on them.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_coroner");

pub struct Site {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Site {
    pub fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in ["home", "project"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        Site { _folder: folder, root }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn put(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
        command.current_dir(self.path("project")).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", &self.root);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path("home"));
        command.env("CORONER_HOME", self.path("own")).current_dir(self.path("project")).stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub fn record(&self, words: &[&str]) -> Value {
        self.record_with(words, &[])
    }

    pub fn record_with(&self, words: &[&str], env: &[(&str, &str)]) -> Value {
        let words = [&["record", "--format", "json"], words].concat();
        read(self.command(&words).envs(env.iter().copied()).output().unwrap())
    }

    pub fn recall(&self, query: &str) -> Value {
        read(self.run(&["recall", "--format", "json", "--", query]))
    }

    /// What `evidence verify` names.
    pub fn problems(&self) -> Value {
        read(self.run(&["evidence", "verify", "--format", "json"]))["problems"].clone()
    }

    /// Whether some file of the store holds these bytes.
    pub fn store_holds(&self, text: &str) -> bool {
        files(&self.path("own")).iter().any(|file| {
            let bytes = fs::read(file).unwrap();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }
}

pub fn read(out: Output) -> Value {
    let told = || format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", told()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
