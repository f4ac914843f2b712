//! A service of wire types that the reference service does not use yet.

use runtime::{Definition, Layout};

const SERVICE: Definition = Definition {
    layout: Some(Layout { bindings: "bindings", packages: None }),
    permits: |_, _| true,
    ..Definition::named("special")
};

runtime::procedures! {
    inline SERVICE;
    kinds { everything, patch, secrets, shapes }
}

mod kinds {
    pub mod everything {
        use std::collections::BTreeMap;

        use identity::UserId;
        use model::post::PostId;
        use protocol::{
            Timestamp,
            wire::{Base64, Decimal, Finite, SafeInteger},
        };
        use runtime::prelude::*;

        /// A value of each kind, and each kind inside of the others.
        #[wire(input)]
        pub struct Input {
            pub tiny: i8,
            pub short: u16,
            pub whole: i32,
            pub large: SafeInteger,
            pub exact: Decimal,
            pub real: Finite,
            pub bytes: Base64,
            pub time: Timestamp,
            pub maybe_time: Option<Timestamp>,
            pub maybe_list: Option<Vec<Option<i32>>>,
            pub list_of_lists: Vec<Vec<bool>>,
            pub boxed: Box<SafeInteger>,
            pub by_name: BTreeMap<String, Option<Decimal>>,
            pub by_user: BTreeMap<UserId, Vec<PostId>>,
        }
        /// The same, on the way out.
        #[wire]
        pub struct Everything {
            pub tiny: i8,
            pub short: u16,
            pub whole: i32,
            pub large: SafeInteger,
            pub exact: Decimal,
            pub real: Finite,
            pub bytes: Base64,
            pub time: Timestamp,
            pub maybe_time: Option<Timestamp>,
            pub maybe_list: Option<Vec<Option<i32>>>,
            pub list_of_lists: Vec<Vec<bool>>,
            pub boxed: Box<SafeInteger>,
            pub by_name: BTreeMap<String, Option<Decimal>>,
            pub by_user: BTreeMap<UserId, Vec<PostId>>,
        }
        #[derive(Debug, Failure)]
        pub enum Error {
            /// One value.
            #[failure(CONFLICT)]
            One(Option<Decimal>),
            /// Many values.
            #[failure(PRECONDITION_FAILED)]
            Many { found_at: Timestamp, by_user: BTreeMap<UserId, SafeInteger> },
        }
        /// Give back what came in.
        #[procedure(mutation, auth = public)]
        pub async fn everything(#[input] input: Input) -> Result<Everything, Error> {
            if input.tiny == 0 {
                return Err(Error::One(None));
            }
            if input.short == 0 {
                return Err(Error::Many { found_at: input.time, by_user: BTreeMap::new() });
            }
            Ok(Everything {
                tiny: input.tiny,
                short: input.short,
                whole: input.whole,
                large: input.large,
                exact: input.exact,
                real: input.real,
                bytes: input.bytes,
                time: input.time,
                maybe_time: input.maybe_time,
                maybe_list: input.maybe_list,
                list_of_lists: input.list_of_lists,
                boxed: input.boxed,
                by_name: input.by_name,
                by_user: input.by_user,
            })
        }
    }

    pub mod patch {
        use protocol::wire::{Finite, SafeInteger};
        use runtime::prelude::*;

        /// Absent, null and a value are three things.
        #[wire(input)]
        pub struct Input {
            pub number: Patch<SafeInteger>,
            #[schemars(example = 17)]
            pub maybe_number: Patch<Option<SafeInteger>>,
            pub maybe_real: Patch<Option<Finite>>,
            #[garde(length(chars, min = 1, max = 5))]
            pub text: Patch<String>,
            #[garde(dive)]
            pub inner: Patch<Option<InnerInput>>,
            #[garde(dive)]
            pub inners: Vec<InnerInput>,
        }
        /// One level down.
        #[wire(input)]
        pub struct InnerInput {
            #[garde(range(min = 1, max = 10))]
            pub count: u32,
            pub note: Option<String>,
        }
        /// Say whether there was anything.
        #[procedure(mutation, auth = public)]
        pub async fn patch(#[input] input: Input) -> bool {
            !input.number.is_keep()
        }
    }

    pub mod secrets {
        use identity::{GivenPassword, Password};
        use runtime::prelude::*;

        /// What only comes in.
        #[wire(input)]
        pub struct Input {
            #[garde(dive)]
            pub password: Password,
            #[garde(dive)]
            pub given: Option<GivenPassword>,
        }
        /// Say whether they are the same.
        #[procedure(mutation, auth = public)]
        pub async fn secrets(#[input] input: Input) -> bool {
            input.given.is_some_and(|given| given.as_str() == input.password.as_str())
        }
    }

    pub mod shapes {
        use protocol::wire::Finite;
        use runtime::prelude::*;

        /// Some shapes.
        #[wire(input)]
        pub struct Input {
            pub shapes: Vec<ShapeInput>,
        }
        /// What may come in.
        #[wire(input)]
        pub enum ShapeInput {
            /// Nothing.
            Empty {},
            /// Round.
            Circle { radius: Finite, note: Option<String> },
            /// With corners.
            Polygon(CornersInput),
        }
        /// The corners of a polygon.
        #[wire(input)]
        pub struct CornersInput {
            pub corner_count: u32,
        }
        /// What goes out.
        #[wire]
        pub enum Shape {
            /// Nothing.
            Empty,
            /// Round.
            Circle { radius: Finite, note: Option<String> },
            /// With corners.
            Polygon(Corners),
        }
        /// The corners of a polygon.
        #[wire]
        pub struct Corners {
            pub corner_count: u32,
        }
        /// Give back the shapes that came in.
        #[procedure(query, auth = public)]
        pub async fn shapes(#[input] input: Input) -> Vec<Shape> {
            let shape = |shape| match shape {
                ShapeInput::Empty {} => Shape::Empty,
                ShapeInput::Circle { radius, note } => Shape::Circle { radius, note },
                ShapeInput::Polygon(corners) => Shape::Polygon(Corners { corner_count: corners.corner_count }),
            };
            input.shapes.into_iter().map(shape).collect()
        }
    }
}
