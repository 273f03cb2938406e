//! Tools that look after what others keep: brokers, key stores, clusters, machines, buckets, backups.
//!
//! They are data: which sub-commands and options make something be gone. What a row cannot
//! say stands in a file of its own.

use coroner_model::effect::{Circumstance, EffectKind, TargetClass};
use coroner_read::shell::{Word, program_of};

use super::Plan;
use super::named::{Named, is_production_name, is_test_name};

/// What is gone afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Records of a database, a broker or a search index.
    Data,
    /// Keys of a key store.
    Keys,
    /// Copies that a restore would need.
    Backup,
    /// A machine, a cluster, an account, or what they run.
    Resource,
    /// Objects of a bucket or files at a remote.
    Objects,
}

/// One way in which a tool makes something be gone.
struct Row {
    programs: &'static [&'static str],
    /// Sub-commands in their order; `a|b` means either, other words may stand between.
    verbs: &'static [&'static str],
    /// Options of which one must be given; none: always.
    options: &'static [&'static str],
    loss: Loss,
    would: &'static str,
}

const fn row(
    programs: &'static [&'static str],
    verbs: &'static [&'static str],
    options: &'static [&'static str],
    loss: Loss,
    would: &'static str,
) -> Row {
    Row { programs, verbs, options, loss, would }
}

/// Most words of a command that are looked at for its sub-commands.
const VERBS_MAX: usize = 8;

use Loss::{Backup, Data, Keys, Objects, Resource};

