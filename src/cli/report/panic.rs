//! Panics of the command. In release builds they end the process, so no library error reports them.

use std::io::{self, Write as _};

/// Adds to the message of a panic that it is a bug.
pub(crate) fn call_panics_bugs() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        // Nothing can be done if stderr is gone.
        let _ = writeln!(io::stderr(), "ERROR: {BUG}");
    }));
}

const BUG: &str = concat!(
    "this is a bug in solvekit; please report the lines above: ",
    env!("CARGO_PKG_REPOSITORY"),
    "/issues"
);

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const CHILD: &str = "SOLVEKIT_TEST_PANIC";

    /// Run by the other test in a process of its own.
    #[test]
    fn child() {
        if std::env::var_os(CHILD).is_some() {
            call_panics_bugs();
            panic!("on purpose");
        }
    }

    #[test]
    fn a_panic_is_called_a_bug() {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "cli::report::panic::tests::child", "--nocapture"]);
        let output = child.env(CHILD, "1").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("on purpose\n"), "{text}");
        assert!(text.contains(BUG), "{text}");
        assert!(!output.status.success());
    }
}
