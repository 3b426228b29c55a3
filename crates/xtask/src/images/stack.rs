//! `docker-compose.yml` at work: its services started as it says, then asked what people and machines ask them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::compose::{Compose, Service};
use super::container::{Container, Network, Place, of_repository, wait};
use super::dockerfile::Stage;
use crate::stop;
use crate::system::{output, succeed};

const SOON: Duration = Duration::from_secs(60);
/// What systemd, Docker and Kubernetes wait for before they kill.
const GRACE: Duration = Duration::from_secs(10);

/// The services that are ours, with the folders of their images.
pub(super) struct Stack<'a> {
    repository: &'a Path,
    compose: &'a Compose,
    stages: &'a [Stage],
    /// By target.
    roots: &'a BTreeMap<String, PathBuf>,
    secrets: PathBuf,
    volumes: PathBuf,
    network: Network,
}

impl<'a> Stack<'a> {
    /// Nothing runs yet; secrets are new and volumes empty.
    pub(super) fn new(
        repository: &'a Path,
        compose: &'a Compose,
        stages: &'a [Stage],
        roots: &'a BTreeMap<String, PathBuf>,
        folder: &Path,
    ) -> Result<Self> {
        // not below a folder that only we may enter: services run as other users
        let (secrets, volumes) = (folder.join("secrets"), folder.join("volumes"));
        for old in [&secrets, &volumes] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        succeed(std::process::Command::new(repository.join("deploy/make-secrets")).arg(&secrets))?;
        Ok(Self { repository, compose, stages, roots, secrets, volumes, network: Network::new()? })
    }

    /// All of it; each thing that holds is printed, and the first that doesn't is the error.
    pub(super) fn examine(&self) -> Result<usize> {
        let mut held = Held::default();
        let mut redis = self.start("redis")?;
        self.wait_for("redis", &mut redis)?;
        held.that("redis is healthy, as a user without rights, on a read-only root")?;
        ensure!(
            !self.is_allowed("redis", "touch /etc/x")?
                && self.is_allowed("redis", "touch /data/x && cd /tmp && touch x")?
        );
        ensure!(!self.is_allowed("worker", "touch /etc/x || { cd /tmp && touch x; }")?);
        held.that("services write to their volumes and nothing else")?;
        ensure!(!self.is_allowed("redis", "redis-cli -e PING")?, "a client without the password is let in");
        let arguments = output(std::process::Command::new("ps").args(["-e", "-o", "args"]))?;
        let password = self.secret("redis-password")?;
        ensure!(!arguments.contains(&password), "the password is among a process' arguments");
        held.that("the password is asked for, and stands in no process' arguments")?;

        self.place("worker")?
            .output(&self.network, &self.words("worker", &["check-config", "/etc/eddyline/eddyline.toml"])?)?;
        let mut worker = self.start("worker")?;
        self.wait_for("worker", &mut worker)?;
        held.that("the worker takes its settings and is healthy")?;
        let mut traffic = self.start("traffic")?;
        self.hears_of_the_shop()?;
        traffic.check()?;
        held.that("the traffic of the shop is counted and scored")?;
        self.ports_answer()?;
        held.that("every port that is opened answers; the gateway asks for the key, and takes it")?;

        let status = redis.stop(GRACE)?;
        ensure!(status.success(), "redis ended with {status}:\n{}", redis.log()?);
        worker.check()?;
        let mut redis = self.start("redis")?;
        self.wait_for("redis", &mut redis)?;
        ensure!(self.redis("EDDY.LIST")?.contains("shop"), "the monitor is gone");
        wait("the worker is connected again", SOON, || Ok(self.metric("eddyline_redis_connected")? == Some(1.0)))?;
        held.that("a restart of redis keeps the monitor, and the worker goes on")?;

        drop(traffic);
        let status = worker.stop(GRACE)?;
        ensure!(status.success(), "the worker ended with {status}:\n{}", worker.log()?);
        let log = worker.log()?;
        for secret in ["redis-password", "http-key", "http-key-hash"] {
            ensure!(!log.contains(&self.secret(secret)?), "{secret} is in the worker's log");
        }
        held.that("the worker ends by itself when asked to, and its log has no secret")?;
        redis.stop(GRACE)?;
        self.kubernetes(&mut held)?;
        Ok(held.0)
    }

