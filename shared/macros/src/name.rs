//! Names procedures on the wire.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Ident, LitStr, Token, parse::Parser, punctuated::Punctuated};

use crate::camel_case;

/// The words of an index, a domain or a domain and a procedure, as a literal: each in camel case, separated by a dot.
pub fn expand(words: TokenStream) -> syn::Result<TokenStream> {
    let words = Punctuated::<Ident, Token![,]>::parse_separated_nonempty.parse2(words)?;
    let span = words.first().map_or_else(proc_macro2::Span::call_site, Ident::span);
    Ok(LitStr::new(&name(words.iter().map(Ident::to_string)), span).into_token_stream())
}

fn name(words: impl Iterator<Item = String>) -> String {
    words.map(|word| camel_case(&word)).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_in_camel_case() {
        let named = |words: &[&str]| name(words.iter().map(|&word| word.to_owned()));
        assert_eq!(named(&["orders"]), "orders");
        assert_eq!(named(&["orders", "get"]), "orders.get");
        assert_eq!(named(&["orders", "mark_paid"]), "orders.markPaid");
        assert_eq!(named(&["price_lists", "mark_all_read"]), "priceLists.markAllRead");
        assert_eq!(named(&["v2_orders", "top_10_of_day"]), "v2Orders.top10OfDay");
        assert_eq!(named(&["things", "r#move"]), "things.move");
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn it_is_a_literal() {
        let expanded = expand(quote::quote!(price_lists, get)).unwrap();
        assert_eq!(expanded.to_string(), "\"priceLists.get\"");
        assert!(expand(quote::quote!()).is_err() && expand(quote::quote!("orders")).is_err());
    }
}
