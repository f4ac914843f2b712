//! Builds the schema for the library, which prints it, validates documents against it and answers introspection. The
//! library does not execute fields: see [`super::execute`].

use async_graphql::{
    SDLExportOptions,
    dynamic::{
        Enum, EnumItem, Field, FieldFuture, InputObject, InputValue, Interface, InterfaceField, Object, Scalar, Schema,
        TypeRef, Union,
    },
};
use protocol::Cause;

use super::types::{
    self, CONNECTION, EDGE, ERROR_CODE, FAILURE, FieldType, InputField, Kind, MUTATION, PAGE_INFO, QUERY, Source, Types,
};

/// The schema of these types.
///
/// # Errors
/// What breaks the rules of GraphQL schemas.
pub(super) fn schema(types: &Types, introspection: bool) -> Result<Schema, Cause> {
    schema_with(types, introspection, &str::to_owned)
}

/// How to write a description.
type Written<'a> = &'a dyn Fn(&str) -> String;

fn schema_with(types: &Types, introspection: bool, written: Written<'_>) -> Result<Schema, Cause> {
    let has = |root| types.objects.get(root).is_some_and(|object| !object.fields.is_empty());
    let mut builder = Schema::build(QUERY, has(MUTATION).then_some(MUTATION), None).disable_suggestions();
    if !introspection {
        builder = builder.disable_introspection();
    }
    for interface in interfaces(types) {
        builder = builder.register(interface);
    }
    for (name, scalar) in &types.scalars {
        let mut ours = described(&scalar.docs, written, Scalar::new(name), Scalar::description);
        if let Some(specified_by) = scalar.specified_by {
            ours = ours.specified_by_url(specified_by);
        }
        builder = builder.register(ours);
    }
    for (name, known) in &types.enums {
        let mut ours = described(&known.docs, written, Enum::new(name), Enum::description);
        for value in &known.values {
            ours = ours.item(described(&value.docs, written, EnumItem::new(&value.name), EnumItem::description));
        }
        builder = builder.register(ours);
    }
    for (name, input) in &types.inputs {
        let mut ours = described(&input.docs, written, InputObject::new(name), InputObject::description);
        if input.one_of {
            ours = ours.oneof();
        }
        for field in &input.fields {
            ours = ours.field(argument(field, written));
        }
        builder = builder.register(ours);
    }
    for (name, union) in &types.unions {
        let ours = described(&union.docs, written, Union::new(name), Union::description);
        builder = builder.register(union.members.iter().fold(ours, |ours, member| ours.possible_type(&member.object)));
    }
    for (name, object) in &types.objects {
        if *name != MUTATION || has(MUTATION) {
            builder = builder.register(object_type(types, name, object, written));
        }
    }
    Ok(builder.finish()?)
}

/// The schema as text. The library prints descriptions between `"""` as they are, so `"""` within them is escaped
/// here (specification, section 2.9.4).
///
/// # Errors
/// As [`schema`].
pub(super) fn sdl(types: &Types) -> Result<String, Cause> {
    let schema = schema_with(types, true, &|docs| docs.replace("\"\"\"", "\\\"\"\""))?;
    Ok(schema.sdl_with_options(SDLExportOptions::new().include_specified_by()))
}

/// The interfaces for pages and failures; one that no type implements is left out.
fn interfaces(types: &Types) -> Vec<Interface> {
    let known = |name| types.objects.values().any(|object| object.implements == Some(name));
    let field = |name: &str, of: Kind, nullable, docs: &str| {
        InterfaceField::new(name, reference(&of.nullable(nullable))).description(docs)
    };
    let text = || Kind::scalar("String");
    let connection = Interface::new(CONNECTION).description("One page of a list.").field(field(
        "pageInfo",
        Kind::Object(PAGE_INFO.into()),
        false,
        "Where the page stands in its list.",
    ));
    let edge = Interface::new(EDGE).description("An entry of a list.").field(field(
        "cursor",
        text(),
        true,
        "Where the list goes on after this entry. It is known of a page's last entry only.",
    ));
    let failure = Interface::new(FAILURE)
        .description("Why a procedure did not do what it was asked for.")
        .field(field("message", text(), false, "One sentence for a person."))
        .field(field("code", Kind::Enum(ERROR_CODE.into()), false, "What kind of failure it is."));
    let all = [(CONNECTION, connection), (EDGE, edge), (FAILURE, failure)];
    all.into_iter().filter(|(name, _)| known(name)).map(|(_, interface)| interface).collect()
}

fn object_type(types: &Types, name: &str, object: &types::Object, written: Written<'_>) -> Object {
    let mut ours = described(&object.docs, written, Object::new(name), Object::description);
    if let Some(interface) = object.implements {
        ours = ours.implement(interface);
    }
    for field in &object.fields {
        let mut its = described(
            &field.docs,
            written,
            Field::new(&field.name, reference(&field.of), |_| FieldFuture::Value(None)),
            Field::description,
        );
        if let Source::Call(call) = field.source {
            let arguments = types.calls[call].arguments.fields();
            its = arguments.iter().fold(its, |its, field| its.argument(argument(field, written)));
        }
        ours = ours.field(its);
    }
    ours
}

fn argument(field: &InputField, written: Written<'_>) -> InputValue {
    described(&field.docs, written, InputValue::new(&field.name, reference(&field.of)), InputValue::description)
}

/// Leaves an empty description out: the library would print it.
fn described<T>(docs: &str, written: Written<'_>, plain: T, describe: impl FnOnce(T, String) -> T) -> T {
    if docs.is_empty() { plain } else { describe(plain, written(docs)) }
}

fn reference(of: &FieldType) -> TypeRef {
    let plain = match &of.kind {
        Kind::List(item) => TypeRef::List(Box::new(reference(item))),
        kind => TypeRef::named(kind.name()),
    };
    if of.nullable { plain } else { TypeRef::NonNull(Box::new(plain)) }
}
