//! Completes the selected fields from procedures' outputs.

use async_graphql::{Name, PathSegment, Value, indexmap::IndexMap};
use serde_json::Value as Json;

use super::{CONTINUES, Execution, Fault, Fields, Node, Path, PendingLoad, ResponseTooLarge};
use crate::{
    graphql::types::{FieldType, Kind, Source, Union},
    respond::weight,
};

impl<'d> Execution<'_, 'd> {
    /// `CompleteValue` of the specification.
    pub(super) fn complete(
        &mut self,
        of: &FieldType,
        node: Node<'_>,
        fields: &Fields<'d>,
        path: &mut Path,
    ) -> Result<Value, ResponseTooLarge> {
        let types = self.run.types;
        let json = match node {
            Node::Answer(json) => json,
            node => return self.object(of.kind.name(), node, fields, path),
        };
        match (&of.kind, json) {
            // A procedure without output still answers with an object.
            (Kind::Object(name), Json::Null) if !of.nullable => self.object(name, node, fields, path),
            (_, Json::Null) => Ok(Value::Null),
            (Kind::Scalar(_), json) => self.plain(json, fields, path),
            (Kind::Enum(name), Json::String(wire)) => {
                let values = types.enums.get(name).map(|known| known.values.as_slice()).unwrap_or_default();
                match values.iter().find(|value| value.wire == *wire) {
                    Some(value) => {
                        self.count(value.name.len())?;
                        Ok(Value::Enum(Name::new(&value.name)))
                    }
                    None => self.unknown(fields, path),
                }
            }
            (Kind::Object(name), json) => self.object(name, Node::Answer(json), fields, path),
            (Kind::Union(name), json) => match types.unions.get(name).and_then(|union| member_of(union, json)) {
                Some(object) => self.object(object, Node::Answer(json), fields, path),
                None => self.unknown(fields, path),
            },
            (Kind::List(item), Json::Array(items)) => {
                let mut values = Vec::with_capacity(items.len());
                for (place, json) in items.iter().enumerate() {
                    self.count(0)?;
                    path.push(PathSegment::Index(place));
                    values.push(self.complete(item, Node::Answer(json), fields, path)?);
                    path.pop();
                }
                Ok(Value::List(values))
            }
            _ => self.unknown(fields, path),
        }
    }

    fn plain(&mut self, json: &Json, fields: &Fields<'d>, path: &Path) -> Result<Value, ResponseTooLarge> {
        self.count(weight(json.to_string().as_bytes()))?;
        Value::from_json(json.clone()).or_else(|_| self.unknown(fields, path))
    }

    /// A value that the schema does not have: the procedure is newer than the gateway.
    fn unknown(&mut self, fields: &Fields<'d>, path: &Path) -> Result<Value, ResponseTooLarge> {
        self.fault(Fault::internal(fields[0].pos, path.clone()))?;
        Ok(Value::Null)
    }

    /// The selected fields of an object.
    pub(super) fn object(
        &mut self,
        name: &str,
        node: Node<'_>,
        fields: &Fields<'d>,
        path: &mut Path,
    ) -> Result<Value, ResponseTooLarge> {
        let selected = self.collect(name, fields.iter().map(|field| &field.node.selection_set.node));
        let mut object = IndexMap::with_capacity(selected.len());
        for (key, fields) in selected {
            self.count(key.len())?;
            path.push(PathSegment::Field(key.to_owned()));
            object.insert(Name::new(key), self.member(name, node, &fields, path)?);
            path.pop();
        }
        Ok(Value::Object(object))
    }

    fn member(
        &mut self,
        object: &str,
        node: Node<'_>,
        fields: &Fields<'d>,
        path: &mut Path,
    ) -> Result<Value, ResponseTooLarge> {
        let name = fields[0].node.name.node.as_str();
        if name == "__typename" {
            self.count(object.len())?;
            return Ok(Value::String(object.to_owned()));
        }
        let Some(known) = self.run.types.field(object, name) else { return self.unknown(fields, path) };
        let json = match node {
            Node::Answer(json) | Node::Edge(json, _) => json,
            Node::Failure(refusal) => refusal.failure.as_ref().unwrap_or(&Json::Null),
        };
        match (&known.source, node) {
            (Source::True, _) => Ok(Value::Boolean(true)),
            (Source::HasNext, _) => Ok(Value::Boolean(!json["next"].is_null())),
            (Source::HasPrevious, _) => Ok(Value::Boolean(json[CONTINUES] == true)),
            (Source::Start, _) => {
                let is_one = json["items"].as_array().is_some_and(|items| items.len() == 1);
                self.complete(&known.of, Node::Answer(if is_one { &json["next"] } else { &Json::Null }), fields, path)
            }
            (Source::Message, Node::Failure(refusal)) => {
                self.plain(&Json::String(refusal.message.clone()), fields, path)
            }
            (Source::Code, Node::Failure(refusal)) => Ok(Value::Enum(Name::new(refusal.code.key()))),
            (Source::Member(member), _) => self.complete(&known.of, Node::Answer(&json[member]), fields, path),
            (Source::Whole | Source::Entry, _) => self.complete(&known.of, Node::Answer(json), fields, path),
            (Source::Cursor, Node::Edge(_, cursor)) => self.plain(cursor, fields, path),
            (Source::Edges, _) => self.edges(&known.of, json, fields, path),
            (Source::Loaded { member, loader }, _) => {
                let ids = &json[member];
                if !ids.is_null() {
                    let (loader, ids) = (*loader, ids.clone());
                    self.open.push(PendingLoad { loader, ids, fields: fields.clone(), path: path.clone() });
                }
                Ok(Value::Null)
            }
            _ => self.unknown(fields, path),
        }
    }

    /// A page's entries as edges. The next cursor is known after the last one.
    fn edges(
        &mut self,
        of: &FieldType,
        page: &Json,
        fields: &Fields<'d>,
        path: &mut Path,
    ) -> Result<Value, ResponseTooLarge> {
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut edges = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            self.count(0)?;
            let cursor = if place + 1 == items.len() { &page["next"] } else { &Json::Null };
            path.push(PathSegment::Index(place));
            edges.push(self.complete(of, Node::Edge(item, cursor), fields, path)?);
            path.pop();
        }
        Ok(Value::List(edges))
    }
}

fn member_of<'u>(union: &'u Union, json: &Json) -> Option<&'u str> {
    let tag = json.get("type")?.as_str()?;
    union.members.iter().find(|member| member.tag == tag).map(|member| member.object.as_str())
}
