// The player: keys as people know them from YouTube, speed and captions that are remembered, the end of a clip, what
// the system's own controls show, a small player while one reads, and the same place in another recording.

const player = document.getElementById("player");
const captions = document.getElementById("captions");
const caption = document.getElementById("caption");
const speed = document.getElementById("speed");
const clock = document.getElementById("clock");
const sheet = document.getElementById("sheet");
const told = document.getElementById("told");
const page = new URL(location.href);

const remembered = {
  get: (name) => { try { return localStorage.getItem(`rostra-${name}`); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(`rostra-${name}`, value); } catch { /* a private window */ } },
};

document.documentElement.classList.add("js");
document.querySelector(".tools").hidden = false;

function clockTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}` : `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
}

function seek(seconds) {
  const end = Number.isFinite(player.duration) ? player.duration : Infinity;
  const target = Math.min(Math.max(seconds, 0), end);
  if (player.readyState === 0) player.addEventListener("loadedmetadata", () => { player.currentTime = target; }, { once: true });
  else player.currentTime = target;
  return target;
}

const play = () => player.play().catch(() => {}); // refused by the browser: it stands at the moment, ready to be played

// Other scripts of the page ask for a moment by this event.
document.addEventListener("rostra:seek", (event) => {
  seek(event.detail.seconds);
  if (event.detail.play) play();
});

// The end of a shared clip: it stops there once, and may be played on.
const [, clipEnd] = (page.searchParams.get("t") ?? "").split(",").map((part) => clockSeconds(part));
let clip = clipEnd;
function clockSeconds(text) {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
player.addEventListener("timeupdate", () => {
  clock.textContent = clockTime(player.currentTime);
  if (clip && player.currentTime >= clip) {
    clip = undefined;
    player.pause();
  }
});
player.addEventListener("seeking", () => { if (clip && player.currentTime > clip + 0.5) clip = undefined; });
clock.textContent = clockTime(clockSeconds((page.searchParams.get("t") ?? "0").split(",")[0]) || 0);

// Speed.
function setSpeed(rate) {
  player.defaultPlaybackRate = player.playbackRate = Number(rate);
}
const rates = [...speed.options].map((option) => option.value);
if (rates.includes(remembered.get("speed"))) {
  speed.value = remembered.get("speed");
  setSpeed(speed.value);
}
speed.addEventListener("change", () => {
  setSpeed(speed.value);
  remembered.set("speed", speed.value);
});
player.addEventListener("ratechange", () => {
  const rate = String(player.playbackRate);
  if (rates.includes(rate)) speed.value = rate;
});
function step(by) {
  const next = rates[rates.indexOf(speed.value) + by];
  if (!next) return;
  speed.value = next;
  speed.dispatchEvent(new Event("change"));
  told.textContent = `${speed.selectedOptions[0].textContent}`;
}

// Captions. Browsers show none over audio: those are written below it.
const spoken = [...player.textTracks].filter((track) => track.kind !== "metadata");
function showCaptions(language) {
  for (const track of spoken) {
    track.mode = track.language === language ? (caption ? "hidden" : "showing") : "disabled";
  }
  if (captions) captions.value = language;
  if (caption) {
    caption.hidden = !language;
    caption.lang = language;
    caption.textContent = "";
  }
}
function cueText(event) {
  caption.textContent = [...(event.target.activeCues ?? [])].map((cue) => cue.getCueAsHTML().textContent).join("\n");
}
if (caption) for (const track of spoken) track.addEventListener("cuechange", cueText);
if (captions) {
  const languages = [...captions.options].map((option) => option.value);
  const kept = remembered.get("captions") ?? "";
  if (languages.includes(kept)) showCaptions(kept);
  captions.addEventListener("change", () => {
    showCaptions(captions.value);
    remembered.set("captions", captions.value);
  });
}
function toggleCaptions() {
  if (!captions) return;
  const first = captions.options[1]?.value ?? "";
  const shown = captions.value ? "" : (remembered.get("captions") || first);
  showCaptions(shown);
  remembered.set("captions", shown);
}

// Keys: https://support.google.com/youtube/answer/7631406
const back = (seconds) => () => seek(player.currentTime - seconds);
const louder = (by) => () => { player.volume = Math.min(1, Math.max(0, player.volume + by)); };
const frame = (by) => () => { if (player.paused) seek(player.currentTime + by / 25); };
const actions = {
  " ": () => (player.paused ? play() : player.pause()),
  k: () => (player.paused ? play() : player.pause()),
  j: back(10),
  l: back(-10),
  ArrowLeft: back(5),
  ArrowRight: back(-5),
  ArrowUp: louder(0.05),
  ArrowDown: louder(-0.05),
  ",": frame(-1),
  ".": frame(1),
  "<": () => step(-1),
  ">": () => step(1),
  m: () => { player.muted = !player.muted; },
  c: toggleCaptions,
  f: () => (document.fullscreenElement ? document.exitFullscreen() : (player.requestFullscreen?.() ?? player.webkitEnterFullscreen?.())),
  "/": () => { const field = document.getElementById("q-session"); field?.focus(); field?.select(); },
  "?": () => sheet.showModal(),
  Home: () => seek(0),
  End: () => seek(player.duration),
};
for (let tenth = 0; tenth < 10; tenth += 1) actions[tenth] = () => seek((player.duration * tenth) / 10);

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
}
// Keys that move the page or the reader's place in the transcript do so unless the player is what is looked at.
const ofThePage = new Set(["ArrowUp", "ArrowDown", "Home", "End"]);
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = actions[key];
  if (!action) return;
  if (ofThePage.has(key) && !event.target.closest?.(".player")) return;
  if (key === " " && event.target.closest?.("button, summary, [role=button]")) return;
  if (event.target === player && [" ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(key)) return; // its own
  event.preventDefault();
  action();
});
document.getElementById("keys").addEventListener("click", () => sheet.showModal());

