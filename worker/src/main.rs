//! `eddyline`: from the command line to the code that does it, and from its outcome to an exit code.

use anyhow::Context as _;
use eddyline_wire::keys::Companions;
use eddyline_worker::cli::feedback::FeedbackArgs;
use eddyline_worker::cli::mark::MarkArgs;
use eddyline_worker::cli::test_sink::TestSinkArgs;
use eddyline_worker::cli::{Cli, Command};
use eddyline_worker::config::Config;
use eddyline_worker::config::load::Sources;
use eddyline_worker::config::reload::Reloader;
use eddyline_worker::gateway::serve::Serving;
use eddyline_worker::gateway::{Gateway, new_key};
use eddyline_worker::notify::notifier::Notifier;
use eddyline_worker::notify::plan::Plan;
use eddyline_worker::observe::listen::Listen;
use eddyline_worker::replay::plan::Order;
use eddyline_worker::service::context::Context;
use eddyline_worker::service::status::Status;
use eddyline_worker::service::worker::Worker;
use eddyline_worker::store::lease;
use eddyline_worker::{count, doctor, explain, feedback, logs, markers, observe, replay, sinks, upkeep};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::warn;

/// Whatever is under way at a signal may take so long.
const GOODBYE: Duration = Duration::from_millis(1800);
/// Where the gateway listens if nobody said.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

fn main() -> ExitCode {
    let done = match Cli::of_process().command {
        Command::Worker(args) => work((*args).into()),
        Command::Serve(args) => gate((*args).into()),
        Command::Key(args) => new_key::make(&args.name, &args.scopes).map(|told| print!("{told}")),
        Command::CheckConfig(args) => {
            Sources::from(args).load().map(|loaded| print!("{}", loaded.effective)).map_err(Into::into)
        }
        Command::Replay(args) => Order::try_from(*args).and_then(|order| replay::run(&order)).map_err(Into::into),
        Command::Delete(args) => upkeep::command::run(&args.into()).map_err(Into::into),
        Command::Rename(args) => upkeep::command::run(&args.into()).map_err(Into::into),
        Command::Copy(args) => upkeep::command::run(&args.into()).map_err(Into::into),
        Command::Export(args) => upkeep::export::run(&args.into()).map_err(Into::into),
        Command::Import(args) => upkeep::import::run(&args.into()).map_err(Into::into),
        Command::TestSink(args) => test_sink(&args),
        Command::Feedback(args) => give_feedback(&args),
        Command::Mark(args) => mark(&args),
        Command::Doctor(args) => match doctor::command::run(&args.server.redis, args.json) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error.into()),
        },
        Command::Explain(args) => explain::run(&args.into()).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eddyline: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each once: some repeat the one behind them.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match &told[..] {
        "" => cause,
        _ if told.ends_with(&cause) => told,
        _ => format!("{told}: {cause}"),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn test_sink(args: &TestSinkArgs) -> anyhow::Result<()> {
    let config = Sources::from(args).load()?.config;
    logs::init(&config.live.log);
    sinks::command::run(args, &config).await
}

#[tokio::main(flavor = "current_thread")]
async fn give_feedback(args: &FeedbackArgs) -> anyhow::Result<()> {
    let order = args.order().map_err(anyhow::Error::msg)?;
    let lines = feedback::command::run(&args.server.redis, &order).await?;
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn mark(args: &MarkArgs) -> anyhow::Result<()> {
    let mut connection = args.server.redis.connect_for_command().await?;
    let id = markers::add(&mut connection, &args.text, args.monitor.as_ref().map(Companions::monitor)).await?;
    println!("marked as {id}");
    Ok(())
}

fn work(sources: Sources) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let done = runtime.block_on(score(sources));
    // What can't be called off, such as looking up a name, would hold the end up.
    runtime.shutdown_background();
    done
}

async fn score(sources: Sources) -> anyhow::Result<()> {
    let Config { fixed, live } = sources.load()?.config;
    let levels = logs::init(&live.log);
    let (sender, live) = watch::channel(Arc::new(live));
    let plan = Plan::follow(live.clone());
    let context = Context::new(fixed.deployment.clone(), fixed.redis.db(), live.clone(), lease::worker_name());
    let observing = observe::http::tell(fixed.listen, Arc::clone(&context.status));
    let reloader = Reloader::new(sources, fixed.clone(), sender, levels);
    let gated = fixed.clone();
    let (address, name) = (fixed.redis.clone(), context.worker.clone());
    let (found, monitors) = watch::channel(None);
    let notifier = Notifier {
        address: address.clone(),
        deployment: fixed.deployment,
        worker: name.clone(),
        monitors,
        plan,
        status: Arc::clone(&context.status),
    };
    let worker = Worker { address: fixed.redis, context: Arc::new(context) };

    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    let (stop, stopped) = watch::channel(false);
    let counting = count::run::spawn(&address, fixed.counted, &name, &stopped);
    let gateway = Gateway::new(address, gated.deployment, live, Some(Arc::clone(&worker.context.status)));
    let gating = tokio::spawn(beside(gated.http, gateway, stopped.clone()));
    let notifying = tokio::spawn(notifier.run(stopped.clone()));
    let working = tokio::spawn(async move { worker.run_and_tell(stopped, &found).await });
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reloader.reload(),
        }
    }
    stop.send_replace(true);
    let all_done = async {
        working.await?;
        notifying.await?;
        gating.await?;
        counting.join_all().await;
        anyhow::Ok(())
    };
    match timeout(GOODBYE, all_done).await {
        Ok(done) => done?,
        Err(_) => warn!("not all work under way could be finished in time"),
    }
    observing.abort();
    Ok(())
}

/// The gateway of a worker, where it has one. An address that can't be had is said; the worker works without.
async fn beside(listen: Option<Listen>, gateway: Gateway, stop: watch::Receiver<bool>) {
    let Some(Listen::At(address)) = listen else { return };
    match Serving::bind(gateway, address).await {
        Ok(serving) => serving.run(&Status::default(), stop).await,
        Err(error) => warn!(%address, "no gateway there: {error}; choose another address with --http, or 'none'"),
    }
}

fn gate(sources: Sources) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let done = runtime.block_on(serve(sources));
    runtime.shutdown_background();
    done
}

/// The gateway alone.
async fn serve(sources: Sources) -> anyhow::Result<()> {
    let Config { fixed, live } = sources.load()?.config;
    let levels = logs::init(&live.log);
    let Listen::At(address) = fixed.http.unwrap_or(Listen::At(ADDRESS)) else {
        anyhow::bail!("there is nothing to serve: --http is 'none'");
    };
    let (sender, live) = watch::channel(Arc::new(live));
    let status = Arc::new(Status::default());
    let observing = observe::http::tell(fixed.listen, Arc::clone(&status));
    let gateway = Gateway::new(fixed.redis.clone(), fixed.deployment.clone(), live, None);
    let serving = Serving::bind(gateway, address).await.with_context(|| format!("{address} can't be had"))?;
    let reloader = Reloader::new(sources, fixed, sender, levels);
    let (stop, stopped) = watch::channel(false);
    let mut running = tokio::spawn(async move { serving.run(&status, stopped).await });
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reloader.reload(),
            ended = &mut running => return Ok(ended?),
        }
    }
    stop.send_replace(true);
    if timeout(GOODBYE, running).await.is_err() {
        warn!("not all requests under way could be finished in time");
    }
    observing.abort();
    Ok(())
}
