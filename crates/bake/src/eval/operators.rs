//! Operators.

use std::cmp::Ordering;

use super::expression::{Evaluator, type_of_failed};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::Range;
use crate::syntax::ast::{Binary, BinaryOperator, Node, Unary, UnaryOperator};
use crate::value::{Number, NumberError, Type, Value};

impl Evaluator<'_> {
    /// Evaluates `-a` or `!a`.
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

    /// Evaluates `a + b` and so on.
    pub(super) fn binary(&self, binary: &Binary) -> Result<Value, Diagnostic> {
        use BinaryOperator as Op;
        let want = match binary.operator {
            Op::Or | Op::And => return self.logic(binary),
            Op::Equal | Op::NotEqual => Type::Any,
            _ => Type::Number,
        };
        let (left, right) = self.operands(binary, &want)?;
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

    /// Evaluates both operands. A value of the wrong type is reported before an operand that fails.
    fn operands(&self, binary: &Binary, want: &Type) -> Result<(Value, Value), Diagnostic> {
        let left = self.typed_operand(&binary.left, want);
        let right = self.typed_operand(&binary.right, want);
        first_error(left, right)
    }

    /// Returns the value of an operand. The inner error is a wrong type, the outer one its
    /// evaluation's.
    fn typed_operand(
        &self,
        node: &Node,
        want: &Type,
    ) -> Result<Result<Value, Diagnostic>, Diagnostic> {
        match self.node(node) {
            Ok(value) => Ok(self.operand(value, node, want)),
            Err(error) => self.failed_operand(error, node, want).map(Err),
        }
    }

    /// Returns an error if even the type of a failed operand is wrong, because that is reported
    /// first. The operand's own error is in `Err`.
    fn failed_operand(
        &self,
        error: Diagnostic,
        node: &Node,
        want: &Type,
    ) -> Result<Diagnostic, Diagnostic> {
        let ty = type_of_failed(node);
        let fits = match (&ty, want) {
            (Type::Any, _) | (_, Type::Any) | (Type::String, _) => true,
            (ty, want) => ty == want,
        };
        if fits || error.kind == Kind::Limit {
            return Err(error);
        }
        let (want, found) = (want.friendly(), ty.friendly());
        let message = format!("the operand does not fit: {want} is required, found {found}");
        Ok(self.error(Kind::Type, node.range(), message))
    }

    /// Returns the result of an operator on two numbers.
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

    /// Evaluates `a || b` or `a && b`: one decisive operand is enough, even if the other one fails.
    fn logic(&self, binary: &Binary) -> Result<Value, Diagnostic> {
        let decisive = binary.operator == BinaryOperator::Or;
        let (left, right) = (self.truth(&binary.left)?, self.truth(&binary.right)?);
        // The reference treats null as false here.
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

    /// Evaluates an operand of `||` or `&&`; only a wrong type and an exhausted budget are final.
    fn truth(&self, node: &Node) -> Result<Result<Value, Diagnostic>, Diagnostic> {
        match self.node(node) {
            Ok(value) => self.operand(value, node, &Type::Bool).map(Ok),
            Err(error) if error.kind == Kind::Limit => Err(error),
            Err(error) => match self.failed_operand(error, node, &Type::Bool) {
                Ok(error) => Err(error),
                Err(error) => Ok(Err(error)),
            },
        }
    }

    /// Converts an operand to the type of its operator.
    fn operand(&self, value: Value, node: &Node, want: &Type) -> Result<Value, Diagnostic> {
        match want {
            Type::Any => Ok(value),
            _ => self.convert(&value, want, node.range(), "the operand does not fit"),
        }
    }
}

/// Returns both values, or the error that is reported first.
fn first_error(
    left: Result<Result<Value, Diagnostic>, Diagnostic>,
    right: Result<Result<Value, Diagnostic>, Diagnostic>,
) -> Result<(Value, Value), Diagnostic> {
    match (left, right) {
        (Ok(Err(error)), _) | (_, Ok(Err(error))) | (Err(error), _) | (_, Err(error)) => Err(error),
        (Ok(Ok(left)), Ok(Ok(right))) => Ok((left, right)),
    }
}
