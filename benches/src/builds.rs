//! Measures builds: CPU time for each added procedure, and the time from an edit to its answer.
//!
//! It works on a copy of the tree with a target folder of its own, so that it finds nothing built and leaves nothing
//! behind.

use std::fs;
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::load::await_answer;
use crate::machine::children_cpu_s;
use crate::places::Places;
use crate::preparation::run;
use crate::servers::local_service;
use crate::statistics::median;

/// How many procedures are added.
const ADDED: usize = 10;
/// How many times each build is measured.
const ROUNDS: usize = 3;
/// Folders that are not copied: built, fetched or private.
const LEFT_OUT: [&str; 6] = [".git", ".onefold", ".venv", "dist", "node_modules", "target"];
/// The procedure that is copied under new names.
const MODEL: &str = "functions/src/users/get.rs";
const MODEL_BINARY: &str = "functions/src/bin/users-get.rs";
const EDITED: &str = "functions/src/health/ping.rs";
const INDEX: &str = "functions/src/lib.rs";

/// The results, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Builds {
    /// Wall time of the first development build of the local service, all dependencies included.
    pub clean_development_s: f64,
    /// CPU time of the same.
    pub clean_development_cpu_s: f64,
    /// Wall time from an edit of one procedure's body until the restarted local service answers with it.
    pub edit_to_answer_s: f64,
    /// The part of it that `cargo build` takes.
    pub edit_build_s: f64,
    /// CPU time to build all functions in release mode, dependencies not included.
    pub functions_cpu_s: f64,
    /// The CPU time that one more function adds.
    pub added_cpu_s: f64,
}

/// Runs all measurements, which takes minutes.
pub fn measure(places: &Places) -> io::Result<Builds> {
    let copy = Copy::of(&places.root)?;
    let before_s = children_cpu_s()?;
    let clean_development_s = timed(|| copy.cargo("build"))?.as_secs_f64();
    let clean_development_cpu_s = children_cpu_s()? - before_s;
    let (edit_to_answer_s, edit_build_s) = edits(&copy, places)?;
    copy.cargo("build --release --package functions --bins")?;
    let mut without = Vec::new();
    for _ in 0..ROUNDS {
        without.push(functions_cpu_s(&copy)?);
    }
    copy.add_procedures()?;
    copy.cargo("build --release --package functions --bins")?;
    let mut with = Vec::new();
    for _ in 0..ROUNDS {
        with.push(functions_cpu_s(&copy)?);
    }
    let functions_cpu_s = median(&without);
    let added_cpu_s = (median(&with) - functions_cpu_s) / ADDED as f64;
    Ok(Builds {
        clean_development_s,
        clean_development_cpu_s,
        edit_to_answer_s,
        edit_build_s,
        functions_cpu_s,
        added_cpu_s,
    })
}

/// CPU time to build the functions from nothing, with their dependencies built.
fn functions_cpu_s(copy: &Copy) -> io::Result<f64> {
    copy.cargo("clean --quiet --release --package functions")?;
    let before_s = children_cpu_s()?;
    copy.cargo("build --release --package functions --bins")?;
    Ok(children_cpu_s()? - before_s)
}

/// Edits the answer of `health.ping` several times; medians from the edit to the new answer, and of the build alone.
fn edits(copy: &Copy, places: &Places) -> io::Result<(f64, f64)> {
    let path = copy.folder.join(EDITED);
    let original = fs::read_to_string(&path)?;
    let program = copy.folder.join("target/debug/onefold");
    let server = local_service(program);
    let (mut totals, mut builds) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let answer = format!("pong, edit {round}");
        fs::write(&path, replaced(&original, "\"pong\"", &format!("{answer:?}"))?)?;
        let edited = Instant::now();
        builds.push(timed(|| copy.cargo("build"))?.as_secs_f64());
        await_answer(&server, &answer, &places.logs)?;
        totals.push(edited.elapsed().as_secs_f64());
    }
    fs::write(&path, original)?;
    Ok((median(&totals), median(&builds)))
}

fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed())
}

/// A copy of the tree in the system's temporary folder. Dropping it deletes it.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    fn of(root: &Path) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("onefold-builds-{}", std::process::id()));
        let copy = Self { folder };
        copy_folder(root, &copy.folder)?;
        Ok(copy)
    }

    fn cargo(&self, arguments: &str) -> io::Result<()> {
        run("cargo", &format!("{arguments} --target-dir target"), &self.folder)
    }

    /// Adds copies of `users.get` as a person would: a file, a word in the index, and the generated binary.
    fn add_procedures(&self) -> io::Result<()> {
        let read = |path: &str| fs::read_to_string(self.folder.join(path));
        let (model, binary, index) = (read(MODEL)?, read(MODEL_BINARY)?, read(INDEX)?);
        let mut words = String::new();
        for number in 0..ADDED {
            let word = format!("extra_{number}");
            let text = replaced(&model, "async fn get(", &format!("async fn {word}("))?;
            let text = replaced(&text, "/v1/users/{id}", &format!("/v1/extra-{number}/{{id}}"))?;
            fs::write(self.folder.join(format!("functions/src/users/{word}.rs")), text)?;
            let text = replaced(&binary, "users::get", &format!("users::{word}"))?;
            fs::write(self.folder.join(format!("functions/src/bin/users-extra-{number}.rs")), text)?;
            words.push_str(&format!("{word}, "));
        }
        fs::write(self.folder.join(INDEX), replaced(&index, "users { ", &format!("users {{ {words}"))?)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(cause) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot delete {}: {cause}", self.folder.display());
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(name))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Replaces a part of a text.
fn replaced(text: &str, old: &str, new: &str) -> io::Result<String> {
    if !text.contains(old) {
        return Err(Error::other(format!("{old:?} is not where it was; adapt benches/src/builds.rs")));
    }
    Ok(text.replace(old, new))
}
