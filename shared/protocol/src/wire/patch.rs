//! Fields of partial changes: a new value, or none.

use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};

/// A field of a PATCH: absent leaves the value as it is. `Patch<Option<T>>` accepts null as a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub enum Patch<T> {
    /// The field was absent.
    #[default]
    Keep,
    /// The field was present.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field was absent.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Replaces the old value, if there is a new one.
    pub fn apply<U>(self, target: &mut U)
    where
        T: Into<U>,
    {
        if let Self::Set(value) = self {
            *target = value.into();
        }
    }

    /// The new value, if there is one.
    pub const fn as_set(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }
}
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(serializer),
            Self::Keep => Err(S::Error::custom("`Patch::Keep` is an absent field; `#[wire]` leaves it out")),
        }
    }
}
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Set)
    }
}
impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// `garde` rules on a [`Patch`] hold for the value that is set.
mod patch_rules {
    use garde::{
        error::Error,
        rules::{length, range},
    };

    use super::Patch;

    impl<T: length::simple::Simple> length::simple::Simple for Patch<T> {
        fn validate_length(&self, min: usize, max: usize) -> Result<(), Error> {
            self.as_set().map_or(Ok(()), |value| value.validate_length(min, max))
        }
    }
    impl<T: length::chars::Chars> length::chars::Chars for Patch<T> {
        fn validate_num_chars(&self, min: usize, max: usize) -> Result<(), Error> {
            self.as_set().map_or(Ok(()), |value| value.validate_num_chars(min, max))
        }
    }
    impl<T: range::Bounds> range::Bounds for Patch<T> {
        type Size = T::Size;
        const MIN: Self::Size = T::MIN;
        const MAX: Self::Size = T::MAX;
        fn validate_bounds(&self, lower: Self::Size, upper: Self::Size) -> Result<(), range::OutOfBounds> {
            self.as_set().map_or(Ok(()), |value| value.validate_bounds(lower, upper))
        }
    }
}

impl<T: Validate> Validate for Patch<T> {
    type Context = T::Context;
    fn validate_into(
        &self,
        context: &Self::Context,
        parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        if let Self::Set(value) = self {
            value.validate_into(context, parent, report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_tells_absent_from_null() {
        #[derive(Deserialize)]
        struct Change {
            #[serde(default)]
            age: Patch<Option<u32>>,
        }
        let age = |json| serde_json::from_str::<Change>(json).unwrap().age;
        assert_eq!(age("{}"), Patch::Keep);
        assert_eq!(age(r#"{"age": null}"#), Patch::Set(None));
        assert_eq!(age(r#"{"age": 3}"#), Patch::Set(Some(3)));
    }
}