    /// That the module works in the image's server, for one that replaces Redis.
    pub(super) fn examine_server(&self) -> Result<usize> {
        let mut held = Held::default();
        let mut redis = self.start("redis")?;
        self.wait_for("redis", &mut redis)?;
        let server = self.redis("INFO server")?;
        let version = server.lines().filter(|line| line.contains("_version:") || line.starts_with("os:"));
        let version: Vec<&str> = version.map(str::trim).collect();
        ensure!(
            self.place("traffic")?
                .output(&self.network, &self.words("traffic", &["shop-traffic", "localhost", "3"])?)
                .is_ok()
        );
        ensure!(self.redis("EDDY.FINGERPRINT shop")?.contains("count"), "it counts nothing");
        held.that(&format!("the module counts in {}", version.join(" ")))?;
        redis.stop(GRACE)?;
        Ok(held.0)
    }

    /// Its settings, probes and command, with the containers that were built.
    fn kubernetes(&self, held: &mut Held) -> Result<()> {
        let settings = of_repository(self.repository, "deploy/kubernetes/eddyline.toml");
        let mut place = self.place("worker")?;
        place.mounts = vec![
            (settings, "/etc/eddyline/eddyline.toml".into(), false),
            (self.secrets.join("redis-url"), "/run/secrets/eddyline/redis-url".into(), false),
            (self.secrets.join("http-key-hash"), "/run/secrets/eddyline/http-key-hash".into(), false),
        ];
        place.output(&self.network, &self.words("worker", &["check-config", "/etc/eddyline/eddyline.toml"])?)?;
        let mut redis = self.start("redis")?;
        self.wait_for("redis", &mut redis)?;
        let mut worker = Container::start(
            "worker",
            &self.network,
            &place,
            &self.words("worker", &["worker", "--config", "/etc/eddyline/eddyline.toml"])?,
        )?;
        for path in ["/livez", "/readyz"] {
            let url = format!("http://localhost:9187{path}");
            wait(&url, SOON, || {
                worker.check()?;
                Ok(self.network.get(&url, &[])?.0 == 200)
            })?;
        }
        worker.stop(GRACE)?;
        redis.stop(GRACE)?;
        held.that("the settings for Kubernetes are right, and its probes answer")?;
        let settings = of_repository(self.repository, "deploy/systemd/eddyline.toml");
        place.mounts = vec![(settings, "/etc/eddyline/eddyline.toml".into(), false)];
        place.output(&self.network, &self.words("worker", &["check-config", "/etc/eddyline/eddyline.toml"])?)?;
        held.that("the settings for systemd are right")
    }

    fn ports_answer(&self) -> Result<()> {
        let ports = ["redis", "worker"].into_iter().flat_map(|name| &self.compose.services[name].ports);
        for port in ports {
            let port = port.rsplit(':').next().unwrap_or_default();
            match port {
                "6379" => ensure!(self.redis("PING")?.contains("PONG")),
                "8080" => {
                    let key = format!("authorization: Bearer {}", self.secret("http-key")?);
                    let url = "http://localhost:8080/v1/monitors";
                    let (without, with) = (self.network.get(url, &[])?.0, self.network.get(url, &[&key])?);
                    ensure!(without == 401 && with.0 == 200 && with.1.contains("shop"), "{without}, then {with:?}");
                    let page = self.network.get("http://localhost:8080/", &[])?;
                    ensure!(page.0 == 200 && page.1.contains("<html"), "{page:?}");
                }
                "9187" => ensure!(self.metric("eddyline_build_info{version=\"0.1.0\"}")? == Some(1.0)),
                _ => bail!("nobody knows how to ask {port}"),
            }
        }
        Ok(())
    }

    fn hears_of_the_shop(&self) -> Result<()> {
        wait("windows of the shop are scored", SOON, || {
            Ok(self.metric("eddyline_fingerprints_scored_total")?.is_some_and(|scored| scored >= 5.0))
        })
    }

