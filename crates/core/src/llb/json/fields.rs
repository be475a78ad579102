//! Fields of messages in the JSON mapping of protobuf.

use serde_json::{Map, Value};

/// Fields of a JSON object; default values are omitted.
#[derive(Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    pub(super) fn option(&mut self, key: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    pub(super) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.option(key, (!value.is_empty()).then(|| value.into()));
        self
    }

    pub(super) fn texts(&mut self, key: &str, values: &[String]) -> &mut Self {
        self.option(key, (!values.is_empty()).then(|| values.into()));
        self
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.option(key, value.then_some(Value::Bool(true)));
        self
    }

    /// Adds a 64-bit number, which is a string in protobuf's mapping.
    pub(super) fn long(&mut self, key: &str, value: i64) -> &mut Self {
        self.option(key, (value != 0).then(|| value.to_string().into()));
        self
    }

    pub(super) fn int(&mut self, key: &str, value: impl Into<i64>) -> &mut Self {
        let value = value.into();
        self.option(key, (value != 0).then(|| value.into()));
        self
    }

    pub(super) fn name(&mut self, key: &str, number: i32, name: &str) -> &mut Self {
        self.option(key, (number != 0).then(|| name.into()));
        self
    }

    pub(super) fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        shown: impl Fn(T) -> Value,
    ) {
        let items: Vec<Value> = items.into_iter().map(shown).collect();
        self.option(key, (!items.is_empty()).then(|| items.into()));
    }

    pub(super) fn done(&mut self) -> Value {
        Value::Object(std::mem::take(&mut self.0))
    }
}
