//! Credential helpers: programs named `docker-credential-SUFFIX` that keep credentials elsewhere.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{Credential, Error, Secret};

/// How long a helper has to answer; some ask a server.
const LIMIT: Duration = Duration::from_secs(10);
/// What a helper says on stdout, failing, when it simply has no credentials.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name under which helpers give an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

/// Asks the helper for the credentials of a registry. `None` when it has none. Helpers are looked for in `directory`, or
/// else on PATH.
pub(super) async fn get(
    directory: Option<&Path>,
    suffix: &str,
    registry: &str,
) -> Result<Option<Credential>, Error> {
    let helper = format!("docker-credential-{suffix}");
    let failed = |message: String| Error::HelperFailed {
        helper: helper.clone(),
        registry: registry.to_owned(),
        message,
    };
    if suffix.contains('/') {
        return Err(failed("its name has a slash".to_owned()));
    }
    let program = directory.map_or_else(
        || PathBuf::from(&helper),
        |directory| directory.join(&helper),
    );
    let answered = tokio::time::timeout(LIMIT, ask(&program, registry)).await;
    let output = match answered {
        Err(_) => {
            let (registry, seconds) = (registry.to_owned(), LIMIT.as_secs());
            return Err(Error::HelperTimeout {
                helper,
                registry,
                seconds,
            });
        }
        Ok(Err(source)) => {
            return Err(Error::RunHelper {
                helper,
                registry: registry.to_owned(),
                source,
            });
        }
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        return match said.trim() {
            NOT_FOUND => Ok(None),
            said => Err(failed(
                first_line(said).unwrap_or_else(|| output.status.to_string()),
            )),
        };
    }
    // serde's message could quote the answer.
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is not understood".to_owned()))?;
    Ok(Some(match answer.username.as_str() {
        TOKEN_USER => Credential {
            identity_token: answer.secret,
            ..Credential::default()
        },
        _ => Credential {
            username: answer.username,
            password: answer.secret,
            ..Credential::default()
        },
    }))
}

/// Runs the helper; it is killed when nobody waits for it any more.
async fn ask(program: &Path, registry: &str) -> std::io::Result<std::process::Output> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper may answer without reading.
        let _ = stdin.write_all(registry.as_bytes()).await;
    }
    child.wait_with_output().await
}

/// The first line of what a failing helper said, not too long.
fn first_line(said: &str) -> Option<String> {
    let line = said.lines().next().filter(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}
