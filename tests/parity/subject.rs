//! One wire type of a service: its schema, its TypeScript name, and serde at work.

use jsonschema::Validator;
use protocol::contract::{Contract, ProcedureBuild, Rewrite};
use runtime::Service;
use serde_json::{Map, Value, json};

/// One wire type in the place where it is used.
pub struct Subject {
    /// The name of the type in TypeScript, such as `UsersGetInput`.
    pub name: String,
    /// Holds the schema, and the named types that it refers to.
    document: Value,
    validator: Validator,
    serde: Serde,
}

/// How the type reads and writes.
enum Serde {
    Input(Rewrite),
    Output(Rewrite),
    /// A failure's members beside `type`, which are written one by one.
    Failure(Vec<(String, Rewrite)>),
}

/// The inputs, outputs and failures of all procedures.
pub fn of(service: &Service) -> Vec<Subject> {
    let (contract, build) = codegen::contract(service).expect("the service can be described");
    let mut subjects = Vec::new();
    // What has a form of its own has no types in the package.
    for procedure in contract.in_styles() {
        let name = type_name(&procedure.name);
        let ProcedureBuild { types, failures, .. } = &build.procedures[&procedure.name];
        if let (Some(schema), Some(rewrite)) = (&procedure.input, types.rewrite_input) {
            subjects.push(Subject::new(format!("{name}Input"), schema, &contract, Serde::Input(rewrite)));
        }
        if let (Some(schema), Some(rewrite)) = (&procedure.output, types.rewrite_output) {
            subjects.push(Subject::new(format!("{name}Output"), schema, &contract, Serde::Output(rewrite)));
        }
        for failure in &procedure.failures {
            let serde = Serde::Failure(failures[&failure.kind].clone());
            subjects.push(Subject::new(format!("{name}Failure"), &failure.schema, &contract, serde));
        }
    }
    subjects
}

/// `users.get` to `UsersGet`, as the generated package names it.
fn type_name(procedure: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    procedure.split(['.', '_']).map(capital).collect()
}

impl Subject {
    fn new(name: String, schema: &Value, contract: &Contract, serde: Serde) -> Self {
        let document = json!({
            "allOf": [schema],
            "inputTypes": contract.input_types,
            "outputTypes": contract.output_types,
        });
        let options = jsonschema::options().should_validate_formats(true);
        let validator = options.build(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, document, validator, serde }
    }

    pub const fn is_input(&self) -> bool {
        matches!(self.serde, Serde::Input(_))
    }

    /// Where references begin.
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// The type's own schema.
    pub fn schema(&self) -> &Value {
        &self.document["allOf"][0]
    }

    /// Whether the schema accepts a value.
    pub fn validate(&self, value: &Value) -> Result<(), String> {
        self.validator.validate(value).map_err(|error| format!("{error:.200} at {}", error.instance_path()))
    }

    /// Reads the value with serde (and `garde`, if it is an input), and writes it again.
    pub fn rewrite(&self, value: &Value) -> Result<Value, String> {
        let through = |rewrite: Rewrite, value: &Value| {
            let written = rewrite(value.to_string().as_bytes())?;
            serde_json::from_slice(&written).map_err(|error| error.to_string())
        };
        match &self.serde {
            Serde::Input(rewrite) | Serde::Output(rewrite) => through(*rewrite, value),
            Serde::Failure(members) => {
                let mut written = Map::from_iter([("type".to_owned(), value["type"].clone())]);
                for (name, rewrite) in members {
                    written.insert(name.clone(), through(*rewrite, &value[name])?);
                }
                Ok(written.into())
            }
        }
    }

    /// Visits every schema that the type is made of.
    pub fn each_object(&self, visit: &mut dyn FnMut(&Value)) {
        fn descend(schema: &Value, document: &Value, depth: usize, visit: &mut dyn FnMut(&Value)) {
            assert!(depth < 32, "wire types nest without end");
            let schema = crate::values::sample::resolve(document, schema);
            visit(schema);
            let children =
                ["oneOf", "anyOf", "allOf", "prefixItems"].into_iter().filter_map(|key| schema[key].as_array());
            for child in children.flatten() {
                descend(child, document, depth + 1, visit);
            }
            let named = ["properties", "patternProperties"].into_iter().filter_map(|key| schema[key].as_object());
            for child in named.flat_map(Map::values) {
                descend(child, document, depth + 1, visit);
            }
            for child in ["items", "additionalProperties"].into_iter().map(|key| &schema[key]).filter(|s| s.is_object())
            {
                descend(child, document, depth + 1, visit);
            }
        }
        descend(self.schema(), &self.document, 0, visit);
    }
}
