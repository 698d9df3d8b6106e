// A decision on all that match, while it is under way: the page draws itself anew from the
// server's. Without this script a link does it.
(() => {
  "use strict";
  const job = () => document.getElementById("job");
  const every = 800; // ms
  document.documentElement.classList.add("scripted");
  const look = () => {
    if (!job()?.hasAttribute("data-open")) return;
    if (document.hidden) return void setTimeout(look, every);
    const x = new XMLHttpRequest();
    x.open("GET", location.href);
    x.responseType = "document";
    x.timeout = 20000;
    x.onloadend = () => {
      const next = x.response?.getElementById?.("job");
      if (next) renew(job(), document.adoptNode(next));
      setTimeout(look, every);
    };
    x.send();
  };
  // What has focus stays, and the state is said only when it has changed.
  const renew = (old, next) => {
    const state = old.querySelector(".bulk-state"), said = next.querySelector(".bulk-state");
    if (state.textContent === said.textContent) said.replaceWith(state);
    const held = document.activeElement?.closest("#job button")?.value;
    old.replaceWith(next);
    if (held) (next.querySelector(`button[value="${held}"]`) || next.querySelector("button"))?.focus();
  };
  setTimeout(look, every);
})();
