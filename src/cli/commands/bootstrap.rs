//! Starts the nodes of a builder for `create` and `inspect`. If the user interrupts that, the error
//! says what exists by then.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use solvekit::builder::{Boot, Builder, Error, Instance};
use solvekit::client::TimeLimits;
use tokio::time::timeout;

use crate::cli::args::builder::Builders;
use crate::cli::args::connection::say;
use crate::cli::environment::Environment;
use crate::cli::interrupt::{self, EXIT_INTERRUPTED};
use crate::cli::report::Failure;

/// How long an engine or a cluster is asked for what exists.
const PATIENCE: Duration = Duration::from_secs(5);
/// Ctrl-C also ends the programs of a step, whose failure may be noticed first.
const SIGNAL_DELAY: Duration = Duration::from_millis(100);

/// Starts the nodes of a builder, or the one at `position`.
pub(crate) async fn boot(
    builders: &Builders,
    builder: &Builder,
    position: Option<usize>,
    limits: TimeLimits,
    environment: &Environment,
) -> Result<(), Failure> {
    let credentials = environment.credentials()?;
    let workflow = environment.workflow();
    let counter = AtomicU32::new(0);
    let boot = Boot {
        credentials: Some(&credentials),
        say: &say,
        counter: Some(&counter),
        workflow: workflow.as_deref(),
        ..Boot::default()
    };
    let booting = async {
        for instance in selected(builders, builder, position) {
            instance?.connect(limits, &boot).await?;
        }
        Ok::<(), Error>(())
    };
    let cancelled = interrupt::token()?;
    let booted = tokio::select! {
        booted = booting => booted,
        () = cancelled.cancelled() => Ok(()),
    };
    if booted.is_err() {
        let _ = timeout(SIGNAL_DELAY, cancelled.cancelled()).await;
    }
    match cancelled.is_cancelled() {
        true => Err(interrupted(builders, builder, position).await),
        false => Ok(booted?),
    }
}

fn selected(
    builders: &Builders,
    builder: &Builder,
    position: Option<usize>,
) -> impl Iterator<Item = Result<Instance, Error>> {
    let instances = builders.instances(builder).into_iter().enumerate();
    let selected = instances.filter(move |(index, _)| position.is_none_or(|only| only == *index));
    selected.map(|(_, instance)| instance)
}

/// Asks what exists of the builder, and says how to go on.
async fn interrupted(builders: &Builders, builder: &Builder, position: Option<usize>) -> Failure {
    let (mut existing, mut is_known) = (Vec::new(), true);
    for instance in selected(builders, builder, position).flatten() {
        match timeout(PATIENCE, instance.existing_object()).await {
            Ok(Ok(object)) => existing.extend(object),
            Ok(Err(_)) | Err(_) => is_known = false,
        }
    }
    let name = &builder.name;
    let advice = format!(
        "solvekit inspect --bootstrap {name} starts it again, solvekit rm {name} removes it"
    );
    Failure::new(left(name, &existing, is_known))
        .advised(Some(advice))
        .code(EXIT_INTERRUPTED)
}

/// Says what is left of an interrupted start.
fn left(builder: &str, existing: &[String], is_known: bool) -> String {
    let objects = existing.join(", ");
    match (existing, is_known) {
        ([], true) => format!("interrupted: the builder {builder} exists, but no node of it yet"),
        ([], false) => format!(
            "interrupted: the builder {builder} exists, and what was started for it may remain"
        ),
        ([_], _) => format!("interrupted: the builder {builder} exists, and {objects} remains"),
        _ => format!("interrupted: the builder {builder} exists, and these remain: {objects}"),
    }
}

#[cfg(test)]
mod tests {
    use super::left;

    #[test]
    fn what_is_left_is_named() {
        let objects = ["the Deployment b0", "the Deployment b1"].map(str::to_owned);
        assert_eq!(
            left("b", &objects[..1], true),
            "interrupted: the builder b exists, and the Deployment b0 remains"
        );
        assert_eq!(
            left("b", &objects, true),
            "interrupted: the builder b exists, and these remain: the Deployment b0, the \
             Deployment b1"
        );
        assert!(left("b", &[], true).ends_with("but no node of it yet"));
        assert!(left("b", &[], false).ends_with("may remain"));
    }
}
