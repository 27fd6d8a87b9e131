//! Tells the linker to say what each function needs: by that, `cargo xtask build` splits off what is loaded later.

fn main() {
    println!("cargo::rustc-link-arg=--emit-relocs");
    println!("cargo::rerun-if-changed=build.rs");
}
