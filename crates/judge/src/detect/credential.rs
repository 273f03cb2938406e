//! Credentials: what a connection string holds, what a server was set up with, and whether they agree.

use coroner_model::redact::{is_placeholder, is_token};

use crate::detect::part::{Part, Value};

/// What a connection string holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credential {
    pub family: Option<Family>,
    pub user: String,
    pub password: String,
    /// Empty where it names none.
    pub host: String,
}

/// Kinds of servers that ask for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Postgres,
    MySql,
    Mongo,
    Redis,
    Rabbit,
    SqlServer,
    ClickHouse,
}

/// Words of names that belong to a kind of server.
const FAMILY_WORDS: [(&str, Family); 20] = [
    ("postgres", Family::Postgres),
    ("postgresql", Family::Postgres),
    ("postgis", Family::Postgres),
    ("timescaledb", Family::Postgres),
    ("pgvector", Family::Postgres),
    ("pg", Family::Postgres),
    ("pgsql", Family::Postgres),
    ("psql", Family::Postgres),
    ("mysql", Family::MySql),
    ("mariadb", Family::MySql),
    ("percona", Family::MySql),
    ("mongo", Family::Mongo),
    ("mongodb", Family::Mongo),
    ("redis", Family::Redis),
    ("valkey", Family::Redis),
    ("rabbitmq", Family::Rabbit),
    ("amqp", Family::Rabbit),
    ("mssql", Family::SqlServer),
    ("sqlserver", Family::SqlServer),
    ("clickhouse", Family::ClickHouse),
];

fn family_of(text: &str) -> Option<Family> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|w| FAMILY_WORDS.iter().find(|(word, _)| *word == w).map(|(_, family)| *family))
}

/// The kind of server that an image is, by the last part of its name.
pub fn family_of_image(image: &str) -> Option<Family> {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split([':', '@']).next().unwrap_or(name);
    // Tools beside a server carry its name too: exporters, clients, backups, admin pages.
    let beside =
        ["exporter", "backup", "admin", "client", "express", "ui", "commander", "insight", "proxy", "operator"];
    let words: Vec<String> = name.to_ascii_lowercase().split(['-', '_', '.']).map(str::to_owned).collect();
    if words.iter().any(|w| beside.contains(&w.as_str())) {
        return None;
    }
    family_of(name)
}

/// Whether an image is a server that asks for a password.
pub fn is_server_image(image: &str) -> bool {
    family_of_image(image).is_some()
}

/// Reads `scheme://user:password@host/…`, or `host=… password=…` and its relatives.
pub fn of_text(text: &str) -> Option<Credential> {
    url(text).or_else(|| pairs(text))
}

fn url(text: &str) -> Option<Credential> {
    let (scheme, rest) = text.trim().split_once("://")?;
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || scheme.contains([' ', '"', '\'']) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', ' ']).next()?;
    let Some((user_info, host)) = authority.rsplit_once('@') else { return query(scheme, authority, rest) };
    let (user, password) = user_info.split_once(':')?;
    Some(Credential {
        family: family_of(scheme),
        user: decoded(user),
        password: known(&decoded(password))?,
        host: first_host(host),
    })
}

/// `scheme://host/name?user=…&password=…`, as JDBC has it.
fn query(scheme: &str, authority: &str, rest: &str) -> Option<Credential> {
    let (_, query) = rest.split_once('?')?;
    let mut credential = Credential { family: family_of(scheme), host: first_host(authority), ..Credential::default() };
    for (key, value) in query.split(['&', ';']).filter_map(|pair| pair.split_once('=')) {
        match key.to_ascii_lowercase().as_str() {
            "user" | "username" => credential.user = decoded(value),
            "password" => credential.password = known(&decoded(value))?,
            _ => {}
        }
    }
    (!credential.password.is_empty() && !credential.host.is_empty()).then_some(credential)
}

