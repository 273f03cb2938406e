//! Disks and partitions: written over, formatted, wiped; volumes of LVM, ZFS and btrfs removed.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::named::{Deciding, Named, literals, shown};
use super::options::{Options, Order};
use super::{Extent, Plan, Planned, Target};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let words = &call.argv[1..];
    match call.program() {
        "wipefs" => {
            let options = Options::read(words, &["-t", "--types", "-o", "--offset", "-O", "--output"], Order::Mixed);
            let wipes = options.has(&["-a", "--all", "-o", "--offset"]);
            if wipes && !options.has(&["-n", "--no-act"]) {
                each(out, &options.operands, "wipe");
            }
        }
        "blkdiscard" | "mkswap" | "pvremove" | "pvcreate" => {
            let options = Options::read(
                words,
                &["-o", "--offset", "-l", "--length", "-p", "--step", "-L", "--label", "-U"],
                Order::Mixed,
            );
            each(out, &options.operands, "wipe");
        }
        "sgdisk" | "sfdisk" | "fdisk" | "cfdisk" | "gdisk" => table(out, call.program(), words),
        "parted" => {
            let options = Options::read(words, &["-a", "--align"], Order::Mixed);
            let acts = literals(&options.operands);
            let changes =
                ["mklabel", "mktable", "rm", "mkpart", "resizepart", "rescue", "set"].iter().any(|v| acts.contains(v));
            if changes {
                each(out, options.operands.get(..1).unwrap_or_default(), "change the partitions of");
            }
        }
        "nvme" if literals(words).first().is_some_and(|v| matches!(*v, "format" | "sanitize" | "delete-ns")) => {
            each_device(out, words, "wipe");
        }
        "hdparm"
            if words
                .iter()
                .any(|w| w.prefix().starts_with("--security-erase") || w.prefix().starts_with("--trim-sector")) =>
        {
            each_device(out, words, "wipe");
        }
        "cryptsetup" => {
            let acts = literals(words);
            if acts.iter().any(|v| {
                matches!(*v, "luksFormat" | "luksErase" | "erase" | "luksKillSlot" | "luksRemoveKey" | "reencrypt")
            }) {
                each_device(out, words, "make unreadable");
            }
        }
        "mdadm"
            if words
                .iter()
                .any(|w| matches!(w.as_literal(), Some("--zero-superblock" | "--remove" | "--create" | "-C"))) =>
        {
            each_device(out, words, "change the array of");
        }
        "lvremove" | "vgremove" | "lvreduce" => {
            let options = Options::read(words, &["-L", "--size", "-l", "--extents", "-S", "--select"], Order::Mixed);
            if !options.has(&["-t", "--test"]) {
                lose(out, shown(&options.operands), "remove the volume");
            }
        }
        "fsck" | "e2fsck" | "xfs_repair" | "ntfsfix" => repair(out, words),
        name if name.starts_with("fsck.") => repair(out, words),
        "umount" => unmount(out, words),
        "efibootmgr" => {
            let options =
                Options::read(words, &["-b", "--bootnum", "-o", "--bootorder", "-L", "-l", "-d", "-p"], Order::Mixed);
            if options.has(&["-B", "--delete-bootnum", "-O", "--delete-bootorder"]) {
                let name = options.value(&["-b", "--bootnum"]).map(Word::show).unwrap_or_default();
                let named =
                    Named::of(format!("boot entry {name}"), format!("delete the boot entry {name} of this host"));
                out.named(EffectKind::Overwrite, named.with(Circumstance::Device));
            }
        }
        "zfs" => zfs(out, words),
        "zpool" => {
            let options = Options::read(words, &[], Order::Mixed);
            if matches!(literals(&options.operands).first(), Some(&("destroy" | "labelclear"))) {
                lose(out, shown(&options.operands[1..]), "destroy the pool");
            }
        }
        "btrfs" => {
            let options = Options::read(words, &[], Order::Mixed);
            let acts = literals(&options.operands);
            if matches!(acts.as_slice(), [sub, delete, ..] if "subvolume".starts_with(*sub) && "delete".starts_with(*delete))
            {
                lose(out, shown(&options.operands[2..]), "delete the subvolume");
            }
        }
        name if name.starts_with("mkfs") || name == "mke2fs" => format(out, name, words),
        _ => {}
    }
}

