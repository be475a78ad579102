//! Parses expressions: conditionals, operators and terms.

use super::ast::{Binary, BinaryOperator, Conditional, Node, Reference, Unary, UnaryOperator};
use super::parser::Parser;
use super::token::{Token, TokenKind};
use crate::value::{Number, Value};

impl<'a> Parser<'a> {
    /// Parses an expression.
    pub(super) fn expression(&mut self) -> Node {
        self.nested(Self::conditional, Self::placeholder)
    }

    /// Parses `condition ? yes : no`, or only a condition.
    fn conditional(&mut self) -> Node {
        let before = self.errors;
        let condition = self.binary(0);
        if self.lost(before) || self.peek_kind() != TokenKind::Question {
            return condition;
        }
        self.read();
        let before = self.errors;
        let yes = self.expression();
        if self.lost(before) {
            return condition;
        }
        let colon = self.peek();
        if colon.kind != TokenKind::Colon {
            self.error(
                colon.range,
                "a conditional needs a second value: expected \":\"",
            );
            return condition;
        }
        self.read();
        let before = self.errors;
        let no = self.expression();
        if self.lost(before) {
            return condition;
        }
        let range = condition.range().to(no.range());
        Node::Conditional(Box::new(Conditional {
            condition,
            yes,
            no,
            range,
        }))
    }

    /// Parses operations whose operators have at least the precedence `level`.
    fn binary(&mut self, level: u8) -> Node {
        let before = self.errors;
        let mut left = self.term_with_steps();
        while !self.lost(before) {
            let Some((operator, binding)) = operator(self.peek_kind()) else {
                break;
            };
            if binding < level {
                break;
            }
            self.read();
            let right = self.binary(binding + 1);
            let range = left.range().to(right.range());
            self.grow(range);
            left = Node::Binary(Box::new(Binary {
                operator,
                left,
                right,
                range,
            }));
        }
        left
    }

    /// Parses a term with its attributes and indices.
    fn term_with_steps(&mut self) -> Node {
        let term = self.term();
        self.steps(term)
    }

    /// Parses a term: an operand of an operator.
    fn term(&mut self) -> Node {
        let start = self.peek();
        match start.kind {
            TokenKind::OpenParen => self.parentheses(),
            TokenKind::Number => {
                self.read();
                Node::Literal(self.number(&start), start.range)
            }
            TokenKind::Identifier => self.name(),
            TokenKind::OpenQuote | TokenKind::OpenHeredoc => self.quoted_template(),
            TokenKind::Minus => self.unary(UnaryOperator::Negate),
            TokenKind::Not => self.unary(UnaryOperator::Not),
            TokenKind::OpenBracket => self.tuple(),
            TokenKind::OpenBrace => self.object(),
            _ => self.no_value(&start),
        }
    }

    /// Reports a token that begins no value. Apart from `term`, whose stack frame has to be small.
    fn no_value(&mut self, start: &Token<'_>) -> Node {
        let found = match start.kind {
            TokenKind::End => {
                self.soft_error(start.range, "expected a value, but the file ends here");
                self.recovery = true;
                return Self::placeholder(start.range);
            }
            TokenKind::Newline => "the end of the line".to_owned(),
            _ => format!("{:?}", start.text),
        };
        self.soft_known_error(
            start.range,
            format!("expected a value, found {found}"),
            "Invalid expression; Expected the start of an expression, but found an invalid \
             expression token.",
        );
        self.recovery = true;
        Self::placeholder(start.range)
    }

    /// Parses `(expression)`.
    fn parentheses(&mut self) -> Node {
        let open = self.read();
        self.with_newlines(false, |parser| {
            let before = parser.errors;
            let inner = parser.expression();
            if parser.errors > before {
                parser.recover(TokenKind::CloseParen);
                return inner;
            }
            let close = parser.peek();
            if close.kind != TokenKind::CloseParen {
                parser.error(close.range, "expected \")\"");
                parser.recovery = true;
            }
            let close = parser.read();
            Node::Parentheses(Box::new(inner), open.range.to(close.range))
        })
    }

    /// Parses a name: a function call, a constant or a variable.
    fn name(&mut self) -> Node {
        let name = self.read();
        if matches!(
            self.peek_kind(),
            TokenKind::OpenParen | TokenKind::DoubleColon
        ) {
            return self.call(&name);
        }
        match name.text {
            "true" => Node::Literal(Value::Bool(true), name.range),
            "false" => Node::Literal(Value::Bool(false), name.range),
            "null" => Node::Literal(Value::null(), name.range),
            text => Node::Reference(Reference {
                root: text.to_owned(),
                root_range: name.range,
                steps: Vec::new(),
                range: name.range,
            }),
        }
    }

    /// Parses `-term` or `!term`.
    fn unary(&mut self, operator: UnaryOperator) -> Node {
        let symbol = self.read().range;
        let operand = self.nested(Self::term_with_steps, Self::placeholder);
        let range = symbol.to(operand.range());
        Node::Unary(Box::new(Unary {
            operator,
            operand,
            range,
            symbol,
        }))
    }

    /// Returns the value of a number.
    pub(super) fn number(&mut self, token: &Token<'a>) -> Value {
        match Number::parse(token.text) {
            Ok(number) => Value::Number(number),
            Err(_) => {
                self.error(token.range, format!("{:?} is not a number", token.text));
                Value::null()
            }
        }
    }
}

/// Returns the operator of a token, and its precedence.
fn operator(kind: TokenKind) -> Option<(BinaryOperator, u8)> {
    Some(match kind {
        TokenKind::Or => (BinaryOperator::Or, 0),
        TokenKind::And => (BinaryOperator::And, 1),
        TokenKind::EqualTo => (BinaryOperator::Equal, 2),
        TokenKind::NotEqual => (BinaryOperator::NotEqual, 2),
        TokenKind::Greater => (BinaryOperator::Greater, 3),
        TokenKind::GreaterOrEqual => (BinaryOperator::GreaterOrEqual, 3),
        TokenKind::Less => (BinaryOperator::Less, 3),
        TokenKind::LessOrEqual => (BinaryOperator::LessOrEqual, 3),
        TokenKind::Plus => (BinaryOperator::Add, 4),
        TokenKind::Minus => (BinaryOperator::Subtract, 4),
        TokenKind::Star => (BinaryOperator::Multiply, 5),
        TokenKind::Slash => (BinaryOperator::Divide, 5),
        TokenKind::Percent => (BinaryOperator::Remainder, 5),
        _ => return None,
    })
}
