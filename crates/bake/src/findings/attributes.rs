//! Unknown attributes and blocks.

use super::{Finding, Rule};
use crate::compose::X_BAKE;
use crate::definition::attribute_names;
use crate::diagnostic::{Span, nearest};
use crate::evaluate::Evaluation;
use crate::syntax::body::Block;

/// The blocks of a bake file.
const BLOCKS: [&str; 4] = ["group", "target", "variable", "function"];

pub(super) fn check(evaluation: &Evaluation, findings: &mut Vec<Finding>) {
    for block in &evaluation.sources.body.blocks {
        let known: Vec<&str> = match block.kind.as_str() {
            "target" => [attribute_names("target"), &["name", "matrix"]].concat(),
            "group" => attribute_names("group").to_vec(),
            "variable" => vec!["type", "default", "description"],
            // An unknown attribute of a function is an error already.
            "function" => continue,
            kind => {
                let place = block.kind_range.within(&block.file);
                let what = format!("bake has no block {kind:?}");
                findings.push(unknown(Rule::UnknownBlock, what, kind, &BLOCKS, place));
                continue;
            }
        };
        check_block(block, &known, findings);
    }
    for source in &evaluation.sources.compose {
        for (key, span) in &source.unknown {
            let what = format!("x-bake of {} has no key {key:?}", source.target);
            findings.push(unknown(
                Rule::UnknownAttribute,
                what,
                key,
                &X_BAKE,
                span.clone(),
            ));
        }
    }
}

fn check_block(block: &Block, known: &[&str], findings: &mut Vec<Finding>) {
    let unknown_names = block.body.attributes.iter();
    for attribute in unknown_names.filter(|it| !known.contains(&it.name.as_str())) {
        let place = attribute.name_range.within(&block.file);
        let (kind, name) = (&block.kind, &attribute.name);
        let what = format!("a {kind} has no attribute {name:?}");
        findings.push(unknown(Rule::UnknownAttribute, what, name, known, place));
    }
    for inner in &block.body.blocks {
        if block.kind == "variable" && inner.kind == "validation" {
            continue;
        }
        let place = inner.kind_range.within(&block.file);
        let (kind, name) = (&block.kind, &inner.kind);
        let what = match known.contains(&name.as_str()) {
            true => format!("{name} of a {kind} is an attribute: write {name} = {{ … }}"),
            false => format!("a {kind} has no block {name:?}"),
        };
        findings.push(unknown(Rule::UnknownBlock, what, name, known, place));
    }
}

/// Returns a finding with the nearest name.
fn unknown(rule: Rule, what: String, name: &str, known: &[&str], span: Span) -> Finding {
    let message = match nearest(name, known.iter().copied()) {
        Some(near) if !known.contains(&name) => format!("{what}: did you mean {near:?}?"),
        _ => what,
    };
    Finding {
        rule,
        message,
        span: Some(span),
    }
}
