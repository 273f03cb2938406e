//! nginx: `proxy_pass` and its relatives, through `upstream` and `set`.

use std::collections::BTreeMap;

use coroner_model::Document;

use super::{Kind, Upstream, address};

/// One directive with its words; blocks open and close.
enum Token {
    Directive(Vec<String>, u64),
    Open(Vec<String>),
    Close,
}

/// Directives that forward to an address.
const PASS: [&str; 5] = ["proxy_pass", "fastcgi_pass", "uwsgi_pass", "grpc_pass", "scgi_pass"];

/// Reads the upstreams of an nginx configuration.
pub(super) fn read(document: &Document) -> Vec<Upstream> {
    let tokens = tokens(document.text.as_str());
    let mut groups: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut blocks: Vec<Vec<String>> = Vec::new();
    for token in &tokens {
        match token {
            Token::Open(words) => blocks.push(words.clone()),
            Token::Close => drop(blocks.pop()),
            Token::Directive(words, line) => {
                let group = blocks.last().filter(|b| b.first().is_some_and(|w| w == "upstream")).and_then(|b| b.get(1));
                match (words.first().map(String::as_str), group) {
                    (Some("server"), Some(group)) if words.len() > 1 => {
                        groups.entry(group.clone()).or_default().push((words[1].clone(), *line));
                    }
                    (Some("set"), _) if words.len() > 2 => drop(variables.insert(words[1].clone(), words[2].clone())),
                    _ => {}
                }
            }
        }
    }
    passes(document, &tokens, &groups, &variables)
}

fn passes(
    document: &Document,
    tokens: &[Token],
    groups: &BTreeMap<String, Vec<(String, u64)>>,
    variables: &BTreeMap<String, String>,
) -> Vec<Upstream> {
    let mut found = Vec::new();
    let mut servers: Vec<String> = Vec::new();
    let mut blocks: Vec<Vec<String>> = Vec::new();
    for token in tokens {
        match token {
            Token::Open(words) => {
                if words.first().is_some_and(|w| w == "server") {
                    servers.clear();
                }
                blocks.push(words.clone());
            }
            Token::Close => drop(blocks.pop()),
            Token::Directive(words, _) if words.first().is_some_and(|w| w == "server_name") => {
                servers = words[1..].to_vec();
            }
            Token::Directive(words, line) if words.first().is_some_and(|w| PASS.contains(&w.as_str())) => {
                let Some(target) = words.get(1) else { continue };
                let target = variables.iter().fold(target.clone(), |t, (name, value)| t.replace(name.as_str(), value));
                let location =
                    blocks.iter().rev().find(|b| b.first().is_some_and(|w| w == "location")).and_then(|b| b.last());
                let host = servers.first().filter(|s| *s != "_" && *s != "localhost").cloned().unwrap_or_default();
                let route = format!("{host}{}", location.map_or("", String::as_str));
                let Some((host, port)) = address(&target) else { continue };
                let members = groups.get(&host).cloned().unwrap_or_else(|| vec![(target.clone(), *line)]);
                let grouped = groups.contains_key(&host);
                for (member, at) in members {
                    let Some((member_host, member_port)) = address(&member) else { continue };
                    let default = if grouped { Some(80) } else { port };
                    found.push(Upstream {
                        kind: Kind::Nginx,
                        route: route.clone(),
                        host: member_host,
                        port: member_port.or(default),
                        at: document.cite_line(document.first_line + at - 1),
                    });
                }
            }
            Token::Directive(..) => {}
        }
    }
    found
}

fn tokens(text: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let (mut line, mut started) = (1u64, 1u64);
    let mut chars = text.chars().peekable();
    let end_word = |word: &mut String, words: &mut Vec<String>| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\n' => {
                end_word(&mut word, &mut words);
                line += 1;
            }
            '#' if word.is_empty() => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' | '\'' if word.is_empty() => {
                for inner in chars.by_ref().take_while(|inner| *inner != c) {
                    line += u64::from(inner == '\n');
                    word.push(inner);
                }
            }
            ';' => {
                end_word(&mut word, &mut words);
                all.push(Token::Directive(std::mem::take(&mut words), started));
            }
            '{' if !word.ends_with('$') => {
                end_word(&mut word, &mut words);
                all.push(Token::Open(std::mem::take(&mut words)));
            }
            '}' if !word.contains("${") => {
                end_word(&mut word, &mut words);
                words.clear();
                all.push(Token::Close);
            }
            c if c.is_whitespace() => end_word(&mut word, &mut words),
            c => {
                if words.is_empty() && word.is_empty() {
                    started = line;
                }
                word.push(c);
            }
        }
    }
    all
}
