//! The binary is linked at a fixed address, as many builds of CPython are: the tables of types and functions are full of
//! addresses, and a binary that may stand anywhere has them patched at every start. That costs a megabyte of private memory.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
