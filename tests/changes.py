#!/usr/bin/env python3
"""Changes the service in a copy of this tree, as a team would, and counts what that takes.

Renames it, takes a domain out of it, gives its user a required field, adds a role, a permission, a procedure and a
capability. The copy must then build, and what its own tests say of it must hold. The last line is `N passed, N failed`.

    tests/changes.py            what `./test changes` runs
    tests/changes.py --whole    runs all parts of `./test` in the changed copy, instead of the service's own tests
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "target" / "changes" / "tree"
TARGET = ROOT / "target" / "changes" / "target"
INDEX = "functions/src/lib.rs"
# Whatever `cargo regen` writes.
GENERATED = re.compile(r"^(bindings/|functions/(gateways/)?src/bin/|functions/src/permissions\.rs$)")

passed = failed = 0


def check(what: str, holds: bool, otherwise: str) -> None:
    global passed, failed
    passed, failed = passed + holds, failed + (not holds)
    print(f"{'ok' if holds else 'FAILED'}: {what}" + ("" if holds else f"\n    {otherwise}"), flush=True)


def files() -> list[str]:
    """The tree's own files: what is committed, and what is not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_tree() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    for name in files():
        place = COPY / name
        place.parent.mkdir(parents=True, exist_ok=True)
        # With the times of the files, by which Cargo knows what it has built.
        shutil.copy2(ROOT / name, place)


def copy_target() -> None:
    """What was built for the tree, so that the copy builds what is changed: libraries are linked, the rest is copied."""
    shutil.rmtree(TARGET, ignore_errors=True)
    built = ROOT / "target" / "debug"
    for folder, _, names in os.walk(built):
        place = TARGET / "debug" / Path(folder).relative_to(built)
        if place.relative_to(TARGET / "debug").parts[:1] in [("incremental",), ("examples",)]:
            continue
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            one = Path(folder) / name
            if one.suffix in (".rlib", ".rmeta", ".so"):
                os.link(one, place / name)
            elif one.stat().st_size < 1_000_000 or "build" in one.relative_to(built).parts[:1]:
                shutil.copy2(one, place / name)


def read(name: str) -> str:
    return (COPY / name).read_text()


def write(name: str, text: str) -> None:
    (COPY / name).parent.mkdir(parents=True, exist_ok=True)
    (COPY / name).write_text(text)


def put(name: str, old: str, new: str) -> None:
    """Writes `new` in place of `old`, which stands there once."""
    text = read(name)
    if text.count(old) != 1:
        raise SystemExit(f"{name} has {old!r} {text.count(old)} times: say in {Path(__file__).name} how this is changed now")
    write(name, text.replace(old, new))


def state() -> dict[str, str]:
    """The files that people write."""
    found = {}
    for folder, folders, names in os.walk(COPY):
        folders[:] = [one for one in folders if one not in ("node_modules", "build", "target", ".git")]
        for name in names:
            path = (Path(folder) / name).relative_to(COPY).as_posix()
            if not GENERATED.match(path):
                found[path] = (COPY / path).read_bytes().decode(errors="replace")
    return found


def touched(before: dict[str, str]) -> dict[str, int]:
    """The files that differ, each with the number of lines that are changed: the greater of those taken out and put in."""
    now = state()
    counts = {}
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, ""), now.get(name, "")
        if (name in before) != (name in now) or old != new:
            lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
            counts[name] = max(sum(1 for line in lines if line.startswith(sign)) for sign in ("- ", "+ "))
    return counts


def owned() -> None:
    """What a team has to read and keep: what is generated is not among it, nor are unit tests."""
    texts = [text for name, text in state().items() if name.startswith("functions/") and name.endswith(".rs")]
    lines = sum(len(text.split("#[cfg(test)]\nmod tests")[0].splitlines()) for text in texts)
    check("the service's own functions are under 1,000 lines", 0 < lines < 1_000, f"{lines} lines")


