//! The types of the schema, built from the contract: execution, SDL and limits all use them.

use std::collections::BTreeMap;

use protocol::Kind as Operation;

/// A type reference: a type, and whether null is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldType {
    pub kind: Kind,
    pub nullable: bool,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(String),
    Enum(String),
    Object(String),
    Union(String),
    Input(String),
    List(Box<FieldType>),
}

impl Kind {
    pub(super) fn nullable(self, nullable: bool) -> FieldType {
        FieldType { kind: self, nullable }
    }

    pub(super) fn scalar(name: &str) -> Self {
        Self::Scalar(name.to_owned())
    }

    pub(super) fn list(item: FieldType) -> Self {
        Self::List(Box::new(item))
    }

    /// The name of the type; for a list, that of its items.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Scalar(name) | Self::Enum(name) | Self::Object(name) | Self::Union(name) | Self::Input(name) => name,
            Self::List(item) => item.kind.name(),
        }
    }
}

/// A custom scalar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub docs: String,
    pub specified_by: Option<&'static str>,
}

/// An enum: its values with their names in GraphQL and on the wire.
#[derive(Debug, Default)]
pub(super) struct Enum {
    pub docs: String,
    pub values: Vec<EnumValue>,
}

impl Enum {
    /// Whether a value has this name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.values.iter().any(|value| value.name == name)
    }
}

/// One value of an enum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EnumValue {
    pub name: String,
    pub wire: String,
    pub docs: String,
}

/// An object type.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub docs: String,
    pub implements: Option<&'static str>,
    pub fields: Vec<Field>,
}

/// A field of an object type.
#[derive(Debug)]
pub(super) struct Field {
    pub name: String,
    pub docs: String,
    pub of: FieldType,
    pub source: Source,
}

/// The source of a field's value.
#[derive(Debug)]
pub(super) enum Source {
    /// The member of this name.
    Member(String),
    /// The object itself.
    Whole,
    /// The constant `true`.
    True,
    /// A page's entries as edges.
    Edges,
    /// The entry of an edge.
    Entry,
    /// The cursor after an edge, if it is known.
    Cursor,
    /// Whether there is a next page.
    HasNext,
    /// Whether there is a previous page.
    HasPrevious,
    /// The cursor of a page's first edge, if it is known.
    Start,
    /// The message of a failure.
    Message,
    /// The code of a failure.
    Code,
    /// The entity of an id, or several of them; the member holds the id.
    Loaded { member: String, loader: usize },
    /// The result of a procedure.
    Call(usize),
}

/// A union type, with the `type` of each member on the wire.
#[derive(Debug, Default)]
pub(super) struct Union {
    pub docs: String,
    pub members: Vec<Member>,
}

/// A member of a union.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub tag: String,
    pub object: String,
}

/// An input object type.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub docs: String,
    /// Whether exactly one of the fields must be present: it is the `type` of a tagged union.
    pub one_of: bool,
    pub fields: Vec<InputField>,
}

/// A field of an input, or an argument.
#[derive(Clone, Debug)]
pub(super) struct InputField {
    pub name: String,
    /// The name on the wire.
    pub wire: String,
    pub docs: String,
    pub of: FieldType,
    /// Whether it stands for a union's member without fields: its value is only `true`.
    pub bare: bool,
}

/// A procedure as a field of `Query` or `Mutation`.
#[derive(Debug)]
pub(super) struct Call {
    pub procedure: String,
    pub arguments: Arguments,
    /// The type of the output.
    pub success: FieldType,
    /// The types of the failures, by their `type`.
    pub failures: BTreeMap<String, String>,
    /// Whether it returns pages.
    pub is_paged: bool,
}

/// The arguments of a procedure's field.
#[derive(Debug)]
pub(super) enum Arguments {
    /// No arguments.
    None,
    /// One argument for each field of the input.
    Fields(Vec<InputField>),
    /// One argument, `input`.
    Input(InputField),
}

impl Arguments {
    pub(super) fn fields(&self) -> &[InputField] {
        match self {
            Self::None => &[],
            Self::Fields(fields) => fields,
            Self::Input(field) => std::slice::from_ref(field),
        }
    }
}

/// The procedure that fetches many entities by id.
#[derive(Debug)]
pub(super) struct Loader {
    pub procedure: String,
    /// The type of the id.
    pub id: String,
    /// The entity's object type.
    pub object: String,
}

/// All types.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub scalars: BTreeMap<String, Scalar>,
    pub enums: BTreeMap<String, Enum>,
    pub objects: BTreeMap<String, Object>,
    pub unions: BTreeMap<String, Union>,
    pub inputs: BTreeMap<String, Input>,
    pub calls: Vec<Call>,
    pub loaders: Vec<Loader>,
}

/// The names of the root types.
pub(super) const QUERY: &str = "Query";
pub(super) const MUTATION: &str = "Mutation";

/// The names of the interfaces of every schema.
pub(super) const CONNECTION: &str = "Connection";
pub(super) const EDGE: &str = "Edge";
pub(super) const FAILURE: &str = "Failure";
/// The names of the other types of every schema.
pub(super) const PAGE_INFO: &str = "PageInfo";
pub(super) const ERROR_CODE: &str = "ErrorCode";

impl Types {
    /// A field of an object type.
    pub(super) fn field(&self, object: &str, name: &str) -> Option<&Field> {
        self.objects.get(object)?.fields.iter().find(|field| field.name == name)
    }

    /// The type of a field of an object or an interface.
    pub(super) fn field_of(&self, parent: &str, name: &str) -> Option<&FieldType> {
        let implements = |object: &&Object| object.implements == Some(parent);
        let object = self.objects.get(parent).or_else(|| self.objects.values().find(implements))?;
        object.fields.iter().find(|field| field.name == name).map(|field| &field.of)
    }

    /// Whether a fragment on the type `asked` applies to an object (specification, `DoesFragmentTypeApply`).
    pub(super) fn is_a(&self, object: &str, condition: &str) -> bool {
        object == condition
            || self.objects.get(object).is_some_and(|object| object.implements == Some(condition))
            || self
                .unions
                .get(condition)
                .is_some_and(|union| union.members.iter().any(|member| member.object == object))
    }

    /// The root type of an operation.
    pub(super) const fn root(operation: Operation) -> &'static str {
        match operation {
            Operation::Query => QUERY,
            Operation::Mutation => MUTATION,
        }
    }
}
