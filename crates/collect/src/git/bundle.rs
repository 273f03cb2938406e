//! A git bundle made into a repository that can be read.

use std::fs;
use std::io::{self, BufRead};
use std::path::Path;

/// Lines of a bundle's header: prerequisites and references.
const HEADER_LINES_MAX: usize = 100_000;

/// Writes the pack and the references of a bundle as a bare repository.
pub(crate) fn unbundle(bundle: &[u8], to: &Path) -> io::Result<()> {
    let mut reader = bundle;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.starts_with("# v2 git bundle") && !line.starts_with("# v3 git bundle") {
        return Err(io::Error::other("not a git bundle"));
    }
    let mut references = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    let mut head = None;
    for _ in 0..HEADER_LINES_MAX {
        line.clear();
        reader.read_line(&mut line)?;
        let text = line.trim_end();
        match text.split_once(' ') {
            _ if text.is_empty() => break,
            _ if text.starts_with(['-', '@']) => {}
            Some((id, "HEAD")) => head = Some(id.to_owned()),
            Some((id, name)) if name.starts_with("refs/") => references.push_str(&format!("{id} {name}\n")),
            // Heads of linked work trees.
            Some(_) => {}
            None => return Err(io::Error::other("its header is damaged")),
        }
    }
    let branch = head
        .as_deref()
        .and_then(|id| references.lines().find_map(|line| line.strip_prefix(id)?.trim().strip_prefix("refs/heads/")));
    let head = match (branch, &head) {
        (Some(branch), _) => format!("ref: refs/heads/{branch}\n"),
        (None, Some(id)) => format!("{id}\n"),
        (None, None) => first_branch(&references),
    };
    let packs = to.join("objects/pack");
    fs::create_dir_all(&packs)?;
    fs::create_dir_all(to.join("refs"))?;
    fs::write(to.join("HEAD"), head)?;
    fs::write(to.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
    fs::write(to.join("packed-refs"), references)?;
    index_pack(reader, &packs)
}

fn first_branch(references: &str) -> String {
    let name = references.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix("refs/heads/"));
    format!("ref: refs/heads/{}\n", name.unwrap_or("main"))
}

fn index_pack(mut pack: &[u8], to: &Path) -> io::Result<()> {
    let never = std::sync::atomic::AtomicBool::new(false);
    gix_pack::Bundle::write_to_directory(
        &mut pack,
        Some(to),
        &mut gix::progress::Discard,
        &never,
        None::<gix::odb::Handle>,
        gix::hash::Kind::Sha1,
        gix_pack::bundle::write::Options::default(),
    )
    .map(drop)
    .map_err(|error| io::Error::other(error.to_string()))
}
