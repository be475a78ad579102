//! File ops in the JSON mapping of protobuf.

use base64::Engine;
use serde_json::{Value, json};

use super::fields::Fields;
use crate::proto::pb;

pub(super) fn file_json(file: &pb::FileOp) -> Value {
    use pb::file_action::Action;
    let mut fields = Fields::default();
    fields.list("actions", &file.actions, |action| {
        let mut shown = Fields::default();
        shown
            .long("input", action.input)
            .long("secondaryInput", action.secondary_input)
            .long("output", action.output);
        match &action.action {
            Some(Action::Copy(copy)) => shown.set("copy", copy_json(copy)),
            Some(Action::Mkfile(file)) => shown.set("mkfile", make_file_json(file)),
            Some(Action::Mkdir(dir)) => shown.set("mkdir", make_dir_json(dir)),
            Some(Action::Rm(rm)) => {
                let mut removed = Fields::default();
                removed
                    .text("path", &rm.path)
                    .flag("allowNotFound", rm.allow_not_found);
                shown.set(
                    "rm",
                    removed.flag("allowWildcard", rm.allow_wildcard).done(),
                );
            }
            Some(Action::Symlink(link)) => {
                let mut linked = Fields::default();
                linked
                    .text("oldpath", &link.oldpath)
                    .text("newpath", &link.newpath);
                linked.option("owner", link.owner.as_ref().map(owner_json));
                shown.set("symlink", linked.long("timestamp", link.timestamp).done());
            }
            None => {}
        }
        shown.done()
    });
    fields.done()
}

fn copy_json(copy: &pb::FileActionCopy) -> Value {
    let mut fields = Fields::default();
    fields.text("src", &copy.src).text("dest", &copy.dest);
    fields.option("owner", copy.owner.as_ref().map(owner_json));
    fields.int("mode", copy.mode);
    fields
        .flag("followSymlink", copy.follow_symlink)
        .flag("dirCopyContents", copy.dir_copy_contents);
    fields.flag(
        "attemptUnpackDockerCompatibility",
        copy.attempt_unpack_docker_compatibility,
    );
    fields
        .flag("createDestPath", copy.create_dest_path)
        .flag("allowWildcard", copy.allow_wildcard);
    fields
        .flag("allowEmptyWildcard", copy.allow_empty_wildcard)
        .long("timestamp", copy.timestamp);
    fields
        .texts("includePatterns", &copy.include_patterns)
        .texts("excludePatterns", &copy.exclude_patterns);
    fields.flag(
        "alwaysReplaceExistingDestPaths",
        copy.always_replace_existing_dest_paths,
    );
    fields
        .text("modeStr", &copy.mode_str)
        .texts("requiredPaths", &copy.required_paths);
    fields.done()
}

fn make_file_json(file: &pb::FileActionMkFile) -> Value {
    let mut fields = Fields::default();
    fields.text("path", &file.path).int("mode", file.mode);
    fields.text(
        "data",
        &base64::engine::general_purpose::STANDARD.encode(&file.data),
    );
    fields.option("owner", file.owner.as_ref().map(owner_json));
    fields.long("timestamp", file.timestamp).done()
}

fn make_dir_json(dir: &pb::FileActionMkDir) -> Value {
    let mut fields = Fields::default();
    fields
        .text("path", &dir.path)
        .int("mode", dir.mode)
        .flag("makeParents", dir.make_parents);
    fields.option("owner", dir.owner.as_ref().map(owner_json));
    fields.long("timestamp", dir.timestamp).done()
}

fn owner_json(owner: &pb::ChownOpt) -> Value {
    let principal = |principal: &pb::UserOpt| match &principal.user {
        Some(pb::user_opt::User::ById(id)) => json!({"byID": id}),
        Some(pb::user_opt::User::ByName(named)) => {
            let named = Fields::default()
                .text("name", &named.name)
                .long("input", named.input)
                .done();
            json!({"byName": named})
        }
        None => json!({}),
    };
    let mut fields = Fields::default();
    fields.option("user", owner.user.as_ref().map(principal));
    fields.option("group", owner.group.as_ref().map(principal));
    fields.done()
}
