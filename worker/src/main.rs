//! `eddyline`: from the command line to the code that does it, and from its outcome to an exit code.

use clap::Parser;
use eddyline_worker::cli::test_sink::TestSinkArgs;
use eddyline_worker::cli::worker::WorkerArgs;
use eddyline_worker::cli::{Cli, Command};
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::replay::plan::Order;
use eddyline_worker::service::scorer::Context;
use eddyline_worker::service::worker::Worker;
use eddyline_worker::store::lease;
use eddyline_worker::{doctor, logs, observe, replay, sinks, upkeep};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Worker(args) => work(*args),
        Command::Replay(args) => Order::try_from(*args).and_then(|order| replay::run(&order)).map_err(Into::into),
        Command::Delete(args) => upkeep::command::run(&args.into()).map_err(Into::into),
        Command::Rename(args) => upkeep::command::run(&args.into()).map_err(Into::into),
        Command::Copy(args) => upkeep::command::run(&args.into()).map_err(Into::into),
        Command::TestSink(args) => test_sink(&args),
        Command::Doctor(args) => match doctor::command::run(&args.server.redis, args.json) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error.into()),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eddyline: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn test_sink(args: &TestSinkArgs) -> anyhow::Result<()> {
    logs::init();
    sinks::command::run(args).await
}

#[tokio::main]
async fn work(args: WorkerArgs) -> anyhow::Result<()> {
    logs::init();
    let context = Context {
        deployment: args.deployment,
        db: args.redis.db(),
        choices: Choices::from(&args.choices),
        worker: lease::worker_name(),
        status: Arc::default(),
    };
    let observing = tokio::spawn(observe::http::tell(args.listen, Arc::clone(&context.status)));
    let named = args.monitors.into_iter().map(String::into_bytes).collect();
    let worker = Worker { address: args.redis, context: Arc::new(context), named };

    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop, stopped) = watch::channel(false);
    let working = tokio::spawn(worker.run(stopped));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.send_replace(true);
    working.await?;
    observing.abort();
    Ok(())
}
