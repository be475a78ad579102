//! Flags of `docker build` from the time before BuildKit: accepted without effect, so that old
//! scripts still work.

use solvekit::progress::Mode;

use crate::cli::identity::Identity;
use crate::cli::report::terminal::talk;

#[derive(Debug, clap::Args)]
pub(crate) struct LegacyArgs {
    #[arg(
        long,
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    compress: Option<bool>,

    #[arg(
        long,
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    force_rm: Option<bool>,

    #[arg(
        long,
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    rm: Option<bool>,

    #[arg(
        long,
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    squash: Option<bool>,

    #[arg(long, hide = true)]
    isolation: Option<String>,

    #[arg(long, hide = true)]
    security_opt: Vec<String>,
}

impl LegacyArgs {
    /// Warns about all of them in one line, or as buildx does; not if a program reads stderr.
    pub(crate) fn warn(&self, mode: Mode, identity: Identity) {
        if matches!(mode, Mode::RawJson | Mode::JsonLines | Mode::None) {
            return;
        }
        match identity {
            Identity::Buildx => talk(&self.in_buildx()),
            Identity::Solvekit | Identity::Buildctl => {
                if let Some(line) = self.warning() {
                    talk(&line);
                }
            }
        }
    }

    /// buildx's warnings.
    fn in_buildx(&self) -> String {
        let mut text = String::new();
        let mut warn = |is_given: bool, words: &str| {
            if is_given {
                text.push_str(&format!("WARNING: {words}\n"));
            }
        };
        warn(
            self.squash == Some(true),
            "experimental flag squash is removed with BuildKit. You should squash inside build \
             using a multi-stage Dockerfile for efficiency.",
        );
        warn(
            self.isolation.is_some(),
            "isolation flag is deprecated with BuildKit.",
        );
        warn(
            !self.security_opt.is_empty(),
            "security-opt flag is deprecated. \"RUN --security=insecure\" should be used with \
             BuildKit.",
        );
        text
    }

    fn warning(&self) -> Option<String> {
        let all = [
            ("--compress", self.compress.is_some()),
            ("--force-rm", self.force_rm.is_some()),
            ("--isolation", self.isolation.is_some()),
            ("--rm", self.rm.is_some()),
            ("--security-opt", !self.security_opt.is_empty()),
            ("--squash", self.squash.is_some()),
        ];
        let given: Vec<&str> = all
            .into_iter()
            .filter_map(|(name, given)| given.then_some(name))
            .collect();
        let mut line = match given.as_slice() {
            [] => return None,
            names => format!(
                "WARNING: without effect with BuildKit: {}",
                names.join(", ")
            ),
        };
        for (flag, instead) in [
            (
                "--security-opt",
                "RUN --security=insecure with --allow security.insecure",
            ),
            ("--squash", "a stage FROM scratch with COPY --from"),
        ] {
            if given.contains(&flag) {
                line.push_str(&format!("; instead of {flag} use {instead}"));
            }
        }
        line.push('\n');
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        legacy: LegacyArgs,
        rest: Option<String>,
    }

    fn warning(arguments: &[&str]) -> Option<String> {
        let arguments = ["x"].iter().chain(arguments);
        let parsed = Command::try_parse_from(arguments).unwrap();
        assert_eq!(parsed.rest.as_deref(), Some("."));
        parsed.legacy.warning()
    }

    #[test]
    fn flags_of_old_are_taken_with_one_warning() {
        assert_eq!(warning(&["."]), None);
        let line = warning(&["--rm", "--force-rm=false", "--compress", "."]).unwrap();
        assert_eq!(
            line,
            "WARNING: without effect with BuildKit: --compress, --force-rm, --rm\n"
        );
        let line = warning(&["--squash", "--isolation", "hyperv", "--security-opt=a", "."]);
        let line = line.unwrap();
        assert!(line.contains("--security=insecure") && line.contains("COPY --from"));
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn buildx_warns_about_three_of_them() {
        let given = ["x", "--rm", "--compress", "--squash", "--isolation=a", "."];
        let text = Command::try_parse_from(given).unwrap().legacy.in_buildx();
        assert_eq!(
            text,
            "WARNING: experimental flag squash is removed with BuildKit. You should squash inside \
             build using a multi-stage Dockerfile for efficiency.\nWARNING: isolation flag is \
             deprecated with BuildKit.\n"
        );
    }
}
