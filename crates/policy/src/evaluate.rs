//! Runs a policy about one source. An unknown field that the policy reads is undefined in this run
//! and named in [`Needs`]; the caller asks the daemon and runs the policy again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use regorus::Value;
use solvekit_core::oci::Platform;

use crate::decision::{Decision, DenyMessage};
use crate::error::{Error, Place, located};
use crate::field::Request;
use crate::functions::{self, lock};
use crate::input::{Env, Input};
use crate::load::Policy;
use crate::source::{Described, Source};
use crate::state::{State, value};
use crate::{Files, check};

/// The rule that decides.
const DECISION: &str = "data.docker.decision";

/// What holds for all questions to a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The build that asks.
    pub env: Env,
}

/// What a run of the policy gave.
#[derive(Debug)]
pub struct Evaluation {
    /// The decision, or what is needed first.
    pub answer: Answer,
    /// The input document of the run.
    pub input: Input,
    /// The fields of it that are unknown.
    pub unknown: Vec<String>,
    /// What the policy printed, and what its functions have to say.
    pub log: Vec<String>,
}

/// A decision, or what is needed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The decision.
    Decision(Decision),
    /// What has to be found out; then the policy is asked again.
    Needs(Needs),
}

/// What has to be found out before the policy can decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Unknown fields that it reads: `image.labels`.
    pub fields: BTreeSet<String>,
    /// What the daemon is to be asked for them; nothing if only files are missing.
    pub request: Request,
    /// Files that it reads.
    pub files: BTreeSet<String>,
}

impl Policy {
    /// Decides about a source.
    ///
    /// # Errors
    /// [`Error`] if the policy fails, or if it needs what cannot be found out. The source must not
    /// be used then.
    pub fn decide(
        &self,
        source: &Source,
        platform: Option<&Platform>,
        files: &Files,
    ) -> Result<Evaluation, Error> {
        let mut described = source.describe(platform)?;
        described.input.set_env(&self.settings.env);
        let state = Arc::new(Mutex::new(State::new(&described, &Arc::new(files.clone()))));
        let (value, mut log) = self.run(DECISION, &described.input, &state)?;
        let mut state = lock(&state);
        log.append(&mut state.notes);
        if let Some(reason) = state.failed {
            return Err(failed(reason));
        }
        let answer = match needs(&state, source)? {
            Some(needs) => Answer::Needs(needs),
            None => Answer::Decision(self.decision(&value, source, &state)?),
        };
        Ok(Evaluation {
            answer,
            input: described.input,
            unknown: described.unknown,
            log,
        })
    }

    /// The capabilities that the policy asks for, before the build starts.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn capabilities(&self, files: &Files) -> Result<Capabilities, Error> {
        let mut input = Input::default();
        input.set_env(&Env {
            caps_request: true,
            ..self.settings.env.clone()
        });
        let described = Described {
            input,
            ..Described::default()
        };
        let state = Arc::new(Mutex::new(State::new(&described, &Arc::new(files.clone()))));
        let (value, _) = self.run(DECISION, &described.input, &state)?;
        let state = lock(&state);
        if !state.missing_files.is_empty() {
            return Ok(Capabilities::Files(state.missing_files.clone()));
        }
        let decision = Decision::read(&value)?;
        Ok(Capabilities::Known(decision.capabilities))
    }

    pub(crate) fn run(
        &self,
        rule: &str,
        input: &Input,
        state: &Arc<Mutex<State>>,
    ) -> Result<(Value, Vec<String>), Error> {
        let mut engine = self.engine.clone();
        functions::add(&mut engine, state).map_err(|reason| Error::Evaluation {
            place: None,
            reason,
        })?;
        engine.set_input(value(input));
        let result = engine.eval_rule(rule.to_owned());
        let prints = engine.take_prints().unwrap_or_default();
        match result {
            Ok(value) => Ok((value, prints)),
            Err(error) => {
                let text = error.to_string();
                if text.contains("not a valid rule path") {
                    return Ok((Value::Undefined, prints));
                }
                let (place, reason) = located(&text);
                Err(Error::Evaluation { place, reason })
            }
        }
    }

    fn decision(&self, value: &Value, source: &Source, state: &State) -> Result<Decision, Error> {
        let mut decision = Decision::read(value)?;
        decision.place = self.rule_place("decision");
        for message in &mut decision.deny_messages {
            message.place = state.places.get(&message.text).cloned();
        }
        if decision.is_allowed() && !state.blocked.is_empty() {
            decision.allow = Some(false);
            let reasons = state.blocked.iter().map(|reason| DenyMessage {
                text: (*reason).to_owned(),
                place: decision.place.clone(),
            });
            decision.deny_messages.extend(reasons);
        }
        if decision.is_allowed() {
            decision.pins.clone_from(&state.pins);
        }
        if decision.pins.len() > 1 {
            return Err(Error::SeveralPins {
                source_name: source.identifier.clone(),
                digests: decision.pins.into_iter().collect(),
            });
        }
        Ok(decision)
    }

    /// Where a rule of package `docker` stands.
    fn rule_place(&self, name: &str) -> Option<Place> {
        let in_docker = |module: &&_| check::package(module) == "data.docker";
        let modules = self.modules.iter().map(AsRef::as_ref).filter(in_docker);
        modules.flat_map(|module| &module.policy).find_map(|rule| {
            let span = check::rule_name(rule).filter(|(found, _)| found == name)?.1;
            Some(Place {
                file: span.source.file().clone(),
                line: span.line,
            })
        })
    }
}

/// What [`Policy::capabilities`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capabilities {
    /// The capabilities by name.
    Known(BTreeMap<String, bool>),
    /// Files that are needed first.
    Files(BTreeSet<String>),
}

fn failed(reason: &str) -> Error {
    Error::Evaluation {
        place: None,
        reason: reason.to_owned(),
    }
}

fn needs(state: &State, source: &Source) -> Result<Option<Needs>, Error> {
    let (materials, own): (BTreeSet<_>, BTreeSet<_>) = state
        .fields
        .iter()
        .cloned()
        .partition(|field| field.starts_with("image.provenance.materials["));
    if !materials.is_empty() && own.is_empty() {
        return Err(Error::Material {
            fields: materials.into_iter().collect(),
        });
    }
    if own.is_empty() && state.missing_files.is_empty() {
        return Ok(None);
    }
    Ok(Some(Needs {
        request: Request::new(&own, source),
        fields: own,
        files: state.missing_files.clone(),
    }))
}
