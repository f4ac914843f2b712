//! Implements `#[derive(Entity)]`: the keys and indexes of a stored type.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Expr, Field, Fields, Meta, MetaNameValue, Token, Type,
    punctuated::Punctuated, spanned::Spanned as _,
};

/// The arguments of all `#[entity(…)]` on a structure.
#[derive(Default)]
struct Stated {
    prefix: Option<Expr>,
    loader: Option<Expr>,
    id: Option<(Type, Expr)>,
    expires_at: Option<Expr>,
    indexes: Vec<TokenStream>,
    unique: Vec<TokenStream>,
    tallies: Vec<TokenStream>,
}

const HINT: &str = "one of `#[entity(prefix = \"order\")]`, with `loader = \"orders.byIds\"`, `expires_at = self.at` or \
                    `id = self.key.id, id_type = OrderId` where these are no fields; \
                    `#[entity(index = \"created\", sort = SortKey::time(self.created_at))]`, with `list`, `shards` and `when`; \
                    `#[entity(unique = \"email\", value = self.email.comparable())]`, or `values`; \
                    `#[entity(tally = \"owners\", at_least = 1, when = self.is_owner())]`";

/// The arguments of `#[entity(…)]` on a field.
const MARKS: [&str; 3] = ["id", "version", "expires_at"];

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let DeriveInput { ident, data, attrs, generics, .. } = syn::parse2(item)?;
    let Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) = data else {
        return Err(syn::Error::new(
            ident.span(),
            "an entity is a struct with named fields, as an item of the table has",
        ));
    };
    if !generics.params.is_empty() {
        return Err(syn::Error::new(generics.span(), "an entity has no parameters: its items have one prefix"));
    }
    let mut stated = Stated::default();
    for attribute in attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        read(attribute, &mut stated)?;
    }
    let missing = |what: &str| syn::Error::new(ident.span(), format!("an entity has {what}"));
    let prefix = stated
        .prefix
        .ok_or_else(|| missing("the prefix of its keys, which is never changed: `#[entity(prefix = \"order\")]`"))?;
    for field in &fields.named {
        expect_known_marks(field)?;
    }
    for mark in MARKS {
        if let Some(second) = fields.named.iter().filter(|field| is_marked(field, mark)).nth(1) {
            return Err(syn::Error::new(
                second.span(),
                format!("`#[entity({mark})]` stands over another field as well"),
            ));
        }
    }
    let marked = |mark: &str| fields.named.iter().find(|field| is_marked(field, mark));
    let (id_type, id) = match (marked("id"), stated.id) {
        (Some(Field { ident, ty, .. }), None) => (ty.clone(), quote!(self.#ident)),
        (None, Some((ty, id))) => (ty, id.into_token_stream()),
        _ => return Err(missing("one id: `#[entity(id)]` over the field")),
    };
    let version = marked("version").ok_or_else(|| missing("a version: `#[entity(version)]` over the field"))?;
    let version = &version.ident;
    let loader = stated.loader.map(
        |loader| quote!(const LOADER: ::core::option::Option<&'static str> = ::core::option::Option::Some(#loader);),
    );
    let field = marked("expires_at").map(|Field { ident, .. }| quote!(self.#ident));
    if let (Some(_), Some(stated)) = (&field, &stated.expires_at) {
        return Err(syn::Error::new(stated.span(), "`expires_at` is stated over a field as well"));
    }
    let expires_at = field.or(stated.expires_at.map(Expr::into_token_stream)).map(|time| {
        quote_spanned! {time.span()=>
            fn expires_at(&self) -> ::core::option::Option<::onefold::protocol::Timestamp> {
                (#time).into()
            }
        }
    });
    let (indexes, unique, tallies) = (stated.indexes, stated.unique, stated.tallies);
    Ok(quote! {
        impl ::onefold::protocol::Entity for #ident {
            type Id = #id_type;
            const NAME: &'static str = stringify!(#ident);
            const PREFIX: &'static str = #prefix;
            #loader
            const INDEXES: &'static [::onefold::protocol::Index<Self>] = &[#(#indexes),*];
            const UNIQUE: &'static [::onefold::protocol::Unique<Self>] = &[#(#unique),*];
            const TALLIES: &'static [::onefold::protocol::Tally<Self>] = &[#(#tallies),*];

            fn id(&self) -> &Self::Id {
                &#id
            }
            fn version(&self) -> ::onefold::protocol::Version {
                self.#version
            }
            fn set_version(&mut self, version: ::onefold::protocol::Version) {
                self.#version = version;
            }
            #expires_at
        }
    })
}

/// Whether a field has `#[entity(id)]`, `#[entity(version)]` or `#[entity(expires_at)]`.
fn is_marked(field: &Field, mark: &str) -> bool {
    marks(field).any(|attribute| attribute.parse_args::<Ident>().is_ok_and(|name| name == mark))
}

fn marks(field: &Field) -> impl Iterator<Item = &Attribute> {
    field.attrs.iter().filter(|attribute| attribute.path().is_ident("entity"))
}

fn expect_known_marks(field: &Field) -> syn::Result<()> {
    let is_known = |name: &Ident| MARKS.iter().any(|known| name == known);
    match marks(field).find(|attribute| !attribute.parse_args::<Ident>().is_ok_and(|name| is_known(&name))) {
        Some(other) => Err(syn::Error::new(other.span(), "a field is the `id`, the `version` or `expires_at`")),
        None => Ok(()),
    }
}

fn read(attribute: &Attribute, stated: &mut Stated) -> syn::Result<()> {
    let mut parts = Vec::new();
    for meta in attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
        let Meta::NameValue(MetaNameValue { path, value, .. }) = meta else {
            return Err(syn::Error::new(meta.span(), HINT));
        };
        parts.push((path.require_ident()?.clone(), value));
    }
    let mut take = |wanted: &str| {
        let place = parts.iter().position(|(name, _)| name == wanted)?;
        Some(parts.remove(place).1)
    };
    if let Some(prefix) = take("prefix") {
        if stated.prefix.replace(prefix).is_some() {
            return Err(syn::Error::new(attribute.span(), "`prefix` is stated twice"));
        }
        stated.loader = take("loader");
        stated.expires_at = take("expires_at");
        stated.id = match (take("id"), take("id_type")) {
            (Some(id), Some(ty)) => Some((syn::parse2(ty.into_token_stream())?, id)),
            (None, None) => None,
            _ => return Err(syn::Error::new(attribute.span(), "an `id` that is no field has its `id_type` beside it")),
        };
    } else if let Some(name) = take("index") {
        let sort = take("sort").ok_or_else(|| {
            syn::Error::new(name.span(), "say in which order the index is: `sort = SortKey::time(…)`")
        })?;
        let sort = of_entity(sort.into_token_stream());
        let list = take("list").map_or_else(
            || quote!(::std::string::String::new()),
            |list| {
                let list = of_entity(list.into_token_stream());
                quote!(::std::string::ToString::to_string(&(#list)))
            },
        );
        let shards = take("shards").unwrap_or(syn::parse_quote!(1));
        let when = take("when").map(|when| of_entity(when.into_token_stream())).unwrap_or(quote!(true));
        stated.indexes.push(quote! {
            ::onefold::protocol::Index {
                name: #name,
                shards: #shards,
                entry: |entity| {
                    (#when).then(|| ::onefold::protocol::IndexEntry { list: #list, sort: #sort })
                },
            }
        });
    } else if let Some(name) = take("unique") {
        let values = match (take("value"), take("values")) {
            (Some(value), None) => {
                let value = of_entity(value.into_token_stream());
                quote!(::std::vec![::std::string::ToString::to_string(&(#value))])
            }
            (None, Some(values)) => {
                let values = of_entity(values.into_token_stream());
                quote!((#values).into_iter().map(|value| ::std::string::ToString::to_string(&value)).collect())
            }
            _ => {
                let hint =
                    "say what nobody else may have: `value = self.email.comparable()`, or any number of `values`";
                return Err(syn::Error::new(name.span(), hint));
            }
        };
        stated.unique.push(quote!(::onefold::protocol::Unique { name: #name, values: |entity| #values }));
    } else if let Some(name) = take("tally") {
        let (Some(at_least), Some(when)) = (take("at_least"), take("when")) else {
            let hint = "say how many there are `at_least`, and `when` one of them counts";
            return Err(syn::Error::new(name.span(), hint));
        };
        let when = of_entity(when.into_token_stream());
        stated
            .tallies
            .push(quote!(::onefold::protocol::Tally { name: #name, at_least: #at_least, has: |entity| #when }));
    } else {
        return Err(syn::Error::new(attribute.span(), HINT));
    }
    match parts.first() {
        Some((name, _)) => Err(syn::Error::new(name.span(), format!("`{name}` is no part of this: {HINT}"))),
        None => Ok(()),
    }
}

/// Replaces `self` by `entity`, since a constant has no `self`.
fn of_entity(tokens: TokenStream) -> TokenStream {
    let named = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "self" => Ident::new("entity", ident.span()).into(),
        TokenTree::Group(group) => Group::new(group.delimiter(), of_entity(group.stream())).into(),
        other => other,
    });
    named.collect()
}
