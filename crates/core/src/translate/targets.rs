//! Named contexts that are stages of the same Dockerfile (`target:STAGE`): each is translated first, as if it were the target.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Error;
use super::images::ResolvedImages;
use super::lint::Lint;
use super::options::{NamedContext, Options};
use super::plan::{Purpose, go_through};
use super::reason::Reason;
use super::{Outcome, finish};
use crate::dockerfile::Dockerfile;

/// The options with what the stages become in place of their names. In such a stage the other contexts count, but no stages.
pub(super) fn with_stages<'o>(
    dockerfile: &Dockerfile,
    options: &'o Options,
    images: &ResolvedImages,
) -> Result<Outcome<Cow<'o, Options>>, Error> {
    let (stages, others): (BTreeMap<_, _>, BTreeMap<_, _>) = options
        .contexts
        .iter()
        .partition(|(_, context)| matches!(context, NamedContext::Stage(_)));
    if stages.is_empty() {
        return Ok(Outcome::Done(Box::new(Cow::Borrowed(options))));
    }
    let owned = |(name, context): (&String, &NamedContext)| (name.clone(), context.clone());
    let others: BTreeMap<String, NamedContext> = others.into_iter().map(owned).collect();
    let mut contexts = others.clone();
    let mut missing = Vec::new();
    for (name, context) in stages {
        let NamedContext::Stage(stage) = context else {
            continue;
        };
        let inner = Options {
            target: Some(stage.clone()),
            contexts: others.clone(),
            labels: BTreeMap::new(),
            ..options.clone()
        };
        let mut lint = Lint::new(None);
        let planned = go_through(dockerfile, &inner, images, &mut lint, Purpose::Build)
            .map_err(|error| unknown(error, name))?;
        match planned.and_then(finish::finish)? {
            Outcome::Done(made) => {
                let made = NamedContext::Target {
                    state: Box::new(made.state),
                    image: Some(Arc::new(made.image)),
                };
                contexts.insert(name.clone(), made);
            }
            Outcome::NeedsImages(images) => missing.extend(images),
            Outcome::NeedsTime(request) => return Ok(Outcome::NeedsTime(request)),
        }
    }
    if !missing.is_empty() {
        return Ok(Outcome::NeedsImages(missing));
    }
    Ok(Outcome::Done(Box::new(Cow::Owned(Options {
        contexts,
        ..options.clone()
    }))))
}

/// A stage that is not there is the context's mistake, not the target's.
fn unknown(error: Error, name: &str) -> Error {
    match *error.reason {
        Reason::UnknownTarget { .. } => Error::from(Reason::NamedContext {
            name: name.to_owned(),
            reason: error.reason.to_string(),
        }),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;
    use crate::translate::{Translation, translate};

    const FILE: &[u8] =
        b"FROM scratch AS data\nENV KEY=value\nCOPY a /a\nFROM base AS app\nCOPY --from=other /a /b\n";

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
        // The context, its copy in the stage, and the copy of that: the stage is there once for both names.
        assert_eq!(done.definition.vertices().len(), 3);
        assert!(done.image.config.env.contains(&"KEY=value".to_owned()));
    }

    #[test]
    fn a_stage_that_is_not_there_is_told_with_the_context() {
        let error = translated(&[("base", "target:dat"), ("other", "target:data")]).unwrap_err();
        let text = crate::causes::in_one_line(&error);
        assert!(text.contains("\"base\"") && text.contains("dat"), "{text}");
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
