//! Parses the tokens of a template into a tree.

use super::error::{Error, SyntaxProblem};
use super::lexer::{Kind, Piece, Token, split};
use super::pipeline::{pipeline, pipeline_after};
use super::value::Value;

/// The deepest nesting of blocks or parentheses. Parsing and rendering use stack for each level.
pub(super) const MOST_NESTED: usize = 100;

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    /// The conditions of `if` and `else if`, each with its body; then the body of `else`.
    If(Vec<(Pipeline, Vec<Node>)>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// `$a, $b := first | second …`
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    /// True for `=`, false for `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// One operand of a command: a value with the fields that are read from it.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) base: Base,
    pub(super) fields: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Function(String),
    Literal(Value),
    Pipeline(Pipeline),
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, Error> {
    let mut parser = Parser {
        pieces: split(text)?.into_iter(),
        depth: 0,
    };
    let (nodes, end) = parser.nodes(false)?;
    match end {
        Stop::OfTemplate => Ok(nodes),
        Stop::Else(column, _) | Stop::End(column) => Err(Error::Syntax {
            column,
            reason: SyntaxProblem::NothingOpen,
        }),
    }
}

/// The keyword that ends a list of nodes: `end`, `else`, or the end of the text.
enum Stop {
    /// The end of the template's text.
    OfTemplate,
    /// `else`, with the tokens that follow in the same action.
    Else(usize, Vec<Token>),
    End(usize),
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    /// The number of open blocks.
    depth: usize,
}

impl Parser {
    fn nodes(&mut self, in_range: bool) -> Result<(Vec<Node>, Stop), Error> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let mut tokens = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action(tokens) => tokens,
            };
            let Some(first) = tokens.first().cloned() else {
                return Err(Error::Syntax {
                    column: 1,
                    reason: SyntaxProblem::Empty,
                });
            };
            let word = match &first.kind {
                Kind::Word(word) => word.as_str(),
                _ => "",
            };
            match word {
                "end" => return Ok((nodes, Stop::End(first.column))),
                "else" => return Ok((nodes, Stop::Else(first.column, tokens.split_off(1)))),
                "if" | "with" | "range" => {
                    nodes.push(self.block(&first, tokens.split_off(1), in_range)?);
                }
                "break" if in_range => nodes.push(Node::Break),
                "continue" if in_range => nodes.push(Node::Continue),
                "break" | "continue" => {
                    return Err(Error::Syntax {
                        column: first.column,
                        reason: SyntaxProblem::Other(format!("{word} stands outside of range")),
                    });
                }
                "define" | "template" | "block" => {
                    return Err(Error::Syntax {
                        column: first.column,
                        reason: SyntaxProblem::Other(format!("{word} is not supported")),
                    });
                }
                _ => nodes.push(Node::Print(pipeline(tokens)?)),
            }
        }
        Ok((nodes, Stop::OfTemplate))
    }

    fn block(&mut self, word: &Token, tokens: Vec<Token>, in_range: bool) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MOST_NESTED {
            return Err(Error::TooDeep {
                column: word.column,
                most: MOST_NESTED,
            });
        }
        let block = self.block_inside(word, tokens, in_range);
        self.depth -= 1;
        block
    }

    fn block_inside(
        &mut self,
        word: &Token,
        tokens: Vec<Token>,
        in_range: bool,
    ) -> Result<Node, Error> {
        let is = |name: &str| word.kind == Kind::Word(name.to_owned());
        let condition = pipeline_after(word, tokens)?;
        let (body, end) = self.nodes(in_range || is("range"))?;
        let mut branches = vec![(condition, body)];
        let mut otherwise = Vec::new();
        let mut end = end;
        loop {
            match end {
                Stop::End(_) => break,
                Stop::OfTemplate => {
                    return Err(Error::Syntax {
                        column: word.column,
                        reason: SyntaxProblem::NoEnd,
                    });
                }
                Stop::Else(_, mut tokens) if !tokens.is_empty() => {
                    let next = tokens.remove(0);
                    if next.kind != Kind::Word("if".to_owned()) || !is("if") {
                        return Err(Error::Syntax {
                            column: next.column,
                            reason: SyntaxProblem::Other(
                                "only if can follow an else, and only that of an if".to_owned(),
                            ),
                        });
                    }
                    let condition = pipeline_after(&next, tokens)?;
                    let (body, next_end) = self.nodes(in_range)?;
                    branches.push((condition, body));
                    end = next_end;
                }
                Stop::Else(column, _) => {
                    let (body, next_end) = self.nodes(in_range)?;
                    otherwise = body;
                    if !matches!(next_end, Stop::End(_)) {
                        return Err(Error::Syntax {
                            column,
                            reason: SyntaxProblem::Other("after else comes {{end}}".to_owned()),
                        });
                    }
                    break;
                }
            }
        }
        if is("if") {
            return Ok(Node::If(branches, otherwise));
        }
        let (condition, body) = branches.swap_remove(0);
        Ok(match is("with") {
            true => Node::With(condition, body, otherwise),
            false => Node::Range(condition, body, otherwise),
        })
    }
}

impl Node {
    /// True if the node uses the field `field`, or `.` as a whole.
    pub(super) fn mentions(&self, field: &str) -> bool {
        let all = |nodes: &[Node]| nodes.iter().any(|node| node.mentions(field));
        match self {
            Self::Text(_) | Self::Break | Self::Continue => false,
            Self::Print(pipeline) => pipeline.mentions(field),
            Self::If(branches, otherwise) => {
                all(otherwise)
                    || branches
                        .iter()
                        .any(|(condition, body)| condition.mentions(field) || all(body))
            }
            Self::With(pipeline, body, otherwise) | Self::Range(pipeline, body, otherwise) => {
                pipeline.mentions(field) || all(body) || all(otherwise)
            }
        }
    }
}

impl Pipeline {
    fn mentions(&self, field: &str) -> bool {
        self.commands.iter().flatten().any(|operand| {
            operand.fields.iter().any(|name| name == field)
                || matches!(&operand.base, Base::Pipeline(inner) if inner.mentions(field))
        })
    }
}
