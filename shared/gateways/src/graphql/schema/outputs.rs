//! Builds the types of outputs.

use protocol::Cause;
use serde_json::Value;

use super::{Builder, field};
use crate::graphql::{
    names::check,
    shape::{self, Shape, docs, shape, whole, without_null},
    types::{FieldType, Kind, Member, Object, Source, Union},
};
use protocol::case::capitalized;

impl<'c> Builder<'c> {
    /// The type of an output; `hint` is its name if it has none.
    pub(super) fn output(&mut self, schema: &Value, hint: &str) -> Result<FieldType, Cause> {
        let (nullable, name, resolved) = self.named(schema, hint);
        let origin = if name == hint { format!("what stands at {hint}") } else { format!("the type {name}") };
        let kind = match shape(resolved) {
            Shape::Scalar(scalar) => self.scalar(scalar)?,
            Shape::Id(id) => self.id(id)?,
            Shape::Json => self.scalar(shape::JSON)?,
            Shape::List(items) => Kind::list(self.output(items, &format!("{hint}Item"))?),
            Shape::Enum(values) => self.enumeration(&name, docs(resolved), &values)?,
            Shape::Object(properties) => {
                if self.take(&name, &origin)? {
                    let members = properties.iter().map(|(member, schema)| (member.as_str(), schema));
                    self.object(&name, docs(resolved), members)?;
                }
                Kind::Object(name)
            }
            Shape::Tagged(variants) => {
                if self.take(&name, &origin)? {
                    self.union(&name, docs(resolved), &variants)?;
                }
                Kind::Union(name)
            }
        };
        Ok(kind.nullable(nullable))
    }

    /// Whether a schema allows null, the name of its type, and the schema without null.
    pub(super) fn named<'s>(&self, schema: &'s Value, hint: &str) -> (bool, String, &'s Value)
    where
        'c: 's,
    {
        let (plain, nullable) = without_null(schema);
        let name = plain.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
        let (resolved, also) = without_null(self.contract.resolve(plain));
        (nullable || also, name.unwrap_or(hint).to_owned(), resolved)
    }

    pub(super) fn object<'s>(
        &mut self,
        name: &str,
        docs_of: &str,
        members: impl Iterator<Item = (&'s str, &'s Value)>,
    ) -> Result<(), Cause> {
        let mut fields = Vec::new();
        for (member, schema) in members {
            check(member, &format!("a member of {name}"))?;
            let of = match member == "type" && schema.get("const").is_some() {
                true => Kind::scalar("String").nullable(false),
                false => self.output(schema, &(name.to_owned() + &capitalized(member)))?,
            };
            fields.push(field(member, docs(schema), of, Source::Member(member.to_owned())));
        }
        self.types.objects.insert(name.to_owned(), Object { docs: docs_of.to_owned(), implements: None, fields });
        Ok(())
    }

    pub(super) fn union(&mut self, name: &str, docs_of: &str, variants: &[(&str, &Value)]) -> Result<(), Cause> {
        let mut members = Vec::new();
        for (tag, variant) in variants {
            let object = name.to_owned() + &capitalized(tag);
            self.take(&object, &format!("`{tag}` of {name}"))?;
            members.push(Member { tag: (*tag).to_owned(), object: object.clone() });
            let variant = whole(self.contract, variant);
            let properties = variant.get("properties").and_then(Value::as_object).into_iter().flatten();
            self.object(&object, docs(&variant), properties.map(|(member, schema)| (member.as_str(), schema)))?;
        }
        self.types.unions.insert(name.to_owned(), Union { docs: docs_of.to_owned(), members });
        Ok(())
    }
}
