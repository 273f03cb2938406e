//! SQL text: which of its statements destroy rows, tables or databases.
//!
//! Each statement is parsed; one that the grammar refuses is read by its words, so
//! that a client's own spelling hides nothing.

use sqlparser::ast::{
    AlterTableOperation, BinaryOperator, Expr, FromTable, ObjectType, SetExpr, Statement, TableFactor, TableWithJoins,
    UnaryOperator, Value,
};
use sqlparser::dialect::{Dialect, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Most bytes of SQL that are read.
const SQL_BYTES_MAX: usize = 1024 * 1024;
/// Most statements that are read.
const STATEMENTS_MAX: usize = 2000;

/// One thing that a text destroys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub act: Act,
    /// What it is done to, as written.
    pub object: String,
}

/// How it is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    DropDatabase,
    DropSchema,
    DropTable,
    DropColumn,
    DropRole,
    Truncate,
    DeleteEvery,
    UpdateEvery,
}

impl Act {
    /// The act as a person says it.
    pub fn words(self) -> &'static str {
        match self {
            Act::DropDatabase => "drop the database",
            Act::DropSchema => "drop the schema",
            Act::DropTable => "drop the table",
            Act::DropColumn => "drop a column of",
            Act::DropRole => "drop the role",
            Act::Truncate => "empty the table",
            Act::DeleteEvery => "delete every row of",
            Act::UpdateEvery => "overwrite every row of",
        }
    }
}

/// Which client reads the text first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    Postgres,
    Mysql,
    Sqlite,
    #[default]
    Any,
}

/// What a text destroys, in its order; what it rolls back is not among it.
pub fn losses(text: &str, flavour: Flavour) -> Vec<Loss> {
    if text.len() > SQL_BYTES_MAX {
        return Vec::new();
    }
    // Lines such as `\c shop` are the client's own.
    let text: String = text
        .lines()
        .filter(|line| {
            !line.trim_start().starts_with('\\') && !line.trim_start().to_ascii_uppercase().starts_with("DELIMITER ")
        })
        .collect::<Vec<_>>()
        .join("\n");
    let mut out = Reading { flavour, ..Reading::default() };
    for tokens in statements(&text, flavour).into_iter().take(STATEMENTS_MAX) {
        out.statement(tokens);
    }
    out.losses
}

fn dialects(flavour: Flavour) -> Vec<Box<dyn Dialect>> {
    let (a, b): (Box<dyn Dialect>, Box<dyn Dialect>) = match flavour {
        Flavour::Mysql => (Box::new(MySqlDialect {}), Box::new(GenericDialect {})),
        Flavour::Sqlite => (Box::new(SQLiteDialect {}), Box::new(GenericDialect {})),
        Flavour::Postgres | Flavour::Any => (Box::new(PostgreSqlDialect {}), Box::new(GenericDialect {})),
    };
    vec![a, b]
}

/// Tokens of each statement, split at semicolons outside of strings.
fn statements(text: &str, flavour: Flavour) -> Vec<Vec<Token>> {
    let tokens = dialects(flavour).iter().find_map(|d| Tokenizer::new(d.as_ref(), text).tokenize().ok());
    let mut all = vec![Vec::new()];
    for token in tokens.unwrap_or_default() {
        match token {
            Token::SemiColon => all.push(Vec::new()),
            token => {
                if let Some(last) = all.last_mut() {
                    last.push(token);
                }
            }
        }
    }
    all.retain(|s| s.iter().any(|t| !matches!(t, Token::Whitespace(_) | Token::EOF)));
    all
}

#[derive(Default)]
struct Reading {
    flavour: Flavour,
    losses: Vec<Loss>,
    /// How many losses there were when the open transaction began.
    transaction: Option<usize>,
    /// Tables that this text made for itself.
    temporary: Vec<String>,
}

impl Reading {
    fn statement(&mut self, tokens: Vec<Token>) {
        let parsed = dialects(self.flavour).iter().find_map(|dialect| {
            let mut parser = Parser::new(dialect.as_ref()).with_tokens(tokens.clone());
            let statement = parser.parse_statement().ok()?;
            matches!(parser.peek_token().token, Token::EOF).then_some(statement)
        });
        match parsed {
            Some(statement) => self.parsed(&statement),
            None => self.by_words(&tokens),
        }
    }

