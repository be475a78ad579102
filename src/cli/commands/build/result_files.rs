//! `--iidfile` and `--metadata-file`: results for scripts.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use solvekit::pipeline::{BuildOutcome, Output, OutputKind};

use super::write_file;
use crate::cli::args::headings::OUTPUTS;
use crate::cli::args::places;
use crate::cli::report::Failure;
use crate::cli::report::terminal::warn;
use crate::cli::report::usage::OutputUsage;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = OUTPUTS)]
pub(crate) struct ResultFileArgs {
    /// Write the image's digest to this file
    #[arg(long, value_name = "FILE")]
    iidfile: Option<PathBuf>,

    /// Write metadata of the result to this file, as JSON
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,
}

impl ResultFileArgs {
    pub(crate) fn wants_metadata(&self) -> bool {
        self.metadata_file.is_some()
    }

    pub(crate) fn wants_id(&self) -> bool {
        self.iidfile.is_some()
    }

    /// Checks that the files can be written and that the build makes an image. Removes the file
    /// with an earlier image's id, so that a script never reads an old one.
    pub(crate) fn check(&self, outputs: &[Output], in_buildx: bool) -> Result<(), Failure> {
        self.check_metadata()?;
        let Some(path) = &self.iidfile else {
            return Ok(());
        };
        let has_files =
            |output: &Output| matches!(output.kind, OutputKind::Local | OutputKind::Tar);
        let has_no_id = outputs.iter().any(has_files) && !outputs.iter().any(Output::is_image);
        if has_no_id && !in_buildx {
            return Err(OutputUsage::IdOfFiles.into());
        }
        places::ready("--iidfile", path)?;
        if path.is_file() {
            fs::remove_file(path).map_err(|error| {
                Failure::new(format!("cannot replace {}: {error}", path.display()))
            })?;
        }
        Ok(())
    }

    /// Writes the files. Without an image there is no id file: an empty one would be misread as an
    /// id.
    pub(crate) fn write(
        &self,
        outcome: &BuildOutcome,
        metadata: Option<Value>,
        in_buildx: bool,
    ) -> Result<(), Failure> {
        match (&self.iidfile, outcome.image_id()) {
            (Some(path), Some(id)) => write_file(path, id.as_str().as_bytes())?,
            // buildx writes the file after each successful build.
            (Some(path), None) if in_buildx => write_file(path, b"")?,
            (Some(path), None) => warn(&format!(
                "{} is not written: the build made no image, so there is no image ID",
                path.display()
            )),
            (None, _) => {}
        }
        match metadata {
            Some(metadata) => self.write_metadata(metadata),
            None => Ok(()),
        }
    }

    /// Checks that the metadata file can be written.
    pub(crate) fn check_metadata(&self) -> Result<(), Failure> {
        match &self.metadata_file {
            Some(path) => places::ready("--metadata-file", path),
            None => Ok(()),
        }
    }

    /// Writes the metadata, if a file is given.
    pub(crate) fn write_metadata(&self, metadata: Value) -> Result<(), Failure> {
        let Some(path) = &self.metadata_file else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(&metadata)
            .map_err(|error| Failure::new(format!("cannot write the metadata: {error}")))?;
        write_file(path, text.as_bytes())
    }
}
