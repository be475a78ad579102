//! Starts the container: pulls the image, creates and starts the container, and waits until its
//! BuildKit answers.

use std::time::{Duration, Instant};

use http::Method;

use super::Container;
use crate::builder::pull::pull;
use crate::builder::{Boot, Driver, Error, OptionProblem, Status};
use crate::client::{self, Engine};
use crate::oci::Reference;

/// The number of attempts to connect to a started daemon; the pauses grow to 1.8 s.
const ATTEMPTS: u32 = 15;

impl Container {
    /// Makes sure that the container runs, and reports each step.
    pub(in crate::builder) async fn boot(&self, boot: &Boot<'_>) -> Result<(), Error> {
        let status = self.status().await?;
        if status == Status::Running {
            return Ok(());
        }
        let lines = boot.lines();
        let began = Instant::now();
        lines.say("[internal] booting buildkit");
        let engine = self.engine().await?;
        if status == Status::Inactive {
            pull(&engine, &self.image()?, boot.credentials, lines).await?;
            let creating = format!("creating container {}", self.name);
            let create = self.create(&engine, true, boot.workflow);
            lines.step(&creating, create).await?;
        }
        let start = async {
            self.start(&engine, boot.workflow).await?;
            self.wait(&engine).await
        };
        let starting = format!("starting container {}", self.name);
        lines.step(&starting, start).await?;
        lines.say(&format!("DONE {:.1}s", began.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Starts the container. If the engine lacks `docker-init`, recreates it without.
    async fn start(&self, engine: &Engine, workflow: Option<&[u8]>) -> Result<(), Error> {
        let path = format!("/containers/{}/start", self.name);
        let what = self.what("start");
        match engine.call(&what, Method::POST, &path, None).await {
            Err(client::Error::Engine { message, .. }) if message.contains("docker-init") => {
                self.remove(true).await?;
                self.create(engine, false, workflow).await?;
                engine.call(&what, Method::POST, &path, None).await?;
                Ok(())
            }
            started => Ok(started.map(drop)?),
        }
    }

    fn image(&self) -> Result<Reference, Error> {
        let image = &self.options.image;
        Reference::parse(image).map_err(|error| Error::InvalidOption {
            driver: Driver::DockerContainer,
            option: "image".to_owned(),
            value: image.clone(),
            source: OptionProblem::Image(error),
        })
    }

    async fn wait(&self, engine: &Engine) -> Result<(), Error> {
        let mut output = String::new();
        for attempt in 1..=ATTEMPTS {
            match engine
                .run(&self.name, &["buildctl", "debug", "workers"])
                .await
            {
                Ok((0, _)) => return Ok(()),
                Ok((_, printed)) => output = printed,
                Err(error) => output = crate::causes::in_one_line(&error),
            }
            tokio::time::sleep(Duration::from_millis(120) * attempt).await;
        }
        let log = self.log(engine).await;
        Err(Error::NotStarted {
            name: self.name.clone(),
            output: format!("{}\n{}", output.trim(), log.trim())
                .trim()
                .to_owned(),
        })
    }

    /// Returns the end of the daemon's log.
    async fn log(&self, engine: &Engine) -> String {
        let path = format!("/containers/{}/logs?stdout=1&stderr=1&tail=20", self.name);
        let answer = engine
            .call(&self.what("read the log of"), Method::GET, &path, None)
            .await;
        let bytes = answer.map(|answer| answer.body).unwrap_or_default();
        // Each line has an 8-byte header, which starts with control characters.
        let text: String = String::from_utf8_lossy(&bytes)
            .chars()
            .filter(|c| *c == '\n' || !crate::text::is_unprintable(*c))
            .collect();
        text
    }
}
