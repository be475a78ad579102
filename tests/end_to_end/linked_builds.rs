//! Several builds at once through the library: linked graphs, shared folders, one gate before the
//! exports.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use solvekit::client::{Address, CacheRecord, Client, ConnectOptions, PruneOptions};
use solvekit::frontend::{Hook, Solving};
use solvekit::gateway::{self, Ref};
use solvekit::oci::{Platform, Reference};
use solvekit::pipeline::{self, BuildRequest, Environment, NamedContext, Output, Prepared};
use solvekit::registry::{self, ClientOptions, Credentials};
use solvekit::session::Secrets;
use solvekit::spread::{Ended, Joint, Node, Nodes, Target};

use crate::support::{Engine, Pushed, folder_of, prune_alone, unique};

async fn client() -> Client {
    let address = Address::parse(&Engine::get().host).unwrap();
    Client::connect(&ConnectOptions::new(address))
        .await
        .unwrap()
}

fn request(folder: &Path, dockerfile: &str) -> BuildRequest {
    let mut request = BuildRequest::new(folder);
    request.dockerfile = Some(folder.join(dockerfile).into());
    request
}

fn pushed_as(mut request: BuildRequest, name: &str) -> BuildRequest {
    request.tags = vec![Reference::parse(name).unwrap().with_default_tag()];
    request.outputs = vec![Output::push()];
    request.platforms = ["linux/amd64", "linux/386"]
        .map(|text| Platform::parse(text).unwrap())
        .to_vec();
    request
}

fn word_of(name: &str) -> String {
    let pushed = Pushed::fetch(&format!("{name}:latest"));
    pushed.file("linux/amd64", "/word")
}

async fn prepare(request: BuildRequest) -> Arc<Prepared> {
    Arc::new(pipeline::prepare(request).await.unwrap())
}

async fn build_all(targets: Vec<(&str, Arc<Prepared>)>) -> (Vec<(String, Ended)>, Environment) {
    build_with(targets, Joint::default(), Environment::default()).await
}

async fn build_with(
    targets: Vec<(&str, Arc<Prepared>)>,
    joint: Joint,
    environment: Environment,
) -> (Vec<(String, Ended)>, Environment) {
    let nodes = Nodes::one(Node {
        name: "only".to_owned(),
        client: client().await,
        platforms: Vec::new(),
    });
    let targets = targets.into_iter().map(|(name, prepared)| Target {
        name: name.to_owned(),
        plan: nodes.plan(&prepared, Vec::new()).unwrap(),
        prepared,
    });
    let registries =
        registry::Client::new(Arc::new(Credentials::default()), ClientOptions::default());
    let targets = targets.collect();
    let ended = nodes.build_all(targets, &joint, &registries, environment.clone());
    (ended.await, environment)
}

