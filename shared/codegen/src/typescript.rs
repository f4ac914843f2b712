//! Renders the npm package: types, the router's type for the official client, and the framework's client (`onefold-client`)
//! beside the few lines that say what is this service's.
//!
//! The package is written as `.d.ts` and `.js`, as it is published, so that it needs no build. The client is a folder in it
//! and not a package that it depends on: npm 10, of Node 20 and 22, finds no `file:` dependency of a package that it copies, no
//! npm that of a package which is moved or packed, and Cargo brings the text wherever it brings the framework from.

mod session;

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use protocol::{
    Code, Kind, Layout,
    case::type_name,
    contract::{Build, Contract, Declaration, ProcedureBuild, ProcedureContract},
    escape,
    fresh::REAUTHENTICATE,
};

use crate::{File, HEADER};

/// The folder of the framework's client in the package.
const CLIENT: &str = "client";

pub fn render(contract: &Contract, build: &Build, layout: &Layout) -> Vec<File> {
    let file = |name: &str, text: String| File { path: Path::new(layout.bindings).join(name), text };
    let types = with_reworded_comments(contract, &types(contract, build));
    let mut files = vec![
        file("package.json", package_json(contract)),
        file("contract.d.ts", contract_types()),
        file("index.js", module(contract)),
        file("index.cjs", common_js(contract)),
        // The same types for `require`: TypeScript decides by the file's name what `import` means in it.
        file("index.d.cts", required(&types)),
        file("index.d.ts", types),
    ];
    let about = format!("// @onefold/client {}, as `cargo regen` put it here. Do not edit.", client::VERSION);
    files.extend(client::FILES.map(|(name, text)| file(&format!("{CLIENT}/{name}"), format!("{about}\n\n{text}"))));
    files
}

/// Rewrites comments for the package: procedures that no client has are named by their method and path.
fn with_reworded_comments(contract: &Contract, text: &str) -> String {
    let called = |word: &str| contract.procedure(word)?.http.clone();
    gateways::words::reworded(text, called)
}

/// The module for `import`.
fn module(contract: &Contract) -> String {
    let exported = format!("export {{ {} }} from \"./{CLIENT}/index.js\";\n", client::NAMES.join(", "));
    let text = match session::function(contract) {
        None => exported,
        Some(function) => format!(
            "import * as session from \"./{CLIENT}/session.js\";\n\n{exported}\n{function}\nexport {{ createSession }};\n"
        ),
    };
    format!("// {HEADER}\n\n{text}")
}

/// The module for `require`. Each export has a statement, by which Node finds the names for an `import`.
fn common_js(contract: &Contract) -> String {
    let mut text = format!("// {HEADER}\n\nconst client = require(\"./{CLIENT}/index.cjs\");\n");
    let mut exports: String = client::NAMES.map(|name| format!("exports.{name} = client.{name};\n")).concat();
    if let Some(function) = session::function(contract) {
        let _ = write!(text, "const session = require(\"./{CLIENT}/session.cjs\");\n\n{function}");
        exports.push_str("exports.createSession = createSession;\n");
    }
    text + "\n" + &exports
}

/// The types for `require`.
fn required(types: &str) -> String {
    ["index", "session"].iter().fold(types.to_owned(), |text, name| {
        text.replace(&format!("\"./{CLIENT}/{name}.js\""), &format!("\"./{CLIENT}/{name}.cjs\""))
    })
}

fn package_json(contract: &Contract) -> String {
    let (service, about) = (&contract.service, &contract.about);
    let mut package = serde_json::json!({
        "name": contract.npm_package,
        "version": about.version,
        "description": format!("Types and client of the service {service}. {HEADER}"),
        "license": about.license,
        "private": true,
        "type": "module",
        "sideEffects": false,
        "engines": {"node": ">=20"},
        "exports": {
            // TypeScript finds the types beside each module.
            ".": {"import": "./index.js", "require": "./index.cjs"},
            "./contract.json": "./contract.json",
            "./package.json": "./package.json",
        },
        // For tools that do not read `exports`.
        "main": "./index.cjs",
        "types": "./index.d.ts",
        "files": [CLIENT, "contract.json", "index.cjs", "index.d.cts", "index.d.ts", "index.js"],
        "peerDependencies": client::PEERS.into_iter().collect::<BTreeMap<_, _>>(),
    });
    if about.license.is_empty() {
        // The identifier that npm uses.
        package["license"] = "UNLICENSED".into();
    }
    serde_json::to_string_pretty(&package).unwrap_or_default() + "\n"
}