// What a telephone or a keyboard shows and asks for.
if ("mediaSession" in navigator) {
  const { title, artist, album } = player.dataset;
  const artwork = player.poster ? [{ src: player.poster }] : [];
  navigator.mediaSession.metadata = new MediaMetadata({ title, artist, album, artwork });
  const handlers = {
    seekbackward: (details) => seek(player.currentTime - (details.seekOffset ?? 10)),
    seekforward: (details) => seek(player.currentTime + (details.seekOffset ?? 10)),
    seekto: (details) => seek(details.seekTime),
    previoustrack: null,
    nexttrack: null,
  };
  for (const [name, handler] of Object.entries(handlers)) {
    try { navigator.mediaSession.setActionHandler(name, handler); } catch { /* not known here */ }
  }
}

// Another recording, language or transcript goes on at the same place.
for (const link of document.querySelectorAll("a.keeps")) {
  link.addEventListener("click", () => {
    const url = new URL(link.href);
    if (player.currentTime > 0) url.searchParams.set("t", player.currentTime.toFixed(1).replace(/\.0$/, ""));
    link.href = url.href;
    try { sessionStorage.setItem("rostra-playing", player.paused ? "" : "yes"); } catch { /* a private window */ }
  });
}
try {
  if (sessionStorage.getItem("rostra-playing")) play();
  sessionStorage.removeItem("rostra-playing");
} catch { /* a private window */ }
document.querySelector("form.narrow")?.addEventListener("submit", (event) => {
  if (player.currentTime === 0) return;
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "t", value: String(Math.floor(player.currentTime)) });
  event.target.append(field);
});

// While one reads further down, it stays in sight, small.
const holder = document.querySelector(".holder");
if (holder && "IntersectionObserver" in window) {
  let away = false;
  const shrink = () => {
    const small = away && (!player.paused || player.currentTime > 0);
    if (small === holder.classList.contains("mini")) return;
    holder.style.minHeight = small ? `${holder.offsetHeight}px` : ""; // what is below stays where it is
    holder.classList.toggle("mini", small);
  };
  new IntersectionObserver(([entry]) => {
    away = !entry.isIntersecting && entry.boundingClientRect.bottom <= 0;
    shrink();
  }).observe(holder);
  for (const name of ["play", "seeked"]) player.addEventListener(name, shrink);
}
