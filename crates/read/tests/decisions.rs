//! Which sentences decide something, and which neighbours of theirs do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test panics where it fails")]

use coroner_model::entry::{Call, CallResult, Entry, Said};
use coroner_model::session::{CallStatus, Role};
use coroner_model::{Redacted, Redactor};
use coroner_read::decision::{Before, Decision, Source, decisions};
use coroner_read::transcript::tool;
use serde_json::{Value, json};

/// What stood before: the agent's last words, and calls by their id.
#[derive(Default)]
struct Stood {
    said: Option<String>,
    calls: Vec<Call<Redacted>>,
}

impl Before for Stood {
    fn call(&self, id: &str) -> Option<Call<Redacted>> {
        self.calls.iter().find(|call| call.id == id).cloned()
    }

    fn agent_said(&self) -> Option<String> {
        self.said.clone()
    }
}

fn said(speaker: &str, text: &str) -> Vec<Decision> {
    let role = if speaker == "person" { Role::User } else { Role::Assistant };
    let said = Said { role, origin: Default::default(), text: text.to_owned(), thinking: None };
    let entry = Entry { message: Some(said), ..Entry::default() };
    let (entry, _) = entry.redact(&mut Redactor::new([7; 32]));
    decisions(&entry, &Stood::default())
}

/// The sentences of a table that were taken for what they are not.
fn mistaken(table: &str) -> Vec<String> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let mut wrong = Vec::new();
    for row in rows {
        let mut fields = row.splitn(3, [' ', '|']);
        let sign = fields.next().unwrap();
        let rest = row[2..].split_once(" | ").unwrap();
        let found = said(rest.0, &rest.1.replace("\\n", "\n"));
        if found.is_empty() == (sign == "+") {
            wrong.push(format!("{row} {:?}", found.first().map(|d| (&d.chosen, &d.rejected, &d.reason))));
        }
    }
    wrong
}

