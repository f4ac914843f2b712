//! Linker options of the functions.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A position-independent program relocates 19,000 addresses before `main` at every cold start, which takes about
    // 0.2 ms. Go's programs are not position-independent either.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
