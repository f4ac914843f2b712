//! Implements `export!`: the types of a procedure by which users take their data along.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Ident, LitStr, Token, Type,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::camel_case;

mod keyword {
    syn::custom_keyword!(by);
}

/// The names of what every export has.
const TAKEN: [&str; 9] = ["data", "done", "entries", "identities", "next", "sessions", "undergone", "user", "users"];

/// `User; orders: Order by BY_BUYER, "What the person ordered";`
struct Export {
    user: Type,
    lists: Vec<List>,
}

/// A list of the service's own.
struct List {
    name: Ident,
    entity: Type,
    index: Ident,
    about: LitStr,
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let user = input.parse()?;
        input.parse::<Token![;]>()?;
        let lists = Punctuated::<List, Token![;]>::parse_terminated(input)?;
        Ok(Self { user, lists: lists.into_iter().collect() })
    }
}

impl Parse for List {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        if TAKEN.iter().any(|taken| name == taken) {
            let hint = format!("every export has a part named `{name}` already: give the list another name");
            return Err(syn::Error::new(name.span(), hint));
        }
        input.parse::<Token![:]>()?;
        let entity = input.parse()?;
        input.parse::<keyword::by>()?;
        let index = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self { name, entity, index, about: input.parse()? })
    }
}

impl List {
    /// The variant that asks for it: `price_lists` is `PriceLists`.
    fn variant(&self) -> Ident {
        let camel = camel_case(&self.name.to_string());
        let (first, rest) = camel.split_at(camel.chars().next().map_or(0, char::len_utf8));
        Ident::new(&format!("{}{rest}", first.to_uppercase()), self.name.span())
    }
}

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let Export { user, lists } = syn::parse2(item)?;
    let names: Vec<_> = lists.iter().map(|list| &list.name).collect();
    let (entities, indexes): (Vec<_>, Vec<_>) = lists.iter().map(|list| (&list.entity, &list.index)).unzip();
    let variants: Vec<_> = lists.iter().map(List::variant).collect();
    let first = variants.first().cloned().unwrap_or_else(|| format_ident!("Done"));
    let first_in_words = names.first().map_or("what the person did".to_owned(), |name| format!("the {name}"));
    let first_in_words = first_in_words.replace('_', " ");
    let list_docs = format!(" Which list is taken along with it; {first_in_words} if left out.");
    let variant_docs = lists.iter().map(|list| format!(" {}.", list.about.value()));
    let field_docs = lists.iter().map(|list| format!(" {}, newest first, if it was asked for.", list.about.value()));
    let details = names.iter().map(|name| camel_case(&name.to_string()));
    Ok(quote! {
        /// What part of it.
        #[::onefold::wire(input)]
        pub struct Input {
            /// Where to go on in the list: `next` of the part before.
            pub cursor: Option<::onefold::Cursor>,
            #[doc = #list_docs]
            pub list: Option<ExportedList>,
        }

        /// A list that may be long. Each is taken along by itself.
        #[::onefold::wire]
        pub enum ExportedList {
            #(#[doc = #variant_docs] #variants,)*
            /// What the person did, as the audit log has it: with the consents that were given to applications.
            Done,
            /// What was done to the person, by others as well.
            Undergone,
        }

        /// What is kept about a user. Long lists come in parts.
        #[::onefold::wire]
        pub struct Exported {
            /// The person.
            pub user: #user,
            /// Accounts at identity providers by which the person signs in.
            pub identities: Vec<::onefold::identity::personal_data::Identity>,
            /// Where the person is signed in, and the applications that act in the person's name, with what they may
            /// do.
            pub sessions: Vec<::onefold::identity::devices::SignedInDevice>,
            #(#[doc = #field_docs] pub #names: Vec<#entities>,)*
            /// Entries of the audit log, newest first, if they were asked for. From where others did something is
            /// theirs, and left out.
            pub entries: Vec<::onefold::identity::AuditEntry>,
            /// Where the list goes on; null at its end.
            pub next: Option<::onefold::Cursor>,
        }

        /// Why there is nothing to take along.
        #[derive(Debug, ::onefold::Failure)]
        pub enum Error {
            /// The caller is no user.
            #[failure(NOT_FOUND)]
            NotAUser,
        }

        /// The capability to read everything that is kept about a user.
        #[derive(Clone, ::onefold::Capability)]
        pub struct Export {
            users: ::onefold::Read<#user>,
            #(#names: ::onefold::Read<#entities>,)*
            data: ::onefold::identity::personal_data::PersonalData,
        }

        impl Export {
            /// The part of the caller's data that the input asks for. The audit log has an entry for each list.
            ///
            /// # Errors
            /// When the caller is no user, the database is away, or the cursor is none of this list.
            pub async fn part(
                &self,
                caller: &::onefold::Caller,
                input: Input,
            ) -> ::core::result::Result<Exported, ::onefold::Raised<Error>> {
                let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
                let user = self.users.get(&id).await?.ok_or(Error::NotAUser)?;
                let (list, cursor) = (input.list.unwrap_or(ExportedList::#first), input.cursor.as_ref());
                let detail = match list {
                    #(ExportedList::#variants => #details,)*
                    ExportedList::Done => "done",
                    ExportedList::Undergone => "undergone",
                };
                if cursor.is_none() {
                    self.data.note_export(caller, detail).await?;
                }
                let (identities, sessions) = self.data.sign_ins(caller, id).await?;
                let mut exported = Exported {
                    user,
                    identities,
                    sessions,
                    #(#names: Vec::new(),)*
                    entries: Vec::new(),
                    next: None,
                };
                match list {
                    #(ExportedList::#variants => {
                        let list = self.#names.list(&<#entities>::#indexes).of(id.to_string()).descending();
                        let page = list.page(::onefold::PageSize::default(), cursor).await?;
                        (exported.#names, exported.next) = (page.items, page.next);
                    })*
                    ExportedList::Done => {
                        let part = ::onefold::identity::personal_data::LoggedPart::Done;
                        let page = self.data.logged(id, part, cursor).await?;
                        (exported.entries, exported.next) = (page.items, page.next);
                    }
                    ExportedList::Undergone => {
                        let part = ::onefold::identity::personal_data::LoggedPart::Undergone;
                        let page = self.data.logged(id, part, cursor).await?;
                        (exported.entries, exported.next) = (page.items, page.next);
                    }
                }
                Ok(exported)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used)]
    fn each_list_is_asked_for_by_its_name() {
        let export: Export =
            syn::parse_quote!(User; orders: Order by BY_BUYER, "Orders"; price_lists: shop::PriceList by OF, "Prices";);
        let variants: Vec<_> = export.lists.iter().map(|list| list.variant().to_string()).collect();
        assert_eq!(variants, ["Orders", "PriceLists"]);
        let expanded = expand(quote!(User; orders: Order by BY_BUYER, "What the person ordered")).unwrap().to_string();
        for text in [
            "it; the orders if left out.",
            "\" What the person ordered.\"",
            "\" What the person ordered, newest first, if it was asked for.\"",
            "ExportedList :: Orders => \"orders\"",
        ] {
            assert!(expanded.contains(text), "{text}: {expanded}");
        }
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn without_a_list_there_is_the_audit_log() {
        let expanded = expand(quote!(User;)).unwrap().to_string();
        assert!(expanded.contains("unwrap_or (ExportedList :: Done)"), "{expanded}");
    }

    #[test]
    fn a_list_is_not_named_as_a_part_that_is_there() {
        let refused =
            expand(quote!(User; sessions: Session by BY_USER, "Sessions")).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|error| error.contains("give the list another name")));
    }
}
