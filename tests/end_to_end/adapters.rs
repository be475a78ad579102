//! `solvekit dap build` with a test client of the Debug Adapter Protocol as the editor.

use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Engine, solvekit, unique};

/// How long to wait for a message or the end.
const LIMIT: Duration = Duration::from_secs(60);

struct Editor {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    /// Messages that were read ahead.
    seen: Vec<Value>,
    sequence: i64,
}

impl Editor {
    fn start(arguments: &[&str]) -> Self {
        let mut command = solvekit(["--addr", &Engine::get().host, "dap", "build"]);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, from) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            to: child.stdin.take(),
            child,
            from,
            seen: Vec::new(),
            sequence: 0,
        }
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let text = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let to = self.to.as_mut().expect("it is open");
        to.write_all(text.as_bytes()).expect("it reads");
    }

    /// Waits for the first matching message among those that were not taken yet.
    #[track_caller]
    fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(at) = self.seen.iter().position(&fits) {
                return self.seen.remove(at);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.from.recv_timeout(left) {
                Ok(message) => self.seen.push(message),
                Err(error) => panic!("no {what} ({error}) in {:#?}", self.seen),
            }
        }
    }

    #[track_caller]
    fn event(&mut self, name: &str) -> Value {
        let event = self.until(name, |it| it["type"] == "event" && it["event"] == name);
        event["body"].clone()
    }

    /// Sends a request, and returns the response.
    #[track_caller]
    fn ask(&mut self, command: &str, arguments: Value) -> Value {
        self.sequence += 1;
        let sequence = self.sequence;
        let request = json!({
            "seq": sequence, "type": "request", "command": command, "arguments": arguments,
        });
        self.send(&request);
        let is_answer = move |it: &Value| it["type"] == "response" && it["request_seq"] == sequence;
        self.until(command, is_answer)
    }

    /// Sends a request that must succeed, and returns the response's body.
    #[track_caller]
    fn body(&mut self, command: &str, arguments: Value) -> Value {
        let answer = self.ask(command, arguments);
        assert_eq!(answer["success"], true, "{answer:#}");
        answer["body"].clone()
    }

    /// Starts the session, as every test does.
    fn launch(&mut self, folder: &Path, breakpoints: &[u32], stop_on_entry: bool) {
        let able = json!({"adapterID": "test", "supportsRunInTerminalRequest": true});
        let able = self.body("initialize", able);
        assert_eq!(able["supportsConfigurationDoneRequest"], true);
        self.body(
            "launch",
            json!({"contextPath": folder, "stopOnEntry": stop_on_entry}),
        );
        self.event("initialized");
        let lines: Vec<Value> = breakpoints
            .iter()
            .map(|line| json!({"line": line}))
            .collect();
        let path = folder.join("Dockerfile");
        let set = json!({"source": {"path": path}, "breakpoints": lines});
        let set = self.body("setBreakpoints", set);
        assert_eq!(
            set["breakpoints"].as_array().map(Vec::len),
            Some(lines.len())
        );
        self.body("configurationDone", json!({}));
    }

    /// The current line of a thread.
    #[track_caller]
    fn line(&mut self, thread: &Value) -> i64 {
        let stack = self.body("stackTrace", json!({"threadId": thread}));
        stack["stackFrames"][0]["line"].as_i64().expect("a line")
    }

    #[track_caller]
    fn go(&mut self, command: &str, thread: &Value) -> Value {
        self.body(command, json!({"threadId": thread}));
        self.event("stopped")
    }

    /// The variables of a reference.
    #[track_caller]
    fn variables(&mut self, reference: &Value) -> Vec<Value> {
        let found = self.body("variables", json!({"variablesReference": reference}));
        found["variables"].as_array().cloned().expect("a list")
    }

    #[track_caller]
    fn variable(&mut self, reference: &Value, name: &str) -> Value {
        let all = self.variables(reference);
        let found = all.iter().find(|it| it["name"] == name);
        found
            .cloned()
            .unwrap_or_else(|| panic!("no {name} in {all:#?}"))
    }

    /// Waits for the adapter to exit by itself, and returns its exit code.
    #[track_caller]
    fn wait(mut self) -> Option<i32> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("it hangs");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Reads a message; `None` at the end.
