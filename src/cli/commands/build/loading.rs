//! `--load` with a builder that is not a Docker engine: the image goes through this client into the
//! engine of the docker CLI's context.

use std::io::{self, Write};
use std::sync::Arc;

use solvekit::client::{Address, ImageLoader, engine_info};
use solvekit::pipeline::{BuildRequest, LoadTarget, OutputKind};
use solvekit::progress::Writer;
use tokio::runtime::Handle;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::usage::OutputUsage;

/// Opens the engine to load images into, if the request loads any and the builder is not an engine
/// itself. Fails before the build if the engine does not answer.
pub(crate) async fn opener(
    request: &BuildRequest,
    builder: Option<&Address>,
    progress: &Writer,
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
    let progress = (environment.identity == Identity::Buildx).then(|| progress.clone());
    let open = move || -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(Importing {
            archive: ImageLoader::start(engine.clone(), &runtime),
            progress: progress.clone(),
        }))
    };
    Ok(Some(LoadTarget {
        open: Arc::new(open),
        takes_oci: info.containerd_image_store,
    }))
}

/// An archive for an engine. buildx's progress shows the end of the import as a step.
struct Importing<W> {
    archive: W,
    /// Shows the step; `None` if it is not shown, or was.
    progress: Option<Writer>,
}

impl<W: Write> Write for Importing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.archive.write(bytes)
    }

    /// Ends the archive, and waits for the engine.
    fn flush(&mut self) -> io::Result<()> {
        let Some(progress) = self.progress.take() else {
            return self.archive.flush();
        };
        let step = progress.step("importing to docker");
        let imported = self.archive.flush();
        match &imported {
            Ok(()) => step.done(),
            Err(error) => step.fail(error),
        }
        imported
    }
}

#[cfg(test)]
mod tests {
    use solvekit::progress;

    use super::*;

    #[test]
    fn the_end_of_an_import_is_one_step() {
        let (writer, mut updates) = progress::channel();
        let mut importing = Importing {
            archive: Vec::new(),
            progress: Some(writer),
        };
        importing.write_all(b"archive").unwrap();
        importing.flush().unwrap();
        importing.flush().unwrap();
        assert_eq!(importing.archive, b"archive");
        let mut ended = Vec::new();
        while let Some(event) = updates.try_recv() {
            let steps = event.update.vertexes.into_iter();
            ended.extend(steps.filter(|step| step.completed.is_some()));
        }
        let [step] = ended.as_slice() else {
            panic!("{ended:?}");
        };
        assert_eq!((&*step.name, &*step.error), ("importing to docker", ""));
    }
}
