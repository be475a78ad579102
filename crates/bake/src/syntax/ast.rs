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
    /// The range of the name.
    pub name_range: Range,
    /// The range of the whole attribute.
    pub range: Range,
    /// The value.
    pub expression: Expression,
}

/// An expression with its file.
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
    /// `a.b[0]`: a variable with attributes and indices.
    Reference(Reference),
    /// `f(x).b`: attributes and indices of another expression.
    Relative(Box<Node>, Vec<Step>, Range),
    /// `f(x, y...)`
    Call(Box<Call>),
    /// `c ? a : b`
    Conditional(Box<Conditional>),
    /// `a[k]` with a `k` that is not constant.
    Index(Box<Index>),
    /// `[a, b]`
    Tuple(Vec<Node>, Brackets),
    /// `{ a = 1 }`
    Object(Vec<Item>, Brackets),
    /// `[for x in xs: x]`
    For(Box<For>),
    /// `a[*].b` or `a.*.b`
    Splat(Box<Splat>),
    /// The current element of a splat.
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

/// The ranges of a bracketed expression.
#[derive(Clone, Copy, Debug)]
pub struct Brackets {
    /// The range from bracket to bracket.
    pub range: Range,
    /// The range of the opening bracket.
    pub open: Range,
}

/// A variable with attributes and indices.
#[derive(Debug)]
pub struct Reference {
    /// The variable.
    pub root: String,
    /// The range of the variable's name.
    pub root_range: Range,
    /// The attributes and indices, in order.
    pub steps: Vec<Step>,
    /// The range of the whole reference.
    pub range: Range,
}

/// An attribute or index of a value.
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
    /// The range of the name.
    pub name_range: Range,
    /// The range of the opening parenthesis.
    pub open: Range,
    /// The range of the closing parenthesis.
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
    /// The whole range.
    pub range: Range,
}

/// An index with a computed key.
#[derive(Debug)]
pub struct Index {
    /// The indexed value.
    pub collection: Node,
    /// The key.
    pub key: Node,
    /// The whole range.
    pub range: Range,
    /// The range of the opening bracket.
    pub open: Range,
    /// The range from bracket to bracket.
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
    /// The value to iterate over.
    pub collection: Node,
    /// The key of an object's entry; `None` for a tuple.
    pub key: Option<Node>,
    /// The value.
    pub value: Node,
    /// The filter condition.
    pub condition: Option<Node>,
    /// True if values with equal keys are grouped: `...`.
    pub group: bool,
    /// The ranges.
    pub brackets: Brackets,
}

/// A splat: `each` is evaluated once per element of `source`.
#[derive(Debug)]
pub struct Splat {
    /// The list.
    pub source: Node,
    /// The expression for each element; its innermost node is [`Node::Element`].
    pub each: Node,
    /// The whole range.
    pub range: Range,
    /// The range of the star.
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
    /// The whole range.
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
    /// The whole range.
    pub range: Range,
    /// The range of the operator.
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
