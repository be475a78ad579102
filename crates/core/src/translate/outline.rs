//! The inputs of a build of a stage: arguments, secrets, SSH agents.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::arguments;
use super::error::Error;
use super::plan::Plan;
use super::scope::Scope;
use super::stage::Stages;
use crate::dockerfile::{ArgVariable, Span};

/// The inputs of a build of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The stage's name, if it has one.
    pub name: Option<String>,
    /// The description in the comment above the stage.
    pub description: Option<String>,
    /// Arguments that the stage or one of its dependencies uses, by line.
    pub args: Vec<OutlineArg>,
    /// Secrets, by line.
    pub secrets: Vec<OutlineItem>,
    /// SSH agents, by line.
    pub ssh: Vec<OutlineItem>,
}

/// An argument of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineArg {
    /// Its name.
    pub name: String,
    /// The current value; empty for none.
    pub value: String,
    /// The description in the comment above the ARG.
    pub description: Option<String>,
    /// The ARG that declares it.
    pub span: Span,
}

/// A secret or SSH agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineItem {
    /// Its id.
    pub name: String,
    /// True if the build fails without it.
    pub required: bool,
    /// The first RUN that mounts it.
    pub span: Span,
}

/// The inputs found in a stage so far; a child stage starts with those of its base.
#[derive(Clone, Debug, Default)]
pub(super) struct Captured {
    args: BTreeMap<String, Declared>,
    used: BTreeSet<String>,
    secrets: BTreeMap<String, OutlineItem>,
    ssh: BTreeMap<String, OutlineItem>,
}

/// An argument with the arguments that its default uses.
#[derive(Clone, Debug)]
struct Declared {
    arg: OutlineArg,
    uses: BTreeSet<String>,
}

impl Captured {
    /// Adds an ARG of the stage. One without a default keeps the global declaration, which says
    /// more.
    pub(super) fn arg(
        &mut self,
        variable: &ArgVariable,
        value: Option<&str>,
        inherited: bool,
        span: Span,
    ) {
        self.used.insert(variable.name.clone());
        if !inherited {
            self.args
                .insert(variable.name.clone(), Declared::new(variable, value, span));
        }
    }

    pub(super) fn secret(&mut self, id: &str, required: bool, span: Span) {
        self.secrets
            .entry(id.to_owned())
            .or_insert_with(|| item(id, required, span));
    }

    pub(super) fn ssh(&mut self, id: &str, required: bool, span: Span) {
        self.ssh
            .entry(id.to_owned())
            .or_insert_with(|| item(id, required, span));
    }
}

impl Declared {
    fn new(variable: &ArgVariable, value: Option<&str>, span: Span) -> Self {
        let arg = OutlineArg {
            name: variable.name.clone(),
            value: value.unwrap_or_default().to_owned(),
            description: variable.doc.clone(),
            span,
        };
        Self {
            arg,
            uses: BTreeSet::new(),
        }
    }
}

fn item(id: &str, required: bool, span: Span) -> OutlineItem {
    OutlineItem {
        name: id.to_owned(),
        required,
        span,
    }
}

/// Sets the initial inputs of every stage.
pub(super) fn begin(scope: &Scope<'_>, stages: &mut Stages<'_>) -> Result<(), Error> {
    let global = global(scope)?;
    for (id, written) in scope.dockerfile.stages.iter().enumerate() {
        let mut captured = match stages[id].base {
            Some(base) => stages[base].outline.as_deref().cloned().unwrap_or_default(),
            None => global.clone(),
        };
        if stages[id].replaced_by.is_none() {
            let words = [Some(&written.base), written.platform.as_ref()];
            for word in words.into_iter().flatten() {
                captured
                    .used
                    .extend(scope.lexer.expand(word, &scope.global_args)?.matched);
            }
        }
        stages[id].outline = Some(Box::new(captured));
    }
    Ok(())
}

/// Returns the arguments before the first FROM, with the arguments that their defaults use.
fn global(scope: &Scope<'_>) -> Result<Captured, Error> {
    let mut captured = Captured::default();
    let mut env = arguments::predefined(
        &scope.platforms,
        scope.target_name(),
        &scope.options.build_args,
    );
    for line in &scope.dockerfile.global_args {
        for variable in &line.args.variables {
            let name = &variable.name;
            let (value, mut uses) = match (scope.options.build_args.get(name), &variable.default) {
                (Some(value), _) => (Some(value.clone()), BTreeSet::new()),
                (None, Some(default)) => {
                    let expansion = scope.lexer.expand(default, &env)?;
                    (Some(expansion.text.into_owned()), expansion.matched)
                }
                (None, None) => (None, BTreeSet::new()),
            };
            // A default that extends the argument itself uses the arguments of the earlier
            // declaration.
            if uses.remove(name)
                && let Some(earlier) = captured.args.get(name)
            {
                uses.extend(earlier.uses.iter().cloned());
            }
            if let Some(value) = &value {
                env.set(name, value);
            }
            let declared = Declared {
                uses,
                ..Declared::new(variable, value.as_deref(), line.span)
            };
            captured.args.insert(name.clone(), declared);
        }
    }
    Ok(captured)
}

