//! Implements `#[derive(IdentityRole)]`: the roles of a service, and which of them has which permission.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Fields, Ident, LitStr, Token, bracketed,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::wire::variant_name;

const HINT: &str = "say who gives all others their roles, and the role of new users: \
                    `#[role(founder = Administrator, new_user = Guest)]`";

/// What limits a permission to the own items.
const OWN: &str = ":own";

/// `"orders:read" = [Clerk, Visitor]`, or `"orders:write"` alone for founders only.
struct Permission {
    name: LitStr,
    roles: Vec<Ident>,
}

impl Parse for Permission {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        if input.parse::<Option<Token![=]>>()?.is_none() {
            return Ok(Self { name, roles: Vec::new() });
        }
        let roles;
        bracketed!(roles in input);
        let roles = Punctuated::<Ident, Token![,]>::parse_terminated(&roles)?;
        Ok(Self { name, roles: roles.into_iter().collect() })
    }
}

/// `founder = Administrator`
struct Argument {
    key: Ident,
    role: Ident,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key: Ident = input.parse()?;
        if key != "founder" && key != "new_user" {
            return Err(syn::Error::new(key.span(), HINT));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { key, role: input.parse()? })
    }
}

/// Whether a text is a noun and a verb, with or without [`OWN`].
fn is_permission(name: &str) -> bool {
    let parts: Vec<&str> = name.strip_suffix(OWN).unwrap_or(name).split(':').collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
}

/// The arguments of all attributes of this name.
fn arguments<T: Parse>(attributes: &[Attribute], name: &str) -> syn::Result<Vec<T>> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        all.extend(attribute.parse_args_with(Punctuated::<T, Token![,]>::parse_terminated)?);
    }
    Ok(all)
}

pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let DeriveInput { ident, data, attrs, .. } = syn::parse2(item)?;
    let Data::Enum(DataEnum { variants, .. }) = data else {
        return Err(syn::Error::new(ident.span(), "roles are the variants of an enum"));
    };
    if let Some(variant) = variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit)) {
        return Err(syn::Error::new(variant.ident.span(), "a role is a name alone, without fields"));
    }
    let roles: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants.iter().map(variant_name).collect();
    let expect_known = |role: &Ident| match roles.contains(&role) {
        true => Ok(()),
        false => Err(syn::Error::new(role.span(), format!("`{role}` is none of the roles of `{ident}`"))),
    };
    let stated: Vec<Argument> = arguments(&attrs, "role")?;
    let role_of = |key: &str| {
        let mut found = stated.iter().filter(|argument| argument.key == key);
        let argument = found.next().ok_or_else(|| syn::Error::new(ident.span(), HINT))?;
        if let Some(second) = found.next() {
            return Err(syn::Error::new(second.key.span(), format!("`{key}` is stated above as well")));
        }
        expect_known(&argument.role).map(|()| &argument.role)
    };
    let (founder, new_user) = (role_of("founder")?, role_of("new_user")?);
    if founder == new_user {
        return Err(syn::Error::new(
            new_user.span(),
            "every new user would have all permissions: give them another role",
        ));
    }
    let permissions: Vec<Permission> = arguments(&attrs, "permissions")?;
    let (mut stated, mut whole) = (BTreeSet::new(), BTreeSet::new());
    for permission in &permissions {
        for (place, role) in permission.roles.iter().enumerate() {
            expect_known(role)?;
            if permission.roles[..place].contains(role) {
                return Err(syn::Error::new(role.span(), format!("`{role}` is named twice")));
            }
        }
        let name = permission.name.value();
        if !is_permission(&name) {
            return Err(syn::Error::new(permission.name.span(), "a permission is a noun and a verb: `orders:read`"));
        }
        whole.insert(name.strip_suffix(OWN).unwrap_or(&name).to_owned());
        if !stated.insert(name) {
            return Err(syn::Error::new(permission.name.span(), "this permission is stated above as well"));
        }
    }
    let whole: Vec<_> = whole.into_iter().collect();
    let of_role = roles.iter().map(|role| {
        if *role == founder {
            return quote!(Self::#role => Self::PERMISSIONS);
        }
        let has = permissions.iter().filter(|permission| permission.roles.contains(role));
        let has = has.map(|permission| &permission.name);
        quote!(Self::#role => &[#(#has),*])
    });
    Ok(quote! {
        impl #ident {
            /// The names of all roles.
            pub const NAMES: &'static [&'static str] = &[#(#names),*];
            /// All permissions, which founders have.
            pub const PERMISSIONS: &'static [&'static str] = &[#(#whole),*];

            /// The name in tokens and on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    #(Self::#roles => #names,)*
                }
            }

            /// The permissions of this role.
            pub const fn permissions(self) -> &'static [&'static str] {
                match self {
                    #(#of_role,)*
                }
            }

            /// Whether this role has a permission.
            pub fn permits(self, permission: &str) -> bool {
                self.permissions().contains(&permission)
            }
        }

        impl ::onefold::identity::IdentityRole for #ident {
            const ALL: &'static [Self] = &[#(Self::#roles),*];
            const FOUNDER: Self = Self::#founder;
            const NEW_USER: Self = Self::#new_user;

            fn name(self) -> &'static str {
                self.name()
            }
            fn permissions(self) -> &'static [&'static str] {
                self.permissions()
            }
        }

        const _: () = ::onefold::identity::expect_rights(#ident::PERMISSIONS);
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(attributes: TokenStream) -> String {
        let expanded = expand(quote!(#attributes pub enum Role { Owner, Clerk, Visitor }));
        expanded.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_role_has_what_is_stated_and_the_founder_everything() {
        let expanded = expand(quote! {
            #[role(founder = Owner, new_user = Visitor)]
            #[permissions("orders:write:own" = [Clerk], "orders:read" = [Clerk, Visitor])]
            #[permissions("rights:write")]
            pub enum Role { Owner, Clerk, Visitor }
        });
        let expanded = expanded.unwrap().to_string();
        for text in [
            "NAMES : & 'static [& 'static str] = & [\"owner\" , \"clerk\" , \"visitor\"]",
            "PERMISSIONS : & 'static [& 'static str] = & [\"orders:read\" , \"orders:write\" , \"rights:write\"]",
            "Self :: Owner => Self :: PERMISSIONS",
            "Self :: Clerk => & [\"orders:write:own\" , \"orders:read\"]",
            "Self :: Visitor => & [\"orders:read\"]",
            "NEW_USER : Self = Self :: Visitor",
        ] {
            assert!(expanded.contains(text), "{text}: {expanded}");
        }
    }

    #[test]
    fn mistakes_are_refused() {
        let marks = quote!(#[role(founder = Owner, new_user = Visitor)]);
        assert!(refused(quote!(#[role(founder = Owner)])).contains("new_user = Guest"));
        assert!(
            refused(quote!(#[role(founder = Owner, new_user = Stranger)])).contains("`Stranger` is none of the roles")
        );
        assert!(refused(quote!(#marks #[permissions("a:read" = [Clark])])).contains("`Clark` is none of the roles"));
        assert!(refused(quote!(#marks #[permissions("a:read", "a:read" = [Clerk])])).contains("stated above"));
        assert!(refused(quote!(#[role(founder = Owner, new_user = Owner)])).contains("all permissions"));
        assert!(refused(quote!(#marks #[role(founder = Clerk)])).contains("`founder` is stated above"));
        assert!(refused(quote!(#marks #[permissions("a:read" = [Clerk, Clerk])])).contains("`Clerk` is named twice"));
        for name in ["orders", "orders:", ":read", "a:b:c", "orders:own"] {
            let said = refused(quote!(#marks #[permissions(#name)]));
            assert!(name == "orders:own" || said.contains("a noun and a verb"), "{name}: {said}");
        }
    }
}
