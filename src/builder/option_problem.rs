//! Mistakes in the values of driver options.

use crate::oci;

/// The mistake in the value of a driver's option.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionProblem {
    /// The text is not one CSV record.
    #[error("it is not one CSV record")]
    Csv,
    /// The option has no `=`.
    #[error("an option is NAME=VALUE")]
    Form,
    /// The value is not a boolean.
    #[error("it is neither true nor false")]
    Boolean,
    /// The path is relative.
    #[error("it needs an absolute path")]
    RelativePath,
    /// The value is not an integer.
    #[error("it is not a whole number, for example 1000")]
    Integer,
    /// The value is not an integer above zero.
    #[error("it is not a whole number above zero, for example 3")]
    Count,
    /// The value is not a size in bytes.
    #[error("it is not a size such as 512m or 2g")]
    Size,
    /// The value is not a duration.
    #[error("it is not a time such as 90s or 5m")]
    Duration,
    /// The value is not an image reference.
    #[error("it is not the name of an image")]
    Image(#[source] oci::Error),
    /// The engine does not have this restart policy.
    #[error("it is no, always, unless-stopped or on-failure[:RETRIES]")]
    RestartPolicy,
    /// The balancing mode is unknown.
    #[error("it is sticky or random")]
    Balance,
    /// The value cannot be a namespace.
    #[error("a namespace has up to 63 small letters, digits and '-', not at the ends")]
    Namespace,
    /// The value is not a quantity of Kubernetes.
    #[error("it is not a quantity such as 500m or 2 for CPUs, 512Mi or 4Gi for memory and storage")]
    Quantity,
    /// The quantity is negative.
    #[error("it cannot be less than zero")]
    Negative,
    /// More is requested than the limit allows.
    #[error("it is more than {limit}, {allowed}")]
    AboveLimit {
        /// The option with the limit.
        limit: String,
        /// The limit.
        allowed: String,
    },
    /// Two options set the place of the daemon's state.
    #[error("the state is on a volume already ({option})")]
    StateOnVolume {
        /// The other option.
        option: &'static str,
    },
    /// The value is not a list of pairs.
    #[error("it is a list of KEY=VALUE with commas between")]
    Pairs,
    /// The key is not valid for a label or an annotation.
    #[error("{key:?} is not a valid key")]
    Key {
        /// The key.
        key: String,
    },
    /// The key belongs to the driver.
    #[error("the driver sets {key:?} itself")]
    ReservedKey {
        /// The key.
        key: String,
    },
    /// The value is not valid for a label.
    #[error(
        "{value:?} is not a valid label value: up to 63 letters, digits, '.', '-' and '_', not at \
         the ends"
    )]
    LabelValue {
        /// The value.
        value: String,
    },
    /// A toleration is invalid.
    #[error(transparent)]
    Toleration(#[from] TolerationProblem),
}

/// The mistake in a toleration of pods.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TolerationProblem {
    /// It is not a list of fields.
    #[error(
        "it is key=KEY,operator=Exists|Equal,value=VALUE,effect=EFFECT,tolerationSeconds=SECONDS, \
         with ; between several"
    )]
    Form,
    /// The field is unknown.
    #[error("a toleration has no {field:?}{}, it has key, operator, value, effect, \
        tolerationSeconds", meant(*.nearest))]
    UnknownField {
        /// The field.
        field: String,
        /// The field with the nearest name.
        nearest: Option<&'static str>,
    },
    /// The operator is unknown.
    #[error("the operator {operator:?} is not Exists or Equal")]
    Operator {
        /// The operator.
        operator: String,
    },
    /// The effect is unknown.
    #[error("the effect {effect:?} is not NoSchedule, PreferNoSchedule or NoExecute")]
    Effect {
        /// The effect.
        effect: String,
    },
    /// The seconds are not an integer.
    #[error("tolerationSeconds {value:?} is not a whole number")]
    Seconds {
        /// The value.
        value: String,
    },
    /// `Exists` is used with a value.
    #[error("with the operator Exists there is no value")]
    ValueWithExists,
    /// `Equal` is used without a key.
    #[error("without a key the operator is Exists")]
    NoKey,
    /// The seconds only make sense for pods that are evicted.
    #[error("tolerationSeconds is for the effect NoExecute")]
    SecondsWithoutNoExecute,
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" (did you mean {nearest}?)"))
}