/// The first host of a list, without its port.
fn first_host(hosts: &str) -> String {
    let host = hosts.split(',').next().unwrap_or(hosts);
    let host = host.rsplit_once(':').filter(|(_, p)| p.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
    host.trim_matches(['[', ']']).to_owned()
}

fn pairs(text: &str) -> Option<Credential> {
    let separator = if text.contains(';') { ';' } else { ' ' };
    let mut credential = Credential::default();
    for pair in text.split(separator) {
        let Some((key, value)) = pair.split_once('=') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        match key.trim().to_ascii_lowercase().as_str() {
            "host" | "server" | "data source" | "hostaddr" | "address" => {
                let host = value.trim_start_matches("tcp:");
                credential.host = host.split([',', ':']).next().unwrap_or(host).to_owned();
            }
            "user" | "uid" | "user id" | "username" => credential.user = value.to_owned(),
            "password" | "pwd" => credential.password = known(value)?,
            _ => {}
        }
    }
    (!credential.password.is_empty() && !credential.host.is_empty()).then_some(credential)
}

/// A password that is a value and no template.
fn known(password: &str) -> Option<String> {
    let template = password.contains(['{', '}', '<', '>']) || password.starts_with(['$', '%']) || password.is_empty();
    (!template).then(|| password.to_owned())
}

/// Resolves `%XX`, as user and password of a URL are written.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Whether two values are the same, as far as redacted text can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    Same,
    Different,
    /// One was recognised as a secret and replaced, the other was not.
    Unknown,
}

/// Compares two secrets or other values in redacted text.
pub fn compare(a: &str, b: &str) -> Sameness {
    if a == b {
        return Sameness::Same;
    }
    let token = |v: &str| v.contains("hmac:");
    match (token(a), token(b)) {
        (true, true) | (false, false) => Sameness::Different,
        // A placeholder is never replaced: what was replaced is another value.
        (true, false) if is_placeholder(b) && is_token(a) => Sameness::Different,
        (false, true) if is_placeholder(a) && is_token(b) => Sameness::Different,
        _ => match (of_text(a), of_text(b)) {
            (Some(x), Some(y)) => compare(&x.password, &y.password),
            _ => Sameness::Unknown,
        },
    }
}

/// Lower-case words of a variable's name.
pub fn words(name: &str) -> Vec<String> {
    name.to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a variable's last word says that it holds a password.
pub fn is_password_name(name: &str) -> bool {
    let passwords = ["password", "passwd", "pass", "pwd", "pw"];
    let words = words(name);
    let joined = ["pgpassword", "dbpassword", "dbpass", "requirepass"];
    words.last().is_some_and(|w| passwords.contains(&w.as_str()) || joined.contains(&w.as_str()))
}

/// The kind of server that a password variable is for; `None` where it names no database at all.
pub fn family_of_variable(name: &str) -> Option<Option<Family>> {
    let known = family_of(name);
    let general =
        words(name).iter().any(|w| ["db", "database", "sql", "dbpassword", "pgpassword"].contains(&w.as_str()));
    if name.eq_ignore_ascii_case("PGPASSWORD") {
        return Some(Some(Family::Postgres));
    }
    (known.is_some() || general).then_some(known)
}

/// A server with what it was set up with.
#[derive(Clone, Copy, Debug)]
pub struct Server<'s> {
    pub part: Part<'s>,
    pub family: Option<Family>,
}

