// Reads a podcast as the Podcast Index does: what it holds to be wrong it warns of, or leaves out.
process.env.LOG = "warn";
const { createRequire } = require("node:module");
const { parseFeed } = createRequire(`${process.argv[2]}/`)("podcast-partytime");

console.log(JSON.stringify(parseFeed(require("node:fs").readFileSync(0, "utf8"))));
