//! The functions that verify signatures. A signature that cannot be verified here blocks the
//! decision, because the policy must not allow a source based on an unknown result.

use std::time::SystemTime;

use regorus::Value;

use crate::functions::string;
use crate::input::SignedObject;
use crate::pgp::{self, PgpProblem};
use crate::ssh_signature::{self, SshProblem};
use crate::state::{State, value};

/// The largest key file in bytes, as in buildx.
const MAX_KEY: usize = 128 << 10;

/// `verify_git_signature(OBJECT, FILE)`: true if the key in the file signed the commit or tag.
pub(crate) fn git_signature(state: &mut State, values: &[Value]) -> Value {
    let Some(git) = &state.input.git else {
        return Value::from(false);
    };
    let Some(commit) = &git.commit else {
        state.need("git.commit");
        return Value::from(false);
    };
    let is_given = |part: Value| values.first() == Some(&part);
    let tag = git.tag.as_ref();
    let signed = match tag.filter(|tag| is_given(value(tag))) {
        _ if is_given(value(commit)) => Some(commit.signed.clone()),
        tag => tag.map(|tag| tag.signed.clone()),
    };
    let Some(signed) = signed else {
        state.note("verify_git_signature: object is neither commit nor tag".to_owned());
        return Value::Undefined;
    };
    let path = string(values.get(1)).unwrap_or_default();
    let Some(key) = state.file(&path, MAX_KEY) else {
        return Value::Undefined;
    };
    if signed.signature.is_empty() {
        state.note("verify_git_signature: git object is not signed".to_owned());
        return Value::Undefined;
    }
    match verify(&signed, &key) {
        Ok(()) => return Value::from(true),
        Err(Problem::Pgp(PgpProblem::Unsupported)) => {
            state.block("verify_git_signature: PGP keys of this kind are not supported");
        }
        Err(Problem::Ssh(SshProblem::Unsupported)) => {
            state.block("verify_git_signature: SSH keys of this kind are not supported");
        }
        Err(problem) => state.note(format!("verify_git_signature: {problem} ({path:?})")),
    }
    Value::Undefined
}

/// The reason a signature of a git object is not accepted.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Pgp(#[from] PgpProblem),
    #[error(transparent)]
    Ssh(#[from] SshProblem),
}

fn verify(signed: &SignedObject, key: &[u8]) -> Result<(), Problem> {
    let (text, signature) = (signed.text.as_bytes(), &signed.signature);
    if !signature.starts_with("-----BEGIN PGP SIGNATURE-----") {
        return Ok(ssh_signature::verify(text, signature, key)?);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    Ok(pgp::verify(text, signature, key, now)?)
}

pub(crate) fn http_signature(state: &mut State, _: &[Value]) -> Value {
    if state.input.http.is_none() {
        return Value::from(false);
    }
    state.block("verify_http_pgp_signature: signatures of downloads cannot be verified");
    Value::Undefined
}

pub(crate) fn artifact(state: &mut State, _: &[Value]) -> Value {
    http_attestation(
        state,
        "artifact_attestation: attestations cannot be verified",
    )
}

pub(crate) fn github(state: &mut State, _: &[Value]) -> Value {
    http_attestation(state, "github_attestation: attestations cannot be verified")
}

fn http_attestation(state: &mut State, message: &'static str) -> Value {
    let Some(http) = &state.input.http else {
        return Value::Undefined;
    };
    if http.checksum.is_empty() {
        state.need("http.checksum");
    } else {
        state.block(message);
    }
    Value::Undefined
}
