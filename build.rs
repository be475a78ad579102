//! Compiles `proto/` into the types of `src/proto.rs`, without `protoc`.

use std::{error::Error, path::PathBuf};

use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;

/// Fields with large data: cheap to slice and to clone.
const BULK: &[&str] = &[
    ".pb.Definition.def",
    ".fsutil.types.Packet.data",
    ".moby.buildkit.v1.BytesMessage.data",
    ".moby.buildkit.v1.VertexLog.msg",
    ".moby.buildkit.v1.frontend.ReadFileResponse.Data",
    ".moby.buildkit.v1.frontend.ResolveImageConfigResponse.Config",
    ".moby.buildkit.v1.frontend.ResolveSourceImageResponse.Config",
    ".moby.filesync.v1.BytesMessage.data",
    ".moby.sshforward.v1.BytesMessage.data",
    ".moby.upload.v1.BytesMessage.data",
    ".containerd.services.content.v1.ReadContentResponse.data",
    ".containerd.services.content.v1.WriteContentRequest.data",
];

/// Fields of `fsutil.types.Stat` with file names, which need not be UTF-8. They become bytes, which
/// are encoded in the same way.
const PATHS: &[&str] = &["path", "linkname"];

/// Messages with secrets: they must not be printable.
const SECRET: &[&str] = &[
    ".moby.filesync.v1.CredentialsResponse",
    ".moby.filesync.v1.FetchTokenResponse",
    ".moby.buildkit.secrets.v1.GetSecretResponse",
];

// Maps of messages become lists of entries, which are encoded in the same way. prost omits an
// entry's value if it equals the default; Go then has a nil pointer in the map, and some daemons
// crash on it.

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    give_main_thread_its_stack();
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir("proto")? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();

    let mut descriptors = protox::compile(&files, ["proto"])?;
    for file in &mut descriptors.file {
        // The generator needs the source location of every message, and entries have none.
        file.source_code_info = None;
        let mut messages: Vec<_> = file.message_type.iter_mut().collect();
        while let Some(message) = messages.pop() {
            for nested in &mut message.nested_type {
                let is_entry = nested
                    .options
                    .as_ref()
                    .is_some_and(|options| options.map_entry());
                if is_entry
                    && nested
                        .field
                        .iter()
                        .any(|field| field.number() == 2 && field.type_name.is_some())
                {
                    nested.options = None;
                }
            }
            let text = message.field.iter_mut().filter(|field| {
                file.package.as_deref() == Some("fsutil.types")
                    && message.name.as_deref() == Some("Stat")
                    && PATHS.contains(&field.name.as_deref().unwrap_or_default())
            });
            text.for_each(|field| field.set_type(Type::Bytes));
            messages.extend(message.nested_type.iter_mut());
        }
    }

    // The messages of a graph are in solvekit-core; a test compares the committed file with this
    // one.
    let core = PathBuf::from(std::env::var("OUT_DIR")?).join("core");
    std::fs::create_dir_all(&core)?;
    let graph = FileDescriptorSet {
        file: descriptors
            .file
            .iter()
            .filter(|file| file.package() == "pb")
            .cloned()
            .collect(),
    };
    generator().out_dir(core).compile_fds(graph)?;

    generator()
        .extern_path(".pb", "::solvekit_core::proto::pb")
        .include_file("mod.rs")
        .compile_fds(descriptors)?;
    Ok(())
}

fn generator() -> tonic_prost_build::Builder {
    let mut builder = tonic_prost_build::configure()
        // Ordered maps: the same message gives the same bytes.
        .btree_map(".")
        .skip_debug(SECRET);
    for field in BULK {
        builder = builder.bytes(field);
    }
    builder
}

/// Windows gives the main thread 1 or 2 MiB, and Linux 8 MiB. Debug builds of commands need more
/// than 2 MiB.
fn give_main_thread_its_stack() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "windows") {
        let argument = match is("CARGO_CFG_TARGET_ENV", "msvc") {
            true => "/STACK:8388608",
            false => "-Wl,--stack,8388608",
        };
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
