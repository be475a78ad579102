//! Containers on results, and debugged builds, on the real daemon.

use std::sync::{Arc, Mutex};

use solvekit::client::{Client, ConnectOptions};
use solvekit::debug::{self, Action, Debugger, Pause, Reason, Start, Step};
use solvekit::frontend::{Hook, HookError, PlatformGraph, Solving};
use solvekit::gateway::{
    self, BuildResult, Container, ContainerMount, ContainerRequest, ProcessRequest, Ref,
    SolveOptions,
};
use solvekit::llb::{self, Constraints, MarshalOptions, ResolveMode};
use solvekit::oci::Platform;
use solvekit::pipeline::{self, BuildRequest, Environment};

use super::build::Build;
use super::daemon;

const BUSYBOX: &str = "docker.io/library/busybox:latest";

/// The output of a process by stream, and its exit code.
async fn output(container: &Container, request: &ProcessRequest) -> (String, String, i32) {
    let mut process = container.start(request).await.unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(output) = process.next().await.unwrap() {
        match output.is_error {
            true => err.extend(output.data),
            false => out.extend(output.data),
        }
    }
    let code = process.exit().unwrap().code;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err), code)
}

fn shell(script: &str) -> ProcessRequest {
    ProcessRequest::new(["/bin/sh", "-c", script])
}

#[tokio::test]
async fn processes_run_on_a_result() {
    let Some(build) = Build::new().await else {
        return;
    };
    let outcome = build.run(async |bridge| {
        let base = llb::image(BUSYBOX, ResolveMode::Default, Constraints::new());
        let base = base.marshal(&MarshalOptions::default()).unwrap();
        let base = bridge.solve(&base, &SolveOptions::default()).await.unwrap();
        let mut request = ContainerRequest::on(&base);
        request.mounts.push(ContainerMount::tmpfs("/memory", 0));
        let container = bridge.container(&request).await.unwrap();
        let mut main = shell("cat");
        main.input = true;
        // The container lives until its first process ends.
        let mut main = container.start(&main).await.unwrap();

        let mut speaking = shell("echo $WORD; pwd; id -u; echo bad >&2; exit 7");
        speaking.env = vec!["WORD=said".to_owned(), "PATH=/bin".to_owned()];
        speaking.cwd = "/memory".to_owned();
        speaking.user = "12".to_owned();

        let mut terminal = shell("stty size; read line; stty size; echo $line");
        (terminal.terminal, terminal.input) = (true, true);
        let mut terminal = container.start(&terminal).await.unwrap();
        let input = terminal.input();
        input.resize(91, 17).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        input.write(b"typed\n").await.unwrap();
        let mut screen = String::new();
        while let Some(output) = terminal.next().await.unwrap() {
            screen.push_str(&String::from_utf8_lossy(&output.data));
        }
        let (first, typed) = (screen.contains("17 91"), screen.contains("typed"));
        assert!(first && typed, "{screen:?} {:?}", terminal.exit());

        main.input().write(b"in and out").await.unwrap();
        main.input().close().await.unwrap();
        assert_eq!(main.next().await.unwrap().unwrap().data, "in and out");
        assert_eq!(main.wait().await.unwrap().code, 0);
        container.release().await.unwrap();

        let container = bridge
            .container(&ContainerRequest::on(&base))
            .await
            .unwrap();
        let missing = container
            .start(&ProcessRequest::new(["/no/such"]))
            .await
            .unwrap();
        let missing = missing.wait().await.unwrap();
        assert_ne!(missing.code, 0, "{missing:?}");
        container.release().await.unwrap();
        bridge.return_result(&BuildResult::default()).await.unwrap();
    });
    outcome.await.solved.unwrap();
}

/// Records each pause, and the output of a shell there.
#[derive(Debug, Default)]
struct Notes {
    steps: bool,
    breaks_at_line: u32,
    script: &'static str,
    seen: Mutex<Vec<String>>,
}

impl Notes {
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl Debugger for Notes {
    async fn started(&self, _: &debug::Program) -> Start {
        match self.steps {
            true => Start::Entry,
            false => Start::Run,
        }
    }

    fn breaks_at(&self, step: &Step) -> bool {
        let place = step.frame.place.as_ref();
        place.is_some_and(|place| place.range.start.line as u32 == self.breaks_at_line)
    }

    fn pauses_at_end(&self) -> bool {
        self.steps
    }

    async fn paused(&self, pause: &Pause<'_>) -> Action {
        let reason = match pause.reason {
            Reason::Failure(_) => "failed",
            Reason::End => "end",
            Reason::Breakpoint => "break",
            _ => "step",
        };
        let line = pause
            .frames
            .first()
            .and_then(|step| step.frame.place.as_ref());
        let line = line.map(|place| place.range.start.line.to_string());
        let mut note = format!("{reason} {}", line.unwrap_or_default());
        if let (false, Some(container)) = (self.script.is_empty(), pause.container().await.unwrap())
        {
            let process = pause.process(["/bin/sh", "-c", self.script]);
            let (out, err, code) = output(&container, &process).await;
            note.push_str(&format!(" {code} {}{err}", out.trim()));
            container.release().await.unwrap();
        }
        self.seen.lock().unwrap().push(note);
        match self.steps {
            true => Action::StepIn,
            false => Action::Continue,
        }
    }
}

#[tonic::async_trait]
impl Hook for Notes {
    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        debug::run(solving, self).await
    }
}

