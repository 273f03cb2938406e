//! Replaces `$NAME` and `${NAME…}` by compose's rules.

/// Deepest nesting of defaults inside defaults.
const DEPTH_MAX: usize = 8;

/// A text after its variables were replaced, and what the replacing met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interpolated {
    pub value: String,
    /// Names that nothing sets and for which the text has no default.
    pub unset: Vec<String>,
    /// Names whose default was used since nothing sets them.
    pub defaulted: Vec<String>,
    /// Names that were looked up and set.
    pub used: Vec<String>,
    /// `${NAME:?…}` that nothing sets: compose refuses to start. Its text stays in `value`.
    pub refused: Vec<String>,
    /// Why the text is no valid template; its `value` is the text itself.
    pub error: Option<String>,
}

/// Looks a variable up; `None` is unset.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces all variables of a text.
pub fn interpolate(text: &str, lookup: Lookup) -> Interpolated {
    let mut out = Interpolated::default();
    if !text.contains('$') {
        out.value = text.to_owned();
        return out;
    }
    match run(text, lookup, &mut out, 0) {
        Ok(value) => out.value = value,
        Err(reason) => {
            out = Interpolated { value: text.to_owned(), error: Some(reason), ..Interpolated::default() };
        }
    }
    for list in [&mut out.unset, &mut out.defaulted, &mut out.used, &mut out.refused] {
        list.sort();
        list.dedup();
    }
    out
}

fn run(text: &str, lookup: Lookup, out: &mut Interpolated, depth: usize) -> Result<String, String> {
    if depth > DEPTH_MAX {
        return Err("defaults nested too deeply".to_owned());
    }
    let mut value = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('$') {
            value.push('$');
            rest = next;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end = closing_brace(inner).ok_or_else(|| format!("`{}` has no closing brace", &rest[at..]))?;
            value.push_str(&braced(&inner[..end], lookup, out, depth)?);
            rest = &inner[end + 1..];
        } else {
            let length = name_length(after);
            if length == 0 {
                return Err("`$` without a name; a dollar sign is written `$$`".to_owned());
            }
            match lookup(&after[..length]) {
                Some(found) => {
                    out.used.push(after[..length].to_owned());
                    value.push_str(&found);
                }
                None => out.unset.push(after[..length].to_owned()),
            }
            rest = &after[length..];
        }
    }
    value.push_str(rest);
    Ok(value)
}

/// The inside of `${…}`.
fn braced(inner: &str, lookup: Lookup, out: &mut Interpolated, depth: usize) -> Result<String, String> {
    let length = name_length(inner);
    if length == 0 {
        return Err(format!("`${{{inner}}}` names no variable"));
    }
    let (name, rest) = inner.split_at(length);
    let found = lookup(name);
    let (operator, word) = operator(rest).ok_or_else(|| format!("`${{{inner}}}` is no form of a variable"))?;
    let given = match operator {
        ":-" | ":?" | ":+" => found.clone().filter(|v| !v.is_empty()),
        _ => found.clone(),
    };
    if found.is_some() {
        out.used.push(name.to_owned());
    }
    match (operator, given) {
        (":+" | "+", Some(_)) => run(word, lookup, out, depth + 1),
        (":+" | "+", None) => Ok(String::new()),
        (_, Some(value)) => Ok(value),
        (":-" | "-", None) => {
            out.defaulted.push(name.to_owned());
            run(word, lookup, out, depth + 1)
        }
        (":?" | "?", None) => {
            out.refused.push(name.to_owned());
            Ok(format!("${{{inner}}}"))
        }
        (_, None) => {
            out.unset.push(name.to_owned());
            Ok(String::new())
        }
    }
}

/// Splits what follows the name into operator and word.
fn operator(rest: &str) -> Option<(&str, &str)> {
    if rest.is_empty() {
        return Some(("", ""));
    }
    [":-", ":?", ":+", "-", "?", "+"].into_iter().find_map(|op| rest.strip_prefix(op).map(|word| (op, word)))
}

/// Bytes of the name at the start of a text.
fn name_length(text: &str) -> usize {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts { text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count() } else { 0 }
}

/// Byte offset of the brace that closes, past nested `${…}`.
fn closing_brace(inner: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'$' if bytes.get(at + 1) == Some(&b'$') => at += 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                depth += 1;
                at += 1;
            }
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Variables that a text names, without looking any up.
pub fn names(text: &str) -> Vec<String> {
    let seen = interpolate(text, &|_| None);
    let mut all = seen.unset;
    all.extend(seen.defaulted);
    all.extend(seen.refused);
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(name: &str) -> Option<String> {
        match name {
            "SET" => Some("v".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn every_form_follows_the_documented_table() {
        for (text, value) in [
            ("a$SET-b", "av-b"),
            ("${SET}", "v"),
            ("${NO}x", "x"),
            ("${NO:-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NO-d}", "d"),
            ("${SET:+r}", "r"),
            ("${EMPTY:+r}", ""),
            ("${EMPTY+r}", "r"),
            ("${NO+r}", ""),
            ("${NO:-${SET}x}", "vx"),
            ("${NO:-${ALSO:-deep}}", "deep"),
            ("${NO:-a$${b}", "a${b"),
            ("cost $$5", "cost $5"),
            ("${SET:?why}", "v"),
            ("postgres://u:${NO:-p@w}@db", "postgres://u:p@w@db"),
        ] {
            assert_eq!(interpolate(text, &get).value, value, "{text}");
        }
    }

    #[test]
    fn what_was_missing_is_told() {
        let seen = interpolate("${A:?must} ${B} ${C:-c}", &get);
        assert_eq!((seen.refused, seen.unset, seen.defaulted), (vec!["A".into()], vec!["B".into()], vec!["C".into()]));
        assert!(interpolate("${A", &get).error.is_some());
        assert!(interpolate("5$ a", &get).error.is_some());
        assert_eq!(names("${A:-x} $B"), ["A", "B"]);
    }
}
