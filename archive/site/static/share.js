// Sharing: what is selected, or this second, as a link, a clip, a quote, a citation, or a player for other sites.

const player = document.getElementById("player");
const panel = document.getElementById("share");
const list = document.getElementById("lines");
const field = (name) => document.getElementById(`share-${name}`);
const [from, clip, to, link, permanent, quote, style, citation, embed, told] = [
  "from", "clip", "to", "link", "permanent", "quote", "style", "citation", "embed", "told",
].map(field);
let said = { words: "", who: "" };

function clockTime(seconds) {
  const pad = (number) => String(number).padStart(2, "0");
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const rest = Math.round((seconds - whole) * 1000);
  const tail = rest ? `.${String(rest).padStart(3, "0").replace(/0+$/, "")}` : "";
  const minutes = Math.floor(whole / 60) % 60;
  return (hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${Math.floor(whole / 60)}:${pad(whole % 60)}`) + tail;
}
function clockSeconds(text) {
  const seconds = text.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.round(seconds * 1000) / 1000 : null;
}

function chosenTime() {
  const start = clockSeconds(from.value) ?? 0;
  const end = clip.checked ? clockSeconds(to.value) : null;
  return end !== null && end > start ? `${start},${end}` : String(start);
}

function address(path, more = {}) {
  const url = new URL(panel.dataset.page + path, location.href);
  for (const [name, value] of new URLSearchParams(panel.dataset.keep)) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries({ t: chosenTime(), ...more })) url.searchParams.set(name, value);
  return url.href.replace(/%2C/gi, ",");
}

let asked = 0;
async function cite() {
  const mine = asked += 1;
  const written = async (form) => {
    const answer = await fetch(address("/cite.txt", { style: form })).catch(() => null);
    return answer?.ok ? answer.text() : "";
  };
  const [text, named] = await Promise.all([written(style.value), written("link")]);
  if (mine !== asked) return;
  citation.value = text;
  permanent.value = named.trim();
}

function fill() {
  link.value = address("");
  const page = new URL(address(""));
  embed.value = `<iframe src="${page.origin}/embed${page.pathname.replace("/events", "")}${page.search.replace(/%2C/gi, ",").replaceAll("&", "&amp;")}" width="640" height="400" allow="autoplay; fullscreen" loading="lazy" title="${player.dataset.title.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"></iframe>`;
  const time = clip.checked ? `${clockTime(clockSeconds(from.value) ?? 0)}–${to.value}` : from.value;
  quote.value = said.words
    ? panel.dataset.quote.replace("{words}", () => said.words).replace("{who}", () => said.who || panel.dataset.nobody).replace("{time}", () => time)
    : "";
  quote.closest(".row").hidden = !said.words;
  field("card-row").hidden = !said.words;
  field("card").href = address("/card.png");
  cite();
}

// Words that are selected in the transcript, from when to when they are said; else the sentence of this second.
let words = null;
async function timesOfWords() {
  if (words) return words;
  const answer = await fetch(list.dataset.words).catch(() => null);
  words = answer?.ok ? await answer.json() : {};
  return words;
}
const startOf = (each) => Number(/[?&]t=([\d.]+)/.exec(each.getAttribute("href"))[1]);

function within(range, sentence) {
  const part = document.createRange();
  part.selectNodeContents(sentence);
  if (range.comparePoint(sentence, 0) <= 0 && sentence.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
  if (sentence.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
  const before = document.createRange();
  before.selectNodeContents(sentence);
  before.setEnd(part.startContainer, part.startOffset);
  return { first: before.toString().length, last: before.toString().length + part.toString().length, text: part.toString() };
}

async function selected() {
  const selection = getSelection();
  if (!list || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const sentences = [...list.querySelectorAll(".said > a")].filter((each) => range.intersectsNode(each));
  const parts = sentences.map((sentence) => ({ sentence, ...within(range, sentence) })).filter((part) => part.text.trim());
  if (!parts.length) return null;
  const timed = await timesOfWords();
  const time = (part, last) => {
    const flat = timed[part.sentence.id.slice(1)] ?? [];
    let found = null;
    for (let i = 0; i < flat.length; i += 4) {
      if (flat[i + 3] > part.first && flat[i + 2] < part.last && (last || found === null)) found = flat[i + (last ? 1 : 0)] / 1000;
    }
    return found ?? (last ? Number(part.sentence.dataset.e) / 1000 : startOf(part.sentence));
  };
  const first = parts[0].sentence;
  return {
    start: time(parts[0], false),
    end: time(parts.at(-1), true),
    words: parts.map((part) => part.text.trim()).join(" "),
    who: speaker(first),
  };
}

function speaker(sentence) {
  for (let item = sentence.closest("li"); item; item = item.previousElementSibling) {
    const who = item.querySelector(".who bdi");
    if (who) return who.textContent;
  }
  return "";
}

async function share() {
  const chosen = await selected();
  const now = list?.querySelector(".said > a.now");
  const start = chosen?.start ?? player.currentTime;
  said = chosen ?? { words: now?.textContent.trim() ?? "", who: now ? speaker(now) : "" };
  from.value = clockTime(Math.round(start * 10) / 10);
  if (chosen) from.value = clockTime(chosen.start);
  clip.checked = Boolean(chosen);
  to.value = clockTime(chosen?.end ?? Math.min(start + 30, player.duration || start + 30));
  told.textContent = "";
  fill();
  if (!panel.open) panel.showModal();
  link.focus();
  link.select();
}

document.getElementById("share-now").addEventListener("click", share);
for (const input of [from, to]) {
  input.addEventListener("change", () => {
    if (input === to) clip.checked = true;
    fill();
  });
}
clip.addEventListener("change", fill);
style.addEventListener("change", cite);
panel.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  source.select();
  try {
    await navigator.clipboard.writeText(source.value);
    told.textContent = panel.dataset.copied;
  } catch { /* no clipboard without a secure connection: it is selected */ }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "s" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog[open]")) return;
  event.preventDefault();
  share();
});

// A button beside what was just selected.
const offer = document.createElement("button");
offer.type = "button";
offer.id = "offer";
offer.hidden = true;
offer.textContent = document.getElementById("share-title").textContent;
document.body.append(offer);
offer.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the selection
offer.addEventListener("click", () => { offer.hidden = true; share(); });
document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  const inside = list && !selection.isCollapsed && selection.rangeCount && list.contains(selection.anchorNode);
  offer.hidden = !inside;
  if (!inside) return;
  const box = selection.getRangeAt(0).getBoundingClientRect();
  offer.style.insetBlockStart = `${scrollY + box.bottom + 6}px`;
  offer.style.insetInlineStart = `${Math.max(8, Math.min(box.left, innerWidth - 200))}px`;
});
