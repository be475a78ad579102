//! Shows the inputs that were read on this machine as progress steps, named as by a Dockerfile
//! frontend in the daemon: programs that follow a build look for these names.

use super::prepared::Prepared;
use crate::frontend::Job;
use crate::pipeline::Inputs;
use crate::pipeline::inputs::named::NamedRead;
use crate::pipeline::inputs::{DockerfileRead, USUAL_NAME};
use crate::progress::Writer;

/// The default name of an ignore file.
const IGNORE_FILE: &str = ".dockerignore";

impl Prepared {
    /// Shows the Dockerfile and the ignore files that were read on this machine, each as a finished
    /// step. The daemon shows the inputs that it reads itself.
    pub fn show_inputs(&self, progress: &Writer) {
        if self.job().and_then(Job::elsewhere).is_some() {
            return;
        }
        if let Some(digest) = show_dockerfile(&self.inputs, progress) {
            self.set_shown_as(digest);
        }
        show_ignore_files(&self.inputs, progress);
    }

    /// Warns about each ignore file that is UTF-16: it excludes nothing, in any frontend.
    pub fn warn_of_inputs(&self, progress: &Writer) {
        for path in self.inputs.ignore_files_in_utf16() {
            progress.note(format!(
                "WARNING: {} is UTF-16, so nothing is excluded from the context: save it as UTF-8",
                path.display()
            ));
        }
    }
}

/// Shows the Dockerfile, and returns the digest of its step.
pub(super) fn show_dockerfile(inputs: &Inputs, progress: &Writer) -> Option<String> {
    let DockerfileRead::Text {
        path,
        text,
        on_disk,
    } = &inputs.dockerfile
    else {
        return None;
    };
    let name = path.file_name().filter(|_| *on_disk);
    let name = name.map_or(USUAL_NAME.into(), |name| name.to_string_lossy());
    let step = format!("[internal] load build definition from {name}");
    Some(show(
        progress,
        &step,
        "transferring dockerfile:",
        text.len(),
    ))
}

/// Shows the ignore files of the contexts.
pub(super) fn show_ignore_files(inputs: &Inputs, progress: &Writer) {
    for (name, context) in &inputs.named {
        if let NamedRead::Directory { excludes, .. } = context {
            let step = format!("[context {name}] load {IGNORE_FILE}");
            let transfer = format!("transferring {name}:");
            show(progress, &step, &transfer, size(excludes));
        }
    }
    if inputs.folder().is_some() {
        let step = format!("[internal] load {IGNORE_FILE}");
        let bytes = size(&inputs.excludes);
        show(progress, &step, "transferring context:", bytes);
    }
}

/// The size of an ignore file; without one, that of a transfer of nothing.
fn size(patterns: &[String]) -> usize {
    const NOTHING: usize = 2;
    match patterns {
        [] => NOTHING,
        patterns => patterns.iter().map(|pattern| pattern.len() + 1).sum(),
    }
}

fn show(progress: &Writer, step: &str, transfer: &str, bytes: usize) -> String {
    let step = progress.step(step);
    let mut transfer = step.transfer(transfer);
    transfer.set_current(u64::try_from(bytes).unwrap_or(u64::MAX));
    drop(transfer);
    let digest = step.digest().to_owned();
    step.done();
    digest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::pipeline::{BuildRequest, NamedContext, prepare};
    use crate::progress::channel;

    #[tokio::test]
    async fn an_ignore_file_in_utf16_is_warned_about() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let text = "\u{feff}*\r\nsecret\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        write("Dockerfile", b"FROM scratch\nCOPY secret /\n");
        write("secret", b"x");
        write("other/.dockerignore", &big);
        for (name, bytes) in [
            ("Dockerfile.dockerignore", &little),
            (".dockerignore", &big),
        ] {
            write(name, bytes);
            let mut request = BuildRequest::new(folder.path());
            let other = NamedContext::Directory(folder.path().join("other"));
            request.contexts = BTreeMap::from([("other".to_owned(), other)]);
            let (writer, mut updates) = channel();
            let prepared = prepare(request).await.unwrap();
            let folders = prepared.inputs.excludes();
            let matcher = crate::session::PatternMatcher::new(folders).unwrap();
            assert!(!matcher.matches("secret"), "{folders:?}");
            prepared.warn_of_inputs(&writer);
            let mut notes = Vec::new();
            while let Some(event) = updates.try_recv() {
                let names = event.update.vertexes.iter().map(|it| it.name.clone());
                notes.extend(names.filter(|name| name.starts_with("WARNING")));
            }
            notes.dedup();
            let warning = |name: &str| {
                format!(
                    "WARNING: {} is UTF-16, so nothing is excluded from the context: save it as \
                     UTF-8",
                    folder.path().canonicalize().unwrap().join(name).display()
                )
            };
            assert_eq!(notes.len(), 2, "{notes:?}");
            assert_eq!(notes[0], warning("other/.dockerignore"));
            assert!(notes[1].contains(name), "{notes:?}");
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
    }

    #[tokio::test]
    async fn what_was_read_here_is_shown_under_its_usual_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("App"), "FROM scratch\n").unwrap();
        std::fs::write(folder.path().join(".dockerignore"), "a\n").unwrap();
        let mut request = BuildRequest::new(folder.path());
        request.dockerfile = Some(crate::pipeline::DockerfileFrom::Path(
            folder.path().join("App"),
        ));
        let other = NamedContext::Directory(folder.path().to_owned());
        request.contexts = BTreeMap::from([("other".to_owned(), other)]);
        let (writer, mut updates) = channel();
        prepare(request).await.unwrap().show_inputs(&writer);

        let (mut steps, mut sizes) = (Vec::new(), Vec::new());
        while let Some(event) = updates.try_recv() {
            let ended = event
                .update
                .vertexes
                .iter()
                .filter(|it| it.completed.is_some());
            steps.extend(ended.map(|it| it.name.clone()));
            let ended = event
                .update
                .statuses
                .iter()
                .filter(|it| it.completed.is_some());
            sizes.extend(ended.map(|it| (it.id.clone(), it.current)));
        }
        assert_eq!(
            steps,
            [
                "[internal] load build definition from App",
                "[context other] load .dockerignore",
                "[internal] load .dockerignore",
            ]
        );
        let expected = [("dockerfile", 13), ("other", 2), ("context", 2)]
            .map(|(name, bytes)| (format!("transferring {name}:"), bytes));
        assert_eq!(sizes, expected);
    }
}
