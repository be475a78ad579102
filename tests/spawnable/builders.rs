//! Builders, emulators, build records and traces.

use solvekit::builder::{Boot, Instance};
use solvekit::bundle::{self, Bundle, Exported};
use solvekit::client::{Client, ConnectOptions, TimeLimits, Worker};
use solvekit::emulation::{self, Change, Trial};
use solvekit::oci::Reference;

use super::spawnable;

#[test]
fn builders() {
    spawnable(async |instance: Instance| instance.status().await);
    spawnable(async |(instance, boot): (Instance, Boot<'static>)| {
        instance.connect(TimeLimits::default(), &boot).await
    });
    spawnable(async |instance: Instance| instance.report(TimeLimits::default()).await);
    spawnable(async |instance: Instance| instance.stop().await);
    spawnable(async |instance: Instance| instance.remove(false).await);
}

#[test]
fn emulators() {
    spawnable(
        async |(options, image, change): (ConnectOptions, Reference, Change)| {
            emulation::install(&options, &image, &change, &Boot::default()).await
        },
    );
    spawnable(async |(client, workers): (Client, Vec<Worker>)| {
        emulation::machine_of(&client, &workers).await
    });
    spawnable(async |(trial, client): (Trial, Client)| trial.run(&client).await);
}

#[test]
fn bundles() {
    spawnable(async |records: Vec<Exported>| Bundle::of(&records).await);
    spawnable(async |bundle: Vec<u8>| bundle::upload("socket".as_ref(), bundle).await);
}

#[cfg(feature = "otel")]
#[test]
fn traces() {
    use solvekit::trace::Recorder;
    spawnable(async |recorder: Recorder| recorder.send().await);
    spawnable(async |recorder: Recorder| recorder.send_to_daemons().await);
}
