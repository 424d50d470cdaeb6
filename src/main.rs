//! The binary: hands the shell's command line over, and turns what it came to into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "fault-points")]
    let _armed = certkeeper::fault::arm();
    certkeeper::cli::main(
        std::env::args_os(),
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
    )
}
