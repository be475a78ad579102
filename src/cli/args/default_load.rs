//! The default output of a build: builders with the option `default-load` load the result, and an
//! engine keeps it, unless `BUILDX_NO_DEFAULT_LOAD` leaves it in the cache.

use solvekit::pipeline::{BuildRequest, Output};
use solvekit::progress::{Mode, Writer};

use super::builder::Used;
use super::connection::ConnectionArgs;
use super::values;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal;

/// Adds the builder's default output to a request without outputs.
pub(crate) fn apply(
    request: &mut BuildRequest,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    if !request.outputs.is_empty() {
        return Ok(());
    }
    if is_off(environment) {
        request.outputs.push(Output::nowhere());
    } else if connection.loads_by_default(environment)? {
        request.outputs.push(Output::load());
    }
    Ok(())
}

/// Warns that the result stays in the cache, unless that was requested. Returns a warning to print
/// after the progress: a terminal's row is too short for it, and buildx prints it on a line of its
/// own.
pub(crate) fn warn(
    request: &BuildRequest,
    used: &Used,
    mode: Mode,
    progress: &Writer,
    identity: Identity,
) -> Option<String> {
    let target = Some(("default", request));
    show(warning(target, &used.driver)?, mode, progress, identity)
}

/// The same for the targets of a bake file.
pub(crate) fn warn_targets<'a>(
    targets: impl IntoIterator<Item = (&'a str, &'a BuildRequest)>,
    used: &Used,
    mode: Mode,
    progress: &Writer,
    identity: Identity,
) -> Option<String> {
    show(warning(targets, &used.driver)?, mode, progress, identity)
}

fn show(warning: String, mode: Mode, progress: &Writer, identity: Identity) -> Option<String> {
    match (mode, identity) {
        (Mode::Quiet, _) => terminal::warn(&warning),
        (Mode::Tty, _) | (Mode::Plain | Mode::RawJson, Identity::Buildx) => return Some(warning),
        _ => progress.note(format!("WARNING: {warning}")),
    }
    None
}

fn warning<'a>(
    targets: impl IntoIterator<Item = (&'a str, &'a BuildRequest)>,
    driver: &str,
) -> Option<String> {
    let is_engine = driver == "docker";
    let is_lost = |request: &BuildRequest| {
        let is_kept = is_engine && (!request.tags.is_empty() || request.keep_unnamed);
        request.outputs.is_empty() && !is_kept
    };
    let lost = targets.into_iter().filter(|(_, request)| is_lost(request));
    let lost: Vec<&str> = lost.map(|(name, _)| name).collect();
    let of = match lost.as_slice() {
        [] => return None,
        ["default"] => String::new(),
        names => format!(" for {} target(s)", names.join(", ")),
    };
    Some(match is_engine {
        true => format!(
            "No name and no output specified{of}. Build result will only remain in the build \
             cache. To keep the image use -t NAME"
        ),
        false => format!(
            "No output specified{of} with {driver} driver. Build result will only remain in the \
             build cache. To push result image into registry use --push or to load image into \
             docker use --load"
        ),
    })
}

fn is_off(environment: &Environment) -> bool {
    let Some(value) = &environment.buildx_defaults.no_default_load else {
        return false;
    };
    values::boolean(value).unwrap_or_else(|reason| {
        terminal::warn(&format!(
            "the variable BUILDX_NO_DEFAULT_LOAD has no effect: {reason}"
        ));
        false
    })
}

#[cfg(test)]
mod tests {
    use solvekit::oci::Reference;

    use super::*;

    #[test]
    fn a_result_that_stays_in_the_cache_is_reported() {
        let warning = |request: &BuildRequest, driver: &str| {
            let targets = [("default", request)];
            super::warning(targets, driver)
        };
        let mut request = BuildRequest::new(".");
        let text = super::warning([("b", &request), ("a", &request)], "remote").unwrap();
        assert!(text.starts_with("No output specified for b, a target(s) with remote driver. "));
        let text = warning(&request, "docker-container").unwrap();
        assert!(text.contains("No output specified with docker-container driver"));
        assert!(warning(&request, "docker").unwrap().contains("-t NAME"));
        request.tags = vec![Reference::parse("a").unwrap()];
        assert!(warning(&request, "remote").is_some());
        assert_eq!(warning(&request, "docker"), None);
        request.outputs = vec![Output::nowhere()];
        assert_eq!(warning(&request, "remote"), None);
    }
}
