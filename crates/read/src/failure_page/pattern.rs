//! Regular expressions of the page reader, each compiled once.

use regex::Regex;

/// Compiles a literal pattern; every one is exercised by a test.
#[expect(clippy::expect_used, reason = "patterns are literals of this folder, compiled in its tests")]
pub(super) fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a literal pattern compiles")
}

/// Declares a static regular expression.
macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| $crate::failure_page::pattern::compile($text));
    };
}
pub(super) use pattern;
