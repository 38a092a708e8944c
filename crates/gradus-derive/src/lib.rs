//! `#[derive(Module)]`: a struct of layers and parameters becomes a `gradus::nn::Module`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Result, parse_macro_input, parse_quote};

/// Implements `Module` by visiting every field in the order of declaration, under its name (its
/// number in a tuple struct).
///
/// Fields are parameters, buffers, modes, other modules, `Vec`s, `Option`s and `Box`es of them, or
/// plain numbers, bools and strings, which are passed over. `#[module(skip)]` passes over a field of
/// any other type.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(input)
        .unwrap_or_else(|e| e.into_compile_error())
        .into()
}

fn expand(mut input: DeriveInput) -> Result<Tokens> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(
            input.ident.span(),
            "Module can be derived for structs only",
        ));
    };
    let mut visits = Vec::new();
    for (i, field) in data.fields.iter().enumerate() {
        if is_skipped(&field.attrs)? {
            continue;
        }
        let name = field
            .ident
            .as_ref()
            .map_or(i.to_string(), |ident| ident.to_string());
        let member = match &field.ident {
            Some(ident) => quote!(#ident),
            None => {
                let i = syn::Index::from(i);
                quote!(#i)
            }
        };
        // With the field's span, a type that is no module is reported at the field.
        visits.push(quote_spanned! {field.ty.span()=>
            ::gradus::nn::Module::visit(&self.#member, &::gradus::nn::join(path, #name), f);
        });
    }
    for parameter in input.generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::gradus::nn::Module));
    }
    let (ident, (generics, arguments, bounds)) = (&input.ident, input.generics.split_for_impl());
    Ok(quote! {
        impl #generics ::gradus::nn::Module for #ident #arguments #bounds {
            fn visit(&self, path: &str, f: &mut dyn FnMut(&str, ::gradus::nn::Part<'_>)) {
                let _ = (path, &f);
                #(#visits)*
            }
        }
    })
}

fn is_skipped(attributes: &[Attribute]) -> Result<bool> {
    let mut skip = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("skip") {
                return Err(meta.error("unknown option; the only one is #[module(skip)]"));
            }
            skip = true;
            Ok(())
        })?;
    }
    Ok(skip)
}
