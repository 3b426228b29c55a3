//! The project's own tools: `cargo demo`, `cargo tidy` and what else `cargo xtask` lists. The only place that shells out.

mod api;
mod bench;
mod browser;
mod build;
mod check;
mod demo;
mod dist;
mod hand_over;
mod images;
mod quality;
mod setup;
mod stop;
mod system;
mod tidy;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own tools")]
enum Tool {
    /// Tries examples, limits and chance on the HTTP gateway, by the OpenAPI document that it serves
    Api(api::Args),
    /// Measures the module on real servers and prints the table of docs/performance.md
    Bench(bench::Args),
    /// Shows the dashboard to a browser, over a real server and worker, and checks what it shows; needs node and chromium
    Browser,
    /// Kills workers and Redis under load and counts what was lost or doubled; --help says how
    #[command(disable_help_flag = true)]
    Chaos {
        /// See cargo xtask chaos --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Runs all suites of tests: Rust, the SDKs, the browser, the deployment; .ci/run calls it
    Check(check::Args),
    /// Shows the whole product at work: a small shop, its history, its faults, the alerts
    Demo(demo::Args),
    /// Builds what a release carries, into target/dist
    Dist(dist::Args),
    /// Tries hostile input on everything that reads bytes from outside; --help says how
    #[command(disable_help_flag = true)]
    Fuzz {
        /// See cargo xtask fuzz --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Builds the images of deploy/ without Docker and runs docker-compose.yml's services in them
    Images(images::Args),
    /// Measures detection on the labelled data and rewrites the tables of docs/quality.md
    Quality {
        /// Only these; all by default
        tables: Vec<quality::Table>,
    },
    /// Installs what building and testing need: a Redis server, libclang, and what each suite of tests meets
    Setup,
    /// Checks that the source tree keeps the rules of its layout
    Tidy,
}

fn main() -> ExitCode {
    match run(&Tool::parse()) {
        Ok(code) => code,
        Err(error) => {
            // standard error may be gone with its terminal
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(tool: &Tool) -> Result<ExitCode> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize()?;
    match tool {
        Tool::Api(args) => api::run(&root, args),
        Tool::Bench(args) => bench::run(&root, args),
        Tool::Browser => browser::run(&root),
        Tool::Check(args) => check::run(&root, args),
        Tool::Demo(args) => demo::run(&root, args),
        Tool::Dist(args) => dist::run(&root, args),
        Tool::Chaos { arguments } => hand_over::run(&root, &hand_over::CHAOS, arguments),
        Tool::Fuzz { arguments } => hand_over::run(&root, &hand_over::FUZZ, arguments),
        Tool::Images(args) => images::run(&root, args),
        Tool::Quality { tables } => quality::run(&root, tables),
        Tool::Setup => {
            println!("{}: there", setup::run()?.found);
            println!("for the module's tests on another make of server: {}", setup::second_server()?);
            for line in setup::suites()? {
                println!("{line}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Tool::Tidy => tidy::run(&root),
    }
}
