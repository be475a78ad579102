//! Mistakes in a Dockerfile in the wording of BuildKit's own frontend, which scripts search for.

use std::error::Error as StdError;

use crate::causes;
use crate::dockerfile::{ParseError, ParseErrorKind};
use crate::oci::Reference;
use crate::translate::Reason;

/// Returns the reference's message for a Dockerfile that cannot be parsed.
pub(super) fn of_syntax(error: &(dyn StdError + 'static), line: u32) -> String {
    let parsed = error.downcast_ref::<ParseError>();
    let message = match parsed.map(|error| &*error.kind) {
        Some(ParseErrorKind::UnknownInstruction { keyword, nearest }) => {
            let near = nearest.map(|near| format!(" (did you mean {near}?)"));
            format!("unknown instruction: {keyword}{}", near.unwrap_or_default())
        }
        _ => causes::in_one_line(error),
    };
    match line {
        0 => message,
        line => format!("dockerfile parse error on line {line}: {message}"),
    }
}

/// Returns the reference's message for a Dockerfile that cannot be translated, if scripts search
/// for it.
pub(super) fn of_translation(reason: &Reason) -> Option<String> {
    Some(match reason {
        Reason::UnknownTarget { target, .. } => {
            format!("target stage {target:?} could not be found")
        }
        Reason::BaseImage {
            reference, source, ..
        } => {
            let full = match Reference::parse(reference) {
                Ok(parsed) => parsed.with_default_tag().to_string(),
                Err(_) => reference.clone(),
            };
            let cause = causes::in_one_line(source);
            format!("{reference}: failed to resolve source metadata for {full}: {cause}")
        }
        Reason::Lint { rules } => {
            format!("lint violation found for rules: {}", rules.join(", "))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_mistakes_have_the_reference_s_words() {
        let error = crate::dockerfile::parse("FROM scratch\nCOPPY a b\n".as_bytes()).unwrap_err();
        assert_eq!(
            of_syntax(&error, 2),
            "dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)"
        );
        let rules = vec!["StageNameCasing", "LegacyKeyValueFormat"];
        assert_eq!(
            of_translation(&Reason::Lint { rules }).as_deref(),
            Some("lint violation found for rules: StageNameCasing, LegacyKeyValueFormat")
        );
    }
}
