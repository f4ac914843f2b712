//! Writes the XML Schema of a service's types and elements.

use super::{
    types::{Base, FAULT, Input, Member, Service, Simple, Slot, XmlForm},
    write::Document,
};

/// The namespace of XML Schema.
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// How often an element may occur.
#[derive(Clone, Copy)]
struct Occurs<'a> {
    least: &'a str,
    most: &'a str,
}

const ONCE: Occurs<'static> = Occurs { least: "1", most: "1" };
const AT_MOST_ONCE: Occurs<'static> = Occurs { least: "0", most: "1" };

/// Writes the schema.
pub fn write(document: &mut Document, service: &Service) {
    // XML Schema part 1, section 3.15.2: names in messages have the service's namespace, as their elements do. The
    // prefixes are declared here again, for readers who take the schema out of the description.
    let attributes = [
        ("xmlns:xsd", XSD),
        ("xmlns:tns", &*service.namespace),
        ("targetNamespace", &*service.namespace),
        ("elementFormDefault", "qualified"),
    ];
    document.within("xsd:schema", &attributes, |document| {
        let writing = Writing { service };
        let mut named: Vec<_> = service.named.iter().collect();
        named.sort_by(|a, b| a.name.cmp(&b.name));
        for named in named {
            writing.form(document, Some(&named.name), &named.slot.form, named.slot.docs.as_deref());
        }
        for operation in &service.operations {
            let input = match &operation.input {
                Input::Nothing => XmlForm::Object(Vec::new()),
                Input::Plain(form) => form.clone(),
                Input::Wrapped(slot) => XmlForm::Object(vec![only("input", slot)]),
            };
            let output = operation.output.iter().map(|slot| only("result", slot)).collect();
            writing.element(document, &operation.name, &input, Some(&operation.docs));
            writing.element(document, &operation.response, &XmlForm::Object(output), None);
            for failure in &operation.failures {
                let form = XmlForm::Object(failure.members.clone());
                writing.element(document, &failure.name, &form, Some(&failure.docs));
            }
        }
        fault(document);
    });
}

fn only(name: &str, slot: &Slot) -> Member {
    Member { json: name.to_owned(), xml: name.to_owned(), optional: false, slot: slot.clone() }
}

/// The element in the detail of every fault.
fn fault(document: &mut Document) {
    let element = |document: &mut Document, name: &str, kind: &str, least: &str| {
        document.empty("xsd:element", &[("name", name), ("type", kind), ("minOccurs", least)]);
    };
    document.within("xsd:element", &[("name", FAULT)], |document| {
        annotation(document, Some("What every fault says, in all styles of API."));
        sequence(document, |document| {
            element(document, "code", "xsd:string", "1");
            element(document, "requestId", "xsd:string", "0");
            document.within("xsd:element", &[("name", "fields"), ("minOccurs", "0")], |document| {
                sequence(document, |document| {
                    let many = [("name", "item"), ("minOccurs", "0"), ("maxOccurs", "unbounded")];
                    document.within("xsd:element", &many, |document| {
                        sequence(document, |document| {
                            element(document, "path", "xsd:string", "1");
                            element(document, "message", "xsd:string", "1");
                        });
                    });
                });
            });
            element(document, "retryAfterS", "xsd:unsignedInt", "0");
        });
    });
}

fn sequence(document: &mut Document, content: impl FnOnce(&mut Document)) {
    document.within("xsd:complexType", &[], |document| document.within("xsd:sequence", &[], content));
}

fn annotation(document: &mut Document, docs: Option<&str>) {
    if let Some(docs) = docs.filter(|docs| !docs.is_empty()) {
        document.within("xsd:annotation", &[], |document| document.leaf("xsd:documentation", &[], docs));
    }
}

struct Writing<'a> {
    service: &'a Service,
}

