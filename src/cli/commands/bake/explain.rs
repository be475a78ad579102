//! `--explain`: the origin of an attribute's value.

use serde_json::Value;
use solvekit::bake::explain::{Query, QueryError, explain as trace};
use solvekit::bake::print;

use super::tools::Work;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_text;
use crate::cli::report::usage::BakeUsage;

/// Prints the value of an attribute, and its origin.
pub(super) fn explain(text: &str, work: &Work<'_>) -> Result<(), Failure> {
    let query = Query::parse(text, work.evaluation).map_err(|error| refused(text, &error))?;
    let plan = work.plan_of(std::slice::from_ref(&query.target))?;
    let value = match plan.targets.get(&query.target) {
        Some(target) => {
            let one = [(query.target.clone(), target.clone())].into();
            value(&print::plan_json(&Default::default(), &one), &query)
        }
        None => None,
    };
    let explanation = trace(
        work.evaluation,
        query,
        work.set,
        work.environment,
        work.files,
    );
    let query = &explanation.query;
    let shown = value.map_or_else(|| "not set".to_owned(), |value| value.to_string());
    print_text(&format!("{query} = {shown}\n{explanation}"))
}

/// The value of an attribute, as `--print` shows it.
fn value(json: &str, query: &Query) -> Option<Value> {
    let printed: Value = serde_json::from_str(json).ok()?;
    let attribute = printed
        .get("target")?
        .get(&query.target)?
        .get(&query.attribute)?;
    let value = match &query.key {
        Some(key) => attribute.get(key)?,
        None => attribute,
    };
    Some(value.clone())
}

fn refused(text: &str, error: &QueryError) -> Failure {
    let nearest = match error {
        QueryError::UnknownTarget { nearest, .. }
        | QueryError::UnknownAttribute { nearest, .. } => nearest.clone(),
        _ => None,
    };
    let (text, reason) = (text.to_owned(), error.to_string());
    BakeUsage::Explain {
        text,
        reason,
        nearest,
    }
    .into()
}
