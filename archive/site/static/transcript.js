// The transcript: the sentence and the word that are being said, following them, going from hit to hit, and moving
// through sentences by key. Each sentence is a link; only one of them is a stop of the Tab key.

const player = document.getElementById("player");
const list = document.getElementById("lines");
const backButton = document.getElementById("back");
const still = matchMedia("(prefers-reduced-motion: reduce)");

const sentences = list ? [...list.querySelectorAll(".said > a")] : [];
const startOf = (link) => Number(/[?&]t=([\d.]+)/.exec(link.getAttribute("href"))[1]);
const starts = sentences.map(startOf);
let current = sentences.findIndex((link) => link.classList.contains("now"));
let following = true;
let ours = 0; // until when scrolling is our own doing

function at(seconds) {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= seconds + 0.01) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function show(index) {
  if (index === current) return;
  const before = sentences[current];
  before?.classList.remove("now");
  before?.removeAttribute("aria-current");
  current = index;
  sentences[index]?.classList.add("now");
  sentences[index]?.setAttribute("aria-current", "true");
}

// What lies over the page at its upper edge.
function covered() {
  const box = document.querySelector(".player").getBoundingClientRect();
  const sticks = getComputedStyle(document.querySelector(".holder")).position === "sticky";
  return sticks && box.top <= 1 && box.width > innerWidth / 2 ? Math.max(box.bottom, 0) : 0;
}

function inView(link) {
  const box = link.getBoundingClientRect();
  return box.top >= covered() + 4 && box.bottom <= innerHeight - 30;
}

function bringIntoView({ instant = false } = {}) {
  const link = sentences[current];
  if (!link || inView(link)) return;
  const box = link.getBoundingClientRect();
  const top = covered();
  const to = scrollY + box.top - top - (innerHeight - top) / 3;
  const far = Math.abs(to - scrollY) > 2 * innerHeight;
  ours = performance.now() + (far || instant || still.matches ? 150 : 1500);
  scrollTo({ top: to, behavior: far || instant || still.matches ? "instant" : "smooth" });
}

function follow(on) {
  following = on;
  backButton.hidden = on || player.paused || current < 0;
}
// Whoever scrolls while it plays is reading elsewhere: by wheel, touch, key or the bar itself.
addEventListener("scroll", () => {
  if (performance.now() < ours || player.paused || current < 0) return;
  if (!inView(sentences[current])) follow(false);
}, { passive: true });
for (const gesture of ["wheel", "touchmove", "keydown"]) {
  addEventListener(gesture, () => { ours = 0; }, { passive: true });
}
backButton?.addEventListener("click", () => {
  follow(true);
  bringIntoView();
});
player.addEventListener("pause", () => { backButton.hidden = true; });
player.addEventListener("play", () => { backButton.hidden = following; });

player.addEventListener("timeupdate", () => {
  const index = at(player.currentTime);
  if (index !== current) {
    show(index);
    if (following && !player.paused) bringIntoView();
  }
});

// The word: its times come when it plays, since nobody reads by word before. Marked without touching the page, by
// https://www.w3.org/TR/css-highlight-api-1/, where the browser has that.
let words = null;
async function loadWords() {
  if (words || !list || !("highlights" in CSS)) return;
  words = {};
  const answer = await fetch(list.dataset.words).catch(() => null);
  if (answer?.ok) words = await answer.json();
}
const spoken = "highlights" in CSS ? new Highlight() : null;
if (spoken) CSS.highlights.set("spoken", spoken);

function rangeOf(link, first, last) {
  const range = document.createRange();
  let at = 0;
  let begun = false;
  const walker = document.createTreeWalker(link, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const end = at + node.length;
    if (!begun && first < end) {
      range.setStart(node, first - at);
      begun = true;
    }
    if (begun && last <= end) {
      range.setEnd(node, last - at);
      return range;
    }
    at = end;
  }
  return null;
}
let shownWord = "";
function showWord() {
  const link = sentences[current];
  const timed = link && words?.[link.id.slice(1)];
  if (!spoken || !timed) return;
  const now = player.currentTime * 1000;
  let word = -1;
  for (let i = 0; i < timed.length && timed[i] <= now; i += 4) word = i;
  const key = word < 0 ? "" : `${link.id}:${word}`;
  if (key === shownWord) return;
  shownWord = key;
  spoken.clear();
  const range = word < 0 ? null : rangeOf(link, timed[word + 2], timed[word + 3]);
  if (range) spoken.add(range);
}
function tick() {
  showWord();
  if (!player.paused) requestAnimationFrame(tick);
}
player.addEventListener("play", () => { loadWords().then(tick); });
player.addEventListener("seeked", () => { if (words) showWord(); });

