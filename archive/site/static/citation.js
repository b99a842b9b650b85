// A citation of a moment, from one of a moment that is in no recording.

const WRITTEN = [359998, 359999];
const clockTime = (seconds) => {
  const pad = (number) => String(number).padStart(2, "0");
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}` : `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
};

// Texts: of the whole, of a moment, of a clip. Moment: "61.2" or "61.2,75", or "" for the whole.
export function citationOf([whole, moment, clip], asked) {
  const times = asked ? asked.split(",").map((text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0)) : [];
  const pairs = times.slice(0, 2).map((time, nth) => [WRITTEN[nth], time]);
  return pairs.reduce(
    (text, [written, time]) => text.replaceAll(`-${written}`, `-${Math.floor(time)}`).replaceAll(String(written), String(time)).replaceAll(clockTime(written), clockTime(time)),
    [whole, moment, clip][pairs.length],
  );
}
