//! Registries, and images in them, in layouts and in archives.

use bytes::Bytes;
use solvekit::diff;
use solvekit::imagetools::{self, CreateRequest, Created, Inspection, Location};
use solvekit::layout::{Layout, Name};
use solvekit::manifest_list::{self, Entry};
use solvekit::oci::{Descriptor, Digest, Platform, Reference};
use solvekit::registry::{
    BlobSource, Client, Credential, Credentials, Images, Progress, TokenClient, TokenRequest,
};
use solvekit::steps::Unseen;
use solvekit::template::Template;
use solvekit::transfer::{self, ArchiveKind, Options, Pack, Place, Plan, Source};

use super::spawnable;

#[test]
fn manifests() {
    spawnable(async |(client, of): (Client, Reference)| client.manifest(&of).await);
    spawnable(async |(client, of): (Client, Reference)| client.head(&of).await);
    spawnable(async |(client, of): (Client, Reference)| client.tags(&of).await);
    spawnable(async |(client, of): (Client, Reference)| client.all_tags(&of).await);
    spawnable(async |(client, of): (Client, Reference)| client.delete(&of).await);
    spawnable(async |(client, of, digest): (Client, Reference, Digest)| {
        client.has_manifest(&of, &digest).await
    });
    spawnable(async |(client, of, digest): (Client, Reference, Digest)| {
        client.referrers(&of, &digest).await
    });
    spawnable(async |(client, to, bytes): (Client, Reference, Bytes)| {
        client.put_manifest(&to, "type", bytes).await
    });
}

#[test]
fn blobs() {
    spawnable(
        async |(client, of, blob): (Client, Reference, Descriptor)| client.blob(&of, &blob).await,
    );
    spawnable(
        async |(client, of, blob): (Client, Reference, Descriptor)| {
            client.blob_from(&of, &blob, 1).await
        },
    );
    spawnable(
        async |(client, of, blob): (Client, Reference, Descriptor)| {
            client.small_blob(&of, &blob).await
        },
    );
    spawnable(async |(client, of, digest): (Client, Reference, Digest)| {
        client.has_blob(&of, &digest).await
    });
    spawnable(
        async |(client, to, blob, source): (Client, Reference, Descriptor, BlobSource)| {
            let progress = Progress::new(|_| {});
            client.push_blob(&to, &blob, &source, Some(&progress)).await
        },
    );
    spawnable(async |(client, to, digest): (Client, Reference, Digest)| {
        client.mount_blob(&to, &to.clone(), &digest).await
    });
    spawnable(async |(client, to): (Client, Reference)| client.may_push(&to).await);
    spawnable(async |(source, blob): (BlobSource, Descriptor)| source.open(&blob).await);
}

#[test]
fn accounts() {
    spawnable(async |client: Client| client.ping("registry").await);
    spawnable(async |(client, credential): (Client, Credential)| {
        client.authenticate("registry", &credential).await
    });
    spawnable(async |credentials: Credentials| credentials.get("registry").await);
    spawnable(async |credentials: Credentials| credentials.get_for("registry", "a/b").await);
    spawnable(async |credentials: Credentials| credentials.logins().await);
    spawnable(async |credentials: Credentials| credentials.set_alias("builder", None).await);
    spawnable(async |credentials: Credentials| credentials.erase("registry").await);
    spawnable(
        async |(credentials, credential): (Credentials, Credential)| {
            credentials.store("registry", &credential).await
        },
    );
    spawnable(
        async |(client, request, credential): (TokenClient, TokenRequest, Credential)| {
            client.fetch(&request, &credential).await
        },
    );
}

#[test]
fn images() {
    spawnable(async |(images, reference): (Images, Reference)| {
        images.find(&reference, &Platform::default()).await
    });
    spawnable(async |(client, request): (Client, CreateRequest)| {
        imagetools::create(&client, request).await
    });
    spawnable(async |created: Created| created.push(&Unseen).await);
    spawnable(async |(client, location): (Client, Location)| {
        Inspection::of(client, &location).await
    });
    spawnable(async |(inspection, template): (Inspection, Template)| {
        inspection.value(&template).await
    });
    spawnable(async |(client, name): (Client, Reference)| {
        manifest_list::fetch(&client, &name).await
    });
    spawnable(
        async |(client, list, entries): (Client, Reference, Vec<Entry>)| {
            manifest_list::push(&client, &list, &entries, &Unseen).await
        },
    );
    spawnable(async |(left, right): (Source, Source)| {
        diff::compare(&left, &right, &diff::Options::default()).await
    });
}

#[test]
fn transfers() {
    spawnable(async |(place, client): (Place, Client)| Source::open(&place, &client).await);
    spawnable(async |source: Source| Plan::of(&source, None).await);
    spawnable(
        async |(source, plan, layout, names): (Source, Plan, Layout, Vec<Name>)| {
            transfer::fetch(&source, &plan, &layout, &names, &Options::default()).await
        },
    );
    spawnable(
        async |(source, plan, layout, names): (Source, Plan, Layout, Vec<Name>)| {
            Pack::new(&source, &plan, &layout, &names, ArchiveKind::Oci).await
        },
    );
    spawnable(
        async |(source, plan, names, client): (Source, Plan, Vec<Reference>, Client)| {
            transfer::push(&source, &plan, &names, &client, &Options::default()).await
        },
    );
    spawnable(async |source: Source| transfer::read_file(&source, None, "file", Vec::new()).await);
}
