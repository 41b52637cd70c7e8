// Small helpers to build the page. Text only ever goes in as text.

export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function both(words, className = "") {
  return element("span", className || "both", zh(words.zh), en(words.en));
}

export function zh(text) {
  return element("span", "zh", text);
}

export function en(text) {
  const made = element("span", "en", text);
  made.lang = "en";
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

// Set text only when it changed: an unchanged page costs nothing and keeps a selection.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setBoth(node, words) {
  const key = `${words.zh}\u0000${words.en}`;
  if (node.dataset.words === key) return;
  node.dataset.words = key;
  node.replaceChildren(zh(words.zh), en(words.en));
}

// Put keyed children in order, moving as few as possible.
export function arrange(parent, children) {
  const focused = document.activeElement;
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}
