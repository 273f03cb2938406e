//! What grows a disk, against what is free where it would really lie.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;

fn df(root_used_percent: u64, data_free_gigabytes: u64) -> String {
    format!(
        "Filesystem 1-blocks Used Available Capacity Mounted on\n\
         /dev/sda1 100000000000 {}000000000 {}000000000 {root_used_percent}% /\n\
         /dev/sdb1 4000000000000 1000000000 {data_free_gigabytes}000000000 5% /mnt/big\n",
        root_used_percent,
        100 - root_used_percent
    )
}

const COMPOSE: &str = "\
name: chain
services:
  node:
    image: lncm/bitcoind:v27.0
    volumes: [node:/data]
  small:
    image: ruimarinho/bitcoin-core:24
    command: [-prune=550, -printtoconsole]
  elsewhere:
    image: ethereum/client-go:stable
    volumes: [/mnt/big/geth:/root/.ethereum]
  web:
    image: nginx:1.27
volumes: {node: {}}
";

fn judge(files: &[(&str, &str)], command: &str) -> PermissionAnswer {
    let casefile = Casefile::of_texts(files.iter().copied(), Limits::default()).unwrap();
    let mut guard = Guard::over(World::Casefile(casefile), Library::built_in());
    guard.judge(PermissionRequest {
        command: Some(command.to_owned()),
        cwd: "/srv/chain".into(),
        ..PermissionRequest::default()
    })
}

#[track_caller]
fn all(files: &[(&str, &str)], commands: &[&str], expected: Permission) {
    for command in commands {
        let answer = judge(files, command);
        assert_eq!(answer.permission, expected, "{command} {answer:?}");
        if expected == Permission::Allow {
            assert!(answer.findings.is_empty(), "{command} {answer:?}");
        } else {
            assert_eq!(answer.pattern.unwrap().as_str(), "disk-need", "{command}");
        }
    }
}

#[test]
fn what_is_known_to_grow_needs_room() {
    let (df, compose) = (df(39, 3000), COMPOSE);
    let files = [("host/df.txt", df.as_str()), ("files/srv/chain/compose.yml", compose)];
    all(
        &files,
        &[
            "apt install bitcoind",
            "sudo snap install bitcoin-core",
            "docker run -d --name btc -v btc:/data kylemanna/bitcoind",
            "docker run -d btcpayserver/bitcoin:26.0 bitcoind -txindex=1",
            "docker pull lncm/bitcoind:v27.0",
            "docker compose up -d",
            "docker compose up -d node",
            "docker-compose pull node",
            "bitcoind -daemon",
            "geth --datadir /var/lib/geth",
            "nohup monerod --data-dir /opt/monero &",
            "wget https://planet.openstreetmap.org/pbf/planet-latest.osm.pbf",
            "ollama pull llama3:70b-instruct-fp16",
            "huggingface-cli download org/Model-70B-Instruct",
            "fallocate -l 90G /swapfile",
        ],
        Permission::Ask,
    );
    all(
        &files,
        &[
            "docker compose up -d web",
            "docker compose up -d small",
            "docker compose up -d elsewhere",
            "docker run -d -v /mnt/big/btc:/data kylemanna/bitcoind",
            "docker run -d kylemanna/bitcoind -prune=550",
            "docker run -d -e BITCOIN_EXTRA_ARGS=-regtest=1 kylemanna/bitcoind",
            "bitcoind -prune=550",
            "bitcoind -regtest -daemon",
            "geth attach /tmp/geth.ipc",
            "geth --datadir /mnt/big/geth",
            "cd /mnt/big && wget https://planet.openstreetmap.org/pbf/planet-latest.osm.pbf",
            "bitcoin-cli getblockchaininfo",
            "apt-cache search bitcoind",
            "apt show bitcoind",
            "apt install -y prometheus-bitcoin-exporter",
            "docker images lncm/bitcoind",
            "fallocate -l 2G /swapfile",
            "ollama pull llama3:8b",
            "git clone https://github.com/bitcoin/bitcoin",
            "pip install python-bitcoinlib",
        ],
        Permission::Allow,
    );
}

#[test]
fn on_a_full_disk_nothing_grows_and_everything_else_goes_on() {
    let df = df(93, 3000);
    let files = [("host/df.txt", df.as_str()), ("files/srv/chain/compose.yml", COMPOSE)];
    all(
        &files,
        &[
            "apt-get install -y jq",
            "npm install",
            "pip install torch",
            "docker pull redis:7",
            "docker build -t shop .",
            "docker compose pull web",
            "docker compose build",
            "docker compose up -d --build web",
            "curl -o big.iso https://example.org/big.iso",
            "wget https://example.org/big.iso",
            "git clone https://example.org/big.git",
        ],
        Permission::Ask,
    );
    all(
        &files,
        &[
            "rm -rf node_modules",
            "docker image prune -f",
            "docker compose up -d web",
            "docker restart web",
            "curl -s https://example.org/healthz",
            "du -sh /var/*",
            "apt-get clean",
            "journalctl -n 20",
            "npm test",
            "git pull",
            "curl -o /mnt/big/big.iso https://example.org/big.iso",
            "cd /mnt/big && git clone https://example.org/big.git",
        ],
        Permission::Allow,
    );
}

#[test]
fn the_configuration_names_what_grows_and_where_it_ends() {
    let df = df(70, 3000);
    let config = "[disk]\nblock_percent = 65\n[[disk.needs]]\nmatch = \"warehouse\"\nbytes = \"500GB\"\n";
    let files = [("host/df.txt", df.as_str()), ("casefile.toml", config)];
    all(&files, &["npm ci"], Permission::Ask);
    let config = config.replace("65", "90");
    let files = [("host/df.txt", df.as_str()), ("casefile.toml", config.as_str())];
    all(&files, &["docker run -d registry.example.org/warehouse:3"], Permission::Ask);
    all(&files, &["npm ci", "docker pull registry.example.org/web:3"], Permission::Allow);
}

#[test]
fn the_engine_may_keep_its_data_elsewhere() {
    let df = df(39, 3000);
    let settings = "{\"data-root\": \"/mnt/big/docker\"}";
    let files = [("host/df.txt", df.as_str()), ("files/etc/docker/daemon.json", settings)];
    all(&files, &["docker run -d lncm/bitcoind", "docker pull lncm/bitcoind"], Permission::Allow);
    all(&files, &["apt install bitcoind"], Permission::Ask);
}

#[test]
fn a_disk_that_nobody_saw_is_said() {
    let answer = judge(&[("host/date", "2026-01-01T00:00:00Z\n")], "apt install bitcoind");
    assert_eq!(answer.permission, Permission::Allow);
    assert!(answer.could_not_look.iter().any(|c| c.what.contains("df")), "{answer:?}");
    let answer = judge(&[("host/date", "2026-01-01T00:00:00Z\n")], "apt install jq");
    assert!(answer.could_not_look.is_empty(), "{answer:?}");
}
