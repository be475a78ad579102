//! The syntax tree: bodies, blocks, attributes and expressions.

use std::sync::Arc;

use super::json_string::JsonString;
use super::range::Range;
use crate::value::Value;

/// An attribute or argument: a name and an expression.
#[derive(Debug)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The place of the name.
    pub name_range: Range,
    /// The place of the whole attribute.
    pub range: Range,
    /// The value.
    pub expression: Expression,
}

/// An expression and the file it stands in.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The file's name.
    pub file: Arc<str>,
    /// The expression.
    pub node: Arc<Node>,
}

/// A node of an expression.
#[derive(Debug)]
pub enum Node {
    /// A number, `true`, `false`, `null`, or a piece of text in a template.
    Literal(Value, Range),
    /// `a.b[0]`: a variable and what is taken of it.
    Reference(Reference),
    /// `f(x).b`: what is taken of another expression.
    Relative(Box<Node>, Vec<Step>, Range),
    /// `f(x, y...)`
    Call(Box<Call>),
    /// `c ? a : b`
    Conditional(Box<Conditional>),
    /// `a[k]` where `k` is not constant.
    Index(Box<Index>),
    /// `[a, b]`
    Tuple(Vec<Node>, Brackets),
    /// `{ a = 1 }`
    Object(Vec<Item>, Brackets),
    /// `[for x in xs: x]`
    For(Box<For>),
    /// `a[*].b` or `a.*.b`
    Splat(Box<Splat>),
    /// The element that a splat is at.
    Element(Range),
    /// `"a${b}"`, or a heredoc.
    Template(Vec<Node>, Range),
    /// `"${a}"`: the value of `a`, of any type.
    Wrapped(Box<Node>, Range),
    /// `%{for}` in a template: the texts of a [`Node::For`], joined.
    Joined(Box<Node>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `-a` or `!a`
    Unary(Box<Unary>),
    /// `(a)`
    Parentheses(Box<Node>, Range),
    /// A string of a JSON file: a template.
    JsonString(JsonString),
    /// An object of a JSON file, whose keys are templates.
    JsonObject(Vec<(JsonString, Node)>, Brackets),
}

/// The places of a bracketed expression.
#[derive(Clone, Copy, Debug)]
pub struct Brackets {
    /// From bracket to bracket.
    pub range: Range,
    /// The opening bracket.
    pub open: Range,
}

/// A variable and what is taken of it.
#[derive(Debug)]
pub struct Reference {
    /// The variable.
    pub root: String,
    /// The place of its name.
    pub root_range: Range,
    /// What is taken of it, in order.
    pub steps: Vec<Step>,
    /// The place of all.
    pub range: Range,
}

/// One step into a value.
#[derive(Debug)]
pub enum Step {
    /// `.name`
    Attribute(String, Range),
    /// `[0]` or `["name"]`
    Index(Value, Range),
}

/// A function call.
#[derive(Debug)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// The arguments.
    pub arguments: Vec<Node>,
    /// True if the last argument is a list of arguments: `xs...`.
    pub expand: bool,
    /// The place of the name.
    pub name_range: Range,
    /// The opening parenthesis.
    pub open: Range,
    /// The closing parenthesis.
    pub close: Range,
}

/// A conditional.
#[derive(Debug)]
pub struct Conditional {
    /// The condition.
    pub condition: Node,
    /// The value if it is true.
    pub yes: Node,
    /// The value if it is false.
    pub no: Node,
    /// The place of all.
    pub range: Range,
}

/// An index whose key is computed.
#[derive(Debug)]
pub struct Index {
    /// What is indexed.
    pub collection: Node,
    /// The key.
    pub key: Node,
    /// The place of all.
    pub range: Range,
    /// The opening bracket.
    pub open: Range,
    /// From bracket to bracket.
    pub brackets: Range,
}

/// A key and a value of an object.
#[derive(Debug)]
pub struct Item {
    /// The key; a bare name stands for itself.
    pub key: Node,
    /// True if the key is in parentheses and so never a bare name.
    pub computed: bool,
    /// The value.
    pub value: Node,
}

/// A `for` expression.
#[derive(Debug)]
pub struct For {
    /// The variable for keys or indices.
    pub key_name: Option<String>,
    /// The variable for elements.
    pub value_name: String,
    /// What is iterated.
    pub collection: Node,
    /// The key of an object's entry; none for a tuple.
    pub key: Option<Node>,
    /// The value.
    pub value: Node,
    /// The condition for an element to count.
    pub condition: Option<Node>,
    /// True if values of one key are collected: `...`.
    pub group: bool,
    /// The places.
    pub brackets: Brackets,
}

/// A splat: `each` is evaluated once per element of `source`.
#[derive(Debug)]
pub struct Splat {
    /// The list.
    pub source: Node,
    /// What is taken of each element; its innermost node is [`Node::Element`].
    pub each: Node,
    /// The place of all.
    pub range: Range,
    /// The place of the star.
    pub marker: Range,
}

/// An operation on two values.
#[derive(Debug)]
pub struct Binary {
    /// The operator.
    pub operator: BinaryOperator,
    /// The left value.
    pub left: Node,
    /// The right value.
    pub right: Node,
    /// The place of all.
    pub range: Range,
}

/// Operators on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]

pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// An operation on one value.
#[derive(Debug)]
pub struct Unary {
    /// The operator.
    pub operator: UnaryOperator,
    /// The value.
    pub operand: Node,
    /// The place of all.
    pub range: Range,
    /// The place of the operator.
    pub symbol: Range,
}

/// Operators on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}
