//! Finds duplicate members in JSON. Readers of such an object take the first or the last one, depending on the
//! reader: envelopes with duplicates are refused before that.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::fault::shortened;

/// The path of the first duplicate member, at any depth. It keeps nothing of the JSON but the names of the enclosing
/// objects.
///
/// # Errors
/// When the text is not JSON.
pub fn duplicate_member(json: &[u8]) -> serde_json::Result<Option<String>> {
    let mut search = Search { path: String::new(), found: None };
    let mut json = serde_json::Deserializer::from_slice(json);
    search.deserialize(&mut json)?;
    json.end()?;
    Ok(search.found)
}

struct Search {
    path: String,
    found: Option<String>,
}

impl Search {
    fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(step);
        let read = read(self);
        self.path.truncate(length);
        read
    }
}

impl<'de> DeserializeSeed<'de> for &mut Search {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.found {
            Some(_) => IgnoredAny::deserialize(deserializer).map(drop),
            None => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for &mut Search {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut place = 0;
        while self.within(&format!("[{place}]"), |search| list.next_element_seed(search))?.is_some() {
            place += 1;
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let separator = if self.path.is_empty() { "" } else { "." };
            let step = format!("{separator}{}", shortened(&name));
            let is_first = names.insert(name);
            self.within(&step, |search| {
                if !is_first && search.found.is_none() {
                    search.found = Some(search.path.clone());
                }
                map.next_value_seed(search)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_there_twice_is_found_at_every_depth() {
        for (json, path) in [
            (r#"{"a":1,"b":{"a":[{"a":1},{"a":2}]}}"#, None),
            (r#"{"a":1,"a":1}"#, Some("a")),
            (r#"{"a":1,"\u0061":1}"#, Some("a")),
            (r#"[0,{"a":{"b":[true,{"c":1,"d":2,"c":{}}]},"a":1}]"#, Some("[1].a.b[1].c")),
            ("1.5", None),
        ] {
            assert_eq!(duplicate_member(json.as_bytes()).unwrap().as_deref(), path, "{json}");
        }
        assert!(
            duplicate_member(br#"{"a":1,"a":1"#).is_err()
                && duplicate_member(b"{} {}").is_err()
                && duplicate_member(b"\"\xff\"").is_err()
        );
    }
}