    fn lose(&mut self, act: Act, object: impl ToString) {
        let object = object.to_string();
        if !self.temporary.iter().any(|t| t.eq_ignore_ascii_case(&object)) {
            self.losses.push(Loss { act, object });
        }
    }

    fn parsed(&mut self, statement: &Statement) {
        match statement {
            Statement::StartTransaction { .. } => self.transaction = Some(self.losses.len()),
            Statement::Commit { .. } => self.transaction = None,
            Statement::Rollback { savepoint: None, .. } => self.roll_back(),
            Statement::CreateTable(table) if table.temporary => self.temporary.push(table.name.to_string()),
            Statement::Drop { object_type, names, temporary: false, cascade, .. } => {
                let act = match object_type {
                    ObjectType::Table => Act::DropTable,
                    ObjectType::Schema if self.flavour == Flavour::Mysql => Act::DropDatabase,
                    ObjectType::Schema => Act::DropSchema,
                    ObjectType::Database => Act::DropDatabase,
                    ObjectType::Role | ObjectType::User => Act::DropRole,
                    // What hangs on it goes along, columns among it.
                    _ if *cascade => Act::DropTable,
                    _ => return,
                };
                names.iter().for_each(|name| self.lose(act, name));
            }
            Statement::Truncate(truncate) => {
                truncate.table_names.iter().for_each(|target| self.lose(Act::Truncate, &target.name));
            }
            Statement::AlterTable(alter) => {
                let drops = |o: &AlterTableOperation| matches!(o, AlterTableOperation::DropColumn { .. });
                if alter.operations.iter().any(drops) {
                    self.lose(Act::DropColumn, &alter.name);
                }
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
                let joined = delete.using.is_some() || from.iter().any(|t| !t.joins.is_empty());
                if is_every(delete.selection.as_ref(), joined) {
                    from.iter().for_each(|t| self.lose(Act::DeleteEvery, table_name(t)));
                }
            }
            Statement::Update(update) if is_every(update.selection.as_ref(), !update.table.joins.is_empty()) => {
                self.lose(Act::UpdateEvery, table_name(&update.table));
            }
            Statement::Query(query) => {
                for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
                    self.body(&cte.query.body);
                }
                self.body(&query.body);
            }
            Statement::Explain { analyze: true, statement, .. } => self.parsed(statement),
            Statement::Prepare { statement, .. } => self.parsed(statement),
            _ => {}
        }
    }

    fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Delete(statement) | SetExpr::Update(statement) | SetExpr::Insert(statement) => {
                self.parsed(statement);
            }
            SetExpr::Query(query) => self.body(&query.body),
            _ => {}
        }
    }

    /// MySQL commits before it drops, so nothing of that comes back.
    fn roll_back(&mut self) {
        if let Some(from) = self.transaction.take() {
            let kept: Vec<Loss> = self
                .losses
                .drain(from..)
                .filter(|l| self.flavour == Flavour::Mysql && !matches!(l.act, Act::DeleteEvery | Act::UpdateEvery))
                .collect();
            self.losses.extend(kept);
        }
    }

    /// Reads a statement that the grammar refuses by its first words.
    fn by_words(&mut self, tokens: &[Token]) {
        let words: Vec<String> = tokens
            .iter()
            .filter_map(|t| match t {
                Token::Word(w) if w.quote_style.is_none() => Some(w.value.clone()),
                Token::Word(w) => Some(format!("\"{}\"", w.value)),
                Token::Placeholder(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let upper: Vec<String> = words.iter().map(|w| w.to_ascii_uppercase()).collect();
        let at = |i: usize| upper.get(i).map(String::as_str).unwrap_or_default();
        let has = |word: &str| upper.iter().any(|w| w == word);
        let named = |skip: usize| {
            let rest = words.iter().zip(&upper).skip(skip);
            let noise = ["IF", "EXISTS", "TABLE", "ONLY", "FROM"];
            rest.filter(|(_, u)| !noise.contains(&u.as_str())).map(|(w, _)| w.clone()).next().unwrap_or_default()
        };
        match (at(0), at(1)) {
            ("DROP", "DATABASE") => self.lose(Act::DropDatabase, named(2)),
            ("DROP", "SCHEMA") => self.lose(Act::DropSchema, named(2)),
            ("DROP", "TABLE") => self.lose(Act::DropTable, named(2)),
            ("DROP", "OWNED") => self.lose(Act::DropTable, named(3)),
            ("DROP", "USER" | "ROLE") => {
                let quoted = tokens.iter().find_map(|t| match t {
                    Token::SingleQuotedString(name) => Some(name.clone()),
                    _ => None,
                });
                self.lose(Act::DropRole, quoted.unwrap_or_else(|| named(2)));
            }
            ("DROP", "KEYSPACE") => self.lose(Act::DropSchema, named(2)),
            ("DROP", "TABLESPACE" | "COLLECTION" | "BUCKET" | "INDEX") if at(1) != "INDEX" => {
                self.lose(Act::DropTable, named(2));
            }
            ("DROP", _) if has("CASCADE") => self.lose(Act::DropTable, named(2)),
            ("RESET", "MASTER") | ("PURGE", "BINARY") => self.lose(Act::Truncate, "the binary log"),
            ("TRUNCATE", _) => self.lose(Act::Truncate, named(1)),
            ("DELETE", _) if !has("WHERE") && !has("JOIN") => self.lose(Act::DeleteEvery, named(1)),
            ("UPDATE", _) if has("SET") && !has("WHERE") && !has("JOIN") => self.lose(Act::UpdateEvery, named(1)),
            ("ALTER", "TABLE") => {
                let drops = upper.windows(2).any(|w| w[0] == "DROP" && w[1] == "COLUMN");
                if drops {
                    self.lose(Act::DropColumn, named(2));
                }
            }
            ("BEGIN", _) => self.transaction = Some(self.losses.len()),
            ("COMMIT" | "END", _) => self.transaction = None,
            ("ROLLBACK", _) if !has("TO") => self.roll_back(),
            ("DO", _) => self.block(tokens),
            _ => {}
        }
    }

    /// The body of an anonymous block is text again.
    fn block(&mut self, tokens: &[Token]) {
        for token in tokens {
            if let Token::DollarQuotedString(quoted) = token {
                let body = quoted.value.trim();
                let inner = body.get(..5).filter(|b| b.eq_ignore_ascii_case("begin")).map_or(body, |_| &body[5..]);
                for statement in statements(inner, self.flavour) {
                    self.statement(executed(statement));
                }
            }
        }
    }
}

/// The statement that `EXECUTE '…'` runs.
fn executed(tokens: Vec<Token>) -> Vec<Token> {
    let execute = tokens.iter().position(|t| matches!(t, Token::Word(w) if w.value.eq_ignore_ascii_case("execute")));
    let text = execute.and_then(|at| {
        tokens[at..].iter().find_map(|t| match t {
            Token::SingleQuotedString(text) => Some(text.clone()),
            Token::DollarQuotedString(quoted) => Some(quoted.value.clone()),
            _ => None,
        })
    });
    match text {
        Some(text) => statements(&text, Flavour::Any).into_iter().next().unwrap_or_default(),
        None => tokens,
    }
}

fn table_name(table: &TableWithJoins) -> String {
    match &table.relation {
        TableFactor::Table { name, .. } => name.to_string(),
        other => other.to_string(),
    }
}

/// Whether a condition leaves no row out.
fn is_every(selection: Option<&Expr>, joined: bool) -> bool {
    match selection {
        None => !joined,
        Some(expr) => is_true(expr),
    }
}

fn is_true(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_true(inner),
        Expr::Value(value) => literal_truth(&value.value) == Some(true),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => is_false(expr),
        Expr::IsNotNull(inner) => is_key(inner),
        Expr::IsTrue(inner) => is_true(inner),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::Or => is_true(left) || is_true(right),
            BinaryOperator::And => is_true(left) && is_true(right),
            BinaryOperator::Eq | BinaryOperator::GtEq | BinaryOperator::LtEq if left == right => true,
            BinaryOperator::Eq => same_literal(left, right) == Some(true),
            BinaryOperator::NotEq => same_literal(left, right) == Some(false),
            BinaryOperator::Gt | BinaryOperator::GtEq => is_key(left) && is_zero_or_less(right),
            _ => false,
        },
        Expr::Like { negated: false, pattern, .. } | Expr::ILike { negated: false, pattern, .. } => {
            matches!(pattern.as_ref(), Expr::Value(v) if matches!(&v.value, Value::SingleQuotedString(p) if !p.is_empty() && p.chars().all(|c| c == '%')))
        }
        _ => false,
    }
}

