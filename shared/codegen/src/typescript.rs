//! The npm package: types, the router's type for the official client, and a small client.
//!
//! It is written as `.d.ts` and `.js` as they are published, so that nobody has to build it.

use std::{collections::BTreeMap, fmt::Write as _};

use protocol::{
    Kind,
    contract::{Contract, Declaration, ProcedureContract},
};

use crate::{File, HEADER};

/// The versions of `@trpc/client` and `@trpc/server` that the types hold for; the tests use the first
/// and the newest. 11.22.1 is what `@trpc/tanstack-react-query` wants, 11.25 knows `pathSeparator`.
const TRPC_VERSIONS: &str = ">=11.22.1 <12";

pub fn render(contract: &Contract, declarations: &BTreeMap<String, Declaration>) -> Vec<File> {
    vec![
        File { path: "bindings/package.json".into(), text: package_json(contract) },
        File { path: "bindings/index.js".into(), text: CLIENT.replace("@HEADER@", HEADER) },
        File { path: "bindings/index.d.ts".into(), text: types(contract, declarations) },
    ]
}

fn package_json(contract: &Contract) -> String {
    let service = &contract.service;
    let package = serde_json::json!({
        "name": format!("@onefold/{service}"),
        "version": env!("CARGO_PKG_VERSION"),
        "description": format!("Types and client of the service {service}. {HEADER}"),
        "license": env!("CARGO_PKG_LICENSE"),
        "private": true,
        "type": "module",
        "sideEffects": false,
        "exports": {
            ".": {"types": "./index.d.ts", "default": "./index.js"},
            "./contract.json": "./contract.json",
        },
        "files": ["contract.json", "index.d.ts", "index.js"],
        "peerDependencies": {"@trpc/client": TRPC_VERSIONS, "@trpc/server": TRPC_VERSIONS},
    });
    serde_json::to_string_pretty(&package).unwrap_or_default() + "\n"
}

fn types(contract: &Contract, declarations: &BTreeMap<String, Declaration>) -> String {
    let mut text = format!("// {HEADER}\n\n{IMPORTS}\n");
    for declaration in declarations.values() {
        let docs = declaration.docs.as_deref().map(tidy_docs).unwrap_or_default();
        let _ = writeln!(text, "{docs}export {}\n", tidy(&declaration.text));
    }
    for procedure in &contract.procedures {
        let name = type_name(&procedure.name);
        let types = &procedure.typescript;
        let input = if procedure.input.is_some() && procedure.input_optional {
            format!("{} | undefined", types.input)
        } else {
            types.input.clone()
        };
        let _ =
            writeln!(text, "/** The input of `{}`. */\nexport type {name}Input = {};\n", procedure.name, tidy(&input));
        let _ = writeln!(
            text,
            "/** The output of `{}`. */\nexport type {name}Output = {};\n",
            procedure.name, types.output
        );
        let failures: String = procedure.failures.iter().fold(String::new(), |mut text, failure| {
            let docs = failure.docs.replace('\n', " ");
            let _ = write!(text, "\n * - `{}` ({}): {docs}", failure.kind, failure.code.key());
            text
        });
        let _ = writeln!(
            text,
            "/**\n * The failures of `{}`.{failures}\n */\nexport type {name}Failure = {};\n",
            procedure.name, types.failure
        );
    }
    text.push_str("/** The failures of every procedure, by its name. */\nexport type Failures = {\n");
    for procedure in &contract.procedures {
        let _ = writeln!(text, "  \"{}\": {}Failure;", procedure.name, type_name(&procedure.name));
    }
    text.push_str("};\n\n");
    text.push_str(ERRORS);
    text.push_str(&router(contract));
    text.push_str(CLIENT_TYPES);
    text
}

fn router(contract: &Contract) -> String {
    let mut domains: BTreeMap<&str, Vec<&ProcedureContract>> = BTreeMap::new();
    for procedure in &contract.procedures {
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
            if !procedure.docs.is_empty() {
                let docs = procedure.docs.replace("*/", "* /").replace('\n', "\n     * ");
                let _ = writeln!(text, "    /**\n     * {docs}\n     */");
            }
            let input = if procedure.input.is_none() { "undefined".into() } else { format!("{types}Input") };
            let _ = writeln!(text, "    {name}: {leaf}<{{ input: {input}; output: {types}Output; meta: unknown }}>;");
        }
        text.push_str("  };\n");
    }
    text.push_str("};\n");
    text
}

/// `users.get` to `UsersGet`.
fn type_name(procedure: &str) -> String {
    procedure
        .split(['.', '_'])
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

/// Sets what ts-rs wrote on lines of their own, by depth.
fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut depth: usize = 0;
    for line in text.replace(", };", ",\n};").replace(", }", ",\n}").lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('}') {
            depth = depth.saturating_sub(1);
        }
        let comment = if line.starts_with('*') { " " } else { "" };
        lines.push(format!("{}{comment}{line}", "  ".repeat(depth)));
        if line.ends_with('{') {
            depth += 1;
        }
    }
    lines.join("\n")
}

fn tidy_docs(docs: &str) -> String {
    let mut text: String = docs.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    while text.ends_with("\n\n") {
        text.pop();
    }
    text
}

const IMPORTS: &str = r#"import type { TRPCClient } from "@trpc/client";
import type {
  TRPCBuiltRouter,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPC_ERROR_CODE_KEY,
  TRPC_ERROR_CODE_NUMBER,
} from "@trpc/server";
"#;

const ERRORS: &str = r#"/** The name of a procedure. */
export type ProcedureName = keyof Failures;

/** What is wrong with one field of an input; `path` is empty for the input as a whole. */
export type FieldFault = { path: string; message: string };

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

/** How to reach the service. */
export type ClientOptions = {
  /** Where the procedures are, such as `http://127.0.0.1:9000/trpc`. */
  url: string;
  /** The caller's token, or a function that gives it for each call. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** What stands between the words of a procedure's name in the address: `-` under `cargo lambda watch` (`@trpc/client` 11.25 or newer). */
  pathSeparator?: "." | "_" | "~" | "-";
  /** Another `fetch`. */
  fetch?: typeof globalThis.fetch;
};

/** The official client, set up for this service. */
export declare function createClient(options: ClientOptions): TRPCClient<AppRouter>;

/**
 * The typed failure of a procedure, if that is what an error is:
 *
 * ```ts
 * const failure = failureOf("users.get", error);
 * if (failure?.type === "missing") console.log(failure.value);
 * ```
 */
export declare function failureOf<P extends ProcedureName>(procedure: P, error: unknown): Failures[P] | undefined;
"#;

const CLIENT: &str = r#"// @HEADER@

import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";

export function createClient({ url, token, pathSeparator, fetch }) {
  const headers = async () => {
    const value = typeof token === "function" ? await token() : token;
    return value === undefined ? {} : { authorization: `Bearer ${value}` };
  };
  const link = { url, headers };
  if (pathSeparator !== undefined) link.pathSeparator = pathSeparator;
  if (fetch !== undefined) link.fetch = fetch;
  return createTRPCClient({ links: [httpLink(link)] });
}

export function failureOf(procedure, error) {
  const data = error instanceof TRPCClientError ? error.data : undefined;
  return data?.path === procedure ? data.failure : undefined;
}
"#;
