//! The types of the schema, as the contract gives them: what is executed, what is written as SDL and what is
//! measured come from here.

use std::collections::BTreeMap;

use protocol::Kind as Operation;

/// A type where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Of {
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
    List(Box<Of>),
}

impl Kind {
    pub(super) fn nullable(self, nullable: bool) -> Of {
        Of { kind: self, nullable }
    }

    pub(super) fn scalar(name: &str) -> Self {
        Self::Scalar(name.to_owned())
    }

    pub(super) fn list(item: Of) -> Self {
        Self::List(Box::new(item))
    }

    /// The name of the type, of a list's items if it is one.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Scalar(name) | Self::Enum(name) | Self::Object(name) | Self::Union(name) | Self::Input(name) => name,
            Self::List(item) => item.kind.name(),
        }
    }
}

/// A scalar of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub docs: String,
    pub specified_by: Option<&'static str>,
}

/// An enum: its values as GraphQL names them and as they travel.
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
    pub of: Of,
    pub source: Source,
}

/// Where a field's value comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The member of this name.
    Member(String),
    /// What the object itself stands for.
    Whole,
    /// It is always true.
    True,
    /// A page's entries as edges.
    Edges,
    /// The entry of an edge.
    Entry,
    /// Where the list goes on after an edge, if it is known.
    Cursor,
    /// Whether a page has a next one.
    HasNext,
    /// Whether something stands before a page.
    HasPrevious,
    /// The cursor of a page's first edge, if it is known.
    Start,
    /// The sentence of a failure.
    Message,
    /// The code of a failure.
    Code,
    /// What an id names, or several of them; the member holds the id.
    Loaded { member: String, loader: usize },
    /// What a procedure answers.
    Call(usize),
}

/// A union type, with the `type` that tells each member on the wire.
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
    /// Exactly one of the fields is given: it is the `type` of a tagged union.
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
    pub of: Of,
    /// Of a union's member that has nothing but its `type`: the field's value says nothing more.
    pub bare: bool,
}

/// A procedure as a field of `Query` or `Mutation`.
#[derive(Debug)]
pub(super) struct Call {
    pub procedure: String,
    pub arguments: Arguments,
    /// What stands for the output.
    pub success: Of,
    /// The types of the failures, by their `type`.
    pub failures: BTreeMap<String, String>,
    /// Whether it answers pages.
    pub is_paged: bool,
}

/// How a procedure's input is given.
#[derive(Debug)]
pub(super) enum Arguments {
    /// There is none.
    None,
    /// Field by field.
    Fields(Vec<InputField>),
    /// In one argument, `input`.
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

/// What fetches many of an entity by id.
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

/// The names of the roots.
pub(super) const QUERY: &str = "Query";
pub(super) const MUTATION: &str = "Mutation";

/// The interfaces that stand in every schema.
pub(super) const CONNECTION: &str = "Connection";
pub(super) const EDGE: &str = "Edge";
pub(super) const FAILURE: &str = "Failure";
/// The types beside them.
pub(super) const PAGE_INFO: &str = "PageInfo";
pub(super) const ERROR_CODE: &str = "ErrorCode";

impl Types {
    /// A field of an object type.
    pub(super) fn field(&self, object: &str, name: &str) -> Option<&Field> {
        self.objects.get(object)?.fields.iter().find(|field| field.name == name)
    }

    /// The type of a field of an object or an interface.
    pub(super) fn field_of(&self, parent: &str, name: &str) -> Option<&Of> {
        let implements = |object: &&Object| object.implements == Some(parent);
        let object = self.objects.get(parent).or_else(|| self.objects.values().find(implements))?;
        object.fields.iter().find(|field| field.name == name).map(|field| &field.of)
    }

    /// Whether an object is meant where this type is asked for (specification, `DoesFragmentTypeApply`).
    pub(super) fn is_a(&self, object: &str, asked: &str) -> bool {
        object == asked
            || self.objects.get(object).is_some_and(|object| object.implements == Some(asked))
            || self.unions.get(asked).is_some_and(|union| union.members.iter().any(|member| member.object == object))
    }

    /// The root object of an operation.
    pub(super) const fn root(operation: Operation) -> &'static str {
        match operation {
            Operation::Query => QUERY,
            Operation::Mutation => MUTATION,
        }
    }
}
