// Adds up notes and coins while they are typed in. Without it, "Check the count" does the same.
"use strict";

const form = document.querySelector("#close-form");
const rappen = (text) => {
  const plain = text.trim().replace(/['’\s]/g, "").replace(",", ".").replace(/\.[-–]$/, "");
  return /^-?\d+(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : 0;
};
const money = (amount) => {
  const [francs, rest] = [Math.floor(Math.abs(amount) / 100), Math.abs(amount) % 100];
  return `${amount < 0 ? "-" : ""}${String(francs).replace(/\B(?=(\d{3})+$)/g, "'")}.${String(rest).padStart(2, "0")}`;
};

const addUp = () => {
  const pieces = [...form.querySelectorAll("[data-rappen]")];
  const counted = pieces.reduce((sum, each) => sum + Number(each.dataset.rappen) * Math.max(0, Math.trunc(Number(each.value) || 0)), rappen(form.elements.other.value));
  const first = form.elements.first_float;
  const expected = first ? rappen(form.elements.taken_seen.value) + rappen(first.value) : rappen(document.querySelector("#expected").textContent);
  const variance = counted - expected;
  document.querySelector("#counted").textContent = money(counted);
  document.querySelector("#variance").textContent = money(variance);
  document.querySelector("#variance").classList.toggle("minus", variance < 0);
  document.querySelector("#count").hidden = false;
  if (first) document.querySelector("#expected").textContent = money(expected);
};
form.addEventListener("input", addUp);
