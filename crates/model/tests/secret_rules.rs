//! Every rule for secrets finds its examples, filled with random characters, and leaves its
//! neighbours and well-known stand-ins alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_model::redact::{Level, secrets};

/// Random characters that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of(&mut self, set: &str, count: usize) -> String {
        let set: Vec<char> = set.chars().collect();
        (0..count).map(|_| set[self.below(set.len())]).collect()
    }
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGIT: &str = "0123456789";
const WORDS: &str = "river candle orbit velvet mango thunder pencil glove harbor ticket walnut breeze cabin";

/// Fills `{set:length}` in an example.
fn fill(example: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    let mut rest = example;
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').map(|i| open + i);
        let inner = close.map(|close| &rest[open + 1..close]).unwrap_or_default();
        match filled(inner, dice) {
            Some(text) => {
                out.push_str(&rest[..open]);
                out.push_str(&text);
                rest = &rest[close.unwrap() + 1..];
            }
            None => {
                out.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    out + rest
}

fn filled(inner: &str, dice: &mut Dice) -> Option<String> {
    let (set, length) = inner.split_once(':').unwrap_or((inner, "0"));
    let length: usize = length.parse().ok()?;
    let all = |parts: &[&str]| parts.concat();
    Some(match set {
        "alnum" => {
            // A digit and both cases, as issuers' values of any length nearly always have.
            let text = dice.of(&all(&[LOWER, UPPER, DIGIT]), length.saturating_sub(3));
            text + &dice.of(DIGIT, 1) + &dice.of(LOWER, 1) + &dice.of(UPPER, 1)
        }
        "lower" => dice.of(&all(&[LOWER, DIGIT]), length.saturating_sub(1)) + &dice.of(DIGIT, 1),
        "upper" => dice.of(&all(&[UPPER, DIGIT]), length),
        "letters" => dice.of(&all(&[LOWER, UPPER]), length),
        "digit" => dice.of(DIGIT, length),
        "hex" => dice.of("0123456789abcdef", length),
        "HEX" => dice.of("0123456789ABCDEF", length),
        "b64" => dice.of(&all(&[LOWER, UPPER, DIGIT, "+/"]), length.saturating_sub(1)) + &dice.of(DIGIT, 1),
        "b64url" => dice.of(&all(&[LOWER, UPPER, DIGIT, "-_"]), length.saturating_sub(2)) + &dice.of(DIGIT, 2),
        "b32" => dice.of(&all(&[UPPER, "234567"]), length),
        "b32low" => dice.of(&all(&[LOWER, "234567"]), length),
        "b58" => dice.of("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", length),
        "bech" => dice.of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", length),
        "bechlow" => dice.of("qpzry9x8gf2tvdw0s3jn54khce6mua7l", length),
        "words" => WORDS.split(' ').take(length).collect::<Vec<_>>().join(" "),
        "uuid" => [8, 4, 4, 4, 12].map(|n| dice.of("0123456789abcdef", n)).join("-"),
        "jwt" => jwt(dice),
        "jwt64" => base64(jwt(dice).as_bytes()),
        "basic" => {
            let text = fill("shop:{alnum:18}", dice);
            base64(text.as_bytes())
        }
        _ => return None,
    })
}

fn jwt(dice: &mut Dice) -> String {
    let part = |text: &str| base64(text.as_bytes()).trim_end_matches('=').to_owned();
    let body = format!("{{\"sub\":\"{}\",\"iat\":17{}}}", dice.of(LOWER, 12), dice.of(DIGIT, 8));
    format!("{}.{}.{}", part("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), part(&body), fill("{alnum:43}", dice))
}

fn base64(bytes: &[u8]) -> String {
    const SET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |all, b| all << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = usize::try_from(group >> (18 - 6 * digit) & 0x3f).unwrap();
            out.push(if digit > chunk.len() { '=' } else { char::from(SET[index]) });
        }
    }
    out
}

fn rules() -> Vec<toml::Table> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../facts/secrets");
    let mut rules = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let file: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
            rules.extend(file["rules"].as_array().unwrap().iter().map(|r| r.as_table().unwrap().clone()));
        }
    }
    rules
}

fn strings<'a>(rule: &'a toml::Table, key: &str) -> Vec<&'a str> {
    rule.get(key).and_then(|v| v.as_array()).into_iter().flatten().map(|v| v.as_str().unwrap()).collect()
}

