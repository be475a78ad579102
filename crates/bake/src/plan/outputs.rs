//! `push` and `load`: their effect on the outputs of a target.

use crate::target::Output;

/// Enables or disables pushing.
pub(super) fn set_push(outputs: &mut Option<Vec<Output>>, push: bool) {
    let mut list = outputs.take().unwrap_or_default();
    if push {
        let only_docker = list.iter().all(|output| output.kind == "docker");
        for output in list.iter_mut().filter(|output| output.kind == "image") {
            output.attributes.insert("push".into(), "true".into());
        }
        if only_docker {
            list.push(Output {
                kind: "image".into(),
                attributes: [("push".to_owned(), "true".to_owned())].into(),
                ..Output::default()
            });
        }
    } else {
        let mut index = 0;
        while let Some(output) = list.get_mut(index) {
            if output.kind == "registry" {
                list.swap_remove(index);
                continue;
            }
            if output.kind == "image" {
                output.attributes.insert("push".into(), "false".into());
            }
            index += 1;
        }
    }
    *outputs = Some(list);
}

/// Loads the result into the Docker daemon, unless another output forbids it.
pub(super) fn set_load(outputs: &mut Option<Vec<Output>>, load: bool) {
    if !load {
        return;
    }
    let list = outputs.get_or_insert_default();
    for output in list.iter() {
        match output.kind.as_str() {
            "docker" if output.destination.is_empty() => return,
            "docker" | "image" | "registry" | "oci" => {}
            _ => return,
        }
    }
    list.push(Output {
        kind: "docker".into(),
        ..Output::default()
    });
}
