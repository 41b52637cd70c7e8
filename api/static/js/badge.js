// A level, said three ways: shape, word, colour.

import { element, en, zh } from "./dom.js";
import { LEVELS, UNHEARD } from "./text.js";

export function badge(level, className = "badge", unheard = false) {
  const words = unheard ? UNHEARD : (LEVELS[level] ?? LEVELS[0]);
  const made = element("span", className, element("span", "shape", words.shape), zh(words.zh), en(words.en));
  made.dataset.level = String(level);
  made.firstElementChild.setAttribute("aria-hidden", "true");
  return made;
}
