//! The binary: hands the shell's command line over, and turns what it came to into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    certkeeper::cli::main(std::env::args_os(), std::env::vars())
}
