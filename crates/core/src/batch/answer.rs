//! The answer to a case: all results of a translation, as JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Case, Images};
use crate::causes;
use crate::dockerfile::{self, Dockerfile, LintConfig, LintConfigError, Linter, ParseError, Span};
use crate::oci::Platform;
use crate::translate::{
    self, Attributes, ImageKind, ImageRequest, Options, Outcome, ResolvedImages, Translation,
    UnsupportedCapability, check, outline_and_lint, translate_and_lint,
};

/// A graph for each platform.
#[derive(Debug)]
#[non_exhaustive]
pub struct Translated {
    /// The translations, in the order of the requested platforms.
    pub translations: Vec<Translation>,
    /// True if there are several platforms, or `multi-platform` was requested.
    pub several: bool,
}

/// Returns the answer to a case whose Dockerfile is `source`.
pub fn answer(case: &Case, source: &[u8], images: &dyn Images) -> Value {
    let mut answer = Answer::new(case);
    if let Some(syntax) = dockerfile::detect_syntax(source) {
        let shown = json!({"ref": syntax.image, "cmdline": syntax.command_line});
        answer.fields.insert("syntax".to_owned(), shown);
    }
    if let Err(failure) = answer.run(case, source, images) {
        answer.fields.extend(failure.to_json());
    }
    answer.finish()
}

/// Returns the graphs of a case.
///
/// # Errors
/// The failure, as the fields `error` and `errorRanges` of an answer.
pub fn translate(case: &Case, source: &[u8], images: &dyn Images) -> Result<Translated, Value> {
    let mut answer = Answer::new(case);
    let translated =
        Setting::of(case, source).and_then(|setting| answer.translations(&setting, source, images));
    translated.map_err(|failure| Value::Object(failure.to_json()))
}

/// The reason a case has no answer.
enum Failure {
    Text(String),
    Parse(ParseError),
    Translate(translate::Error),
    /// The Dockerfile's own lint options are malformed; with their line.
    Checks(LintConfigError, Option<Span>),
}

