// What validators of plain Kubernetes cannot say about a render, read from stdin: custom resources fit the schemas that
// their projects publish, and each dashboard and rules file of the chart is in it once, unchanged.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, chart] = process.argv.slice(2);
const require = createRequire(join(packages, "node_modules/"));
const yaml = require("js-yaml");
const documents = yaml.loadAll(readFileSync(0, "utf8")).filter(Boolean);
const ofKind = (kind) => documents.filter((document) => document.kind === kind);
const flaws = [];

const published = {
  "cert-manager.io": "cert-manager",
  "gateway.networking.k8s.io": "gateway-api",
  "monitoring.coreos.com": "prometheus-operator",
};
for (const document of documents) {
  const name = `${document.kind}/${document.metadata.name}`;
  const [group, version] = document.apiVersion.split("/");
  if (!(group in published)) continue;
  const file = `node_modules/@kubernetes-models/${published[group]}/${group}/${version}/${document.kind}.js`;
  try {
    const models = await import(pathToFileURL(join(packages, file)));
    new models[document.kind](document).validate();
  } catch (error) {
    flaws.push(`${name}: ${error.message}`);
  }
}

/** The chart's files in a folder, and where a render has each: as many places as there are files, one each. */
function checkFiles(folder, suffix, places, read) {
  const all = existsSync(join(chart, folder)) ? readdirSync(join(chart, folder)) : [];
  const files = all.filter((file) => file.endsWith(suffix));
  if (places.length !== files.length) flaws.push(`${folder}: ${files.length} files, ${places.length} in the render`);
  for (const file of files) {
    const wanted = read(readFileSync(join(chart, folder, file), "utf8"));
    const found = places.filter((place) => JSON.stringify(place) === JSON.stringify(wanted));
    if (found.length !== 1) flaws.push(`${folder}/${file} is in the render ${found.length} times as it is`);
  }
}
const dashboards = ofKind("ConfigMap").flatMap((map) => Object.values(map.data).map((text) => JSON.parse(text)));
checkFiles("dashboards", ".json", dashboards, JSON.parse);
checkFiles("rules", ".yaml", ofKind("PrometheusRule").map((rule) => rule.spec), yaml.load);

for (const flaw of flaws) console.error(flaw);
process.exit(flaws.length ? 1 : 0);
