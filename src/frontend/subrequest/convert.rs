//! `frontend.convertllb`: the build graph.

use super::{Answer, to_json};
use crate::llb::Definition;

/// The graph as JSON, for people too: there is no shorter form of it.
pub(in super::super) fn convert(definition: &Definition) -> Answer {
    let json = to_json(&definition.to_converted_json());
    Answer {
        text: format!("{json}\n"),
        json,
        version: "0.1.0".to_owned(),
        ..Answer::default()
    }
}
