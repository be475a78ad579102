//! The built command as an image that BuildKit runs as a frontend.

use std::fs;
use std::sync::OnceLock;

use super::own_program::add_program;
use super::{Engine, Finished, fixture, solvekit, unique};

/// The name of the image, pushed once in a run of tests.
///
/// The release image has a static binary. Here it is the one under test, as it was compiled, with
/// the libraries that it loads: compiling it a second time would take longer than all the tests.
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
