// Below the player, for who points: the shape of the sound, and a picture of the moment under the pointer. A
// click plays from there. Keyboards and screen readers have the player's own slider.

const SVG = "http://www.w3.org/2000/svg";
const player = document.getElementById("player");
const timeline = document.getElementById("timeline");
const previews = document.getElementById("previews")?.track;

const shape = document.createElementNS(SVG, "svg");
const wave = document.createElementNS(SVG, "path");
const played = document.createElement("div");
const bubble = document.createElement("div");
const picture = document.createElement("div");
const time = document.createElement("span");
shape.append(wave);
shape.setAttribute("preserveAspectRatio", "none");
played.className = "played";
bubble.className = "bubble";
bubble.hidden = true;
bubble.append(picture, time);
timeline.prepend(shape);
timeline.append(played, bubble);

// Where something was taken out: neither heard nor seen.
for (const part of timeline.querySelectorAll(".taken")) {
  const [start, end] = [part.dataset.start, part.dataset.end].map((each) => Number(each) / 1000);
  part.style.left = `${(start / Number(timeline.dataset.length)) * 100}%`;
  part.style.width = `${((end - start) / Number(timeline.dataset.length)) * 100}%`;
}

const length = () => (Number.isFinite(player.duration) ? player.duration : Number(timeline.dataset.length));

function clockTime(seconds) {
  const whole = Math.floor(seconds);
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}` : `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
}

// What audiowaveform's JSON holds (version 2, 8 bits): the lowest and the highest sample of each stretch.
async function draw(address) {
  const response = await fetch(address);
  if (!response.ok) return;
  const { data, sample_rate: rate, samples_per_pixel: step } = await response.json();
  const stretches = data.length / 2;
  const loudest = Math.max(1, data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0));
  const line = [];
  for (let i = 0; i < stretches; i += 1) {
    const [low, high] = [data[2 * i], data[2 * i + 1]].map((sample) => 50 - (sample / loudest) * 48);
    line.push(`M${i + 0.5} ${(low + 0.6).toFixed(1)}V${(high - 0.6).toFixed(1)}`);
  }
  // Sound that ends before the pictures do leaves the rest empty.
  shape.setAttribute("viewBox", `0 0 ${Math.max(stretches, (length() * rate) / step)} 100`);
  wave.setAttribute("d", line.join(""));
}

function momentAt(event) {
  const box = timeline.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * length();
}

// The part of the sheet that the thumbnails track names for a moment.
function pictureAt(seconds) {
  const cue = [...(previews?.cues ?? [])].find((each) => seconds < each.endTime);
  const found = cue && /^([0-9a-f]{64}\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(cue.text);
  if (!found) return null;
  const [, sheet, x, y, width, height] = found;
  return { width, height, background: `url("${new URL(sheet, document.getElementById("previews").src)}") -${x}px -${y}px` };
}

function showPicture(element, seconds) {
  const found = pictureAt(seconds);
  element.hidden = !found;
  if (!found) return;
  element.style.width = `${found.width}px`;
  element.style.height = `${found.height}px`;
  element.style.background = found.background;
}

function point(event) {
  const seconds = momentAt(event);
  const box = timeline.getBoundingClientRect();
  time.textContent = clockTime(seconds);
  bubble.hidden = false;
  showPicture(picture, seconds);
  const half = bubble.offsetWidth / 2;
  const at = Math.min(Math.max(event.clientX - box.left, half), box.width - half);
  bubble.style.left = `${at - half}px`;
}

function showPlayed() {
  played.style.width = `${(100 * player.currentTime) / (length() || 1)}%`;
}

timeline.addEventListener("pointermove", point);
timeline.addEventListener("pointerleave", () => { bubble.hidden = true; });
timeline.addEventListener("click", (event) => {
  document.dispatchEvent(new CustomEvent("rostra:seek", { detail: { seconds: momentAt(event), play: true } }));
});
for (const name of ["timeupdate", "seeked", "loadedmetadata", "durationchange"]) player.addEventListener(name, showPlayed);
showPlayed(); // the events may have been before this script

if (previews) {
  previews.mode = "hidden"; // read, and not shown
  const chapters = [...document.querySelectorAll(".chapters li")];
  const stills = () => {
    for (const item of chapters) {
      if (item.querySelector(".still")) continue;
      const still = document.createElement("span");
      still.className = "still";
      item.prepend(still);
      showPicture(still, Number(item.querySelector(".at").dataset.start) / 1000);
    }
  };
  if (previews.cues?.length) stills();
  else document.getElementById("previews").addEventListener("load", stills);
}
if (timeline.dataset.peaks) draw(timeline.dataset.peaks).catch(() => {}); // without its shape it is a plain bar
