//! Warnings of the frontend, sent through the daemon.

use super::Source;
use super::error::warning_line;
use crate::dockerfile::Finding;
use crate::gateway::{Bridge, Warning};

/// Sends warnings about the request, without Dockerfile lines.
pub(super) async fn without_place(bridge: &Bridge, texts: &[String], vertex: &str) {
    for short in texts {
        let warning = Warning {
            vertex,
            level: 1,
            short,
            detail: Vec::new(),
            url: "",
            location: None,
        };
        // A warning that cannot be sent does not fail a build.
        let _ = bridge.warn(&warning).await;
    }
}

/// Sends findings through the daemon, which shows them with the progress and keeps them in its
/// history.
pub(super) async fn of_findings(
    bridge: &Bridge,
    source: &Source,
    findings: &[Finding],
    vertex: &str,
) {
    for finding in findings {
        let short = warning_line(finding);
        let warning = Warning {
            vertex,
            level: 1,
            short: &short,
            detail: vec![finding.detail()],
            url: finding.url(),
            location: Some(source.location(finding.span)),
        };
        // A warning that cannot be sent does not fail a build.
        let _ = bridge.warn(&warning).await;
    }
}
