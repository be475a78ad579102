//! Operators.

use std::cmp::Ordering;

use super::expression::Evaluator;
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::Range;
use crate::syntax::ast::{Binary, BinaryOperator, Node, Unary, UnaryOperator};
use crate::value::{Number, NumberError, Type, Value};

impl Evaluator<'_> {
    /// `-a` or `!a`
    pub(super) fn unary(&self, unary: &Unary) -> Result<Value, Diagnostic> {
        let want = match unary.operator {
            UnaryOperator::Negate => Type::Number,
            UnaryOperator::Not => Type::Bool,
        };
        let value = self.operand(self.node(&unary.operand)?, &unary.operand, &want)?;
        match value {
            Value::Number(number) => Ok(Value::Number(number.negate())),
            Value::Bool(truth) => Ok(Value::Bool(!truth)),
            _ => self.fail(Kind::Type, unary.range, "the operand is null"),
        }
    }

    /// `a + b` and so on.
    pub(super) fn binary(&self, binary: &Binary) -> Result<Value, Diagnostic> {
        use BinaryOperator as Op;
        let want = match binary.operator {
            Op::Or | Op::And => return self.logic(binary),
            Op::Equal | Op::NotEqual => Type::Any,
            _ => Type::Number,
        };
        // A value of the wrong type is reported before an operand that fails.
        let left = self.node(&binary.left);
        let left = left.map(|value| self.operand(value, &binary.left, &want));
        let right = self.node(&binary.right);
        let right = right.map(|value| self.operand(value, &binary.right, &want));
        let (left, right) = match (left, right) {
            (Ok(Err(error)), _) | (_, Ok(Err(error))) | (Err(error), _) | (_, Err(error)) => {
                return Err(error);
            }
            (Ok(Ok(left)), Ok(Ok(right))) => (left, right),
        };
        match binary.operator {
            Op::Equal => return Ok(Value::Bool(left.equals(&right))),
            Op::NotEqual => return Ok(Value::Bool(!left.equals(&right))),
            _ => {}
        }
        let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
            return self.fail(Kind::Type, binary.range, "an operand is null");
        };
        self.arithmetic(binary.operator, a, b, binary.range)
    }

    /// The result of an operator on two numbers.
    fn arithmetic(
        &self,
        operator: BinaryOperator,
        a: &Number,
        b: &Number,
        range: Range,
    ) -> Result<Value, Diagnostic> {
        use BinaryOperator as Op;
        let order = a.compare(b);
        let number = |result: Result<Number, NumberError>| match result {
            Ok(number) => Ok(Value::Number(number)),
            Err(error) => self.fail(Kind::Expression, range, error.to_string()),
        };
        match operator {
            Op::Add => number(a.add(b)),
            Op::Subtract => number(a.subtract(b)),
            Op::Multiply => number(a.multiply(b)),
            Op::Divide => number(a.divide(b)),
            Op::Remainder => number(a.modulo(b)),
            Op::Greater => Ok(Value::Bool(order == Ordering::Greater)),
            Op::GreaterOrEqual => Ok(Value::Bool(order != Ordering::Less)),
            Op::Less => Ok(Value::Bool(order == Ordering::Less)),
            Op::LessOrEqual => Ok(Value::Bool(order != Ordering::Greater)),
            Op::Equal | Op::NotEqual | Op::Or | Op::And => Ok(Value::null()),
        }
    }

    /// `a || b` or `a && b`: one decisive side is enough, even if the other side fails.
    fn logic(&self, binary: &Binary) -> Result<Value, Diagnostic> {
        let decisive = binary.operator == BinaryOperator::Or;
        let side = |node: &Node| match self.node(node) {
            Ok(value) => self.operand(value, node, &Type::Bool).map(Ok),
            Err(error) if error.kind == Kind::Limit => Err(error),
            Err(error) => Ok(Err(error)),
        };
        let (left, right) = (side(&binary.left)?, side(&binary.right)?);
        // The reference takes null for false here.
        let decides = |side: &Result<Value, Diagnostic>| match side {
            Ok(Value::Bool(truth)) => *truth == decisive,
            Ok(_) => !decisive,
            Err(_) => false,
        };
        if decides(&left) || decides(&right) {
            return Ok(Value::Bool(decisive));
        }
        if left?.is_null() || right?.is_null() {
            return self.fail(Kind::Type, binary.range, "an operand is null");
        }
        Ok(Value::Bool(!decisive))
    }

    /// An operand as the type that its operator needs.
    fn operand(&self, value: Value, node: &Node, want: &Type) -> Result<Value, Diagnostic> {
        match want {
            Type::Any => Ok(value),
            _ => self.convert(&value, want, node.range(), "the operand does not fit"),
        }
    }
}
