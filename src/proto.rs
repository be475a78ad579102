//! The generated protobuf and gRPC code of `proto/`, in modules named after the packages. Only this
//! module knows the generator.
//!
//! Maps are `BTreeMap`s, and large byte fields are `bytes::Bytes` (see `build.rs`). prost omits the
//! default value of a map entry, but Go writes it. So `llb` itself encodes what goes into a vertex
//! digest, and maps of messages are lists of entries here, whose values are always written.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_qualifications,
    rust_2018_idioms,
    clippy::all,
    clippy::unwrap_used,
    rustdoc::all
)]

include!(concat!(env!("OUT_DIR"), "/mod.rs"));

pub use solvekit_core::proto::pb;

/// Makes the entries of maps whose values are messages from keys and values.
macro_rules! entries {
    ($($entry:path: $value:path,)*) => {
        $(impl From<(String, $value)> for $entry {
            fn from((key, value): (String, $value)) -> Self {
                Self { key, value: Some(value) }
            }
        })*
    };
}

entries! {
    moby::buildkit::v1::solve_request::FrontendInputsEntry: pb::Definition,
    moby::buildkit::v1::frontend::solve_request::FrontendInputsEntry: pb::Definition,
    moby::buildkit::v1::frontend::ref_map::RefsEntry: moby::buildkit::v1::frontend::Ref,
    moby::buildkit::v1::frontend::result::AttestationsEntry:
        moby::buildkit::v1::frontend::Attestations,
}

#[cfg(test)]
mod tests {
    use prost::Message;

    #[test]
    fn the_core_has_the_generated_messages_of_a_graph() {
        let generated = include_str!(concat!(env!("OUT_DIR"), "/core/pb.rs"));
        let committed = include_str!("../crates/core/src/proto/pb.rs");
        let without_title = |text: &str| text.split_once('\n').unwrap().1.to_owned();
        assert_eq!(
            without_title(committed),
            without_title(generated),
            "copy $OUT_DIR/core/pb.rs to crates/core/src/proto/pb.rs, but for its first line"
        );
    }

    #[test]
    fn services_have_the_names_of_the_wire() {
        use super::*;
        let named = [
            (moby::buildkit::v1::control_server::SERVICE_NAME, "moby.buildkit.v1.Control"),
            (moby::buildkit::v1::frontend::llb_bridge_server::SERVICE_NAME,
                "moby.buildkit.v1.frontend.LLBBridge"),
            (moby::filesync::v1::auth_server::SERVICE_NAME, "moby.filesync.v1.Auth"),
            (moby::filesync::v1::file_sync_server::SERVICE_NAME, "moby.filesync.v1.FileSync"),
            (moby::filesync::v1::file_send_server::SERVICE_NAME, "moby.filesync.v1.FileSend"),
            (moby::buildkit::secrets::v1::secrets_server::SERVICE_NAME,
                "moby.buildkit.secrets.v1.Secrets"),
            (moby::sshforward::v1::ssh_server::SERVICE_NAME, "moby.sshforward.v1.SSH"),
            (moby::upload::v1::upload_server::SERVICE_NAME, "moby.upload.v1.Upload"),
            (moby::exporter::v1::exporter_server::SERVICE_NAME, "moby.exporter.v1.Exporter"),
            (containerd::services::content::v1::content_server::SERVICE_NAME,
                "containerd.services.content.v1.Content"),
            (
                moby::buildkit::v1::sourcepolicy::policysession::policy_verifier_server::SERVICE_NAME,
                "moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier",
            ),
            (grpc::health::v1::health_server::SERVICE_NAME, "grpc.health.v1.Health"),
            (
                opentelemetry::proto::collector::trace::v1::trace_service_server::SERVICE_NAME,
                "opentelemetry.proto.collector.trace.v1.TraceService",
            ),
        ];
        for (ours, wire) in named {
            assert_eq!(ours, wire);
        }
    }

    #[test]
    fn the_value_of_a_map_entry_is_written_even_if_it_is_empty() {
        use super::moby::buildkit::v1::frontend::{Ref, RefMap};
        let refs = RefMap {
            refs: vec![("a".to_owned(), Ref::default()).into()],
        };
        assert_eq!(refs.encode_to_vec(), b"\x0a\x05\x0a\x01a\x12\x00");
    }

    #[test]
    fn field_numbers_are_those_of_the_wire() {
        let op = super::pb::Mount {
            cache_opt: Some(super::pb::CacheOpt {
                id: "c".into(),
                sharing: 2,
            }),
            content_cache: 1,
            ..Default::default()
        };
        // Fields 20 (0xa2 0x01) and 24 (0xc0 0x01).
        assert_eq!(
            op.encode_to_vec(),
            b"\xa2\x01\x05\x0a\x01c\x10\x02\xc0\x01\x01"
        );
    }
}
