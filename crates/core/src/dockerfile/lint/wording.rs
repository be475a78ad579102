//! The wording of findings: this project's, or that of BuildKit's own frontend, which scripts
//! search for.

use super::Rule;

/// The wording of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// This project's, with the reason and the fix.
    #[default]
    Own,
    /// That of BuildKit's frontend, word for word.
    BuildKit,
}

impl Wording {
    /// Returns the message in this wording.
    pub(super) fn choose(
        self,
        own: impl FnOnce() -> String,
        buildkit: impl FnOnce() -> String,
    ) -> String {
        match self {
            Self::Own => own(),
            Self::BuildKit => buildkit(),
        }
    }

    /// Returns the description of a rule.
    pub const fn description(self, rule: Rule) -> &'static str {
        match self {
            Self::Own => rule.description(),
            Self::BuildKit => description(rule),
        }
    }
}

/// The descriptions of `frontend/dockerfile/linter`. This project's rules have their own.
const fn description(rule: Rule) -> &'static str {
    match rule {
        Rule::StageNameCasing => "Stage names should be lowercase",
        Rule::FromAsCasing => "The 'as' keyword should match the case of the 'from' keyword",
        Rule::NoEmptyContinuation => {
            "Empty continuation lines will become errors in a future release"
        }
        Rule::ConsistentInstructionCasing => {
            "All commands within the Dockerfile should use the same casing (either upper or lower)"
        }
        Rule::DuplicateStageName => "Stage names should be unique",
        Rule::ReservedStageName => "Reserved words should not be used as stage names",
        Rule::JSONArgsRecommended => {
            "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related \
             to OS signals"
        }
        Rule::MaintainerDeprecated => {
            "The MAINTAINER instruction is deprecated, use a label instead to define an image \
             author"
        }
        Rule::UndefinedArgInFrom => "FROM command must use declared ARGs",
        Rule::WorkdirRelativePath => {
            "Relative workdir without an absolute workdir declared within the build can have \
             unexpected results if the base image changes"
        }
        Rule::UndefinedVar => "Variables should be defined before their use",
        Rule::MultipleInstructionsDisallowed => {
            "Multiple instructions of the same type should not be used in the same stage"
        }
        Rule::LegacyKeyValueFormat => {
            "Legacy key/value format with whitespace separator should not be used"
        }
        Rule::InvalidBaseImagePlatform => {
            "Base image platform does not match expected target platform"
        }
        Rule::RedundantTargetPlatform => {
            "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the \
             default behavior"
        }
        Rule::SecretsUsedInArgOrEnv => {
            "Sensitive data should not be used in the ARG or ENV commands"
        }
        Rule::InvalidDefaultArgInFrom => {
            "Default value for global ARG results in an empty or invalid base image name"
        }
        Rule::FromPlatformFlagConstDisallowed => {
            "FROM --platform flag should not use a constant value"
        }
        Rule::CopyIgnoredFile => "Attempting to Copy file that is excluded by .dockerignore",
        Rule::InvalidDefinitionDescription => {
            "Comment for build stage or argument should follow the format: `# <arg/stage name> \
             <description>`. If this is not intended to be a description comment, add an empty \
             line or comment between the instruction and the comment."
        }
        Rule::ExposeProtoCasing => "Protocol in EXPOSE instruction should be lowercase",
        Rule::ExposeInvalidFormat => {
            "IP address and host-port mapping should not be used in EXPOSE instruction. This will \
             become an error in a future release"
        }
        Rule::CopyExcludedMatch | Rule::UnexpandedArgName => rule.description(),
    }
}
