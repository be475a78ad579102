//! The keywords of instructions.

use super::error::nearest;

macro_rules! keywords {
    ($($name:ident $text:literal),* $(,)?) => {
        /// The keyword of an instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Keyword { $($name),* }

        impl Keyword {
            const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the keyword in upper case.
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

keywords! {
    Add "ADD", Arg "ARG", Cmd "CMD", Copy "COPY", Entrypoint "ENTRYPOINT", Env "ENV",
    Expose "EXPOSE", From "FROM", Healthcheck "HEALTHCHECK", Label "LABEL",
    Maintainer "MAINTAINER", Onbuild "ONBUILD", Run "RUN", Shell "SHELL",
    StopSignal "STOPSIGNAL", User "USER", Volume "VOLUME", Workdir "WORKDIR",
}

impl Keyword {
    /// Parses a keyword, in any case.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|keyword| keyword.as_str().eq_ignore_ascii_case(word))
    }

    /// Returns the keyword nearest to an unknown word.
    pub(super) fn nearest(word: &str) -> Option<&'static str> {
        nearest(
            &word.to_uppercase(),
            Self::ALL.iter().map(|keyword| keyword.as_str()),
        )
    }

    /// Returns all keywords, for messages.
    pub(super) fn all_names() -> String {
        Self::ALL
            .iter()
            .map(|keyword| keyword.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// True if heredocs may follow, except in the exec form.
    pub(super) const fn takes_heredocs(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::Run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_have_any_case_and_near_misses_a_suggestion() {
        assert_eq!(Keyword::parse("stopSIGNAL"), Some(Keyword::StopSignal));
        assert_eq!(Keyword::parse("RUNN"), None);
        assert_eq!(Keyword::nearest("runn"), Some("RUN"));
        assert_eq!(Keyword::nearest("{{"), None);
    }
}