fn is_false(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_false(inner),
        Expr::Value(value) => literal_truth(&value.value) == Some(false),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => same_literal(left, right) == Some(false),
        _ => false,
    }
}

fn literal_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        Value::Number(number, _) => number.parse::<f64>().ok().map(|n| n != 0.0),
        _ => None,
    }
}

fn same_literal(left: &Expr, right: &Expr) -> Option<bool> {
    match (left, right) {
        (Expr::Value(a), Expr::Value(b)) => Some(a.value == b.value),
        _ => None,
    }
}

/// A column that no row goes without.
fn is_key(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case("id"),
        Expr::CompoundIdentifier(names) => names.last().is_some_and(|n| n.value.eq_ignore_ascii_case("id")),
        _ => false,
    }
}

fn is_zero_or_less(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(&value.value, Value::Number(n, _) if n.parse::<f64>().is_ok_and(|n| n <= 0.0)),
        Expr::UnaryOp { op: UnaryOperator::Minus, .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_destroys_is_seen_in_every_spelling() {
        for text in [
            "DROP DATABASE shop",
            "drop table if exists orders cascade;",
            "SELECT 1; DROP SCHEMA public CASCADE",
            "TRUNCATE orders, lines RESTART IDENTITY",
            "truncate table orders",
            "DELETE FROM orders",
            "delete from only orders;",
            "DELETE FROM orders WHERE 1=1",
            "DELETE FROM orders WHERE true",
            "DELETE FROM orders WHERE id = id",
            "DELETE FROM orders WHERE id IS NOT NULL",
            "DELETE FROM orders WHERE (created < now() OR 1 = 1)",
            "DELETE FROM orders WHERE 'a' = 'a'",
            "UPDATE users SET role = 'admin'",
            "UPDATE users SET a = 1 WHERE id > 0",
            "ALTER TABLE users DROP COLUMN email",
            "ALTER TABLE users ADD COLUMN a int, DROP COLUMN IF EXISTS b CASCADE",
            "WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone",
            "EXPLAIN ANALYZE DELETE FROM orders",
            "BEGIN; DELETE FROM orders; COMMIT;",
            "/* safe */ DELETE /* all */ FROM orders -- WHERE id = 1",
            "DO $$ BEGIN EXECUTE 'DROP TABLE orders'; END $$",
            "DO $a$ BEGIN EXECUTE $b$DROP TABLE orders$b$; END $a$",
            "DELETE FROM $TABLE",
        ] {
            assert!(!losses(text, Flavour::Postgres).is_empty(), "{text}");
        }
        assert!(!losses("DROP DATABASE `shop`", Flavour::Mysql).is_empty());
        assert!(!losses("BEGIN; DROP TABLE a; ROLLBACK", Flavour::Mysql).is_empty());
    }

    #[test]
    fn what_reads_or_limits_itself_is_silent() {
        for text in [
            "SELECT 'DROP TABLE orders'",
            "SELECT * FROM audit WHERE query LIKE '%DELETE FROM%'",
            "-- DROP TABLE orders\nSELECT 1",
            "DELETE FROM orders WHERE id = 7",
            "DELETE FROM sessions WHERE expires < now() - interval '30 days'",
            "UPDATE users SET name = 'x' WHERE id = 3",
            "DELETE FROM a USING b WHERE a.id = b.id",
            "INSERT INTO notes (text) VALUES ('truncate orders')",
            "BEGIN; DELETE FROM orders; ROLLBACK;",
            "EXPLAIN DELETE FROM orders",
            "CREATE TEMP TABLE t (a int); DROP TABLE t",
            "ALTER TABLE users ADD COLUMN email text",
            "DROP INDEX idx_orders",
            "\\dt",
            "VACUUM ANALYZE",
        ] {
            assert_eq!(losses(text, Flavour::Postgres), [], "{text}");
        }
    }
}
