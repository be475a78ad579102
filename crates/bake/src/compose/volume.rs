//! The short form of a volume: `source:target:options`. Bake needs only its target, and validates
//! it.

/// A volume in its short form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VolumeSpec {
    /// The path inside the container.
    pub(super) target: String,
}

/// The reason a volume is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VolumeError {
    #[error("a volume cannot be empty")]
    Empty,
    #[error("nothing stands between two colons")]
    EmptySection,
    #[error("there are too many colons; expected source:target:options")]
    TooManyColons,
}

impl VolumeError {
    /// Returns the reference's words for the volume `text`.
    pub(super) fn in_reference(self, text: &str) -> String {
        match self {
            VolumeError::Empty => "invalid empty volume spec".to_owned(),
            VolumeError::EmptySection => {
                format!("invalid spec: {text}: empty section between colons")
            }
            VolumeError::TooManyColons => format!("invalid spec: {text}: too many colons"),
        }
    }
}

impl VolumeSpec {
    /// Parses the short form. The colon of a drive letter and colons inside `${…}` do not separate
    /// parts.
    pub(super) fn parse(text: &str) -> Result<VolumeSpec, VolumeError> {
        match text.len() {
            0 => return Err(VolumeError::Empty),
            1 | 2 => {
                return Ok(VolumeSpec {
                    target: text.to_owned(),
                });
            }
            _ => {}
        }
        let sections = sections(text);
        if sections.iter().any(|section| section.is_empty()) {
            return Err(VolumeError::EmptySection);
        }
        match sections.as_slice() {
            [target] | [_, target] | [_, target, _] => Ok(VolumeSpec {
                target: target.clone(),
            }),
            _ => Err(VolumeError::TooManyColons),
        }
    }
}

fn sections(text: &str) -> Vec<String> {
    let mut sections = Vec::new();
    let mut section = String::new();
    let mut open = 0usize;
    for (at, symbol) in text.char_indices() {
        if symbol == '$' && text[at + 1..].starts_with('{') {
            open += 1;
        } else if symbol == '}' && open > 0 {
            open -= 1;
        } else if symbol == ':' && open == 0 {
            let mut letters = section.chars();
            let is_drive =
                letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
            if !is_drive {
                sections.push(std::mem::take(&mut section));
                continue;
            }
        }
        section.push(symbol);
    }
    sections.push(section);
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_found() {
        let target = |text| VolumeSpec::parse(text).map(|spec| spec.target);
        assert_eq!(target("/data"), Ok("/data".into()));
        assert_eq!(target("name:/data:ro"), Ok("/data".into()));
        assert_eq!(target("C:\\x:/data"), Ok("/data".into()));
        assert_eq!(target("${A:-b}:/data"), Ok("/data".into()));
        assert_eq!(target("aa::b"), Err(VolumeError::EmptySection));
        assert_eq!(target("abc:"), Err(VolumeError::EmptySection));
        assert_eq!(target("aa:bb:cc:dd"), Err(VolumeError::TooManyColons));
        assert_eq!(target(""), Err(VolumeError::Empty));
    }
}
