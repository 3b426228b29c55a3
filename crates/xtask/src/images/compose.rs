//! `docker-compose.yml`, read as far as it goes: a key that isn't known here is an error, so that none is left out.

// Some of it only tests look at: what an engine does with it can't be had without one.
#![allow(dead_code)]

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compose {
    pub(super) services: BTreeMap<String, Service>,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) volumes: BTreeMap<String, Option<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    /// Relative to the compose file.
    pub(super) file: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) image: String,
    pub(super) build: Option<Build>,
    #[serde(default)]
    pub(super) command: Vec<String>,
    pub(super) user: String,
    pub(super) read_only: bool,
    pub(super) cap_drop: Vec<String>,
    pub(super) security_opt: Vec<String>,
    #[serde(default)]
    pub(super) tmpfs: Vec<String>,
    #[serde(default)]
    pub(super) volumes: Vec<String>,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    #[serde(default)]
    pub(super) ports: Vec<String>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    #[serde(default)]
    pub(super) depends_on: Value,
    #[serde(default)]
    pub(super) stop_grace_period: Option<String>,
    pub(super) restart: String,
    pub(super) healthcheck: Health,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub(super) context: String,
    pub(super) dockerfile: String,
    pub(super) target: String,
    #[serde(default)]
    pub(super) args: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Health {
    /// `CMD`, then the command.
    #[serde(default)]
    pub(super) test: Vec<String>,
    #[serde(default)]
    pub(super) disable: bool,
    #[serde(default)]
    pub(super) interval: String,
    #[serde(default)]
    pub(super) timeout: String,
    #[serde(default)]
    pub(super) start_period: String,
    #[serde(default)]
    pub(super) retries: u32,
}

pub(super) fn read(text: &str) -> Result<Compose> {
    serde_yaml_ng::from_str(text).context("docker-compose.yml")
}

#[cfg(test)]
mod tests {
    use super::{Compose, Service, read};
    use crate::images::dockerfile;
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

    fn compose() -> Compose {
        read(&fs::read_to_string(Path::new(ROOT).join("docker-compose.yml")).expect("it is there"))
            .expect("it is right")
    }

    #[test]
    fn ports_are_open_to_this_machine_alone() {
        let services = compose().services;
        let ports: Vec<&String> = services.values().flat_map(|service| &service.ports).collect();
        assert!(ports.len() >= 5, "{ports:?}");
        for port in ports {
            let numbers = port.strip_prefix("127.0.0.1:").and_then(|rest| rest.split_once(':'));
            assert!(numbers.is_some_and(|(outside, inside)| outside == inside), "{port}");
        }
    }

    #[test]
    fn nothing_runs_as_root_or_writes_but_to_its_volumes() {
        for (name, Service { user, read_only, cap_drop, security_opt, restart, healthcheck, .. }) in compose().services
        {
            assert!(
                user.split(':').next().is_some_and(|user| user.parse().is_ok_and(|id: u32| id > 0)),
                "{name}: {user}"
            );
            assert!(read_only && cap_drop == ["ALL"] && security_opt == ["no-new-privileges:true"], "{name}");
            assert_eq!(restart, "unless-stopped", "{name}");
            assert!(
                healthcheck.disable != (healthcheck.test.len() > 1),
                "{name} has a health check, or says that it has none"
            );
        }
    }

    #[test]
    fn files_that_are_mounted_are_there_and_volumes_are_declared() {
        let compose = compose();
        let mut used = BTreeSet::new();
        for volume in compose.services.values().flat_map(|service| &service.volumes) {
            let outside = volume.split(':').next().unwrap_or_default();
            if outside.starts_with("./") {
                assert!(Path::new(ROOT).join(outside).exists() && volume.ends_with(":ro"), "{volume}");
            } else {
                used.insert(outside.to_owned());
            }
        }
        assert_eq!(used, compose.volumes.into_keys().collect());
    }

    #[test]
    fn secrets_are_those_that_make_secrets_makes() {
        let (compose, folder) = (compose(), tempfile::tempdir().expect("a temporary folder"));
        let made = std::process::Command::new(Path::new(ROOT).join("deploy/make-secrets")).arg(folder.path()).output();
        assert!(made.expect("it starts").status.success());
        let mut used = BTreeSet::new();
        for (name, service) in &compose.services {
            for secret in &service.secrets {
                let file = &compose.secrets.get(secret).unwrap_or_else(|| panic!("{name}: {secret}")).file;
                assert_eq!(file, &format!("./deploy/secrets/{secret}"));
                assert!(folder.path().join(secret).exists(), "make-secrets makes no {secret}");
                used.insert(secret);
            }
            let words = service.command.iter().chain(service.environment.values());
            let known: Vec<&String> = words.filter(|word| word.contains("/run/secrets/")).collect();
            for word in known {
                assert!(service.secrets.iter().any(|secret| word.ends_with(secret)), "{name}: {word}");
            }
        }
        assert_eq!(used, compose.secrets.keys().collect());
    }

    #[test]
    fn services_are_as_their_images_are() {
        let text = fs::read_to_string(Path::new(ROOT).join("deploy/Dockerfile")).expect("it is there");
        let stages = dockerfile::read(&text, &BTreeMap::new()).expect("it is right");
        let compose = compose();
        let mut built = 0;
        for (name, service) in &compose.services {
            let Some(build) = &service.build else { continue };
            assert_eq!((build.context.as_str(), build.dockerfile.as_str()), (".", "deploy/Dockerfile"));
            let image = &stages.iter().find(|stage| stage.name == build.target).expect("a stage of that name").image;
            assert_eq!((&service.user, &service.healthcheck.test[1..]), (&image.user, &image.health[..]), "{name}");
            assert!(!service.healthcheck.interval.is_empty() && service.healthcheck.retries > 0, "{name}");
            for port in &service.ports {
                let inside = port.rsplit(':').next().and_then(|port| port.parse().ok());
                assert!(inside.is_some_and(|port| image.ports.contains(&port)), "{name}: {port}");
            }
            for argument in build.args.keys() {
                assert!(text.contains(&format!("ARG {argument}=")), "{name}: {argument}");
            }
            built += 1;
        }
        assert_eq!(built, 2);
        for service in compose.services.values().filter(|service| service.build.is_none()) {
            let ours = compose.services.values().any(|other| other.build.is_some() && other.image == service.image);
            assert!(ours || service.image.contains(':'), "{} has no version", service.image);
        }
    }

    #[test]
    fn images_are_built_with_a_rust_that_is_new_enough() {
        let read = |file: &str| fs::read_to_string(Path::new(ROOT).join(file)).expect("it is there");
        let number = |text: &str, before: &str| -> Vec<u32> {
            let line = text.lines().find_map(|line| line.strip_prefix(before)).expect("a line");
            line.trim_matches('"').split('.').map(|part| part.parse().expect("a number")).collect()
        };
        let (has, needs) =
            (number(&read("deploy/Dockerfile"), "ARG RUST="), number(&read("Cargo.toml"), "rust-version = "));
        assert!(has >= needs, "deploy/Dockerfile has Rust {has:?}, and the tree needs {needs:?}");
    }

    #[test]
    fn whoever_needs_redis_waits_for_it() {
        let services = compose().services;
        for name in ["worker", "traffic"] {
            assert_eq!(services[name].depends_on["redis"]["condition"], "service_healthy", "{name}");
        }
    }
}
