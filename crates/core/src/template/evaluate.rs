//! Renders a template's tree for a value.

use std::ops::ControlFlow;

use super::parser::{Base, Node, Operand, Pipeline};
use super::{Error, Json, Value, functions};

pub(super) fn render(nodes: &[Node], value: &Value, json: Json) -> Result<String, Error> {
    let mut renderer = Renderer {
        text: String::new(),
        variables: vec![(String::new(), value.clone())],
        json,
        steps: 0,
    };
    let _ = renderer.nodes(nodes, value)?;
    Ok(renderer.text)
}

/// The most steps of one rendering: bounds nested loops, and with them the text.
const MOST_STEPS: usize = 250_000;
pub(super) const MOST_TEXT: usize = 64 << 20;

struct Renderer {
    text: String,
    /// Variables in scope, the innermost last; `$` is the first.
    variables: Vec<(String, Value)>,
    json: Json,
    /// The number of actions and loop turns so far.
    steps: usize,
}

/// The statement that left a loop's body early.
enum Leave {
    Break,
    Continue,
}

impl Renderer {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<ControlFlow<Leave>, Error> {
        let known = self.variables.len();
        let mut flow = ControlFlow::Continue(());
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow.is_break() {
                break;
            }
        }
        self.variables.truncate(known);
        Ok(flow)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<ControlFlow<Leave>, Error> {
        self.step()?;
        match node {
            Node::Text(text) => self.text.push_str(text),
            Node::Break => return Ok(ControlFlow::Break(Leave::Break)),
            Node::Continue => return Ok(ControlFlow::Break(Leave::Continue)),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.text.push_str(&value.to_string());
                }
            }
            Node::If(branches, otherwise) => {
                let known = self.variables.len();
                for (condition, body) in branches {
                    if !self.pipeline(condition, dot)?.is_empty() {
                        let flow = self.nodes(body, dot)?;
                        self.variables.truncate(known);
                        return Ok(flow);
                    }
                }
                let flow = self.nodes(otherwise, dot)?;
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::With(pipeline, body, otherwise) => {
                let known = self.variables.len();
                let value = self.pipeline(pipeline, dot)?;
                let flow = match value.is_empty() {
                    true => self.nodes(otherwise, dot)?,
                    false => self.nodes(body, &value)?,
                };
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::Range(pipeline, body, otherwise) => {
                return self.range(pipeline, body, otherwise, dot);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn step(&mut self) -> Result<(), Error> {
        self.steps += 1;
        let limits = [
            (self.steps, MOST_STEPS, "actions"),
            (self.text.len(), MOST_TEXT, "bytes"),
        ];
        match limits.into_iter().find(|(now, most, _)| now > most) {
            Some((_, most, what)) => Err(Error::TooMuch { most, what }),
            None => Ok(()),
        }
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<ControlFlow<Leave>, Error> {
        let known = self.variables.len();
        let items = items(self.value_of(pipeline, dot)?)?;
        if items.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, value) in items {
            // An empty loop takes time too.
            self.step()?;
            match pipeline.variables.as_slice() {
                [] => {}
                [one] => self.variables.push((one.clone(), value.clone())),
                [first, second, ..] => {
                    self.variables.push((first.clone(), key));
                    self.variables.push((second.clone(), value.clone()));
                }
            }
            let flow = self.nodes(body, &value)?;
            self.variables.truncate(known);
            if matches!(flow, ControlFlow::Break(Leave::Break)) {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Evaluates a pipeline and assigns the value to the pipeline's variable, if it has one.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Error> {
        let value = self.value_of(pipeline, dot)?;
        if let Some(name) = pipeline.variables.first() {
            match self
                .variables
                .iter_mut()
                .rev()
                .find(|(known, _)| known == name)
            {
                Some((_, old)) if pipeline.assigns => *old = value.clone(),
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn value_of(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Error> {
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, last, dot)?);
        }
        Ok(last.unwrap_or_default())
    }

    /// Evaluates a function call or a plain value. The value before the `|` is the call's last
    /// argument.
    fn command(
        &mut self,
        command: &[Operand],
        last: Option<Value>,
        dot: &Value,
    ) -> Result<Value, Error> {
        let Some((first, rest)) = command.split_first() else {
            return Ok(Value::Null);
        };
        let Base::Function(name) = &first.base else {
            if let Some(extra) = rest
                .first()
                .map(|_| "arguments")
                .or(last.map(|_| "a value from before"))
            {
                return Err(Error::Misuse {
                    function: describe(first),
                    reason: format!("it is not a function and cannot be given {extra}"),
                });
            }
            return self.operand(first, dot);
        };
        let mut arguments = Vec::new();
        for operand in rest {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(last);
        functions::call(name, arguments, self.json)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, Error> {
        let mut path = String::new();
        let mut value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Literal(value) => value.clone(),
            Base::Function(name) => functions::call(name, Vec::new(), self.json)?,
            Base::Pipeline(pipeline) => {
                path.push_str("(…)");
                self.value_of(pipeline, dot)?
            }
            Base::Variable(name) => {
                path = format!("${name}");
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                match known {
                    Some((_, value)) => value.clone(),
                    None => {
                        return Err(Error::Misuse {
                            function: path,
                            reason: "no such variable is declared before".to_owned(),
                        });
                    }
                }
            }
        };
        for name in &operand.fields {
            value = field(value, name, &path)?;
            path.push('.');
            path.push_str(name);
        }
        Ok(value)
    }
}

fn field(value: Value, name: &str, path: &str) -> Result<Value, Error> {
    match value {
        // In Go this is an error for nil pointers; here a missing value has only missing fields.
        Value::Null => Ok(Value::Null),
        Value::Map(mut map) => Ok(map.remove(name).unwrap_or_default()),
        Value::Struct(fields) => match fields.get(name) {
            Some(value) => Ok(value.clone()),
            None => Err(Error::UnknownField {
                name: name.to_owned(),
                of: of(path),
                known: fields
                    .fields()
                    .iter()
                    .map(|field| field.name.clone())
                    .collect(),
            }),
        },
        other => Err(Error::Misuse {
            function: format!("{path}.{name}"),
            reason: format!("{} is {} and has no fields", of(path), other.kind()),
        }),
    }
}

fn of(path: &str) -> String {
    match path {
        "" => "the value".to_owned(),
        path => path.to_owned(),
    }
}

fn describe(operand: &Operand) -> String {
    match operand.fields.as_slice() {
        [] => "the value".to_owned(),
        fields => format!(".{}", fields.join(".")),
    }
}

/// The items that `range` iterates over, each with its index or key.
fn items(value: Value) -> Result<Vec<(Value, Value)>, Error> {
    Ok(match value {
        Value::Null => Vec::new(),
        Value::List(list) => (0..).map(Value::Int).zip(list).collect(),
        Value::Map(map) => map
            .into_iter()
            .map(|(key, value)| (Value::String(key), value))
            .collect(),
        Value::Struct(fields) => fields
            .fields()
            .iter()
            .map(|field| (Value::String(field.name.clone()), field.value.clone()))
            .collect(),
        Value::Int(count) => (0..count.clamp(0, 1 << 16))
            .map(|at| (Value::Int(at), Value::Int(at)))
            .collect(),
        other => {
            return Err(Error::Misuse {
                function: "range".to_owned(),
                reason: format!("{} has no parts to go through", other.kind()),
            });
        }
    })
}
