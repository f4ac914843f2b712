//! Infinite queries: lists that a client reads page by page. The official adapters (`@trpc/react-query`,
//! `@trpc/tanstack-react-query`) add a `direction` to the input, beside the `cursor`.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::Cursor;

/// The name of the added member.
const DIRECTION: &str = "direction";

/// Whether a query with these input fields is infinite: it takes a `cursor`, and has no `direction` of its own.
pub fn is_infinite<'f>(fields: impl Iterator<Item = &'f str> + Clone) -> bool {
    fields.clone().any(|field| field == Cursor::FIELD) && fields.clone().all(|field| field != DIRECTION)
}

/// The input without its `direction`, if that is `forward` or `backward`: the cursor alone determines the page. Any
/// other input stays as it is.
pub fn without_direction(input: Bytes) -> Bytes {
    let Ok(Members(members)) = serde_json::from_slice(&input) else { return input };
    let is_direction = |(name, _): &(Cow<'_, str>, &RawValue)| name == DIRECTION;
    let mut directions = members.iter().filter(|member| is_direction(member));
    let is_known = |(_, value): &(Cow<'_, str>, &RawValue)| [r#""forward""#, r#""backward""#].contains(&value.get());
    if !directions.next().is_some_and(is_known) || directions.next().is_some() {
        return input;
    }
    let others = members.iter().filter(|member| !is_direction(member));
    let others: Vec<_> = others.map(|(name, value)| format!("{}:{value}", serde_json::Value::from(&**name))).collect();
    format!("{{{}}}", others.join(",")).into()
}

/// The input of a client of another style, when it is forwarded as a call of tRPC: a `direction` that would be
/// removed there becomes null, which no client of tRPC sends, so that it is refused like every unknown member.
pub fn with_foreign_direction(input: &str) -> Cow<'_, str> {
    let left = without_direction(Bytes::copy_from_slice(input.as_bytes()));
    match std::str::from_utf8(&left) {
        Ok(left) if left != input => {
            let rest = &left[1..];
            let comma = if rest == "}" { "" } else { "," };
            format!("{{\"{DIRECTION}\":null{comma}{rest}").into()
        }
        _ => input.into(),
    }
}

/// The members of an object as raw text.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_taken_out_and_nothing_else() {
        for (input, left) in [
            (r#"{"limit":2,"direction":"forward"}"#, r#"{"limit":2}"#),
            (r#"{"direction":"backward","cursor":null,"a\"b":1.0}"#, r#"{"cursor":null,"a\"b":1.0}"#),
            (r#" { "cursor" : "c" , "direction" : "forward" } "#, r#"{"cursor":"c"}"#),
        ] {
            assert_eq!(without_direction(Bytes::from(input)), left);
            let foreign = with_foreign_direction(input);
            assert!(foreign.starts_with(r#"{"direction":null,"#) && foreign.ends_with(&left[1..]), "{foreign}");
        }
        assert_eq!(with_foreign_direction(r#"{"direction":"forward"}"#), r#"{"direction":null}"#);
        for other in [
            r#"{"direction":"sideways"}"#,
            r#"{"direction":null}"#,
            r#"{"direction":"forward","direction":"forward"}"#,
            r#"{"Direction":"forward"}"#,
            r#"{"where":{"direction":"forward"}}"#,
            r#"["direction"]"#,
            r#"{"direction":"forward""#,
            "",
        ] {
            assert_eq!(without_direction(Bytes::from(other)), other);
            assert_eq!(with_foreign_direction(other), other);
        }
        assert!(is_infinite(["limit", "cursor"].into_iter()));
        assert!(!is_infinite(["limit"].into_iter()) && !is_infinite(["cursor", "direction"].into_iter()));
    }
}
