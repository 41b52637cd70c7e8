// Chinese with English beside, or one of them. The choice is kept in this browser.

const KEY = "undercroft-language";

export function setUpLanguage(onChange) {
  const buttons = [...document.querySelectorAll("[data-set-lang]")];
  const set = (lang) => {
    document.documentElement.dataset.lang = lang;
    document.documentElement.lang = lang === "en" ? "en" : "zh-CN";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.setLang === lang));
    onChange();
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      remember(button.dataset.setLang);
      set(button.dataset.setLang);
    });
  }
  const kept = recall();
  set(buttons.some((button) => button.dataset.setLang === kept) ? kept : "both");
}

function remember(lang) {
  try {
    localStorage.setItem(KEY, lang);
  } catch {
    // a browser that keeps nothing: the choice lasts until the page is loaded again
  }
}

function recall() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
