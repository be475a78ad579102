//! `frontend.convertllb`: the build graph.

use super::{Answer, to_json};
use crate::llb::Definition;

/// Returns the graph as JSON, also as the text for people: there is no shorter form.
pub(in super::super) fn convert(definition: &Definition) -> Answer {
    let json = to_json(&definition.to_converted_json());
    Answer {
        text: format!("{json}\n"),
        json,
        version: "0.1.0".to_owned(),
        ..Answer::default()
    }
}
