//! pb.FileOp.

use std::borrow::Cow;

use super::super::caps::{Cap, CapSet};
use super::super::file::{Copy, FileOp, Mode, Owner, Principal, Step};
use super::super::path;
use super::op::{Inputs, NONE};
use super::wire::Writer;

/// Writes a file op. The first input is the base, then comes each action's source.
pub(super) fn write(w: &mut Writer, file: &FileOp, inputs: &Inputs) -> CapSet {
    let (base, sources) = match inputs.indexes.split_first() {
        Some((base, sources)) => (*base, sources),
        None => (NONE, &[][..]),
    };
    w.message(4, |w| {
        let last = file.steps.len() - 1;
        for (at, (step, source)) in file.steps.iter().zip(sources).enumerate() {
            // A later action works on the output of the previous one, numbered after the inputs.
            let input = if at == 0 {
                base
            } else {
                (inputs.len() + at - 1) as i64
            };
            let output = if at == last { 0 } else { NONE };
            w.message(2, |w| {
                w.int(1, input);
                w.int(2, *source);
                w.int(3, output);
                write_step(
                    w,
                    step,
                    &Context {
                        dir: &file.dir,
                        base,
                    },
                );
            });
        }
    });
    // The reference intends to add the capabilities of patterns and symbolic modes too, but does
    // not: its loop over the actions runs before there are any.
    CapSet::EMPTY.with(Cap::FileBase)
}

struct Context<'a> {
    dir: &'a str,
    /// The index of the base file system, in which user names are looked up.
    base: i64,
}

fn write_step(w: &mut Writer, step: &Step, context: &Context<'_>) {
    match step {
        Step::Copy {
            source: _,
            from,
            to,
            copy,
        } => w.message(4, |w| write_copy(w, from, to, copy, context)),
        Step::MakeFile {
            path,
            mode,
            data,
            owner,
            created,
        } => w.message(5, |w| {
            w.bytes(1, &*absolute(context.dir, path, false));
            w.uint(2, u64::from(*mode));
            w.bytes(3, data);
            write_owner(w, 4, owner.as_ref(), context);
            w.int(5, created.unwrap_or(-1));
        }),
        Step::MakeDir { path, mode, dir } => w.message(6, |w| {
            w.bytes(1, &*absolute(context.dir, path, false));
            w.uint(2, u64::from(*mode));
            w.bool(3, dir.parents);
            write_owner(w, 4, dir.owner.as_ref(), context);
            w.int(5, dir.created.unwrap_or(-1));
        }),
        Step::Remove {
            path,
            allow_not_found,
            allow_wildcard,
        } => w.message(7, |w| {
            w.bytes(1, &*absolute(context.dir, path, false));
            w.bool(2, *allow_not_found);
            w.bool(3, *allow_wildcard);
        }),
        Step::Symlink {
            target,
            path,
            owner,
            created,
        } => w.message(8, |w| {
            w.bytes(1, target);
            w.bytes(2, path);
            write_owner(w, 3, owner.as_ref(), context);
            w.int(4, created.unwrap_or(-1));
        }),
    }
}

fn write_copy(w: &mut Writer, from: &str, to: &str, copy: &Copy, context: &Context<'_>) {
    w.bytes(1, from);
    w.bytes(2, &*absolute(context.dir, to, true));
    write_owner(w, 3, copy.owner.as_ref(), context);
    w.int(
        4,
        match &copy.mode {
            None => -1,
            Some(Mode::Bits(bits)) => i64::from(*bits),
            Some(Mode::Symbolic(_)) => 0,
        },
    );
    w.bool(5, copy.follow_symlinks);
    w.bool(6, copy.dir_contents);
    w.bool(7, copy.unpack);
    w.bool(8, copy.create_dest);
    w.bool(9, copy.allow_wildcard);
    w.bool(10, copy.allow_empty_wildcard);
    w.int(11, copy.created.unwrap_or(-1));
    for pattern in &copy.include_patterns {
        w.bytes_always(12, pattern);
    }
    for pattern in &copy.exclude_patterns {
        w.bytes_always(13, pattern);
    }
    w.bool(14, copy.always_replace);
    if let Some(Mode::Symbolic(change)) = &copy.mode {
        w.bytes(15, change);
    }
    for path in &copy.required_paths {
        w.bytes_always(16, path);
    }
}

fn write_owner(w: &mut Writer, field: u32, owner: Option<&Owner>, context: &Context<'_>) {
    let Some(owner) = owner else { return };
    w.message(field, |w| {
        for (field, principal) in (1..).zip([&owner.user, &owner.group]) {
            let Some(principal) = principal else { continue };
            w.message(field, |w| match principal {
                Principal::Id(id) => w.uint_always(2, u64::from(*id)),
                Principal::Name(name) => w.message(1, |w| {
                    w.bytes(1, name);
                    w.int(2, context.base);
                }),
            });
        }
    });
}

/// Returns an absolute path. A copy's destination keeps a slash or `/.` at the end, because it
/// means a directory.
fn absolute<'p>(dir: &str, path: &'p str, keep_slash: bool) -> Cow<'p, str> {
    let mut clean = path::cleaned(path);
    if !clean.starts_with('/') {
        clean = Cow::Owned(path::join("/", &path::join(dir, &clean)));
    }
    let end = match path.ends_with('/') {
        _ if !keep_slash => "",
        true if !clean.ends_with('/') => "/",
        false if path.ends_with("/.") && clean == "/" => ".",
        false if path.ends_with("/.") => "/.",
        _ => "",
    };
    match (clean, end) {
        (clean, "") => clean,
        // A borrowed path lacks nothing but the slash.
        (Cow::Borrowed(_), "/") => Cow::Borrowed(path),
        (clean, end) => clean + end,
    }
}
