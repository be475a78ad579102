//! `frontend.caps`: what the client expects of the frontend.

use std::collections::BTreeMap;

use super::Error;

/// What this frontend does, as the label `moby.buildkit.frontend.caps` of its image says too.
const OURS: &[&str] = &[
    "moby.buildkit.frontend.inputs",
    "moby.buildkit.frontend.subrequests",
    "moby.buildkit.frontend.contexts",
    "moby.buildkit.frontend.gitquerystring",
];

/// What is expected and not there: an error at once, or, when the client says `+forward`, one unless another frontend is
/// called.
pub(super) fn missing(attributes: &BTreeMap<String, String>) -> Result<Option<Error>, Error> {
    let wanted = attributes.get("frontend.caps").map_or("", String::as_str);
    let mut missing = None;
    for item in wanted.split(',').filter(|item| !item.is_empty()) {
        let (name, how) = item.split_once('+').unwrap_or((item, ""));
        if OURS.contains(&name) {
            continue;
        }
        let error = Error::FrontendCapability {
            name: name.to_owned(),
        };
        if !how.split('+').any(|how| how == "forward") {
            return Err(error);
        }
        missing = Some(error);
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(wanted: &str) -> Result<Option<Error>, Error> {
        missing(&BTreeMap::from([(
            "frontend.caps".to_owned(),
            wanted.to_owned(),
        )]))
    }

    #[test]
    fn what_is_not_there_is_refused_or_left_to_another_frontend() {
        assert!(asked("").unwrap().is_none());
        let known = "moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts+forward";
        assert!(asked(known).unwrap().is_none());
        assert!(asked("x.y").is_err());
        let Some(Error::FrontendCapability { name }) = asked("x.y+forward").unwrap() else {
            panic!()
        };
        assert_eq!(name, "x.y");
    }
}
