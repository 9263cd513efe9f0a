// The page that shows a token, once: whoever reloads it is led elsewhere, and neither mints nor sees it again.
"use strict";

const forget = document.querySelector("[data-forget]");
if (forget) history.replaceState(null, "", forget.dataset.forget);

const token = document.querySelector("#token");
if (token) {
  token.addEventListener("focus", () => token.select());
  token.select();
}

// Without a clipboard (a page without encryption) the text is selected instead.
document.querySelectorAll("button[data-copy]").forEach((button) => { button.hidden = !navigator.clipboard; });
