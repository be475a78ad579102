//! ENV, ARG and LABEL.

use std::borrow::Cow;

use super::super::error::Error;
use super::super::stage::Layer;
use super::Step;
use crate::dockerfile::{ArgInstruction, EnvInstruction, KeyValue, LabelInstruction};

/// ARGs that configure the builder and are not part of the environment.
pub(super) const NOT_IN_ENVIRONMENT: [&str; 2] =
    ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/// Sets variables in the environment and the config. All words are expanded with the environment
/// before the line.
pub(super) fn env(step: &mut Step<'_, '_, '_>, env: &EnvInstruction) -> Result<(), Error> {
    let pairs = expand_pairs(step, &env.pairs)?;
    let mut text = history(
        "ENV",
        pairs.iter().map(|(key, value)| key.len() + value.len()),
    );
    for (pair, (key, value)) in env.pairs.iter().zip(&pairs) {
        legacy(step, pair);
        step.lint(|linter, instruction| linter.secret_in_variable(instruction, "ENV", key));
        push_assignment(&mut text, key, Some(value));
        step.stage.update(|state| state.with_env(key, value));
        step.stage.set_env(key, value);
    }
    step.commit(text, Layer::None);
    Ok(())
}

/// Sets labels.
pub(super) fn label(step: &mut Step<'_, '_, '_>, label: &LabelInstruction) -> Result<(), Error> {
    let pairs = expand_pairs(step, &label.pairs)?;
    let mut text = history(
        "LABEL",
        pairs.iter().map(|(key, value)| key.len() + value.len()),
    );
    for (pair, (key, value)) in label.pairs.iter().zip(pairs) {
        legacy(step, pair);
        push_assignment(&mut text, &key, Some(&value));
        step.stage
            .image_mut()
            .config
            .labels
            .insert(key.into_owned(), value.into_owned());
    }
    step.commit(text, Layer::None);
    Ok(())
}

fn legacy(step: &mut Step<'_, '_, '_>, pair: &KeyValue) {
    if pair.legacy {
        step.lint(|linter, instruction| {
            linter.legacy_key_value(instruction, instruction.keyword())
        });
    }
}

type Pairs<'p> = Vec<(Cow<'p, str>, Cow<'p, str>)>;

fn expand_pairs<'p>(
    step: &mut Step<'_, '_, '_>,
    pairs: &'p [KeyValue],
) -> Result<Pairs<'p>, Error> {
    let mut expanded = Vec::with_capacity(pairs.len());
    for pair in pairs {
        expanded.push((step.expand(&pair.key)?, step.expand(&pair.value)?));
    }
    Ok(expanded)
}

/// Returns the beginning of a history entry, with room for assignments of these sizes.
fn history(keyword: &str, sizes: impl Iterator<Item = usize>) -> String {
    let size: usize = sizes.map(|size| size + 2).sum();
    let mut text = String::with_capacity(keyword.len() + size.max(32));
    text.push_str(keyword);
    text
}

fn push_assignment(text: &mut String, key: &str, value: Option<&str>) {
    text.push(' ');
    text.push_str(key);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

/// Declares arguments. The value is the build argument, else the default, else the value from
/// before the first FROM.
pub(super) fn arg(step: &mut Step<'_, '_, '_>, arg: &ArgInstruction) -> Result<(), Error> {
    let sizes = arg.variables.iter().map(|variable| {
        let default = variable.default.as_deref().unwrap_or_default();
        variable.name.len() + default.len()
    });
    let mut text = history("ARG", sizes);
    for variable in &arg.variables {
        let name = &variable.name;
        let escape = step.scope.dockerfile.directives.escape;
        step.lint(|linter, instruction| {
            linter.unexpanded_arg_name(instruction, name, escape);
            linter.secret_in_variable(instruction, "ARG", name);
        });
        let value = match (step.scope.build_arg(name), &variable.default) {
            (Some(given), _) => Some(given.to_owned()),
            (None, Some(default)) => Some(step.expand(default)?.into_owned()),
            (None, None) => step.scope.global_args.get(name).map(str::to_owned),
        };
        if let Some(value) = &value
            && !NOT_IN_ENVIRONMENT.contains(&name.as_str())
        {
            step.stage.update(|state| state.with_env(name, value));
        }
        if let Some(outline) = &mut step.stage.outline {
            let given = step.scope.build_arg(name).is_some() || variable.default.is_some();
            let inherited = !given && value.is_some();
            outline.arg(variable, value.as_deref(), inherited, step.instruction.span);
        }
        push_assignment(&mut text, name, value.as_deref());
        step.stage.args.push(name, value);
    }
    step.commit(text, Layer::None);
    Ok(())
}