fn types(contract: &Contract, build: &Build) -> String {
    let mut text = format!("// {HEADER}\n\n{IMPORTS}{}\n{EXPORTS}\n", session::imports(contract));
    declare(&build.declarations, &mut text);
    for procedure in contract.in_styles() {
        let name = type_name(&procedure.name);
        let Some(ProcedureBuild { types, .. }) = build.procedures.get(&procedure.name) else { continue };
        let _ = writeln!(
            text,
            "/** The input of `{}`. */\nexport type {name}Input = {};\n",
            procedure.name,
            tidy(&types.input)
        );
        let _ = writeln!(
            text,
            "/** The output of `{}`. */\nexport type {name}Output = {};\n",
            procedure.name, types.output
        );
        let mut docs = format!("The failures of `{}`.", procedure.name);
        for failure in &procedure.failures {
            let _ =
                write!(docs, "\n- `{}` ({}): {}", failure.kind, failure.code.key(), failure.docs.replace('\n', " "));
        }
        for line in comment(&docs) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "export type {name}Failure = {};\n", types.failure);
    }
    text.push_str("/** The failures of every procedure, by its name. */\nexport type Failures = {\n");
    for procedure in contract.in_styles() {
        let _ = writeln!(text, "  \"{}\": {}Failure;", procedure.name, type_name(&procedure.name));
    }
    text.push_str("};\n\n");
    text.push_str(ERRORS);
    text.push_str(&router(contract));
    text.push_str(&with_example(CLIENT_TYPES, contract));
    text + &session::types(contract)
}

/// The types of `contract.json`, for programs that read it. They are in no package.
fn contract_types() -> String {
    let mut text = format!("// {HEADER}\n\n");
    declare(&protocol::contract::declarations::<Contract>(), &mut text);
    text
}

fn declare(declarations: &BTreeMap<String, Declaration>, text: &mut String) {
    for declaration in declarations.values() {
        let docs = declaration.docs.as_deref().map(tidy).unwrap_or_default();
        let _ = writeln!(text, "{docs}\nexport {}\n", tidy(&declaration.text));
    }
}

/// The client's types with an example from the service: a query that may fail with "not found", or any other failure.
fn with_example(text: &str, contract: &Contract) -> String {
    let failures = || contract.in_styles().flat_map(|one| one.failures.iter().map(move |failure| (one, failure)));
    let missing = failures().find(|(one, failure)| one.kind == Kind::Query && failure.code == Code::NotFound);
    let any = missing.or_else(|| failures().find(|(_, failure)| failure.kind != REAUTHENTICATE));
    let (procedure, failure) = any.map_or(("things.get", "missing"), |(one, failure)| (&one.name, &failure.kind));
    text.replace("@PROCEDURE@", procedure).replace("@FAILURE@", failure)
}

fn router(contract: &Contract) -> String {
    let mut domains: BTreeMap<&str, Vec<&ProcedureContract>> = BTreeMap::new();
    for procedure in contract.in_styles() {
        let (domain, _) = procedure.name.split_once('.').unwrap_or((&procedure.name, ""));
        domains.entry(domain).or_default().push(procedure);
    }
    let mut text =
        String::from("/** Every procedure, as the official client wants to see it. */\nexport type AppRecord = {\n");
    for (domain, procedures) in domains {
        let _ = writeln!(text, "  {domain}: {{");
        for procedure in procedures {
            let (_, name) = procedure.name.split_once('.').unwrap_or(("", &procedure.name));
            let leaf = match procedure.kind {
                Kind::Query => "TRPCQueryProcedure",
                Kind::Mutation => "TRPCMutationProcedure",
            };
            let types = type_name(&procedure.name);
            for line in comment(&procedure.docs) {
                let _ = writeln!(text, "    {line}");
            }
            let input = match (&procedure.input, procedure.input_optional) {
                (None, _) => "undefined".to_owned(),
                (Some(_), true) => format!("{types}Input | undefined"),
                (Some(_), false) => format!("{types}Input"),
            };
            let _ = writeln!(text, "    {name}: {leaf}<{{ input: {input}; output: {types}Output; meta: unknown }}>;");
        }
        text.push_str("  };\n");
    }
    text.push_str("};\n");
    text
}