impl<'s> Server<'s> {
    /// A part as a server, where its image or its variables say that it is one.
    pub fn of(part: Part<'s>) -> Option<Server<'s>> {
        family_of_image(part.image()).map(|family| Server { part, family: Some(family) })
    }

    /// A part as the server that a credential leads to: by its image, or by a password
    /// variable of that kind, since a server can run in an image of any name.
    pub fn serving(part: Part<'s>, credential: &Credential) -> Option<Server<'s>> {
        if let Some(server) = Server::of(part) {
            return Some(server);
        }
        let told = |name: &&str| is_password_name(name) && family_of_variable(name).flatten() == credential.family;
        let family = credential.family?;
        part.names().iter().any(told).then_some(Server { part, family: Some(family) })
    }

    /// The password that it was told for a user, and the variable that tells it.
    pub fn password_for(&self, user: &str) -> Option<(String, Value)> {
        let mut names: Vec<&str> = self.part.names().into_iter().filter(|n| is_password_name(n)).collect();
        names.sort_unstable();
        let privileged = |name: &str| {
            words(name).iter().any(|w| ["root", "admin", "sa", "replication", "default"].contains(&w.as_str()))
        };
        let for_root = ["root", "sa", "admin"].contains(&user);
        let of_kind = |name: &&&str| self.family.is_some() && family_of_variable(name).flatten() == self.family;
        let fits = |name: &&&str| privileged(name) == for_root;
        let best =
            names.iter().find(|n| of_kind(n) && fits(n)).or_else(|| names.iter().find(fits)).or_else(|| names.first());
        let given = best.and_then(|best| Some(((*best).to_owned(), self.part.variable(best)?)));
        given.filter(|(_, v)| !v.text.is_empty()).or_else(|| self.password_in_command())
    }

    /// The password that its command line gives: `redis-server --requirepass …`.
    fn password_in_command(&self) -> Option<(String, Value)> {
        /// The option of Redis and its kin.
        const OPTION: &str = "--requirepass";
        let words: Vec<&str> = self
            .part
            .words()
            .into_iter()
            .flat_map(str::split_whitespace)
            .map(|w| w.trim_matches(['"', '\'']))
            .collect();
        let at = words.iter().position(|w| *w == OPTION)?;
        let word = words.get(at + 1).filter(|w| !w.is_empty())?;
        let variable = word.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        if let Some(variable) = variable {
            return Some((variable.to_owned(), self.part.variable(variable)?));
        }
        let text = format!("{OPTION} …");
        let cited = self.part.cite_state("/Config/Cmd", &text);
        let at = cited.or_else(|| self.part.service.and_then(|s| s.at.clone()))?;
        Some((OPTION.to_owned(), Value { text: (*word).to_owned(), at, settled: true }))
    }

    /// The user that it was told to make.
    pub fn user(&self) -> Option<String> {
        let names = self.part.names();
        let name = names.into_iter().find(|n| words(n).last().is_some_and(|w| w == "user" || w == "username"))?;
        self.part.variable(name).map(|v| v.text)
    }

    /// Whether it lets everybody in, so that no password matters.
    pub fn trusts_everyone(&self) -> bool {
        let trust = self.part.variable("POSTGRES_HOST_AUTH_METHOD").is_some_and(|v| v.text == "trust");
        trust
            || ["ALLOW_EMPTY_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"]
                .iter()
                .any(|n| self.part.variable(n).is_some_and(|v| matches!(v.text.as_str(), "1" | "yes" | "true")))
    }
}

/// Whether a host name means the caller itself.
pub fn is_own_host(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0" | "host.docker.internal" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_come_apart() {
        for (text, user, password, host) in [
            ("postgresql+asyncpg://shop:changeme@db:5432/shop?ssl=1", "shop", "changeme", "db"),
            ("postgres://u:p%40w@db/x", "u", "p@w", "db"),
            ("redis://:changeme@cache:6379/0", "", "changeme", "cache"),
            ("amqp://guest:guest@mq//", "guest", "guest", "mq"),
            ("host=db port=5432 user=u password=changeme dbname=x", "u", "changeme", "db"),
            ("Server=db,1433;User Id=sa;Password=changeme;", "sa", "changeme", "db"),
            ("jdbc:postgresql://db:5432/x?ssl=true&user=u&password=changeme", "u", "changeme", "db"),
            ("postgres://u:hmac:0123456789abcdef@db:5432/x", "u", "hmac:0123456789abcdef", "db"),
        ] {
            let c = of_text(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((c.user.as_str(), c.password.as_str(), c.host.as_str()), (user, password, host), "{text}");
        }
        for text in [
            "postgres://db:5432/x",
            "postgres://u:${PW}@db/x",
            "postgres://u:{pw}@db",
            "http://a/b",
            "a=b",
            "sqlite:///x.db",
            "jdbc:postgresql://db/x?user=u",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }

    #[test]
    fn replaced_values_compare_as_far_as_they_can() {
        let token = "hmac:0123456789abcdef";
        assert_eq!(compare(token, token), Sameness::Same);
        assert_eq!(compare(token, "changeme"), Sameness::Different);
        assert_eq!(compare(token, "x7Hq2"), Sameness::Unknown);
        assert_eq!(compare("a", "b"), Sameness::Different);
    }

    #[test]
    fn images_of_servers_are_told_from_tools() {
        assert_eq!(family_of_image("docker.io/library/postgres:16-alpine"), Some(Family::Postgres));
        assert_eq!(family_of_image("bitnami/mariadb:11"), Some(Family::MySql));
        assert_eq!(family_of_image("prometheuscommunity/postgres-exporter"), None);
        assert_eq!(family_of_image("shop/api:postgres"), None);
        assert!(is_password_name("DB_PASS") && !is_password_name("PASSWORD_FILE") && !is_password_name("BYPASS_URL"));
    }
}