#[test]
fn every_rule_finds_its_examples_and_leaves_its_neighbours() {
    let mut dice = Dice(42);
    let mut wrong = Vec::new();
    let rules = rules();
    assert!(rules.len() >= 200, "{} rules", rules.len());
    for rule in &rules {
        let id = rule["id"].as_str().unwrap();
        for example in strings(rule, "example") {
            for _ in 0..5 {
                let text = fill(example, &mut dice);
                if secrets(&text).is_empty() {
                    wrong.push(format!("{id}: missed {text}"));
                }
            }
        }
        for silent in strings(rule, "silent") {
            let text = fill(silent, &mut dice);
            if let Some(first) = secrets(&text).first() {
                wrong.push(format!("{id}: `{}` alarms at {text}", first.kind));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} rules\n{}", wrong.len(), rules.len(), wrong.join("\n"));
}

/// The ways in which settings, code and markup give a value to a name.
const FORMS: &[&str] = &[
    "N=V",
    "N=\"V\"",
    "export N='V'",
    "N: V",
    "N: 'V'",
    "{\"N\": \"V\"}",
    "{\\\"N\\\":\\\"V\\\"}",
    "  N = \"V\"",
    "string N = \"V\";",
    "var N string = \"V\"",
    "N := \"V\"",
    "N := `V`",
    "var N: String = \"V\"",
    "$N .= \"V\"",
    "'N' => 'V',",
    "N ?= \"V\"",
    "N ::= \"V\"",
    "<N>V</N>",
    "System.setProperty(\"N\", \"V\")",
    "cfg['N'] = 'V'",
    "docker run -e N=V shop",
    "curl -H \"X-N: V\" https://api.example.org",
    "https://api.example.org/v1?N=V&lang=de",
    "tool --N V",
    "-DN=V",
];

#[test]
fn values_are_found_in_every_form_of_giving() {
    let mut dice = Dice(7);
    let (mut missed, mut all) = (Vec::new(), 0);
    for rule in rules().iter().filter(|r| r.get("value").is_some()) {
        let id = rule["id"].as_str().unwrap();
        if rule.get("level").and_then(|l| l.as_str()) == Some("generic") {
            continue;
        }
        let example = strings(rule, "example")[0];
        let Some(at) = example.find(['=', ':']) else { continue };
        let (name, value) = (example[..at].trim(), example[at + 1..].trim().trim_matches('"'));
        if name.contains(' ') {
            continue;
        }
        for form in FORMS {
            let text = form.replace('N', "\u{1}").replace('V', &fill(value, &mut dice)).replace('\u{1}', name);
            all += 1;
            if secrets(&text).is_empty() {
                missed.push(format!("{id}: {text}"));
            }
        }
    }
    assert!(missed.len() * 100 <= all, "{} of {all}\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn values_are_found_where_the_place_gives_them_away() {
    let mut dice = Dice(5);
    let mut missed = Vec::new();
    for text in [
        "machine api.internal\n  login ci\n  password {alnum:20}",
        "network={\n  psk=\"{alnum:16}\"\n}",
        "env:\n- name: DB_PASSWORD\n  value: \"{alnum:16}\"",
        "{\"name\": \"API_KEY\", \"value\": \"{alnum:32}\"}",
        "<key>ApiKey</key>\n<string>{alnum:32}</string>",
        "<AutoLogon>\n<Password>\n  <Value>{alnum:16}</Value>\n</Password>",
        "users:\n- name: ops\n  plain_text_passwd: {alnum:14}",
        "ansible_ssh_pass={alnum:14}",
        "client_id=abc&client_secret={alnum:32}&grant_type=x",
        "API_KEY=${API_KEY:-{alnum:32}}",
        "key = os.getenv(\"API_KEY\", \"{alnum:32}\")",
        "let token = String::from(\"{alnum:32}\");",
        "VNC_PASSWORD={alnum:10}",
        "MT{alnum:22}.G{alnum:5}.{alnum:38}",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{b64:70}\n{b64:70}\n-----END OPENSSH PRIVATE KEY-----",
    ] {
        for _ in 0..5 {
            let text = fill(text, &mut dice);
            if secrets(&text).is_empty() {
                missed.push(text);
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn encoded_and_cut_secrets_are_found() {
    let mut dice = Dice(3);
    let token = fill("gh\u{0}p_{alnum:36}", &mut dice).replace('\u{0}', "");
    let (head, tail) = token.split_at(17);
    let (one, two) = tail.split_at(9);
    for text in [
        base64(format!("token={token}\n").as_bytes()),
        format!("data:\n  config: {}", base64(format!("api:\n  token: {token}\n").as_bytes())),
        base64(base64(format!("the key is {token}").as_bytes()).as_bytes()),
        format!("token = \"{head}\" + \"{tail}\""),
        format!("$t = '{head}' . '{one}' . '{two}';"),
        format!("t = (\"{head}\"\n     \"{tail}\")"),
        format!("T={head}\\\n{tail}"),
        format!("echo '{head}''{tail}'"),
        format!("const t = `{head}` +\n    `{tail}`;"),
    ] {
        let found = secrets(&text);
        assert!(found.iter().any(|s| s.kind == "github-pat" && s.level == Level::Secret), "{text} -> {found:?}");
        assert!(found.iter().all(|s| text.get(s.span.clone()).is_some()), "{text} -> {found:?}");
    }
    for text in
        ["a = \"one\" + \"two\"", "print('a' 'b')", "echo hello \\\n  world", "dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcw=="]
    {
        assert_eq!(secrets(text), vec![], "{text}");
    }
}

#[test]
fn stand_ins_digests_and_prose_are_silent() {
    let mut dice = Dice(11);
    let mut wrong = Vec::new();
    for text in STAND_INS {
        let text = fill(text, &mut dice);
        if let Some(first) = secrets(&text).first() {
            wrong.push(format!("{}: {text}", first.kind));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), STAND_INS.len(), wrong.join("\n"));
}

/// What documents, templates, lock files and logs hold that is no secret.
const STAND_INS: &[&str] = &[
    // Code that gives a name to a thing.
    "let mut unique_token = Token(SERVER.0);",
    "    token: node.dot2_token,",
    "client_auth: Option<Vec<u8>>,",
    "    access_token = _messages.StringField(2)",
    "private_key = rsa.key.PrivateKey.load_pkcs1(key_bytes)",
    "pub const SHOP_TOKEN: UnparkToken = UnparkToken(0);",
    "    'service_account_token': 'V1ServiceAccountTokenProjection',",
    "\"X-metadata-token\": self.IMDSV2_SESSION_TOKEN",
    "encryption_key=TEST_ENCRYPTION_KEY1)",
    "fn from(signing_key: &SigningKey) -> pkcs8::KeypairBytes {",
    "const PRIVATE_KEY: &[u8] = include_bytes!(\"ed25519_test_private_key.bin\");",
    "credentials = credentials.with_quota_project('new-project-456')",
    // Prose about logins.
    "/// Checks whether this is one Basic Multilingual Plane",
    "Pass the `IsWow64Process2` handle on",
    "the password for the shop is stored elsewhere",
    "a secret identifier like 'sec1:latest'",
    // Keys that open nothing.
    "public_key = \"{hex:64}\"",
    "cacheKey: \"{hex:32}\"",
    "idempotency_key: {uuid}",
    "partition_key = \"tenant_42\"",
    "s3_key: backups/db-2024-01-01T00-00-00.tar.gz",
    "uses: actions/cache@{hex:40}\nwith:\n  key: v1-deps-{{ checksum }}",
    "tokenRegex: \"^[A-Za-z0-9_-]{32}$\"",
    // What was sealed for a controller, and what stands for it.
    "encryptedData:\n  password: AgB{b64:240}",
    "valueFrom:\n  secretKeyRef:\n    name: db-creds-v2\n    key: password",
    "helm upgrade x y --set auth.existingSecret=db-creds-2",
    "echo \"$PASSWORD\" | docker login -u x --password-stdin",
    "password: \"Passwort\"",
    "passwordPlaceholder: \"Enter your password (min. 8 characters)\"",
    "interface Login { password: string; token?: string | null }",
    "-----BEGIN PRIVATE KEY-----\"); assert!(pem.ends_with(\"-----END\")); let rest = \"and more text of a test 2024\";",
    "password = changeme",
    "PASSWORD=changeme123",
    "API_KEY=your-api-key-here",
    "API_KEY=<YOUR_API_KEY>",
    "api_key: \"YOUR_API_KEY\"",
    "token: xxxxxxxxxxxxxxxxxxxxxxxx",
    "TOKEN=XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX",
    "TOKEN=${TOKEN}",
    "TOKEN=$TOKEN",
    "TOKEN={{ token }}",
    "TOKEN=%TOKEN%",
    "password: {{ vault_db_password }}",
    "password: ${{ secrets.DB_PASSWORD }}",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SECRET_ACCESS_KEY=****************************************",
    "GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "GITHUB_TOKEN=ghp_1234567890abcdefghijklmnopqrstuvwxyz",
    "GITHUB_TOKEN=ghp_...",
    "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "OPENAI_API_KEY=sk-your-key-here",
    "OPENAI_API_KEY=sk-test-1234567890",
    "OPENAI_API_KEY=sk-abcdefghijklmnopqrstuvwxyz123456",
    "STRIPE_KEY=sk_test_xxxxxxxxxxxxxxxxxxxxxxxx",
    "STRIPE_KEY=sk_test_your_key_here_please",
    "STRIPE_PUBLISHABLE_KEY=pk_live_{alnum:24}",
    "SLACK_TOKEN=xoxb-your-token-here",
    "SLACK_TOKEN=xoxb-000000000000-000000000000-xxxxxxxxxxxxxxxxxxxxxxxx",
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "SENDGRID_API_KEY=SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "postgres://user:password@localhost:5432/db",
    "postgres://postgres:postgres@127.0.0.1/shop",
    "postgres://user:${DB_PASSWORD}@db/shop",
    "mysql://root:secret@db/app",
    "mongodb://<user>:<password>@cluster0.mongodb.net",
    "redis://:password123@cache:6379/0",
    "sha256:{hex:64}",
    "image: shop/api@sha256:{hex:64}",
    "\"integrity\": \"sha512-{b64:86}==\"",
    "commit {hex:40}",
    "git checkout {hex:40}",
    "ETag: \"{hex:32}\"",
    "md5sum: {hex:32}",
    "checksum = \"{hex:64}\"",
    "requestId: {uuid}",
    "trace_id={hex:32}",
    "uuid = \"{uuid}\"",
    "ssh-rsa AAAAB3NzaC1yc2E{b64:340} me@host",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{b64:44} me@host",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq{b64:200}\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIID{b64:200}\n-----END CERTIFICATE-----",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nYOUR_PRIVATE_KEY_HERE\n-----END RSA PRIVATE KEY-----",
    "PUBLIC_KEY={b64:44}",
    "password = os.environ['DB_PASSWORD']",
    "const apiKey = process.env.API_KEY;",
    "token = request.headers.get('X-Auth-Token')",
    "api_key = config.get(\"api_key\")",
    "password: !vault |",
    "secret_arn: arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf",
    "PASSWORD_FILE=/run/secrets/db_password",
    "op://vault/item/password",
    "the password must contain at least 8 characters and 1 digit",
    "Enter your password: ",
    "invalid token: unexpected end of input at line 12",
    "token_type: bearer",
    "TOKEN_EXPIRY_SECONDS=86400",
    "max_tokens: 4096",
    "secret_key_base: <%= ENV['SECRET_KEY_BASE'] %>",
    "password_hash_algorithm = argon2id",
    "keyboard = us102",
    "token = 'dummy-token-123456'",
    "api_key = 'test-api-key-1234'",
    "secret: not-a-real-secret-1234",
    "api_key: 0123456789abcdef0123456789abcdef",
    "secret: deadbeefdeadbeefdeadbeefdeadbeef",
    "token: 00000000000000000000000000000000",
    "token: 123e4567-e89b-12d3-a456-426614174000",
    "POSTGRES_PASSWORD=postgres",
    "MYSQL_ROOT_PASSWORD=my-secret-pw",
    "password=P@ssw0rd",
    "password=Password123!",
    "password=hunter2",
    "password=correct-horse-battery-staple",
    "data:\n  password: Y2hhbmdlbWU=",
    "Authorization: Bearer <token>",
    "Authorization: Bearer $TOKEN",
    "Authorization: Basic dXNlcjpwYXNz",
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.x",
    "https://example.com/?token=YOUR_TOKEN",
    "mnemonic = \"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about\"",
    "mnemonic = \"test test test test test test test test test test test junk\"",
    "TWILIO_AUTH_TOKEN=your_auth_token",
    "TWILIO_ACCOUNT_SID=ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    "npm ci --ignore-scripts && npm run test:e2e",
    "from module_token import TokenV2Parser",
    "def rotate_api_key(old_key: str, new_key2: str) -> None:",
    "password: str = Field(min_length=12)",
    "assert token == expected_token_2",
    "secretName: shop-tls-2024",
    "imagePullSecrets: [{name: registry-cred-1}]",
    "key: node-role.kubernetes.io/control-plane1",
    "cache-key: v1-npm-{hex:8}",
    "\"resolved\": \"https://registry.npmjs.org/token-stream/-/token-stream-1.0.2.tgz\"",
    "glyph name token-4x4-grid-v2",
    "GitHub commit token: see {hex:7}",
];
