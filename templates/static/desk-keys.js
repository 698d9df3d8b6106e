// The desk's keys: one a command, told to the page as an event "desk:command". They are kept
// for this browser (its storage, never the server), may be put on other keys and turned off,
// and never taken from a text field, an input method, or a chord of the browser's own.
(() => {
  "use strict";
  const usual = {
    approve: "a", reject: "r", spam: "s", trash: "x", undo: "u", next: "j", prev: "k",
    view: "v", search: "/", edit: "e", note: "n", ban: "b", help: "?",
  };
  const place = "duyet-keys";
  const read = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(place)) || {};
      const keys = { ...usual };
      for (const [command, key] of Object.entries(kept.keys || {})) {
        if (command in usual && typeof key === "string" && [...key].length === 1) keys[command] = key;
      }
      return { off: kept.off === true, keys };
    } catch {
      return { off: false, keys: { ...usual } };
    }
  };
  let now = read();
  const keep = () => {
    try {
      localStorage.setItem(place, JSON.stringify(now));
    } catch { /* a browser that keeps nothing forgets the choice with the page */ }
    show();
  };

  const dialog = document.getElementById("keys");
  const cap = (key) => key.toLocaleUpperCase();

  // show writes the caps on whatever names a command.
  const show = (within = document) => {
    document.body.classList.toggle("has-keys", !now.off);
    for (const kbd of within.querySelectorAll("kbd[data-cap]")) kbd.textContent = cap(now.keys[kbd.dataset.cap] || "");
    for (const one of within.querySelectorAll("[data-key]")) {
      if (now.off) one.removeAttribute("aria-keyshortcuts");
      else one.setAttribute("aria-keyshortcuts", now.keys[one.dataset.key] || one.dataset.key);
    }
    if (!dialog) return;
    for (const field of dialog.querySelectorAll("[data-map]")) field.value = cap(now.keys[field.dataset.map]);
    dialog.querySelector("#keys-on").checked = !now.off;
  };

  const typing = (at) => at instanceof Element && (at.isContentEditable || at.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));
  const scrolls = (at) => at instanceof Element && at.closest(".proof-body, .rail, [role=radiogroup], input[type=radio], details.me");

  const commandOf = (event) => {
    const { key, target } = event;
    if (key === "Escape") return "close";
    if (key === " ") return target.closest("button, summary, input, a:not(.row-link)") ? "" : event.shiftKey ? "range" : "pick";
    if (key === "ArrowDown" || key === "ArrowUp") return scrolls(target) ? "" : key === "ArrowDown" ? "next" : "prev";
    const pressed = key.toLocaleLowerCase();
    const found = Object.keys(usual).find((command) => now.keys[command] === pressed);
    return found || (/^[1-9]$/.test(key) ? "reason" : "");
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && typing(event.target) && !dialog?.open) {
      event.target.blur();
      return;
    }
    if (typing(event.target) || dialog?.open || document.querySelector("dialog[open]")) return;
    if (now.off && event.key !== "Escape") return;
    const command = commandOf(event);
    if (!command || (event.repeat && command !== "next" && command !== "prev")) return;
    const told = new CustomEvent("desk:command", { detail: { command, digit: Number(event.key) }, cancelable: true });
    document.dispatchEvent(told);
    if (told.defaultPrevented || press(command)) event.preventDefault();
  });

  // press is what a command does where nobody else has an idea of it: it presses the button,
  // follows the link or goes to the field that names it.
  const press = (command) => {
    if (command === "help" && dialog) {
      dialog.showModal();
      return true;
    }
    const one = [...document.querySelectorAll(`[data-key="${command}"]`)].find((e) => e.checkVisibility());
    if (!one) return false;
    if (one.matches("input, textarea")) one.focus();
    else one.click();
    return true;
  };

  if (dialog) {
    for (const opener of document.querySelectorAll("[data-opens=keys]")) {
      opener.hidden = false;
      opener.addEventListener("click", () => dialog.showModal());
    }
    dialog.querySelector("#keys-on").addEventListener("change", (event) => {
      now.off = !event.target.checked;
      keep();
    });
    dialog.querySelector("[data-usual]").addEventListener("click", () => {
      now = { off: now.off, keys: { ...usual } };
      keep();
    });
    dialog.addEventListener("input", (event) => {
      const command = event.target.dataset.map;
      if (!command || event.isComposing) return;
      const key = [...event.target.value.trim()].pop()?.toLocaleLowerCase();
      if (key && !/[0-9\s]/.test(key)) {
        const other = Object.keys(usual).find((c) => c !== command && now.keys[c] === key);
        if (other) now.keys[other] = now.keys[command]; // they change places: no key does two things
        now.keys[command] = key;
      }
      keep();
    });
    dialog.addEventListener("focusin", (event) => event.target.matches("[data-map]") && event.target.select());
  }
  document.addEventListener("desk:shown", (event) => show(event.target instanceof Element ? event.target : document));
  window.addEventListener("storage", (event) => {
    if (event.key !== place) return;
    now = read();
    show();
  });
  show();
})();
