//! Generates SBOMs: a scanner image runs on each platform's result, and its output is exported with
//! the image as an attestation.
//!
//! The protocol is BuildKit's. The scanner finds the result under `BUILDKIT_SCAN_SOURCE`, further
//! stages and the context under `BUILDKIT_SCAN_SOURCE_EXTRAS`, and writes in-toto statements to
//! `BUILDKIT_SCAN_DESTINATION`.

use std::sync::Arc;

use super::{Error, ScannerProblem, Setting};
use crate::gateway::{self, Attestation, AttestationKind, Bridge, ImageQuery, Ref, SolveOptions};
use crate::llb::{self, CapSet, Constraints, Exec, MarshalOptions, Mount, ResolveMode, State};
use crate::oci::{Image, Platform};
use crate::translate::{Sbom, Translation};

/// The folder of the scanned result.
const SOURCE: &str = "/run/src/core/sbom";
/// The folder of further stages and the context.
const EXTRAS: &str = "/run/src/extras/";
/// The scanner's output folder.
const DESTINATION: &str = "/run/out/";
/// The name of the statement about the result itself; others are about the extras.
const CORE: &[u8] = b"sbom";
/// The type of the statements.
const SPDX: &str = "https://spdx.dev/Document";

/// A resolved scanner.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    sbom: &'a Sbom,
    /// The reference to use.
    reference: String,
    image: Image,
    platform: Platform,
    mode: ResolveMode,
    caps: CapSet,
}

impl<'a> Scanner<'a> {
    /// Resolves the scanner's image for the daemon's platform, whatever platform is built.
    pub(super) async fn find(
        bridge: &Bridge,
        sbom: &'a Sbom,
        platform: &Platform,
        mode: ResolveMode,
    ) -> Result<Self, Error> {
        let failed = |reason| Error::Scanner {
            generator: sbom.generator.to_string(),
            reason,
        };
        let generator = sbom.generator.to_string();
        let query = ImageQuery {
            reference: &generator,
            platform: Some(platform),
            mode,
            ..ImageQuery::default()
        };
        let found = bridge.resolve_image(&query).await;
        let found = found.map_err(|error| failed(ScannerProblem::Unresolved(Box::new(error))))?;
        let image: Image = serde_json::from_slice(&found.config)
            .map_err(|error| failed(ScannerProblem::Config(error)))?;
        if image.config.entrypoint.is_empty() && image.config.cmd.is_empty() {
            return Err(failed(ScannerProblem::NoCommand));
        }
        Ok(Self {
            sbom,
            reference: found.reference,
            image,
            platform: platform.clone(),
            mode,
            caps: bridge.capabilities().llb,
        })
    }

    /// Scans a platform's result. The inner error is the daemon's: the scanner's process failed.
    pub(super) async fn scan(
        &self,
        bridge: &Bridge,
        setting: &Setting,
        translation: &Translation,
    ) -> Result<Result<Attestation, gateway::Error>, Error> {
        let id = translation.platform.format_all();
        let options = MarshalOptions {
            platform: Arc::new(translation.platform.clone()),
            caps: self.caps,
            unique_id: "context".to_owned(),
        };
        let graph = self.graph(&id, translation).marshal(&options);
        let graph = graph.map_err(|error| Error::Scanner {
            generator: self.sbom.generator.to_string(),
            reason: error.into(),
        })?;
        let options = SolveOptions {
            evaluate: setting.evaluate,
            ..SolveOptions::default()
        };
        Ok(bridge.solve(&graph, &options).await.map(attestation))
    }

