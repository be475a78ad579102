//! The lint rules, under the names and addresses that BuildKit gives them.

macro_rules! rules {
    ($($name:ident $page:literal $description:literal),* $(,)?) => {
        /// A lint rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $description] $name,)*
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name by which `# check=skip=…` knows it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// What the rule asks for.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description),* }
            }

            /// Docker's page about the rule; empty if there is none.
            pub const fn url(self) -> &'static str {
                let (page, url) = match self { $(Self::$name => ($page, concat!("https://docs.docker.com/go/dockerfile/rule/", $page, "/"))),* };
                if page.is_empty() { "" } else { url }
            }
        }
    };
}

rules! {
    StageNameCasing "stage-name-casing" "stage names are in lower case",
    FromAsCasing "from-as-casing" "FROM and AS have the same case",
    NoEmptyContinuation "no-empty-continuation" "no blank line stands inside a continued instruction; this will become an error",
    ConsistentInstructionCasing "consistent-instruction-casing" "all instructions are in upper case, or all in lower case",
    DuplicateStageName "duplicate-stage-name" "each stage has a name of its own",
    ReservedStageName "reserved-stage-name" "no stage is called scratch or context",
    JSONArgsRecommended "json-args-recommended" "CMD and ENTRYPOINT are JSON arrays, so that the process itself receives signals",
    MaintainerDeprecated "maintainer-deprecated" "the author is given by a label, not by MAINTAINER",
    UndefinedArgInFrom "undefined-arg-in-from" "FROM uses only arguments that are declared before it",
    WorkdirRelativePath "workdir-relative-path" "the first WORKDIR is absolute, so that it does not depend on the base image",
    UndefinedVar "undefined-var" "variables are defined before they are used",
    MultipleInstructionsDisallowed "multiple-instructions-disallowed" "a stage has one CMD, one ENTRYPOINT and one HEALTHCHECK at most",
    LegacyKeyValueFormat "legacy-key-value-format" "ENV and LABEL have the form key=value",
    InvalidBaseImagePlatform "" "the base image is of the platform that is built for",
    RedundantTargetPlatform "redundant-target-platform" "FROM does not ask for $TARGETPLATFORM, which is the default",
    SecretsUsedInArgOrEnv "secrets-used-in-arg-or-env" "secrets are mounted, not passed by ARG or ENV",
    InvalidDefaultArgInFrom "invalid-default-arg-in-from" "with the defaults of the global arguments, each FROM names an image",
    FromPlatformFlagConstDisallowed "from-platform-flag-const-disallowed" "the platform of FROM is not a constant",
    CopyIgnoredFile "copy-ignored-file" "what COPY and ADD take from the context is not excluded from it",
    InvalidDefinitionDescription "invalid-definition-description" "a comment directly above ARG or FROM begins with the name that is defined",
    ExposeProtoCasing "expose-proto-casing" "the protocol of EXPOSE is in lower case",
    ExposeInvalidFormat "expose-invalid-format" "EXPOSE has neither an address nor a host port; this will become an error",
}

impl Rule {
    /// The rule is checked only where it is asked for by `experimental=`.
    pub const fn is_experimental(self) -> bool {
        matches!(self, Self::InvalidDefinitionDescription)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_the_names_and_pages_of_the_reference() {
        assert_eq!(Rule::ALL.len(), 22);
        assert_eq!(Rule::JSONArgsRecommended.name(), "JSONArgsRecommended");
        assert_eq!(
            Rule::UndefinedVar.url(),
            "https://docs.docker.com/go/dockerfile/rule/undefined-var/"
        );
        assert_eq!(Rule::InvalidBaseImagePlatform.url(), "");
    }
}
