//! Rewrites a policy's text before it runs, without moving lines, so that the evaluation can be
//! observed. If a field may be unknown, `X.labels` becomes `__solvekit_read(X, "labels")`, which
//! records the read; elements that rules add to sets carry their line; functions that could exhaust
//! the memory are replaced by bounded ones. The reference uses partial evaluation for this, which
//! regorus does not have.

use regorus::unstable::{Expr, Module};

use crate::field;
use crate::walk::{self, Visitor};

/// Reads a field and records it.
pub(crate) const READ: &str = "__solvekit_read";
/// Returns a message and records its line.
pub(crate) const MESSAGE: &str = "__solvekit_message";

/// Functions of regorus that panic or use memory without limit, with their replacements.
pub(crate) const BOUNDED: &[(&str, &str)] = &[
    ("numbers.range", "__solvekit_range"),
    ("numbers.range_step", "__solvekit_range_step"),
    ("bits.lsh", "__solvekit_lsh"),
    ("sprintf", "__solvekit_sprintf"),
    ("strings.count", "__solvekit_count"),
    ("object.subset", "__solvekit_subset"),
];

/// A replacement of a range of bytes.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

/// Returns the text to run.
pub(crate) fn rewrite(module: &Module, text: &str) -> String {
    let mut edits = Edits {
        text,
        aliases: aliases(module),
        edits: Vec::new(),
    };
    walk::module(module, &mut edits);
    apply(text, edits.edits)
}

/// Returns the names under which the module imports documents.
pub(crate) fn aliases(module: &Module) -> Vec<(String, Vec<String>)> {
    let imports = module.imports.iter();
    imports
        .filter_map(|import| {
            let path = walk::path(&import.refr)?;
            let name = match &import.r#as {
                Some(alias) => alias.text().to_owned(),
                None => path.last()?.clone(),
            };
            Some((name, path))
        })
        .collect()
}

struct Edits<'a> {
    text: &'a str,
    aliases: Vec<(String, Vec<String>)>,
    edits: Vec<Edit>,
}

impl Edits<'_> {
    fn put(&mut self, start: u32, end: u32, text: String) {
        let (start, end) = (start as usize, end as usize);
        self.edits.push(Edit { start, end, text });
    }

    /// True if the expression is a part of the loaded modules rather than of a value.
    fn is_document(&self, base: &Expr) -> bool {
        walk::root(base).is_some_and(|root| {
            root == "data"
                || self
                    .aliases
                    .iter()
                    .any(|(name, path)| name == root && path.first().is_some_and(|p| p == "data"))
        })
    }

    fn read(&mut self, whole: &Expr, base: &Expr, field: &str) {
        if !field::may_be_unknown(field) || self.is_document(base) {
            return;
        }
        let (span, base) = (whole.span(), base.span());
        self.put(span.start, span.start, format!("{READ}("));
        self.put(base.end, span.end, format!(", \"{field}\")"));
    }
}

impl Visitor for Edits<'_> {
    fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::RefDot { refr, field, .. } => self.read(expression, refr, field.0.text()),
            Expr::RefBrack { refr, index, .. } => {
                if let Some(field) = walk::string(index) {
                    self.read(expression, refr, &field);
                }
            }
            Expr::Call { fcn, .. } => {
                let name = walk::path(fcn).map(|words| words.join("."));
                let bounded = BOUNDED
                    .iter()
                    .find(|(from, _)| Some(*from) == name.as_deref());
                if let Some((_, bounded)) = bounded {
                    let span = fcn.span();
                    self.put(span.start, span.end, (*bounded).to_owned());
                }
            }
            _ => {}
        }
    }

    fn set_key(&mut self, key: &Expr) {
        let quote = match key {
            Expr::String { .. } | Expr::RawString { .. } => 1,
            Expr::Var { .. } | Expr::Call { .. } => 0,
            _ => return,
        };
        let span = key.span();
        let (Some(start), Some(end)) = (
            span.start.checked_sub(quote),
            span.end
                .checked_add(quote)
                .filter(|end| *end as usize <= self.text.len()),
        ) else {
            return;
        };
        let file = serde_json::Value::from(span.source.file().as_str());
        self.put(start, start, format!("{MESSAGE}({file}, {}, ", span.line));
        self.put(end, end, ")".to_owned());
    }
}

/// Applies the edits to the text. Edits at the same position stay in their order.
fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    // Of openings at one position, the outer one was added first. Closings at one position cannot
    // occur.
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let mut out = String::with_capacity(text.len() + edits.len() * 24);
    let mut place = 0;
    for edit in edits {
        let (Some(kept), true) = (text.get(place..edit.start), text.is_char_boundary(edit.end))
        else {
            continue;
        };
        out.push_str(kept);
        out.push_str(&edit.text);
        place = edit.end;
    }
    out.push_str(text.get(place..).unwrap_or_default());
    out
}
