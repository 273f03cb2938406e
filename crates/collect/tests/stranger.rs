//! A casefile from a stranger: nothing outside of it is read, nothing grows without bound.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use coroner_collect::{Casefile, Limits, OpenError, World};
use coroner_model::{Probe, Why};

fn open(path: &Path) -> World {
    World::Casefile(Casefile::open(path, Limits::default()).unwrap())
}

fn file(path: &str) -> Probe {
    Probe::File { path: path.into() }
}

fn archive(to: &Path, build: impl FnOnce(&mut tar::Builder<fs::File>)) {
    let mut builder = tar::Builder::new(fs::File::create(to).unwrap());
    build(&mut builder);
    builder.finish().unwrap();
}

fn header(kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

/// A name as it stands in the archive, with no check by the one who writes it.
fn raw_name(header: &mut tar::Header, name: &str) {
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
}

#[test]
fn links_of_a_folder_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let outside = dir.path().join("outside.txt");
    fs::write(&outside, "not yours\n").unwrap();
    let root = dir.path().join("case");
    fs::create_dir_all(root.join("files/etc")).unwrap();
    fs::create_dir_all(root.join("files/run")).unwrap();
    fs::write(root.join("files/run/resolv.conf"), "nameserver 10.0.0.1\n").unwrap();
    symlink(&outside, root.join("files/etc/passwd")).unwrap();
    symlink("../../../outside.txt", root.join("files/etc/shadow")).unwrap();
    symlink(dir.path(), root.join("files/up")).unwrap();
    symlink("/run/resolv.conf", root.join("files/etc/resolv.conf")).unwrap();
    symlink("loop", root.join("files/loop")).unwrap();
    let world = open(&root);
    for path in ["/etc/passwd", "/etc/shadow", "/up/outside.txt", "/loop", "/../../outside.txt"] {
        let answer = world.answer(&file(path));
        assert_eq!(answer.unwrap_err().why, Why::NotRecorded, "{path}");
    }
    let inside = world.answer(&file("/etc/resolv.conf")).unwrap();
    assert_eq!(inside[0].text.as_str(), "nameserver 10.0.0.1\n");
}

#[test]
fn an_archive_that_leads_out_is_refused_entry_by_entry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("case.tar");
    fs::write(dir.path().join("outside.txt"), "not yours\n").unwrap();
    archive(&path, |tar| {
        let mut climbing = header(tar::EntryType::Regular, 4);
        raw_name(&mut climbing, "../evil.txt");
        tar.append(&climbing, &b"evil"[..]).unwrap();
        let mut link = header(tar::EntryType::Symlink, 0);
        tar.append_link(&mut link, "files/out", dir.path()).unwrap();
        let mut through = header(tar::EntryType::Regular, 4);
        raw_name(&mut through, "files/out/evil.txt");
        tar.append(&through, &b"evil"[..]).unwrap();
        let mut hard = header(tar::EntryType::Link, 0);
        hard.set_link_name("/etc/passwd").unwrap();
        raw_name(&mut hard, "files/hard");
        tar.append(&hard, &b""[..]).unwrap();
        for (name, kind) in [
            ("files/tty", tar::EntryType::Char),
            ("files/disk", tar::EntryType::Block),
            ("files/pipe", tar::EntryType::Fifo),
        ] {
            let mut device = header(kind, 0);
            raw_name(&mut device, name);
            tar.append(&device, &b""[..]).unwrap();
        }
        tar.append_data(&mut header(tar::EntryType::Regular, 4), "host/whoami", &b"ops\n"[..]).unwrap();
    });
    let world = open(&path);
    assert_eq!(world.notes().len(), 5, "{:?}", world.notes());
    for path in ["/out/outside.txt", "/hard", "/tty", "/disk", "/pipe"] {
        assert!(world.answer(&file(path)).is_err(), "{path}");
    }
    assert!(!dir.path().join("evil.txt").exists() && !dir.path().parent().unwrap().join("evil.txt").exists());
    assert!(world.answer(&Probe::Host(coroner_model::probe::HostTable::Whoami)).is_ok(), "the rest is used");
}

