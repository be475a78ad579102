//! Pushes by a Docker engine with Docker's older image store. Its exporter ignores `push=true`, so
//! the engine is asked to push the image after the build, as buildx does.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::{self, Client, Engine, registry_auth};
use crate::oci::Reference;
use crate::pipeline::request::output::is_by_digest;
use crate::pipeline::run::environment::Environment;
use crate::pipeline::run::push_retry::Repeats;
use crate::pipeline::{BuildRequest, Error, Output};
use crate::progress::{Step, Transfer};

/// The keys of an exporter's response.
const DIGEST: &str = "containerimage.digest";
const CONFIG_DIGEST: &str = "containerimage.config.digest";

/// The header's value without credentials, which engines require: `{}`.
const ANONYMOUS: &str = "e30=";

/// Pushes the images of outputs with `push=true` under all their names. The digest that the
/// registry has becomes the image's digest in `response`.
pub(in crate::pipeline) async fn push(
    client: &Client,
    request: &BuildRequest,
    outputs: &[Output],
    environment: &Environment,
    response: &mut BTreeMap<String, String>,
) -> Result<(), Error> {
    let Some(engine) = Engine::of(client) else {
        return Ok(());
    };
    let pushed = outputs
        .iter()
        .filter(|output| output.pushes() && !is_by_digest(&output.attributes));
    let mut digest = None;
    let mut repeats = Repeats::new(&environment.push_retries);
    for image in pushed.flat_map(|output| request.names(output)) {
        let pushed = push_repeatedly(&engine, &image, environment, &mut repeats);
        digest = digest.or(environment.unless_cancelled(pushed).await??);
    }
    if let Some(digest) = digest
        && let Some(before) = response.insert(DIGEST.to_owned(), digest)
    {
        // Older engines return the image's id, the digest of its config, in this key alone.
        response.entry(CONFIG_DIGEST.to_owned()).or_insert(before);
    }
    Ok(())
}

/// Pushes again after a transient failure, as often as is left for the build. Layers that the
/// registry has are not sent again.
async fn push_repeatedly(
    engine: &Engine,
    image: &Reference,
    environment: &Environment,
    repeats: &mut Repeats,
) -> Result<Option<String>, Error> {
    loop {
        let source = match push_one(engine, image, environment).await {
            Ok(digest) => return Ok(digest),
            Err(source) => source,
        };
        let Some(repeat) = repeats.after_push(&source) else {
            return Err(Error::EnginePush {
                image: image.clone(),
                source: Box::new(source),
            });
        };
        environment.note(repeat.note);
        tokio::time::sleep(repeat.wait).await;
    }
}

/// The path of the engine's API. The repository is complete, because the engine parses it again and
/// a short name can mean another registry.
fn push_path(image: &Reference) -> String {
    let tag = image.tag().unwrap_or_default();
    format!("/images/{}/push?tag={tag}", image.name())
}

/// Returns the digest of the pushed manifest, if the engine reports it.
async fn push_one(
    engine: &Engine,
    image: &Reference,
    environment: &Environment,
) -> Result<Option<String>, client::Error> {
    let auth = registry_auth(&environment.credentials, image).await;
    let auth = auth.as_deref().unwrap_or(ANONYMOUS);
    let path = push_path(image);
    let writer = environment.progress.as_ref();
    let mut shown = Shown {
        step: writer.map(|writer| writer.step(format!("pushing {image} with docker"))),
        layers: BTreeMap::new(),
        digest: None,
    };
    let pushed = engine
        .stream("push the image", &path, Some(auth), |line| {
            shown.line(&line)
        })
        .await;
    let digest = shown.digest.take();
    match pushed {
        Ok(()) => {
            shown.end(None);
            Ok(digest)
        }
        Err(source) => {
            shown.end(Some(&source.to_string()));
            Err(source)
        }
    }
}

/// The progress of a push, as the engine reports it: one JSON object per line.
struct Shown {
    step: Option<Step>,
    /// The layers that are being pushed, by their short ids.
    layers: BTreeMap<String, Transfer>,
    digest: Option<String>,
}

impl Shown {
    fn line(&mut self, line: &Value) -> Result<(), String> {
        if let Some(error) = line["error"].as_str() {
            return Err(error.to_owned());
        }
        if let Some(digest) = line["aux"]["Digest"].as_str() {
            self.digest = Some(digest.to_owned());
        }
        let (Some(id), Some(step)) = (line["id"].as_str(), &self.step) else {
            return Ok(());
        };
        let detail = &line["progressDetail"];
        if let Some(current) = detail["current"].as_u64() {
            let layer = self.layers.entry(id.to_owned());
            let layer = layer.or_insert_with(|| step.transfer(format!("pushing layer {id}")));
            layer.set_total(detail["total"].as_u64().unwrap_or_default());
            layer.set_current(current);
        } else if line["status"] == "Pushed" {
            self.layers.remove(id);
        }
        Ok(())
    }

    fn end(mut self, error: Option<&str>) {
        self.layers.clear();
        match (self.step.take(), error) {
            (Some(step), Some(error)) => step.fail(error),
            (Some(step), None) => step.done(),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_gets_the_complete_name() {
        for (image, path) in [
            ("alpine:3", "/images/docker.io/library/alpine/push?tag=3"),
            (
                "docker.io/amd7docker.io/9:x",
                "/images/docker.io/amd7docker.io/9/push?tag=x",
            ),
            ("r.example:5000/a", "/images/r.example:5000/a/push?tag="),
        ] {
            assert_eq!(push_path(&Reference::parse(image).unwrap()), path);
        }
    }
}
