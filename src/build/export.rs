//! What the daemon's exporters are told: types, names, attributes.

use std::collections::BTreeMap;

use super::{BuildRequest, Error, Output, OutputKind};
use crate::client::Exporter;

/// What can be told to be wrong before a daemon is asked.
pub(super) fn check(request: &BuildRequest) -> Result<(), Error> {
    let nameless = |output: &Output| output.pushes() && !output.attributes.contains_key("name");
    if request.tags.is_empty() && request.outputs.iter().any(nameless) {
        return Err(Error::PushWithoutName);
    }
    Ok(())
}

/// The exporters of a request, in order. A Docker engine's own BuildKit exports images with `moby`, which also unpacks
/// them so that containers can run from them.
pub(super) fn exporters(request: &BuildRequest, docker_engine: bool) -> Vec<Exporter> {
    let mut outputs = request.outputs.clone();
    if outputs.is_empty() && !request.tags.is_empty() && docker_engine {
        outputs.push(Output {
            kind: OutputKind::Image,
            attributes: BTreeMap::new(),
        });
    }
    outputs
        .into_iter()
        .filter(|output| output.kind != OutputKind::CacheOnly)
        .map(|output| exporter(request, output, docker_engine))
        .collect()
}

fn exporter(request: &BuildRequest, output: Output, docker_engine: bool) -> Exporter {
    let mut attrs = output.attributes;
    if !attrs.contains_key("name") && !request.tags.is_empty() {
        let names: Vec<String> = request.tags.iter().map(ToString::to_string).collect();
        attrs.insert("name".to_owned(), names.join(","));
    }
    Exporter {
        kind: if docker_engine { "moby" } else { "image" }.to_owned(),
        attrs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Reference;

    #[test]
    fn tags_become_the_exporter_s_name() {
        let mut request = BuildRequest::new(".");
        request.tags = vec![
            Reference::parse("localhost:5000/a:1").unwrap(),
            Reference::parse("b:2").unwrap(),
        ];
        request.outputs = vec![Output::push()];
        let exporters = exporters(&request, false);
        assert_eq!(exporters[0].kind, "image");
        assert_eq!(
            exporters[0].attrs["name"],
            "localhost:5000/a:1,docker.io/library/b:2"
        );
    }

    #[test]
    fn a_push_needs_a_name() {
        let mut request = BuildRequest::new(".");
        request.outputs = vec![Output::push()];
        assert!(matches!(check(&request), Err(Error::PushWithoutName)));
    }

    #[test]
    fn an_engine_keeps_a_tagged_image_and_a_daemon_the_cache_only() {
        let mut request = BuildRequest::new(".");
        assert!(exporters(&request, true).is_empty());
        request.tags = vec![Reference::parse("b:2").unwrap()];
        assert_eq!(exporters(&request, true)[0].kind, "moby");
        assert!(exporters(&request, false).is_empty());
    }
}
