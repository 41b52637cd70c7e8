// The keyboard is enough: arrows move, Enter opens, Escape closes, / filters.

import { byId } from "./dom.js";

export function setUpKeys(select) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "Escape") {
      if (typing) event.target.blur();
      else select(null);
    } else if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("filter").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (move(event.target, event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    }
  });
}

function move(from, step) {
  const list = from instanceof Element && from.closest("#alarms") ? byId("alarms") : byId("spaces");
  const names = [...list.querySelectorAll("button.name")];
  if (names.length === 0) return false;
  const at = names.indexOf(from);
  const next = at < 0 ? 0 : Math.min(names.length - 1, Math.max(0, at + step));
  names[next].focus();
  names[next].scrollIntoView({ block: "nearest" });
  return true;
}
