//! Named contexts that are stages of the same Dockerfile (`target:STAGE`): each used stage is
//! translated as if it were the target.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Error;
use super::images::Needs;
use super::lint::Lint;
use super::named_context::Loaded;
use super::options::{NamedContext, Options};
use super::plan::{Purpose, go_through};
use super::problem::ContextProblem;
use super::reason::Reason;
use super::scope::Scope;
use super::{Outcome, finish};
use crate::llb::State;
use crate::oci::Image;

/// Stages that were translated for contexts, by name.
pub(super) type MadeStages = BTreeMap<String, (State, Arc<Image>)>;

/// Translates the stage. It sees the other named contexts, but not those that are stages.
pub(super) fn load(scope: &Scope<'_>, name: &str, stage: &str) -> Result<Loaded, Error> {
    let ready = |(state, image): (State, Arc<Image>)| Loaded::Ready {
        state,
        image: Some(image),
        pending: None,
    };
    if let Some(made) = scope.made_stages.borrow().get(stage) {
        return Ok(ready(made.clone()));
    }
    let contexts = scope.options.contexts.iter();
    let others = contexts.filter(|(_, context)| !matches!(context, NamedContext::Stage(_)));
    let options = Options {
        target: Some(stage.to_owned()),
        contexts: others
            .map(|(name, context)| (name.clone(), context.clone()))
            .collect(),
        labels: BTreeMap::new(),
        ..scope.options.clone()
    };
    let planned = go_through(
        scope.dockerfile,
        &options,
        scope.images,
        &mut Lint::new(None),
        Purpose::Build,
    );
    let planned = planned.map_err(|error| unknown(error, name))?;
    match planned.and_then(finish::finish)? {
        Outcome::Done(done) => {
            let made = (done.state, Arc::new(done.image));
            let mut known = scope.made_stages.borrow_mut();
            known.insert(stage.to_owned(), made.clone());
            Ok(ready(made))
        }
        Outcome::NeedsImages(requests) => Ok(Loaded::Needs(Needs::Images(requests))),
        Outcome::NeedsTime(request) => Ok(Loaded::Needs(Needs::Time(request))),
    }
}

/// An unknown stage is an error of the context, not of the target.
fn unknown(error: Error, name: &str) -> Error {
    match *error.reason {
        Reason::UnknownTarget { .. } => Error::from(Reason::NamedContext {
            name: name.to_owned(),
            reason: ContextProblem::Stage(error.reason),
        }),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;
    use crate::translate::{ResolvedImages, Translation, translate};

    const FILE: &[u8] =
        b"FROM scratch AS data\nENV KEY=value\nCOPY a /a\nFROM base AS app\nCOPY --from=other /a \
            /b\n";

    fn translated(contexts: &[(&str, &str)]) -> Result<Translation, Error> {
        let contexts = contexts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), NamedContext::from_specifier(text)));
        let options = Options {
            contexts: contexts.collect(),
            ..Options::default()
        };
        let parsed = dockerfile::parse(FILE).unwrap();
        match translate(&parsed, &options, &ResolvedImages::new())? {
            Outcome::Done(done) => Ok(*done),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stage_stands_for_an_image_and_for_a_source() {
        let done = translated(&[("base", "target:data"), ("other", "target:data")]).unwrap();
        // The context, its copy in the stage, and the copy of that: both names share one stage.
        assert_eq!(done.definition.vertices().len(), 3);
        assert!(done.image.config.env.contains(&"KEY=value".to_owned()));
    }

    #[test]
    fn a_stage_that_is_not_there_is_reported_with_the_context() {
        let error = translated(&[("base", "target:dat"), ("other", "target:data")]).unwrap_err();
        let text = crate::causes::in_one_line(&error);
        assert!(text.contains("\"base\"") && text.contains("dat"), "{text}");
    }

    #[test]
    fn a_stage_that_nothing_uses_is_not_looked_at() {
        let contexts = [
            ("base", "target:data"),
            ("other", "target:data"),
            ("unused", "target:not-there"),
        ];
        let done = translated(&contexts).unwrap();
        assert_eq!(done.definition.vertices().len(), 3);
    }

    #[test]
    fn inside_such_a_stage_the_names_are_those_of_images_again() {
        let contexts = BTreeMap::from([("base".to_owned(), NamedContext::Stage("app".to_owned()))]);
        let options = Options {
            contexts,
            ..Options::default()
        };
        let parsed = dockerfile::parse(FILE).unwrap();
        let outcome = translate(&parsed, &options, &ResolvedImages::new()).unwrap();
        let Outcome::NeedsImages(requests) = outcome else {
            panic!("nothing is needed")
        };
        let names: Vec<_> = requests
            .iter()
            .map(|request| request.reference.familiar())
            .collect();
        assert_eq!(names, ["base:latest", "other:latest"]);
    }
}