/// A filesystem that is taken away, by its mount point, its device, or with all others.
fn unmount(out: &mut Plan<'_>, words: &[Word]) {
    let chosen = ["-t", "--types", "-O", "--test-opts"];
    let options = Options::read(words, &["-t", "--types", "-O", "--test-opts", "-N", "--namespace"], Order::Mixed);
    if options.has(&["--fake"]) || options.has(&["-h", "--help"]) || options.has(&["-V", "--version"]) {
        return;
    }
    if options.has(&["-a", "--all"]) && options.value(&chosen).is_none() {
        let named = Named::of("every filesystem", "unmount every filesystem of this host that nothing holds open");
        out.named(EffectKind::StopService, named.with(Circumstance::WholeHost));
    }
    for place in &options.operands {
        match place.as_literal().filter(|path| is_disk(path)) {
            Some(device) => {
                let named = Named::of(device, format!("unmount {device}"));
                out.named(EffectKind::Move, named.decided_by(Deciding::Unmount { device: device.to_owned() }));
            }
            None => out.paths(EffectKind::Move, place, Extent::Tree, None),
        }
    }
}

/// What changes a filesystem beneath whoever has it mounted.
fn repair(out: &mut Plan<'_>, words: &[Word]) {
    let valued = ["-b", "-B", "-C", "-j", "-E", "-l", "-L", "-r", "-z", "-o", "-t"];
    let valued = if out.call.program() == "xfs_repair" { &["-l", "-r", "-o", "-t"][..] } else { &valued[..] };
    let options = Options::read(words, valued, Order::Mixed);
    if ["-n", "-N", "--no-action", "-V", "--help"].iter().any(|o| options.has(&[o])) {
        return;
    }
    // Without its log, the last changes of an XFS are gone, mounted or not.
    let loses = out.call.program() == "xfs_repair" && options.has(&["-L"]);
    for device in options.operands.iter().filter_map(Word::as_literal).filter(|d| is_disk(d)) {
        if loses {
            push(out, &Word::literal(device), "throw away the last changes of");
            continue;
        }
        let named = Named::of(device, format!("repair {device} beneath what uses it"));
        out.named(EffectKind::Overwrite, named.decided_by(Deciding::InUse { device: device.to_owned() }));
    }
}

fn zfs(out: &mut Plan<'_>, words: &[Word]) {
    let options = Options::read(words, &["-o"], Order::Mixed);
    let acts = literals(&options.operands);
    match acts.first().copied().unwrap_or_default() {
        "destroy" if !options.has(&["-n"]) => lose(out, shown(&options.operands[1..]), "destroy the dataset"),
        "rollback" => lose(out, shown(&options.operands[1..]), "throw away everything since the snapshot"),
        _ => {}
    }
}

/// Options that only show what is there, and those that write.
fn table(out: &mut Plan<'_>, program: &str, words: &[Word]) {
    let valued = [
        "-d",
        "--delete",
        "-n",
        "--new",
        "-t",
        "--typecode",
        "-c",
        "--change-name",
        "-l",
        "--load-backup",
        "-i",
        "--info",
        "-b",
        "--backup",
        "-N",
        "--part-type",
    ];
    let options = Options::read(words, if program == "sgdisk" { &valued } else { &[] }, Order::Mixed);
    let writes = match program {
        "sgdisk" => {
            options.has(&[
                "-Z",
                "--zap-all",
                "-z",
                "--zap",
                "-o",
                "--clear",
                "-d",
                "--delete",
                "-n",
                "--new",
                "-l",
                "--load-backup",
                "-t",
                "--typecode",
                "-g",
                "--mbrtogpt",
            ]) || options.has(&["--zap-all"])
                || options.has(&["--clear"])
                || options.has(&["--delete"])
        }
        "sfdisk" => {
            !options.has(&["-l", "--list", "-d", "--dump", "-J", "--json", "-s", "-V", "--verify", "-n", "--no-act"])
        }
        _ => {
            !options.has(&["-l", "--list"])
                && !options.operands.is_empty()
                && !matches!(out.call.stdin, coroner_read::shell::Stdin::Inherited)
        }
    };
    if writes {
        each_device(out, &options.operands, "change the partitions of");
    }
}

