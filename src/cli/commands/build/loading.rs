//! `--load` with a builder that is not a Docker engine: the image goes through this client into the
//! engine of the docker CLI's context.

use std::sync::Arc;

use solvekit::client::{Address, ImageLoader, engine_info};
use solvekit::pipeline::{BuildRequest, LoadTarget, OutputKind};
use tokio::runtime::Handle;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::usage::OutputUsage;

/// Opens the engine to load images into, if the request loads any and the builder is not an engine
/// itself. Fails before the build if the engine does not answer.
pub(crate) async fn opener(
    request: &BuildRequest,
    builder: Option<&Address>,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<Option<LoadTarget>, Failure> {
    let mut loaded = request
        .outputs
        .iter()
        .filter(|output| output.kind == OutputKind::Docker && output.destination.is_none());
    let Some(output) = loaded.next() else {
        return Ok(None);
    };
    if builder.is_some_and(|it| it.daemon().keeps_images()) {
        return Ok(None);
    }
    if loaded.any(|other| other.engine_context() != output.engine_context()) {
        return Err(OutputUsage::SeveralEngines.into());
    }
    let engine = match output.engine_context() {
        Some(name) => connection.engine_of(name, environment)?,
        None => connection.engine(environment)?,
    };
    let info = engine_info(&engine).await;
    let info = info.map_err(OutputUsage::NoEngineToLoad)?;
    let runtime = Handle::current();
    Ok(Some(LoadTarget {
        open: Arc::new(move || Ok(Box::new(ImageLoader::start(engine.clone(), &runtime)))),
        takes_oci: info.containerd_image_store,
    }))
}
