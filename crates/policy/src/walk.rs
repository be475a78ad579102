//! Walks the syntax tree of a module. The check of functions, the collection of fields and the
//! rewriting use it.

use regorus::unstable::{Expr, Literal, Module, Query, Rule, RuleAssign, RuleBody, RuleHead};

/// A visitor of expressions.
pub(crate) trait Visitor {
    /// Is called before the parts of an expression are visited.
    fn expression(&mut self, expression: &Expr);

    /// Is called for the key of a rule that adds to a set: `deny_msg contains KEY if …`.
    fn set_key(&mut self, _key: &Expr) {}

    /// Is called for the target that `with` replaces.
    fn replaced(&mut self, _target: &Expr) {}
}

/// Visits every rule of a module.
pub(crate) fn module(module: &Module, visitor: &mut impl Visitor) {
    for rule in &module.policy {
        rule_of(rule, visitor);
    }
}

/// Visits one rule.
pub(crate) fn rule_of(rule: &Rule, visitor: &mut impl Visitor) {
    match rule {
        Rule::Default { value, .. } => expression(value, visitor),
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { refr, assign, .. } => {
                    indices(refr, visitor);
                    assigned(assign.as_ref(), visitor);
                }
                RuleHead::Set { key, .. } => {
                    if let Some(key) = key {
                        visitor.set_key(key);
                        expression(key, visitor);
                    }
                }
                RuleHead::Func { args, assign, .. } => {
                    args.iter().for_each(|arg| expression(arg, visitor));
                    assigned(assign.as_ref(), visitor);
                }
            }
            bodies.iter().for_each(|found| body(found, visitor));
        }
    }
}

fn body(body: &RuleBody, visitor: &mut impl Visitor) {
    assigned(body.assign.as_ref(), visitor);
    query(&body.query, visitor);
}

fn assigned(assign: Option<&RuleAssign>, visitor: &mut impl Visitor) {
    if let Some(assign) = assign {
        expression(&assign.value, visitor);
    }
}

/// Visits the indices in the name of a rule: `names[key] if …`; the name itself is not a reference.
fn indices(name: &Expr, visitor: &mut impl Visitor) {
    match name {
        Expr::RefDot { refr, .. } => indices(refr, visitor),
        Expr::RefBrack { refr, index, .. } => {
            indices(refr, visitor);
            expression(index, visitor);
        }
        _ => {}
    }
}

/// Visits the statements of a query.
pub(crate) fn query(query_: &Query, visitor: &mut impl Visitor) {
    for statement in &query_.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn {
                key,
                value,
                collection,
                ..
            } => {
                key.iter().for_each(|key| expression(key, visitor));
                expression(value, visitor);
                expression(collection, visitor);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                expression(expr, visitor);
            }
            Literal::Every {
                domain, query: all, ..
            } => {
                expression(domain, visitor);
                query(all, visitor);
            }
        }
        for with in &statement.with_mods {
            visitor.replaced(&with.refr);
            expression(&with.r#as, visitor);
        }
    }
}

fn expression(found: &Expr, visitor: &mut impl Visitor) {
    visitor.expression(found);
    match found {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().for_each(|item| expression(item, visitor));
        }
        Expr::Object { fields, .. } => {
            for (_, key, value) in fields {
                expression(key, visitor);
                expression(value, visitor);
            }
        }
        Expr::ArrayCompr { term, query: q, .. } | Expr::SetCompr { term, query: q, .. } => {
            expression(term, visitor);
            query(q, visitor);
        }
        Expr::ObjectCompr {
            key,
            value,
            query: q,
            ..
        } => {
            expression(key, visitor);
            expression(value, visitor);
            query(q, visitor);
        }
        // The function's name is not a reference to a value.
        Expr::Call { params, .. } => params.iter().for_each(|param| expression(param, visitor)),
        Expr::UnaryExpr { expr, .. } => expression(expr, visitor),
        Expr::RefDot { refr, .. } => expression(refr, visitor),
        Expr::RefBrack { refr, index, .. } => {
            expression(refr, visitor);
            expression(index, visitor);
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            expression(lhs, visitor);
            expression(rhs, visitor);
        }
        Expr::Membership {
            key,
            value,
            collection,
            ..
        } => {
            key.iter().for_each(|key| expression(key, visitor));
            expression(value, visitor);
            expression(collection, visitor);
        }
    }
}

/// Returns the words of a reference with constant parts only: `data.docker.allow`,
/// `input["image"]`.
pub(crate) fn path(reference: &Expr) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = reference;
    loop {
        match rest {
            Expr::Var { span, .. } => {
                words.push(span.text().to_owned());
                words.reverse();
                return Some(words);
            }
            Expr::RefDot { refr, field, .. } => {
                words.push(field.0.text().to_owned());
                rest = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                words.push(string(index)?);
                rest = refr;
            }
            _ => return None,
        }
    }
}

/// Returns the variable at the start of a reference.
pub(crate) fn root(reference: &Expr) -> Option<&str> {
    let mut rest = reference;
    loop {
        match rest {
            Expr::Var { span, .. } => return Some(span.text()),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => rest = refr,
            _ => return None,
        }
    }
}

/// Returns the text of a string literal.
pub(crate) fn string(literal: &Expr) -> Option<String> {
    match literal {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(ToString::to_string)
        }
        _ => None,
    }
}
