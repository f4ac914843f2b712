//! The capability to know a configuration: plain values that may differ from stage to stage. All of a function's
//! configurations are read and checked when it starts.

use std::{collections::HashMap, fmt, ops::Deref, sync::Arc};

use protocol::{Cause, ConfigKind, ConfigNeed, ConfigReader, ConfigValue, Fault};

use crate::{Call, Capability, Rights};

/// The capability to know one configuration. It derefs to the values.
///
/// ```
/// # extern crate onefold_runtime as onefold;
/// use onefold::{Config, ConfigKind, prelude::*};
///
/// /// What differs from stage to stage.
/// #[wire(input)]
/// pub struct ShopConfig {
///     /// From which amount on sending is free, in cents.
///     pub free_shipping_from: u32,
/// }
///
/// impl ConfigKind for ShopConfig {
///     const NAME: &'static str = "shop";
///
///     fn local() -> Self {
///         Self { free_shipping_from: 5_000 }
///     }
/// }
///
/// /// What sending costs, in cents.
/// fn shipping(config: &Config<ShopConfig>, amount: u32) -> u32 {
///     if amount >= config.free_shipping_from { 0 } else { 490 }
/// }
///
/// assert_eq!(shipping(&Config::of(ShopConfig { free_shipping_from: 10_000 }), 9_999), 490);
/// ```
pub struct Config<T>(Arc<T>);

impl<T> Config<T> {
    /// A configuration with these values, for tests.
    pub fn of(values: T) -> Self {
        Self(Arc::new(values))
    }
}

impl<T> Clone for Config<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Config<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Config").field(&self.0).finish()
    }
}

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ConfigKind> Capability for Config<T> {
    const RIGHTS: Rights = Rights { configs: &[ConfigNeed::of::<T>()], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        let unread = || Fault::internal(format!("the rights of a capability leave out the configuration {}", T::NAME));
        call.configs().find::<T>().map(Self).ok_or_else(unread)
    }
}

/// The configurations of a process, by name. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Configs(Arc<HashMap<&'static str, ConfigValue>>);

impl Configs {
    /// Reads the configurations of these needs from texts by name.
    ///
    /// # Errors
    /// As [`ConfigReaders::read`].
    pub fn of(
        needs: &[ConfigNeed],
        texts: impl IntoIterator<Item = (&'static str, ConfigText)>,
    ) -> Result<Self, Cause> {
        let texts: HashMap<_, _> = texts.into_iter().collect();
        let find = |name: &str| texts.get(name).cloned().ok_or_else(|| Cause::from(format!("{name} has no text")));
        Self::read(needs.iter().map(|need| need.reader), find)
    }

    fn read(
        readers: impl IntoIterator<Item = ConfigReader>,
        find: impl Fn(&str) -> Result<ConfigText, Cause>,
    ) -> Result<Self, Cause> {
        let read = |reader: ConfigReader| {
            let ConfigText { text, place } = find(reader.name)?;
            let value = reader.read(&text);
            value.map(|value| (reader.name, value)).map_err(|faults| Cause::from(format!("{place}: {faults}")))
        };
        Ok(Self(Arc::new(readers.into_iter().map(read).collect::<Result<_, _>>()?)))
    }

    fn find<T: ConfigKind>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.get(T::NAME)?).downcast().ok()
    }
}

/// A configuration's JSON, and where it stands: a variable, for messages.
#[derive(Clone, Debug)]
pub struct ConfigText {
    /// The JSON.
    pub text: String,
    /// The place.
    pub place: String,
}

/// How many configurations one procedure takes at most.
const MOST: usize = 8;

/// How the configurations of one procedure are read: the part of its rights that its function links.
#[derive(Clone, Copy, Debug)]
pub struct ConfigReaders([Option<ConfigReader>; MOST]);

impl ConfigReaders {
    /// No configurations.
    pub const NONE: Self = Self([None; MOST]);

    /// The configurations of rights, with those of their parts.
    ///
    /// # Panics
    /// When there are more than eight; in a constant, this does not compile.
    #[must_use]
    pub const fn of(rights: &Rights) -> Self {
        Self::NONE.and(rights)
    }

    const fn and(mut self, rights: &Rights) -> Self {
        let mut needs = rights.configs;
        while let [need, others @ ..] = needs {
            let mut place = 0;
            while place < MOST && self.0[place].is_some() {
                place += 1;
            }
            assert!(place < MOST, "a procedure takes at most eight configurations: make one of several");
            self.0[place] = Some(need.reader);
            needs = others;
        }
        let mut parts = rights.parts;
        while let [part, others @ ..] = parts {
            self = self.and(part);
            parts = others;
        }
        self
    }

    /// Reads all configurations. `find` looks a text up by the configuration's name.
    ///
    /// # Errors
    /// That of `find`; or all faults of a configuration, with its place and the paths of its members.
    pub fn read(&self, find: impl Fn(&str) -> Result<ConfigText, Cause>) -> Result<Configs, Cause> {
        Configs::read(self.0.into_iter().flatten(), find)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::prelude::*;

    /// What differs from stage to stage.
    #[wire(input)]
    struct ShopConfig {
        /// In cents.
        free_shipping_from: u32,
        /// The currency's code.
        currency: String,
        /// Who is told, if anybody.
        told: Option<String>,
    }

    impl ConfigKind for ShopConfig {
        const NAME: &'static str = "shop-floor";

        fn local() -> Self {
            Self { free_shipping_from: 5_000, currency: "EUR".to_owned(), told: None }
        }
    }

    #[allow(dead_code)]
    #[derive(Capability)]
    struct Bundle {
        clock: Clock,
        config: Config<ShopConfig>,
    }

    /// What a function says that has this text.
    fn read(text: &str) -> Result<Configs, String> {
        let readers = ConfigReaders::of(&Rights::of(&[Bundle::RIGHTS]));
        let find = |name: &str| {
            assert_eq!(name, "shop-floor");
            Ok(ConfigText { text: text.to_owned(), place: "ONEFOLD_CONFIG_SHOP_FLOOR".to_owned() })
        };
        readers.read(find).map_err(|cause| cause.to_string())
    }

    #[test]
    fn a_configuration_is_read_by_its_type() {
        let configs = read(r#"{"freeShippingFrom": 1, "currency": "CHF"}"#).unwrap();
        let found = configs.find::<ShopConfig>().unwrap();
        assert_eq!((found.free_shipping_from, &*found.currency, &found.told), (1, "CHF", &None));
    }

    #[test]
    fn a_function_whose_configuration_is_wrong_says_which_members_of_which_variable() {
        let refused = |text: &str| read(text).map(drop).unwrap_err();
        let all = refused(r#"{"freeShippingFrom": -1, "currancy": "EUR"}"#);
        for part in ["ONEFOLD_CONFIG_SHOP_FLOOR: ", "freeShippingFrom: ", "currancy: ", "currency: "] {
            assert!(all.contains(part), "{part} in {all}");
        }
        assert!(refused("{").starts_with("ONEFOLD_CONFIG_SHOP_FLOOR: "), "{}", refused("{"));
    }

    #[test]
    fn no_more_than_the_readers_reach_a_function() {
        assert!(ConfigReaders::of(&Clock::RIGHTS).0.iter().all(Option::is_none));
        assert_eq!(ConfigReaders::of(&Bundle::RIGHTS).0.iter().flatten().count(), 1);
        assert_eq!(Bundle::RIGHTS.needs().configs, [ConfigNeed::of::<ShopConfig>()]);
    }
}
