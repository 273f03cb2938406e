//! Takes off what runs a project's tool: `npx`, `poetry run`, `python -m`, `bundle exec`, `php artisan`.

use coroner_read::shell::{Word, program_of};

/// The words of a tool, with the env files that its runner loads before.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tool {
    pub(super) argv: Vec<Word>,
    pub(super) env_files: Vec<Word>,
    pub(super) assignments: Vec<(String, Word)>,
}

/// Most runners inside each other that are taken off.
const RUNNERS_MAX: usize = 6;

impl Tool {
    /// The tool that words run, and its arguments.
    pub(super) fn of(argv: &[Word]) -> Tool {
        let mut tool = Tool { argv: argv.to_vec(), ..Tool::default() };
        for _ in 0..RUNNERS_MAX {
            match tool.inner() {
                Some(rest) if !rest.is_empty() => tool.argv = rest,
                _ => break,
            }
        }
        tool
    }

    /// The name of the tool: a script is called as its interpreter would see it.
    pub(super) fn name(&self) -> &str {
        let name = program_of(&self.argv);
        // `prisma@5.1` runs prisma.
        name.split('@').find(|part| !part.is_empty()).unwrap_or(name)
    }

    fn inner(&mut self) -> Option<Vec<Word>> {
        let argv = self.argv.clone();
        let rest = argv.get(1..)?;
        let first = rest.first().and_then(Word::as_literal).unwrap_or_default();
        let after = |n: usize| rest.get(n..).map(<[Word]>::to_vec);
        match program_of(&argv) {
            "npx" | "bunx" | "pnpx" | "uvx" | "pipx" => {
                let rest = if program_of(&argv) == "pipx" && first == "run" { &rest[1..] } else { rest };
                Some(past_options(rest, &["-p", "--package", "-c", "--call", "--from", "--python", "--with"]))
            }
            "npm" | "pnpm" | "yarn" | "bun" | "deno" => match first {
                "exec" | "dlx" | "x" => Some(past_options(&rest[1..], &["--package", "--filter", "-F"])),
                "run" | "run-script" | "test" | "start" | "task" => None,
                _ if first.starts_with('-') => {
                    let inner = past_options(rest, &["--filter", "-F", "--dir", "-C", "--cwd", "--prefix"]);
                    let exec = matches!(inner.first().and_then(Word::as_literal), Some("exec" | "dlx"));
                    let tool = inner.first().and_then(Word::as_literal).is_some_and(is_project_tool);
                    match exec {
                        true => Some(past_options(&inner[1..], &[])),
                        false => tool.then_some(inner),
                    }
                }
                // `yarn prisma …` and `pnpm prisma …` run a program of the project.
                _ if matches!(program_of(&argv), "yarn" | "pnpm" | "bun") && is_project_tool(first) => after(0),
                _ => None,
            },
            "poetry" | "pipenv" | "uv" | "pdm" | "hatch" | "rye" | "conda" | "mamba" if first == "run" => {
                Some(past_options(&rest[1..], &["-n", "--name", "--env-file", "--with", "--project", "-p"]))
            }
            "bundle" if first == "exec" => after(1),
            "spring" | "bin/spring" => after(0),
            "symfony" if matches!(first, "php" | "console") => after(1),
            "sail" => after(0),
            "dotenv" | "dotenvx" | "env-cmd" | "op" | "doppler" | "infisical" | "chamber" | "aws-vault" => {
                self.dotenv(rest)
            }
            "cross-env" | "cross-env-shell" => {
                let split = rest.iter().position(|w| !is_assignment(w)).unwrap_or(rest.len());
                self.assignments.extend(rest[..split].iter().filter_map(assignment));
                after(split)
            }
            "tsx" | "ts-node" | "node" | "nodejs" => {
                let inner = past_options(rest, &["-r", "--require", "--import", "--loader", "--env-file", "-P"]);
                let name = inner.first().map(|w| w.prefix().rsplit('/').next().unwrap_or_default().to_owned());
                name.filter(|n| is_project_tool(n.trim_end_matches(".js"))).map(|_| inner)
            }
            "python" | "python3" | "py" => python(rest),
            "php" => {
                let inner = past_options(rest, &["-d", "-c"]);
                let name = inner.first().and_then(Word::as_literal).unwrap_or_default().rsplit('/').next();
                (matches!(name, Some("artisan" | "console"))).then_some(inner)
            }
            "ruby" => {
                let inner = past_options(rest, &["-I", "-r"]);
                let name = inner.first().and_then(Word::as_literal).unwrap_or_default().rsplit('/').next();
                (matches!(name, Some("rails" | "rake"))).then_some(inner)
            }
            _ => None,
        }
    }

    /// `dotenv -e .env.production -- prisma migrate reset`.
    fn dotenv(&mut self, rest: &[Word]) -> Option<Vec<Word>> {
        let split = rest.iter().position(|w| w.as_literal() == Some("--"));
        let options = super::options::Options::read(
            &rest[..split.unwrap_or(rest.len())],
            &["-e", "-f", "--file", "--env-file", "-c", "-v", "-p", "--project", "--config"],
            super::options::Order::First,
        );
        self.env_files.extend(options.values(&["-e", "-f", "--file", "--env-file"]).cloned());
        match split {
            Some(at) => rest.get(at + 1..).map(<[Word]>::to_vec),
            None => match options.operands.split_first() {
                Some((run, rest)) if matches!(run.as_literal(), Some("run" | "exec")) => Some(rest.to_vec()),
                Some(_) => Some(options.operands),
                None => None,
            },
        }
    }
}

fn python(rest: &[Word]) -> Option<Vec<Word>> {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        match word.as_literal() {
            Some("-m") => return rest.get(at + 1..).map(<[Word]>::to_vec),
            Some("-W" | "-X") => at += 2,
            Some("-c") => return None,
            Some(text) if text.starts_with('-') && text.len() > 1 => at += 1,
            Some(text) => {
                let name = text.rsplit('/').next().unwrap_or(text);
                return matches!(name, "manage.py" | "alembic" | "django-admin" | "flask").then(|| rest[at..].to_vec());
            }
            None => return None,
        }
    }
    None
}

/// Programs that projects carry along and that change databases or hooks.
fn is_project_tool(name: &str) -> bool {
    matches!(
        name,
        "prisma"
            | "drizzle-kit"
            | "sequelize"
            | "sequelize-cli"
            | "knex"
            | "typeorm"
            | "typeorm-ts-node-commonjs"
            | "typeorm-ts-node-esm"
            | "supabase"
            | "husky"
            | "lefthook"
            | "mikro-orm"
            | "wrangler"
            | "vercel"
            | "netlify"
            | "cdk"
            | "serverless"
            | "sls"
            | "firebase"
            | "ace"
            | "dotenv"
            | "cross-env"
            | "env-cmd"
    )
}

/// Words after the options that come first.
fn past_options(words: &[Word], valued: &[&str]) -> Vec<Word> {
    super::options::Options::read(words, valued, super::options::Order::First).operands
}

fn is_assignment(word: &Word) -> bool {
    assignment(word).is_some()
}

fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.prefix().split_once('=')?;
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut rest = Word::literal(value);
    rest.parts.extend(word.parts.iter().skip(1).cloned());
    valid.then(|| (name.to_owned(), rest))
}
