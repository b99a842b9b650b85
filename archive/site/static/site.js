// On every page: the language that somebody chose stays chosen, without a cookie; and suggestions while one types.

const here = new URL(location.href);
const base = document.documentElement.dataset.base ?? "";
const chosen = here.searchParams.get("lang");
const store = (value) => { try { localStorage.setItem("rostra-lang", value); } catch { /* a private window */ } };
const stored = () => { try { return localStorage.getItem("rostra-lang"); } catch { return null; } };

if (chosen && chosen === document.documentElement.lang) {
  store(chosen);
} else if (stored() && stored() !== document.documentElement.lang && document.querySelector(`link[hreflang="${CSS.escape(stored())}"]`)) {
  here.searchParams.set("lang", stored());
  location.replace(here);
}
if (stored() && stored() === chosen) {
  // Links go on in this language, so that no page is asked for twice.
  for (const link of document.querySelectorAll("a[href^='/']:not([hreflang]):not([download])")) {
    const url = new URL(link.href);
    if (["/data", "/media"].some((path) => url.pathname.startsWith(base + path))) continue;
    url.searchParams.set("lang", chosen);
    link.setAttribute("href", url.pathname + url.search + url.hash);
  }
  for (const form of document.querySelectorAll("form[method=get]")) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "lang", value: chosen });
    form.append(field);
  }
}

// What stands beside results on a wide page is folded above them on a narrow one; the style sheet does that where it can.
const facets = document.querySelector("details.facets");
if (facets && !CSS.supports("selector(::details-content)")) facets.open = matchMedia("(min-width: 56rem)").matches;

// Suggestions: a list box of titles, people and words, by https://www.w3.org/WAI/ARIA/apg/patterns/combobox/.
for (const form of document.querySelectorAll("form[data-suggest]")) {
  const input = form.querySelector("input[type=search]");
  const box = document.createElement("ul");
  box.id = `${input.id}-list`;
  box.className = "suggestions";
  box.hidden = true;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", input.labels[0]?.textContent ?? "");
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": box.id,
  })) input.setAttribute(name, value);
  form.append(box);
  let active = -1;
  let timer = 0;
  let number = 0;
  const close = () => {
    box.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const items = [...box.children];
    active = items.length ? (index + items.length) % items.length : -1;
    items.forEach((item, nth) => item.setAttribute("aria-selected", String(nth === active)));
    if (active >= 0) input.setAttribute("aria-activedescendant", items[active].id);
    items[active]?.scrollIntoView({ block: "nearest" });
  };
  const go = (item) => {
    if (item.dataset.href) location.assign(item.dataset.href);
    else {
      input.value = item.dataset.query;
      close();
      form.requestSubmit();
    }
  };
  const ask = async () => {
    const text = input.value.trim();
    const mine = number += 1;
    if (text.length < 2) return close();
    const answer = await fetch(`${base}/search/suggest.json?lang=${document.documentElement.lang}&q=${encodeURIComponent(text)}`).catch(() => null);
    const found = answer?.ok ? await answer.json() : [];
    if (mine !== number || document.activeElement !== input) return undefined;
    box.replaceChildren(...found.map(({ kind, label, url, query }, nth) => {
      const item = document.createElement("li");
      item.id = `${box.id}-${nth}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      const name = document.createElement("bdi");
      name.textContent = label;
      const what = document.createElement("span");
      what.className = "soft";
      what.textContent = kind;
      item.append(name, " ", what);
      if (url) item.dataset.href = url;
      else item.dataset.query = query;
      return item;
    }));
    active = -1;
    box.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    return undefined;
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (box.hidden) return;
    if (event.key === "ArrowDown") choose(active + 1);
    else if (event.key === "ArrowUp") choose(active - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && active >= 0) go(box.children[active]);
    else return;
    event.preventDefault();
  });
  box.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const item = event.target.closest("li");
    if (item) go(item);
  });
  input.addEventListener("blur", close);
}
