// Where pages are files, and no program reads an address: the moment, the words and the choices that it names.

const asked = new URLSearchParams(location.search);
const moment = asked.get("t") ?? "";
const seconds = (text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
const [start, end] = moment.split(",").map(seconds);
const timed = moment !== "" && Number.isFinite(start);
const player = document.getElementById("player");

// Another recording or another language is a file of its own; a link to it may come from a site that a program serves.
const chosen = ["language", "recording"].filter((name) => asked.get(name)).map((name) => `${name}-${asked.get(name)}`).join("-");
const other = chosen && [...document.querySelectorAll("a.keeps")].map((link) => new URL(link.href)).find((url) => url.pathname.endsWith(`/~${chosen}/`));
if (other && other.pathname !== location.pathname) {
  for (const name of ["t", "q"]) if (asked.get(name)) other.searchParams.set(name, asked.get(name));
  location.replace(other);
}

// Where it begins, and where a clip ends.
if (player && timed) {
  for (const source of player.querySelectorAll("source")) source.src = `${source.src.split("#")[0]}#t=${moment}`;
  if (end > start) player.dataset.end = end;
  player.load();
}
// A server that hands out no parts of a file lets nobody begin in its middle: then the whole of it is fetched.
let whole = false;
async function reach(seconds, play) {
  const reached = player.seekable.length ? player.seekable.end(player.seekable.length - 1) : 0;
  if (whole || reached >= Math.min(seconds, player.duration || 0)) return;
  whole = true;
  const answer = await fetch(player.currentSrc.split("#")[0], { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const playing = play || !player.paused;
  player.src = URL.createObjectURL(await answer.blob());
  player.addEventListener("loadedmetadata", () => {
    player.currentTime = seconds;
    if (playing) player.play().catch(() => {});
  }, { once: true });
}
if (player) {
  const begin = () => { if (timed) reach(start, false); };
  player.addEventListener("canplay", begin, { once: true }); // only then it knows what it can reach
  document.addEventListener("rostra:seek", ({ detail }) => reach(detail.seconds, detail.play));
}
const sentences = [...document.querySelectorAll("#lines .said > a")];
const startOf = (link) => Number(/[?&]t=([\d.]+)/.exec(link.getAttribute("href"))[1]);
if (timed) {
  const now = sentences.filter((link) => startOf(link) <= start + 0.0005).at(-1);
  now?.classList.add("now");
  now?.setAttribute("aria-current", "true");
}

// What is searched for within the session: words as they begin, phrases as they stand.
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const wanted = [];
for (const [, phrase, word] of (asked.get("q") ?? "").matchAll(/(?<!\S)(?:"([^"]*)"?|([^\s"-][^\s"]*))/g)) {
  const words = fold(phrase ?? word).match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length) wanted.push({ words, exact: phrase !== undefined });
}
const stem = (word) => (word.length > 4 ? word.replace(/(ing|ed|es|s|e|en|er|n)$/, "") : word);
function placesOf(text) {
  const words = [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((found) => ({ at: found.index, end: found.index + found[0].length, word: fold(found[0]) }));
  const found = [];
  for (const { words: run, exact } of wanted) {
    for (let i = 0; i + run.length <= words.length; i += 1) {
      if (run.every((each, j) => (exact ? words[i + j].word === each : words[i + j].word.startsWith(stem(each))))) found.push([words[i].at, words[i + run.length - 1].end]);
    }
  }
  return found.sort((a, b) => a[0] - b[0]);
}
function mark(link, places, name, value) {
  const text = link.textContent;
  const pieces = [];
  let at = 0;
  for (const [first, last] of places) {
    if (first < at) continue;
    const piece = document.createElement("mark");
    piece.textContent = text.slice(first, last);
    piece.setAttribute(name, value);
    pieces.push(text.slice(at, first), piece);
    at = last;
  }
  link.replaceChildren(...pieces, text.slice(at));
}
const found = document.getElementById("found");
if (found && wanted.length) {
  let count = 0;
  for (const link of sentences) {
    if (link.closest("li.doubtful")) continue;
    const places = placesOf(link.textContent);
    if (places.length) mark(link, places, "data-hit", String((count += 1)));
  }
  const status = found.querySelector("[role=status]");
  const { one, many, none } = status.dataset;
  status.textContent = (count ? (count === 1 ? one : many) : none).replace("{count}", count).replace("{query}", () => asked.get("q"));
  found.querySelector(".steps").hidden = !count;
  found.hidden = false;
}
for (const name of ["q", "t"]) {
  const field = document.querySelector(`form.narrow input[name=${name}]`);
  if (field && asked.get(name)) field.value = asked.get(name);
}

// The words of a clip.
const list = document.getElementById("lines");
if (list && timed && end > start) {
  const answer = await fetch(list.dataset.words).catch(() => null);
  const words = answer?.ok ? await answer.json() : {};
  for (const link of sentences) {
    const flat = words[link.id.slice(1)] ?? [];
    const lit = [];
    for (let i = 0; i < flat.length; i += 4) if (flat[i] < end * 1000 && flat[i + 1] > start * 1000) lit.push([flat[i + 2], flat[i + 3]]);
    if (lit.length && !link.querySelector("mark")) mark(link, [[lit[0][0], lit.at(-1)[1]]], "class", "lit");
  }
}

// A timetable that is narrowed down.
const form = document.querySelector("form.choose");
if (form) {
  form.hidden = false;
  const named = ["track", "room", "language", "person", "recorded"].filter((name) => asked.get(name));
  for (const each of document.querySelectorAll("[data-session]")) {
    const fits = named.every((name) => (name === "person" ? each.dataset.person.split(" ").includes(asked.get(name)) : each.dataset[name] === asked.get(name)));
    if (fits) continue;
    if (each.matches("td")) for (const part of each.children) part.hidden = true;
    else each.hidden = true;
  }
  for (const name of named) {
    const field = form.elements[name];
    if (field?.type === "checkbox") field.checked = true;
    else if (field) field.value = asked.get(name);
  }
}

// A moment is cited as the whole is, with its time, which stands in the file as that of no recording.
const cited = document.querySelectorAll(".citation");
if (cited.length && timed) {
  const { script, citations } = document.querySelector("[data-citations]").dataset;
  const { citationOf } = await import(script);
  const answer = await fetch(citations).catch(() => null);
  const texts = answer?.ok ? await answer.json() : null;
  for (const element of texts ? document.querySelectorAll("[data-style]") : []) {
    element.textContent = citationOf(texts[element.dataset.style], moment);
  }
}
