//! Names of builders and nodes.

use super::Error;

/// The first words of generated names.
const MANNERS: &[&str] = &[
    "amber", "brisk", "calm", "deft", "early", "fair", "gentle", "hardy", "idle", "jolly", "keen",
    "level", "mellow", "neat", "open", "plain", "quiet", "ready", "steady", "tidy", "upper",
    "vivid", "warm", "young",
];
/// The second words of generated names.
const THINGS: &[&str] = &[
    "anvil", "barge", "crane", "derrick", "easel", "forge", "gantry", "hammer", "ingot", "jig",
    "kiln", "lathe", "mason", "needle", "oven", "plane", "quarry", "rivet", "saw", "trowel",
    "vise", "wharf", "yard",
];

/// Checks the name of a builder or node like buildx: a letter, then letters, digits, `.`, `-` and
/// `_`. Returns its file name, which is in lower case.
///
/// # Errors
/// [`Error::InvalidName`].
pub fn check_name(name: &str) -> Result<String, Error> {
    let mut letters = name.bytes();
    let begins = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic());
    let goes_on = letters.all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if begins && goes_on {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(Error::InvalidName {
            name: name.to_owned(),
        })
    }
}

/// Returns a new name for which `taken` is false, for example `keen_lathe`.
pub fn generate_name(taken: impl Fn(&str) -> bool) -> String {
    let mut random = [0_u8; 4];
    // Without random numbers the names come in a fixed order, which is fine.
    let _ = getrandom::fill(&mut random);
    let start = usize::from(u16::from_le_bytes([random[0], random[1]]));
    let pairs = MANNERS.len() * THINGS.len();
    let of_pair = |pair: usize| {
        let pair = pair % pairs;
        format!(
            "{}_{}",
            MANNERS[pair % MANNERS.len()],
            THINGS[pair / MANNERS.len()]
        )
    };
    let names = (0..pairs).map(|step| of_pair(start + step));
    let numbered = (0..).map(|number| format!("{}{number}", of_pair(start)));
    names
        .chain(numbered)
        .find(|name| !taken(name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_buildx() {
        assert_eq!(check_name("My.builder_0-a").unwrap(), "my.builder_0-a");
        for wrong in ["", "0a", "a/b", "../a", "_a", "a b", "ä", "a\n"] {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_made_up_name_is_valid_and_free() {
        let first = generate_name(|_| false);
        check_name(&first).unwrap();
        assert_ne!(generate_name(|name| name == first), first);
        let numbered = generate_name(|name| !name.ends_with(|c: char| c.is_ascii_digit()));
        check_name(&numbered).unwrap();
    }
}