impl Failure {
    fn to_json(&self) -> Map<String, Value> {
        let shown = match self {
            Self::Text(text) => json!({ "error": text }),
            Self::Parse(error) => parse_error_json(error),
            Self::Translate(error) => error.to_json(),
            Self::Checks(error, span) => {
                let mut shown = json!({ "error": causes::in_one_line(error) });
                add_lines(&mut shown, *span);
                shown
            }
        };
        match shown {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

fn parse_error_json(error: &ParseError) -> Value {
    let mut shown = json!({ "error": causes::in_one_line(error) });
    add_lines(&mut shown, error.shown_span());
    if let Some(span) = error.span {
        let ranges = span.ranges().map(|range| {
            let (start, end) = (range.start, range.end);
            json!([start.line, start.column, end.line, end.column])
        });
        shown["errorRanges"] = json!([ranges.collect::<Value>()]);
    }
    shown
}

/// Adds the lines of an error.
fn add_lines(shown: &mut Value, span: Option<Span>) {
    if let Some(span) = span {
        shown["errorLines"] = json!([span.first, span.last]);
    }
}

/// The options of a case, parsed.
struct Setting {
    attributes: Attributes,
    worker: Platform,
    config: Result<LintConfig, LintConfigError>,
}

impl Setting {
    fn of(case: &Case, source: &[u8]) -> Result<Self, Failure> {
        let worker = case.worker();
        let worker = worker.map_err(|error| {
            Failure::Text(format!("the build platform cannot be used: {error}"))
        })?;
        let attributes = case.attributes(&worker);
        let attributes = attributes.map_err(|error| Failure::Text(causes::in_one_line(&error)))?;
        if let Some(missing) = UnsupportedCapability::find(&case.opts) {
            let name = missing.name;
            return Err(Failure::Text(format!(
                "unsupported frontend capability {name}"
            )));
        }
        Ok(Self {
            worker,
            config: match &attributes.checks {
                Some(checks) => Ok(checks.clone()),
                None => LintConfig::of_dockerfile(source),
            },
            attributes,
        })
    }

    fn config(&self, source: &[u8]) -> Result<LintConfig, Failure> {
        let config = self.config.clone();
        config.map_err(|error| Failure::Checks(error, LintConfig::place_in(source)))
    }
}

struct Answer {
    fields: Map<String, Value>,
    requested: BTreeSet<(String, String, &'static str)>,
}

impl Answer {
    fn new(case: &Case) -> Self {
        let id = Some(&case.id).filter(|id| !id.is_null());
        Self {
            fields: id
                .map(|id| ("id".to_owned(), id.clone()))
                .into_iter()
                .collect(),
            requested: BTreeSet::new(),
        }
    }

    fn run(&mut self, case: &Case, source: &[u8], images: &dyn Images) -> Result<(), Failure> {
        let setting = Setting::of(case, source)?;
        if case.is_linted() {
            self.calls(&setting, source, images);
        }
        let translated = self.translations(&setting, source, images)?;
        let mut results = translated.translations.iter().map(|translation| {
            let mut result = translation.to_json();
            if translated.several {
                result["platform"] = translation.platform.normalized().format_all().into();
            }
            result
        });
        if translated.several {
            let results: Value = results.collect();
            self.fields.insert("results".to_owned(), results);
        } else if let Some(Value::Object(fields)) = results.next() {
            self.fields.extend(fields);
        }
        Ok(())
    }

    /// Adds the results of `--call=check`, `outline` and `targets`.
    fn calls(&mut self, setting: &Setting, source: &[u8], images: &dyn Images) {
        let failed = |failure: &Failure| Value::Object(failure.to_json());
        let targets = match &parse(source, &mut Linter::default()) {
            Ok(dockerfile) => dockerfile.targets_json(),
            Err(failure) => failed(failure),
        };
        let mut linted = json!({"warnings": []});
        let outlined = match setting.config(source) {
            Err(error) => {
                linted["error"] = failed(&error);
                Err(error)
            }
            Ok(config) => {
                let mut linter = Linter::new(config);
                let checked = parse(source, &mut linter).and_then(|dockerfile| {
                    self.resolved(setting, images, |options, images| {
                        check(&dockerfile, options, images, &mut linter)
                    })
                });
                if let Err(failure) = checked {
                    linted["error"] = failed(&failure);
                }
                linted["warnings"] = findings_json(&linter).into();
                let mut linter = Linter::new(setting.config(source).unwrap_or_default());
                parse(source, &mut linter).and_then(|dockerfile| {
                    self.resolved(setting, images, |options, images| {
                        outline_and_lint(&dockerfile, options, images, &mut linter)
                    })
                })
            }
        };
        let outlined = match outlined {
            Ok(outline) => outline.to_json(),
            Err(failure) => failed(&failure),
        };
        for (field, value) in [
            ("lint", linted),
            ("outline", outlined),
            ("targets", targets),
        ] {
            self.fields.insert(field.to_owned(), value);
        }
    }

    /// Translates each platform; lint rules report on the first one only.
    fn translations(
        &mut self,
        setting: &Setting,
        source: &[u8],
        images: &dyn Images,
    ) -> Result<Translated, Failure> {
        let mut linter = Linter::new(setting.config(source)?);
        let parsed = parse(source, &mut linter);
        let made = parsed
            .and_then(|dockerfile| self.each_platform(&dockerfile, setting, images, &mut linter));
        let findings = findings_json(&linter);
        if !findings.is_empty() {
            self.fields.insert("warnings".to_owned(), findings.into());
        }
        Ok(Translated {
            translations: made?,
            several: setting.attributes.options.multi_platform,
        })
    }

    fn each_platform(
        &mut self,
        dockerfile: &Dockerfile,
        setting: &Setting,
        images: &dyn Images,
        linter: &mut Linter,
    ) -> Result<Vec<Translation>, Failure> {
        let platforms: Vec<Option<Platform>> = match setting.attributes.platforms.as_slice() {
            [] => vec![None],
            platforms => platforms.iter().cloned().map(Some).collect(),
        };
        let mut translations = Vec::new();
        for platform in platforms {
            let first = translations.is_empty();
            let ask = |options: &Options, images: &ResolvedImages| {
                let options = Options {
                    platform: platform.clone(),
                    ..options.clone()
                };
                match first {
                    true => translate_and_lint(dockerfile, &options, images, linter),
                    false => translate::translate(dockerfile, &options, images),
                }
            };
            translations.push(*self.resolved(setting, images, ask)?);
        }
        Ok(translations)
    }

    /// Resolves images and retries until nothing is missing.
    fn resolved<T>(
        &mut self,
        setting: &Setting,
        images: &dyn Images,
        mut ask: impl FnMut(&Options, &ResolvedImages) -> Result<Outcome<T>, translate::Error>,
    ) -> Result<Box<T>, Failure> {
        let mut known = ResolvedImages::new();
        loop {
            match ask(&setting.attributes.options, &known) {
                Err(error) => {
                    for request in &error.missing {
                        self.requested(request, &setting.worker);
                    }
                    return Err(Failure::Translate(error));
                }
                Ok(Outcome::Done(done)) => return Ok(done),
                Ok(Outcome::NeedsTime(request)) => {
                    let identifier = request.identifier.clone();
                    match images.time(&request) {
                        Ok(time) => known.insert_time(identifier, time),
                        Err(failure) => known.insert_time_failure(identifier, failure),
                    }
                }
                Ok(Outcome::NeedsImages(requests)) => {
                    let answers = images.images(&requests, &setting.worker);
                    for (request, answer) in requests.into_iter().zip(answers) {
                        self.requested(&request, &setting.worker);
                        match answer {
                            Ok(image) => known.insert(request, image),
                            Err(failure) => known.insert_failure(request, failure),
                        }
                    }
                }
            }
        }
    }

    fn requested(&mut self, request: &ImageRequest, worker: &Platform) {
        let platform = request.platform.as_ref().unwrap_or(worker);
        let kind = match request.kind {
            ImageKind::Registry => "docker-image",
            ImageKind::OciLayout { .. } => "oci-layout",
        };
        self.requested
            .insert((request.reference.to_string(), platform.format_all(), kind));
    }

    fn finish(mut self) -> Value {
        if !self.requested.is_empty() {
            let requested = self.requested.iter().map(
                |(name, platform, kind)| json!({"ref": name, "platform": platform, "kind": kind}),
            );
            let requested: Value = requested.collect();
            self.fields.insert("requestedImages".to_owned(), requested);
        }
        Value::Object(self.fields)
    }
}

fn parse(source: &[u8], linter: &mut Linter) -> Result<Dockerfile, Failure> {
    dockerfile::parse_and_lint(source, linter).map_err(Failure::Parse)
}

fn findings_json(linter: &Linter) -> Vec<Value> {
    let finding = |finding: &dockerfile::Finding| {
        json!({"rule": finding.rule.name(), "line": finding.span.first, "detail": finding.message,
               "description": finding.detail(), "url": finding.url()})
    };
    linter.findings().iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Lock;

    #[test]
    fn an_error_has_its_causes() {
        let text = "FROM scratch\nRUN --mount=from=${A^},target=/x true\n";
        let case = json!({"id": "a", "text": text}).to_string();
        let case = Case::parse(&case).unwrap();
        let answer = answer(&case, text.as_bytes(), &Lock::new());
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains("from= takes no variables"), "{error}");
    }

    #[test]
    fn a_download_is_an_archive_if_the_case_says_so() {
        let ops = |archive: bool| {
            let text = "FROM scratch\nCOPY a /\n";
            let case = json!({
                "id": "a", "text": text, "context_archive": archive,
                "opts": {"context": "https://x.example/context"}
            });
            let case = Case::parse(&case.to_string()).unwrap();
            let answer = answer(&case, text.as_bytes(), &Lock::new());
            answer["vertices"].as_array().map(Vec::len)
        };
        // The additional step unpacks the archive.
        assert_eq!((ops(false), ops(true)), (Some(2), Some(3)));
    }

    #[test]
    fn a_file_without_stages_has_no_list_of_targets() {
        let read = |text: &str| {
            crate::dockerfile::parse(text.as_bytes())
                .unwrap()
                .targets_json()
        };
        assert_eq!(read("ARG a\n")["targets"], Value::Null);
        assert!(read("FROM scratch\n")["targets"].is_array());
    }
}
