//! `frontend.subrequests.describe`: the supported questions.

use serde::Serialize;

use super::list::table;
use super::{Answer, to_json};

/// The reference's `subrequests.Request`.
#[derive(Serialize)]
struct Request {
    name: &'static str,
    version: &'static str,
    r#type: &'static str,
    description: &'static str,
    opts: Option<Vec<Named>>,
    inputs: Option<Vec<Named>>,
    metadata: Vec<Named>,
    refs: Option<Vec<Named>>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    description: &'static str,
}

/// Lists outline, targets and this one: the reference does not list the others either.
pub(in super::super) fn describe() -> Answer {
    let target = Named {
        name: "target",
        description: "Target build stage",
    };
    let requests = [
        request(
            "frontend.outline",
            "List all parameters current build target supports",
            Some(vec![target]),
        ),
        request(
            "frontend.targets",
            "List all targets current build supports",
            Some(Vec::new()),
        ),
        request(
            "frontend.subrequests.describe",
            "List available subrequest types",
            None,
        ),
    ];
    let rows = requests.iter().map(|request| {
        let name = request.name.trim_start_matches("frontend.");
        [name, request.version, request.description].map(str::to_owned)
    });
    Answer {
        json: to_json(&requests),
        text: table(["NAME", "VERSION", "DESCRIPTION"], rows, 1),
        version: "1.0.0".to_owned(),
        ..Answer::default()
    }
}

fn request(name: &'static str, description: &'static str, opts: Option<Vec<Named>>) -> Request {
    let metadata = |name| Named {
        name,
        description: "",
    };
    Request {
        name,
        version: "1.0.0",
        r#type: "rpc",
        description,
        opts,
        inputs: None,
        metadata: vec![metadata("result.json"), metadata("result.txt")],
        refs: None,
    }
}
