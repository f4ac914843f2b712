//! Implements `#[derive(Capability)]`: a bundle of capabilities.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Index, Member, spanned::Spanned};

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let DeriveInput { ident, generics, data, .. } = syn::parse2(item)?;
    let Data::Struct(data) = data else {
        let hint = "a bundle of capabilities is a struct: each of its fields is one of them";
        return Err(syn::Error::new(ident.span(), hint));
    };
    if let Some(lifetime) = generics.lifetimes().next() {
        let hint = "a capability borrows nothing: it is made for one call, and is the procedure's own";
        return Err(syn::Error::new(lifetime.span(), hint));
    }
    let types: Vec<_> = data.fields.iter().map(|field| &field.ty).collect();
    let rights = types.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as ::onefold::runtime::Capability>::RIGHTS));
    let members = data.fields.iter().enumerate().map(|(place, field)| {
        let member = field.ident.clone().map_or(Member::Unnamed(Index::from(place)), Member::Named);
        let ty = &field.ty;
        quote_spanned!(ty.span()=> #member: <#ty as ::onefold::runtime::Capability>::obtain(call)?)
    });
    let (of, arguments, bounds) = generics.split_for_impl();
    // Type parameters need a bound to be capabilities; the compiler checks concrete types by itself.
    let mut bounds = bounds.cloned().unwrap_or_else(|| syn::parse_quote!(where));
    if generics.type_params().next().is_some() {
        bounds.predicates.extend(
            types.iter().map(|ty| -> syn::WherePredicate { syn::parse_quote!(#ty: ::onefold::runtime::Capability) }),
        );
    }
    Ok(quote! {
        impl #of ::onefold::runtime::Capability for #ident #arguments #bounds {
            const RIGHTS: ::onefold::runtime::Rights = ::onefold::runtime::Rights::of(&[#(#rights),*]);

            fn obtain(call: &::onefold::runtime::Call) -> ::core::result::Result<Self, ::onefold::protocol::Fault> {
                ::core::result::Result::Ok(Self { #(#members),* })
            }
        }
    })
}