const ROWS: &[Row] = &[
    // Key stores.
    row(&["etcdctl"], &["del"], &["--prefix", "--from-key"], Keys, "delete every key below a prefix"),
    row(&["etcdctl"], &["user|role|member|lease", "delete|remove|revoke"], &[], Keys, "remove from the key store"),
    row(&["etcdctl", "etcdutl"], &["snapshot", "restore"], &[], Keys, "replace a key store by a snapshot"),
    row(&["consul"], &["kv", "delete"], &["-recurse", "--recurse"], Keys, "delete every key below a prefix"),
    row(&["consul"], &["snapshot", "restore"], &[], Keys, "replace a key store by a snapshot"),
    row(&["zkCli.sh", "zkcli"], &["deleteall|rmr"], &[], Keys, "delete every node below a path"),
    // Brokers.
    row(&["kafka-topics", "kafka-topics.sh"], &[], &["--delete"], Data, "delete a topic with its records"),
    row(&["kafka-delete-records", "kafka-delete-records.sh"], &[], &[], Data, "delete records of a topic"),
    row(
        &["kafka-consumer-groups", "kafka-consumer-groups.sh"],
        &[],
        &["--execute", "--delete"],
        Data,
        "move where consumers of a topic stand",
    ),
    row(&["rpk", "kcl"], &["topic", "delete|trim-prefix"], &[], Data, "delete a topic or its records"),
    row(
        &["rabbitmqctl"],
        &["reset|force_reset|delete_queue|purge_queue|delete_vhost|delete_user"],
        &[],
        Data,
        "delete queues with their messages",
    ),
    row(&["rabbitmqadmin"], &["delete|purge"], &[], Data, "delete queues with their messages"),
    row(&["nats"], &["stream|consumer|kv|object", "rm|delete|del|purge"], &[], Data, "delete a stream or its messages"),
    row(&["pulsar-admin"], &["topics|namespaces|tenants", "delete|clear-backlog"], &[], Data, "delete a topic"),
    row(&["mosquitto_ctrl"], &["deleteClient|deleteRole"], &[], Data, "delete what a broker holds"),
    // Databases.
    row(&["influx"], &["delete"], &[], Data, "delete points of a bucket"),
    row(&["influx"], &["bucket|org", "delete"], &[], Data, "delete a bucket"),
    row(&["nodetool"], &["decommission|removenode|assassinate|clearsnapshot"], &[], Data, "take data off a node"),
    row(&["neo4j-admin"], &["load|restore"], &["--force", "--overwrite-destination"], Data, "replace a database"),
    row(&["pg_dropcluster"], &[], &[], Data, "delete a cluster with its databases"),
    row(&["pg_resetwal", "pg_resetxlog"], &[], &["-f", "--force"], Data, "throw away the write-ahead log"),
    row(&["bq"], &["rm"], &[], Data, "delete a table or data set"),
    row(&["turso"], &["db|group", "destroy"], &[], Resource, "destroy a database"),
    row(&["neonctl", "neon"], &["projects|branches|databases|roles", "delete"], &[], Resource, "delete a database"),
    row(&["neonctl", "neon"], &["branches", "reset|restore"], &[], Resource, "reset a branch of a database"),
    row(&["pscale"], &["database|branch|password|backup", "delete"], &[], Resource, "delete a database"),
    row(
        &["atlas", "mongocli"],
        &["clusters|projects|backups|snapshots|serverless", "delete"],
        &[],
        Resource,
        "delete a cluster",
    ),
    row(
        &["supabase"],
        &["projects|branches|functions|secrets|storage", "delete|unset|rm"],
        &[],
        Resource,
        "delete what a project holds",
    ),
    row(&["curator", "curator_cli"], &["delete_indices|delete_snapshots"], &[], Data, "delete indices"),
    row(&["mongoimport"], &[], &["--drop"], Data, "drop a collection before the import"),
    // Clusters and what runs on them.
    row(&["argocd"], &["app|appset|cluster|repo|proj", "delete|rm"], &[], Resource, "delete what a cluster runs"),
    row(&["flux"], &["uninstall|delete"], &[], Resource, "remove what keeps a cluster as it is"),
    row(&["istioctl", "linkerd", "cilium"], &["uninstall"], &[], Resource, "remove the network of a cluster"),
    row(&["kubeadm", "k0s", "talosctl"], &["reset"], &[], Resource, "reset a node of a cluster"),
    row(
        &["k3s-uninstall.sh", "k3s-agent-uninstall.sh", "rke2-uninstall.sh"],
        &[],
        &[],
        Resource,
        "remove a cluster from this host",
    ),
    row(&["helmfile"], &["destroy|delete"], &[], Resource, "uninstall every release"),
    row(&["nomad"], &["job", "stop"], &["-purge", "--purge"], Resource, "stop and forget a job"),
    row(&["nomad"], &["namespace|volume|node|acl", "delete|purge"], &[], Resource, "delete what a cluster keeps"),
    row(&["crictl"], &["rmp|rm"], &["-f", "-a", "-fa", "-af", "--force", "--all"], Resource, "remove running pods"),
    row(&["minikube"], &["delete"], &["--all", "--purge"], Resource, "delete every local cluster"),
    row(&["kind"], &["delete", "clusters"], &["--all", "-A"], Resource, "delete every local cluster"),
    row(&["k3d"], &["cluster", "delete"], &["--all", "-a"], Resource, "delete every local cluster"),
    row(&["colima", "limactl"], &["delete"], &[], Resource, "delete a machine with its containers and volumes"),
    row(&["podman"], &["machine", "rm|reset"], &[], Resource, "delete a machine with its containers and volumes"),
    row(&["podman"], &["pod", "rm"], &["-a", "-f", "-af", "-fa", "--all", "--force"], Resource, "remove running pods"),
    row(&["buildah"], &["rm"], &["-a", "--all"], Resource, "remove every working container"),
    row(&["docker"], &["node|secret|config", "rm"], &[], Resource, "remove what a swarm runs on"),
    row(
        &["sam", "amplify", "chalice", "zappa"],
        &["delete|undeploy"],
        &[],
        Resource,
        "delete an application of a cloud",
    ),
    row(&["copilot"], &["app|svc|env|job", "delete"], &[], Resource, "delete an application of a cloud"),
    row(&["eb"], &["terminate"], &[], Resource, "delete an environment of a cloud"),
    row(
        &["pulumi"],
        &["up|update"],
        &["-y", "--yes", "--skip-preview"],
        Resource,
        "change infrastructure without anybody reading the plan",
    ),
    row(
        &["heroku"],
        &["config:unset|pg:push|pg:copy|ps:scale"],
        &["--confirm"],
        Resource,
        "replace what an application runs on",
    ),
    row(&["aws"], &["ec2", "run-instances"], &["--count"], Resource, "start machines that are billed by the hour"),
    // Machines.
    row(
        &["virsh"],
        &["undefine|vol-delete|pool-delete|snapshot-delete|managedsave-remove"],
        &[],
        Resource,
        "delete a machine or its disks",
    ),
    row(&["virsh"], &["destroy"], &[], Resource, "cut the power of a machine"),
    row(&["qm", "pct", "pvesm"], &["destroy|delsnapshot|free|remove"], &[], Resource, "delete a machine or its disks"),
    row(
        &["VBoxManage", "vboxmanage"],
        &["unregistervm|closemedium"],
        &["--delete", "-delete"],
        Resource,
        "delete a machine with its disks",
    ),
    row(
        &["VBoxManage", "vboxmanage"],
        &["snapshot", "delete|restore"],
        &[],
        Resource,
        "delete a snapshot of a machine",
    ),
    row(&["multipass"], &["delete|purge"], &[], Resource, "delete machines"),
    row(&["lxc", "incus"], &["delete|rebuild"], &[], Resource, "delete a machine"),
    row(&["lxc", "incus"], &["storage|project|image", "delete"], &[], Resource, "delete what machines keep"),
    // Secrets that a store keeps.
    row(&["vault", "bao"], &["kv", "delete|destroy"], &[], Resource, "delete a secret that a store keeps"),
    row(&["vault", "bao"], &["kv", "metadata", "delete"], &[], Resource, "delete a secret that a store keeps"),
    row(&["vault", "bao"], &["delete"], &[], Resource, "delete what a secret store keeps"),
    row(
        &["vault", "bao"],
        &["secrets|auth|audit", "disable"],
        &[],
        Resource,
        "switch an engine off and delete its secrets",
    ),
    row(&["vault", "bao"], &["policy|namespace", "delete"], &[], Resource, "delete what a secret store keeps"),
    row(&["vault", "bao"], &["operator", "seal|rekey"], &[], Resource, "seal a secret store"),
    row(
        &["vault", "bao"],
        &["lease", "revoke"],
        &["-prefix", "-force", "--prefix", "--force"],
        Resource,
        "revoke every lease below a prefix",
    ),
    row(
        &["op"],
        &["item|vault|document|user", "delete|edit"],
        &["--archive", "--permanently", "--force"],
        Resource,
        "delete an item of a vault",
    ),
    row(&["op"], &["item|vault|document|user", "delete"], &[], Resource, "delete an item of a vault"),
    row(
        &["pass", "gopass"],
        &["rm|remove|delete"],
        &["-r", "-f", "-rf", "-fr", "--recursive", "--force"],
        Resource,
        "delete passwords",
    ),
    row(&["bw"], &["delete"], &[], Resource, "delete an item of a vault"),
    row(
        &["gpg", "gpg2"],
        &[],
        &[
            "--delete-secret-keys",
            "--delete-secret-key",
            "--delete-secret-and-public-key",
            "--delete-secret-and-public-keys",
        ],
        Resource,
        "delete a secret key",
    ),
    // Buckets and remotes.
    row(&["s3cmd"], &["del|rm|rb|expire"], &[], Objects, "delete objects of a bucket"),
    row(
        &["s3cmd"],
        &["sync"],
        &["--delete-removed", "--delete-after"],
        Objects,
        "delete at the destination what the source does not hold",
    ),
    row(&["s5cmd"], &["rm|rb"], &[], Objects, "delete objects of a bucket"),
    row(&["s5cmd"], &["sync"], &["--delete"], Objects, "delete at the destination what the source does not hold"),
    row(&["mc"], &["rb|rm"], &[], Objects, "delete objects of a bucket"),
    row(&["mc"], &["mirror"], &["--remove"], Objects, "delete at the destination what the source does not hold"),
    row(&["mc"], &["version", "suspend"], &[], Objects, "keep no older versions of objects"),
    row(
        &["gcloud"],
        &["storage", "rsync"],
        &["--delete-unmatched-destination-objects"],
        Objects,
        "delete at the destination what the source does not hold",
    ),
    row(&["gsutil"], &["versioning", "set", "off"], &[], Objects, "keep no older versions of objects"),
    row(
        &["az"],
        &["storage", "blob", "sync"],
        &["--delete-destination"],
        Objects,
        "delete at the destination what the source does not hold",
    ),
    row(&["az"], &["backup", "protection", "disable"], &["--delete-backup-data"], Backup, "delete what a backup holds"),
    row(&["azcopy"], &["remove|rm"], &[], Objects, "delete objects of a container"),
    row(
        &["azcopy"],
        &["sync"],
        &["--delete-destination"],
        Objects,
        "delete at the destination what the source does not hold",
    ),
    row(&["b2"], &["delete-bucket|delete-file-version|rm"], &[], Objects, "delete objects of a bucket"),
    row(&["b2"], &["bucket|file", "delete|rm"], &[], Objects, "delete objects of a bucket"),
    row(&["b2"], &["sync"], &["--delete"], Objects, "delete at the destination what the source does not hold"),
    row(
        &["ossutil", "coscmd", "coscli", "obsutil"],
        &["rm|delete|deletebucket"],
        &[],
        Objects,
        "delete objects of a bucket",
    ),
    row(&["aws"], &["s3", "mv"], &["--recursive"], Objects, "move every object below a prefix away"),
    row(&["unison"], &[], &["-force", "-prefer"], Objects, "make two sides equal without asking which is right"),
    row(&["git-annex"], &["drop"], &["--force"], Objects, "drop content without a copy elsewhere"),
    row(&["dvc"], &["gc|destroy"], &[], Objects, "delete data that no commit names"),
    // Backups.
    row(&["restic", "rustic"], &["prune"], &[], Backup, "remove data from a backup"),
    row(&["restic", "rustic"], &["repair"], &["--forget", "--delete"], Backup, "forget snapshots of a backup"),
    row(&["rustic"], &["forget"], &[], Backup, "forget snapshots of a backup"),
    row(&["borg"], &["recreate|compact"], &["--exclude", "-e", "--threshold"], Backup, "rewrite archives of a backup"),
    row(&["borg"], &["key", "change-passphrase|change-location"], &[], Backup, "change the key of a backup"),
    row(
        &["borgmatic"],
        &["prune|rdelete|delete|repo-delete|break-lock|compact"],
        &[],
        Backup,
        "delete archives of a backup",
    ),
    row(&["borgmatic"], &[], &["--prune", "prune"], Backup, "delete archives of a backup"),
    row(&["kopia"], &["snapshot", "delete"], &[], Backup, "delete snapshots of a backup"),
    row(&["kopia"], &["snapshot", "expire"], &["--delete"], Backup, "delete snapshots of a backup"),
    row(&["kopia"], &["maintenance", "run"], &["--safety"], Backup, "remove data from a backup"),
    row(
        &["kopia"],
        &["policy|blob|content|manifest", "delete|rm|remove|gc"],
        &[],
        Backup,
        "delete what a backup rests on",
    ),
    row(
        &["velero"],
        &["backup|schedule|restore|backup-location", "delete"],
        &[],
        Backup,
        "delete a backup of a cluster",
    ),
    row(&["velero"], &["delete|uninstall"], &[], Backup, "delete backups of a cluster"),
    row(&["pgbackrest"], &["expire|stanza-delete"], &[], Backup, "delete backups of a database"),
    row(&["pgbackrest"], &["restore"], &["--delta", "--force"], Data, "replace a database by a backup"),
    row(&["barman"], &["delete"], &[], Backup, "delete a backup of a database"),
    row(&["barman"], &["recover|restore"], &[], Data, "replace a database by a backup"),
    row(
        &["wal-g", "wal-e"],
        &["delete|st", "retain|everything|before|garbage|target|rm"],
        &[],
        Backup,
        "delete backups of a database",
    ),
    row(&["wal-g", "wal-e"], &["backup-fetch"], &[], Data, "replace a database by a backup"),
    row(&["pghoard_restore"], &[], &["--overwrite"], Data, "replace a database by a backup"),
    row(
        &["xtrabackup", "mariabackup", "mariadb-backup", "innobackupex"],
        &[],
        &["--copy-back", "--move-back"],
        Data,
        "replace a database by a backup",
    ),
    row(
        &["duplicity"],
        &["remove-older-than|remove-all-but-n-full|remove-all-inc-of-but-n-full|cleanup"],
        &["--force"],
        Backup,
        "delete sets of a backup",
    ),
    row(&["duply"], &["purge|purgeFull|purgeIncr|cleanup"], &["--force"], Backup, "delete sets of a backup"),
    row(&["duplicacy"], &["prune"], &[], Backup, "delete revisions of a backup"),
    row(&["rdiff-backup"], &[], &["--remove-older-than"], Backup, "delete older states of a backup"),
    row(&["rdiff-backup"], &["remove"], &[], Backup, "delete older states of a backup"),
    row(&["snapper"], &["delete|rm|remove|delete-config|undochange|rollback"], &[], Backup, "delete or undo snapshots"),
    row(
        &["timeshift"],
        &[],
        &["--delete", "--delete-all", "--restore"],
        Backup,
        "delete snapshots, or put one back over the host",
    ),
    row(&["btrbk"], &["clean|prune"], &[], Backup, "delete snapshots"),
    row(&["tarsnap"], &[], &["-d", "--nuke"], Backup, "delete a backup"),
    row(&["bup"], &["gc|rm|prune-older"], &[], Backup, "delete what a backup holds"),
    row(&["attic"], &["delete|prune"], &[], Backup, "delete a backup"),
    row(&["proxmox-backup-client"], &["forget|prune"], &[], Backup, "delete snapshots of a backup"),
    row(&["proxmox-backup-manager"], &["datastore", "remove"], &[], Backup, "remove a store of backups"),
    row(&["tmutil"], &["delete|deletelocalsnapshots|thinlocalsnapshots"], &[], Backup, "delete a backup"),
    row(&["lvconvert"], &[], &["--merge", "--mergesnapshot"], Backup, "put a snapshot back over a volume"),
    row(&["sanoid"], &[], &["--prune-snapshots", "--force-prune"], Backup, "delete snapshots"),
    row(&["zfs-prune-snapshots"], &[], &[], Backup, "delete snapshots"),
];

