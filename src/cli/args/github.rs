//! The running GitHub Actions workflow, in buildx's form: for the provenance that BuildKit in a
//! container makes.

use serde_json::{Map, Value};

/// Fields and the variables that they come from. The fields of a group are present together or not
/// at all.
type Group = &'static [(&'static str, &'static str)];

const GROUPS: [Group; 5] = [
    &[
        ("github_actor", "GITHUB_ACTOR"),
        ("github_actor_id", "GITHUB_ACTOR_ID"),
        ("github_triggering_actor", "GITHUB_TRIGGERING_ACTOR"),
    ],
    &[
        ("github_ref", "GITHUB_REF"),
        ("github_ref_name", "GITHUB_REF_NAME"),
        ("github_ref_protected", "GITHUB_REF_PROTECTED"),
        ("github_ref_type", "GITHUB_REF_TYPE"),
    ],
    &[
        ("github_repository", "GITHUB_REPOSITORY"),
        ("github_repository_id", "GITHUB_REPOSITORY_ID"),
        ("github_repository_owner", "GITHUB_REPOSITORY_OWNER"),
        ("github_repository_owner_id", "GITHUB_REPOSITORY_OWNER_ID"),
    ],
    &[
        ("github_job", "GITHUB_JOB"),
        ("github_run_attempt", "GITHUB_RUN_ATTEMPT"),
        ("github_run_id", "GITHUB_RUN_ID"),
        ("github_run_number", "GITHUB_RUN_NUMBER"),
        ("github_server_url", "GITHUB_SERVER_URL"),
        ("github_workflow", "GITHUB_WORKFLOW"),
        ("github_workflow_ref", "GITHUB_WORKFLOW_REF"),
        ("github_workflow_sha", "GITHUB_WORKFLOW_SHA"),
    ],
    &[
        ("github_runner_image_os", "ImageOS"),
        ("github_runner_image_version", "ImageVersion"),
        ("github_runner_os", "RUNNER_OS"),
        ("github_runner_arch", "RUNNER_ARCH"),
        ("github_runner_environment", "RUNNER_ENVIRONMENT"),
        ("github_runner_tracking_id", "RUNNER_TRACKING_ID"),
        ("github_runner_name", "RUNNER_NAME"),
    ],
];

/// The workflow as a JSON object; `None` outside of GitHub Actions. `variable` returns variables of
/// the environment, including empty ones; `read` returns the text of a file.
///
/// # Errors
/// A line about the event file, which cannot be read or is not a JSON object.
pub(crate) fn workflow(
    variable: impl Fn(&str) -> Option<String>,
    read: impl FnOnce(&str) -> Result<String, String>,
) -> Result<Option<Vec<u8>>, String> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let is_there = variable("GITHUB_ACTIONS");
    if !is_there.is_some_and(|value| matches!(&*value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    {
        return Ok(None);
    }
    let event = (variable("GITHUB_EVENT_NAME"), variable("GITHUB_EVENT_PATH"));
    let (Some(name), Some(path)) = event else {
        return Ok(None);
    };
    let wrong = |reason: String| format!("cannot use GITHUB_EVENT_PATH {path:?}: {reason}");
    let payload = read(&path).map_err(wrong)?;
    let payload: Map<String, Value> =
        serde_json::from_str(&payload).map_err(|error| wrong(error.to_string()))?;
    let mut object = Map::new();
    object.insert("github_event_name".to_owned(), name.into());
    object.insert("github_event_payload".to_owned(), payload.into());
    for group in GROUPS {
        let fields = group
            .iter()
            .map(|(field, name)| Some(((*field).to_owned(), Value::from(variable(name)?))));
        let fields: Option<Vec<_>> = fields.collect();
        object.extend(fields.into_iter().flatten());
    }
    Ok(Some(Value::Object(object).to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: [(&str, &str); 7] = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_EVENT_PATH", "/event.json"),
        ("GITHUB_ACTOR", "me"),
        ("GITHUB_ACTOR_ID", "1"),
        ("GITHUB_TRIGGERING_ACTOR", "me"),
        ("GITHUB_REF", "refs/heads/main"),
    ];

    fn of_run(without: &str, event: &str) -> Result<Option<Vec<u8>>, String> {
        let value = |name: &str| {
            let found = RUN
                .iter()
                .find(|(known, _)| *known == name && name != without);
            found.map(|(_, value)| (*value).to_owned())
        };
        workflow(value, |_| Ok(event.to_owned()))
    }

    #[test]
    fn groups_are_whole_or_not_there() {
        let object = of_run("", r#"{"after":"abc"}"#).unwrap().unwrap();
        let object: Value = serde_json::from_slice(&object).unwrap();
        assert_eq!(object["github_event_payload"]["after"], "abc");
        assert_eq!(object["github_actor"], "me");
        assert_eq!(object.get("github_ref"), None);
    }

    #[test]
    fn outside_of_a_workflow_there_is_nothing() {
        assert_eq!(of_run("GITHUB_ACTIONS", "{}"), Ok(None));
        assert_eq!(of_run("GITHUB_EVENT_PATH", "{}"), Ok(None));
        assert!(of_run("", "[]").unwrap_err().contains("/event.json"));
    }
}
