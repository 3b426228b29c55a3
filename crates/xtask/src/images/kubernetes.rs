//! That `deploy/kubernetes` says what the Dockerfile and the compose file say.

use super::{compose, dockerfile};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What is in a file of the folder, by kind.
fn manifests(file: &str) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(repository().join("deploy/kubernetes").join(file)).expect("it is there");
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    let all = documents.map(|document| Value::deserialize(document).expect("it is YAML"));
    all.map(|value| (value["kind"].as_str().expect("a kind").to_owned(), value)).collect()
}

/// The pod that a file's workload makes, and its one container; both files, with the names of stage and service.
fn pods() -> Vec<(&'static str, Value, Value)> {
    let pod = |file: &str, kind: &str| manifests(file)[kind]["spec"]["template"]["spec"].clone();
    let all = [("redis", pod("redis.yaml", "StatefulSet")), ("worker", pod("worker.yaml", "Deployment"))];
    all.map(|(name, pod)| {
        let containers = pod["containers"].as_array().expect("containers");
        assert_eq!(containers.len(), 1, "{name}");
        (name, containers[0].clone(), pod.clone())
    })
    .into()
}

fn names_and_ports(container: &Value) -> BTreeMap<String, u64> {
    let ports = container["ports"].as_array().expect("ports").iter();
    ports
        .map(|port| (port["name"].as_str().expect("a name").into(), port["containerPort"].as_u64().expect("a number")))
        .collect()
}

#[test]
fn containers_are_as_their_images_and_services_are() {
    let read = |file: &str| fs::read_to_string(repository().join(file)).expect("it is there");
    let stages = dockerfile::read(&read("deploy/Dockerfile"), &BTreeMap::new()).expect("it is right");
    let compose = compose::read(&read("docker-compose.yml")).expect("it is right");
    for (name, container, pod) in pods() {
        let image = &stages.iter().find(|stage| stage.name == name).expect("a stage").image;
        let service = &compose.services[name];
        let context = &pod["securityContext"];
        assert_eq!(format!("{}:{}", context["runAsUser"], context["runAsGroup"]), image.user, "{name}");
        assert_eq!(container["args"], serde_json::json!(service.command), "{name}");
        assert_eq!(container["image"], service.image.as_str());
        let ports: BTreeSet<u64> = names_and_ports(&container).into_values().collect();
        assert_eq!(ports, image.ports.iter().copied().map(u64::from).collect(), "{name}");
    }
}

#[test]
fn containers_have_no_rights() {
    for (name, container, pod) in pods() {
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(
            (&pod["securityContext"]["runAsNonRoot"], &pod["automountServiceAccountToken"]),
            (&true.into(), &false.into())
        );
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        assert_eq!(pod["enableServiceLinks"], false, "{name}: a service would set variables that look like settings");
    }
}

#[test]
fn probes_ask_ports_that_there_are() {
    for (name, container, _) in pods() {
        let ports = names_and_ports(&container);
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let Some(probe) = container.get(probe) else { continue };
            if let Some(port) = probe["httpGet"]["port"].as_str().or(probe["tcpSocket"]["port"].as_str()) {
                assert!(ports.contains_key(port), "{name}: {port}");
            } else {
                assert_eq!(probe["exec"]["command"], serde_json::json!(["redis-healthy"]), "{name}");
            }
            if let Some(path) = probe["httpGet"]["path"].as_str() {
                assert!(["/livez", "/readyz"].contains(&path), "{path}");
            }
        }
        assert!(container["livenessProbe"].is_object() && container["readinessProbe"].is_object(), "{name}");
    }
}

#[test]
fn services_lead_to_the_pods() {
    for file in ["redis.yaml", "worker.yaml"] {
        let all = manifests(file);
        let workload = all.get("Deployment").or(all.get("StatefulSet")).expect("a workload");
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        assert_eq!(
            (&workload["spec"]["selector"]["matchLabels"], &all["Service"]["spec"]["selector"]),
            (labels, labels)
        );
        let ports = names_and_ports(&workload["spec"]["template"]["spec"]["containers"][0]);
        for port in all["Service"]["spec"]["ports"].as_array().expect("ports") {
            let target = port["targetPort"].as_str().expect("a name");
            assert_eq!(ports.get(target).copied(), port["port"].as_u64(), "{file}: {port}");
        }
    }
}

#[test]
fn secrets_and_settings_are_mounted_where_the_settings_look() {
    let settings = fs::read_to_string(repository().join("deploy/kubernetes/eddyline.toml")).expect("it is there");
    let (_, container, _) = pods().remove(1);
    let mounts: Vec<&str> = container["volumeMounts"]
        .as_array()
        .expect("mounts")
        .iter()
        .filter_map(|mount| mount["mountPath"].as_str())
        .collect();
    let kustomization =
        fs::read_to_string(repository().join("deploy/kubernetes/kustomization.yaml")).expect("it is there");
    let mut files = 0;
    for file in settings.split("\"file:").skip(1).filter_map(|rest| rest.split('"').next()) {
        let (folder, name) = file.rsplit_once('/').expect("a path");
        assert!(mounts.contains(&folder), "{file} in {mounts:?}");
        assert!(kustomization.contains(&format!("- {name}=secrets/{name}")), "{name}");
        files += 1;
    }
    assert_eq!(files, 2);
}