    /// The value of a series of the worker.
    fn metric(&self, series: &str) -> Result<Option<f64>> {
        let (status, text) = self.network.get("http://localhost:9187/metrics", &[])?;
        ensure!(status == 200, "/metrics answers {status}");
        Ok(text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok()))
    }

    fn secret(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.secrets.join(name))?)
    }

    /// The server's answer to a command.
    fn redis(&self, command: &str) -> Result<String> {
        let line = format!(
            "REDISCLI_AUTH=$(cat /run/secrets/redis-password) $(command -v redis-cli || command -v valkey-cli) -e {command}"
        );
        self.place("redis")?.output(&self.network, &["sh".into(), "-c".into(), line])
    }

    /// Whether a line of shell succeeds in the service's place.
    fn is_allowed(&self, name: &str, line: &str) -> Result<bool> {
        let allowed = self.place(name)?.output(&self.network, &["sh".into(), "-c".into(), line.into()]);
        stop::check()?;
        Ok(allowed.is_ok())
    }

    fn start(&self, name: &str) -> Result<Container> {
        let service = self.service(name)?;
        let command: Vec<&str> = service.command.iter().map(String::as_str).collect();
        Container::start(name, &self.network, &self.place(name)?, &self.words(name, &command)?)
    }

    /// Waits until the health check of the service succeeds.
    fn wait_for(&self, name: &str, container: &mut Container) -> Result<()> {
        let [word, check @ ..] = &self.service(name)?.healthcheck.test[..] else { bail!("{name} has no health check") };
        ensure!(word == "CMD", "{word} isn't known here");
        let place = self.place(name)?;
        let healthy = wait(&format!("{name} is healthy"), SOON, || {
            container.check()?;
            place.output(&self.network, check).map(|_| true)
        });
        let log = if healthy.is_err() { container.log()? } else { String::new() };
        healthy.context(log)
    }

    fn service(&self, name: &str) -> Result<&Service> {
        self.compose.services.get(name).with_context(|| format!("no service {name}"))
    }

    fn target(&self, name: &str) -> Result<&str> {
        let image = &self.service(name)?.image;
        let builds = self.compose.services.values().filter(|service| &service.image == image);
        let build = builds.filter_map(|service| service.build.as_ref()).next();
        Ok(&build.with_context(|| format!("nobody builds {image}"))?.target)
    }

    /// What its image starts with these arguments.
    fn words(&self, name: &str, arguments: &[&str]) -> Result<Vec<String>> {
        let target = self.target(name)?;
        let stage =
            self.stages.iter().find(|stage| stage.name == target).with_context(|| format!("no stage {target}"))?;
        let arguments = arguments.iter().map(|&argument| argument.to_owned());
        Ok(stage.image.entrypoint.iter().cloned().chain(arguments).collect())
    }

    fn place(&self, name: &str) -> Result<Place> {
        let (service, target) = (self.service(name)?, self.target(name)?);
        let stage =
            self.stages.iter().find(|stage| stage.name == target).with_context(|| format!("no stage {target}"))?;
        ensure!(service.environment.is_empty() && service.read_only, "{name}: that isn't known here");
        let mut mounts = Vec::new();
        for volume in &service.volumes {
            let (from, to) = volume.split_once(':').with_context(|| format!("{volume}: where to?"))?;
            if from.starts_with("./") {
                let to = to.strip_suffix(":ro").with_context(|| format!("{volume} may be written"))?;
                mounts.push((of_repository(self.repository, from), to.to_owned(), false));
            } else {
                mounts.push((self.volume(from, &service.user)?, to.to_owned(), true));
            }
        }
        for secret in &service.secrets {
            mounts.push((self.secrets.join(secret), format!("/run/secrets/{secret}"), false));
        }
        let root = self.roots.get(target).with_context(|| format!("no folder of {target}"))?.clone();
        let workdir = if stage.image.workdir.is_empty() { "/" } else { &stage.image.workdir }.to_owned();
        let hosts = self.compose.services.keys().cloned().collect();
        Ok(Place { root, user: service.user.clone(), workdir, tmpfs: service.tmpfs.clone(), mounts, hosts })
    }

    /// The folder of a volume; a new one belongs to whom the image's folder belongs to, the user.
    fn volume(&self, name: &str, user: &str) -> Result<PathBuf> {
        ensure!(self.compose.volumes.contains_key(name), "no volume {name}");
        let folder = self.volumes.join(name);
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            succeed(std::process::Command::new("chown").arg(user).arg(&folder))?;
        }
        Ok(folder)
    }
}

/// How much was found to hold.
#[derive(Default)]
struct Held(usize);

impl Held {
    fn that(&mut self, what: &str) -> Result<()> {
        println!("  holds: {what}");
        self.0 += 1;
        stop::check()
    }
}