/// What a tool would make be gone; also where a model of its own knows other ways of the program.
pub(super) fn plan(out: &mut Plan<'_>, argv: &[Word]) {
    let name = program_of(argv);
    let asks_only = argv.iter().skip(1).any(|w| {
        matches!(w.prefix(), "--help" | "help" | "--dry-run" | "-dry-run" | "--dryrun" | "--version" | "--what-if")
            || w.prefix().starts_with("--dry-run=") && !w.prefix().ends_with("=none")
    });
    if asks_only {
        return;
    }
    let words: Vec<&str> = argv.iter().skip(1).map(Word::prefix).collect();
    let found = ROWS.iter().find(|row| {
        row.programs.contains(&name)
            && follows(row.verbs, &words)
            && (row.options.is_empty() || given(row.options, &words))
    });
    let cypher = name == "cypher-shell"
        && words.iter().any(|w| {
            let upper = w.to_ascii_uppercase();
            upper.contains("MATCH") && upper.contains("DELETE") && !upper.contains("WHERE")
        });
    if cypher {
        let named = Named::of("the graph", "delete every node that a pattern matches").with(Circumstance::Irreversible);
        out.named(EffectKind::DropData, named);
    }
    if let Some(row) = found {
        lose(out, row, &words);
    }
}

/// Whether words name these sub-commands in this order; only options may stand before the first.
fn follows(wanted: &[&str], words: &[&str]) -> bool {
    let is = |choice: &str, word: &str| choice.split('|').any(|verb| verb == word);
    let Some((first, more)) = wanted.split_first() else { return true };
    let Some(at) = words.iter().position(|word| is(first, word)) else { return false };
    // `-n shop` before it is an option and its value.
    let led = (0..at).all(|i| words[i].starts_with('-') || i > 0 && words[i - 1].starts_with('-'));
    let mut rest = words[at + 1..].iter().filter(|w| !w.starts_with('-')).take(VERBS_MAX);
    led && more.iter().all(|choice| rest.any(|word| is(choice, word)))
}

