//! `--call`, `--check` and the attribute `call`: questions about targets instead of builds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use solvekit::bake::{self, Plan, print};
use solvekit::frontend::{Answer, CheckFailure};
use solvekit::pipeline::BuildRequest;

use super::build::failed;
use crate::cli::commands::build::asking::{self, Surroundings};
use crate::cli::commands::build::call::{self, CallArgs};
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text};

/// The questions of a command.
#[derive(Debug)]
pub(super) struct Questions {
    /// The question of the flags; its format applies to all.
    flag: Option<CallArgs>,
    targets: BTreeMap<String, CallArgs>,
}

/// A question and its answer.
#[derive(Debug)]
pub(super) struct Answered {
    target: String,
    question: CallArgs,
    answer: Answer,
}

impl Questions {
    /// Collects the questions. The flags were already converted to overrides of the attribute.
    pub(super) fn of(plan: &Plan, flag: Option<CallArgs>) -> Result<Self, Failure> {
        let mut targets = BTreeMap::new();
        for (name, target) in &plan.targets {
            let Some(text) = target.call.as_deref().filter(|text| !text.is_empty()) else {
                continue;
            };
            let question = call::parse(text, false);
            let question = question.map_err(|failure| failure.of_target(name))?;
            if let Some(question) = question {
                targets.insert(name.clone(), question.in_form_of(flag));
            }
        }
        Ok(Self { flag, targets })
    }

    /// Splits the plan into the targets to build and the targets with questions.
    pub(super) fn split(&self, plan: &Plan) -> (Plan, Plan) {
        let is_asked = |name: &&String| self.targets.contains_key(*name);
        let (asked, built): (BTreeSet<String>, BTreeSet<String>) = {
            let (asked, built): (Vec<&String>, Vec<&String>) =
                plan.targets.keys().partition(is_asked);
            let owned = |names: Vec<&String>| names.into_iter().cloned().collect();
            (owned(asked), owned(built))
        };
        let (mut to_build, mut to_ask) = (plan.clone(), plan.clone());
        to_build.leave_out(&asked);
        to_ask.leave_out(&built);
        (to_build, to_ask)
    }

    /// Asks the questions, in the order of the targets' names.
    pub(super) async fn ask(
        &self,
        plan: &Plan,
        requests: BTreeMap<String, BuildRequest>,
        surroundings: Surroundings<'_>,
    ) -> Result<Vec<Answered>, Failure> {
        let linked = bake::linked_requests(plan, requests);
        let mut requests = linked.await.map_err(|error| failed(&error))?;
        let questions = self.targets.iter();
        let (questions, asked): (Vec<_>, Vec<_>) = questions
            .filter_map(|(name, question)| {
                let request = requests.remove(name)?;
                Some(((name, question), question.about(name, request)))
            })
            .unzip();
        let answers = asking::answers(asked, surroundings).await?;
        let answered = questions.into_iter().zip(answers);
        let answered = answered.map(|((name, &question), answer)| Answered {
            target: name.clone(),
            question,
            answer,
        });
        Ok(answered.collect())
    }

    /// Prints the answers to stdout, as buildx does. The first exit code that is not 0 is returned.
    pub(super) fn show(
        &self,
        plan: &Plan,
        answered: &[Answered],
        identity: Identity,
    ) -> Result<(), Failure> {
        match self.flag.is_some_and(CallArgs::is_json) {
            true => print_json(&format!("{:#}\n", document(plan, answered, identity)))?,
            false => print_text(&text(plan, answered, identity))?,
        }
        let codes = answered.iter().map(|it| it.question.status(&it.answer));
        match codes.into_iter().find(|code| *code != 0) {
            Some(code) => Err(Failure::silent(code)),
            None => Ok(()),
        }
    }
}

/// The answers for the metadata file, by the names of the targets.
pub(super) fn metadata(answered: &[Answered]) -> Map<String, Value> {
    let answers = answered.iter();
    answers
        .map(|it| (it.target.clone(), it.question.metadata(&it.answer)))
        .collect()
}

/// The name and description of each target, then its answer.
fn text(plan: &Plan, answered: &[Answered], identity: Identity) -> String {
    let mut text = String::new();
    for it in answered {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{}\n", it.target));
        let target = plan.targets.get(&it.target);
        let description = target.map_or("", |target| target.description.as_str());
        if !description.is_empty() {
            text.push_str(&format!("{description}\n"));
        }
        text.push('\n');
        let answer = it.question.text(&it.answer);
        text.push_str(&answer);
        if let Some(failure) = &it.answer.failure {
            text.push_str(&format!("error: {}\n", mistake(failure, identity)));
            if identity == Identity::Buildx {
                text.push('\n');
            }
        }
    }
    text
}

