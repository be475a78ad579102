//! A daemon's pod.

use std::fmt;

/// A pod with a daemon. Shown as `the pod b0-1 (namespace ci, context prod)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` for that of the kubeconfig's context.
    pub namespace: Option<String>,
    /// The context of the kubeconfig; `None` for the current one.
    pub context: Option<String>,
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pod {}", self.name)?;
        let namespace = self.namespace.iter().map(|name| ("namespace", name));
        let context = self.context.iter().map(|name| ("context", name));
        let places = namespace.chain(context);
        let places: Vec<String> = places
            .map(|(kind, name)| format!("{kind} {name}"))
            .collect();
        match places.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", places.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_shown_with_its_places() {
        let pod = |namespace: Option<&str>, context: Option<&str>| Pod {
            name: "b0-1".to_owned(),
            namespace: namespace.map(str::to_owned),
            context: context.map(str::to_owned),
        };
        assert_eq!(pod(None, None).to_string(), "the pod b0-1");
        assert_eq!(
            pod(Some("ci"), Some("prod")).to_string(),
            "the pod b0-1 (namespace ci, context prod)"
        );
    }
}
