//! The built command as a frontend image for BuildKit.

use std::fs;
use std::sync::OnceLock;

use super::own_program::add_program;
use super::{Engine, Finished, fixture, solvekit, unique};

/// The name of the image, pushed once per test run.
///
/// The release image has a static binary. This one has the binary under test with its shared
/// libraries: a second compilation would take longer than all tests.
pub fn frontend_image() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let context = tempfile::tempdir().expect("a temporary folder");
        add_program(context.path());
        let recipe = fixture("../../frontend/Dockerfile");
        let text = fs::read_to_string(recipe).expect("the Dockerfile is there");
        let text = text.replace("COPY solvekit /solvekit", "COPY . /");
        fs::write(context.path().join("Dockerfile"), text).expect("it can be written");
        let name = format!("{}/test/frontend:{}", Engine::get().registry, unique());
        Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path())).succeeded();
        name
    })
}
