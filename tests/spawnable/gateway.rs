//! Calls during a build: the gateway and its containers, frontends, debuggers and policies.

use std::sync::Arc;

use solvekit::client::Client;
use solvekit::debug::{self, Debugger, Pause};
use solvekit::frontend::{self, Job, Question, Setting, Solving};
use solvekit::gateway::{
    Bridge, BuildResult, Container, ContainerRequest, Forward, FrontendEnvironment, ImageQuery,
    Process, ProcessInput, ProcessRequest, Ref, SolveOptions, SourceQuery, Warning,
};
use solvekit::llb::Definition;
use solvekit::oci::Platform;
use solvekit::policy::{self, Evaluator, Policy, Request, Source, TestCase};
use tokio::io::DuplexStream;

use super::spawnable;

#[test]
fn bridges() {
    spawnable(async |client: Client| Bridge::open(&client, "build").await);
    spawnable(async |stream: DuplexStream| Bridge::over(stream).await);
    spawnable(async |()| Bridge::stdio().await);
    spawnable(
        async |(bridge, graph, options): (Bridge, Definition, SolveOptions)| {
            bridge.solve(&graph, &options).await
        },
    );
    spawnable(
        async |(bridge, forward, options): (Bridge, Forward, SolveOptions)| {
            bridge.forward(&forward, &options).await
        },
    );
    spawnable(async |bridge: Bridge| bridge.inputs().await);
    spawnable(async |(bridge, result): (Bridge, Ref)| bridge.evaluate(&result).await);
    spawnable(async |(bridge, result): (Bridge, BuildResult)| bridge.return_result(&result).await);
    spawnable(
        async |(bridge, failure): (Bridge, solvekit::client::Failure)| {
            bridge.return_error(&failure).await
        },
    );
    spawnable(async |(bridge, warning): (Bridge, Warning<'static>)| bridge.warn(&warning).await);
}

#[test]
fn sources_and_files() {
    spawnable(async |(bridge, query): (Bridge, ImageQuery<'static>)| {
        bridge.resolve_image(&query).await
    });
    spawnable(async |(bridge, query): (Bridge, SourceQuery<'static>)| {
        bridge.resolve_source(&query).await
    });
    spawnable(async |(bridge, source, facts): (Bridge, Source, Request)| {
        bridge.source_facts(&source, None, &facts).await
    });
    spawnable(async |(bridge, of): (Bridge, Ref)| bridge.read_file(&of, "file", None).await);
    spawnable(async |(bridge, of): (Bridge, Ref)| bridge.read_dir(&of, "folder", "*").await);
    spawnable(async |(bridge, of): (Bridge, Ref)| bridge.stat_file(&of, "file").await);
}

#[test]
fn containers() {
    spawnable(async |(bridge, request): (Bridge, ContainerRequest)| {
        bridge.container(&request).await
    });
    spawnable(async |(container, request): (Container, ProcessRequest)| {
        container.start(&request).await
    });
    spawnable(async |container: Container| container.read_file(0, "file", None).await);
    spawnable(async |container: Container| container.read_dir(0, "folder").await);
    spawnable(async |container: Container| container.stat_file(0, "file").await);
    spawnable(async |container: Container| container.release().await);
    spawnable(async |mut process: Process| process.next().await);
    spawnable(async |process: Process| process.wait().await);
    spawnable(async |input: ProcessInput| input.write(b"text").await);
    spawnable(async |input: ProcessInput| input.close().await);
    spawnable(async |input: ProcessInput| input.resize(80, 24).await);
    spawnable(async |input: ProcessInput| input.signal("TERM").await);
}

#[test]
fn frontends() {
    spawnable(async |(job, bridge, setting): (Job, Bridge, Setting)| {
        job.run(&bridge, &setting).await
    });
    spawnable(
        async |(question, bridge, setting): (Question, Bridge, Setting)| {
            question.answer(&bridge, &setting).await
        },
    );
    spawnable(
        async |(bridge, environment): (Bridge, FrontendEnvironment)| {
            frontend::serve(&bridge, &environment).await
        },
    );
    spawnable(async |solving: Solving<'static>| solving.solve().await);
}

#[test]
fn debuggers() {
    spawnable(
        async |(solving, debugger): (Solving<'static>, Arc<dyn Debugger>)| {
            debug::run(solving, &*debugger).await
        },
    );
    spawnable(async |pause: Pause<'static>| pause.container().await);
    spawnable(async |pause: Pause<'static>| pause.initial_container().await);
}

#[test]
fn policies() {
    spawnable(
        async |(evaluator, bridge, source): (Evaluator, Bridge, Source)| {
            evaluator
                .decide(&bridge, source, &Platform::default())
                .await
        },
    );
    spawnable(
        async |(evaluator, case, policy): (Evaluator, TestCase, Policy)| {
            evaluator.test(&case, None, &policy).await
        },
    );
    spawnable(
        async |(bridge, source, fields): (Bridge, Source, Vec<String>)| {
            policy::print(&bridge, source, &Platform::default(), &fields).await
        },
    );
}
