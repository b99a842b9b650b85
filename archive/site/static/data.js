// What Datasette's tables would be told by a script in the page, which the policy refuses.
globalThis.DATASETTE_ALLOW_FACET = true;
// What gave the editor a handle writes a style into the page, and is left out of it.
globalThis.cmResize ??= () => {};

// The editor that Datasette puts over its field for SQL has a field of its own, which nothing names.
const name = () => {
  for (const field of document.querySelectorAll(".CodeMirror textarea, .cm-content")) field.setAttribute("aria-label", "SQL");
};
name();
addEventListener("load", name);
