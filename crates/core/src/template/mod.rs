//! Templates in the language of Go's `text/template`, as `--format` takes them.
//!
//! What people use of it is here: fields (`.Manifest.Digest`), variables, pipelines, parentheses,
//! `if`, `range`, `with`, `break`, `continue`, comments, `{{-` and `-}}`, the comparing and
//! printing functions of Go, and `json`, `join`, `split`, `lower`, `upper`, `title`, `pad` and
//! `truncate` of docker's commands. Definitions of further templates are not.
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

pub use error::Error;
pub use value::{Field, Struct, Value};

use parser::Node;

/// A template that was read.
#[derive(Debug, Clone)]
pub struct Template {
    nodes: Vec<Node>,
}

/// How the function `json` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// In one line, as docker's commands do.
    Compact,
    /// Indented by two spaces, as `imagetools inspect` does.
    Indented,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the place; [`Error::UnknownFunction`] with the functions that there
    /// are.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self {
            nodes: parser::parse(text)?,
        })
    }

    /// The text that the template makes of a value.
    ///
    /// # Errors
    /// [`Error::UnknownField`] with the fields that there are; [`Error::Misuse`] when a function or
    /// `range` gets what it cannot work with.
    pub fn render(&self, value: &Value, json: Json) -> Result<String, Error> {
        evaluate::render(&self.nodes, value, json)
    }

    /// Whether the template names a field anywhere: what is dear to get need not be got when
    /// nothing does.
    pub fn mentions(&self, field: &str) -> bool {
        self.nodes.iter().any(|node| node.mentions(field))
    }
}

#[cfg(test)]
mod tests;
