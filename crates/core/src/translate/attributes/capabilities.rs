//! `frontend.caps`: the capabilities that the client requires of the frontend.

use std::collections::BTreeMap;

/// The capabilities of this frontend; its image lists them in the label
/// `moby.buildkit.frontend.caps` too.
const OURS: &[&str] = &[
    "moby.buildkit.frontend.inputs",
    "moby.buildkit.frontend.subrequests",
    "moby.buildkit.frontend.contexts",
    "moby.buildkit.frontend.gitquerystring",
];

/// A required capability that the frontend lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedCapability {
    /// The name in `frontend.caps`.
    pub name: String,
    /// True if the client allows another frontend to provide it (`+forward`).
    pub can_be_forwarded: bool,
}

impl UnsupportedCapability {
    /// Returns the first unsupported capability that cannot be forwarded, else the last one that
    /// can.
    pub fn find(attributes: &BTreeMap<String, String>) -> Option<Self> {
        let wanted = attributes.get("frontend.caps").map_or("", String::as_str);
        if wanted.is_empty() {
            return None;
        }
        let mut found = None;
        for item in wanted.split(',') {
            let name = item.split_once('+').map_or(item, |(name, _)| name);
            if OURS.contains(&name) {
                continue;
            }
            let unsupported = Self {
                name: name.to_owned(),
                can_be_forwarded: item.contains("+forward"),
            };
            if !unsupported.can_be_forwarded {
                return Some(unsupported);
            }
            found = Some(unsupported);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wanted: &str) -> Option<(String, bool)> {
        let attributes = BTreeMap::from([("frontend.caps".to_owned(), wanted.to_owned())]);
        let found = UnsupportedCapability::find(&attributes)?;
        Some((found.name, found.can_be_forwarded))
    }

    #[test]
    fn what_is_not_there_is_refused_or_left_to_another_frontend() {
        assert_eq!(found(""), None);
        let known = "moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts+forward";
        assert_eq!(found(known), None);
        assert_eq!(found("x.y"), Some(("x.y".into(), false)));
        assert_eq!(found("x.y+forward"), Some(("x.y".into(), true)));
        assert_eq!(found("x.y+forward,z"), Some(("z".into(), false)));
        let blank = "moby.buildkit.frontend.inputs,";
        assert_eq!(found(blank), Some((String::new(), false)));
    }
}
