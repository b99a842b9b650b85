// Search where no program answers: Pagefind (https://pagefind.app) reads small parts of an index that lies beside the
// pages, one for each language. A result is a session; its moments are the sentences in which the words stand.

const base = document.documentElement.dataset.base ?? "";
const place = document.getElementById("finding");
const [status, list, more] = [".summary", ".hits", "button"].map((part) => place.querySelector(part));
const asked = new URLSearchParams(location.search);
const query = (asked.get("q") ?? "").trim();
const FILTERS = ["event", "language", "person", "track", "series", "kind", "year"];
const A_PAGE = 10;
const SHOWN = 3;

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[’ʼ]/g, "'").toLowerCase();
// The index has a space where words stand without any ("either/or"), behind a mark; and what is written without spaces
// is indexed by the character.
const GLUE = "\u2060";
const GLUED = /(?<=[\p{L}\p{N}\p{M}])(?!(?<=\p{N})[.,:]\p{N})[^\p{L}\p{N}\p{M}\s'’]+(?=[\p{L}\p{N}])/gu;
const spaced = (text) => text.replace(GLUED, `$&${GLUE} `).replace(/[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/g, " $& ");
const joined = (text) => text.replace(/([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]) (?=[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])/g, "$1");
const bare = (word) => fold(word).replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
const wordsOf = (text) => spaced(text).split(/\s+/).map(bare).filter(Boolean);

// What narrows a search down, by what an index knows of a session. Others a program answers, such as who said a word.
const FIELDS = { person: "person", event: "event", series: "series", track: "track", kind: "kind", language: "language", lang: "language", year: "year" };
const OTHERS = /^(speaker|by|who|said|with|title|talk|session|after|since|from|before|until|to|date|doubtful|exact)$/;
function parse(text) {
  const parsed = { words: [], phrases: [], without: [], fields: [], unknown: [] };
  let not = false;
  for (const [whole, minus, begins, phrase, rest] of text.normalize("NFKC").matchAll(/(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/gi)) {
    const name = begins?.toLowerCase();
    const isField = name && (Object.hasOwn(FIELDS, name) || OTHERS.test(name));
    const word = name && !isField ? `${begins}:${rest ?? phrase}` : rest;
    if (whole === "NOT") not = true;
    const isUnknown = whole === "OR" || /^near\/\d*$/i.test(whole);
    if (isUnknown) parsed.unknown.push(whole);
    if (isUnknown || whole === "AND" || whole === "NOT") continue;
    const leaves = minus || not;
    not = false;
    if (isField && OTHERS.test(name)) {
      parsed.unknown.push(whole);
      continue;
    }
    if (isField) {
      const values = (phrase ?? word).split(",").map((value) => wordsOf(value)).filter((value) => value.length);
      parsed.fields.push({ name: FIELDS[name], values, leaves });
      continue;
    }
    const words = wordsOf(phrase ?? word);
    if (!words.length) continue;
    if (leaves) parsed.without.push(words);
    else if (phrase !== undefined || words.length > 1) parsed.phrases.push(words);
    else parsed.words.push(words[0] + (/^[^*]{3,}\*$/.test(word) ? "*" : ""));
  }
  return parsed;
}

function standIn(run, words) {
  return words.some((_, at) => run.every((word, nth) => words[at + nth] === word));
}

// What organisers published is found apart from what was said.
async function search(parsed, of) {
  const only = !parsed.words.length && parsed.phrases.length === 1;
  const term = [...parsed.phrases.flat(), ...parsed.words].join(" ").replaceAll("*", "");
  if (query && !term && !parsed.fields.some(({ leaves }) => !leaves)) return []; // what only leaves out finds nothing
  const filters = { of, ...Object.fromEntries(FILTERS.filter((name) => asked.get(name)).map((name) => [name, asked.get(name)])) };
  const languages = await (await fetch(`${base}/pagefind/languages.json`)).json();
  const found = await Promise.all(languages.map(async (language) => {
    const pagefind = await import(`${base}/pagefind/${language}/pagefind.js`);
    return (await pagefind.search(term ? (only ? `"${term}"` : term) : null, { filters })).results;
  }));
  return found.flat().sort((one, two) => two.score - one.score);
}

// Whether a session has all that is asked for: words, phrases, days, and nothing that it must not have.
const isOf = ({ filters, meta }, name, value) => [...(filters[name] ?? []), meta[name === "person" ? "people" : name] ?? ""].some((each) => {
  const words = wordsOf(each);
  return words.some((_, at) => value.every((word, nth) => words[at + nth]?.startsWith(word)));
});
function fits(data, parsed) {
  const { content, meta } = data;
  if (!parsed.fields.every(({ name, values, leaves }) => values.some((value) => isOf(data, name, value)) !== Boolean(leaves))) return false;
  const words = content.split(/\s+/).map(bare);
  const told = [...words, ...wordsOf(`${meta.title} ${meta.event} ${meta.people ?? ""}`)];
  if (!parsed.words.every((asked) => told.some((word) => isForm(word, asked)))) return false;
  const [since, until] = [asked.get("since"), asked.get("until")];
  if ((since && !(meta.day >= since)) || (until && !(meta.day <= until))) return false;
  return parsed.phrases.every((run) => standIn(run, words)) && !parsed.without.some((run) => standIn(run, words));
}

// Which of the words that were asked for stands here, in any form. Pagefind finds others too: what begins like a word
// that is nowhere, and sessions in whose language a word is never said.
const ALIKE = 4;
const ENDINGS = /^(s|es|d|ed|n|en|e|er|ing)?$/;
const isForm = (word, asked) => (asked.endsWith("*") ? word.startsWith(asked.slice(0, -1)) : asked.length < ALIKE ? word.startsWith(asked) && ENDINGS.test(word.slice(asked.length)) : word.startsWith(asked.slice(0, Math.max(ALIKE, asked.length - 3))));
const answers = (word, wanted) => (wanted.includes(word) ? wanted.indexOf(word) : wanted.findIndex((each) => isForm(word, each)));

function momentsOf({ content, locations, anchors }, wanted) {
  const words = content.split(/\s+/);
  const starts = anchors.filter(({ element, id }) => element === "span" && /^\d+$/.test(id)).sort((one, two) => one.location - two.location);
  const moments = new Map();
  for (const at of [...locations].sort((one, two) => one - two)) {
    let nth = starts.findIndex(({ location: next }) => next > at);
    nth = (nth < 0 ? starts.length : nth) - 1;
    const answered = answers(bare(words[at]), wanted);
    if (nth < 0 || answered < 0) continue; // the first is in the title, or in what is told of the session
    const { id, location: first } = starts[nth];
    const moment = moments.get(id) ?? { seconds: Number(id) / 1000, first, words: words.slice(first, starts[nth + 1]?.location), hits: new Set(), answered: new Set() };
    moment.hits.add(at - first);
    moment.answered.add(answered);
    moments.set(id, moment);
  }
  return [...moments.values()];
}

function clockTime(seconds) {
  const whole = Math.floor(seconds);
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}` : `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function said(moment, language) {
  const pieces = moment.words.flatMap((word, nth) => {
    const text = word.replaceAll(GLUE, "");
    return [moment.hits.has(nth) ? element("mark", {}, text) : text, word.endsWith(GLUE) ? "" : " "];
  });
  const sentence = element("p", { className: "said", lang: language, dir: "auto" }, ...pieces);
  sentence.normalize();
  for (const node of sentence.childNodes) if (node.nodeType === Node.TEXT_NODE) node.data = joined(node.data);
  return sentence;
}

function shown({ meta }, moments) {
  const address = (seconds) => {
    const url = new URL(base + meta.address, location.href);
    if (seconds !== undefined) url.searchParams.set("t", String(seconds));
    if (query) url.searchParams.set("q", query);
    return url.href;
  };
  const most = Math.max(...moments.map((moment) => moment.answered.size));
  const best = moments.filter((moment) => moment.answered.size === most).slice(0, SHOWN);
  const facts = [meta.event, meta.people, meta.day, meta.language].filter(Boolean).map((text) => element("li", {}, element("bdi", {}, text)));
  const item = element("li", { className: "hit" }, element("h2", {}, element("a", { href: address(best[0]?.seconds) }, element("bdi", {}, meta.title))), element("ul", { className: "facts" }, ...facts));
  for (const moment of best) {
    item.append(element("div", { className: "moment" }, element("a", { className: "at", href: address(moment.seconds) }, clockTime(moment.seconds)), said(moment, meta.tag)));
  }
  if (moments.length > best.length) {
    item.append(element("p", { className: "more-here" }, element("a", { href: address() }, place.dataset.all.replace("{count}", moments.length))));
  }
  return item;
}

// A session is there once for its title; each of its transcripts in which something was said is a hit of its own.
const hits = new Map();
function put(data, moments) {
  const session = data.meta.address.split("/~")[0].replace(/\/$/, "");
  const before = hits.get(session);
  if (before && !moments.length) return;
  const item = shown(data, moments);
  if (before?.empty) before.item.replaceWith(item);
  else list.append(item);
  hits.set(session, { item, empty: !moments.length });
}

const counted = ({ one, many, none }, count) => (count ? (count === 1 ? one : many) : none).replace("{count}", count).replace("{query}", () => query);

const ANNOUNCED = 3;
async function announce(parsed) {
  const section = place.querySelector(".announced");
  const found = (await Promise.all((await search(parsed, "announcement")).map((result) => result.data()))).filter((data) => fits(data, parsed));
  const rest = section.querySelector("details");
  for (const [nth, { meta }] of found.entries()) {
    const article = element("article", {},
      element("h3", {}, element("a", { href: base + meta.address }, element("bdi", { lang: meta.tag ?? "" }, meta.title))),
      element("p", { className: "eyebrow" }, element("bdi", { lang: "" }, [meta.event, meta.source, meta.day].filter(Boolean).join(" · "))),
      element("p", { lang: meta.tag ?? "", dir: "auto" }, meta.text ?? ""));
    if (nth < ANNOUNCED) rest.before(article);
    else rest.append(article);
  }
  rest.hidden = found.length <= ANNOUNCED;
  section.hidden = !found.length;
  if (found.length) section.querySelector("h2").textContent = counted(section.dataset, found.length);
}

for (const [name, value] of asked) {
  const field = document.querySelector(`form.search.large [name="${CSS.escape(name)}"]`);
  if (field) field.value = value;
}
if (query || FILTERS.some((name) => asked.get(name))) {
  const parsed = parse(query);
  const results = await search(parsed, "session");
  if (parsed.unknown.length) {
    const note = place.querySelector(".note");
    note.textContent = note.dataset.text.replace("{words}", () => parsed.unknown.join(" "));
    note.hidden = false;
  }
  const wanted = [...parsed.phrases.flat(), ...parsed.words];
  let read = 0;
  // How many sessions there are is known when all were read; until then, how many there are at most.
  const show = async () => {
    for (const end = list.children.length + A_PAGE; read < results.length && list.children.length < end;) {
      const some = await Promise.all(results.slice(read, read + end - list.children.length).map((result) => result.data()));
      read += some.length;
      for (const data of some.filter((each) => fits(each, parsed))) put(data, momentsOf(data, wanted));
    }
    more.hidden = read >= results.length;
    const count = more.hidden ? list.children.length : results.length;
    status.textContent = counted(place.dataset, count);
    document.querySelector("section.help").hidden = count > 0;
  };
  more.addEventListener("click", show);
  await show();
  if (query) await announce(parsed);
  place.dataset.done = "yes";
}
