// Reads a IIIF manifest or page of annotations into what viewers hold of it, and writes that down again.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const load = createRequire(`${process.argv[2]}/`);
const { normalize, serialize, serializeConfigPresentation3 } = load("@iiif/parser");
const { presentation3StrictUpgrade } = load("@iiif/parser/strict");

const text = readFileSync(0, "utf8");
const { mapping, entities, resource } = normalize(JSON.parse(text));
const found = { warnings: [] };
presentation3StrictUpgrade(JSON.parse(text), found);
found.warnings.forEach((each) => console.log(each));
console.log(JSON.stringify(serialize({ mapping, entities, requests: {} }, resource, serializeConfigPresentation3)));
