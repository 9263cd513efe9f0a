// <div data-live-part hx-get="…" hx-trigger="every 5s">: a part that renews itself, but not under anyone's hands.
"use strict";

const liveSwitch = document.querySelector("[data-live-switch]");
if (liveSwitch) liveSwitch.hidden = false;

const isHeld = (part) => document.hidden
  || (liveSwitch && !liveSwitch.querySelector("input").checked)
  || (part.contains(document.activeElement) && document.activeElement !== document.body)
  || part.querySelector("details[open], dialog[open]")
  || (getSelection() && !getSelection().isCollapsed && part.contains(getSelection().anchorNode));

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches("[data-live-part]") && isHeld(event.target)) event.preventDefault();
});

// Who is no longer signed in is answered with another page: go there, instead of putting it into this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = event.detail.requestConfig && new URL(event.detail.requestConfig.path, location.href).pathname;
  const answered = event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname;
  if (event.target.matches("[data-live-part]") && asked && answered && asked !== answered) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
