//! Laws that a render keeps on its own, for every set of values.

use serde_json::{Value, json};

use crate::manifests::{Manifests, Workload, list, peer, render};

const VALUES: [&str; 4] = ["default", "ha", "tls", "kafka"];

fn for_every_render(check: impl Fn(&Manifests)) {
    for manifests in VALUES.iter().filter_map(|values| render(values, &[])) {
        check(&manifests);
    }
}

#[test]
fn services_probes_and_policies_name_ports_that_are_there() {
    for_every_render(|manifests| {
        for service in manifests.of_kind("Service") {
            let name = service["metadata"]["name"].as_str().expect("a name");
            for port in list(&service["spec"]["ports"]) {
                let port = port["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
                manifests.resolve(&format!("{name}.shop.svc"), port);
            }
        }
        for workload in manifests.deployments() {
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let port = workload.container()[probe]["httpGet"]["port"].as_str().expect("a named port");
                assert!(workload.ports().contains_key(port), "{}: {probe} asks {port}", workload.component);
            }
        }
        for policy in manifests.of_kind("NetworkPolicy").filter(|policy| !list(&policy["spec"]["ingress"]).is_empty()) {
            let workload = manifests.selected(&policy["spec"]["podSelector"]["matchLabels"]);
            for port in list(&policy["spec"]["ingress"]).iter().flat_map(|rule| list(&rule["ports"])) {
                assert!(workload.ports().contains_key(port["port"].as_str().expect("named")), "{policy}");
            }
        }
    });
}

/// The rules of a workload's one NetworkPolicy, in this direction.
fn rules<'a>(manifests: &'a Manifests, workload: &Workload, direction: &str) -> &'a [Value] {
    let selects = |policy: &&Value| workload.has(&policy["spec"]["podSelector"]["matchLabels"]);
    let found: Vec<_> = manifests.of_kind("NetworkPolicy").filter(selects).collect();
    assert_eq!(found.len(), 1, "policies of {}", workload.component);
    list(&found[0]["spec"][direction])
}

/// Whether a rule names this port and a pod selector that finds the workload.
fn lets_through(rule: &Value, peers: &str, workload: &Workload, port: &Value) -> bool {
    let finds = |peer: &Value| {
        peer["podSelector"]["matchLabels"].is_object() && workload.has(&peer["podSelector"]["matchLabels"])
    };
    list(&rule["ports"]).iter().any(|entry| entry["port"] == *port) && list(&rule[peers]).iter().any(finds)
}

#[test]
fn policies_let_through_the_calls_that_the_environment_asks_for_and_no_others() {
    for_every_render(|manifests| {
        let workloads = manifests.deployments();
        for caller in &workloads {
            let called: Vec<_> = caller
                .env()
                .values()
                .filter_map(|value| peer(value.as_str()?).map(|(host, port)| manifests.resolve(host, port)))
                .collect();
            let egress = rules(manifests, caller, "egress");
            for callee in &workloads {
                let wanted = called.iter().find(|(workload, _)| workload.component == callee.component);
                let (name, port) = callee.ports().into_iter().find(|(name, _)| name != "admin").expect("a main port");
                assert!(wanted.is_none_or(|(_, called)| *called == port));
                let out = egress.iter().any(|rule| lets_through(rule, "to", callee, &json!(port)));
                let ingress = rules(manifests, callee, "ingress");
                let within = ingress.iter().any(|rule| lets_through(rule, "from", caller, &json!(name)));
                assert_eq!(
                    (out, within),
                    (wanted.is_some(), wanted.is_some()),
                    "{} to {}",
                    caller.component,
                    callee.component
                );
            }
        }
    });
}

#[test]
fn every_pod_is_restricted() {
    for_every_render(|manifests| {
        let workloads: Vec<_> = manifests.deployments().into_iter().chain(manifests.jobs()).collect();
        assert_eq!(workloads.len(), 5);
        for Workload { component, spec, .. } in &workloads {
            assert_eq!(spec["automountServiceAccountToken"], false, "{component}");
            assert_eq!(spec["enableServiceLinks"], false, "{component}");
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{component}");
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{component}");
            let container = &spec["containers"][0]["securityContext"];
            assert_eq!(container["capabilities"]["drop"], json!(["ALL"]), "{component}");
            assert_eq!(container["allowPrivilegeEscalation"], false, "{component}");
            assert_eq!(container["readOnlyRootFilesystem"], true, "{component}");
        }
    });
}

#[test]
fn a_pod_is_given_longer_than_it_drains() {
    for_every_render(|manifests| {
        for workload in manifests.deployments() {
            let env = workload.env();
            let millis =
                |name: &str| env[name].as_str().and_then(|text| text.parse::<u64>().ok()).expect("milliseconds");
            let drain = millis("HOLDFAST_DRAIN_DELAY_MS") + millis("HOLDFAST_DRAIN_GRACE_MS");
            let given = workload.spec["terminationGracePeriodSeconds"].as_u64().expect("seconds") * 1000;
            assert!(given > drain, "{}: {given} ms for a drain of {drain} ms", workload.component);
        }
    });
}
