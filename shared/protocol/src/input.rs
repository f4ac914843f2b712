//! Decodes and validates inputs, and names every fault by its path.

mod duplicates;
mod faults;
mod strict;

use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Fault, FieldFault, WireType};

pub use duplicates::duplicate_member;
pub use faults::{DUPLICATE, Faults, MAX_FAULTS, Member};
pub use strict::Strict;

/// A type that can be a procedure's input. `#[wire(input)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an input",
    label = "not an input",
    note = "put `#[wire(input)]` on it: what callers send is read without unknown fields"
)]
pub trait WireInput: WireType + DeserializeOwned + Validate<Context = ()> {}

/// Reads and validates an input. A missing input counts as `{}`, so that an input whose fields are all optional may
/// be left out.
///
/// # Errors
/// `BAD_REQUEST` with all faults, each by the path of its member; with the position in the text, if the text is not
/// JSON.
pub fn decode<T: WireInput>(raw: Option<&[u8]>) -> Result<T, Fault> {
    let raw = raw.unwrap_or(b"{}");
    // serde keeps the last of two entries of a map: duplicates are checked separately.
    if let Ok(input) = serde_json::from_slice::<T>(raw)
        && input.validate().is_ok()
        && matches!(duplicates::duplicate_member(raw), Ok(None))
    {
        return Ok(input);
    }
    let value = examined(raw, T::examine)?;
    // The value is valid, only written in another way: serde reads it from the tree.
    let input = T::deserialize(value).map_err(|error| misread(&error))?;
    input.validate().map_err(|report| misread(&report))?;
    Ok(input)
}

/// Checks the input of a procedure without an input: nothing, null or an empty object.
///
/// # Errors
/// `BAD_REQUEST` for anything else.
pub fn decode_none(raw: Option<&[u8]>) -> Result<(), Fault> {
    let nothing = |value: &mut Value, faults: &mut Faults| match value {
        Value::Null => {}
        Value::Object(_) => faults.members(value, &[]),
        _ => faults.push("This procedure takes no input."),
    };
    raw.map_or(Ok(()), |raw| examined(raw, nothing).map(drop))
}

/// The value of a text, unless it has faults.
#[inline(never)]
fn examined(raw: &[u8], examine: fn(&mut Value, &mut Faults)) -> Result<Value, Fault> {
    let mut tree = faults::tree(raw).map_err(|error| Fault::bad_request(unreadable(&error)))?;
    let mut faults = Faults::new(tree.duplicates);
    examine(&mut tree.value, &mut faults);
    let mut found = faults.into_found();
    for path in tree.beyond {
        if found.len() < MAX_FAULTS && found.iter().all(|fault| fault.path != path) {
            found.push(FieldFault { path, message: "is out of the range of numbers".to_owned() });
        }
    }
    if found.is_empty() { Ok(tree.value) } else { Err(Fault::invalid(found)) }
}

/// Why an input is not JSON, and where. The parser's message quotes nothing, and ends with the position.
pub(crate) fn unreadable(error: &serde_json::Error) -> String {
    format!("The input is not JSON that can be read: {error}.")
}

/// A fault that no type describes.
#[inline(never)]
fn misread(error: &dyn std::error::Error) -> Fault {
    let message = "cannot be read".to_owned();
    Fault::invalid(vec![FieldFault { path: String::new(), message }]).because(error.to_string())
}

#[cfg(test)]
mod tests;
