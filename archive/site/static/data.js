// What a script in the page would tell Datasette's own scripts, had the policy let it run (see `archive.site.dress`).
for (const name of ["DATASETTE_ALLOW_FACET", "_columnChooserData", "_datasetteTableData"]) {
  const given = document.querySelector(`script[data-name="${name}"]`);
  if (given) globalThis[name] = JSON.parse(given.textContent);
}
// What gave the editor a handle writes a style into the page, and is left out of it.
globalThis.cmResize ??= () => {};

// Of Datasette 1.0: its field for SQL has no editor here, and what its buttons do are scripts that the policy refuses.
const field = document.querySelector("textarea#sql-editor");
const format = document.querySelector("button#sql-format[hidden]");
if (field && format && !globalThis.CodeMirror) {
  format.hidden = false;
  format.addEventListener("click", () => {
    field.value = sqlFormatter.format(field.value);
  });
}
document.querySelector(".choose-columns-mobile")?.addEventListener("click", () => openColumnChooser());

// The editor that Datasette puts over its field for SQL has a field of its own, which nothing names.
const name = () => {
  for (const field of document.querySelectorAll(".CodeMirror textarea, .cm-content")) field.setAttribute("aria-label", "SQL");
};
name();
addEventListener("load", name);
