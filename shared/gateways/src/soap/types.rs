//! The contract's types as XML Schema has them: the schema is written, XML is read and JSON is written from this one
//! description.

use protocol::{
    Cause, Code,
    case::{self, capitalized},
    contract::{Contract, ProcedureContract},
};
use serde_json::Value;

use crate::words;

use super::schemas::Reader;

/// The type of an element.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// The form of the value.
    pub form: XmlForm,
    /// Whether null is allowed: `xsi:nil`.
    pub nullable: bool,
    /// The doc comment.
    pub docs: Option<String>,
}

/// The form of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum XmlForm {
    /// Text without elements.
    Simple(Simple),
    /// `item` elements.
    List(Box<List>),
    /// `entry` elements, each with a `key` and a `value`.
    Map(Box<Map>),
    /// One element for each member.
    Object(Vec<Member>),
    /// One element, named after the variant.
    Union(Vec<Variant>),
    /// A named type of the contract: its index in [`Service::named`].
    Named(usize),
}

/// A simple type with its restrictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simple {
    /// The base type of XML Schema.
    pub base: Base,
    /// Facets in the order of XML Schema: name and value.
    pub facets: Vec<(&'static str, String)>,
    /// The allowed values, with their doc comments; any if empty.
    pub values: Vec<(String, Option<String>)>,
}

/// The base types of XML Schema, with their form in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// A string, as it is.
    #[default]
    Text,
    /// A boolean.
    Boolean,
    /// A number: `unsignedInt`, `long`, `double`.
    Number(&'static str),
    /// A string with a form in XML Schema; spaces around it are ignored.
    Time,
    /// A string; spaces in it are ignored.
    Bytes,
}

impl Base {
    /// The name in XML Schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Boolean => "boolean",
            Self::Number(name) => name,
            Self::Time => "dateTime",
            Self::Bytes => "base64Binary",
        }
    }
}

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The type of its items.
    pub item: Slot,
    /// The minimum number of items.
    pub least: u64,
    /// The maximum number of items.
    pub most: Option<u64>,
}

/// A map.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The type of keys.
    pub key: Simple,
    /// The type of values.
    pub value: Slot,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name in JSON.
    pub json: String,
    /// Its name in XML: the same, if XML allows it.
    pub xml: String,
    /// Whether it may be absent.
    pub optional: bool,
    /// The type of its value.
    pub slot: Slot,
}

/// A variant of a tagged union.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its `type` in JSON.
    pub json: String,
    /// Its name in XML.
    pub xml: String,
    /// The doc comment.
    pub docs: Option<String>,
    /// The members beside `type` in JSON. Without any, the element holds `true`.
    pub members: Vec<Member>,
}

/// A named type of the contract.
#[derive(Clone, Debug)]
pub struct NamedType {
    /// Its name in the schema.
    pub name: String,
    /// Its type.
    pub slot: Slot,
}

/// The input of an operation.
#[derive(Debug)]
pub enum Input {
    /// No input.
    Nothing,
    /// Members or a variant, directly in the operation's element.
    Plain(XmlForm),
    /// Any other value, in an element `input`.
    Wrapped(Slot),
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// The procedure's name.
    pub procedure: String,
    /// Its own name, which is also that of the request's element: `ordersGet`.
    pub name: String,
    /// The name of the response's element.
    pub response: String,
    /// The doc comment.
    pub docs: String,
    /// The input.
    pub input: Input,
    /// The type of `result` in the response.
    pub output: Option<Slot>,
    /// The operation's own failures.
    pub failures: Vec<DeclaredFailure>,
}

/// A failure of an operation.
#[derive(Debug)]
pub struct DeclaredFailure {
    /// The `type` in JSON.
    pub kind: String,
    /// The element in a fault's detail: `ordersGetMissing`.
    pub name: String,
    /// The code.
    pub code: Code,
    /// The doc comment.
    pub docs: String,
    /// The members beside `type` in JSON.
    pub members: Vec<Member>,
}

/// A service as SOAP has it.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The namespace of its types and elements.
    pub namespace: String,
    /// The operations, by name.
    pub operations: Vec<Operation>,
    /// The named types, by name.
    pub named: Vec<NamedType>,
}

