//! The built command as an image that BuildKit runs as a frontend.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::{Engine, Finished, fixture, solvekit, unique};

/// The name of the image, pushed once in a run of tests.
///
/// The release image has a static binary. Here it is the one under test, as it was compiled, with the libraries that it loads:
/// compiling it a second time would take longer than all the tests.
pub fn frontend_image() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let context = tempfile::tempdir().expect("a temporary folder");
        let program = Path::new(env!("CARGO_BIN_EXE_solvekit"));
        let stripped = context.path().join("solvekit");
        output(Command::new("strip").arg("-o").arg(&stripped).arg(program));
        let libraries = output(Command::new("ldd").arg(program));
        for library in libraries
            .split_whitespace()
            .filter(|word| word.starts_with('/'))
        {
            let place = context.path().join(library.trim_start_matches('/'));
            fs::create_dir_all(place.parent().expect("a folder")).expect("the folder can be made");
            fs::copy(library, place).expect("the library can be copied");
        }
        let recipe = fixture("../../frontend/Dockerfile");
        let text = fs::read_to_string(recipe).expect("the Dockerfile is there");
        let text = text.replace("COPY solvekit /solvekit", "COPY . /");
        fs::write(context.path().join("Dockerfile"), text).expect("it can be written");
        let name = format!("{}/test/frontend:{}", Engine::get().registry, unique());
        Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path())).succeeded();
        name
    })
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("strip and ldd are there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
