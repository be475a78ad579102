//! Templates in the language of Go's `text/template`, as `--format` takes them.
//!
//! The supported subset: fields (`.Manifest.Digest`), variables, pipelines, parentheses, `if`,
//! `range`, `with`, `break`, `continue`, comments, `{{-` and `-}}`, the comparing and printing
//! functions of Go, and docker's functions `json`, `join`, `split`, `lower`, `upper`, `title`,
//! `pad` and `truncate`. `define`, `template` and `block` are not supported.
//!
//! ```
//! use solvekit_core::template::{Json, Struct, Template, Value};
//!
//! let platforms = vec!["linux/amd64", "linux/arm64"];
//! let node = Struct::new().field("Name", "name", "one");
//! let node = node.field("Platforms", "platforms", platforms);
//! let template = Template::parse("{{.Name}}:{{range .Platforms}} {{.}}{{end}}")?;
//! assert_eq!(template.render(&Value::from(node), Json::Compact)?, "one: linux/amd64 linux/arm64");
//! # Ok::<(), solvekit_core::template::Error>(())
//! ```

mod error;
mod evaluate;
mod functions;
mod json;
mod lexer;
mod parser;
mod pipeline;
mod printf;
mod value;

pub use error::{Error, SyntaxProblem};
pub use value::{Field, Struct, Value};

use parser::Node;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    nodes: Vec<Node>,
}

/// The layout of the function `json`'s output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// On one line, as docker's commands write it.
    Compact,
    /// Indented by two spaces, as `imagetools inspect` writes it.
    Indented,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the column; [`Error::UnknownFunction`] with the known functions.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self {
            nodes: parser::parse(text)?,
        })
    }

    /// Renders the template for a value.
    ///
    /// # Errors
    /// [`Error::UnknownField`] with the known fields; [`Error::Misuse`] if a function or `range`
    /// gets an argument that it does not support.
    pub fn render(&self, value: &Value, json: Json) -> Result<String, Error> {
        evaluate::render(&self.nodes, value, json)
    }

    /// True if the template uses the field `field`, or `.` as a whole. Callers skip costly data
    /// that no template uses.
    pub fn mentions(&self, field: &str) -> bool {
        self.nodes.iter().any(|node| node.mentions(field))
    }
}

#[cfg(test)]
mod tests;
