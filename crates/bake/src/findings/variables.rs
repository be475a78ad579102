//! Unused variables, attributes at the top level, and functions.

use std::collections::{HashMap, HashSet};

use super::{Finding, Rule};
use crate::evaluate::Evaluation;
use crate::syntax::ast::Expression;
use crate::syntax::body::Body;
use crate::syntax::references;

/// A name in an expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name<'a> {
    Variable(&'a str),
    Function(&'a str),
}

pub(super) fn check(evaluation: &Evaluation, findings: &mut Vec<Finding>) {
    let body = &evaluation.sources.body;
    let used = used(body);
    let mut seen = HashSet::new();
    for block in &body.blocks {
        let name = block.name();
        let (rule, key) = match block.kind.as_str() {
            "variable" => (Rule::UnusedVariable, Name::Variable(name)),
            "function" => (Rule::UnusedFunction, Name::Function(name)),
            _ => continue,
        };
        if !used.contains(&key) && seen.insert(key) {
            findings.push(Finding {
                rule,
                message: format!("{} {name} is not used", block.kind),
                span: Some(block.name_span()),
            });
        }
    }
    for attribute in &body.attributes {
        let name = attribute.name.as_str();
        if !used.contains(&Name::Variable(name)) && seen.insert(Name::Variable(name)) {
            findings.push(Finding {
                rule: Rule::UnusedVariable,
                message: format!("{name} is not used"),
                span: Some(attribute.name_range.within(&attribute.expression.file)),
            });
        }
    }
}

/// Returns all names that groups and targets use, directly or indirectly.
fn used(body: &Body) -> HashSet<Name<'_>> {
    let mut expressions_of: HashMap<Name<'_>, Vec<&Expression>> = HashMap::new();
    let mut waiting: Vec<&Expression> = Vec::new();
    for attribute in &body.attributes {
        let expressions = expressions_of
            .entry(Name::Variable(&attribute.name))
            .or_default();
        expressions.push(&attribute.expression);
    }
    for block in &body.blocks {
        let own = block.body.attributes.iter().map(|it| &it.expression);
        match block.kind.as_str() {
            "variable" => {
                let nested = block.body.blocks.iter();
                let nested = nested.flat_map(|inner| &inner.body.attributes);
                let expressions = expressions_of
                    .entry(Name::Variable(block.name()))
                    .or_default();
                expressions.extend(own.chain(nested.map(|it| &it.expression)));
            }
            "function" => expressions_of
                .entry(Name::Function(block.name()))
                .or_default()
                .extend(own),
            "group" | "target" => waiting.extend(own),
            _ => {}
        }
    }
    let mut used = HashSet::new();
    while let Some(expression) = waiting.pop() {
        let names = references(&expression.node);
        let variables = names.variables.into_iter();
        let variables = variables.map(|it| Name::Variable(it.root.as_str()));
        let functions = names.functions.into_iter().map(Name::Function);
        for name in variables.chain(functions) {
            // The names have the lifetime of the body, like the expressions.
            if used.insert(name)
                && let Some(next) = expressions_of.get(&name)
            {
                waiting.extend(next.iter().copied());
            }
        }
    }
    used
}