fn given(options: &[&str], words: &[&str]) -> bool {
    words.iter().any(|word| {
        options.iter().any(|option| {
            let value = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('='));
            word == option || value.is_some_and(|v| !v.eq_ignore_ascii_case("false"))
        })
    })
}

fn lose(out: &mut Plan<'_>, row: &Row, words: &[&str]) {
    let operands: Vec<&str> = words.iter().copied().filter(|w| !w.starts_with('-')).collect();
    let object = operands.get(row.verbs.len()..).unwrap_or_default();
    let name = if operands.is_empty() { row.programs[0].to_owned() } else { operands.join(" ") };
    let mut named = Named::of(name, row.would).with(Circumstance::Irreversible);
    if words.iter().any(|word| is_production_name(word)) {
        named = named.of_class(TargetClass::Production);
    } else if row.loss != Backup && object.iter().any(|word| is_test_name(word)) {
        named = named.of_class(TargetClass::Scratch);
    }
    let kind = match row.loss {
        Data => EffectKind::DropData,
        Keys => EffectKind::FlushCache,
        Resource | Objects => EffectKind::InfrastructureDestroy,
        Backup => {
            named = named.of_class(TargetClass::Backup);
            EffectKind::Prune
        }
    };
    out.named(kind, named);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_commands_stand_in_their_order() {
        assert!(follows(&["kv", "delete|destroy"], &["kv", "destroy", "secret/x"]));
        assert!(follows(&["app|repo", "rm"], &["app", "rm", "shop"]));
        assert!(!follows(&["kv", "delete"], &["delete", "kv"]));
        assert!(!follows(&["rm"], &["ls", "rm2"]));
        assert!(follows(&["restore"], &["--stanza", "main", "restore"]));
        assert!(!follows(&["node", "rm"], &["exec", "node", "rm", "-rf", "x"]));
    }

    #[test]
    fn options_count_with_a_value_and_not_switched_off() {
        assert!(given(&["--remove"], &["mirror", "--remove"]));
        assert!(given(&["--safety"], &["--safety=none"]));
        assert!(!given(&["--delete-destination"], &["--delete-destination=false"]));
        assert!(!given(&["--delete"], &["--deleted"]));
    }

    #[test]
    fn each_row_names_programs_and_something_to_tell_it_by() {
        for row in ROWS {
            assert!(!row.programs.is_empty() && !row.would.is_empty());
        }
    }
}
