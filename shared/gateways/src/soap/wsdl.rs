//! Writes the service's description: WSDL 1.1, document/literal wrapped, with a binding for each version of SOAP.

use protocol::Cause;

use super::{
    schema,
    types::{FAULT, Operation, Service},
    write::Document,
};

const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
const HTTP: &str = "http://schemas.xmlsoap.org/soap/http";

/// The bindings of WSDL 1.1: prefix, namespace of the extension, and suffix of the name.
const BINDINGS: [(&str, &str, &str); 2] = [
    ("soap", "http://schemas.xmlsoap.org/wsdl/soap/", "Soap11"),
    ("soap12", "http://schemas.xmlsoap.org/wsdl/soap12/", "Soap12"),
];

/// Writes the description of a service at an address.
///
/// # Errors
/// When the output is not UTF-8, which does not happen.
pub fn render(service: &Service, address: &str) -> Result<String, Cause> {
    let name = service_name(service);
    let mut document = Document::indented();
    let attributes = [
        ("name", name.as_str()),
        ("targetNamespace", service.namespace.as_str()),
        ("xmlns:tns", service.namespace.as_str()),
        ("xmlns:wsdl", WSDL),
        ("xmlns:xsd", schema::XSD),
        (&*format!("xmlns:{}", BINDINGS[0].0), BINDINGS[0].1),
        (&*format!("xmlns:{}", BINDINGS[1].0), BINDINGS[1].1),
    ];
    document.within("wsdl:definitions", &attributes, |document| {
        document.within("wsdl:types", &[], |document| schema::write(document, service));
        messages(document, service);
        port_type(document, service, &name);
        for binding in &BINDINGS {
            bind(document, service, &name, binding);
        }
        document.within("wsdl:service", &[("name", &*name)], |document| {
            for (prefix, _, kind) in &BINDINGS {
                let (port, binding) = (format!("{name}{kind}"), format!("tns:{name}{kind}"));
                document.within("wsdl:port", &[("name", &*port), ("binding", &*binding)], |document| {
                    document.empty(&format!("{prefix}:address"), &[("location", address)]);
                });
            }
        });
    });
    let mut text = String::from_utf8(document.finish())?;
    text.push('\n');
    Ok(text)
}

/// The name in the case of types: `shop` as `Shop`.
fn service_name(service: &Service) -> String {
    super::types::xml_name(&protocol::case::capitalized(&service.name))
}

fn messages(document: &mut Document, service: &Service) {
    let mut message = |name: &str, part: &str| {
        document.within("wsdl:message", &[("name", name)], |document| {
            document.empty("wsdl:part", &[("name", part), ("element", &*format!("tns:{name}"))]);
        });
    };
    for operation in &service.operations {
        message(&operation.name, "parameters");
        message(&operation.response, "parameters");
        for failure in &operation.failures {
            message(&failure.name, "fault");
        }
    }
    message(FAULT, "fault");
}

/// The faults of an operation: its own, and the common one.
fn faults(operation: &Operation) -> impl Iterator<Item = &str> {
    operation.failures.iter().map(|failure| failure.name.as_str()).chain([FAULT])
}

fn port_type(document: &mut Document, service: &Service, name: &str) {
    document.within("wsdl:portType", &[("name", name)], |document| {
        for operation in &service.operations {
            document.within("wsdl:operation", &[("name", &*operation.name)], |document| {
                if !operation.docs.is_empty() {
                    document.leaf("wsdl:documentation", &[], &operation.docs);
                }
                document.empty("wsdl:input", &[("message", &*format!("tns:{}", operation.name))]);
                document.empty("wsdl:output", &[("message", &*format!("tns:{}", operation.response))]);
                for fault in faults(operation) {
                    document.empty("wsdl:fault", &[("name", fault), ("message", &*format!("tns:{fault}"))]);
                }
            });
        }
    });
}

fn bind(document: &mut Document, service: &Service, name: &str, (prefix, _, kind): &(&str, &str, &str)) {
    let attributes = [("name", &*format!("{name}{kind}")), ("type", &*format!("tns:{name}"))];
    let [binding, bound, body, fault] =
        ["binding", "operation", "body", "fault"].map(|name| format!("{prefix}:{name}"));
    document.within("wsdl:binding", &attributes, |document| {
        document.empty(&binding, &[("style", "document"), ("transport", HTTP)]);
        for operation in &service.operations {
            document.within("wsdl:operation", &[("name", &*operation.name)], |document| {
                let action = service.action(operation);
                document.empty(&bound, &[("soapAction", &*action), ("style", "document")]);
                for direction in ["wsdl:input", "wsdl:output"] {
                    document.within(direction, &[], |document| document.empty(&body, &[("use", "literal")]));
                }
                for name in faults(operation) {
                    document.within("wsdl:fault", &[("name", name)], |document| {
                        document.empty(&fault, &[("name", name), ("use", "literal")]);
                    });
                }
            });
        }
    });
}
