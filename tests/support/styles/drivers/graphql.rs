//! GraphQL: a document for each call, made from what the service says of its schema and what the contract says of the
//! values. Everything that is there is asked for, to the end of the types.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Driver, Failed, Heard, without_variants};
use crate::{
    support::styles::calls::Procedure,
    support::{Answer, Request, Service},
};

/// What is asked of the schema.
const INTROSPECTION: &str = "{ __schema { types { name kind possibleTypes { name } \
    fields { name type { ...T } args { name type { ...T } } } inputFields { name type { ...T } } } } } \
    fragment T on __Type { name kind ofType { name kind ofType { name kind ofType { name kind ofType { name kind \
    ofType { name kind ofType { name kind ofType { name kind } } } } } } } }";

pub struct GraphQl {
    /// The schema's types by name.
    types: BTreeMap<String, Value>,
}

/// A field of an object, with its type's own name.
struct Field<'a> {
    own: &'a Value,
    of: &'a str,
}

impl GraphQl {
    /// As a running service has it.
    pub async fn of(service: &Service) -> Self {
        let body = json!({"query": INTROSPECTION}).to_string();
        let answer = service.send(&request(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let types = answer.json()["data"]["__schema"]["types"].as_array().cloned().unwrap_or_default();
        Self { types: types.into_iter().map(|of| (of["name"].as_str().unwrap_or_default().to_owned(), of)).collect() }
    }

    fn field(&self, object: &str, name: &str) -> Option<Field<'_>> {
        let fields = self.types.get(object)?["fields"].as_array()?;
        let own = fields.iter().find(|field| field["name"] == name)?;
        Some(Field { own, of: name_of(&own["type"]) })
    }

    fn root(&self, procedure: Procedure<'_>) -> Option<Field<'_>> {
        let root = if procedure.is_query() { "Query" } else { "Mutation" };
        self.field(root, &procedure.camel_case_name())
    }

    fn kind(&self, name: &str) -> &str {
        self.types.get(name).and_then(|of| of["kind"].as_str()).unwrap_or_default()
    }

    /// The members of a union, and what else there is: just the type itself.
    fn members(&self, name: &str) -> Vec<&str> {
        let possible = self.types.get(name).and_then(|of| of["possibleTypes"].as_array());
        match possible {
            Some(possible) => possible.iter().filter_map(|member| member["name"].as_str()).collect(),
            None => vec![],
        }
    }

    /// What is asked of the result of a procedure.
    fn selection(&self, procedure: Procedure<'_>) -> String {
        let Some(root) = self.root(procedure) else { return String::new() };
        if let (true, Some(output), None) =
            (procedure.failures().is_empty(), procedure.output(), self.field(root.of, "nodes"))
        {
            return self.below(procedure, root.of, output);
        }
        let fragments: Vec<Fragment> = self.fragments(procedure, root.of);
        match self.kind(root.of) {
            "UNION" => joined(&fragments),
            "OBJECT" => fragments.first().map_or_else(String::new, |only| format!("{{ {} }}", only.plain())),
            _ => String::new(),
        }
    }

    /// What stands under each type that a result may have.
    fn fragments(&self, procedure: Procedure<'_>, result: &str) -> Vec<Fragment> {
        let failures = failures(procedure);
        let mut fragments = Vec::new();
        let members = if self.kind(result) == "UNION" { self.members(result) } else { vec![result] };
        for member in members {
            let fields = match failures.get(member) {
                Some(failure) => {
                    let mut fields = self.fields(procedure, member, &failure["schema"]);
                    fields.push(("code".to_owned(), String::new()));
                    fields
                }
                None => self.success(procedure, member),
            };
            fragments.push(Fragment { of: member.to_owned(), fields });
        }
        fragments
    }

    /// What is asked of a success.
    fn success(&self, procedure: Procedure<'_>, of: &str) -> Vec<(String, String)> {
        if self.field(of, "nodes").is_some() && self.field(of, "pageInfo").is_some() {
            let items = procedure.output().map(|page| procedure.resolve(page)["properties"]["items"]["items"].clone());
            let nodes = self.field(of, "nodes").map_or("", |field| field.of);
            let items = items.map_or_else(String::new, |items| self.below(procedure, nodes, &items));
            return vec![("nodes".to_owned(), items), ("pageInfo".to_owned(), "{ hasNextPage endCursor }".to_owned())];
        }
        match procedure.output() {
            Some(schema) => {
                let schema = variant(&core(procedure, schema), of).unwrap_or_else(|| core(procedure, schema));
                if of.ends_with("Done")
                    && schema["properties"].get("value").is_none()
                    && self.field(of, "value").is_some()
                {
                    let inner = self.field(of, "value").map_or("", |field| field.of);
                    return vec![("value".to_owned(), self.below(procedure, inner, &schema))];
                }
                self.fields(procedure, of, &schema)
            }
            None => vec![("ok".to_owned(), String::new())],
        }
    }

    /// The fields of an object that its schema knows; edges to other entities are left alone.
    fn fields(&self, procedure: Procedure<'_>, of: &str, schema: &Value) -> Vec<(String, String)> {
        let ask = |(name, schema): (String, Value)| {
            let inner = self.field(of, &name).map_or("", |field| field.of);
            let below = self.below(procedure, inner, &schema);
            (name, below)
        };
        properties(procedure, schema).into_iter().map(ask).collect()
    }

    /// What is asked of a value of a type.
    fn below(&self, procedure: Procedure<'_>, of: &str, schema: &Value) -> String {
        let schema = core(procedure, schema);
        if let Some(items) = schema.get("items") {
            return self.below(procedure, of, items);
        }
        match self.kind(of) {
            "OBJECT" => {
                let fragment = Fragment { of: of.to_owned(), fields: self.fields(procedure, of, &schema) };
                format!("{{ {} }}", fragment.plain())
            }
            "UNION" => {
                let fragments = self.members(of).into_iter().map(|member| {
                    let schema = variant(&schema, member).unwrap_or(Value::Null);
                    Fragment { of: member.to_owned(), fields: self.fields(procedure, member, &schema) }
                });
                joined(&fragments.collect::<Vec<_>>())
            }
            _ => String::new(),
        }
    }

    /// A value as a variable of a type has it. None when that would say something else.
    fn given(&self, procedure: Procedure<'_>, of: &Value, schema: &Value, value: &Value) -> Option<Value> {
        let of = if of["kind"] == "NON_NULL" { &of["ofType"] } else { of };
        let schema = core(procedure, schema);
        match (of["kind"].as_str()?, value) {
            (_, Value::Null) => Some(Value::Null),
            ("LIST", Value::Array(entries)) => {
                let entries = entries.iter().map(|entry| self.given(procedure, &of["ofType"], &schema["items"], entry));
                entries.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            // One value is a list of one there.
            ("LIST", _) => None,
            ("ENUM", Value::String(word)) => {
                let known = words(&schema).into_iter().find(|known| known == word);
                // A word that is no value of the contract must not become one by its capitals.
                let is_value = words(&schema).iter().any(|known| enum_value(known) == *word);
                known.map_or_else(|| (!is_value).then(|| value.clone()), |known| Some(enum_value(&known).into()))
            }
            ("INPUT_OBJECT", Value::Object(fields)) => {
                self.given_object(procedure, of["name"].as_str()?, &schema, fields)
            }
            _ => Some(value.clone()),
        }
    }

    fn given_object(
        &self,
        procedure: Procedure<'_>,
        name: &str,
        schema: &Value,
        fields: &Map<String, Value>,
    ) -> Option<Value> {
        let known = self.types.get(name)?["inputFields"].as_array()?;
        if schema["oneOf"].is_array() {
            let tag = fields.get("type")?.as_str()?;
            let Some(field) = known.iter().find(|field| field["name"] == tag) else { return Some(json!({tag: true})) };
            let mut rest = fields.clone();
            rest.remove("type");
            let of = name_of(&field["type"]);
            let schema = schema["oneOf"].as_array()?.iter().find(|one| one["properties"]["type"]["const"] == tag)?;
            return match (self.kind(of), rest.is_empty()) {
                ("INPUT_OBJECT", _) => Some(json!({tag: self.given_object(procedure, of, schema, &rest)?})),
                (_, true) => Some(json!({tag: true})),
                // What stands beside the tag has no place there.
                _ => Some(json!({tag: rest})),
            };
        }
        let (mut object, known_properties) = (Map::new(), properties(procedure, schema));
        for (name, value) in fields {
            let field = known.iter().find(|field| field["name"] == **name);
            let value = match field {
                Some(field) => {
                    let schema = known_properties.get(name).unwrap_or(&Value::Null);
                    self.given(procedure, &field["type"], schema, value)?
                }
                None => value.clone(),
            };
            object.insert(name.clone(), value);
        }
        Some(object.into())
    }

    /// A value of an answer, as the contract has it.
    fn read(&self, procedure: Procedure<'_>, of: &str, schema: &Value, value: &Value) -> Option<Value> {
        let schema = core(procedure, schema);
        match (self.kind(of), value) {
            (_, Value::Null) => Some(Value::Null),
            (_, Value::Array(entries)) if schema.get("items").is_some() => {
                entries.iter().map(|entry| self.read(procedure, of, &schema["items"], entry)).collect()
            }
            ("ENUM", Value::String(name)) => {
                words(&schema).into_iter().find(|word| enum_value(word) == *name).map(Value::String)
            }
            ("UNION", Value::Object(fields)) => {
                let member = fields.get("__typename")?.as_str()?;
                self.read_object(procedure, member, &variant(&schema, member)?, fields)
            }
            ("OBJECT", Value::Object(fields)) => self.read_object(procedure, of, &schema, fields),
            (_, value) => Some(value.clone()),
        }
    }

    fn read_object(
        &self,
        procedure: Procedure<'_>,
        of: &str,
        schema: &Value,
        fields: &Map<String, Value>,
    ) -> Option<Value> {
        let mut object = Map::new();
        for (name, schema) in properties(procedure, schema) {
            let inner = self.field(of, &name)?.of;
            let value = fields.get(&alias(of, &name)).or_else(|| fields.get(&name))?;
            let value = self.read(procedure, inner, &schema, value)?;
            object.insert(name, value);
        }
        Some(object.into())
    }

    /// What stands under the field of a procedure.
    fn result(&self, procedure: Procedure<'_>, value: &Value) -> Option<Heard> {
        let root = self.root(procedure)?;
        let fields = value.as_object();
        let of = match fields.and_then(|fields| fields.get("__typename")?.as_str()) {
            Some(member) => member,
            None => root.of,
        };
        if let (Some(failure), Some(fields)) = (failures(procedure).get(of), fields) {
            let payload = self.read_object(procedure, of, &failure["schema"], fields)?;
            let code = fields.get(&alias(of, "code")).or_else(|| fields.get("code"))?;
            return (code == &failure["code"]).then(|| Err(Failed::new(code, &payload, &Value::Null)));
        }
        let Some(schema) = procedure.output() else {
            return (value["ok"] == true).then_some(Ok(None));
        };
        if self.field(of, "nodes").is_some() && self.field(of, "pageInfo").is_some() {
            let items = &procedure.resolve(schema)["properties"]["items"]["items"];
            let inner = self.field(of, "nodes")?.of;
            let nodes = value["nodes"].as_array()?.iter().map(|node| self.read(procedure, inner, items, node));
            let (info, nodes) = (&value["pageInfo"], nodes.collect::<Option<Vec<_>>>()?);
            let goes_on = !info["endCursor"].is_null();
            return (info["hasNextPage"] == goes_on)
                .then(|| Ok(Some(json!({"items": nodes, "next": info["endCursor"]}))));
        }
        let core = core(procedure, schema);
        if procedure.failures().is_empty() {
            return self.read(procedure, of, schema, value).map(|value| Ok(Some(value)));
        }
        if of.ends_with("Done") && core["properties"].get("value").is_none() && self.field(of, "value").is_some() {
            let inner = self.field(of, "value")?.of;
            return self.read(procedure, inner, schema, &value["value"]).map(|value| Ok(Some(value)));
        }
        let read = match variant(&core, of).filter(|_| core["oneOf"].is_array()) {
            Some(variant) => self.read_object(procedure, of, &variant, fields?)?,
            None => self.read(procedure, of, schema, value)?,
        };
        Some(Ok(Some(read)))
    }
}

impl Driver for GraphQl {
    fn name(&self) -> &'static str {
        "graphql"
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request> {
        let root = self.root(procedure)?;
        let arguments = root.own["args"].as_array()?;
        let (mut declared, mut passed, mut variables) = (Vec::new(), Vec::new(), Map::new());
        let mut pass = |argument: &Value, value: Value| {
            let name = argument["name"].as_str().unwrap_or_default();
            declared.push(format!("${name}: {}", written(&argument["type"])));
            passed.push(format!("{name}: ${name}"));
            variables.insert(name.to_owned(), value);
        };
        match (arguments.as_slice(), input) {
            (_, None) => {}
            ([only], Some(input)) if only["name"] == "input" => {
                pass(only, self.given(procedure, &only["type"], procedure.input()?, input)?);
            }
            (arguments, Some(input)) => {
                let schema = procedure.input().map(|schema| core(procedure, schema)).unwrap_or_default();
                let is_paged = self.field(root.of, "pageInfo").is_some();
                for (name, value) in input.as_object()? {
                    let said = match name.as_str() {
                        "limit" if is_paged => "first",
                        "cursor" if is_paged => "after",
                        name => name,
                    };
                    match arguments.iter().find(|argument| argument["name"] == said) {
                        Some(known) => {
                            let value = self.given(procedure, &known["type"], &schema["properties"][name], value)?;
                            pass(known, value);
                        }
                        None => {
                            let unknown = json!({"name": name, "type": {"kind": "SCALAR", "name": "Int"}});
                            pass(&unknown, 1.into());
                        }
                    }
                }
            }
        }
        let in_brackets = |all: &[String]| if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) };
        let kind = if procedure.is_query() { "query" } else { "mutation" };
        let (name, selection) = (procedure.camel_case_name(), self.selection(procedure));
        let query = format!("{kind} Call{} {{ {name}{} {selection} }}", in_brackets(&declared), in_brackets(&passed));
        Some(request(json!({"query": query, "variables": variables}).to_string()))
    }

    fn hear(&self, procedure: Procedure<'_>, answer: &Answer) -> Result<Heard, String> {
        let body = super::json(answer)?;
        let wrong = || format!("{}: {body:.400}", answer.status);
        if let Some(errors) = body["errors"].as_array() {
            let error = errors.first().ok_or_else(wrong)?;
            let extensions = &error["extensions"];
            // Without data, nothing was executed; else the call came to nothing.
            let is_due = match body.get("data") {
                None => answer.status == 400,
                Some(data) => answer.status == 200 && data[procedure.camel_case_name()].is_null(),
            };
            return match is_due && error["message"].is_string() {
                true => {
                    let fields = extensions["fields"].as_array().into_iter().flatten();
                    let fields: Vec<_> = fields.map(|fault| json!({"path": own(procedure, &fault["path"])})).collect();
                    Ok(Err(Failed::new(&extensions["code"], &extensions["failure"], &fields.into())))
                }
                false => Err(wrong()),
            };
        }
        let value = &body["data"][procedure.camel_case_name()];
        match answer.status {
            200 => self.result(procedure, value).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

fn request(body: String) -> Request {
    Request::new("POST", "/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .body(body)
}

/// What is asked of one type: fields, with what is asked of their values.
struct Fragment {
    of: String,
    fields: Vec<(String, String)>,
}

impl Fragment {
    fn plain(&self) -> String {
        let fields = self.fields.iter().map(|(name, below)| format!("{name} {below}"));
        fields.chain(self.fields.is_empty().then(|| "__typename".to_owned())).collect::<Vec<_>>().join(" ")
    }
}

/// All fragments of a union. Fields that several of them have may be of several types, and get names of their own.
fn joined(fragments: &[Fragment]) -> String {
    let mut text = "{ __typename".to_owned();
    for Fragment { of, fields } in fragments {
        text += &format!(" ... on {of} {{ __typename");
        for (name, below) in fields {
            let others = fragments.iter().filter(|other| other.of != *of);
            let is_shared = others.flat_map(|other| &other.fields).any(|(other, _)| other == name);
            let alias = if is_shared && name != "type" { format!("{}: ", alias(of, name)) } else { String::new() };
            text += &format!(" {alias}{name} {below}");
        }
        text += " }";
    }
    text + " }"
}

fn alias(of: &str, name: &str) -> String {
    format!("{of}_{name}")
}

/// A procedure's failures by the types that they are.
fn failures(procedure: Procedure<'_>) -> BTreeMap<String, Value> {
    let titled = capitalized(&procedure.camel_case_name());
    let named = |failure: &Value| {
        (titled.clone() + &capitalized(failure["type"].as_str().unwrap_or_default()), failure.clone())
    };
    procedure.failures().iter().map(named).collect()
}

fn capitalized(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

/// The members of an object; of a variant, those of the type that it holds, too.
fn properties(procedure: Procedure<'_>, schema: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(reference) = schema.get("$ref") {
        let target = core(procedure, &json!({"$ref": reference}));
        all.extend(target["properties"].as_object().cloned().unwrap_or_default());
    }
    all.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    all
}

/// The variant of a union that is a type: the type's name ends with its tag.
fn variant(schema: &Value, of: &str) -> Option<Value> {
    let variants = schema["oneOf"].as_array()?.iter();
    let tagged = variants
        .filter(|one| one["properties"]["type"]["const"].as_str().is_some_and(|tag| of.ends_with(&capitalized(tag))));
    tagged.max_by_key(|one| one["properties"]["type"]["const"].as_str().map(str::len)).cloned()
}

/// The path of an argument as the procedure has it. What does not fit the type of a variable is named from the variable on,
/// which [`GraphQl::say`] calls like the argument.
fn own(procedure: Procedure<'_>, path: &Value) -> String {
    let path = path.as_str().unwrap_or("no text");
    let path = match path.strip_prefix('$') {
        Some(path) => path.strip_prefix("input").map_or(path, |inner| inner.strip_prefix('.').unwrap_or(inner)),
        None => path,
    };
    let path = without_variants(procedure, path);
    let is_paged = procedure.is_query()
        && ["limit", "cursor"].iter().all(|name| procedure.input_fields().any(|field| field == *name));
    match path.as_str() {
        "first" if is_paged => "limit".to_owned(),
        "after" if is_paged => "cursor".to_owned(),
        _ => path,
    }
}

/// The words of an enumeration.
fn words(schema: &Value) -> Vec<String> {
    match (schema["enum"].as_array(), schema["const"].as_str()) {
        (Some(values), _) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        (None, Some(word)) => vec![word.to_owned()],
        (None, None) => Vec::new(),
    }
}

/// `createdAt` as `CREATED_AT`, `-createdAt` as `CREATED_AT_DESC`.
fn enum_value(word: &str) -> String {
    let (plain, ending) = word.strip_prefix('-').map_or((word, ""), |plain| (plain, "_DESC"));
    let mut name = String::new();
    for letter in plain.chars() {
        if letter.is_uppercase() && name.ends_with(|before: char| before != '_') {
            name.push('_');
        }
        name.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    }
    name + ending
}

/// What a schema comes down to, without null.
fn core(procedure: Procedure<'_>, schema: &Value) -> Value {
    if let Some(branches) = schema["anyOf"].as_array() {
        let one = branches.iter().find(|branch| branch["type"] != "null").unwrap_or(&Value::Null);
        return core(procedure, one);
    }
    match schema.get("$ref") {
        Some(_) => core(procedure, crate::values::sample::resolve(procedure.document, schema)),
        None => schema.clone(),
    }
}

/// The name of a type, of a list's items if it is one.
fn name_of(of: &Value) -> &str {
    match of["name"].as_str() {
        Some(name) => name,
        None if of["ofType"].is_null() => panic!("a type has no name: {of}"),
        None => name_of(&of["ofType"]),
    }
}

/// A type as documents have it.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => written(&of["ofType"]) + "!",
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().unwrap_or_default().to_owned(),
    }
}