// From a sentence.
function playFrom(seconds, { play = true, push = true } = {}) {
  document.dispatchEvent(new CustomEvent("rostra:seek", { detail: { seconds, play } }));
  const url = new URL(location.href);
  url.searchParams.set("t", String(Math.round(seconds * 1000) / 1000));
  url.hash = "";
  if (push) history.replaceState(null, "", url);
  show(at(seconds));
  follow(true);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#lines a[href*='t='], a.at[data-start]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button) return;
  event.preventDefault();
  if (!getSelection().isCollapsed && link.closest("#lines") && !link.classList.contains("at")) return; // selecting text
  const seconds = link.dataset.start ? Number(link.dataset.start) / 1000 : startOf(link);
  playFrom(seconds);
  if (!link.closest("#lines")) bringIntoView();
  else if (!link.classList.contains("at")) rove(sentences.indexOf(link), { focus: false });
});
// A link that is dragged cannot be selected.
list?.addEventListener("dragstart", (event) => event.preventDefault());

// One stop for the Tab key; arrows go from sentence to sentence.
let stop = sentences.findIndex((link) => link.tabIndex === 0);
for (const link of list?.querySelectorAll("a.at, .who a") ?? []) link.tabIndex = -1;
function rove(index, { focus = true } = {}) {
  if (!sentences[index]) return;
  if (sentences[stop]) sentences[stop].tabIndex = -1;
  stop = index;
  sentences[stop].tabIndex = 0;
  if (focus) {
    ours = performance.now() + 150;
    sentences[stop].focus();
  }
}
list?.addEventListener("keydown", (event) => {
  const index = sentences.indexOf(event.target);
  if (index < 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const paragraph = (by) => {
    const item = event.target.closest("li");
    const other = by > 0 ? item.nextElementSibling : item.previousElementSibling;
    return sentences.indexOf(other?.querySelector(".said > a"));
  };
  const moves = {
    ArrowDown: () => index + 1,
    ArrowUp: () => index - 1,
    PageDown: () => paragraph(1),
    PageUp: () => paragraph(-1),
    Home: () => 0,
    End: () => sentences.length - 1,
  };
  const to = moves[event.key]?.();
  if (to === undefined) return;
  event.preventDefault();
  rove(to);
});
list?.addEventListener("focusin", (event) => {
  const index = sentences.indexOf(event.target);
  if (index >= 0) rove(index, { focus: false });
});

// Hits of a search within the session, one after the other.
const marks = list ? [...list.querySelectorAll("mark[data-hit]")] : [];
const numbers = [...new Set(marks.map((mark) => Number(mark.dataset.hit)))];
const steps = document.querySelector(".steps");
let hit = -1;
function showHit(index) {
  if (!numbers.length) return;
  hit = (index + numbers.length) % numbers.length;
  for (const mark of marks) mark.classList.toggle("here", Number(mark.dataset.hit) === numbers[hit]);
  const first = marks.find((mark) => Number(mark.dataset.hit) === numbers[hit]);
  const label = document.getElementById("hit-number");
  label.textContent = label.dataset.of.replace("{nth}", hit + 1).replace("{count}", numbers.length);
  follow(false);
  ours = performance.now() + 150;
  first.scrollIntoView({ block: "center", behavior: "instant" });
  rove(sentences.indexOf(first.closest("a")), { focus: false });
}
if (steps && numbers.length) {
  steps.hidden = false;
  document.getElementById("hit-before").addEventListener("click", () => showHit(hit - 1));
  document.getElementById("hit-after").addEventListener("click", () => showHit(hit + 1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === "n") showHit(hit + 1);
    if (event.key === "p") showHit(hit - 1);
  });
}

// The place that the address names, at once.
const t = new URLSearchParams(location.search).get("t");
if (t && current >= 0) {
  bringIntoView({ instant: true });
  sentences[current].blur(); // it has the focus so that it is in view without this script; Tab goes on from it
  const first = marks.findIndex((mark) => sentences.indexOf(mark.closest("a")) >= current);
  if (numbers.length && first >= 0) {
    hit = numbers.indexOf(Number(marks[first].dataset.hit));
    for (const mark of marks) mark.classList.toggle("here", Number(mark.dataset.hit) === numbers[hit]);
    const label = document.getElementById("hit-number");
    label.textContent = label.dataset.of.replace("{nth}", hit + 1).replace("{count}", numbers.length);
  }
} else if (numbers.length) {
  showHit(0);
}
