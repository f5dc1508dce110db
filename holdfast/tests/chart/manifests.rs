//! What helm makes of the chart, and how Kubernetes would read it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The namespace of every render.
const NAMESPACE: &str = "shop";

/// One render.
#[derive(Debug)]
pub(crate) struct Manifests(Vec<Value>);

/// What a cluster would run: the one container of a Deployment or of a Job.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    /// `app.kubernetes.io/component`.
    pub(crate) component: String,
    pub(crate) spec: Value,
    labels: Value,
}

/// Renders with these values (a file in `helm/tests/values`) and `name=value` settings over them; nothing where helm is not
/// installed.
pub(crate) fn render(values: &str, settings: &[&str]) -> Option<Manifests> {
    let helm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm");
    let chart = helm.join("holdfast");
    let mut command = Command::new("helm");
    command.args(["template", "holdfast", "--namespace", NAMESPACE]).arg(&chart);
    if values == "ha" {
        command.arg("--values").arg(chart.join("values-ha.yaml"));
    }
    command.arg("--values").arg(helm.join(format!("tests/values/{values}.yaml")));
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: helm is not installed: the chart is not held against the binaries");
            return None;
        }
        Err(error) => panic!("helm does not start: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    Some(Manifests(serde_saphyr::from_multiple(&text).expect("YAML")))
}

impl Manifests {
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |document| document["kind"] == kind)
    }

    /// What runs all the time.
    pub(crate) fn deployments(&self) -> Vec<Workload> {
        self.of_kind("Deployment").map(Workload::new).collect()
    }

    /// What runs before it.
    pub(crate) fn jobs(&self) -> Vec<Workload> {
        self.of_kind("Job").map(Workload::new).collect()
    }

    /// The Service that answers to this name inside the cluster.
    pub(crate) fn service(&self, host: &str) -> &Value {
        let name = host.strip_suffix(&format!(".{NAMESPACE}.svc"));
        let name = name.unwrap_or_else(|| panic!("{host} is no service's name in this namespace"));
        let mut found = self.of_kind("Service").filter(|service| service["metadata"]["name"] == name);
        found.next().unwrap_or_else(|| panic!("nothing answers to {host}"))
    }

    /// The workload that a selector's `matchLabels` find: exactly one.
    pub(crate) fn selected(&self, labels: &Value) -> Workload {
        let found: Vec<_> = self.deployments().into_iter().filter(|workload| workload.has(labels)).collect();
        let [workload] = found.as_slice() else { panic!("{labels} selects {} deployments", found.len()) };
        workload.clone()
    }

    /// Where a call to this name and port ends: a workload, and the port of its container.
    pub(crate) fn resolve(&self, host: &str, port: u16) -> (Workload, u16) {
        let service = self.service(host);
        let ports = list(&service["spec"]["ports"]);
        let found = ports.iter().find(|entry| entry["port"] == port);
        let entry = found.unwrap_or_else(|| panic!("{host} has no port {port}"));
        let workload = self.selected(&service["spec"]["selector"]);
        let target = entry["targetPort"].as_str().expect("ports are called by name");
        let container_port = workload.ports()[target];
        if service["spec"]["clusterIP"] == "None" {
            assert_eq!(port, container_port, "nothing translates the ports of {host}: it is headless");
        }
        (workload, container_port)
    }
}

impl Workload {
    fn new(document: &Value) -> Self {
        let template = &document["spec"]["template"];
        let labels = template["metadata"]["labels"].clone();
        let component = labels["app.kubernetes.io/component"].as_str().expect("every pod has it").to_owned();
        assert_eq!(list(&template["spec"]["containers"]).len(), 1, "{component} has one container");
        Self { component, spec: template["spec"].clone(), labels }
    }

    pub(crate) fn has(&self, labels: &Value) -> bool {
        let mut wanted = labels.as_object().expect("a selector").iter();
        wanted.all(|(key, value)| self.labels.get(key) == Some(value))
    }

    pub(crate) fn container(&self) -> &Value {
        &self.spec["containers"][0]
    }

    /// The command and its arguments.
    pub(crate) fn command(&self) -> Vec<String> {
        let parts = list(&self.container()["command"]).iter().chain(list(&self.container()["args"]));
        parts.map(|part| part.as_str().expect("text").to_owned()).collect()
    }

    /// Each variable's name and its `value`, or the `secretKeyRef` it comes from.
    pub(crate) fn env(&self) -> BTreeMap<String, Value> {
        let mut env = BTreeMap::new();
        for entry in list(&self.container()["env"]) {
            let name = entry["name"].as_str().expect("a name").to_owned();
            let value = if entry["value"].is_null() { &entry["valueFrom"]["secretKeyRef"] } else { &entry["value"] };
            assert!(!value.is_null(), "{}: {name} has no value", self.component);
            assert!(env.insert(name, value.clone()).is_none(), "{}: a variable twice: {entry}", self.component);
        }
        env
    }

    /// The container's ports by name.
    pub(crate) fn ports(&self) -> BTreeMap<String, u16> {
        let number = |port: &Value| u16::try_from(port.as_u64().expect("a number")).expect("a port");
        let ports = list(&self.container()["ports"]).iter();
        ports.map(|port| (port["name"].as_str().expect("named").to_owned(), number(&port["containerPort"]))).collect()
    }

    /// The Secrets it mounts, by folder.
    pub(crate) fn mounts(&self) -> BTreeMap<String, String> {
        let volumes = list(&self.spec["volumes"]);
        let secret = |mount: &Value| {
            let volume =
                volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("a volume for each mount");
            volume["secret"]["secretName"].as_str().expect("of a Secret").to_owned()
        };
        let mounts = list(&self.container()["volumeMounts"]).iter();
        mounts.map(|mount| (mount["mountPath"].as_str().expect("a path").to_owned(), secret(mount))).collect()
    }
}

/// A list that may not be there.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The host and port that an address of a peer names, such as `dns:///host:1` or `https://host:1`.
pub(crate) fn peer(address: &str) -> Option<(&str, u16)> {
    let (_, authority) = address.split_once("://")?;
    let (host, port) = authority.trim_start_matches('/').rsplit_once(':')?;
    Some((host, port.parse().ok()?)).filter(|(host, _)| host.ends_with(".svc"))
}
