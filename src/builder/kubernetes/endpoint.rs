//! The endpoint of a node in a cluster, as buildx stores it.

use super::super::{Driver, Error, NodeProblem};

/// Returns the endpoint of a new node, as buildx writes it:
/// `kubernetes:///BUILDER?deployment=NODE&kubeconfig=FILE`. Without a node name a unique text takes
/// its place; the pods are named after the node in any case.
pub fn kubernetes_endpoint(builder: &str, node: Option<&str>, kubeconfig: Option<&str>) -> String {
    let node = node.map_or_else(
        || {
            let mut random = [0_u8; 18];
            // The name need not be secret. A duplicate is refused when the node is added.
            let _ = getrandom::fill(&mut random);
            let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("buildkit-{hex}")
        },
        escape,
    );
    format!(
        "kubernetes:///{}?deployment={node}&kubeconfig={}",
        escape(builder),
        escape(kubeconfig.unwrap_or_default())
    )
}

/// Returns the kubeconfig file of an endpoint; `None` for the environment's.
pub(super) fn kubeconfig(endpoint: &str) -> Result<Option<String>, Error> {
    let invalid = |source| Error::Node {
        driver: Driver::Kubernetes,
        source,
    };
    let Some(rest) = endpoint.strip_prefix("kubernetes://") else {
        return Err(invalid(NodeProblem::ClusterScheme {
            endpoint: endpoint.to_owned(),
        }));
    };
    let (_, query) = rest.split_once('?').unwrap_or((rest, ""));
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("kubeconfig="));
    let value = crate::client::percent_decoded(value.unwrap_or_default());
    let value = value.ok_or_else(|| {
        invalid(NodeProblem::ClusterQuery {
            endpoint: endpoint.to_owned(),
        })
    })?;
    Ok((!value.is_empty()).then_some(value))
}

/// Escapes a query value like Go.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_buildx_s() {
        let endpoint = kubernetes_endpoint("b", Some("n0"), Some("/home/me/.kube/my config"));
        assert_eq!(
            endpoint,
            "kubernetes:///b?deployment=n0&kubeconfig=%2Fhome%2Fme%2F.kube%2Fmy+config"
        );
        assert_eq!(
            kubeconfig(&endpoint).unwrap().as_deref(),
            Some("/home/me/.kube/my config")
        );
        let unnamed = kubernetes_endpoint("b", None, None);
        assert_ne!(unnamed, kubernetes_endpoint("b", None, None));
        assert!(unnamed.ends_with("&kubeconfig="));
        assert_eq!(kubeconfig(&unnamed).unwrap(), None);
        assert!(kubeconfig("tcp://host:1").is_err());
    }
}