/// Puts the members of ts-rs's output on lines of their own, indented; a one-line comment takes one line.
fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth: usize = 0;
    let mut docs: Option<String> = None;
    for line in text.replace(", };", ",\n};").replace(", }", ",\n}").lines().map(str::trim) {
        match (&mut docs, line) {
            (_, "") => continue,
            (None, "/**") => docs = Some(String::new()),
            (Some(text), "*/") => {
                lines.extend(comment(text).map(|line| format!("{}{line}", "  ".repeat(depth))));
                docs = None;
            }
            (Some(text), line) => {
                text.push_str(line.strip_prefix("* ").unwrap_or_else(|| line.trim_start_matches('*')));
                text.push('\n');
            }
            (None, line) => {
                if line.starts_with('}') {
                    depth = depth.saturating_sub(1);
                }
                let line = line.strip_suffix(',').map_or_else(|| line.to_owned(), |line| format!("{line};"));
                lines.push(format!("{}{line}", "  ".repeat(depth)));
                depth += usize::from(line.ends_with('{'));
            }
        }
    }
    lines.join("\n")
}

/// The lines of a JSDoc comment.
fn comment(docs: &str) -> impl Iterator<Item = String> {
    let docs = escape::block_comment(docs.trim());
    let lines: Vec<String> = match docs.lines().collect::<Vec<_>>()[..] {
        [] => Vec::new(),
        [line] => vec![format!("/** {line} */")],
        ref lines => {
            let middle = lines.iter().map(|line| format!(" * {line}").trim_end().to_owned());
            std::iter::once("/**".to_owned()).chain(middle).chain(std::iter::once(" */".to_owned())).collect()
        }
    };
    lines.into_iter()
}

const IMPORTS: &str = r#"import type { TRPCClient } from "@trpc/client";
import type {
  TRPCBuiltRouter,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPC_ERROR_CODE_KEY,
  TRPC_ERROR_CODE_NUMBER,
} from "@trpc/server";
import type { ClientOptions, Fetch, FieldFault } from "./client/index.js";
"#;

const EXPORTS: &str = r#"export { wantsReauthentication, withEnvelopes } from "./client/index.js";
export type { ClientOptions, Fetch, FieldFault };
"#;

const ERRORS: &str = r#"/** The name of a procedure. */
export type ProcedureName = keyof Failures;

/** What `error.data` holds when a call fails. */
export type ErrorData = {
  code: TRPC_ERROR_CODE_KEY;
  httpStatus: number;
  /** The procedure's name; absent when the request reached none. */
  path?: string;
  /** Names this call in the logs. */
  requestId: string;
  /** The procedure's own failure, if it was one. */
  failure?: Failures[ProcedureName];
  /** Every fault of the input, if that was the reason. */
  fields?: FieldFault[];
};

/** The shape of an error, as the official client wants to see it. */
export type AppErrorShape = { message: string; code: TRPC_ERROR_CODE_NUMBER; data: ErrorData };

"#;

const CLIENT_TYPES: &str = r#"
/** The router's type: `createTRPCClient<AppRouter>()`, `inferRouterOutputs<AppRouter>` and the like. */
export type AppRouter = TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: AppErrorShape; transformer: false },
  AppRecord
>;

/** The official client, set up for this service. It has `withEnvelopes` already. */
export declare function createClient(options: ClientOptions): TRPCClient<AppRouter>;

/**
 * The typed failure of a procedure, if that is what an error is:
 *
 * ```ts
 * const failure = failureOf("@PROCEDURE@", error);
 * if (failure?.type === "@FAILURE@") console.log(failure);
 * ```
 */
export declare function failureOf<P extends ProcedureName>(procedure: P, error: unknown): Failures[P] | undefined;
"#;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the framework's client knows of the wire.
    #[test]
    fn the_client_has_the_codes_and_the_limit_of_a_batch() {
        let text = |name| client::FILES.iter().find(|file| file.0 == name).unwrap().1;
        let most = gateways::batches::MAX_CALLS;
        assert!(text("index.js").contains(&format!("{{ maxItems: {most}, ")));
        assert!(text("index.d.ts").contains(&format!("as one request, up to {most} of them.")));
        // 400 is a bad request: no procedure answers with a parse error.
        let sent = Code::ALL.iter().filter(|&&code| code != Code::ParseError);
        let codes: String =
            sent.map(|code| format!("  {}: [\"{}\", {}],\n", code.http_status(), code.key(), code.number())).collect();
        assert!(text("index.js").contains(&format!("= {{\n{codes}}};\n")), "{codes}");
    }
}
