//! Tests of policies: rules whose names begin with `test_`, in files that end in `_test.rego`.
//! Lists them with their input, runs them, and reports the fields that their input lacks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use regorus::Value;
use regorus::unstable::{Expr, LiteralStmt, Query, Rule, RuleHead};

use crate::decision::Decision;
use crate::error::{Error, Place};
use crate::field::{self, Request};
use crate::functions::lock;
use crate::input::Input;
use crate::load::Policy;
use crate::source::Described;
use crate::state::{State, value};
use crate::walk::{self, Visitor};
use crate::{Files, check};

/// A test of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// The rule's name.
    pub name: String,
    /// Its package: `data.docker`.
    pub package: String,
    /// The document of `with input as …`, with the known fields.
    pub input: Option<Input>,
}

/// The result of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// True if the rule is true.
    pub passed: bool,
    /// The package's decision about the input; `None` if there is none.
    pub decision: Option<Decision>,
    /// The fields that the policy reads and the input lacks.
    pub missing_input: Vec<String>,
    /// The kinds of metadata that a daemon would provide for them.
    pub metadata: Vec<&'static str>,
    /// The files that are missing; the test must run again with them.
    pub missing_files: BTreeSet<String>,
}

impl Policy {
    /// Returns the tests in these files of the policy, by name.
    ///
    /// # Errors
    /// If the input of a test is invalid.
    pub fn tests(&self, files: &[String]) -> Result<Vec<TestCase>, Error> {
        let mut found: Vec<TestCase> = Vec::new();
        for module in &self.modules {
            if !files.contains(module.package.span.source.file()) {
                continue;
            }
            for rule in &module.policy {
                let Some(name) = test_name(rule) else {
                    continue;
                };
                let input = match with_input(rule) {
                    Some(expression) => Some(literal(expression)?),
                    None => None,
                };
                let case = TestCase {
                    package: check::package(module),
                    name,
                    input,
                };
                match found.iter_mut().find(|known| known.name == case.name) {
                    Some(known) => {
                        known.input = known.input.take().or(case.input);
                        known.package = case.package;
                    }
                    None => found.push(case),
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Runs a test with an input, which may have more fields than the test gives.
    ///
    /// # Errors
    /// If the rule cannot be evaluated.
    pub fn test(
        &self,
        case: &TestCase,
        input: Option<&Input>,
        files: &Files,
    ) -> Result<TestResult, Error> {
        let described = Described {
            input: input.cloned().unwrap_or_default(),
            ..Described::default()
        };
        let files = Arc::new(files.clone());
        let state = Arc::new(Mutex::new(State::new(&described, &files)));
        let rule = format!("{}.{}", case.package, case.name);
        let (passed, _) = self.run(&rule, &described.input, &state)?;
        let rule = format!("{}.decision", case.package);
        let decided = self.run(&rule, &described.input, &state);
        let decision = decided
            .ok()
            .and_then(|(value, _)| Decision::read_loosely(&value));
        let state = lock(&state);
        let mut missing = self.missing(&case.package, input);
        missing.extend(state.fields.iter().cloned());
        let metadata = Request::all_of(&missing).map(|request| request.kinds());
        Ok(TestResult {
            passed: passed == Value::from(true),
            decision,
            metadata: metadata.unwrap_or_default(),
            missing_input: missing.into_iter().collect(),
            missing_files: state.missing_files.clone(),
        })
    }

    /// Returns the fields that the policy's modules of a package read and an input lacks.
    pub fn missing(&self, package: &str, input: Option<&Input>) -> BTreeSet<String> {
        let mut reads = Reads::default();
        for module in &self.modules {
            let is_test = module.package.span.source.file().ends_with("_test.rego");
            if check::package(module) == package && !is_test {
                walk::module(module, &mut reads);
            }
        }
        let input = input.map_or(Value::Undefined, value);
        let mut fields = reads.fields;
        fields.retain(|field| !has(&input, field));
        fields
    }
}

impl Request {
    /// Returns the request for these fields, if all of them can be requested.
    fn all_of(fields: &BTreeSet<String>) -> Option<Self> {
        let kinds = ["image", "git", "http", "local"];
        let fields: BTreeSet<String> = fields
            .iter()
            .filter(|field| !kinds.contains(&field.as_str()))
            .cloned()
            .collect();
        let known = fields.iter().all(|field| field::is_resolvable(field));
        known.then(|| Self::new(&fields, &crate::Source::default()))
    }
}

fn has(input: &Value, field: &str) -> bool {
    let mut at = input;
    for name in field.split('.') {
        at = &at[&Value::from(name)];
    }
    *at != Value::Undefined
}

/// Returns the name of a rule if it is a test.
fn test_name(rule: &Rule) -> Option<String> {
    let Rule::Spec { head, .. } = rule else {
        return None;
    };
    let RuleHead::Compr { assign, .. } = head else {
        return None;
    };
    let is_truth = match assign {
        None => true,
        Some(assign) => matches!(assign.value.as_ref(), Expr::Bool { .. }),
    };
    let (name, _) = check::rule_name(rule)?;
    (is_truth && name.starts_with("test_")).then_some(name)
}

/// Returns the expression that replaces the input in a rule.
fn with_input(rule: &Rule) -> Option<&Expr> {
    let Rule::Spec { bodies, .. } = rule else {
        return None;
    };
    let statements = bodies.iter().flat_map(|body| statements(&body.query));
    let mut replaced = statements.flat_map(|statement| &statement.with_mods);
    let with =
        replaced.find(|with| walk::path(&with.refr).is_some_and(|path| path == ["input"]))?;
    Some(&with.r#as)
}

/// Parses an input literal. Unknown fields are ignored.
fn literal(expression: &Expr) -> Result<Input, Error> {
    let place = expression.span();
    let failed = |reason: String| Error::TestInput {
        place: Place {
            file: place.source.file().clone(),
            line: place.line,
        },
        reason,
    };
    let json = constant(expression)
        .ok_or_else(|| failed("it is not a literal without variables".to_owned()))?;
    serde_json::from_value(json).map_err(|error| failed(error.to_string()))
}

/// Evaluates an expression without variables; the parser limits its depth.
fn constant(expression: &Expr) -> Option<serde_json::Value> {
    match expression {
        Expr::String { value, .. }
        | Expr::RawString { value, .. }
        | Expr::Number { value, .. }
        | Expr::Bool { value, .. }
        | Expr::Null { value, .. } => serde_json::from_str(&value.to_json_str().ok()?).ok(),
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            let items: Option<Vec<_>> = items.iter().map(|item| constant(item)).collect();
            items.map(serde_json::Value::from)
        }
        Expr::Object { fields, .. } => {
            let mut object = serde_json::Map::new();
            for (_, key, value) in fields {
                object.insert(walk::string(key)?, constant(value)?);
            }
            Some(object.into())
        }
        _ => None,
    }
}

fn statements(query: &Query) -> &[LiteralStmt] {
    &query.stmts
}

/// Collects the fields of the input that are read: `image.labels`.
#[derive(Default)]
struct Reads {
    fields: BTreeSet<String>,
    /// The inner references of those that were visited already.
    inner: Vec<*const Expr>,
}

impl Visitor for Reads {
    fn expression(&mut self, expression: &Expr) {
        let inside = match expression {
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => refr,
            _ => return,
        };
        let is_inner = self
            .inner
            .pop_if(|known| std::ptr::eq(*known, expression))
            .is_some();
        self.inner.push(std::ptr::from_ref(inside.as_ref()));
        if is_inner || walk::root(expression) != Some("input") {
            return;
        }
        let mut words = constant_start(expression);
        words.truncate(2);
        if !words.is_empty() {
            self.fields.insert(words.join("."));
        }
    }
}

/// Returns the constant fields after `input`, up to the first that is not constant.
fn constant_start(reference: &Expr) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = reference;
    loop {
        match rest {
            Expr::RefDot { refr, field, .. } => {
                words.push(Some(field.0.text().to_owned()));
                rest = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                words.push(walk::string(index));
                rest = refr;
            }
            _ => break,
        }
    }
    words.into_iter().rev().map_while(|word| word).collect()
}