/// Builds `base.Dockerfile`, which has the secret `s`, and pushes `app.Dockerfile`, which uses it.
async fn build_app_on_base_with_secret(folder: &Path, name: &str) {
    let mut base = request(folder, "base.Dockerfile");
    base.secrets = Secrets::new().with_value("s", "hidden").unwrap();
    let base = prepare(base).await;
    let mut app = pushed_as(request(folder, "app.Dockerfile"), name);
    app.contexts
        .insert("base".to_owned(), NamedContext::Build(Arc::clone(&base)));
    let app = prepare(app).await;
    let (ended, _) = build_all(vec![("base", base), ("app", app)]).await;
    assert!(
        ended.iter().all(|(_, end)| matches!(end, Ended::Built(_))),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_can_be_the_result_of_another_build() {
    let word = unique();
    let folder = folder_of(&[
        (
            "base.Dockerfile",
            "FROM alpine\nCOPY data /data\nENV FROM_BASE=yes\nRUN cat /data > /copy\n",
        ),
        (
            "app.Dockerfile",
            "FROM base\nRUN echo $FROM_BASE $(cat /copy) > /word\n",
        ),
        ("data", &word),
    ]);
    let name = Engine::get().name("linked");
    let base = prepare(request(folder.path(), "base.Dockerfile")).await;
    let mut app = pushed_as(request(folder.path(), "app.Dockerfile"), &name);
    app.contexts
        .insert("base".to_owned(), NamedContext::Build(base));
    let outcome = prepare(app)
        .await
        .run(&client().await, Environment::default())
        .await
        .unwrap();
    assert!(outcome.digest().is_some());
    assert_eq!(word_of(&name), format!("yes {word}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_that_run_together_send_their_folder_once() {
    let words = [unique(), unique()];
    let folder = folder_of(&[
        (
            "base.Dockerfile",
            &format!("FROM alpine\nCOPY big /\nRUN echo {}\n", words[0]),
        ),
        (
            "app.Dockerfile",
            &format!(
                "FROM base\nCOPY big /again\nRUN echo {} > /word\n",
                words[1]
            ),
        ),
    ]);
    std::fs::write(folder.path().join("big"), words[0].repeat(100_000)).unwrap();
    let size = folder.path().join("big").metadata().unwrap().len();
    let names = [Engine::get().name("base"), Engine::get().name("app")];
    let base = prepare(pushed_as(
        request(folder.path(), "base.Dockerfile"),
        &names[0],
    ))
    .await;
    let mut app = pushed_as(request(folder.path(), "app.Dockerfile"), &names[1]);
    app.contexts
        .insert("base".to_owned(), NamedContext::Build(Arc::clone(&base)));
    let app = prepare(app).await;
    let (ended, environment) = build_all(vec![("base", base), ("app", app)]).await;
    for (target, end) in &ended {
        assert!(matches!(end, Ended::Built(_)), "{target}: {end:?}");
    }
    assert_eq!(word_of(&names[1]), format!("{}\n", words[1]));
    let sent = environment.sent.bytes();
    assert!(
        (size..size + size / 2).contains(&sent),
        "{sent} of {size} bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_exported_when_one_of_several_fails() {
    let folder = folder_of(&[
        (
            "good.Dockerfile",
            &format!("FROM alpine\nRUN echo {}\n", unique()),
        ),
        (
            "bad.Dockerfile",
            &format!("FROM alpine\nRUN sleep 2; echo {}; exit 7\n", unique()),
        ),
    ]);
    let name = Engine::get().name("together");
    let good = prepare(pushed_as(request(folder.path(), "good.Dockerfile"), &name)).await;
    let bad = prepare(request(folder.path(), "bad.Dockerfile")).await;
    let (ended, _) = build_all(vec![("good", good), ("bad", bad)]).await;
    assert!(
        matches!(&ended[0].1, Ended::NotExported | Ended::Cancelled),
        "{ended:?}"
    );
    assert!(
        matches!(&ended[1].1, Ended::Failed(error) if error.to_string().contains("exit code: 7")),
        "{ended:?}"
    );
    let names = Reference::parse(&name).unwrap().with_default_tag();
    let registries =
        registry::Client::new(Arc::new(Credentials::default()), ClientOptions::default());
    assert!(registries.manifest(&names).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_served_to_the_build_that_was_given_it() {
    let word = unique();
    let folder = folder_of(&[
        (
            "base.Dockerfile",
            &format!(
                "FROM alpine\nRUN --mount=type=secret,id=s,required sleep 1; echo {word} $(cat \
                 /run/secrets/s) > /s\n"
            ),
        ),
        (
            "app.Dockerfile",
            "FROM base\nRUN --mount=type=secret,id=s test ! -e /run/secrets/s && cp /s /word\n",
        ),
    ]);
    let name = Engine::get().name("secret");
    build_app_on_base_with_secret(folder.path(), &name).await;
    assert_eq!(word_of(&name), format!("{word} hidden\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_of_a_base_image_gets_no_secret_of_a_linked_build() {
    let word = unique();
    let folder = folder_of(&[
        (
            "trigger.Dockerfile",
            &format!(
                "FROM alpine\nONBUILD RUN --mount=type=secret,id=s cp /run/secrets/s /word || echo \
                 {word} > /word\n"
            ),
        ),
        (
            "base.Dockerfile",
            "FROM alpine\nRUN --mount=type=secret,id=s,required cat /run/secrets/s > /s\n",
        ),
    ]);
    let trigger = Engine::get().name("trigger");
    let pushed = pushed_as(request(folder.path(), "trigger.Dockerfile"), &trigger);
    let (ended, _) = build_all(vec![("trigger", prepare(pushed).await)]).await;
    assert!(matches!(ended[0].1, Ended::Built(_)), "{ended:?}");

    let text = format!("FROM {trigger}\nCOPY --from=base /s /s\n");
    std::fs::write(folder.path().join("app.Dockerfile"), text).unwrap();
    let name = Engine::get().name("triggered");
    build_app_on_base_with_secret(folder.path(), &name).await;
    assert_eq!(word_of(&name), format!("{word}\n"));
}

/// Removes the cached steps that contain a word, before a target is solved.
#[derive(Debug)]
struct Emptying {
    client: Client,
    word: String,
    before: &'static str,
    is_done: AtomicBool,
}

#[tonic::async_trait]
impl Hook for Emptying {
    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        let mut options = PruneOptions {
            all: true,
            ..PruneOptions::default()
        };
        let until = Instant::now() + Duration::from_secs(60);
        let described = [format!("description~={}", self.word)];
        // The other target holds its records until it is exported.
        while solving.target == Some(self.before) && Instant::now() < until {
            // Older daemons know no descriptions when they prune.
            let found = self.client.disk_usage(&described, Duration::ZERO);
            let found = found.await.unwrap().into_iter();
            options.filters = found.map(|record| format!("id=={}", record.id)).collect();
            if options.filters.is_empty() {
                break;
            }
            let removed = self.client.prune(&options).await.unwrap();
            let removed: Vec<CacheRecord> = removed.try_collect().await.unwrap();
            if !removed.is_empty() {
                self.is_done.store(true, Ordering::Relaxed);
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        solving.solve().await
    }
}

#[test]
fn a_linked_build_has_its_secret_after_the_cache_was_emptied() {
    let _alone = prune_alone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let word = unique();
        let folder = folder_of(&[
            (
                "base.Dockerfile",
                &format!(
                    "FROM alpine\nRUN --mount=type=secret,id=s,required echo {word} $(cat \
                     /run/secrets/s) > /s\n"
                ),
            ),
            ("app.Dockerfile", "FROM base\nRUN cp /s /word\n"),
        ]);
        let name = Engine::get().name("emptied");
        let mut base = request(folder.path(), "base.Dockerfile");
        base.secrets = Secrets::new().with_value("s", "hidden").unwrap();
        base.platforms = vec![Platform::parse("linux/amd64").unwrap()];
        let base = prepare(base).await;
        let mut app = pushed_as(request(folder.path(), "app.Dockerfile"), &name);
        app.platforms.truncate(1);
        app.contexts
            .insert("base".to_owned(), NamedContext::Build(Arc::clone(&base)));
        let app = prepare(app).await;
        let emptying = Arc::new(Emptying {
            client: client().await,
            word: word.clone(),
            before: "app",
            is_done: AtomicBool::new(false),
        });
        let mut environment = Environment::default();
        environment.hook = Some(emptying.clone());
        let mut joint = Joint::default();
        joint.export_as_ready = true;
        let targets = vec![("base", base), ("app", app)];
        let (ended, _) = build_with(targets, joint, environment).await;
        assert!(
            emptying.is_done.load(Ordering::Relaxed),
            "nothing was removed"
        );
        assert!(
            ended.iter().all(|(_, end)| matches!(end, Ended::Built(_))),
            "{ended:?}"
        );
        assert_eq!(word_of(&name), format!("{word} hidden\n"));
    });
}
