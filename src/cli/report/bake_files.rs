//! The step of buildx's progress that shows which bake files were read on this machine.

use std::io::stderr;

use solvekit::progress::{self, Mode, Writer};

use super::display::{self, Sink};
use crate::cli::environment::Environment;

/// The name of the standard input.
const STDIN: &str = "-";

/// The bake files that were read.
#[derive(Debug, Default)]
pub(crate) struct BakeFiles {
    /// The variable that names the files, if one does.
    pub(crate) variable: Option<&'static str>,
    /// The name and the size of each file, in bytes.
    files: Vec<(String, u64)>,
}

impl BakeFiles {
    /// Adds a file; its size is 0 if it cannot be read.
    pub(crate) fn add(&mut self, name: &str, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.files.push((name.to_owned(), bytes));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Shows the files as a finished step of a build's progress.
    pub(crate) fn show(&self, progress: &Writer) {
        let step = progress.step(self.step());
        for (name, bytes) in &self.files {
            let is_stdin = name == STDIN;
            let name = if is_stdin { "from stdin" } else { name };
            let mut reading = step.transfer(format!("reading {name}"));
            if !is_stdin {
                reading.set_total(*bytes);
            }
            reading.set_current(*bytes);
        }
        step.done();
    }

    /// Shows the files as the only step, for a command that does not build.
    pub(crate) async fn show_alone(&self, mode: Mode, environment: &Environment) {
        let (progress, updates) = progress::channel();
        let sink = Sink::to(mode, stderr());
        let shown = display::start_alone(mode, sink, "Building", environment, updates);
        self.show(&progress);
        drop(progress);
        shown.end().await;
    }

    fn step(&self) -> String {
        let from = self.variable.map(|name| format!(" from {name} env"));
        let from = from.unwrap_or_default();
        format!("[internal] load local bake definitions{from}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_file_is_a_transfer_of_one_step() {
        let mut files = BakeFiles {
            variable: Some("BUILDX_BAKE_FILE"),
            ..BakeFiles::default()
        };
        files.add("a.hcl", 12);
        files.add("-", 5);
        let (progress, mut updates) = progress::channel();
        files.show(&progress);
        drop(progress);
        let (mut names, mut reads) = (Vec::new(), Vec::new());
        while let Some(event) = updates.recv().await {
            names.extend(event.update.vertexes.into_iter().map(|step| step.name));
            let done = event.update.statuses.into_iter();
            let done = done.filter(|status| status.completed.is_some());
            reads.extend(done.map(|status| (status.id, status.current, status.total)));
        }
        let name = "[internal] load local bake definitions from BUILDX_BAKE_FILE env";
        assert_eq!(names, [name, name]);
        let expected = [
            ("reading a.hcl".to_owned(), 12, 12),
            ("reading from stdin".to_owned(), 5, 0),
        ];
        assert_eq!(reads, expected);
    }
}
