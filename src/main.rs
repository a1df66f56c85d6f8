//! The street door.

fn main() -> std::process::ExitCode {
    strongroom::cli::run()
}
