//! Rewrites texts for a style's document. Doc comments name procedures by their tRPC name, `` `orders.get` ``; a
//! reader of a document knows only the names in it.

use protocol::contract::{Contract, ProcedureContract};
use serde_json::{Map, Value, json};

/// The contract for a document in which `called` names the procedures. Procedures with `http` are in no document of a
/// style: texts name them by their method and path.
#[must_use]
pub fn worded(contract: &Contract, called: impl Fn(&ProcedureContract) -> String) -> Contract {
    let name = |procedure: &ProcedureContract| procedure.http.clone().unwrap_or_else(|| called(procedure));
    let names = contract.procedures.iter().map(|procedure| (procedure.name.as_str(), name(procedure)));
    let names: Vec<(&str, String)> = names.filter(|(name, called)| name != called).collect();
    let named = |word: &str| names.iter().find(|(name, _)| *name == word).map(|(_, called)| called.clone());
    let mut worded = contract.clone();
    reword(&mut worded, &|text| *text = reworded(text, named));
    worded
}

/// Applies a change to every text of the contract that people read.
fn reword(contract: &mut Contract, change: &dyn Fn(&mut String)) {
    contract.domains.iter_mut().for_each(|domain| change(&mut domain.docs));
    for types in [&mut contract.output_types, &mut contract.input_types] {
        types.values_mut().for_each(|schema| reword_schema(schema, change));
    }
    for procedure in &mut contract.procedures {
        change(&mut procedure.docs);
        for schema in procedure.input.iter_mut().chain(&mut procedure.output) {
            reword_schema(schema, change);
        }
        for failure in &mut procedure.failures {
            change(&mut failure.docs);
            reword_schema(&mut failure.schema, change);
        }
    }
}

fn reword_schema(schema: &mut Value, change: &dyn Fn(&mut String)) {
    match schema {
        Value::Array(members) => members.iter_mut().for_each(|member| reword_schema(member, change)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("description", Value::String(text)) => change(text),
                    ("x-enumDescriptions", Value::Object(texts)) => {
                        for text in texts.values_mut() {
                            if let Value::String(text) = text {
                                change(text);
                            }
                        }
                    }
                    (_, member) => reword_schema(member, change),
                }
            }
        }
        _ => {}
    }
}

/// The first paragraph of a text in one line of plain text, and the rest: Markdown is for descriptions, in OpenAPI (3.1,
/// Operation Object) as in OpenRPC.
pub fn summary(docs: &str) -> (String, Option<&str>) {
    let (first, rest) = match docs.split_once("\n\n") {
        Some((first, rest)) => (first, Some(rest.trim())),
        None => (docs, None),
    };
    (first.trim().replace('\n', " ").replace('`', ""), rest)
}

/// A text with the code between its backticks rewritten, where `word` returns a replacement.
pub fn reworded(text: &str, word: impl Fn(&str) -> Option<String>) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut written = String::with_capacity(text.len());
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            written.push('`');
        }
        // A backtick that is not closed starts no code.
        let is_word = place % 2 == 1 && place + 1 < parts.len();
        match word(part).filter(|_| is_word) {
            Some(other) => written.push_str(&other),
            None => written.push_str(part),
        }
    }
    written
}

/// The description of one value of an enumeration.
pub fn docs_of_value<'a>(schema: &'a Value, value: &str) -> Option<&'a str> {
    schema.get("x-enumDescriptions")?.get(value)?.as_str()
}

/// The description of a domain; empty if it has none.
pub fn domain_docs<'a>(contract: &'a Contract, name: &str) -> &'a str {
    contract.domains.iter().find(|domain| domain.name == name).map_or("", |domain| &domain.docs)
}

/// The description of the service, followed by how to call it.
pub fn introduced(contract: &Contract, how: &str) -> String {
    format!("{}\n\n{how}", contract.about.description).trim().to_owned()
}

/// The licence for documents (OpenAPI 3.1 and OpenRPC), if it is stated.
pub fn license(contract: &Contract) -> Option<Value> {
    let license = &contract.about.license;
    (!license.is_empty()).then(|| json!({"name": license, "identifier": license}))
}

/// The contact for documents, if it is stated.
pub fn contact(contract: &Contract) -> Option<Value> {
    let named = [("name", &contract.about.contact), ("url", &contract.about.homepage)];
    let stated = named.into_iter().filter(|(_, text)| !text.is_empty());
    let contact: Map<String, Value> = stated.map(|(name, text)| (name.into(), text.as_str().into())).collect();
    (!contact.is_empty()).then(|| contact.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_between_back_ticks() {
        let loud = |text: &str| reworded(text, |word| (word == "a.b").then(|| "aB".to_owned()));
        assert_eq!(loud("a.b `a.b` `a.b.c` a`.b` ``a.b`` `c` `a.b"), "a.b `aB` `a.b.c` a`.b` ``a.b`` `c` `a.b");
    }
}