    /// Returns the graph of the scanner's output folder.
    fn graph(&self, id: &str, translation: &Translation) -> State {
        let config = &self.image.config;
        let constraints = Constraints::new()
            .on(self.platform.clone())
            .named(format!("[internal] load scanner {}", self.reference));
        let mut state = llb::image(&self.reference, self.mode, constraints)
            .with_platform(&self.platform)
            .with_dir(&config.working_dir);
        let own = config.env.iter().map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        });
        for (name, value) in own.chain(self.environment(!translation.sbom_extras.is_empty())) {
            state = state.with_env(&name, &value);
        }
        let run = state.run(self.exec(id, translation));
        run.mounted(DESTINATION).unwrap_or_default()
    }

    fn environment(&self, extras: bool) -> Vec<(String, String)> {
        let name = |name: &str| format!("BUILDKIT_SCAN_{name}");
        let mut all = vec![
            (name("DESTINATION"), DESTINATION.to_owned()),
            (name("SOURCE"), SOURCE.to_owned()),
        ];
        if extras {
            all.push((
                name("SOURCE_EXTRAS"),
                EXTRAS.trim_end_matches('/').to_owned(),
            ));
        }
        let parameters = self.sbom.parameters.iter();
        all.extend(parameters.map(|(key, value)| (name(key), value.clone())));
        all
    }

    fn exec(&self, id: &str, translation: &Translation) -> Exec {
        let config = &self.image.config;
        let args = config.entrypoint.iter().chain(&config.cmd).cloned();
        let mut exec = Exec::new(args)
            .constraints(
                Constraints::new()
                    .named(format!("[{id}] generating sbom using {}", self.reference))
                    .ignoring_cache(translation.ignore_cache),
            )
            .mount(Mount::tmpfs("/tmp", 0).without_output())
            .mount(Mount::bind(SOURCE, &translation.state).read_only(true));
        for (name, state) in &translation.sbom_extras {
            let target = format!("{EXTRAS}sbom-{name}");
            exec = exec.mount(Mount::bind(target, state).read_only(true));
        }
        exec.mount(Mount::bind(DESTINATION, &State::scratch()))
    }
}

fn attestation(reference: Ref) -> Attestation {
    let metadata = [("reason", b"sbom".as_slice()), ("sbom-core", CORE)];
    Attestation {
        kind: AttestationKind::Bundle,
        metadata: metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_vec()))
            .collect(),
        reference,
        predicate_type: SPDX.to_owned(),
        ..Attestation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::{Options, Outcome, ResolvedImages, translate};

    fn translation(dockerfile: &str) -> Translation {
        let parsed = crate::dockerfile::parse(dockerfile.as_bytes()).unwrap();
        match translate(&parsed, &Options::default(), &ResolvedImages::new()).unwrap() {
            Outcome::Done(done) => *done,
            other => panic!("{other:?}"),
        }
    }

    fn graph(dockerfile: &str) -> serde_json::Value {
        let sbom = Sbom {
            generator: crate::oci::Reference::parse("a/scanner:1").unwrap(),
            parameters: [("EXTRA".to_owned(), "x".to_owned())].into(),
        };
        let config = r#"{"os":"linux","architecture":"amd64","rootfs":{},
            "config":{"Env":["A=b"],"Entrypoint":["/scan"],"Cmd":["--all"],"WorkingDir":"/work"}}"#;
        let scanner = Scanner {
            reference: sbom.generator.to_string(),
            sbom: &sbom,
            image: serde_json::from_str(config).unwrap(),
            platform: Platform::parse("linux/amd64").unwrap(),
            mode: ResolveMode::Default,
            caps: CapSet::all(),
        };
        let graph = scanner.graph("linux/arm64", &translation(dockerfile));
        graph.marshal(&MarshalOptions::default()).unwrap().to_json()
    }

    #[test]
    fn the_scanner_sees_the_result_read_only_and_writes_beside_it() {
        let text = graph("FROM scratch\nCOPY . /\n").to_string();
        for part in [
            "\"/scan\",\"--all\"",
            "A=b",
            "BUILDKIT_SCAN_DESTINATION=/run/out/",
            "BUILDKIT_SCAN_SOURCE=/run/src/core/sbom",
            "BUILDKIT_SCAN_EXTRA=x",
            "\"/work\"",
            "[linux/arm64] generating sbom using docker.io/a/scanner:1",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("SOURCE_EXTRAS"), "{text}");
    }

    #[test]
    fn stages_and_the_context_are_scanned_where_the_dockerfile_says_so() {
        let text = graph(
            "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nFROM scratch AS one\nARG \
             BUILDKIT_SBOM_SCAN_STAGE=true\nCOPY a /\n\
             FROM scratch\nCOPY --from=one / /\n",
        )
        .to_string();
        for part in [
            "BUILDKIT_SCAN_SOURCE_EXTRAS=/run/src/extras\"",
            "/run/src/extras/sbom-one",
            "/run/src/extras/sbom-context",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
