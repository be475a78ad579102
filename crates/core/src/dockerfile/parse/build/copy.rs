//! ADD and COPY.

use std::collections::HashMap;

use super::super::super::error::ParseErrorKind;
use super::super::super::heredoc::{chomp, parse_heredoc};
use super::super::super::instruction::{
    AddInstruction, CopyInstruction, Heredoc, InlineFile, Sources,
};
use super::super::arguments::list;
use super::super::flags::{Flag, Flags};
use super::super::statement::Body;
use super::{Parts, Result};

const ADD_FLAGS: &[Flag] = &[
    Flag::text("chown"),
    Flag::text("chmod"),
    Flag::toggle("link"),
    Flag::toggle("keep-git-dir"),
    Flag::text("checksum"),
    Flag::toggle("unpack"),
    Flag::list("exclude"),
];

const COPY_FLAGS: &[Flag] = &[
    Flag::text("chown"),
    Flag::text("from"),
    Flag::text("chmod"),
    Flag::toggle("link"),
    Flag::list("exclude"),
    Flag::toggle("parents"),
];

pub(super) fn add(parts: &Parts<'_>) -> Result<AddInstruction> {
    let sources = sources(parts)?;
    let flags = Flags::parse(&parts.flags, ADD_FLAGS, parts.name())?;
    Ok(AddInstruction {
        sources,
        chown: flags.text("chown"),
        chmod: flags.text("chmod"),
        link: flags.toggle("link").unwrap_or(false),
        exclude: flags.list("exclude"),
        checksum: flags.text("checksum"),
        keep_git_dir: flags.toggle("keep-git-dir"),
        unpack: flags.toggle("unpack"),
    })
}

pub(super) fn copy(parts: &Parts<'_>) -> Result<CopyInstruction> {
    let sources = sources(parts)?;
    let flags = Flags::parse(&parts.flags, COPY_FLAGS, parts.name())?;
    Ok(CopyInstruction {
        sources,
        from: flags.text("from"),
        chown: flags.text("chown"),
        chmod: flags.text("chmod"),
        link: flags.toggle("link").unwrap_or(false),
        parents: flags.toggle("parents").unwrap_or(false),
        exclude: flags.list("exclude"),
    })
}

/// Parses the sources and the destination, which is the last argument. Sources that look like
/// heredocs are heredocs.
fn sources(parts: &Parts<'_>) -> Result<Sources> {
    let mut paths = list(parts.args)?;
    let destination = match paths.pop() {
        Some(destination) if !paths.is_empty() => destination,
        _ => {
            return Err(ParseErrorKind::NoDestination {
                instruction: parts.name(),
            });
        }
    };
    if heredoc(&destination).is_some() {
        return Err(ParseErrorKind::HeredocDestination {
            instruction: parts.name(),
        });
    }
    let mut inline = Vec::new();
    let named = parts.bodies.iter();
    let bodies: Bodies<'_> = named
        .map(|body| (body.heredoc.name.as_str(), body))
        .collect();
    paths.retain(|path| match heredoc(path) {
        Some(heredoc) => {
            inline.push(inline_file(heredoc, &bodies));
            false
        }
        None => true,
    });
    Ok(Sources {
        paths,
        inline,
        destination,
    })
}

fn heredoc(word: &str) -> Option<Heredoc> {
    if !word.contains("<<") {
        return None;
    }
    parse_heredoc(word).unwrap_or(None)
}

/// The bodies of an instruction's heredocs by name; of several with the same name the last one is
/// used.
type Bodies<'b> = HashMap<&'b str, &'b Body>;

/// Returns the file of a heredoc; it is empty without a body (in JSON).
fn inline_file(heredoc: Heredoc, bodies: &Bodies<'_>) -> InlineFile {
    let body = bodies.get(heredoc.name.as_str());
    let content = body.map_or("", |body| &body.heredoc.content);
    let raw = body.and_then(|body| body.raw.as_deref());
    InlineFile {
        content: if heredoc.chomp {
            chomp(content)
        } else {
            content.to_owned()
        },
        raw: raw.map(|raw| {
            if heredoc.chomp {
                chomp_bytes(raw)
            } else {
                raw.to_owned()
            }
        }),
        name: heredoc.name,
        expand: heredoc.expand,
    }
}

/// Like [`chomp`], for bytes that are not UTF-8.
fn chomp_bytes(raw: &[u8]) -> Vec<u8> {
    let lines = raw.split_inclusive(|&byte| byte == b'\n');
    lines
        .flat_map(|line| &line[line.iter().take_while(|&&byte| byte == b'\t').count()..])
        .copied()
        .collect()
}
