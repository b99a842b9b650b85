// Reads a list of pages, or a list of such lists, and refuses what breaks the rules of the protocol or of its videos.
const { createRequire } = require("node:module");
const { parseSitemap, parseSitemapIndex, validateSMIOptions, ErrorLevel, streamToPromise, XMLToSitemapItemStream } =
  createRequire(`${process.argv[2]}/`)("sitemap");
const { Readable } = require("node:stream");

const text = require("node:fs").readFileSync(0, "utf8");
const read = text.includes("<sitemapindex") ? parseSitemapIndex : parseSitemap;
read(Readable.from([text])).then((items) => {
  if (read === parseSitemap) items.forEach((each) => validateSMIOptions(each, ErrorLevel.THROW));
  console.log(JSON.stringify(items));
});