/// The error in a Dockerfile, and its lines.
fn mistake(failure: &CheckFailure, identity: Identity) -> String {
    let excerpt = failure.excerpt.trim_end_matches('\n');
    let message = match (identity, &failure.reference) {
        (Identity::Buildx, Some(reference)) => reference,
        _ => &failure.message,
    };
    format!("{message}\n{excerpt}")
}

/// The plan as JSON, with the answers added.
fn document(plan: &Plan, answered: &[Answered], identity: Identity) -> Value {
    let shown = print::plan_json(&plan.groups, &plan.targets);
    let mut document: Value = serde_json::from_str(&shown).unwrap_or_default();
    if let Some(targets) = document["target"].as_object_mut() {
        for target in targets.values_mut() {
            *target = serde_json::json!({ "build": target.take() });
        }
        for it in answered {
            let mut answer = serde_json::from_str(&it.answer.json).unwrap_or(Value::Null);
            if let (Some(failure), Some(fields)) = (&it.answer.failure, answer.as_object_mut()) {
                fields.insert("error".to_owned(), mistake(failure, identity).into());
            }
            targets[it.target.as_str()][it.question.name()] = answer;
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(calls: &[(&str, &str)]) -> Plan {
        let mut plan = Plan::default();
        for (name, call) in calls {
            let mut target = bake::target::Target::default();
            target.name = (*name).to_owned();
            target.description = format!("about {name}");
            target.call = Some((*call).to_owned());
            plan.targets.insert(target.name.clone(), target);
        }
        plan
    }

    fn answered(target: &str, question: CallArgs, text: &str) -> Answered {
        let mut answer = Answer::default();
        answer.text = text.to_owned();
        answer.json = r#"{"a":1}"#.to_owned();
        answer.status = 3;
        Answered {
            target: target.to_owned(),
            question,
            answer,
        }
    }

    fn failure() -> CheckFailure {
        CheckFailure {
            message: "a/Dockerfile:1: wrong".to_owned(),
            reference: Some("parse error on line 1".to_owned()),
            excerpt: "a/Dockerfile:1\n".to_owned(),
        }
    }

    #[test]
    fn targets_without_a_question_are_built() {
        let plan = plan(&[
            ("a", "check"),
            ("b", "build"),
            ("c", "outline,format=json"),
            ("d", ""),
        ]);
        let questions = Questions::of(&plan, None).unwrap();
        let (built, asked) = questions.split(&plan);
        assert_eq!(built.targets.keys().collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(asked.targets.keys().collect::<Vec<_>>(), ["a", "c"]);
        // The attribute selects the question, the flag its format.
        assert!(!questions.targets["c"].is_json());
        let flag = call::parse("outline,format=json,ignorestatus=true", false).unwrap();
        let questions = Questions::of(&plan, flag).unwrap();
        assert!(questions.targets["a"].is_json());
        let answer = answered("a", questions.targets["a"], "");
        assert_eq!(answer.question.status(&answer.answer), 0);
        let wrong = Questions::of(&self::plan(&[("x", "a,b")]), None).unwrap_err();
        assert!(
            wrong.message().starts_with("target x: "),
            "{}",
            wrong.message()
        );
    }

    #[test]
    fn answers_stand_under_the_names_of_their_targets() {
        let plan = plan(&[("a", "outline"), ("b", "outline")]);
        let question = Questions::of(&plan, None).unwrap().targets["a"];
        let answers = [
            answered("a", question, "one\n"),
            answered("b", question, ""),
        ];
        let expected = "a\nabout a\n\none\n\nb\nabout b\n\n";
        assert_eq!(text(&plan, &answers, Identity::Buildx), expected);
        let mut wrong = answered("b", question, "");
        wrong.answer.failure = Some(failure());
        let expected = "b\nabout b\n\nerror: parse error on line 1\na/Dockerfile:1\n\n";
        assert_eq!(text(&plan, &[wrong], Identity::Buildx), expected);
        let document = document(&plan, &answers, Identity::Buildx);
        assert_eq!(document["target"]["a"]["outline"]["a"], 1);
        assert_eq!(document["target"]["b"]["build"]["call"], "outline");
        assert_eq!(metadata(&answers)["a"]["result.json"]["a"], 1);
        assert_eq!(question.status(&answers[0].answer), 3);
    }
}
