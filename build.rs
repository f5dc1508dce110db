//! Compiles every contract under `proto/` into client and server stubs and one descriptor set.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new("proto");
    println!("cargo::rerun-if-changed=proto");

    let mut protos = Vec::new();
    collect_protos(&root.join("holdfast"), &mut protos)?;
    protos.sort();

    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_imports(true).include_source_info(true);
    for proto in &protos {
        compiler.open_file(proto)?;
    }
    // protox keeps custom options only in its own encoding; prost-types would drop them.
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("holdfast.bin"), compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure().compile_well_known_types(false).compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn collect_protos(dir: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_protos(&path, into)?;
        } else if path.extension().is_some_and(|ext| ext == "proto") {
            into.push(path);
        }
    }
    Ok(())
}
