//! Starting the container: the image is pulled, the container made and started, and waited for until its BuildKit answers.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE as BASE64};
use http::Method;
use serde_json::{Value, json};

use super::Container;
use crate::builder::{Boot, Driver, Error, Status};
use crate::client::{self, Engine};
use crate::oci::Reference;

/// How often a daemon that has just been started is asked; the pauses grow to 1.8 s.
const ATTEMPTS: u32 = 15;
/// How often a layer's progress is told.
const PULSE: Duration = Duration::from_secs(2);

impl Container {
    /// Makes sure that it runs, telling each step.
    pub(in crate::builder) async fn boot(&self, boot: &Boot<'_>) -> Result<(), Error> {
        let status = self.status().await?;
        if status == Status::Running {
            return Ok(());
        }
        let say = boot.say;
        let began = Instant::now();
        say("#1 [internal] booting buildkit");
        let engine = self.engine().await?;
        if status == Status::Inactive {
            self.pull(&engine, boot).await?;
            let creating = format!("creating container {}", self.name);
            step(say, &creating, self.create(&engine, true)).await?;
        }
        let start = async {
            self.start(&engine).await?;
            self.wait(&engine).await
        };
        step(say, &format!("starting container {}", self.name), start).await?;
        say(&format!("#1 DONE {:.1}s", began.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Starts it; anew without `docker-init` on an engine that lacks it.
    async fn start(&self, engine: &Engine) -> Result<(), Error> {
        let path = format!("/containers/{}/start", self.name);
        let what = self.what("start");
        match engine.call(&what, Method::POST, &path, None).await {
            Err(client::Error::Engine { message, .. }) if message.contains("docker-init") => {
                self.remove(true).await?;
                self.create(engine, false).await?;
                engine.call(&what, Method::POST, &path, None).await?;
                Ok(())
            }
            started => Ok(started.map(drop)?),
        }
    }

    /// Pulls the image; one that the engine has is good enough when it cannot be pulled.
    async fn pull(&self, engine: &Engine, boot: &Boot<'_>) -> Result<(), Error> {
        let say = boot.say;
        let image = &self.options.image;
        let reference = Reference::parse(image).map_err(|error| Error::InvalidOption {
            driver: Driver::DockerContainer,
            option: "image".to_owned(),
            value: image.clone(),
            reason: error.to_string(),
        })?;
        let reference = reference.with_default_tag();
        let tag = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let path = format!("/images/create?fromImage={}&tag={tag}", reference.name());
        let auth = header(boot, &reference).await;
        let mut layers = Layers::new(say);
        let pull = engine.stream("pull the image", &path, auth.as_deref(), |line| {
            layers.line(&line)
        });
        let pulled = step(say, &format!("pulling image {image}"), async {
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
                say(&format!("#1 using local image {image}"));
                Ok(())
            }
            Err(_) => Err(error),
        }
    }

    async fn wait(&self, engine: &Engine) -> Result<(), Error> {
        let mut said = String::new();
        for attempt in 1..=ATTEMPTS {
            match engine
                .run(&self.name, &["buildctl", "debug", "workers"])
                .await
            {
                Ok((0, _)) => return Ok(()),
                Ok((_, output)) => said = output,
                Err(error) => said = crate::causes::in_one_line(&error),
            }
            tokio::time::sleep(Duration::from_millis(120) * attempt).await;
        }
        let log = self.log(engine).await;
        Err(Error::NotStarted {
            name: self.name.clone(),
            said: format!("{}\n{}", said.trim(), log.trim()).trim().to_owned(),
        })
    }

    /// The end of what the daemon has written.
    async fn log(&self, engine: &Engine) -> String {
        let path = format!("/containers/{}/logs?stdout=1&stderr=1&tail=20", self.name);
        let answer = engine
            .call(&self.what("read the log of"), Method::GET, &path, None)
            .await;
        let bytes = answer.map(|answer| answer.body).unwrap_or_default();
        // Each line has a header of eight bytes, of which the first are no text.
        let text: String = String::from_utf8_lossy(&bytes)
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect();
        text
    }
}

/// Tells the beginning and the end of a step.
async fn step<T>(
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

/// The engine's header with what the user is known by at the registry; a registry that he is not known at may not ask.
async fn header(boot: &Boot<'_>, image: &Reference) -> Option<String> {
    let known = boot
        .credentials?
        .get_for(image.domain(), image.path())
        .await;
    let known = known.ok().filter(|known| !known.is_anonymous())?;
    let object = match known.identity_token.expose() {
        "" => json!({
            "username": known.username,
            "password": known.password.expose(),
            "serveraddress": image.domain(),
        }),
        token => json!({"identitytoken": token, "serveraddress": image.domain()}),
    };
    Some(BASE64.encode(object.to_string()))
}

/// The progress of a pull: one line for each layer now and then.
struct Layers<'a> {
    say: &'a (dyn Fn(&str) + Sync),
    told: Instant,
}

impl<'a> Layers<'a> {
    fn new(say: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self {
            say,
            told: Instant::now(),
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
        if is_end || (!size.is_empty() && self.told.elapsed() >= PULSE) {
            self.told = Instant::now();
            (self.say)(&format!("#1 {id}: {}{size}", status.to_lowercase()));
        }
        Ok(())
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
