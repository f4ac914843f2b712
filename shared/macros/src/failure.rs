//! Implements `#[derive(Failure)]`: the error enum of a procedure.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Token, Variant, spanned::Spanned};

use crate::{camel_case, docs_of};

/// The codes that a failure may have, with the variants of `protocol::Code`.
const CODES: &[(&str, &str)] = &[
    ("BAD_REQUEST", "BadRequest"),
    ("CONFLICT", "Conflict"),
    ("FORBIDDEN", "Forbidden"),
    ("NOT_FOUND", "NotFound"),
    ("PAYMENT_REQUIRED", "PaymentRequired"),
    ("PRECONDITION_FAILED", "PreconditionFailed"),
    ("PRECONDITION_REQUIRED", "PreconditionRequired"),
    ("SERVICE_UNAVAILABLE", "ServiceUnavailable"),
    ("TOO_MANY_REQUESTS", "TooManyRequests"),
    ("UNAUTHORIZED", "Unauthorized"),
    ("UNPROCESSABLE_CONTENT", "UnprocessableContent"),
];

/// The parts of the implementation for one variant.
struct Read {
    /// A pattern of the variant: `Error::Missing(f0)`.
    pattern: TokenStream,
    code: Ident,
    /// The message, as an expression of type `String`.
    message: TokenStream,
    kind: String,
    docs: String,
    fields: Vec<(Ident, String, syn::Type)>,
}

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new(item.span(), "failures are an enum, one variant for each way to fail"));
    };
    let name = &item.ident;
    let variants = data.variants.iter().map(read).collect::<syn::Result<Vec<_>>>()?;
    let codes = variants.iter().map(|Read { pattern, code, .. }| quote!(#pattern => ::onefold::protocol::Code::#code));
    let messages = variants.iter().map(|Read { pattern, message, .. }| quote!(#pattern => #message));
    let payloads = variants.iter().map(|Read { pattern, kind, fields, .. }| {
        let members = fields.iter().map(|(binding, key, _)| quote!(#key: #binding));
        quote!(#pattern => ::onefold::__private::serde_json::json!({"type": #kind, #(#members),*}))
    });
    let contracts = variants.iter().map(|Read { code, kind, docs, fields, .. }| {
        let fields = fields
            .iter()
            .map(|(_, key, ty)| quote!((#key, builder.output::<#ty>(), ::onefold::protocol::contract::rewrite::<#ty>)));
        quote!(::onefold::protocol::contract::failure(#kind, ::onefold::protocol::Code::#code, #docs, vec![#(#fields),*]))
    });
    let members = variants.iter().map(|Read { kind, fields, .. }| {
        let head = format!("{{ type: \"{kind}\"");
        let fields = fields.iter().map(|(_, key, ty)| {
            let key = format!(", {key}: ");
            quote!(text.push_str(#key); text.push_str(&builder.typescript::<#ty>());)
        });
        quote!({ let mut text = String::from(#head); #(#fields)* text.push_str(" }"); text })
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::onefold::protocol::Failure for #name {
            #[allow(unused_variables)]
            fn code(&self) -> ::onefold::protocol::Code { match self { #(#codes,)* } }
            #[allow(unused_variables)]
            fn message(&self) -> ::std::string::String { match self { #(#messages,)* } }
            fn payload(&self) -> ::onefold::__private::serde_json::Value { match self { #(#payloads,)* } }
        }
        #[automatically_derived]
        impl ::onefold::protocol::contract::DescribeFailures for #name {
            fn failures(builder: &mut ::onefold::protocol::contract::ContractBuilder) -> ::std::vec::Vec<::onefold::protocol::contract::DescribedFailure> {
                vec![#(#contracts),*]
            }
            #[allow(unused_mut)]
            fn typescript(builder: &mut ::onefold::protocol::contract::ContractBuilder) -> ::std::string::String {
                let members: ::std::vec::Vec<::std::string::String> = vec![#(#members),*];
                members.join(" | ")
            }
        }
    })
}

fn read(variant: &Variant) -> syn::Result<Read> {
    let docs = docs_of(&variant.attrs);
    let attribute = variant.attrs.iter().find(|attribute| attribute.path().is_ident("failure")).ok_or_else(|| {
        syn::Error::new(variant.ident.span(), "say which code this failure has: `#[failure(NOT_FOUND)]`")
    })?;
    let (code, text) = attribute.parse_args_with(|input: syn::parse::ParseStream<'_>| {
        let code: Ident = input.parse()?;
        if input.is_empty() {
            return Ok((code, None));
        }
        input.parse::<Token![,]>()?;
        let key: Ident = input.parse()?;
        if key != "message" {
            return Err(syn::Error::new(key.span(), "`message = \"…\"`"));
        }
        input.parse::<Token![=]>()?;
        Ok((code, Some(input.parse::<LitStr>()?)))
    })?;
    let known = CODES.iter().find(|(key, _)| code == key).ok_or_else(|| {
        let keys: Vec<_> = CODES.iter().map(|(key, _)| *key).collect();
        syn::Error::new(code.span(), format!("a procedure's failure has one of the codes {}", keys.join(", ")))
    })?;
    let ident = &variant.ident;
    if ident == "Reauthenticate" {
        let hint = "`reauthenticate` is the framework's own failure: state `fresh = 300` in `#[procedure(…)]`";
        return Err(syn::Error::new(ident.span(), hint));
    }
    let (pattern, fields, message) = match &variant.fields {
        Fields::Unit => (quote!(Self::#ident), Vec::new(), text.map(|text| quote!(format!(#text)))),
        Fields::Unnamed(fields) => {
            let [field] = fields.unnamed.iter().collect::<Vec<_>>()[..] else {
                return Err(syn::Error::new(variant.ident.span(), "one value, or named fields"));
            };
            let binding = format_ident!("value");
            let message = text.map(|text| quote!(format!(#text, value)));
            (quote!(Self::#ident(value)), vec![(binding, "value".to_owned(), field.ty.clone())], message)
        }
        Fields::Named(fields) => {
            let fields: Vec<_> = fields
                .named
                .iter()
                .filter_map(|field| Some((field.ident.clone()?, field.ty.clone())))
                .map(|(name, ty)| (name.clone(), camel_case(&name.to_string()), ty))
                .collect();
            let names = fields.iter().map(|(name, _, _)| name);
            (quote!(Self::#ident { #(#names),* }), fields, text.map(|text| quote!(format!(#text))))
        }
    };
    let message = match message {
        Some(message) => message,
        None if docs.is_empty() => {
            let hint = "say it to the caller: a doc comment, or `#[failure(CODE, message = \"…\")]`";
            return Err(syn::Error::new(variant.ident.span(), hint));
        }
        None => {
            let sentence = docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
            quote!(#sentence.to_owned())
        }
    };
    Ok(Read {
        pattern,
        code: format_ident!("{}", known.1),
        message,
        kind: camel_case(&ident.to_string()),
        docs,
        fields,
    })
}