def rename() -> None:
    before = state()
    definition = json.loads(read("bindings/contract.json"))
    name, package = definition["service"], definition["npmPackage"]
    put(INDEX, f'name: "{name}"', 'name: "renamed"')
    put(INDEX, f'npm_package: "{package}"', 'npm_package: "@somewhere/renamed"')
    places = touched(before)
    check("the name stands in one place", list(places) == [INDEX], f"{places}")
    for word in (name, package):
        left = [path for path, text in state().items() if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I)]
        check(f"nothing else names {word}", left == [], f"it stands in {left}: read it from the contract, or do without")


def remove_domain(domain: str, noun: str) -> None:
    shutil.rmtree(COPY / "functions/src" / domain)
    (COPY / "shared/model/src" / f"{noun}.rs").unlink()
    own = [*(COPY / "tests/service").glob(f"{domain}.*")]
    for test in own:
        test.unlink()
    check(f"{domain} have one test of their own", len(own) == 1, f"{own}")
    rest = state()
    named = re.compile(rf"\b({domain}|{noun}|{noun.capitalize()}(Id)?)\b")
    for name in [one for one in rest if one.startswith(("functions/", "shared/model/")) and one.endswith(".rs")]:
        write(name, "".join(line for line in read(name).splitlines(keepends=True) if not named.search(line)))
    lines = touched(rest)
    check(f"{domain} stand in at most four lines outside of their folder, entity and test", 0 < sum(lines.values()) <= 4, f"{lines}")
    # Tests of the framework have posts of their own, in the testbed; Postman posts as well.
    others = ("tests/testbed", "tests/framework", "tests/typescript", "tests/python", "tests/support", "tests/parity", "shared/", "benches/", "tests/changes.py")
    pattern = re.compile(rf"\b{domain}\.[a-z]\w+|/v1/{domain}\b|\b{domain}:(read|write)\b|\b{noun.capitalize()}Id\b|Read<{noun.capitalize()}>")
    left = [one for one, text in state().items() if not one.startswith(others) and pattern.search(text)]
    check(f"nothing else of the service, its tests and its documents names {domain}", left == [], f"{left}")


def other_user() -> None:
    before = state()
    user, folder = "shared/model/src/user.rs", "functions/src/users"
    field = "    /// Where the user works.\n    pub department: String,\n"
    put(user, "    /// Grows with each change.\n", field + "    /// Grows with each change.\n")
    put(user, "version: Version::default() }", 'department: "unknown".to_owned(), version: Version::default() }')
    put(f"{folder}/create.rs", "    /// Whether the address is known to be the user's;", field + "    /// Whether the address is known to be the user's;")
    put(f"{folder}/create.rs", "        ends_at: None,\n", "        ends_at: None,\n        department: input.department,\n")
    put(f"{folder}/create.rs", '"name": "Ada"}', '"name": "Ada", "department": "sales"}')
    put(f"{folder}/seed.rs", "        ends_at: None,\n", '        ends_at: None,\n        department: "sales".to_owned(),\n')
    test = "tests/service/users.test.ts"
    if (COPY / test).exists():
        text = read(test).replace('name: "Ada", ', 'name: "Ada", department: "sales", ')
        write(test, text)
    places = {name for name in touched(before) if not name.startswith((user, folder + "/", test))}
    check("a required field of the user's stands in user.rs and users/ alone", places == set(), f"{places}")


def role_and_permission() -> None:
    before = state()
    role = "shared/model/src/role.rs"
    put(role, "    /// Reads only.\n", "    /// Keeps the archive.\n    Archivist,\n    /// Reads only.\n")
    check("a role is one file", list(touched(before)) == [role], f"{touched(before)}")
    before = state()
    put(role, "pub enum Role {", '#[permissions("archive:read" = [Archivist])]\npub enum Role {')
    check("a permission is one file", list(touched(before)) == [role], f"{touched(before)}")


