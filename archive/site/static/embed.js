// The end of a shared clip: it stops there once, and may be played on.
const player = document.getElementById("player");
let end = Number(player.dataset.end) || Infinity;
player.addEventListener("timeupdate", () => {
  if (player.currentTime < end) return;
  end = Infinity;
  player.pause();
});
