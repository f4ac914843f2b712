//! How the functions are linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A position-independent program has 13,000 addresses to be corrected before `main` at every cold
    // start, a seventh of the time to the first answer. Go's programs are not position-independent either.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
