//! Checks before a policy runs that every function exists. OPA reports this when it compiles;
//! regorus would report it only when it reaches the call, and then a policy could allow by
//! accident.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{BUILTINS, Expr, Module, Rule, RuleHead, Span};

use crate::error::{Error, Place};
use crate::functions;
use crate::rewrite::{BOUNDED, aliases};
use crate::walk::{self, Visitor};

/// Namespaces that buildx's policies do not have, because they allow access to the outside.
const REFUSED: &[&str] = &[
    "http",
    "net",
    "opa",
    "rego",
    "io",
    "crypto",
    "graphql",
    "providers",
];

/// Checks the calls of all modules.
pub(crate) fn functions(modules: &[&Module]) -> Result<(), Error> {
    let mut defined = BTreeMap::new();
    for module in modules {
        let package = package(module);
        for rule in &module.policy {
            if let Some((name, span)) = function_name(rule) {
                defined.insert(format!("{package}.{name}"), Function::at(span));
            }
        }
    }
    let names: BTreeSet<String> = defined.keys().cloned().collect();
    for module in modules {
        let mut calls = Calls {
            package: package(module),
            aliases: aliases(module),
            defined: &names,
            called: BTreeSet::new(),
            wrong: None,
        };
        for rule in &module.policy {
            calls.called.clear();
            walk::rule_of(rule, &mut calls);
            if let Some((place, name)) = calls.wrong {
                return Err(Error::UndefinedFunction { place, name });
            }
            let name = function_name(rule).map(|(name, _)| format!("{}.{name}", calls.package));
            if let Some(function) = name.and_then(|name| defined.get_mut(&name)) {
                function.calls.append(&mut calls.called);
            }
        }
    }
    no_recursion(&defined)
}

/// A function with the functions that it calls.
struct Function {
    place: Place,
    calls: BTreeSet<String>,
}

impl Function {
    fn at(span: &Span) -> Self {
        Self {
            place: place(span),
            calls: BTreeSet::new(),
        }
    }
}

fn place(span: &Span) -> Place {
    Place {
        file: span.source.file().clone(),
        line: span.line,
    }
}

/// Rejects functions that call themselves: they would overflow the interpreter's stack. (It finds
/// loops through other rules itself.) Functions that call none of the remaining ones are removed
/// repeatedly; the rest is in a loop or calls one.
fn no_recursion(functions: &BTreeMap<String, Function>) -> Result<(), Error> {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut callers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, function) in functions {
        waiting.insert(name, function.calls.len());
        for called in &function.calls {
            callers.entry(called).or_default().push(name);
        }
    }
    let mut done: Vec<&str> = waiting
        .iter()
        .filter(|(_, n)| **n == 0)
        .map(|(f, _)| *f)
        .collect();
    while let Some(name) = done.pop() {
        waiting.remove(name);
        for caller in callers.get(name).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(caller) {
                *left -= 1;
                if *left == 0 {
                    done.push(caller);
                }
            }
        }
    }
    match waiting
        .first_key_value()
        .and_then(|(name, _)| functions.get_key_value(*name))
    {
        None => Ok(()),
        Some((name, function)) => Err(Error::Recursion {
            place: function.place.clone(),
            name: name.clone(),
        }),
    }
}

/// Returns the full name of a module's package: `data.docker`.
pub(crate) fn package(module: &Module) -> String {
    let words = walk::path(&module.package.refr).unwrap_or_default();
    format!("data.{}", words.join("."))
}

/// Returns the name of a rule and its position.
pub(crate) fn rule_name(rule: &Rule) -> Option<(String, &Span)> {
    let name = match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. }
            | RuleHead::Set { refr, .. }
            | RuleHead::Func { refr, .. } => refr,
        },
    };
    walk::path(name).map(|words| (words.join("."), name.span()))
}

fn function_name(rule: &Rule) -> Option<(String, &Span)> {
    let name = match rule {
        Rule::Spec {
            head: RuleHead::Func { refr, .. },
            ..
        } => refr,
        Rule::Default { refr, args, .. } if !args.is_empty() => refr,
        _ => return None,
    };
    walk::path(name).map(|words| (words.join("."), name.span()))
}

struct Calls<'a> {
    package: String,
    aliases: Vec<(String, Vec<String>)>,
    defined: &'a BTreeSet<String>,
    /// The called functions that the policy defines.
    called: BTreeSet<String>,
    wrong: Option<(Place, String)>,
}

impl Calls<'_> {
    /// Returns the full name of a function of the policy.
    fn own(&self, words: &[String]) -> Option<String> {
        let name = words.join(".");
        let alias = words.split_first().and_then(|(first, rest)| {
            let (_, path) = self.aliases.iter().find(|(alias, _)| alias == first)?;
            Some([path.as_slice(), rest].concat().join("."))
        });
        let local = format!("{}.{name}", self.package);
        let names = [Some(local), alias, Some(name)];
        names
            .into_iter()
            .flatten()
            .find(|name| self.defined.contains(name))
    }
}

fn is_builtin(words: &[String]) -> bool {
    let name = words.join(".");
    let is_refused = words.len() > 1 && REFUSED.iter().any(|space| *space == words[0]);
    let is_known =
        BUILTINS.contains_key(name.as_str()) || BOUNDED.iter().any(|(from, _)| *from == name);
    functions::NAMES.contains(&name.as_str()) || name == "print" || (is_known && !is_refused)
}

impl Visitor for Calls<'_> {
    fn expression(&mut self, expression: &Expr) {
        let Expr::Call { fcn, .. } = expression else {
            return;
        };
        let span = fcn.span();
        let words = walk::path(fcn).unwrap_or_else(|| vec![span.text().to_owned()]);
        if let Some(name) = self.own(&words) {
            self.called.insert(name);
        } else if self.wrong.is_none() && !is_builtin(&words) {
            self.wrong = Some((place(span), words.join(".")));
        }
    }
}
