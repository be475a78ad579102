//! Pulls an image into a Docker Engine and reports the progress.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::Value;

use super::{Error, Lines};
use crate::client::{Engine, registry_auth};
use crate::oci::Reference;
use crate::registry::Credentials;

/// The interval of the reports about a layer.
const PULSE: Duration = Duration::from_secs(2);

/// Pulls an image. If that fails, an image that the engine has already is used.
pub(crate) async fn pull(
    engine: &Engine,
    image: &Reference,
    credentials: Option<&Credentials>,
    lines: Lines<'_>,
) -> Result<(), Error> {
    let image = image.clone().with_default_tag();
    let shown = image.familiar();
    let tag = match (image.digest(), image.tag()) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => tag.unwrap_or("latest").to_owned(),
    };
    let path = format!("/images/create?fromImage={}&tag={tag}", image.name());
    let auth = match credentials {
        Some(credentials) => registry_auth(credentials, &image).await,
        None => None,
    };
    let mut layers = Layers::new(lines);
    let pull = engine.stream("pull the image", &path, auth.as_deref(), |line| {
        layers.line(&line)
    });
    let pulling = format!("pulling image {shown}");
    let pulled = lines.step(&pulling, async { Ok(pull.await?) }).await;
    let Err(error) = pulled else {
        return Ok(());
    };
    let path = format!("/images/{image}/json");
    match engine
        .call("look at the image", Method::GET, &path, None)
        .await
    {
        Ok(_) => {
            lines.say(&format!("using local image {shown}"));
            Ok(())
        }
        Err(_) => Err(error),
    }
}

/// The progress of a pull: one line per layer now and then.
struct Layers<'a> {
    lines: Lines<'a>,
    reported: Instant,
}

impl<'a> Layers<'a> {
    fn new(lines: Lines<'a>) -> Self {
        Self {
            lines,
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
            let status = status.to_lowercase();
            self.lines.say(&format!("{id}: {status}{size}"));
        }
        Ok(())
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