# A procedure with a permission, and with a capability of the service's own.
PROCEDURE = '''//! `health.archive`.

use onefold::{Call, Capability, Fault, Rights, RuleError, prelude::*};

/// The capability to look into the archive.
pub struct Archive(Clock);

impl Capability for Archive {
    const RIGHTS: Rights = Rights { outbound: &["the archive"], ..Rights::of(&[Clock::RIGHTS]) };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Clock::obtain(call).map(Self)
    }
}

/// Which part of it.
#[wire(input)]
pub struct Input {
    /// Its shelf, such as `A1`; all of it if left out.
    #[garde(custom(is_shelf))]
    #[schemars(regex(pattern = "^[A-Z][0-9]$"), example = &"A1")]
    pub shelf: Option<String>,
}

/// The rule of `shelf`.
fn is_shelf(shelf: &Option<String>, (): &()) -> Result<(), RuleError> {
    match shelf.as_ref().is_none_or(|shelf| matches!(shelf.as_bytes(), [b'A'..=b'Z', b'0'..=b'9'])) {
        true => Ok(()),
        false => Err(RuleError::new("a letter and a digit, such as A1")),
    }
}

/// Tell how old the archive is.
#[procedure(query, auth = permission("archive:read"), rest = "GET /v1/archive")]
pub async fn archive(archive: Archive, #[input] input: Input) -> Result<Timestamp, NoFailure> {
    let _ = input.shelf;
    Ok(archive.0.now())
}
'''


def procedure() -> None:
    before = state()
    write("functions/src/health/archive.rs", PROCEDURE)
    put(INDEX, "health { ping }", "health { archive, ping }")
    places = touched(before)
    expected = {"functions/src/health/archive.rs": len(PROCEDURE.splitlines()), INDEX: 1}
    check("a procedure, with a capability of one's own, is one file and one word", places == expected, f"{places}")


def run(what: str, *command: str, folder: Path = COPY) -> bool:
    print(f"--- {' '.join(command)}", flush=True)
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "ONEFOLD_BINARY": str(TARGET / "debug/onefold")}
    # Those of the program that runs this, if it is one of Cargo's, are not the copy's.
    environment = {name: value for name, value in environment.items() if not name.startswith(("CARGO_PKG_", "CARGO_MANIFEST_"))}
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"    {time.monotonic() - started:.0f} s", flush=True)
    told = [line for line in done.stdout.splitlines() if re.search(r"not ok|error|panicked|FAILED|expected|actual", line)]
    check(what, done.returncode == 0, "\n    ".join([*told, "…", *done.stdout.splitlines()[-40:]]))
    return done.returncode == 0


def generate() -> bool:
    """Builds the changed service, and has it write what follows from it."""
    program, before = str(TARGET / "debug/onefold"), state()
    return (
        run("it builds", "cargo", "build", "--quiet", "--workspace", "--bin", "onefold")
        and run("what follows from the changes is generated", program, "regen")
        and regenerated(before)
        # What was taken out and renamed breaks clients on purpose.
        and run("it is released", program, "release")
    )


def regenerated(before: dict[str, str]) -> bool:
    written = touched(before)
    check("`cargo regen` writes nothing that people write", written == {}, f"{written}")
    return True


def main() -> int:
    copy_tree()
    owned()
    rename()
    removed = removable()
    check("there is a domain that can be taken out", removed is not None, "say in tests/changes.py which one")
    if removed is not None:
        remove_domain(*removed)
    other_user()
    role_and_permission()
    procedure()
    copy_target()
    if generate():
        if "--whole" in sys.argv:
            whole()
        else:
            packages = ["--package", "functions", "--package", "model", "--package", "service"]
            run("the tests of its procedures, and those of the service", "cargo", "test", "--quiet", *packages, "--lib", "--test", "service")
            run("its clients", "npm", "test", folder=COPY / "tests/service")
    shutil.rmtree(COPY.parent, ignore_errors=True)
    print(f"# pass {passed}\n# fail {failed}\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def whole() -> None:
    """`./test` in the copy, but for this part of it."""
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=COPY, check=True)
    for part in ("lints", "rust", "clients", "styles", "browser", "rights", "tutorial", "infra", "rehearsal"):
        run(f"./test {part}", "./test", part)


def removable() -> tuple[str, str] | None:
    """A domain of the service that has an entity of its own and that no entity of another one needs: `posts`, `post`."""
    for entity in sorted((ROOT / "shared/model/src").glob("*.rs")):
        domain = f"{entity.stem}s"
        if (ROOT / "functions/src" / domain).is_dir() and domain != "users":
            return domain, entity.stem
    return None


if __name__ == "__main__":
    sys.exit(main())