impl Service {
    /// Converts a contract.
    ///
    /// # Errors
    /// When two procedures would have one name, or a type has a form without a counterpart in XML Schema.
    pub fn of(contract: &Contract) -> Result<Self, Cause> {
        let contract = &words::worded(contract, |procedure| case::camel_case(&procedure.name));
        let mut reader = Reader::new(contract);
        let mut operations = Vec::with_capacity(contract.procedures.len());
        let mut elements: Vec<String> = vec![FAULT.to_owned()];
        for procedure in contract.in_styles() {
            let name = case::camel_case(&procedure.name);
            for element in [name.clone(), format!("{name}Response")] {
                if elements.contains(&element) {
                    return Err(format!("{}: SOAP has another element <{element}>", procedure.name).into());
                }
                elements.push(element);
            }
        }
        for procedure in contract.in_styles() {
            operations.push(operation(&mut reader, procedure, &mut elements)?);
        }
        let named = reader.finish();
        let namespace = format!("urn:onefold:{}", contract.service);
        Ok(Self { name: contract.service.clone(), namespace, operations, named })
    }

    /// Converts one operation of a contract, to write sample messages.
    ///
    /// # Errors
    /// As [`Service::of`].
    pub fn of_one(contract: &Contract, procedure: &ProcedureContract) -> Result<Self, Cause> {
        let mut reader = Reader::new(contract);
        let operations = vec![operation(&mut reader, procedure, &mut Vec::new())?];
        let namespace = format!("urn:onefold:{}", contract.service);
        Ok(Self { name: contract.service.clone(), namespace, operations, named: reader.finish() })
    }

    /// The operation whose request has an element of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The form itself, if it is the name of one.
    pub fn form<'a>(&'a self, form: &'a XmlForm) -> &'a XmlForm {
        match form {
            XmlForm::Named(place) => &self.named[*place].slot.form,
            form => form,
        }
    }

    /// The `SOAPAction` of an operation.
    pub fn action(&self, operation: &Operation) -> String {
        format!("{}/{}", self.namespace, operation.name)
    }

    /// Whether an action names an operation: as the WSDL states it, or as `namespace#operation`, which clients use
    /// that read no WSDL (SOAP::Lite).
    pub fn is_action(&self, action: &str, operation: &Operation) -> bool {
        let name = action.strip_prefix(&*self.namespace).and_then(|rest| rest.strip_prefix(['/', '#']));
        name == Some(&*operation.name)
    }
}

/// The element in the detail of every fault.
pub const FAULT: &str = "fault";

fn operation(
    reader: &mut Reader<'_>,
    procedure: &ProcedureContract,
    elements: &mut Vec<String>,
) -> Result<Operation, Cause> {
    let name = case::camel_case(&procedure.name);
    let with_procedure = |error: Cause| -> Cause { format!("{}: {error}", procedure.name).into() };
    let input = match &procedure.input {
        None => Input::Nothing,
        Some(schema) => {
            let slot = reader.slot(schema).map_err(with_procedure)?;
            match slot {
                Slot { form: XmlForm::Object(mut members), nullable: false, .. } => {
                    let place = |member: &Member| procedure.input_fields.iter().position(|name| *name == member.json);
                    members.sort_by_key(|member| place(member).unwrap_or(usize::MAX));
                    Input::Plain(XmlForm::Object(members))
                }
                Slot { form: form @ XmlForm::Union(_), nullable: false, .. } => Input::Plain(form),
                slot => Input::Wrapped(slot),
            }
        }
    };
    let output = procedure.output.as_ref().map(|schema| reader.slot(schema)).transpose().map_err(with_procedure)?;
    let mut failures = Vec::with_capacity(procedure.failures.len());
    for failure in &procedure.failures {
        let members = reader.members(&failure.schema).map_err(with_procedure)?;
        let mut element = xml_name(&(name.clone() + &capitalized(&failure.kind)));
        while elements.contains(&element) {
            element.push_str("Failure");
        }
        elements.push(element.clone());
        failures.push(DeclaredFailure {
            kind: failure.kind.clone(),
            name: element,
            code: failure.code,
            docs: failure.docs.clone(),
            members,
        });
    }
    let response = format!("{name}Response");
    let docs = procedure.docs.clone();
    Ok(Operation { procedure: procedure.name.clone(), name, response, docs, input, output, failures })
}

/// The closest XML name without a colon (NCName).
pub fn xml_name(name: &str) -> String {
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let mut fitting: String = name.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect();
    if !fitting.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        fitting.insert(0, '_');
    }
    fitting
}

/// The doc comment of a schema.
pub fn docs(schema: &Value) -> Option<String> {
    schema.get("description").and_then(Value::as_str).map(str::to_owned)
}