#[test]
fn a_bomb_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("case.tar.zst");
    let mut builder = tar::Builder::new(zstd::Encoder::new(fs::File::create(&path).unwrap(), 3).unwrap());
    let size = 64 * 1024 * 1024;
    builder
        .append_data(
            &mut header(tar::EntryType::Regular, size),
            "logs/a.log",
            std::io::Read::take(std::io::repeat(0), size),
        )
        .unwrap();
    builder.into_inner().unwrap().finish().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1024 * 1024);
    let limits = Limits { casefile_bytes_max: 1024 * 1024, ..Limits::default() };
    assert!(matches!(Casefile::open(&path, limits), Err(OpenError::TooMuch { .. })));

    let path = dir.path().join("many.tar");
    archive(&path, |tar| {
        for n in 0..200 {
            tar.append_data(&mut header(tar::EntryType::Regular, 0), format!("logs/{n}.log"), &b""[..]).unwrap();
        }
    });
    let limits = Limits { entries_max: 100, ..Limits::default() };
    assert!(matches!(Casefile::open(&path, limits), Err(OpenError::TooMuch { .. })));

    let path = dir.path().join("long.tar");
    archive(&path, |tar| {
        let size = 1024 * 1024;
        let mut long = header(tar::EntryType::GNULongName, size);
        raw_name(&mut long, "././@LongLink");
        tar.append(&long, std::io::Read::take(std::io::repeat(b'a'), size)).unwrap();
    });
    assert!(matches!(Casefile::open(&path, Limits::default()), Err(OpenError::TooMuch { .. })));
}

#[test]
fn what_is_no_casefile_is_said_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    fs::write(&path, "hello").unwrap();
    let error = Casefile::open(&path, Limits::default()).unwrap_err();
    assert!(matches!(error, OpenError::NoCasefile { .. }) && !error.hint().is_empty());
    assert!(matches!(Casefile::open(&dir.path().join("none"), Limits::default()), Err(OpenError::Unreadable { .. })));
    // A wrong casefile.toml is said, and the rest is used.
    fs::write(dir.path().join("casefile.toml"), "host = \n").unwrap();
    assert_eq!(open(dir.path()).notes().len(), 1);
}

#[test]
fn a_directory_around_everything_is_seen_through() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("case.tar");
    archive(&path, |tar| {
        tar.append_data(&mut header(tar::EntryType::Regular, 4), "mars/host/whoami", &b"ops\n"[..]).unwrap();
        let deep = format!("mars/files/{}/compose.yml", "d/".repeat(90));
        tar.append_data(&mut header(tar::EntryType::Regular, 2), deep, &b"a\n"[..]).unwrap();
    });
    let world = open(&path);
    assert!(world.answer(&Probe::Host(coroner_model::probe::HostTable::Whoami)).is_ok());
    assert!(world.answer(&file(&format!("/{}/compose.yml", "d/".repeat(90)))).is_ok(), "long names are read");
}

#[test]
fn what_cannot_be_followed_or_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("case");
    fs::create_dir_all(root.join("logs")).unwrap();
    fs::create_dir_all(root.join("host")).unwrap();
    fs::create_dir_all(root.join("files/etc")).unwrap();
    fs::write(root.join("logs/app.log"), "up\n").unwrap();
    symlink("app.log", root.join("logs/same.log")).unwrap();
    symlink(dir.path().join("outside.log"), root.join("logs/lost.log")).unwrap();
    symlink("/run/gone.conf", root.join("files/etc/resolv.conf")).unwrap();
    fs::write(root.join("host/tree.tsv"), "ls: cannot open directory\n").unwrap();
    let case = Casefile::open(&root, Limits::default()).unwrap();
    let told: Vec<&str> = case.notes().iter().map(|note| note.detail.as_str()).collect();
    assert_eq!(
        told,
        [
            "logs/lost.log: a link to nothing in the casefile; not followed",
            "host/tree.tsv: no row has a path in its column"
        ]
    );
    for table in ["", "path\ttype\n", "path\ttype\n/opt\td\n", "d\t755\t0\troot\t0\troot\t1\t1\t1\t1\t/opt\t\td\n"] {
        fs::write(root.join("host/tree.tsv"), table).unwrap();
        assert_eq!(Casefile::open(&root, Limits::default()).unwrap().notes().len(), 1, "{table:?}");
    }
}
