//! The report of a build of which some platforms failed.

use solvekit::frontend::{Error, PlatformFailure};
use solvekit::oci::Platform;
use solvekit::pipeline::BuildOutcome;
use solvekit::progress::{Mode, Summary};

use super::{Failure, build_failure, hint};

/// Some platforms failed, and nothing was exported.
pub(crate) fn nothing_exported(
    failed: &[PlatformFailure],
    built: &[Platform],
    summary: &Summary,
    mode: Mode,
) -> Failure {
    let failure = platforms_failed(failed, built, "nothing was exported", summary, mode);
    let advice = "--push-partial exports the platforms that were built, without the others";
    failure.advised((!built.is_empty()).then(|| advice.to_owned()))
}

/// Some platforms failed, and the others are exported. `None` if none failed.
pub(crate) fn exported_partly(
    outcome: &BuildOutcome,
    summary: &Summary,
    mode: Mode,
) -> Option<Failure> {
    let what = "the others were exported without them";
    (!outcome.failed.is_empty())
        .then(|| platforms_failed(&outcome.failed, &outcome.built, what, summary, mode))
}

fn platforms_failed(
    failed: &[PlatformFailure],
    built: &[Platform],
    what: &str,
    summary: &Summary,
    mode: Mode,
) -> Failure {
    let all = failed.len() + built.len();
    let mut report = String::new();
    for failure in failed {
        let of_platform = build_failure::report_of(&failure.error, summary, mode);
        report.push_str(&of_platform);
        if let Some(hint) = hint::for_foreign_program(&failure.error, &of_platform) {
            report.push_str(&format!("{hint}\n"));
        }
        report.push('\n');
    }
    report.push_str(&table(failed, built));
    Failure::new(format!(
        "{} of {all} platforms failed; {what}",
        failed.len()
    ))
    .report_before(report)
    .ends_with(
        failed
            .iter()
            .filter_map(|it| build_failure::last_of(&it.error, summary)),
    )
}

fn table(failed: &[PlatformFailure], built: &[Platform]) -> String {
    let built = built
        .iter()
        .map(|platform| (platform.to_string(), "built".to_owned()));
    let failed = failed.iter().map(|failure| {
        let result = format!("failed: {}", short(&failure.error));
        (failure.platform.to_string(), result)
    });
    let rows: Vec<(String, String)> = built.chain(failed).collect();
    let width = rows.iter().map(|(platform, _)| platform.len()).max();
    let width = width.unwrap_or_default().max("PLATFORM".len());
    let mut table = format!("{:width$}  RESULT\n", "PLATFORM");
    for (platform, result) in rows {
        table.push_str(&format!("{platform:width$}  {result}\n"));
    }
    table
}

/// The error without the platform and the place, which are printed before it.
fn short(error: &Error) -> String {
    match error {
        Error::Solve(failure) => {
            let line = failure.lines.as_ref().and_then(|lines| {
                let first = lines.ranges.first()?.start.line;
                Some(format!("{}:{first}: ", lines.info.filename))
            });
            let cause = failure.explanation.as_ref().map(ToString::to_string);
            let message = build_failure::without_command(&failure.message);
            line.unwrap_or_default() + &cause.unwrap_or(message)
        }
        Error::Translate(failure) => {
            format!("{}:{}: {}", failure.file, failure.line, failure.message)
        }
        error => error.to_string(),
    }
}
