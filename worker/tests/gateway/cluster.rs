//! Before a cluster: monitors lie in several slots.

use crate::stage::Gateway;
use eddyline_testkit::Cluster;
use std::collections::BTreeMap;

const MONITORS: [&str; 4] = ["checkout", "cart", "{eu}:pay", "search"];

fn observations(cluster: &Cluster, monitor: &str) -> u64 {
    let mut connection = cluster.node(cluster.primary_of(monitor).unwrap()).connection().unwrap();
    let info: BTreeMap<String, redis::Value> = redis::cmd("EDDY.INFO").arg(monitor).query(&mut connection).unwrap();
    redis::from_redis_value_ref(&info["observations"]).unwrap()
}

#[test]
fn events_reach_their_monitors_in_whichever_slot() {
    let cluster = Cluster::with_module().unwrap();
    for monitor in MONITORS {
        let mut connection = cluster.node(cluster.primary_of(monitor).unwrap()).connection().unwrap();
        let create = ["EDDY.CREATE", monitor, "DIMENSIONS", "1", "status"];
        redis::cmd(create[0]).arg(&create[1..]).exec(&mut connection).unwrap();
    }
    let gateway = Gateway::start(&format!("redis+cluster://127.0.0.1:{}", cluster.node(0).port().unwrap()), None);
    let items: Vec<String> =
        MONITORS.iter().map(|name| format!(r#"{{"monitor":"{name}","fields":{{"status":200}}}}"#)).collect();
    let body = format!("[{}]", vec![items.join(","); 500].join(","));
    for headers in [&[][..], &[("idempotency-key", "a")], &[("idempotency-key", "a")]] {
        let answer = gateway.ask("POST", "/v1/events", headers, body.as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    assert_eq!(MONITORS.map(|monitor| observations(&cluster, monitor)), [1000; 4]);
}
