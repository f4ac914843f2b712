//! The npm package `@onefold/client`, which stands beside this crate, as texts: `cargo regen` puts them into the npm package
//! of every service, so that they come with the framework in every way in which Cargo brings it.

/// The version of both packages.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files of the package's modules and of their types, by name.
pub const FILES: [(&str, &str); 8] = [
    ("index.cjs", include_str!("../index.cjs")),
    ("index.d.cts", include_str!("../index.d.cts")),
    ("index.d.ts", include_str!("../index.d.ts")),
    ("index.js", include_str!("../index.js")),
    ("session.cjs", include_str!("../session.cjs")),
    ("session.d.cts", include_str!("../session.d.cts")),
    ("session.d.ts", include_str!("../session.d.ts")),
    ("session.js", include_str!("../session.js")),
];

/// The names that the module `index` exports for users.
pub const NAMES: [&str; 4] = ["createClient", "failureOf", "wantsReauthentication", "withEnvelopes"];

/// What the package needs beside it, by name, and in which versions. The tests use the first version of the official client
/// and the newest, and those between that adapters need: 11.19.0 for `@trpc/react-query`, 11.22.1 for
/// `@trpc/tanstack-react-query`. 11.25 knows `pathSeparator`.
pub const PEERS: [(&str, &str); 2] = [("@trpc/client", ">=11.5.0 <12"), ("@trpc/server", ">=11.5.0 <12")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_says_the_same() {
        let package: serde_json::Value = serde_json::from_str(include_str!("../package.json")).unwrap();
        assert_eq!(package["version"], VERSION);
        assert_eq!(package["files"], serde_json::json!(FILES.map(|(name, _)| name)));
        let peers: serde_json::Map<_, _> =
            PEERS.iter().map(|&(name, versions)| (name.into(), versions.into())).collect();
        assert_eq!(package["peerDependencies"], serde_json::Value::Object(peers));
    }
}
