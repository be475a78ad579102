//! The settings in OpenTelemetry's variables.

use super::collector::Collector;
use super::sampler::Sampler;
use super::variables::pairs;
use super::{SettingProblem, TraceContext, messages};

/// The settings of a trace: if and where spans are sent, and the parent.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) collector: Option<Collector>,
    pub(super) parent: Option<TraceContext>,
    /// True if spans are recorded when the sampler agrees; otherwise the parent is only passed on.
    pub(super) records: bool,
    pub(super) sampler: Sampler,
    /// The attributes of this program.
    pub(super) resource: Vec<(String, String)>,
}

impl Settings {
    /// Reads OpenTelemetry's variables through a function such as `|name|
    /// std::env::var(name).ok()`. `None` if they request nothing: neither a collector
    /// (`OTEL_TRACES_EXPORTER=otlp`, `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) nor a parent (`TRACEPARENT`). `service` is the default
    /// name of the program.
    ///
    /// # Errors
    /// [`SettingProblem`] if a variable is invalid.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        service: &str,
    ) -> Result<Option<Self>, SettingProblem> {
        let set = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let is_disabled =
            set("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"));
        let exporter = set("OTEL_TRACES_EXPORTER");
        let (exports, records) = match exporter.as_deref() {
            _ if is_disabled => (false, false),
            None => (Collector::is_named(&variable), true),
            Some("otlp") => (true, true),
            Some("none") => (false, false),
            Some(value) => {
                let value = value.to_owned();
                return Err(SettingProblem::Exporter { value });
            }
        };
        let parent = set("TRACEPARENT").map(|value| {
            let context = TraceContext::parse(&value, set("TRACESTATE").as_deref());
            context.ok_or(SettingProblem::Parent { value })
        });
        let parent = parent.transpose()?;
        if !exports && parent.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            collector: match exports {
                true => Some(Collector::from_variables(&variable)?),
                false => None,
            },
            records,
            sampler: Sampler::from_variables(set)?,
            resource: resource(set, service)?,
            parent,
        }))
    }

    /// Returns the destination of the spans, for messages.
    pub fn destination(&self) -> Option<String> {
        let collector = self.collector.as_ref()?;
        Some(collector.url())
    }
}

fn resource(
    set: impl Fn(&str) -> Option<String>,
    service: &str,
) -> Result<Vec<(String, String)>, SettingProblem> {
    const LIST: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut attributes = match set(LIST) {
        Some(list) => pairs(LIST, &list)?,
        None => Vec::new(),
    };
    let name = set("OTEL_SERVICE_NAME");
    let is_named =
        |attributes: &[(String, String)]| attributes.iter().any(|(key, _)| key == "service.name");
    if name.is_some() || !is_named(&attributes) {
        attributes.retain(|(key, _)| key != "service.name");
        let name = name.unwrap_or_else(|| service.to_owned());
        attributes.insert(0, ("service.name".to_owned(), name));
    }
    for (key, value) in [
        ("telemetry.sdk.name", "solvekit"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", messages::VERSION),
    ] {
        attributes.push((key.to_owned(), value.to_owned()));
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn settings(variables: &[(&str, &str)]) -> Result<Option<Settings>, SettingProblem> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::from_variables(variable, "tool")
    }

    #[test]
    fn nothing_is_traced_unless_asked_for() {
        for variables in [
            &[][..],
            &[
                ("OTEL_SERVICE_NAME", "x"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "?"),
            ],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"),
            ],
            &[
                ("OTEL_SDK_DISABLED", "true"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"),
            ],
        ] {
            assert!(settings(variables).unwrap().is_none(), "{variables:?}");
        }
    }

    #[test]
    fn a_parent_alone_is_recorded_for_the_daemon() {
        for (variables, records) in [
            (&[("TRACEPARENT", PARENT)][..], true),
            (
                &[("TRACEPARENT", PARENT), ("OTEL_SDK_DISABLED", "true")],
                false,
            ),
            (
                &[("TRACEPARENT", PARENT), ("OTEL_TRACES_EXPORTER", "none")],
                false,
            ),
        ] {
            let found = settings(variables).unwrap().unwrap();
            assert!(found.collector.is_none());
            assert_eq!(found.records, records, "{variables:?}");
        }
    }

    #[test]
    fn the_service_is_named_by_the_variables_first() {
        let name = |variables: &[(&str, &str)]| {
            let mut all = vec![("OTEL_TRACES_EXPORTER", "otlp")];
            all.extend(variables);
            let found = settings(&all).unwrap().unwrap().resource;
            found
                .into_iter()
                .find(|(key, _)| key == "service.name")
                .unwrap()
                .1
        };
        let list = ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=c%20d");
        assert_eq!(name(&[]), "tool");
        assert_eq!(name(&[list]), "c d");
        assert_eq!(name(&[list, ("OTEL_SERVICE_NAME", "e")]), "e");
    }

    #[test]
    fn garbage_is_a_problem() {
        let problem = |name, value| settings(&[(name, value)]).unwrap_err();
        let value = || "x".to_owned();
        assert_eq!(
            problem("TRACEPARENT", "x"),
            SettingProblem::Parent { value: value() }
        );
        assert_eq!(
            problem("OTEL_TRACES_EXPORTER", "x"),
            SettingProblem::Exporter { value: value() }
        );
    }
}