/// Builds a Dockerfile with a hook that debugs it.
async fn debugged(dockerfile: &str, notes: &Arc<Notes>) -> Option<Result<(), pipeline::Error>> {
    let client = Client::connect(&ConnectOptions::new(daemon()?))
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    std::fs::write(folder.path().join("file"), "content").unwrap();
    let request = BuildRequest::new(folder.path().to_str().unwrap());
    let mut environment = Environment::default();
    environment.hook = Some(Arc::clone(notes) as Arc<dyn Hook>);
    Some(pipeline::run(&client, request, environment).await.map(drop))
}

#[tokio::test]
async fn a_failed_process_leaves_its_files_variables_and_user() {
    let notes = Arc::new(Notes {
        script: "echo $WORD $(id -u) $(pwd) $(cat /work/left) $(ls /cache)",
        ..Notes::default()
    });
    let word = unique();
    let text = format!(
        "FROM {BUSYBOX}\nENV WORD=said{word}\nUSER 12\nWORKDIR /work\nUSER 0\nRUN chmod 777 .\n\
         USER 12\nRUN --mount=type=tmpfs,target=/cache echo half >left; false\n"
    );
    let Some(built) = debugged(&text, &notes).await else {
        return;
    };
    let error = built.unwrap_err().to_string();
    assert!(error.contains("exit code: 1"), "{error}");
    assert_eq!(
        notes.seen(),
        [format!("failed 8 0 said{word} 12 /work half")]
    );
}

#[tokio::test]
async fn a_build_can_be_stepped_through_and_paused_at_a_line() {
    let word = unique();
    let text = format!(
        "FROM {BUSYBOX} AS tool\nRUN echo {word} >/tool\nFROM {BUSYBOX}\nENV A=b\n\
         COPY file /file\nCOPY --from=tool /tool /tool\nRUN cat /tool /file >/both\n"
    );
    let notes = Arc::new(Notes {
        steps: true,
        script: "ls / | grep -E '^(file|tool|both)$' | xargs echo",
        ..Notes::default()
    });
    let Some(built) = debugged(&text, &notes).await else {
        return;
    };
    built.unwrap();
    let expected = [
        "step 3",
        "step 5 0",
        "step 6 0 file",
        "step 2 0",
        "step 2 0 tool",
        "step 6 0 file",
        "step 7 0 file tool",
        "step 7 0 both file tool",
        "end  0 both file tool",
    ];
    let seen: Vec<String> = notes
        .seen()
        .iter()
        .map(|note| note.trim().to_owned())
        .collect();
    assert_eq!(seen, expected);

    let notes = Arc::new(Notes {
        breaks_at_line: 6,
        ..Notes::default()
    });
    debugged(&text, &notes).await.unwrap().unwrap();
    assert_eq!(notes.seen(), ["break 6"]);
}

#[tokio::test]
async fn a_step_without_a_process_fails_with_the_files_before_it() {
    let notes = Arc::new(Notes {
        script: "cat /before",
        ..Notes::default()
    });
    let word = unique();
    let text =
        format!("FROM {BUSYBOX}\nRUN echo {word} >/before\nCOPY --from={BUSYBOX} /no/such /\n");
    let Some(built) = debugged(&text, &notes).await else {
        return;
    };
    built.unwrap_err();
    assert_eq!(notes.seen(), [format!("failed 3 0 {word}")]);
}

/// A hook that changes the build.
#[derive(Debug)]
struct Change;

#[tonic::async_trait]
impl Hook for Change {
    async fn graph(&self, graph: PlatformGraph<'_>) -> Result<(), HookError> {
        if graph.platform.architecture == "arm64" {
            return Err("no arm64 here".into());
        }
        let base = llb::State::from_definition(graph.definition)?;
        let file = llb::File::new().make_file("/added", 0o644, "by the hook");
        let added = base.file(file, Constraints::new().named("add a file"));
        *graph.definition = added.marshal(&MarshalOptions::default())?;
        graph
            .image
            .config
            .labels
            .insert("hooked".into(), "yes".into());
        Ok(())
    }
}

#[tokio::test]
async fn a_hook_changes_the_graph_and_the_image_of_each_platform() {
    let Some(daemon) = daemon() else {
        return;
    };
    let client = Client::connect(&ConnectOptions::new(daemon)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("Dockerfile"),
        "FROM scratch\nCOPY Dockerfile /\n",
    )
    .unwrap();
    let out = folder.path().join("out");
    let build = async |platform: &str| {
        let mut request = BuildRequest::new(folder.path().to_str().unwrap());
        request.platforms = vec![Platform::parse(platform).unwrap()];
        let output = format!("type=local,dest={}", out.display());
        request.outputs = vec![output.parse().unwrap()];
        let mut environment = Environment::default();
        environment.hook = Some(Arc::new(Change));
        pipeline::run(&client, request, environment).await
    };
    build("linux/amd64").await.unwrap();
    assert_eq!(
        std::fs::read_to_string(out.join("added")).unwrap(),
        "by the hook"
    );
    let error = build("linux/arm64").await.unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "the graph of linux/arm64 is refused");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "no arm64 here");
}

/// A word that is unique to this run, so that nothing is cached.
fn unique() -> String {
    solvekit::session::new_id().unwrap()
}
