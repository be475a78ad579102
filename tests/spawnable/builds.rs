//! Builds on one node and on several, and what belongs to a build.

use std::collections::BTreeMap;
use std::convert::Infallible;

use futures_util::stream::BoxStream;
use solvekit::bake;
use solvekit::cache_mount::{self, CacheMount};
use solvekit::client::{Client, ConnectOptions};
use solvekit::frontend::Call;
use solvekit::oci::{Digest, Reference};
use solvekit::pipeline::{
    self, BuildRequest, Environment, GraphRequest, Inquiry, Prepared, RemoteRead,
};
use solvekit::progress::{Display, Event, Hold, Sink, Source, StatusUpdate, Updates, Writer};
use solvekit::registry::{self, ClientOptions, Credentials};
use solvekit::sign::Signer;
use solvekit::spread::{Joint, Node, Nodes, Plan, Publish, Target};
use solvekit::steps::{Step, Unseen};
use tokio_util::sync::CancellationToken;

use super::spawnable;

#[test]
fn pipeline() {
    spawnable(
        async |(options, request, environment): (ConnectOptions, BuildRequest, Environment)| {
            let client = Client::connect(&options)
                .await
                .map_err(pipeline::Error::from)?;
            pipeline::run(&client, request, environment).await
        },
    );
    spawnable(async |request: BuildRequest| pipeline::prepare(request).await);
    spawnable(
        async |(client, build, environment): (Client, Prepared, Environment)| {
            build.run(&client, environment).await
        },
    );
    spawnable(
        async |(client, build, environment): (Client, Prepared, Environment)| {
            build.dry_run(&client, environment).await
        },
    );
    spawnable(
        async |(client, graph, environment): (Client, GraphRequest, Environment)| {
            pipeline::solve(&client, graph, environment).await
        },
    );
    spawnable(async |(request, call): (BuildRequest, Call)| pipeline::inquire(request, call).await);
    spawnable(
        async |(client, inquiry, environment): (Client, Inquiry, Environment)| {
            inquiry.answer(&client, environment).await
        },
    );
    spawnable(
        async |(client, read, environment): (Client, RemoteRead, Environment)| {
            pipeline::read_remote_files(&client, read, &environment).await
        },
    );
    spawnable(async |(client, environment): (Client, Environment)| {
        pipeline::ask(&client, &environment, async |bridge| {
            Ok(bridge.inputs().await?)
        })
        .await
    });
}

#[test]
fn several_nodes() {
    spawnable(async |nodes: Vec<Node>| Nodes::survey(nodes).await);
    spawnable(async |(nodes, build, plan): (Nodes, Prepared, Plan)| {
        let (registries, environment) = (registries(), Environment::default());
        nodes.build(&build, plan, &registries, environment).await
    });
    spawnable(
        async |(nodes, build, plan, publish): (Nodes, Prepared, Plan, Publish)| {
            let (registries, environment) = (registries(), Environment::default());
            nodes
                .publish(&build, plan, &registries, environment, &publish)
                .await
        },
    );
    spawnable(
        async |(nodes, targets, joint): (Nodes, Vec<Target>, Joint)| {
            let (registries, environment) = (registries(), Environment::default());
            nodes
                .build_all(targets, &joint, &registries, environment)
                .await
        },
    );
}

#[test]
fn bake() {
    type Requests = BTreeMap<String, BuildRequest>;
    spawnable(async |(plan, requests): (bake::Plan, Requests)| {
        bake::prepare(&plan, requests).await
    });
    spawnable(async |(plan, requests): (bake::Plan, Requests)| {
        bake::linked_requests(&plan, requests).await
    });
}

#[test]
fn signatures() {
    spawnable(
        async |(signer, image, digest): (Signer, Reference, Digest)| {
            let step: Box<dyn Step> = Box::new(Unseen);
            signer.sign(&registries(), &image, &digest, &*step).await
        },
    );
}

#[test]
fn cache_mounts() {
    use cache_mount::{Destination, Input};
    spawnable(async |client: Client| cache_mount::list(&client).await);
    spawnable(async |(client, mount): (Client, CacheMount)| {
        cache_mount::remove(&client, &mount).await
    });
    spawnable(
        async |(client, mount, to): (Client, CacheMount, Destination)| {
            cache_mount::export(&client, &mount, to, &CancellationToken::new()).await
        },
    );
    spawnable(async |(client, mount, from): (Client, CacheMount, Input)| {
        cache_mount::import(&client, &mount, from, &CancellationToken::new()).await
    });
}

#[test]
fn progress() {
    type Update = Result<StatusUpdate, Infallible>;
    struct Events;
    impl Sink for Events {
        fn take(&mut self, _: &Event) {}
    }
    spawnable(async |mut updates: Updates| updates.recv().await);
    spawnable(async |updates: Updates| updates.into_sink(Events).await);
    spawnable(async |(display, updates): (Display<Vec<u8>>, Updates)| display.run(updates).await);
    spawnable(async |(source, update): (Source, StatusUpdate)| source.send(update).await);
    spawnable(
        async |(source, updates): (Source, BoxStream<'static, Update>)| {
            source.forward(updates).await
        },
    );
    spawnable(async |hold: Hold| hold.stop().await);
    spawnable(async |writer: Writer| {
        writer
            .track("wait", async { Ok::<_, std::fmt::Error>(()) })
            .await
    });
}

fn registries() -> registry::Client {
    registry::Client::new(Credentials::none().into(), ClientOptions::default())
}
