//! `sqlite3`: statements after the file's name, or on the standard input.

use coroner_read::shell::{self, Word};

use super::Plan;
use super::database::{self, Database};
use super::sql::Flavour;

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let mut operands: Vec<&Word> = Vec::new();
    let mut commands: Vec<String> = Vec::new();
    let mut words = call.argv[1..].iter();
    while let Some(word) = words.next() {
        // Its options have one dash and a long name.
        match word.prefix().trim_start_matches('-') {
            _ if !word.prefix().starts_with('-') => operands.push(word),
            "cmd" => commands.extend(words.next().map(Word::show)),
            "readonly" | "version" | "help" => return,
            "init" | "separator" | "newline" | "nullvalue" | "mmap" | "vfs" | "A" => drop(words.next()),
            _ => {}
        }
    }
    let Some((file, statements)) = operands.split_first() else { return };
    let mut database = Database::of_client(out);
    database.file = Some(shell::join(&call.cwd, file));
    commands.extend(statements.iter().map(|w| w.show()));
    if statements.is_empty() {
        commands.extend(database::standard_input(out));
    }
    for text in commands {
        // Lines such as `.tables` are the client's own.
        let text: String = text.lines().filter(|l| !l.trim_start().starts_with('.')).collect::<Vec<_>>().join("\n");
        database::of_sql(out, &text, Flavour::Sqlite, &database);
    }
}
