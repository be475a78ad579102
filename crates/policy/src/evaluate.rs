//! Evaluates a policy for one source. If the policy reads an unknown field, the field is undefined
//! in this run and listed in [`Needs`]; the caller asks the daemon and evaluates again.

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

/// The rule with the decision.
const DECISION: &str = "data.docker.decision";

/// The settings that are the same for all evaluations of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The current build.
    pub env: Env,
}

/// The result of an evaluation.
#[derive(Debug)]
pub struct Evaluation {
    /// The decision, or the information that is missing.
    pub answer: Answer,
    /// The input document of the run.
    pub input: Input,
    /// The unknown fields of the input.
    pub unknown: Vec<String>,
    /// The output of the policy and messages of its functions.
    pub log: Vec<String>,
}

/// A decision, or the information that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The decision.
    Decision(Decision),
    /// The information that is missing; evaluate again with it.
    Needs(Needs),
}

/// The information that a policy needs before it can decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The unknown fields that it reads: `image.labels`.
    pub fields: BTreeSet<String>,
    /// The request to the daemon for these fields; empty if only files are missing.
    pub request: Request,
    /// The files that it reads.
    pub files: BTreeSet<String>,
}

impl Policy {
    /// Decides about a source.
    ///
    /// # Errors
    /// [`Error`] if the policy fails, or if it needs information that cannot be found. The source
    /// must not be used then.
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

    /// Returns the capabilities that the policy requests before the build starts.
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

    /// Returns the position of a rule of the package `docker`.
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

/// The result of [`Policy::capabilities`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capabilities {
    /// The capabilities by name.
    Known(BTreeMap<String, bool>),
    /// The files that are missing.
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
