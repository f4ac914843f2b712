//! Builds the types of single values.

use protocol::Cause;

use super::Builder;
use crate::graphql::{
    names::check,
    shape,
    types::{Enum, EnumValue, Kind, Scalar},
};
use crate::names::enum_value;

impl Builder<'_> {
    pub(super) fn enumeration(&mut self, name: &str, docs: &str, values: &[(&str, &str)]) -> Result<Kind, Cause> {
        let kind = Kind::Enum(name.to_owned());
        if !self.take(name, &format!("the enum {name}"))? {
            return match self.types.enums.get(name) {
                Some(known) if !known.has(values) => {
                    Err(format!("`{name}` would stand for two enums in GraphQL").into())
                }
                _ => Ok(kind),
            };
        }
        let mut known: Vec<EnumValue> = Vec::new();
        for (wire, docs) in values {
            let value = enum_value(wire);
            check(&value, &format!("`{wire}` of {name}"))?;
            if let Some(same) = known.iter().find(|known| known.name == value) {
                return Err(format!("`{}` and `{wire}` of {name} would both be {value} in GraphQL", same.wire).into());
            }
            known.push(EnumValue { name: value, wire: (*wire).to_owned(), docs: (*docs).to_owned() });
        }
        self.types.enums.insert(name.to_owned(), Enum { docs: docs.to_owned(), values: known });
        Ok(kind)
    }

    pub(super) fn id(&mut self, name: &str) -> Result<Kind, Cause> {
        if name == shape::UUID {
            return self.scalar(name);
        }
        self.take(name, &format!("the id {name}"))?;
        let docs = "A UUID (RFC 9562), with hyphens.".to_owned();
        let specified_by = Some("https://www.rfc-editor.org/rfc/rfc9562#section-4");
        self.types.scalars.insert(name.to_owned(), Scalar { docs, specified_by });
        Ok(Kind::scalar(name))
    }

    pub(super) fn scalar(&mut self, name: &str) -> Result<Kind, Cause> {
        let (docs, specified_by) = match name {
            shape::DATE_TIME => (
                "A time, RFC 3339 in UTC to the millisecond.",
                Some("https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
            ),
            shape::UNSIGNED_INT => ("A whole number from 0 to 4294967295.", None),
            shape::SAFE_INTEGER => ("A whole number of at most 53 bits: what a JavaScript number holds.", None),
            shape::DECIMAL => ("A decimal number of any precision, as text: `-12.50`.", None),
            shape::BASE64 => ("Bytes, base64 with padding.", Some("https://www.rfc-editor.org/rfc/rfc4648#section-4")),
            shape::JSON => ("Any JSON.", Some("https://www.rfc-editor.org/rfc/rfc8259")),
            shape::UUID => ("A UUID, with hyphens.", Some("https://www.rfc-editor.org/rfc/rfc9562#section-4")),
            _ => return Ok(Kind::scalar(name)),
        };
        self.take(name, &format!("the scalar {name}"))?;
        self.types.scalars.insert(name.to_owned(), Scalar { docs: docs.to_owned(), specified_by });
        Ok(Kind::scalar(name))
    }
}

impl Enum {
    pub(super) fn has(&self, values: &[(&str, &str)]) -> bool {
        self.values.iter().map(|value| value.wire.as_str()).eq(values.iter().map(|(wire, _)| *wire))
    }
}
