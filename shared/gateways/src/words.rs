//! The words of a style's document. Doc comments name procedures as they are called everywhere, `` `orders.get` ``; who
//! reads a document knows the names in it, and no others.

use serde_json::Value;

use crate::{Contract, Procedure};

impl Contract {
    /// The same contract for a document in which procedures are `called` something else. What has a form of its own is
    /// in none: it is told of by its method and path.
    #[must_use]
    pub fn worded(&self, called: impl Fn(&Procedure) -> String) -> Self {
        let own = self.own_forms.iter().filter_map(|procedure| Some((&*procedure.name, procedure.http.clone()?)));
        let usual = self.procedures.iter().map(|procedure| (&*procedure.name, called(procedure)));
        let names: Vec<(&str, String)> = own.chain(usual).filter(|(name, called)| name != called).collect();
        let named = |word: &str| names.iter().find(|(name, _)| *name == word).map(|(_, called)| called.clone());
        let mut contract = self.clone();
        contract.reword(&|text| *text = reworded(text, named));
        contract
    }

    /// Lets every text of the contract be changed that people read.
    fn reword(&mut self, change: &dyn Fn(&mut String)) {
        self.domains.iter_mut().for_each(|domain| change(&mut domain.docs));
        for types in [&mut self.output_types, &mut self.input_types] {
            types.values_mut().for_each(|schema| reword_schema(schema, change));
        }
        for procedure in self.procedures.iter_mut().chain(&mut self.own_forms) {
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

/// A text with other words between its back-ticks, where there are any.
pub fn reworded(text: &str, word: impl Fn(&str) -> Option<String>) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut written = String::with_capacity(text.len());
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            written.push('`');
        }
        // What no back-tick ends is no word.
        let is_word = place % 2 == 1 && place + 1 < parts.len();
        match word(part).filter(|_| is_word) {
            Some(other) => written.push_str(&other),
            None => written.push_str(part),
        }
    }
    written
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
