//! The built command with everything that it needs in a container.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Copies the command under test and its shared libraries to a folder that becomes an image's root.
pub fn add_program(root: &Path) {
    let program = Path::new(env!("CARGO_BIN_EXE_solvekit"));
    let stripped = root.join("solvekit");
    output(Command::new("strip").arg("-o").arg(&stripped).arg(program));
    let libraries = output(Command::new("ldd").arg(program));
    for library in libraries
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let place = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(place.parent().expect("a folder")).expect("the folder can be made");
        fs::copy(library, place).expect("the library can be copied");
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("strip and ldd are there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
