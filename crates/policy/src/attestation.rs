//! The functions that verify signatures. What cannot be verified here blocks the decision: the
//! policy must not allow because of an answer that nobody has.

use regorus::Value;

use crate::state::State;

pub(crate) fn git_signature(state: &mut State, _: &[Value]) -> Value {
    let Some(git) = &state.input.git else {
        return Value::from(false);
    };
    if git.commit.is_none() {
        state.need("git.commit");
        return Value::from(false);
    }
    state.block("verify_git_signature: git signatures cannot be verified");
    Value::Undefined
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