#[test]
fn sentences_that_decide_are_told_from_their_neighbours() {
    let wrong = mistaken(include_str!("decisions/known.txt"));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Written before the rules and never used to mend them; one is still missed.
#[test]
fn sentences_that_no_rule_was_written_for_are_told_apart_too() {
    let wrong = mistaken(include_str!("decisions/unseen.txt"));
    let (missed, alarms): (Vec<_>, Vec<_>) = wrong.iter().partition(|row| row.starts_with('+'));
    assert!(
        missed.len() <= 1 && alarms.is_empty(),
        "{} missed, {} false\n{}",
        missed.len(),
        alarms.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_was_taken_left_and_why_is_told() {
    let of = |text: &str| {
        let found = said("agent", text);
        let first = found.first().unwrap_or_else(|| panic!("{text}"));
        let left: Vec<String> = first.rejected.iter().map(|r| r.what.clone()).collect();
        assert_eq!(&text[first.span.clone()], first.text);
        (first.chosen.clone(), left.join("|"), first.reason.clone(), first.paths.join("|"))
    };
    let owned = |parts: [&str; 4]| (parts[0].to_owned(), parts[1].to_owned(), parts[2].to_owned(), parts[3].to_owned());
    assert_eq!(
        of("Done. We'll use PostgreSQL in src/store/db.rs instead of MySQL or SQLite because we need partial indexes."),
        owned(["PostgreSQL in src/store/db.rs", "MySQL|SQLite", "we need partial indexes", "src/store/db.rs"])
    );
    assert_eq!(
        of("Switching from requests to httpx so that calls can be awaited."),
        owned(["httpx", "requests", "calls can be awaited", ""])
    );
    assert_eq!(
        of("Redis was ruled out because ops won't run it."),
        owned(["", "Redis", "ops won't run it", ""]).clone()
    );
    assert_eq!(
        of("Wir haben uns für SQLite statt Postgres entschieden, weil nur ein Prozess schreibt."),
        owned(["SQLite", "Postgres", "nur ein Prozess schreibt", ""])
    );
    let order = &said("person", "we're keeping the old parser instead of nom, for now")[0];
    let firm = &said("person", "we're keeping the old parser instead of nom")[0];
    assert!(order.is_by_person && order.confidence_percent < firm.confidence_percent);
    assert!(
        firm.confidence_percent > said("agent", "we're keeping the old parser instead of nom")[0].confidence_percent
    );
}

/// The decisions of a call and its result, one entry later.
fn called(name: &str, input: Value, status: CallStatus, output: &str) -> Vec<Decision> {
    let mut redactor = Redactor::new([7; 32]);
    let made = Entry { calls: vec![tool::call("t1".into(), name, input)], ..Entry::default() };
    let result = CallResult { call: "t1".into(), status, output: output.to_owned(), ..CallResult::default() };
    let answered = Entry { results: vec![result], ..Entry::default() };
    let (made, _) = made.redact(&mut redactor);
    let (answered, _) = answered.redact(&mut redactor);
    let before = Stood { said: None, calls: made.calls.clone() };
    assert!(decisions(&made, &before).is_empty());
    decisions(&answered, &before)
}

#[test]
fn answers_and_plans_are_decisions_of_the_person() {
    let questions = json!({"questions": [
        {"question": "Which queue do we use?", "options": [{"label": "Redis", "description": "fast"}, {"label": "Redis Streams"}, {"label": "SQS"}]},
        {"question": "How long are jobs kept?", "options": ["a day", "a week"]},
    ]});
    let output = r#"User has answered your questions: "Which queue do we use?"="Redis Streams", "How long are jobs kept?"="thirty days, the auditors ask for it". You can now continue."#;
    let found = called("AskUserQuestion", questions.clone(), CallStatus::Ok, output);
    let seen: Vec<_> = found.iter().map(|d| (d.source, d.chosen.as_str(), d.rejected.len(), d.call.as_str())).collect();
    assert_eq!(
        seen,
        [(Source::Answer, "Redis Streams", 2, "t1"), (Source::Answer, "thirty days, the auditors ask for it", 2, "t1"),]
    );
    assert!(called("AskUserQuestion", questions, CallStatus::Rejected, "The user doesn't want to proceed").is_empty());
    let plan = json!({"plan": "# Split the importer\n1. move parsing to src/parse.rs\n"});
    let found = &called("ExitPlanMode", plan.clone(), CallStatus::Ok, "User has approved your plan.")[0];
    assert_eq!(
        (found.source, found.chosen.as_str(), found.paths[0].as_str()),
        (Source::PlanApproved, "Split the importer", "src/parse.rs")
    );
    let refused = "The user doesn't want to proceed with this tool use. To tell you how to proceed, the user said:\ntoo big, do the parser first";
    let found = &called("ExitPlanMode", plan.clone(), CallStatus::Rejected, refused)[0];
    assert_eq!((found.source, found.rejected[0].why.as_str()), (Source::PlanRejected, "too big, do the parser first"));
    assert!(called("ExitPlanMode", plan, CallStatus::Interrupted, "").is_empty());
}

#[test]
fn commits_that_were_made_are_decisions() {
    let command = |text: &str, status| called("Bash", json!({"command": text}), status, "");
    let found = &command(
        "git add src/queue.rs && git commit -m \"$(cat <<'EOF'\nfeat(queue): use SQS instead of Redis\n\nRedis lost jobs on restart.\n\nCo-Authored-By: A <a@b.c>\nEOF\n)\"",
        CallStatus::Ok,
    )[0];
    assert_eq!((found.source, found.chosen.as_str()), (Source::Commit, "SQS"));
    assert_eq!((found.rejected[0].what.as_str(), found.reason.as_str()), ("Redis", "Redis lost jobs on restart."));
    assert_eq!(found.paths, ["src/queue.rs"]);
    assert_eq!(
        command("cd /srv/a && git -C . commit -qam 'Drop the cron job' --no-gpg-sign", CallStatus::Ok)[0].chosen,
        "Drop the cron job"
    );
    assert_eq!(
        command("git commit -F - <<'EOF'\nPin the base image\nEOF", CallStatus::Ok)[0].chosen,
        "Pin the base image"
    );
    assert!(command("git commit -m 'Drop the cron job'", CallStatus::Error).is_empty());
    assert!(command("git log --grep 'commit -m x'", CallStatus::Ok).is_empty());
    assert!(command("echo git commit -m 'Drop the cron job'", CallStatus::Ok).is_empty());
}

#[test]
fn a_correction_follows_what_the_agent_said_and_is_no_subagents() {
    let message = |text: &str, subagent: &str| {
        let said = Said { role: Role::User, origin: Default::default(), text: text.to_owned(), thinking: None };
        let entry = Entry { message: Some(said), subagent: subagent.to_owned(), ..Entry::default() };
        let before = Stood { said: Some("I put the lock into the caller.".to_owned()), calls: Vec::new() };
        decisions(&entry.redact(&mut Redactor::new([7; 32])).0, &before)
    };
    let found = &message("no, don't lock in the caller, take the lock in store.rs", "")[0];
    assert_eq!((found.source, found.chosen.as_str()), (Source::Correction, "take the lock in store.rs"));
    assert_eq!(
        (found.rejected[0].what.as_str(), found.around.as_str()),
        ("lock in the caller", "I put the lock into the caller.")
    );
    assert!(message("no, that is what I wanted", "").is_empty());
    assert!(message("no, use the lock. or is it slow?", "").is_empty());
    assert!(message("use a lock instead of a channel", "worker").iter().all(|d| !d.is_by_person));
}
