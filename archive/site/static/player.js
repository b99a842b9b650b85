// What the session's page can do beyond its links: play from a sentence without loading the page again,
// show which sentence is being spoken, and copy a link to the moment.

const player = document.getElementById("player");
const lines = [...document.querySelectorAll("#lines > li")];
const starts = lines.map((line) => Number(line.dataset.start) / 1000);
const follow = document.getElementById("follow");
const following = follow.querySelector("input");
const copy = document.getElementById("copy");
const copied = document.getElementById("copied");
const clock = document.getElementById("clock");
let current = lines.findIndex((line) => line.classList.contains("now"));

document.documentElement.classList.add("js");
copy.hidden = false;
follow.hidden = lines.length === 0;

function address(seconds) {
  const url = new URL(location.href);
  url.searchParams.set("t", String(Math.round(seconds * 1000) / 1000));
  url.searchParams.delete("q");
  url.hash = "";
  return url;
}

function playFrom(seconds) {
  if (player.readyState === 0) {
    player.addEventListener("loadedmetadata", () => { player.currentTime = seconds; }, { once: true });
  } else {
    player.currentTime = seconds;
  }
  const url = address(seconds);
  const query = new URLSearchParams(location.search).get("q");
  if (query) url.searchParams.set("q", query);
  history.replaceState(null, "", url);
  show(at(seconds));
  player.play().catch(() => {}); // refused by the browser: it stands at the moment, ready to be played
}

// The last sentence that has begun at a time, or -1.
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
  lines[current]?.classList.remove("now");
  lines[current]?.removeAttribute("aria-current");
  current = index;
  lines[index]?.classList.add("now");
  lines[index]?.setAttribute("aria-current", "true");
}

// Bring the sentence into view, if it is not.
function bringIntoView() {
  const line = lines[current];
  if (!line) return;
  const box = line.getBoundingClientRect();
  const top = player.closest(".player").getBoundingClientRect();
  const covered = top.left <= box.left && top.right >= box.right ? Math.max(top.bottom, 0) : 0;
  if (box.top >= covered + 8 && box.bottom <= innerHeight - 40) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  line.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
}

function clockTime(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

player.addEventListener("timeupdate", () => {
  const index = at(player.currentTime);
  clock.textContent = clockTime(player.currentTime);
  if (index !== current) {
    show(index);
    if (following.checked && !player.paused) bringIntoView();
  }
});

// Whoever scrolls while it plays is reading elsewhere, and is left alone until they ask to follow again.
for (const gesture of ["wheel", "touchmove"]) {
  addEventListener(gesture, () => { if (!player.paused) following.checked = false; }, { passive: true });
}
following.addEventListener("change", () => { if (following.checked) bringIntoView(); });
addEventListener("load", bringIntoView, { once: true });

document.querySelector(".transcript").addEventListener("click", (event) => {
  const line = event.target.closest("li[data-start]");
  const link = event.target.closest("a");
  if (!line || (link && !link.classList.contains("at"))) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (!link && !getSelection().isCollapsed) return; // someone is selecting text
  event.preventDefault();
  playFrom(Number(line.dataset.start) / 1000);
});

copy.addEventListener("click", async () => {
  const url = address(player.currentTime).href;
  try {
    await navigator.clipboard.writeText(url);
    copied.textContent = `Copied: ${url}`;
  } catch {
    copied.textContent = url; // no clipboard without a secure connection: it can be selected
  }
});
