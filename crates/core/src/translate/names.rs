//! The names of vertices: `[linux/amd64 build 2/5] RUN make`.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::llb::Env;
use crate::oci::Platform;
use crate::text::redact;

/// The common part of the names of a stage's vertices, and the counter.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    /// The stage's name; empty for none.
    pub(super) stage: String,
    /// The total number of steps; 0 for names without a prefix.
    pub(super) total: usize,
    /// The number of steps so far.
    pub(super) index: usize,
    /// True if the current instruction comes from a trigger of the base.
    pub(super) on_build: bool,
    /// True if names begin with the platform.
    pub(super) with_platform: bool,
}

impl Steps {
    /// Returns the name of the next step. It has no passwords, because the daemon stores and shows
    /// it. The platforms in `env` tell if the stage cross-compiles: `[linux/amd64->arm64 …]`.
    pub(super) fn next(
        &mut self,
        text: &str,
        platform: Option<&Platform>,
        env: Option<&Env>,
    ) -> String {
        if self.total == 0 {
            return redact(text).into_owned();
        }
        self.index += 1;
        let mut name = String::with_capacity(text.len() + self.stage.len() + 24);
        name.push('[');
        if let Some(platform) = platform.filter(|_| self.with_platform) {
            name.push_str(&platform.format_all());
            name.push_str(&cross_target(platform, env.and_then(target_platform)));
            name.push(' ');
        }
        if !self.stage.is_empty() {
            name.push_str(&self.stage);
            name.push(' ');
        }
        let width = self.total.ilog10() as usize + 1;
        // Writing to a string cannot fail.
        let _ = write!(name, "{:width$}/{}] ", self.index, self.total);
        if self.on_build {
            name.push_str("ONBUILD ");
        }
        name.push_str(&redact(text));
        name
    }

    /// Undoes the last step: its number is used again.
    pub(super) fn back(&mut self) {
        self.index = self.index.saturating_sub(1);
    }
}

/// Returns the text with its first word in capitals.
pub(super) fn upper_first_word(text: Cow<'_, str>) -> Cow<'_, str> {
    let first = text.split(' ').next().unwrap_or_default();
    if first.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return text;
    }
    let upper = first.to_uppercase();
    Cow::Owned([&upper, &text[first.len()..]].concat())
}

fn cross_target(base: &Platform, target: Option<Platform>) -> String {
    let Some(mut target) = target else {
        return String::new();
    };
    if target.os.is_empty() {
        target.os.clone_from(&base.os);
    }
    if target.architecture.is_empty() {
        target.architecture.clone_from(&base.architecture);
    }
    let target = target.normalized();
    if target.os != base.os {
        return format!("->{}", target.format_all());
    }
    if target.architecture == base.architecture {
        return String::new();
    }
    match target.variant.as_str() {
        "" => format!("->{}", target.architecture),
        variant => format!("->{}/{variant}", target.architecture),
    }
}

/// Returns the platform of the stage's TARGET… variables, in their order: a whole platform ends the
/// search.
fn target_platform(env: &Env) -> Option<Platform> {
    let mut parts: Option<Platform> = None;
    for (key, value) in env.iter() {
        match key {
            "TARGETPLATFORM" => {
                if let Ok(platform) = Platform::parse(value) {
                    return Some(platform);
                }
            }
            "TARGETOS" => parts.get_or_insert_default().os = value.to_owned(),
            "TARGETARCH" => parts.get_or_insert_default().architecture = value.to_owned(),
            "TARGETVARIANT" => parts.get_or_insert_default().variant = value.to_owned(),
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_with_the_width_of_the_total() {
        let mut steps = Steps {
            stage: "build".into(),
            total: 10,
            ..Steps::default()
        };
        assert_eq!(steps.next("RUN x", None, None), "[build  1/10] RUN x");
        steps.on_build = true;
        assert_eq!(
            steps.next("RUN x", None, None),
            "[build  2/10] ONBUILD RUN x"
        );
        assert_eq!(Steps::default().next("FROM x", None, None), "FROM x");
    }

    #[test]
    fn cross_compilation_names_both_platforms() {
        let mut steps = Steps {
            total: 9,
            with_platform: true,
            ..Steps::default()
        };
        let amd64 = Platform::parse("linux/amd64").unwrap();
        let env: Env = [("TARGETARCH", "arm"), ("TARGETVARIANT", "v7")]
            .into_iter()
            .collect();
        assert_eq!(
            steps.next("RUN x", Some(&amd64), Some(&env)),
            "[linux/amd64->arm/v7 1/9] RUN x"
        );
        let env: Env = [("TARGETPLATFORM", "linux/amd64")].into_iter().collect();
        assert_eq!(
            steps.next("RUN x", Some(&amd64), Some(&env)),
            "[linux/amd64 2/9] RUN x"
        );
    }
}
