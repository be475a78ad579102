//! Runs a command at a terminal, with util-linux's `script`, and types there.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long to wait for a text or the end.
const LIMIT: Duration = Duration::from_secs(60);

/// A command at a terminal of its own.
pub struct OnTerminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl OnTerminal {
    /// Starts a command with its arguments, folder and variables.
    pub fn start(command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words = words.map(|word| quoted(word.to_str().expect("UTF-8")));
        let line = words.collect::<Vec<_>>().join(" ");
        let mut script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            script.current_dir(folder);
        }
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().expect("util-linux is there");
        let keyboard = child.stdin.take().expect("piped");
        let mut output = child.stdout.take().expect("piped");
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..read]);
                shown.lock().expect("no reader panics").push_str(&text);
            }
        });
        Self {
            child,
            keyboard,
            screen,
            reader,
        }
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let screen = self.screen.lock().expect("no reader panics").clone();
            if screen.contains(text) {
                return;
            }
            let ended = self.child.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "it ended before {text:?}:\n{screen}");
            assert!(Instant::now() < deadline, "{text:?} never came:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types a text; `\x03` is Ctrl-C.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("it reads");
    }

    /// Waits for the end; returns the exit code and everything that was on the screen.
    #[track_caller]
    pub fn wait(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("it hangs:\n{}", self.screen.lock().expect("no panic"));
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        drop(self.keyboard);
        self.reader.join().expect("the reader ends");
        let screen = self.screen.lock().expect("no reader panics").clone();
        (status.code(), screen)
    }
}

/// Quotes a word for a POSIX shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