fn format(out: &mut Plan<'_>, name: &str, words: &[Word]) {
    let valued = [
        "-t", "--type", "-L", "-b", "-m", "-i", "-I", "-N", "-O", "-E", "-U", "-T", "-d", "-n", "-s", "-l", "-c", "-F?",
    ];
    let valued: Vec<&str> = match name {
        // For ext file systems `-n` only shows; for FAT it names the volume.
        "mkfs.ext2" | "mkfs.ext3" | "mkfs.ext4" | "mke2fs" => {
            valued.iter().copied().filter(|v| !matches!(*v, "-n" | "-s" | "-c")).collect()
        }
        "mkfs.xfs" => valued.iter().copied().filter(|v| !matches!(*v, "-N" | "-F?")).collect(),
        "mkfs.vfat" | "mkfs.fat" | "mkfs.msdos" => {
            valued.iter().copied().chain(["-F"]).filter(|v| *v != "-F?").collect()
        }
        _ => valued.to_vec(),
    };
    let options = Options::read(words, &valued, Order::Mixed);
    let shows = name.starts_with("mkfs.ext") && options.has(&["-n"]) || name == "mkfs.xfs" && options.has(&["-N"]);
    if shows || options.has(&["--help", "-V"]) {
        return;
    }
    each(out, options.operands.get(..1).unwrap_or_default(), "format");
}

fn each_device(out: &mut Plan<'_>, words: &[Word], verb: &str) {
    let devices: Vec<Word> = words.iter().filter(|w| w.prefix().starts_with("/dev/")).cloned().collect();
    each(out, &devices, verb);
}

/// A disk, or a file that stands for one.
fn each(out: &mut Plan<'_>, words: &[Word], verb: &str) {
    for word in words {
        if word.prefix().starts_with("/dev/") || word.is_unresolved() {
            push(out, word, verb);
        } else {
            out.paths(EffectKind::Overwrite, word, Extent::Itself, None);
        }
    }
}

fn push(out: &mut Plan<'_>, word: &Word, verb: &str) {
    let named = of_device(&word.show(), verb);
    out.named(EffectKind::Overwrite, named);
}

fn of_device(device: &str, verb: &str) -> Named {
    Named::of(device, format!("{verb} {device}"))
        .with(Circumstance::Device)
        .decided_by(Deciding::Mounted { device: device.to_owned() })
}

fn lose(out: &mut Plan<'_>, name: String, verb: &str) {
    let named = Named::of(name.clone(), format!("{verb} {name}"))
        .with(Circumstance::Device)
        .decided_by(Deciding::Mounted { device: name });
    out.named(EffectKind::Overwrite, named);
}

/// What writes over a file under `/dev` writes over a disk: `> /dev/sda`, `cp image /dev/sdb`.
pub(super) fn of_paths(planned: &mut [Planned]) {
    for one in planned {
        let Target::Paths(paths) = &one.target else { continue };
        let lossy = matches!(one.kind, EffectKind::Overwrite | EffectKind::Truncate | EffectKind::Delete);
        let device = paths.path.show();
        if device == "/proc/sysrq-trigger" {
            one.kind = EffectKind::StopService;
            one.target = Target::Named(Box::new(Named { place: paths.place.clone(), ..super::halt::host("sysrq") }));
            continue;
        }
        if lossy && paths.filter.is_none() && is_disk(&device) && paths.extent == Extent::Itself {
            let mut named = of_device(&device, "write over");
            named.place = paths.place.clone();
            one.kind = EffectKind::Overwrite;
            one.target = Target::Named(Box::new(named));
        }
    }
}

/// Whether a path names a disk, a partition or a volume.
pub(super) fn is_disk(path: &str) -> bool {
    let Some(name) = path.strip_prefix("/dev/") else { return false };
    let first = name.split('/').next().unwrap_or(name);
    let numbered = |start: &str| first.strip_prefix(start).is_some_and(|rest| !rest.is_empty());
    if name.contains('/') {
        return matches!(first, "mapper" | "disk" | "md" | "zvol")
            || !matches!(
                first,
                "fd" | "shm" | "pts" | "net" | "input" | "snd" | "dri" | "tcp" | "udp" | "usb" | "bus"
            );
    }
    ["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "md", "dm-", "rdisk", "disk", "zd", "nbd", "pmem"]
        .iter()
        .any(|start| numbered(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_told_from_other_devices() {
        for path in
            ["/dev/sda", "/dev/nvme0n1p2", "/dev/vda1", "/dev/mapper/vg-root", "/dev/vg0/data", "/dev/disk/by-id/x"]
        {
            assert!(is_disk(path), "{path}");
        }
        for path in
            ["/dev/null", "/dev/stdout", "/dev/tty", "/dev/shm/x", "/dev/fd/3", "/dev/zero", "/dev/full", "/tmp/sda"]
        {
            assert!(!is_disk(path), "{path}");
        }
    }
}
