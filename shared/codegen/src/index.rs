//! Finds procedures that the index leaves out.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use runtime::Service;

/// The files that hold a procedure and that the index does not list, so that the compiler does not see them. Each
/// comes with a hint what to do.
///
/// # Errors
/// When a folder cannot be read.
pub fn left_out(root: &Path, service: &Service) -> io::Result<Vec<String>> {
    let mut said = Vec::new();
    let Some(packages) = service.definition.layout.and_then(|layout| layout.packages) else { return Ok(said) };
    // The folder has one subfolder for each domain.
    let sources = format!("{}/src", packages.functions.folder);
    for domain in entries(&root.join(&sources))? {
        // Files outside of these folders are shared code; `bin` holds the functions.
        if !domain.is_dir() || domain.ends_with("bin") {
            continue;
        }
        for file in entries(&domain)? {
            let (Some(domain), Some(word)) = (domain.file_name(), file.file_stem()) else { continue };
            let (domain, word) = (domain.to_string_lossy(), word.to_string_lossy());
            let path = format!("entries::{domain}::{word}");
            let is_known = service.procedures.iter().any(|procedure| procedure.path == path);
            if !is_known && is_procedure(&file) {
                said.push(format!(
                    "{sources}/{domain}/{word}.rs holds a procedure that the index does not name, and so is left out: \
                     add `{word}` to `{domain} {{ … }}` in {sources}/lib.rs"
                ));
            }
        }
    }
    Ok(said)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = match fs::read_dir(folder) {
        // A service in one file has no such folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        entries => entries?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?,
    };
    paths.sort();
    Ok(paths)
}

fn is_procedure(file: &Path) -> bool {
    file.extension().is_some_and(|kind| kind == "rs")
        && fs::read_to_string(file)
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("#[procedure(")))
}
