// What pages gain where a script may run. Every page works without it.
"use strict";

// The menu stands open where there is room for it.
const wide = matchMedia("(min-width: 60rem)");
const openMenus = () => document.querySelectorAll("details[data-open-wide]").forEach((menu) => { menu.open = wide.matches; });
openMenus();
wide.addEventListener("change", openMenus);

// A press outside closes what dropped down; Escape does too, and gives the focus back.
const dropped = () => [...document.querySelectorAll("details.mine[open]")];
document.addEventListener("click", (event) => dropped().forEach((each) => { if (!each.contains(event.target)) each.open = false; }));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  dropped().forEach((each) => { each.open = false; each.querySelector("summary").focus(); });
});

// <button data-copy="#id"> copies the value or the text of an element, and says so in its own words.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText("value" in source ? source.value : source.textContent);
    button.textContent = button.dataset.done;
  } catch {
    if (source.select) source.select();
  }
});

// <form data-live>: a choice applies at once; its button is for those without a script, and for Enter.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-live]");
  if (form && event.target.matches("select, input[type=date], input[type=checkbox], input[type=radio]")) form.requestSubmit();
});

// <dialog> in place of a page of its own: <button data-dialog="#id"> opens it, <button data-close> closes it.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) { event.preventDefault(); document.querySelector(opener.dataset.dialog).showModal(); }
  const closer = event.target.closest("[data-close]");
  if (closer) { event.preventDefault(); closer.closest("dialog").close(); }
});

// <button data-print> prints the page.
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });

// <div class="scroll" data-latest>: where there is no room for all, what came last is seen first.
const showLatest = () => document.querySelectorAll("[data-latest]").forEach((each) => { each.scrollLeft = each.scrollWidth; });
showLatest();
document.addEventListener("htmx:afterSettle", showLatest);