impl Writing<'_> {
    /// A global element.
    fn element(&self, document: &mut Document, name: &str, form: &XmlForm, docs: Option<&str>) {
        document.within("xsd:element", &[("name", name)], |document| {
            annotation(document, docs);
            self.form(document, None, form, None);
        });
    }

    /// A type, named or inline.
    fn form(&self, document: &mut Document, name: Option<&str>, form: &XmlForm, docs: Option<&str>) {
        let named: Vec<(&str, &str)> = name.map(|name| ("name", name)).into_iter().collect();
        if let XmlForm::Simple(simple) = form {
            return document.within("xsd:simpleType", &named, |document| {
                annotation(document, docs);
                restriction(document, simple);
            });
        }
        document.within("xsd:complexType", &named, |document| {
            annotation(document, docs);
            let group = if matches!(form, XmlForm::Union(_)) { "xsd:choice" } else { "xsd:sequence" };
            match form {
                XmlForm::Object(members) if members.is_empty() => document.empty(group, &[]),
                form => document.within(group, &[], |document| self.group(document, form)),
            }
        });
    }

    /// The content of a sequence or a choice.
    fn group(&self, document: &mut Document, form: &XmlForm) {
        match form {
            XmlForm::Object(members) => {
                for member in members {
                    let occurs = if member.optional { AT_MOST_ONCE } else { ONCE };
                    self.local(document, &member.xml, &member.slot, occurs);
                }
            }
            XmlForm::List(list) => {
                let least = list.least.to_string();
                let most = list.most.map_or_else(|| "unbounded".to_owned(), |most| most.to_string());
                self.local(document, "item", &list.item, Occurs { least: &least, most: &most });
            }
            XmlForm::Map(map) => {
                let many = [("name", "entry"), ("minOccurs", "0"), ("maxOccurs", "unbounded")];
                document.within("xsd:element", &many, |document| {
                    sequence(document, |document| {
                        let key = Slot { form: XmlForm::Simple(map.key.clone()), nullable: false, docs: None };
                        self.local(document, "key", &key, ONCE);
                        self.local(document, "value", &map.value, ONCE);
                    });
                });
            }
            XmlForm::Union(variants) => {
                for variant in variants {
                    document.within("xsd:element", &[("name", &*variant.xml)], |document| {
                        annotation(document, variant.docs.as_deref());
                        let form = match variant.members.is_empty() {
                            // Clients cannot handle an empty element.
                            true => XmlForm::Simple(it_is()),
                            false => XmlForm::Object(variant.members.clone()),
                        };
                        self.form(document, None, &form, None);
                    });
                }
            }
            XmlForm::Simple(_) | XmlForm::Named(_) => {}
        }
    }

    /// An element inside of a type.
    fn local(&self, document: &mut Document, name: &str, slot: &Slot, occurs: Occurs<'_>) {
        let mut attributes = vec![("name", name)];
        let kind = match &slot.form {
            XmlForm::Named(place) => Some(format!("tns:{}", self.service.named[*place].name)),
            XmlForm::Simple(Simple { base, facets, values }) if facets.is_empty() && values.is_empty() => {
                Some(format!("xsd:{}", base.name()))
            }
            _ => None,
        };
        attributes.extend(kind.as_deref().map(|kind| ("type", kind)));
        // The defaults are left out: 1, and false.
        attributes.extend((occurs.least != "1").then_some(("minOccurs", occurs.least)));
        attributes.extend((occurs.most != "1").then_some(("maxOccurs", occurs.most)));
        attributes.extend(slot.nullable.then_some(("nillable", "true")));
        let docs = slot.docs.as_deref().filter(|docs| !docs.is_empty());
        if kind.is_some() && docs.is_none() {
            return document.empty("xsd:element", &attributes);
        }
        document.within("xsd:element", &attributes, |document| {
            annotation(document, docs);
            if kind.is_none() {
                self.form(document, None, &slot.form, None);
            }
        });
    }
}

/// The type of a variant without members: `true`.
fn it_is() -> Simple {
    Simple { base: Base::Boolean, facets: vec![("pattern", "true|1".to_owned())], values: Vec::new() }
}

fn restriction(document: &mut Document, simple: &Simple) {
    let base = format!("xsd:{}", simple.base.name());
    document.within("xsd:restriction", &[("base", &*base)], |document| {
        for (name, value) in &simple.facets {
            document.empty(&format!("xsd:{name}"), &[("value", value)]);
        }
        for (value, docs) in &simple.values {
            let attributes = [("value", value.as_str())];
            match docs.as_deref() {
                None | Some("") => document.empty("xsd:enumeration", &attributes),
                docs => document.within("xsd:enumeration", &attributes, |document| annotation(document, docs)),
            }
        }
    });
}
