//! Monitors whose keys lie on several nodes of a cluster.

use crate::stage::{Incidents, Notifying, SOON, plan, quick};
use eddyline_testkit::{Server, eventually};
use eddyline_wire::keys::{Companions, service};
use eddyline_wire::notification::{News, Notification};
use std::net::TcpListener;
use std::sync::Arc;

/// Two nodes, each with half of the slots.
fn cluster() -> [Server; 2] {
    let node = |slots: [&str; 2]| {
        let bus = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string();
        let args = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-require-full-coverage", "no"];
        let server = Server::plain().tcp().args(args).start().unwrap();
        let mut add = redis::cmd("CLUSTER");
        add.arg("ADDSLOTSRANGE").arg(&slots).exec(&mut server.connection().unwrap()).unwrap();
        (server, bus)
    };
    let ((one, bus), (two, _)) = (node(["0", "8191"]), node(["8192", "16383"]));
    let mut meet = redis::cmd("CLUSTER");
    meet.arg("MEET").arg("127.0.0.1").arg(one.port().unwrap()).arg(bus).exec(&mut two.connection().unwrap()).unwrap();
    let nodes = [one, two];
    eventually(SOON, || {
        nodes.iter().all(|node| {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut node.connection().unwrap()).unwrap();
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:2")
        })
    });
    nodes
}

/// Number of the node that has this key.
fn home(key: &[u8], incidents: &mut Incidents) -> usize {
    let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(key).query(&mut incidents.connection).unwrap();
    usize::from(slot >= 8192)
}

fn incidents_of(monitor: &str) -> Vec<u8> {
    Companions::of(monitor.as_bytes()).unwrap().incidents()
}

#[test]
fn monitors_on_all_nodes_of_a_cluster_are_one_group() {
    let nodes = cluster();
    let mut incidents = [Incidents::on(&nodes[0]), Incidents::on(&nodes[1])];
    let monitors: Vec<String> = (0..20).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = monitors.iter().map(String::as_str).collect();
    let homes: Vec<usize> = names.iter().map(|name| home(&incidents_of(name), &mut incidents[0])).collect();
    assert!(homes.contains(&0) && homes.contains(&1));
    let recorder = Arc::default();
    let url = format!("redis+cluster://127.0.0.1:{}", nodes[0].port().unwrap());
    let notifying = Notifying::start(&url, "a", &names, plan(quick(), &[("hook", &recorder)]));
    for (name, home) in names.iter().zip(&homes) {
        // One heard of by Pub/Sub, whichever node it was said on, and the rest found by the sweep.
        incidents[*home].is_silent = *name != "m7";
        incidents[*home].open(name, 1);
    }
    eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told| told.open == 20));
    for (name, home) in names.iter().zip(&homes) {
        incidents[*home].resolve(name, 1);
    }
    eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told| told.news == News::Resolved));
    notifying.stop();
    let groups: Vec<String> = recorder.got.lock().unwrap().iter().map(|told| told.group.clone()).collect();
    assert!(groups.iter().all(|group| *group == groups[0]), "{groups:?}");
}

#[test]
fn monitors_of_a_dead_node_wait_and_the_others_notifications_go_out() {
    let mut nodes = cluster();
    let mut incidents = nodes.each_ref().map(Incidents::on);
    let notifier = home(service::NOTIFIER.as_bytes(), &mut incidents[0]);
    let monitors: Vec<String> = (0..20).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = monitors.iter().map(String::as_str).collect();
    let (alive, dead): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| home(&incidents_of(name), &mut incidents[0]) == notifier);
    assert!(alive.len() > 2 && !dead.is_empty());
    let recorder = Arc::default();
    let url = format!("redis+cluster://127.0.0.1:{}", nodes[notifier].port().unwrap());
    let _notifying = Notifying::start(&url, "a", &names, plan(quick(), &[("hook", &recorder)]));
    incidents[notifier].open(alive[0], 1);
    incidents[1 - notifier].open(dead[0], 1);
    let open =
        |n| eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told: &Notification| told.open == n));
    open(2);
    let token = |incidents: &mut Incidents| -> Option<String> {
        redis::cmd("GET").arg(service::NOTIFIER_LEASE).query(&mut incidents.connection).unwrap()
    };
    let before = token(&mut incidents[notifier]);

    nodes[1 - notifier].kill().unwrap();
    incidents[notifier].open(alive[1], 1);
    open(3);
    // Nobody hears of this one: the sweep finds it, which meets the dead node.
    incidents[notifier].is_silent = true;
    incidents[notifier].open(alive[2], 1);
    open(4);
    assert_eq!(token(&mut incidents[notifier]), before, "the notifier is the same all the time");
}
