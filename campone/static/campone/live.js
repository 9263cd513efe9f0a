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
