//! Options of a command, with their values, and the operands between them.

use coroner_read::shell::Word;

/// The words of a command sorted into options and operands.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Each option as `-x` or `--name`, with its value where it takes one.
    pub flags: Vec<(String, Option<Word>)>,
    pub operands: Vec<Word>,
}

/// Where options may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Anywhere, as GNU programs read them.
    Mixed,
    /// Before the first operand only, as programs with sub-commands read them.
    First,
}

impl Options {
    /// Reads words after the program's name; `valued` are the options that take a value.
    /// One that ends in `?` takes it from the same word only, as `-S?` does of `-Skey`.
    pub fn read(words: &[Word], valued: &[&str], order: Order) -> Options {
        let mut out = Options::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let text = word.prefix();
            at += 1;
            if text == "--" {
                out.operands.extend(words[at..].iter().cloned());
                break;
            }
            if !text.starts_with('-') || text == "-" {
                if order == Order::First {
                    out.operands.extend(words[at - 1..].iter().cloned());
                    break;
                }
                out.operands.push(word.clone());
                continue;
            }
            let takes_next = if text.starts_with("--") { out.long(word, valued) } else { out.cluster(word, valued) };
            if takes_next {
                if let Some((_, value)) = out.flags.last_mut() {
                    *value = words.get(at).cloned();
                }
                at += 1;
            }
        }
        out
    }

    /// Reads `--name` or `--name=value`; true where the next word is the value.
    fn long(&mut self, word: &Word, valued: &[&str]) -> bool {
        match word.prefix().split_once('=') {
            Some((name, value)) => {
                self.flags.push((name.to_owned(), Some(rest_of(word, value))));
                false
            }
            None => {
                let name = word.prefix();
                self.flags.push((name.to_owned(), None));
                valued.contains(&name)
            }
        }
    }

    /// Reads `-rf`, `-n5`, `-n 5`; true where the next word is the value.
    fn cluster(&mut self, word: &Word, valued: &[&str]) -> bool {
        let text = word.prefix();
        for (i, c) in text.char_indices().skip(1) {
            let name = format!("-{c}");
            let takes = valued.contains(&name.as_str());
            let optional = valued.contains(&format!("{name}?").as_str());
            self.flags.push((name, None));
            if optional {
                return false;
            }
            if !takes {
                continue;
            }
            let rest = &text[i + c.len_utf8()..];
            if rest.is_empty() && word.parts.len() == 1 {
                return true;
            }
            if let Some((_, value)) = self.flags.last_mut() {
                *value = Some(rest_of(word, rest));
            }
            return false;
        }
        false
    }

    /// Whether one of these options is given; a long one may be shortened.
    pub fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(flag, value)| names.iter().any(|name| same(flag, name)) && !is_off(value.as_ref()))
    }

    /// The last value of one of these options.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.values(names).last()
    }

    /// All values of these options, in order.
    pub fn values(&self, names: &[&str]) -> impl Iterator<Item = &Word> {
        self.flags
            .iter()
            .filter(|(flag, _)| names.iter().any(|name| same(flag, name)))
            .filter_map(|(_, value)| value.as_ref())
    }
}

/// Shortest shortened form of a long option that is recognised, dashes included.
const SHORTENED_CHARS_MIN: usize = 5;

fn same(flag: &str, name: &str) -> bool {
    flag == name || (name.starts_with("--") && flag.len() >= SHORTENED_CHARS_MIN && name.starts_with(flag))
}

/// `--rm=false` switches an option off.
fn is_off(value: Option<&Word>) -> bool {
    value.and_then(Word::as_literal).is_some_and(|v| v.eq_ignore_ascii_case("false"))
}

/// The value `text` with which a word's first part ends, and its other parts.
fn rest_of(word: &Word, text: &str) -> Word {
    let mut parts = word.parts.clone();
    let mut out = Word::literal(text);
    out.parts.extend(parts.drain(1.min(word.parts.len())..));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, valued: &[&str], order: Order) -> Options {
        let words: Vec<Word> = line.split(' ').map(Word::literal).collect();
        Options::read(&words, valued, order)
    }

    #[test]
    fn options_are_read_as_programs_read_them() {
        let o = read("-rf a --exclude=x -n5 b -o c -- -d", &["-n", "-o"], Order::Mixed);
        assert!(o.has(&["-r"]) && o.has(&["-f"]) && !o.has(&["-d"]));
        assert_eq!(o.value(&["-n"]).unwrap().show(), "5");
        assert_eq!(o.value(&["-o"]).unwrap().show(), "c");
        assert_eq!(o.operands.iter().map(Word::show).collect::<Vec<_>>(), ["a", "b", "-d"]);
        let o = read("--rm --recurs --detach=false img -c x", &["--name"], Order::First);
        assert!(o.has(&["--recursive"]) && !o.has(&["-d", "--detach"]) && !o.has(&["--remove-all"]));
        assert_eq!(o.operands.len(), 3);
    }
}
