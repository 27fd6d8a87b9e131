fn main() {
    println!("cargo::rustc-link-arg=--emit-relocs");
}
