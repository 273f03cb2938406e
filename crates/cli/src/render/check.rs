//! Findings as text, and as SARIF 2.1.0.

use coroner_model::finding::{CheckReport, Finding};
use coroner_model::{Confidence, Severity};
use coroner_verbs::library::Library;
use serde_json::{Value, json};

/// What a person reads: worst first, evidence bare at the end of its line.
pub fn plain(report: &CheckReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&one(finding));
    }
    let could_not = report.could_not_look.len();
    out.push_str(&match report.findings.len() {
        0 => format!("Nothing wrong was found; {} looks, {could_not} could not look\n", report.looked.len()),
        1 => format!("1 finding; {} looks, {could_not} could not look\n", report.looked.len()),
        n => format!("{n} findings; {} looks, {could_not} could not look\n", report.looked.len()),
    });
    for action in &report.actions {
        out.push_str(&format!("Pushed, and open until its key is dead: {}\n", crate::command::action::line(action)));
    }
    if let Some(first) = report.actions.first() {
        out.push_str(&format!("   = then: coroner incident action probe {} --value-from commit\n", first.id));
    }
    if could_not > 0 {
        out.push_str(&format!("Could not look: {}\n", super::grouped(&report.could_not_look).join(" · ")));
    }
    out
}

fn one(finding: &Finding) -> String {
    let mut out = format!("{}[{}]: {}\n", finding.severity, finding.pattern, finding.message);
    out.push_str(&format!("  --> {}\n", place(finding)));
    for evidence in &finding.evidence {
        for line in evidence.text.lines().take(3) {
            out.push_str(&format!("   |  {line}\n"));
        }
        out.push_str(&format!("   = evidence {} in {}\n", evidence.id, evidence.locator));
    }
    if let Some(first) = finding.remedy.lines().find(|l| !l.trim().is_empty()) {
        out.push_str(&format!("   = do instead: {first}\n"));
    }
    out.push('\n');
    out
}

fn place(finding: &Finding) -> String {
    let at = &finding.location;
    match (at.line, at.column) {
        (0, _) => at.path.clone(),
        (line, 0) => format!("{}:{line}", at.path),
        (line, column) => format!("{}:{line}:{column}", at.path),
    }
}

/// The report for code-scanning tools, each pattern one rule.
pub fn sarif(report: &CheckReport, library: &Library) -> Value {
    let rules: Vec<Value> = library
        .iter()
        .filter(|p| report.findings.iter().any(|f| f.pattern == p.id))
        .map(|p| {
            json!({
                "id": p.id,
                "shortDescription": {"text": p.header.title},
                "fullDescription": {"text": p.why},
                "help": {"text": p.do_instead, "markdown": p.do_instead},
                "properties": {"category": p.header.category, "severity": p.header.severity},
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "coroner", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": report.could_not_look.iter()
                    .map(|c| json!({"level": "note", "message": {"text": format!("could not look: {c}")}}))
                    .collect::<Vec<_>>(),
            }],
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let level = match (finding.severity, finding.confidence) {
        (_, Confidence::Low) => "note",
        (Severity::Critical | Severity::Major, _) => "error",
        (Severity::Minor, _) => "warning",
    };
    let path = finding.location.path.split('#').next().unwrap_or_default();
    let uri = path.strip_prefix("files").unwrap_or(path).trim_start_matches('/');
    let mut physical = json!({"artifactLocation": {"uri": uri}});
    if finding.location.line > 0 {
        physical["region"] = json!({"startLine": finding.location.line});
        if finding.location.column > 0 {
            physical["region"]["startColumn"] = json!(finding.location.column);
        }
    }
    json!({
        "ruleId": finding.pattern,
        "level": level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": physical}],
        "properties": {"evidence": finding.evidence, "remedy": finding.remedy, "confidence": finding.confidence},
    })
}
