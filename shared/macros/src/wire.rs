//! Implements `#[wire]`: the derives and attributes of a wire type.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{
    Attribute, Data, DeriveInput, Fields, GenericArgument, Meta, PathArguments, Token, Type, parse_quote,
    punctuated::Punctuated, spanned::Spanned,
};

use crate::camel_case;

/// The path of serde, for its own attribute.
const SERDE: &str = "::onefold::__private::serde";

pub fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut item: DeriveInput = syn::parse2(item)?;
    let is_input = match arguments.to_string().as_str() {
        "" => false,
        "input" => true,
        _ => return Err(syn::Error::new(arguments.span(), "`#[wire]` or `#[wire(input)]`")),
    };
    if !item.generics.params.is_empty() {
        return Err(syn::Error::new(
            item.generics.span(),
            "a wire type has no parameters: write one type for each use",
        ));
    }
    let mut field_types: Vec<Type> = Vec::new();
    let examine = examine(&item.data);
    let holds_rules = examine.is_some();
    let names = match &item.data {
        Data::Struct(data) => data.fields.iter().filter_map(name_of).collect(),
        _ => Vec::new(),
    };
    let form = match &item.data {
        Data::Enum(data) if data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) => quote!(Text),
        _ => quote!(Json),
    };
    let (container, copy) = match &mut item.data {
        Data::Struct(data) => {
            collect(&mut data.fields, is_input, &mut field_types);
            let strict = is_input.then(|| quote!(#[serde(deny_unknown_fields)]));
            (quote!(#[serde(rename_all = "camelCase")] #strict), false)
        }
        Data::Enum(data) if data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) => {
            (quote!(#[serde(rename_all = "camelCase")]), true)
        }
        Data::Enum(data) => {
            for variant in &mut data.variants {
                if matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() != 1) {
                    let hint = "name the fields: a variant's members stand beside its `type`";
                    return Err(syn::Error::new(variant.span(), hint));
                }
                if is_input && matches!(variant.fields, Fields::Unit) {
                    let hint = format!(
                        "write `{} {{}}`: serde ignores unknown fields beside a variant that has no braces",
                        variant.ident
                    );
                    return Err(syn::Error::new(variant.span(), hint));
                }
                collect(&mut variant.fields, is_input, &mut field_types);
            }
            let strict = is_input.then(|| quote!(#[serde(deny_unknown_fields)]));
            let tagged =
                quote!(#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")] #strict);
            (tagged, false)
        }
        Data::Union(_) => return Err(syn::Error::new(item.span(), "a union cannot travel: write an enum")),
    };
    let (strict_deserialize, derived) = match strict_deserialize(&item, &container) {
        Some(strict_deserialize) => (Some(strict_deserialize), None),
        None => (None, Some(quote!(#[derive(::onefold::__private::serde::Deserialize)]))),
    };
    let copy = copy.then(|| quote!(#[derive(Copy, Eq, PartialOrd, Ord, Hash)]));
    let name = &item.ident;
    let input = is_input.then(|| quote!(impl ::onefold::protocol::WireInput for #name {}));
    let fields = names.iter().zip(&field_types).map(|(name, field)| {
        quote!(::onefold::protocol::Field {
            name: #name,
            form: <#field as ::onefold::protocol::WireType>::FORM,
            is_nullable: <#field as ::onefold::protocol::WireType>::NULLABLE,
        })
    });
    let fields = match (&item.data, &field_types[..]) {
        // A newtype has the form of its field.
        (Data::Struct(data), [inner]) if matches!(data.fields, Fields::Unnamed(_)) => {
            quote!(<#inner as ::onefold::protocol::WireType>::FIELDS)
        }
        _ => quote!(&[#(#fields),*]),
    };
    // Named fields are checked by their forms already.
    let unnamed = if names.is_empty() { &field_types[..] } else { &[] };
    let checks = unnamed.iter().map(|field| quote_spanned!(field.span()=> travels::<#field>();));
    let (validated, unvalidated) = if has_rules(&item.data) {
        (Some(quote!(#[derive(::garde::Validate)] #[garde(allow_unvalidated)])), None)
    } else {
        (None, Some(without_rules(name)))
    };
    Ok(quote! {
        #[derive(
            Clone, Debug, PartialEq, ::onefold::__private::serde::Serialize, ::onefold::__private::schemars::JsonSchema,
            ::onefold::__private::ts_rs::TS,
        )]
        #[serde(crate = #SERDE)]
        #[schemars(crate = "::onefold::__private::schemars")]
        #[ts(crate = "::onefold::__private::ts_rs")]
        #derived
        #copy
        #container
        #validated
        #item

        #unvalidated
        #strict_deserialize
        impl ::onefold::protocol::WireType for #name {
            const FORM: ::onefold::protocol::Form = ::onefold::protocol::Form::#form;
            const FIELDS: &'static [::onefold::protocol::Field] = #fields;
            const HOLDS_RULES: bool = #holds_rules;
            #examine
        }
        impl ::onefold::protocol::WireValue for #name {}
        #input
        const _: () = {
            fn travels<T: ::onefold::protocol::WireType>() {}
            #[allow(dead_code)]
            fn fields_travel() { #(#checks)* }
        };
    })
}

/// Whether a field states validation rules. Only then garde's derive is used, which needs `::garde` in the package of
/// the type.
fn has_rules(data: &Data) -> bool {
    let states =
        |fields: &Fields| fields.iter().any(|field| field.attrs.iter().any(|rule| rule.path().is_ident("garde")));
    match data {
        Data::Struct(data) => states(&data.fields),
        Data::Enum(data) => data.variants.iter().any(|variant| states(&variant.fields)),
        Data::Union(_) => false,
    }
}

/// The implementation that garde's derive generates for a type without rules.
fn without_rules(name: &syn::Ident) -> TokenStream {
    let garde = quote!(::onefold::__private::garde);
    quote! {
        impl #garde::Validate for #name {
            type Context = ();
            fn validate_into(&self, (): &(), _: &mut dyn FnMut() -> #garde::Path, _: &mut #garde::Report) {}
        }
    }
}

/// `Deserialize` for a type with members or an enum of texts: serde's own implementation, through `Strict`.
fn strict_deserialize(item: &DeriveInput, container: &TokenStream) -> Option<TokenStream> {
    let mut read = item.clone();
    let name = std::mem::replace(&mut read.ident, syn::Ident::new("Read", item.ident.span()));
    let is_serde = |attribute: &Attribute| attribute.path().is_ident("serde");
    let keep = |fields: &mut Fields| fields.iter_mut().for_each(|field| field.attrs.retain(is_serde));
    match &mut read.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => keep(&mut data.fields),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                variant.attrs.retain(is_serde);
                keep(&mut variant.fields);
            }
        }
        _ => return None,
    }
    read.attrs.retain(is_serde);
    read.vis = syn::Visibility::Inherited;
    let (remote, read) = (name.to_string(), without_self(read.into_token_stream(), &name));
    Some(quote! {
        impl<'de> ::onefold::__private::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::onefold::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                #[allow(dead_code)]
                #[derive(::onefold::__private::serde::Deserialize)]
                #[serde(crate = #SERDE, remote = #remote)]
                #container
                #read
                Read::deserialize(::onefold::__private::Strict(deserializer))
            }
        }
    })
}

/// Replaces `Self` by the type's name.
fn without_self(tokens: TokenStream, name: &syn::Ident) -> TokenStream {
    let named = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => name.clone().into(),
        TokenTree::Group(group) => Group::new(group.delimiter(), without_self(group.stream(), name)).into(),
        other => other,
    });
    named.collect()
}

/// The implementation of `WireType::examine`; none for a type that is deserialized as a whole.
fn examine(data: &Data) -> Option<TokenStream> {
    let body = match data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                let members = fields.named.iter().map(member);
                quote!(faults.members(value, &[#(#members),*]);)
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let member = member(fields.unnamed.first()?);
                quote!(faults.member(value, &#member);)
            }
            _ => return None,
        },
        Data::Enum(data) => {
            let names: Vec<_> = data.variants.iter().map(variant_name).collect();
            if data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) {
                quote!(faults.one_of(value, &[#(#names),*]);)
            } else {
                let arms = names.iter().zip(&data.variants).map(|(name, variant)| {
                    let members = variant.fields.iter().map(member);
                    match &variant.fields {
                        Fields::Unnamed(_) => quote!(#name => faults.member(value, &#(#members)*)),
                        _ => quote!(#name => faults.members(value, &[#(#members),*])),
                    }
                });
                quote! {
                    faults.variant(value, &[#(#names),*], |name, value, faults| match name {
                        #(#arms,)*
                        _ => {}
                    });
                }
            }
        }
        Data::Union(_) => return None,
    };
    Some(quote! {
        fn examine(value: &mut ::onefold::__private::serde_json::Value, faults: &mut ::onefold::protocol::input::Faults) {
            #body
        }
    })
}

/// The `Member` of a field.
fn member(field: &syn::Field) -> TokenStream {
    let name = name_of(field).unwrap_or_default();
    let (ty, patched) = (&field.ty, argument_of(&field.ty, "Patch"));
    let has_default = serde_of(field.attrs.iter()).any(|meta| meta.path().is_ident("default"));
    let optional = patched.is_some() || argument_of(ty, "Option").is_some() || has_default;
    let wire = patched.as_ref().unwrap_or(ty);
    let is_rule = |attribute: &&Attribute| {
        attribute.path().is_ident("garde") && !attribute.parse_args::<syn::Ident>().is_ok_and(|rule| rule == "skip")
    };
    let rules: Vec<_> = field.attrs.iter().filter(is_rule).cloned().collect();
    let dives = rules.iter().any(|rule| matches!(&rule.meta, Meta::List(list) if has_dive(list.tokens.clone())));
    let all = held(&rules, ty);
    let rules = match own(&rules) {
        None => all,
        Some(own) => {
            let is_length = |rule: &Meta| rule.path().is_ident("length");
            let ty = if own.iter().all(is_length) { outside(ty) } else { None }.unwrap_or_else(|| ty.clone());
            let own: Vec<Attribute> = own.iter().map(|rule| parse_quote!(#[garde(#rule)])).collect();
            let own = held(&own, &ty);
            let holds_rest = quote!(!#dives || <#wire as ::onefold::protocol::WireType>::HOLDS_RULES);
            quote!(if #holds_rest { #own } else { #all })
        }
    };
    quote! {
        ::onefold::protocol::input::Member {
            name: #name,
            optional: #optional,
            dives: #dives,
            examine: <#wire as ::onefold::protocol::WireType>::examine,
            rules: const { #rules },
        }
    }
}

/// The function that applies rules to a value, deserialized as the type.
fn held(rules: &[Attribute], ty: &Type) -> TokenStream {
    if rules.is_empty() {
        return quote!(::core::option::Option::None);
    }
    quote!(::core::option::Option::Some(|value| {
        #[derive(::garde::Validate)]
        #[garde(allow_unvalidated)]
        #[garde(transparent)]
        struct Rules(#(#rules)* #ty);
        let value = <#ty as ::onefold::__private::serde::Deserialize>::deserialize(value).ok()?;
        ::onefold::__private::garde::Validate::validate(&Rules(value)).err()
    }))
}

/// A field's own rules, without those of nested values; none if they cannot be told apart.
fn own(rules: &[Attribute]) -> Option<Vec<Meta>> {
    let read = |rule: &Attribute| rule.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok();
    let all: Vec<_> = rules.iter().map(read).collect::<Option<_>>()?;
    Some(all.into_iter().flatten().filter(|rule| !rule.path().is_ident("dive")).collect())
}

/// The same container with any items: rules that count the items need not deserialize them, which would repeat at
/// each depth.
fn outside(ty: &Type) -> Option<Type> {
    let anything = quote!(::onefold::__private::serde::de::IgnoredAny);
    if argument_of(ty, "Vec").is_some() {
        return Some(parse_quote!(::std::vec::Vec<#anything>));
    }
    if argument_of(ty, "BTreeMap").is_some() {
        return Some(parse_quote!(::std::collections::BTreeMap<::std::string::String, #anything>));
    }
    let inner = outside(&argument_of(ty, "Option")?)?;
    Some(parse_quote!(::core::option::Option<#inner>))
}

/// Whether garde's rules include `dive`, which garde does not allow inside `inner(…)`.
fn has_dive(rules: TokenStream) -> bool {
    rules.into_iter().any(|token| matches!(&token, TokenTree::Ident(rule) if rule == "dive"))
}

/// The arguments of serde's attributes.
fn serde_of<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> impl Iterator<Item = Meta> {
    let serde = attributes.filter(|attribute| attribute.path().is_ident("serde"));
    // serde itself refuses what cannot be parsed here.
    let arguments =
        serde.filter_map(|attribute| attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok());
    arguments.flatten()
}

/// The name that `#[serde(rename = "…")]` gives.
fn renamed(attributes: &[Attribute]) -> Option<String> {
    serde_of(attributes.iter()).find_map(|meta| match meta {
        Meta::NameValue(syn::MetaNameValue {
            path,
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }),
            ..
        }) if path.is_ident("rename") => Some(name.value()),
        _ => None,
    })
}

/// The name of a field on the wire.
fn name_of(field: &syn::Field) -> Option<String> {
    renamed(&field.attrs).or_else(|| Some(crate::camel_case(&field.ident.as_ref()?.to_string())))
}

/// The name of a variant on the wire.
pub(crate) fn variant_name(variant: &syn::Variant) -> String {
    renamed(&variant.attrs).unwrap_or_else(|| camel_case(&variant.ident.to_string()))
}

/// Collects the fields' types, and lets `Option` and `Patch` be absent in an input.
fn collect(fields: &mut Fields, is_input: bool, types: &mut Vec<Type>) {
    for field in fields.iter_mut() {
        let patched = argument_of(&field.ty, "Patch");
        types.push(patched.clone().unwrap_or_else(|| field.ty.clone()));
        if !is_input {
            continue;
        }
        if let Some(inner) = patched {
            let shown = format!("Option<{}>", quote!(#inner));
            field
                .attrs
                .push(parse_quote!(#[serde(default, skip_serializing_if = "::onefold::protocol::Patch::is_keep")]));
            field.attrs.push(parse_quote!(#[ts(optional, as = #shown)]));
        } else if argument_of(&field.ty, "Option").is_some() {
            field.attrs.push(parse_quote!(#[serde(default)]));
            field.attrs.push(parse_quote!(#[ts(optional = nullable)]));
        }
    }
}

/// The argument of a wrapper: `T` of `Wrapper<T>`.
fn argument_of(ty: &Type, wrapper: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}