/// Returns the outline of the target: its own inputs, then its base's, then those of the stages
/// that it uses. For equal names the first one is kept.
pub(super) fn outline(plan: &Plan<'_>) -> Outline {
    let stage = &plan.stages[plan.target];
    let doc = plan
        .scope
        .dockerfile
        .stages
        .get(plan.target)
        .and_then(|written| written.doc.clone());
    let mut outline = Outline {
        name: stage.name.map(str::to_owned),
        description: doc,
        ..Outline::default()
    };
    let mut known = Known::default();
    let mut seen = vec![false; plan.stages.len()];
    let mut path = vec![plan.target];
    while let Some(id) = path.pop() {
        if std::mem::replace(&mut seen[id], true) {
            continue;
        }
        if let Some(captured) = &plan.stages[id].outline {
            outline.add(captured, &mut known);
        }
        path.extend(plan.stages[id].needs.iter().rev().map(|(need, _)| *need));
        path.extend(plan.stages[id].base);
    }
    outline.args.sort_by_key(|arg| arg.span.first);
    outline.secrets.sort_by_key(|secret| secret.span.first);
    outline.ssh.sort_by_key(|ssh| ssh.span.first);
    outline
}

/// The names that are already in the outline.
#[derive(Default)]
struct Known<'p> {
    args: HashSet<&'p str>,
    secrets: HashSet<&'p str>,
    ssh: HashSet<&'p str>,
}

impl Outline {
    fn add<'p>(&mut self, captured: &'p Captured, known: &mut Known<'p>) {
        for name in all_used(captured) {
            if let Some(declared) = captured.args.get(name)
                && known.args.insert(name)
            {
                self.args.push(declared.arg.clone());
            }
        }
        for (own, names, items) in [
            (&captured.secrets, &mut known.secrets, &mut self.secrets),
            (&captured.ssh, &mut known.ssh, &mut self.ssh),
        ] {
            let new = own.values().filter(|item| names.insert(&item.name));
            items.extend(new.cloned());
        }
    }
}

/// Returns the used arguments and those that their defaults use.
fn all_used(captured: &Captured) -> BTreeSet<&String> {
    let mut used = BTreeSet::new();
    let mut open: Vec<&String> = captured.used.iter().collect();
    while let Some(name) = open.pop() {
        if used.insert(name)
            && let Some(declared) = captured.args.get(name)
        {
            open.extend(&declared.uses);
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{LintConfig, Linter, parse_and_lint};
    use crate::translate::{Options, Outcome, Reason, ResolvedImages, outline, outline_and_lint};

    #[test]
    fn findings_fail_an_outline_if_the_dockerfile_says_so() {
        let source = b"# check=error=true\nFROM scratch AS a\nCOPY $X /\n";
        let mut linter = Linter::new(LintConfig::of_dockerfile(source).unwrap());
        let dockerfile = parse_and_lint(source, &mut linter).unwrap();
        let (options, images) = (Options::default(), ResolvedImages::new());
        let failed = outline_and_lint(&dockerfile, &options, &images, &mut linter).unwrap_err();
        assert!(matches!(*failed.reason, Reason::Lint { rules } if rules == ["UndefinedVar"]));
        assert!(outline(&dockerfile, &options, &images).is_ok());
    }

    #[test]
    fn arguments_of_needed_stages_are_listed_once() {
        let source = b"# B is used by A\nARG B=1\nARG A=$B\nARG UNUSED=2\nFROM scratch AS a\nARG \
            C\nFROM scratch\nARG A\nRUN --mount=type=secret,id=s,required x\nCOPY --from=a / /\n";
        let dockerfile = crate::dockerfile::parse(source).unwrap();
        let Ok(Outcome::Done(outline)) =
            outline(&dockerfile, &Options::default(), &ResolvedImages::new())
        else {
            panic!()
        };
        let names: Vec<_> = outline
            .args
            .iter()
            .map(|arg| (arg.name.as_str(), arg.value.as_str()))
            .collect();
        assert_eq!(names, [("B", "1"), ("A", "1"), ("C", "")]);
        assert_eq!(
            (
                outline.secrets[0].name.as_str(),
                outline.secrets[0].required
            ),
            ("s", true)
        );
    }
}
