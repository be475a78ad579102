//! Parses the content of `{{…}}`: values, and functions with their arguments.

use super::error::{Error, SyntaxProblem};
use super::functions;
use super::lexer::{Kind, Token};
use super::parser::{Base, MOST_NESTED, Operand, Pipeline};
use super::value::Value;

pub(super) fn pipeline_after(word: &Token, tokens: Vec<Token>) -> Result<Pipeline, Error> {
    if tokens.is_empty() {
        return Err(Error::Syntax {
            column: word.column,
            reason: SyntaxProblem::Other("what it is about is missing".to_owned()),
        });
    }
    pipeline(tokens)
}

pub(super) fn pipeline(tokens: Vec<Token>) -> Result<Pipeline, Error> {
    let column = tokens.first().map_or(1, |token| token.column);
    let mut cursor = Cursor {
        tokens: tokens.into_iter().peekable(),
        column,
        depth: 0,
    };
    let pipeline = cursor.pipeline(false)?;
    match cursor.tokens.next() {
        None => Ok(pipeline),
        Some(token) => Err(unexpected(&token)),
    }
}

struct Cursor {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    column: usize,
    /// The number of open parentheses.
    depth: usize,
}

impl Cursor {
    fn pipeline(&mut self, inner: bool) -> Result<Pipeline, Error> {
        let mut pipeline = Pipeline::default();
        if !inner {
            self.variables(&mut pipeline)?;
        }
        loop {
            let mut command = Vec::new();
            while let Some(token) = self.tokens.peek() {
                if matches!(token.kind, Kind::Pipe | Kind::Close) {
                    break;
                }
                command.push(self.operand()?);
            }
            if command.is_empty() {
                return Err(Error::Syntax {
                    column: self.column,
                    reason: SyntaxProblem::Other("a value or a function is missing".to_owned()),
                });
            }
            pipeline.commands.push(command);
            match self.tokens.next_if(|token| token.kind == Kind::Pipe) {
                Some(token) => self.column = token.column,
                None => return Ok(pipeline),
            }
        }
    }

    /// Parses `$a :=`, `$a, $b :=` or `$a =`.
    fn variables(&mut self, pipeline: &mut Pipeline) -> Result<(), Error> {
        let mut ahead = self.tokens.clone();
        let mut names = Vec::new();
        loop {
            let Some(Kind::Variable(name)) = ahead.next().map(|token| token.kind) else {
                return Ok(());
            };
            names.push(name);
            match ahead.next() {
                Some(token) if token.kind == Kind::Comma => {}
                Some(token) if matches!(token.kind, Kind::Declare | Kind::Assign) => {
                    pipeline.assigns = token.kind == Kind::Assign;
                    if names.len() > 2 {
                        return Err(unexpected(&token));
                    }
                    break;
                }
                _ => return Ok(()),
            }
        }
        self.tokens = ahead;
        pipeline.variables = names;
        Ok(())
    }

    fn operand(&mut self) -> Result<Operand, Error> {
        let Some(token) = self.tokens.next() else {
            return Err(Error::Syntax {
                column: self.column,
                reason: SyntaxProblem::Other("something is missing at the end".to_owned()),
            });
        };
        self.column = token.column;
        let mut fields = Vec::new();
        let base = match &token.kind {
            Kind::Dot => Base::Dot,
            Kind::Field(name) => {
                fields.push(name.clone());
                Base::Dot
            }
            Kind::Variable(name) => Base::Variable(name.clone()),
            Kind::Text(text) => Base::Literal(Value::String(text.clone())),
            Kind::Int(value) => Base::Literal(Value::Int(*value)),
            Kind::Float(value) => Base::Literal(Value::Float(*value)),
            Kind::Word(word) => match word.as_str() {
                "true" => Base::Literal(Value::Bool(true)),
                "false" => Base::Literal(Value::Bool(false)),
                "nil" => Base::Literal(Value::Null),
                name if functions::NAMES.contains(&name) => Base::Function(name.to_owned()),
                name => {
                    return Err(Error::UnknownFunction {
                        name: name.to_owned(),
                        known: functions::NAMES
                            .iter()
                            .map(|&name| name.to_owned())
                            .collect(),
                    });
                }
            },
            Kind::Open => {
                self.depth += 1;
                if self.depth > MOST_NESTED {
                    return Err(Error::TooDeep {
                        column: token.column,
                        most: MOST_NESTED,
                    });
                }
                let inner = self.pipeline(true)?;
                self.depth -= 1;
                match self.tokens.next() {
                    Some(close) if close.kind == Kind::Close => {}
                    _ => {
                        return Err(Error::Syntax {
                            column: token.column,
                            reason: SyntaxProblem::UnclosedParenthesis,
                        });
                    }
                }
                Base::Pipeline(inner)
            }
            _ => return Err(unexpected(&token)),
        };
        let is_field = |token: &Token| token.joined && matches!(token.kind, Kind::Field(_));
        while let Some(token) = self.tokens.next_if(is_field) {
            if let Kind::Field(name) = token.kind {
                fields.push(name);
            }
        }
        Ok(Operand { base, fields })
    }
}

fn unexpected(token: &Token) -> Error {
    Error::Syntax {
        column: token.column,
        reason: SyntaxProblem::Other(match &token.kind {
            Kind::Close => "a parenthesis is closed that was not opened".to_owned(),
            _ => "this cannot stand here".to_owned(),
        }),
    }
}
