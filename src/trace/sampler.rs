//! Decides which traces are recorded: `OTEL_TRACES_SAMPLER`, as in OpenTelemetry's SDKs.

use super::{SettingProblem, TraceContext};

/// The variable with the sampler's name.
const NAME: &str = "OTEL_TRACES_SAMPLER";
/// The variable with the share of recorded traces, from 0 to 1.
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The share of recorded traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampler {
    /// True if a parent decides.
    by_parent: bool,
    /// From 0 to 1.
    ratio: f64,
}

impl Sampler {
    /// Reads the variables. By default all traces are recorded, except if the parent is not.
    pub(super) fn from_variables(
        set: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingProblem> {
        let name = set(NAME).map(|name| name.to_ascii_lowercase());
        let (by_parent, ratio) = match name.as_deref() {
            None | Some("parentbased_always_on") => (true, 1.0),
            Some("always_on") => (false, 1.0),
            Some("always_off") => (false, 0.0),
            Some("parentbased_always_off") => (true, 0.0),
            Some("traceidratio") => (false, argument(set(ARGUMENT))?),
            Some("parentbased_traceidratio") => (true, argument(set(ARGUMENT))?),
            Some(value) => {
                let value = value.to_owned();
                return Err(SettingProblem::Sampler { value });
            }
        };
        Ok(Self { by_parent, ratio })
    }

    /// True if the trace is recorded. All programs with the same ratio decide alike.
    pub(super) fn records(self, trace_id: [u8; 16], parent: Option<&TraceContext>) -> bool {
        if let (true, Some(parent)) = (self.by_parent, parent) {
            return parent.is_sampled();
        }
        if self.ratio >= 1.0 {
            return true;
        }
        let [.., a, b, c, d, e, f, g, h] = trace_id;
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
        // Both numbers are at most 2^63.
        (number as f64) < self.ratio * (1_u64 << 63) as f64
    }
}

fn argument(value: Option<String>) -> Result<f64, SettingProblem> {
    let Some(value) = value else {
        return Ok(1.0);
    };
    let ratio = value.parse().ok();
    let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or(SettingProblem::SamplerArgument { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(name: &str, argument: Option<&str>) -> Result<Sampler, SettingProblem> {
        Sampler::from_variables(|variable| match variable {
            NAME => Some(name.to_owned()),
            _ => argument.map(str::to_owned),
        })
    }

    #[test]
    fn samplers_are_those_of_the_sdks() {
        let low = [0; 16];
        let high = [0xff; 16];
        let parent = |flags| TraceContext {
            trace_id: low,
            span_id: [1; 8],
            flags,
            state: String::new(),
        };
        let (yes, no) = (parent(1), parent(0));
        for (name, argument, decisions) in [
            // Results without a parent, for a low and a high trace id; then with a recorded parent,
            // and with one that is not recorded.
            ("parentbased_always_on", None, [true, true, true, false]),
            ("always_on", None, [true, true, true, true]),
            ("always_off", None, [false, false, false, false]),
            ("parentbased_always_off", None, [false, false, true, false]),
            ("traceidratio", Some("0.5"), [true, false, true, true]),
            ("traceidratio", Some("0"), [false, false, false, false]),
            ("TraceIdRatio", None, [true, true, true, true]),
            (
                "parentbased_traceidratio",
                Some("0.5"),
                [true, false, true, false],
            ),
        ] {
            let sampler = sampler(name, argument).unwrap();
            let found = [
                sampler.records(low, None),
                sampler.records(high, None),
                sampler.records(low, Some(&yes)),
                sampler.records(low, Some(&no)),
            ];
            assert_eq!(found, decisions, "{name} {argument:?}");
        }
    }

    #[test]
    fn unknown_samplers_and_ratios_are_problems() {
        assert!(matches!(
            sampler("jaeger_remote", None),
            Err(SettingProblem::Sampler { .. })
        ));
        for argument in ["2", "-1", "x", "NaN"] {
            assert!(matches!(
                sampler("traceidratio", Some(argument)),
                Err(SettingProblem::SamplerArgument { .. })
            ));
        }
    }
}
