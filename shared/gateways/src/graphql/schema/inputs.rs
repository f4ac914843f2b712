//! Builds the types of inputs.

use protocol::Cause;
use serde_json::Value;

use super::Builder;
use crate::graphql::{
    names::check,
    shape::{self, Shape, docs, shape, whole},
    types::{FieldType, Input, InputField, Kind},
};
use protocol::case::capitalized;

impl Builder<'_> {
    /// The type of an input.
    pub(super) fn input(&mut self, schema: &Value, hint: &str) -> Result<FieldType, Cause> {
        let (nullable, name, resolved) = self.named(schema, hint);
        let titled = if name.ends_with("Input") { name.clone() } else { format!("{name}Input") };
        let origin = format!("the input {name}");
        let kind = match shape(resolved) {
            Shape::Scalar(scalar) => self.scalar(scalar)?,
            Shape::Id(id) => self.id(id)?,
            Shape::Json => self.scalar(shape::JSON)?,
            Shape::List(items) => Kind::list(self.input(items, &format!("{hint}Item"))?),
            Shape::Enum(values) => {
                let same = self.types.enums.get(&name).is_none_or(|known| known.has(&values));
                self.enumeration(if same { &name } else { &titled }, docs(resolved), &values)?
            }
            Shape::Object(_) => {
                if self.take(&titled, &origin)? {
                    self.input_object(&titled, resolved)?;
                }
                Kind::Input(titled)
            }
            Shape::Tagged(variants) => {
                if self.take(&titled, &origin)? {
                    self.one_of(&titled, &name, docs(resolved), &variants)?;
                }
                Kind::Input(titled)
            }
        };
        Ok(kind.nullable(nullable))
    }

    /// An input object. The field that is present tells the `type` of a union's member.
    fn input_object(&mut self, titled: &str, schema: &Value) -> Result<(), Cause> {
        let mut fields = Vec::new();
        let stem = titled.strip_suffix("Input").unwrap_or(titled).to_owned();
        for (wire, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if wire != "type" || member.get("const").is_none() {
                fields.push(self.input_field(schema, wire, wire, member, &(stem.clone() + &capitalized(wire)))?);
            }
        }
        let input = Input { docs: docs(schema).to_owned(), one_of: false, fields };
        self.types.inputs.insert(titled.to_owned(), input);
        Ok(())
    }

    fn one_of(&mut self, titled: &str, name: &str, docs_of: &str, variants: &[(&str, &Value)]) -> Result<(), Cause> {
        let mut fields = Vec::new();
        for (tag, variant) in variants {
            check(tag, &format!("a `type` of {name}"))?;
            let variant = &whole(self.contract, variant);
            let members = variant.get("properties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
            let bare = members <= 1;
            let kind = if bare {
                Kind::scalar("Boolean")
            } else {
                let stem = name.strip_suffix("Input").unwrap_or(name);
                let object = format!("{stem}{}Input", capitalized(tag));
                self.take(&object, &format!("`{tag}` of the input {name}"))?;
                self.input_object(&object, variant)?;
                Kind::Input(object)
            };
            let (of, docs) = (kind.nullable(true), docs(variant).to_owned());
            fields.push(InputField { name: (*tag).into(), wire: (*tag).into(), docs, of, bare });
        }
        let input = Input { docs: docs_of.to_owned(), one_of: true, fields };
        self.types.inputs.insert(titled.to_owned(), input);
        Ok(())
    }
}
