//! `variable` and `function` blocks, unevaluated.

use crate::diagnostic::{Diagnostic, Kind, nearest};
use crate::eval::{Globals, Scope, evaluate};
use crate::syntax::ast::{Attribute, Expression, Node};
use crate::syntax::body::Block;
use crate::syntax::labels::check;
use crate::syntax::references;
use crate::value::{Type, Value, convert};

/// A `variable` block.
#[derive(Debug)]
pub(super) struct VariableBlock<'b> {
    pub(super) block: &'b Block,
    pub(super) description: String,
    pub(super) ty: Option<&'b Expression>,
    pub(super) default: Option<&'b Expression>,
    pub(super) validations: Vec<Validation<'b>>,
}

/// A `validation` block.
#[derive(Debug)]
pub(super) struct Validation<'b> {
    pub(super) block: &'b Block,
    pub(super) condition: Option<&'b Expression>,
    pub(super) message: Option<&'b Expression>,
}

/// A `function` block.
#[derive(Debug)]
pub(super) struct FunctionBlock<'b> {
    pub(super) block: &'b Block,
    pub(super) parameters: Option<&'b Attribute>,
    pub(super) variadic: Option<&'b Attribute>,
    pub(super) result: Option<&'b Attribute>,
}

impl<'b> VariableBlock<'b> {
    /// Parses a block. `globals` must be empty: a description cannot refer to anything.
    pub(super) fn read(block: &'b Block, globals: &Globals<'_>) -> Result<Self, Diagnostic> {
        let expression = |name| block.body.attribute(name).map(|it| &it.expression);
        let description = match expression("description") {
            Some(expression) => constant_text(expression, globals)?,
            None => String::new(),
        };
        let mut validations = Vec::new();
        for nested in &block.body.blocks {
            if nested.kind == "validation" {
                validations.push(Validation::read(nested)?);
            }
        }
        Ok(Self {
            block,
            description,
            ty: expression("type"),
            default: expression("default"),
            validations,
        })
    }
}

impl<'b> Validation<'b> {
    fn read(block: &'b Block) -> Result<Self, Diagnostic> {
        check(block, 0)?;
        only_attributes(block, &["condition", "error_message"])?;
        let expression = |name| block.body.attribute(name).map(|it| &it.expression);
        Ok(Self {
            block,
            condition: expression("condition"),
            message: expression("error_message"),
        })
    }
}

impl<'b> FunctionBlock<'b> {
    /// Parses a block.
    pub(super) fn read(block: &'b Block) -> Result<Self, Diagnostic> {
        only_attributes(block, &["params", "variadic_params", "result"])?;
        Ok(Self {
            block,
            parameters: block.body.attribute("params"),
            variadic: block.body.attribute("variadic_params"),
            result: block.body.attribute("result"),
        })
    }
}

/// Rejects attributes other than `known`, and all blocks.
fn only_attributes(block: &Block, known: &[&str]) -> Result<(), Diagnostic> {
    let unknown = |name: &str| !known.contains(&name);
    let kind = &block.kind;
    if let Some(attribute) = block.body.attributes.iter().find(|it| unknown(&it.name)) {
        let name = &attribute.name;
        let error = Diagnostic::new(
            Kind::Structure,
            format!("a {kind} block has no attribute {name:?}"),
        );
        let error = match nearest(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near:?}?")),
            None => error.hint(format!("it has {}", known.join(", "))),
        };
        return Err(error.at(attribute.name_range.within(&block.file)));
    }
    if let Some(nested) = block.body.blocks.first() {
        let message = format!("a {kind} block cannot hold a {:?} block", nested.kind);
        return Err(
            Diagnostic::new(Kind::Structure, message).at(nested.kind_range.within(&block.file))
        );
    }
    Ok(())
}

/// Returns the text of an expression without references.
fn constant_text(expression: &Expression, globals: &Globals<'_>) -> Result<String, Diagnostic> {
    if let Node::JsonString(string) = &*expression.node {
        return Ok(string.text.clone());
    }
    let names = references(&expression.node);
    if let Some(variable) = names.variables.first() {
        let place = variable.root_range.within(&expression.file);
        let message = "the description of a variable cannot use variables";
        return Err(Diagnostic::new(Kind::Expression, message).at(place));
    }
    if !names.functions.is_empty() {
        let message = "the description of a variable cannot call functions";
        return Err(Diagnostic::new(Kind::Expression, message).at(expression.span()));
    }
    let value = evaluate(expression, Scope::global(globals))?;
    let fail = |message: String| Diagnostic::new(Kind::Type, message).at(expression.start_span());
    match convert(&value, &Type::String) {
        Ok(Value::String(text)) => Ok(text.as_ref().to_owned()),
        Ok(_) => Err(fail("the description is null".to_owned())),
        Err(error) => Err(fail(format!("the description must be text: {error}"))),
    }
}
