//! From what rustc has compiled to what a page loads: the parts of a module that are loaded later are split off
//! (`wasm_split_cli_support`), and JavaScript's side of it is generated (`wasm_bindgen_cli_support`).

use crate::project::{Result, at};
use std::{collections::BTreeMap, fs, path::Path};
use walrus::ModuleConfig;
use wasm_bindgen_cli_support::Bindgen;

mod pack;

/// The section that marks a module of which something is to be split off.
const MARK: &[u8] = b"__wasm_split_unstable";
/// What loads the parts, beside the module.
const LOADER: &str = "./split.js";
/// The parts that the window loads, in that order (extension/src/later.rs). Each is a file of what those before have not.
const PARTS: [&str; 3] = ["log", "later", "seldom"];

/// Writes into a folder, under this name, what a page loads of a compiled module.
///
/// # Errors
/// When one of the tools does not take it.
pub(crate) fn generate(compiled: &Path, folder: &Path, name: &str, options: impl FnOnce(&mut Bindgen)) -> Result {
    let mut module = at(compiled, fs::read(compiled))?;
    let is_split = module.windows(MARK.len()).any(|part| part == MARK);
    if is_split {
        module = split(&module, folder, name)?;
    }
    let mut bindgen = Bindgen::new();
    // The very wasm-bindgen of Cargo.lock, as a library: the glue must come from the same version as the crate.
    bindgen.input_bytes(name, module).web(true).map_err(|error| error.to_string())?;
    bindgen.omit_default_module_path(false).typescript(false);
    // The parts share the memory and the table of functions with it.
    bindgen.keep_lld_exports(is_split);
    options(&mut bindgen);
    bindgen.generate(folder).map_err(|error| format!("wasm-bindgen: {error:#}"))
}

/// Splits off what is loaded later, and gives the rest.
fn split(module: &[u8], folder: &Path, name: &str) -> Result<Vec<u8>> {
    let rest = folder.join(format!("{name}.rest"));
    let main = format!("./{name}.js");
    let mut options = wasm_split_cli_support::Options::new(module);
    options.output_dir = folder;
    options.main_out_path = &rest;
    options.main_module = &main;
    options.link_name = LOADER;
    let parts = wasm_split_cli_support::transform(options).map_err(|error| format!("wasm-split: {error:#}"))?;
    for part in &parts.split_modules {
        compact(part)?;
    }
    let needs: BTreeMap<_, _> = parts.prefetch_map.into_iter().collect();
    pack::pack(folder, &folder.join(LOADER), &needs, &PARTS)?;
    let module = at(&rest, fs::read(&rest))?;
    at(&rest, fs::remove_file(&rest))?;
    Ok(module)
}

/// Writes a part again without the names of its functions, and without the room that the linker leaves in every number.
fn compact(part: &Path) -> Result {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    let module = config.parse(&at(part, fs::read(part))?);
    let mut module = module.map_err(|error| format!("{}: {error:#}", part.display()))?;
    at(part, fs::write(part, module.emit_wasm()))
}
