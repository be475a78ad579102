//! Rewrites the filters of a prune for the daemon's listing of the cache.
//!
//! A prune does not know the fields `inuse` and `parents`, but a listing does. The listing's filter
//! gets a field name that is unknown to both, so that both select the same records.

const UNKNOWN: &str = "absent";

/// Rewrites a filter so that a listing with it contains the records that a prune would match.
pub(super) fn listed(filter: &str) -> String {
    let mut text = String::with_capacity(filter.len());
    for (place, selector) in selectors(filter).into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        let name = selector.trim_start();
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        match &name[..end] {
            "inuse" | "parents" => {
                text.push_str(UNKNOWN);
                text.push_str(&name[end..]);
            }
            _ => text.push_str(selector),
        }
    }
    text
}

/// Splits at the commas outside of quotes. Quotes are those of containerd's filters.
fn selectors(filter: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut quote, mut is_escaped) = (0, None, false);
    let mut before = ',';
    for (at, c) in filter.char_indices() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(end), _) if c == end => quote = None,
            (Some(_), _) => {}
            // Inside a value, a quote is an ordinary character.
            (None, '"' | '/' | '|') if matches!(before, ',' | '=' | '.' | '~' | '!') => {
                quote = Some(c);
            }
            (None, ',') => {
                parts.push(&filter[begin..at]);
                begin = at + 1;
            }
            (None, _) => {}
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    parts.push(&filter[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_a_prune_does_not_know_are_absent_from_the_listing() {
        for (filter, expected) in [
            ("", ""),
            ("type==regular", "type==regular"),
            ("inuse", "absent"),
            ("inuse,parents~=a", "absent,absent~=a"),
            ("id~=parents, parents!=x", "id~=parents,absent!=x"),
            ("inuser,description~=inuse", "inuser,description~=inuse"),
            ("description~=\"a,parents\"", "description~=\"a,parents\""),
            (
                "description~=/a\\/,inuse/,inuse",
                "description~=/a\\/,inuse/,absent",
            ),
            ("id==a/b,inuse", "id==a/b,absent"),
        ] {
            assert_eq!(listed(filter), expected, "{filter}");
        }
    }
}
