//! Links the SDK's own measurement as the functions are linked (`functions/build.rs`).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_built = std::env::var_os("CARGO_FEATURE_SDK").is_some();
    if is_built && std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bin=hello-sdk=-no-pie");
    }
}
