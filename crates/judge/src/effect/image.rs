//! References of images: repository, tag and major version.

/// An image without its tag and digest.
pub fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// The tag of an image; none is `latest`.
pub fn tag_of(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    image
        .strip_prefix(repository(image))
        .and_then(|rest| rest.strip_prefix(':'))
        .filter(|t| !t.is_empty())
        .unwrap_or("latest")
}

/// The major version of a tag: that of the database where it names one, as `2.17-pg16` does.
pub fn major_of(tag: &str) -> Option<u64> {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok().filter(|n| *n < 1000)
    };
    let server = tag.split(['-', '_']).find_map(|part| number(part.strip_prefix("pg")?));
    server.or_else(|| number(tag.strip_prefix('v').unwrap_or(tag)))
}