fn read(from: &mut impl std::io::BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok()?,
            _ => break,
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn context(dockerfile: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    write("Dockerfile", dockerfile);
    write("file", "of the context\n");
    folder
}

#[test]
fn an_editor_stops_at_a_breakpoint_looks_around_and_steps() {
    let word = unique();
    let text = format!(
        "FROM busybox AS tool\nRUN echo {word} >/tool\nFROM busybox\nENV A=b\nCOPY file /data/\n\
         COPY --from=tool /tool /tool\nRUN cat /tool >/made\n"
    );
    let folder = context(&text);
    let mut editor = Editor::start(&[]);
    editor.launch(folder.path(), &[6, 4], false);
    let stopped = editor.event("stopped");
    assert_eq!(stopped["reason"], "breakpoint");
    assert_eq!(stopped["hitBreakpointIds"], json!([1]));
    let thread = stopped["threadId"].clone();
    let threads = editor.body("threads", json!({}));
    assert_eq!(threads["threads"][0]["id"], thread);
    let verified = editor.until("a verified breakpoint", |it| {
        it["event"] == "breakpoint" && it["body"]["breakpoint"]["verified"] == true
    });
    assert_eq!(verified["body"]["breakpoint"]["line"], 6);
    let failed = editor.until("a failed breakpoint", |it| {
        it["event"] == "breakpoint" && it["body"]["breakpoint"]["reason"] == "failed"
    });
    assert_eq!(failed["body"]["breakpoint"]["line"], 4);
    let path = folder.path().join("Dockerfile");
    assert_eq!(editor.event("loadedSource")["source"]["path"], json!(path));
    let source = editor.body("source", json!({"source": {"path": path}}));
    assert_eq!(source["content"], text);

    // Into the other stage, and out of it again.
    editor.go("stepIn", &thread);
    assert_eq!(editor.line(&thread), 2);
    let stack = editor.body("stackTrace", json!({"threadId": thread}));
    let lines = stack["stackFrames"].as_array().expect("frames").iter();
    assert_eq!(
        lines.map(|it| it["line"].clone()).collect::<Vec<_>>(),
        [2, 6]
    );
    editor.go("stepOut", &thread);
    assert_eq!(editor.line(&thread), 6);
    editor.go("next", &thread);
    assert_eq!(editor.line(&thread), 7);

    let stack = editor.body("stackTrace", json!({"threadId": thread}));
    let frame = &stack["stackFrames"][0];
    assert_eq!(frame["source"]["path"], json!(path));
    let scopes = editor.body("scopes", json!({"frameId": frame["id"]}));
    assert_eq!(scopes["scopes"][0]["name"], "Arguments");
    let arguments = scopes["scopes"][0]["variablesReference"].clone();
    let exec = editor.variable(&arguments, "exec");
    assert_eq!(exec["value"], "/bin/sh -c cat /tool >/made");
    let env = editor.variable(&exec["variablesReference"], "env");
    assert_eq!(
        editor.variable(&env["variablesReference"], "A")["value"],
        "b"
    );
    assert_eq!(scopes["scopes"][1]["name"], "File Explorer");
    let explorer = scopes["scopes"][1]["variablesReference"].clone();
    let root = editor.variable(&explorer, "/");
    let data = editor.variable(&root["variablesReference"], "data/");
    let file = editor.variable(&data["variablesReference"], "file");
    let content = editor.variable(&file["variablesReference"], "data");
    assert_eq!(content["value"], "of the context\n");

    let repl = |expression: &str| json!({"context": "repl", "expression": expression});
    let printed = editor.body("evaluate", repl("exec sh -c 'cat /tool; echo $A'"));
    assert_eq!(printed["result"], format!("{word}\nb\n"));
    let unknown = editor.ask("evaluate", repl("nonsense"));
    assert_eq!(unknown["success"], false);

    editor.body("continue", json!({"threadId": thread}));
    editor.event("terminated");
    assert_eq!(editor.event("exited")["exitCode"], 0);
    assert_eq!(editor.wait(), Some(0));
}

#[test]
fn a_failure_is_an_exception_with_a_terminal_in_its_container() {
    let word = unique();
    let text = format!("FROM busybox\nRUN echo {word} >/left; false\n");
    let folder = context(&text);
    let mut editor = Editor::start(&[]);
    editor.launch(folder.path(), &[], true);
    let stopped = editor.event("stopped");
    assert_eq!(stopped["reason"], "step");
    let thread = stopped["threadId"].clone();
    let stopped = editor.go("continue", &thread);
    assert_eq!(stopped["reason"], "exception", "{stopped}");
    let printed = stopped["text"].as_str().unwrap_or_default();
    assert!(printed.contains("exit code: 1"), "{stopped}");
    assert_eq!(editor.line(&thread), 2);

    editor.sequence += 1;
    let exec = json!({
        "seq": editor.sequence, "type": "request", "command": "evaluate",
        "arguments": {"context": "repl", "expression": "exec"},
    });
    editor.send(&exec);
    let request = editor.until("runInTerminal", |it| it["command"] == "runInTerminal");
    let words = request["arguments"]["args"].as_array().expect("arguments");
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let mut terminal = Command::new(words[0]);
    terminal
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut terminal = terminal.spawn().expect("it starts");
    editor.send(&json!({
        "seq": 90, "type": "response", "request_seq": request["seq"], "success": true,
        "command": "runInTerminal", "body": {},
    }));
    let mut keyboard = terminal.stdin.take().expect("piped");
    keyboard.write_all(b"cat /left\nexit\n").expect("it reads");
    let mut screen = String::new();
    let mut stdout = terminal.stdout.take().expect("piped");
    stdout.read_to_string(&mut screen).expect("text");
    assert!(screen.contains(&word), "{screen:?}");
    drop(keyboard);
    terminal.wait().expect("it ends");

    editor.body("disconnect", json!({}));
    assert_eq!(editor.wait(), Some(130));
}

#[test]
fn the_editor_learns_why_a_build_cannot_begin() {
    let folder = context("FROM busybox\nNONSENSE\n");
    let mut editor = Editor::start(&[]);
    editor.launch(folder.path(), &[], false);
    let printed = editor.until("the error", |it| {
        it["event"] == "output" && it["body"]["category"] == "stderr"
    });
    let text = printed["body"]["output"].as_str().unwrap_or_default();
    assert!(text.starts_with("ERROR: "), "{text}");
    assert!(text.contains("unknown instruction \"NONSENSE\""), "{text}");
    assert_eq!(editor.event("exited")["exitCode"], 1);
    assert_eq!(editor.wait(), Some(1));
}

#[test]
fn clients_that_break_off_or_send_garbage_end_the_build() {
    // The command is unique: a step that once completed would be cached.
    let folder = context(&format!("FROM busybox\nRUN : {}; sleep 1000\n", unique()));
    let mut early = Editor::start(&[]);
    early.to = None;
    assert_ne!(early.wait(), Some(0));

    let mut garbage = Editor::start(&[]);
    let to = garbage.to.as_mut().expect("it is open");
    to.write_all(b"Content-Length: x\r\n\r\n{}")
        .expect("it reads");
    let printed = garbage.event("output");
    assert!(
        printed["output"]
            .as_str()
            .unwrap_or_default()
            .contains("protocol"),
        "{printed}"
    );
    assert_ne!(garbage.wait(), Some(0));

    let mut during = Editor::start(&[]);
    let wrong = during.ask("configurationDone", json!({}));
    assert_eq!(wrong["success"], false);
    let unknown = during.ask("gotoTargets", json!({"x": [[[]]]}));
    assert_eq!(unknown["message"], "not implemented");
    during.launch(folder.path(), &[], false);
    let twice = during.ask("initialize", json!({}));
    assert_eq!(twice["success"], false);
    let nowhere = during.ask("scopes", json!({"frameId": -1}));
    assert_eq!(nowhere["success"], false);
    during.until("the step", |it| {
        let text = it["body"]["output"].as_str().unwrap_or_default();
        text.contains("RUN : ")
    });
    during.to = None;
    assert_ne!(during.wait(), Some(0));
}
