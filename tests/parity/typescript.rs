//! The generated types under `tsc --strict`, with values as constants.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use fastrand::Rng;
use runtime::Service;

use crate::{
    subject,
    values::{near_miss::near_miss, sample::sample},
};

/// How many values of each type become constants.
const CONSTANTS: usize = 40;
/// The longest constant, in bytes: what a long text shows, a short one shows as well.
const MAX_BYTES: usize = 2_000;

const HEAD: &str = "\
/** The type as JSON has it: brands are for people who write TypeScript. */
type Unbrand<T> = T extends string
  ? T extends { readonly __brand: string } ? string : T
  : T extends object
    ? { [K in keyof T as K extends { readonly __brand: string } ? string : K]: Unbrand<T[K]> }
    : T;
";

const TSCONFIG: &str = r#"{
  "compilerOptions": {
    "strict": true, "exactOptionalPropertyTypes": true, "noUncheckedIndexedAccess": true, "isolatedModules": true,
    "noEmit": true, "module": "NodeNext", "target": "ES2023", "lib": ["ES2023", "ESNext.Disposable", "DOM"], "types": []
  },
  "include": ["*.ts"]
}
"#;

/// Writes constants for every type of a service and lets the TypeScript compiler judge them.
pub fn check(name: &str, service: &Service, seed: u64) {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/typescript");
    let folder = suite.join("parity").join(name);
    fs::create_dir_all(&folder).expect("a folder for the constants");
    let package = codegen::render(service).expect("the service can be described");
    for file in package.files.iter().filter(|file| file.path.to_string_lossy().ends_with(".d.ts")) {
        let bindings = service.definition.layout.expect("a folder for the package").bindings;
        let path = folder.join(file.path.strip_prefix(bindings).expect("types are in the package"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the types");
        fs::write(path, &file.text).expect("a file");
    }
    fs::write(folder.join("tsconfig.json"), TSCONFIG).expect("a file");
    fs::write(folder.join("values.ts"), constants(service, seed)).expect("a file");
    let compiler = compiler(&suite);
    let output = Command::new("node").arg(compiler).current_dir(&folder).output().expect("Node runs");
    let complaints = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{} in {}", complaints.chars().take(4_000).collect::<String>(), folder.display());
}

/// The compiler of the TypeScript suite, which is installed if nobody did.
fn compiler(suite: &Path) -> std::path::PathBuf {
    let compiler = suite.join("node_modules/typescript/lib/tsc.js");
    if !compiler.exists() {
        let status = Command::new("npm").arg("ci").current_dir(suite).status().expect("npm runs");
        assert!(status.success(), "npm ci in {}", suite.display());
    }
    compiler
}

fn constants(service: &Service, seed: u64) -> String {
    let subjects = subject::of(service);
    let mut names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut text = format!("import type {{ {} }} from \"./index.js\";\n\n{HEAD}\n", names.join(", "));
    let mut count = 0;
    for subject in &subjects {
        let mut rng = Rng::with_seed(seed);
        let name = &subject.name;
        for _ in 0..CONSTANTS {
            let value = sample(&mut rng, subject.document(), subject.schema());
            let written = subject.rewrite(&value).expect("serde accepts what the schema accepts");
            // What came in is a value of the type as well: it may leave out what serde writes as null.
            for value in [&value, &written] {
                let json = literal(value);
                if json.len() <= MAX_BYTES {
                    let _ = writeln!(text, "export const v{count}: Unbrand<{name}> = {json};");
                    count += 1;
                }
            }
            let Some(miss) = near_miss(&mut rng, subject.document(), subject.schema(), &value) else { continue };
            let json = literal(&miss.value);
            let must_be_seen = miss.is_misshapen && subject.validate(&miss.value).is_err();
            if must_be_seen && json.len() <= MAX_BYTES {
                let _ = writeln!(
                    text,
                    "// @ts-expect-error {}\nexport const v{count}: Unbrand<{name}> = {json};",
                    miss.what.escape_default()
                );
                count += 1;
            }
        }
    }
    text
}

/// A value on one line: TypeScript also ends lines at U+2028 and U+2029.
fn literal(value: &serde_json::Value) -> String {
    value.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
