//! The lint rules, with BuildKit's names and URLs.

macro_rules! rules {
    ($($name:ident $page:literal $description:literal $reason:literal $remedy:literal),* $(,)?) => {
        /// A lint rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $description] $name,)*
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the name in `# check=skip=…`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// Returns the description of the rule.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description),* }
            }

            /// Returns the reason for the rule.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason),* }
            }

            /// Returns the fix for a finding.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),* }
            }

            /// Returns the URL of Docker's page about the rule; empty if there is none.
            pub const fn url(self) -> &'static str {
                let (page, url) = match self {
                    $(Self::$name => (
                        $page,
                        concat!("https://docs.docker.com/go/dockerfile/rule/", $page, "/"),
                    )),*
                };
                if page.is_empty() { "" } else { url }
            }
        }
    };
}

rules! {
    StageNameCasing "stage-name-casing" "stage names are in lower case"
        "stage names are compared without regard to case, and readers take two spellings for two \
        stages"
        "write the name in lower case here and in every --from and FROM that uses it",
    FromAsCasing "from-as-casing" "FROM and AS have the same case"
        "one instruction in two styles is harder to read and to search for"
        "write FROM … AS, or from … as",
    NoEmptyContinuation "no-empty-continuation" "no blank line stands inside a continued \
        instruction; this will become an error"
        "the instruction continues after the blank line, which looks like its end"
        "remove the blank line, or put a comment in its place",
    ConsistentInstructionCasing "consistent-instruction-casing" "all instructions are in upper \
        case, or all in lower case"
        "instructions stand out from arguments by their case"
        "use one case for all instructions; upper case is usual",
    DuplicateStageName "duplicate-stage-name" "each stage has a name of its own"
        "FROM and --from mean the stage before them that has the name, which is easily the wrong \
        one"
        "give this stage another name",
    ReservedStageName "reserved-stage-name" "no stage is called scratch or context"
        "the name already means the empty image or the build context, so the stage cannot be \
        reached by it"
        "give the stage another name",
    JSONArgsRecommended "json-args-recommended" "CMD and ENTRYPOINT are JSON arrays, so that the \
        process itself receives signals"
        "the shell form runs under a shell, which does not pass on SIGTERM: the container is \
        killed instead of stopped"
        "write the command as a JSON array, for example CMD [\"server\", \"--port=80\"]; with \
        SHELL set, this finding goes away too",
    MaintainerDeprecated "maintainer-deprecated" "the author is given by a label, not by MAINTAINER"
        "tools read the author from the image's labels"
        "use LABEL org.opencontainers.image.authors=\"…\"",
    UndefinedArgInFrom "undefined-arg-in-from" "FROM uses only arguments that are declared before \
        it"
        "the argument is empty there, whatever --build-arg says: only an ARG before the first \
        FROM counts"
        "declare it with ARG before the first FROM, or correct the name",
    WorkdirRelativePath "workdir-relative-path" "the first WORKDIR is absolute, so that it does \
        not depend on the base image"
        "where it ends up depends on the base image's working directory, which may change"
        "begin the path with /",
    UndefinedVar "undefined-var" "variables are defined before they are used"
        "it is replaced by nothing"
        "declare it with ARG or ENV in this stage, or correct the name; write \\$ for a dollar \
        sign",
    MultipleInstructionsDisallowed "multiple-instructions-disallowed" "a stage has one CMD, one \
        ENTRYPOINT and one HEALTHCHECK at most"
        "only the last one has an effect"
        "remove all but the last",
    LegacyKeyValueFormat "legacy-key-value-format" "ENV and LABEL have the form key=value"
        "the form without = takes all of the line as one value, and will go away"
        "write key=value, with quotes around a value that has blanks",
    InvalidBaseImagePlatform "" "the base image is of the platform that is built for"
        "the programs in it do not run on the platform that is built for"
        "build for the base image's platform, or use an image that has the wanted one",
    RedundantTargetPlatform "redundant-target-platform" "FROM does not ask for $TARGETPLATFORM, \
        which is the default"
        "it says what would happen anyway"
        "remove --platform",
    SecretsUsedInArgOrEnv "secrets-used-in-arg-or-env" "secrets are mounted, not passed by ARG or \
        ENV"
        "values of ARG and ENV stay in the image's history and config, where everybody who has \
        the image can read them"
        "mount it: RUN --mount=type=secret,id=…",
    InvalidDefaultArgInFrom "invalid-default-arg-in-from" "with the defaults of the global \
        arguments, each FROM names an image"
        "a build without --build-arg fails, and tools that look at the Dockerfile cannot tell the \
        base image"
        "give the ARG a default with which FROM names an image",
    FromPlatformFlagConstDisallowed "from-platform-flag-const-disallowed" "the platform of FROM \
        is not a constant"
        "the stage has this platform for every target, so that a build for several platforms \
        mixes them"
        "use --platform=$BUILDPLATFORM or $TARGETPLATFORM, or leave the flag out",
    CopyIgnoredFile "copy-ignored-file" "what COPY and ADD take from the context is not excluded \
        from it"
        "the file is not sent to the builder, and the build fails or lacks it"
        "take it out of .dockerignore, or do not copy it",
    InvalidDefinitionDescription "invalid-definition-description" "a comment directly above ARG \
        or FROM begins with the name that is defined"
        "the comment is shown as the description of what stands below it"
        "begin the comment with the name, or put a blank line between",
    ExposeProtoCasing "expose-proto-casing" "the protocol of EXPOSE is in lower case"
        "some tools compare the protocol as it is written"
        "write tcp or udp",
    ExposeInvalidFormat "expose-invalid-format" "EXPOSE has neither an address nor a host port; \
        this will become an error"
        "EXPOSE only names ports of the container; addresses and host ports belong to docker run"
        "write the container's port alone, for example EXPOSE 80/tcp",
    CopyExcludedMatch "" "--exclude names nothing that a wildcard of COPY or ADD itself matches"
        "BuildKit applies --exclude inside the folders that the wildcard matches; what the \
        wildcard itself matches is copied"
        "copy the folder instead of what is in it, for example COPY --exclude=a . ./, or write \
        **/a if only folders matter",
    UnexpandedArgName "" "names of ARG are written out"
        "ARG expands no variables or quotes in its names, so that no --build-arg and no variable \
        refers to such an argument"
        "write the name itself, for example ARG VERSION=1",
}

impl Rule {
    /// True if the rule is checked only with `experimental=`.
    pub const fn is_experimental(self) -> bool {
        matches!(self, Self::InvalidDefinitionDescription)
    }

    /// True if the rule is not one of BuildKit's: its findings never fail a build.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::CopyExcludedMatch | Self::UnexpandedArgName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_the_names_and_pages_of_the_reference() {
        assert_eq!(Rule::ALL.len(), 24);
        assert_eq!(Rule::JSONArgsRecommended.name(), "JSONArgsRecommended");
        assert_eq!(
            Rule::UndefinedVar.url(),
            "https://docs.docker.com/go/dockerfile/rule/undefined-var/"
        );
        assert_eq!(Rule::InvalidBaseImagePlatform.url(), "");
    }
}
