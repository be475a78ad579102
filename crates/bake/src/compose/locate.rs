//! Makes the paths of a tree relative to the working directory.

use super::{
    canonical::wrong_type,
    path::Path,
    yaml::{Map, Node, Value},
};
use crate::{diagnostic::Diagnostic, filepath};

#[derive(Clone, Copy)]
enum Kind {
    /// A folder, or any other kind of context.
    Context,
    /// A path; null and other types are unchanged.
    MaybePath,
    /// A path, which must be text.
    Path,
}

const PATHS: &[(&[&str], Kind)] = &[
    (&["services", "*", "build", "context"], Kind::Context),
    (
        &["services", "*", "build", "additional_contexts", "*"],
        Kind::Context,
    ),
    (&["services", "*", "build", "ssh", "*"], Kind::MaybePath),
    (&["services", "*", "env_file", "*", "path"], Kind::Path),
    (&["services", "*", "label_file", "*"], Kind::Path),
    (&["services", "*", "extends", "file"], Kind::Path),
    (
        &["services", "*", "develop", "watch", "*", "path"],
        Kind::Path,
    ),
    (&["configs", "*", "file"], Kind::MaybePath),
    (&["secrets", "*", "file"], Kind::MaybePath),
];

/// Prepends `folder` to every relative path; `~` becomes the home directory.
pub(super) fn resolve(root: &mut Map, folder: &str, home: Option<&str>) -> Result<(), Diagnostic> {
    let resolver = Resolver { folder, home };
    root.iter_mut()
        .try_for_each(|(name, node)| resolver.walk(node, &Path::ROOT.next(name)))
}

struct Resolver<'a> {
    folder: &'a str,
    home: Option<&'a str>,
}

impl Resolver<'_> {
    fn walk(&self, node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
        if let Some((_, kind)) = PATHS.iter().find(|(pattern, _)| path.matches(pattern)) {
            return self.apply(*kind, node, path);
        }
        match &mut node.value {
            Value::Map(map) => map
                .iter_mut()
                .try_for_each(|(name, node)| self.walk(node, &path.next(name))),
            Value::List(items) => items
                .iter_mut()
                .try_for_each(|node| self.walk(node, &path.next(super::path::ITEM))),
            _ => Ok(()),
        }
    }

    fn apply(&self, kind: Kind, node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
        let text = match (kind, &node.value) {
            (_, Value::Text(text)) => text,
            (Kind::MaybePath, _) => return Ok(()),
            _ => return Err(wrong_type(node, path, "text")),
        };
        let located = match kind {
            Kind::Context if is_elsewhere(text) => text.clone(),
            Kind::Context | Kind::Path if text.is_empty() => String::new(),
            _ => self.locate(text),
        };
        node.value = Value::Text(located);
        Ok(())
    }

    fn locate(&self, text: &str) -> String {
        let expanded = match (text.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) => filepath::join(home, rest),
            _ => text.to_owned(),
        };
        if filepath::is_absolute(&expanded) || is_windows_absolute(&expanded) {
            expanded
        } else {
            filepath::join(self.folder, &expanded)
        }
    }
}

/// True for a context that is not a local folder.
fn is_elsewhere(context: &str) -> bool {
    const REMOTE: [&str; 6] = [
        "https://",
        "http://",
        "git://",
        "ssh://",
        "github.com/",
        "git@",
    ];
    context.contains("://")
        || context.starts_with("service:")
        || REMOTE.iter().any(|prefix| context.starts_with(prefix))
}

/// True for `C:\x`, `C:/x` and `\\host\share`.
fn is_windows_absolute(path: &str) -> bool {
    let mut symbols = path.chars();
    let drive = symbols
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && symbols.next() == Some(':')
        && matches!(symbols.next(), Some('\\' | '/'));
    drive || path.starts_with("\\\\")
}

#[cfg(test)]
mod tests {
    use super::{super::yaml::documents, *};

    #[test]
    fn only_local_paths_move() {
        let text = "
services:
  s:
    build:
      context: ./x
      additional_contexts: {a: ../y, b: docker-image://alpine, c: 'service:t', d: /abs}
      ssh: {default: , key: ~/.ssh/id}
secrets: {s: {file: token}}
";
        let mut root = documents("f", text).unwrap().remove(0).root;
        resolve(root.as_map_mut().unwrap(), "sub", Some("/home/me")).unwrap();
        assert_eq!(
            root.value.to_string(),
            "map[secrets:map[s:map[file:sub/token]] services:map[s:map[build:map[\
             additional_contexts:map[a:y b:docker-image://alpine c:service:t d:/abs] \
             context:sub/x ssh:map[default:<nil> key:/home/me/.ssh/id]]]]]"
        );
    }

    #[test]
    fn a_context_must_be_text() {
        let mut root = documents("f", "services: {s: {build: {context: 5}}}")
            .unwrap()
            .remove(0);
        let error = resolve(root.root.as_map_mut().unwrap(), "", None).unwrap_err();
        assert_eq!(
            error.message,
            "services.s.build.context must be text, not a number"
        );
    }
}
