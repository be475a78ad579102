//! Pulls an image into a Docker Engine and reports the progress.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::Value;

use super::{Boot, Error};
use crate::client::{Engine, registry_auth};
use crate::oci::Reference;

/// The interval of the reports about a layer.
const PULSE: Duration = Duration::from_secs(2);

/// Pulls an image. If that fails, an image that the engine has already is used.
pub(crate) async fn pull(engine: &Engine, image: &Reference, boot: &Boot<'_>) -> Result<(), Error> {
    let say = boot.say;
    let image = image.clone().with_default_tag();
    let shown = image.familiar();
    let tag = match (image.digest(), image.tag()) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => tag.unwrap_or("latest").to_owned(),
    };
    let path = format!("/images/create?fromImage={}&tag={tag}", image.name());
    let auth = match boot.credentials {
        Some(credentials) => registry_auth(credentials, &image).await,
        None => None,
    };
    let mut layers = Layers::new(say);
    let pull = engine.stream("pull the image", &path, auth.as_deref(), |line| {
        layers.line(&line)
    });
    let pulled = step(say, &format!("pulling image {shown}"), async {
        Ok(pull.await?)
    })
    .await;
    let Err(error) = pulled else {
        return Ok(());
    };
    let path = format!("/images/{image}/json");
    match engine
        .call("look at the image", Method::GET, &path, None)
        .await
    {
        Ok(_) => {
            say(&format!("#1 using local image {shown}"));
            Ok(())
        }
        Err(_) => Err(error),
    }
}

/// Reports the start and the end of a step.
pub(super) async fn step<T>(
    say: &(dyn Fn(&str) + Sync),
    name: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let began = Instant::now();
    say(&format!("#1 {name}"));
    let done = work.await;
    let how = if done.is_ok() { "done" } else { "failed" };
    say(&format!(
        "#1 {name} {:.1}s {how}",
        began.elapsed().as_secs_f64()
    ));
    done
}

/// The progress of a pull: one line per layer now and then.
struct Layers<'a> {
    say: &'a (dyn Fn(&str) + Sync),
    reported: Instant,
}

impl<'a> Layers<'a> {
    fn new(say: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self {
            say,
            reported: Instant::now(),
        }
    }

    fn line(&mut self, line: &Value) -> Result<(), String> {
        if let Some(error) = line["error"].as_str() {
            return Err(error.to_owned());
        }
        let (Some(id), Some(status)) = (line["id"].as_str(), line["status"].as_str()) else {
            return Ok(());
        };
        let detail = &line["progressDetail"];
        let size = match (detail["current"].as_u64(), detail["total"].as_u64()) {
            (Some(current), Some(total)) if total > 0 => {
                format!(" {:.1}MB / {:.1}MB", megabytes(current), megabytes(total))
            }
            _ => String::new(),
        };
        let is_end = status == "Pull complete";
        if is_end || (!size.is_empty() && self.reported.elapsed() >= PULSE) {
            self.reported = Instant::now();
            (self.say)(&format!("#1 {id}: {}{size}", status.to_lowercase()));
        }
        Ok(())
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
