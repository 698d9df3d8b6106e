// The desk without waiting: a decision shows at once, the next comment is there already, and
// the server's word comes behind it. Everything shown is what the server drew: pages are
// fetched as documents and parts of them put in place. Without this script the same forms and
// links lead from page to page.
(() => {
  "use strict";
  const main = document.querySelector("main[data-desk]");
  if (!main || !window.duyetOutbox) return;
  const { site, queue, decisions, list: listURL, title: titleForm } = main.dataset;
  const list = main.querySelector(".list");
  const lang = document.documentElement.lang;
  const number = new Intl.NumberFormat(lang === "vi" ? "vi-VN" : "en");
  const words = document.getElementById("desk-words").content;
  const say = (name, args = {}) => Object.entries(args).reduce(
    (text, [k, v]) => text.replace(`{${k}}`, v), words.querySelector(`[data-word="${name}"]`)?.textContent || "");
  const part = (name) => words.querySelector(`[data-part="${name}"]`).cloneNode(true);
  const shown = (element) => element.dispatchEvent(new CustomEvent("desk:shown", { bubbles: true }));
  const results = { approve: "approved", reject: "rejected", spam: "spam", trash: "trashed", restore: "pending" };

  // --- pages ---
  const page = (url) => new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open("GET", url);
    x.responseType = "document";
    x.onload = () => {
      if (x.responseXML?.querySelector("main[data-desk]")) resolve(x.responseXML);
      else if (x.responseXML?.querySelector(".door")) location.reload(); // signed out: the way leads back here
      else reject(new Error(String(x.status)));
    };
    x.onerror = x.ontimeout = () => reject(new Error("offline"));
    x.timeout = 20000;
    x.send();
  });

  // --- rows ---
  const rowOf = (id) => list.querySelector(`.row[data-id="${CSS.escape(id)}"]`);
  const rows = () => [...list.querySelectorAll(".row[data-id]")];
  const open = (row) => !row.hidden && !row.dataset.state; // still to be decided on here
  const link = (row) => row.querySelector(".row-link");
  const titleOf = (row) => row.querySelector(".row-t").textContent;
  const ticked = () => [...list.querySelectorAll(".row-pick :checked")].map((box) => box.closest(".row")).filter(open);
  let current = list.querySelector('.row[aria-current="true"]')?.dataset.id || main.dataset.comment || "";
  let anchor = null;

  // after is the row to go on to: the next one that nobody else has open, else one before.
  const after = (row, step = 1) => {
    const all = rows(), at = all.indexOf(row);
    const order = step > 0 ? [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0)).reverse()] : all.slice(0, at).reverse();
    return order.find((one) => open(one) && !one.dataset.by) || order.find(open) || null;
  };
  // beside is where j and k go: every row that stands, whoever else reads it.
  const beside = (row, step) => {
    const all = rows().filter((one) => open(one) || one === row);
    return all[all.indexOf(row) + step] || null;
  };

  // --- the proof ---
  const ready = new Map(); // id → promise of its section, fetched ahead
  const fetchProof = (row) => {
    const id = row.dataset.id;
    if (!ready.has(id)) {
      const one = page(link(row).href).then((doc) => doc.querySelector("section.proof"));
      one.catch(() => ready.delete(id));
      ready.set(id, one);
      if (ready.size > 12) ready.delete(ready.keys().next().value);
    }
    return ready.get(id);
  };
  const proof = () => main.querySelector("section.proof");
  const swap = (section) => {
    const held = proof().contains(document.activeElement);
    const fresh = document.adoptNode(section);
    proof().replaceWith(fresh);
    shown(fresh);
    if (held) fresh.querySelector(".proof-body")?.focus({ preventScroll: true });
    if (document.body.classList.contains("at-proof")) scrollTo(0, 0);
  };

  let turns = 0;
  const show = async (row, { focus = true, fresh = false } = {}) => {
    const id = row.dataset.id, turn = ++turns;
    settleLines();
    for (const one of rows()) one.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    current = id;
    const narrow = document.body.classList.contains("at-proof") && getComputedStyle(list).display === "none";
    if (focus && !narrow) link(row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    history.replaceState(null, "", link(row).href);
    document.dispatchEvent(new CustomEvent("desk:open", { detail: { id } }));
    if (fresh) ready.delete(id);
    try {
      const section = await fetchProof(row);
      ready.delete(id);
      if (current === id && turn === turns && section) { // an older proof of it says what was
        const { left } = section.dataset, ours = outbox.entries().some((entry) => entry.picks.some((one) => one.id === id));
        swap(section);
        // Drawn after a colleague had decided, of which no word has come yet.
        if (left && !ours && open(row)) gone(row, left);
      }
      if (begun) requestAnimationFrame(measured);
    } catch {
      if (current === id) note(say("unreachable"));
    }
    ahead(row);
  };

  const measured = () => {
    if (begun) performance.measure("desk:decision", { start: begun });
    begun = 0;
  };

  // ahead fetches what is likely to be opened next, and the next page of the list in time.
  const ahead = (row) => {
    let one = row;
    for (let n = 0; n < 2 && one; n++) {
      one = after(one);
      if (one && one !== row) void fetchProof(one).catch(() => {});
    }
    if (rows().filter(open).length < 12) void more();
  };

  const nothingLeft = async () => {
    current = "";
    if (await more()) {
      const next = rows().find(open);
      if (next) return current || show(next);
    }
    try {
      await outbox.empty(); // else the list would still have what has just been decided
      const doc = await page(listURL);
      if (current) return; // somebody has gone on meanwhile
      merge(doc);
      for (const one of doc.querySelectorAll(".row[data-id]")) { // what the server still has is not done with
        const row = rowOf(one.dataset.id);
        if (!row || open(row)) continue;
        lines.delete(row);
        const anew = document.adoptNode(one); // its words as well: they may have changed with its version
        anew.removeAttribute("aria-current");
        row.replaceWith(anew);
        shown(anew);
      }
      const next = rows().find(open);
      if (next) return show(next, { fresh: true });
      swap(doc.querySelector("section.proof"));
      history.replaceState(null, "", listURL);
      document.dispatchEvent(new CustomEvent("desk:open", { detail: { id: "" } }));
    } catch {
      note(say("unreachable"));
    }
  };

  // more brings the list's next page; false when there is none.
  let bringing = null;
  const more = () => {
    const end = list.querySelector(".list-end"), url = end?.querySelector("a.btn")?.href;
    if (!url) return Promise.resolve(false);
    bringing ||= page(url).then((doc) => {
      merge(doc, true);
      const next = doc.querySelector(".list-end");
      if (next) end.replaceWith(document.adoptNode(next));
      else end.remove();
      return true;
    }).catch(() => false).finally(() => { bringing = null; });
    return bringing;
  };

  // merge puts the rows of a page that aren't here yet where they stand among those that are.
  const merge = (doc, atEnd = false) => {
    const here = list.querySelector(".rows"), there = [...doc.querySelectorAll(".row[data-id]")];
    if (!here) {
      if (there.length) location.assign(listURL);
      return [];
    }
    const fresh = [];
    there.forEach((row, i) => {
      if (rowOf(row.dataset.id)) return;
      const follower = atEnd ? null : there.slice(i + 1).map((one) => rowOf(one.dataset.id)).find(Boolean);
      row.removeAttribute("aria-current");
      const one = document.adoptNode(row);
      here.insertBefore(one, follower || null);
      fresh.push(one);
      shown(one);
    });
    return fresh;
  };

  // --- what was decided, in the row's place, until the next move ---
  const lines = new Set();
  const settleLines = () => {
    for (const row of lines) row.hidden = true;
    lines.clear();
  };
  const line = (row, action) => {
    row.dataset.state = "sent";
    row.removeAttribute("aria-current");
    const one = part("line-" + action);
    one.querySelector(".said").textContent = titleOf(row);
    row.append(one);
    lines.add(row);
  };
  // gone marks a row that somebody else has decided on: it stays where it is until the next move.
  const gone = (row, text) => {
    if (row.dataset.state) return;
    row.dataset.state = "gone";
    const one = part("gone");
    one.querySelector("span").textContent = text;
    row.append(one);
    if (row.dataset.id === current) {
      const told = part("proof-gone");
      told.querySelector("strong").textContent = text;
      proof().querySelector(".proof-body")?.prepend(told);
    }
    lines.add(row);
  };
  const stand = (row) => { // back as it was
    delete row.dataset.state;
    row.hidden = false;
    lines.delete(row);
    row.querySelector(".row-done, .row-lost, .row-gone")?.remove();
    const box = row.querySelector(".row-pick input");
    if (box) box.checked = false;
  };

  // How many fit a search takes longer than its first page: the number comes behind it.
  const uncounted = list.querySelector("[data-count-at]");
  if (uncounted) {
    page(uncounted.dataset.countAt).then((doc) => {
      const n = doc.querySelector(".pane-head h2 .num"), all = doc.querySelector(".all-that-match a");
      if (n) uncounted.replaceWith(document.adoptNode(n));
      if (all) list.querySelector(".all-that-match > a")?.replaceWith(document.adoptNode(all));
    }).catch(() => {}); // the number of those that are here stays, with its plus
  }

  // --- counts: what the server last said, and what is under way ---
  let known = { seq: Number(main.dataset.seq) || 0, counts: {} };
  for (const one of document.querySelectorAll("[data-count]")) known.counts[one.dataset.count] = Number(one.dataset.n);
  const count = () => {
    const now = { ...known.counts };
    for (const entry of outbox.entries()) {
      const n = entry.picks.filter((one) => !one.seen).length;
      for (const [name, sign] of entry.moves || []) if (name in now) now[name] += sign * n;
    }
    for (const one of document.querySelectorAll("[data-count]")) {
      const n = Math.max(0, now[one.dataset.count] ?? Number(one.dataset.n));
      one.dataset.n = n;
      one.textContent = number.format(n);
    }
    if (titleForm && queue in now) document.title = titleForm.replace("{n}", number.format(Math.max(0, now[queue])));
  };
  const adopt = ({ seq, counts }) => {
    if (!counts || seq < known.seq) return;
    known = { seq, counts: { ...known.counts, ...counts } };
    main.dataset.seq = seq;
  };
  const moves = (action) => {
    const to = results[action];
    if (queue === "reported" || queue === "appeals") return [[queue, -1]]; // whence, the row doesn't say
    const from = queue === "suspect" ? "pending" : queue;
    if (to === from) return [];
    return [[from, -1], [to, 1], ...(from === queue ? [] : [[queue, -1]])];
  };

  // --- what is said in passing ---
  const toasts = document.getElementById("toasts"), alerts = document.getElementById("desk-alerts");
  let toastTimer = 0;
  const done = []; // what may be undone, the latest last
  const toast = (entry) => {
    const one = part("toast-" + entry.action);
    const n = entry.picks.length;
    one.querySelector(".toast-what").textContent = n === 1 ? entry.picks[0].title : "";
    if (n > 1) one.querySelector("b").textContent = say("many-" + entry.action, { n: number.format(n) });
    one.querySelector("button").addEventListener("click", () => undo(entry));
    toasts.replaceChildren(one);
    shown(toasts);
    rest();
  };
  const rest = () => {
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => {
      if (toasts.matches(":hover, :focus-within")) rest();
      else toasts.replaceChildren();
    }, 40000);
  };
  const note = (text) => {
    const one = part("note");
    one.querySelector("span").textContent = text;
    toasts.replaceChildren(one);
    rest();
  };
  const alarm = (node) => {
    alerts.replaceChildren(...(node ? [node] : []));
  };

  // --- deciding ---
  let serial = 0;
  const outbox = window.duyetOutbox(decisions, site, {
    done(entry, said) {
      adopt(said);
      for (const one of said.results) {
        const row = rowOf(one.id);
        ready.delete(one.id);
        if (one.error) back(entry, one);
        else if (row) {
          row.querySelector(".row-pick input")?.setAttribute("value", one.pick);
          if (one.vouched) back(entry, { ...one, error: { code: "vouched", title: one.vouched } });
          else if (entry.action === "undo" && current === one.id) {
            stand(row);
            void show(row, { focus: false, fresh: true });
          }
        }
      }
      entry.said = said.results;
      // What was refused altogether is nothing that could be undone: the one before it is.
      if (said.results.length && said.results.every((one) => one.error) && done.includes(entry)) done.splice(done.indexOf(entry), 1);
      count();
    },
    refused(entry, problem) {
      for (const one of entry.picks) back(entry, { id: one.id, pick: one.pick, error: { code: "refused", title: problem.title, help: problem.detail } });
      count();
    },
    waiting(n) {
      const one = part("offline");
      one.querySelector("span").textContent = say("offline", { n: number.format(n) });
      alarm(one);
    },
    signedOut(n) {
      const one = part("signed-out");
      one.querySelector("span").textContent = say("signed-out", { n: number.format(n) });
      alarm(one);
    },
    back() { alarm(null); },
  });

  // back brings a row back that was not decided as shown, and says why.
  const back = (entry, { id, pick, error }) => {
    const row = rowOf(id);
    if (!row) {
      note(error.title);
      return;
    }
    stand(row);
    if (pick) row.querySelector(".row-pick input")?.setAttribute("value", pick);
    row.dataset.state = error.code === "vouched" ? "vouched" : "lost";
    const one = part(error.code === "vouched" ? "vouched" : "lost");
    one.querySelector("strong").textContent = error.title;
    const help = one.querySelector("p");
    if (help) help.textContent = error.help || "";
    const anyway = one.querySelector("[data-anyway]");
    if (anyway && error.anyway) {
      anyway.textContent = error.anyway;
      anyway.hidden = false;
      anyway.addEventListener("click", () => {
        stand(row);
        send(entry.action, [row], entry.fields, { from: "elsewhere" });
      });
    }
    one.querySelector("[data-leave]")?.addEventListener("click", () => {
      row.hidden = true;
      (rowOf(current) ? link(rowOf(current)) : list).focus();
    });
    row.append(one);
    shown(row);
    if (error.code !== "vouched") {
      const loud = part("loud");
      loud.textContent = `${titleOf(row)}: ${error.title}`;
      alarm(loud);
    }
  };

  const pickOf = (row) => row.querySelector(".row-pick input")?.value || "";
  let begun = 0; // when the last decision was made, for measuring how soon the next comment is there
  const send = (action, chosen, fields, { from = "" } = {}) => {
    begun = performance.now();
    const entry = {
      key: `${Date.now()}-${++serial}`, action, fields, moves: from ? [] : moves(action),
      picks: chosen.map((row) => ({ id: row.dataset.id, pick: pickOf(row), title: titleOf(row) })),
    };
    const alone = chosen.length === 1;
    const next = chosen.some((row) => row.dataset.id === current) ? after(lastOf(chosen)) : null;
    settleLines();
    for (const row of chosen) {
      const box = row.querySelector(".row-pick input");
      if (box) box.checked = false;
      if (alone) line(row, action);
      else {
        row.dataset.state = "sent";
        row.hidden = true;
      }
    }
    done.push(entry);
    toast(entry);
    const stays = alone ? chosen[0] : null;
    if (stays) lines.delete(stays);
    if (chosen.some((row) => row.dataset.id === current)) {
      if (next && open(next)) void show(next);
      else void nothingLeft();
    }
    if (stays) lines.add(stays);
    outbox.add(entry);
    count();
  };
  const lastOf = (chosen) => rows().filter((row) => chosen.includes(row)).pop();

  const fieldsOf = (form, extra) => {
    const fields = [["site", site], ["queue", queue]];
    for (const name of ["reason", "reason_text", "note"]) {
      const value = form && new FormData(form).get(name);
      if (value) fields.push([name, value]);
    }
    return extra ? [...fields, ...extra] : fields;
  };

  const decide = (action) => {
    const chosen = ticked();
    if (chosen.length) {
      send(action, chosen, fieldsOf(list.querySelector("form.selection")));
      return true;
    }
    const row = rowOf(current), form = document.getElementById("decide");
    if (row?.dataset.state === "gone") { // a colleague was faster: say so, decide nothing, go on
      note(row.querySelector(".row-gone span").textContent);
      const next = after(row);
      if (next) void show(next);
      else void nothingLeft();
      return true;
    }
    if (!row || !form || !open(row) || !form.querySelector(`button[value="${action}"]`)) return false;
    const seen = form.elements.pick.value; // the version that is on the screen
    if (seen.slice(seen.indexOf(" ") + 1) !== current) return true; // it isn't there yet: nobody decides unread
    row.querySelector(".row-pick input").setAttribute("value", seen);
    send(action, [row], fieldsOf(form));
    return true;
  };

  const undo = (entry) => {
    const at = done.indexOf(entry);
    if (at < 0) return;
    done.splice(at, 1);
    toasts.replaceChildren();
    const said = entry.said;
    const took = outbox.drop(entry.key);
    const still = entry.picks.filter((one) => !said || said.some((r) => r.id === one.id && !r.error));
    for (const one of still) {
      const row = rowOf(one.id);
      if (row) stand(row);
    }
    if (!took && still.length) {
      outbox.add({
        key: `${Date.now()}-${++serial}`, action: "undo", of: entry.key, fields: [["site", site], ["queue", queue]],
        moves: entry.moves.map(([name, sign]) => [name, -sign]),
        picks: still.map((one) => ({ ...one, seen: false, pick: said ? said.find((r) => r.id === one.id).pick : one.pick })),
      });
    }
    count();
    const row = still.map((one) => rowOf(one.id)).find(Boolean);
    if (row) void show(row);
    note(say(still.length > 1 ? "undone-many" : "undone", { n: number.format(still.length) }));
  };

  // --- keys, clicks and forms lead to the same ---
  const commands = {
    approve: () => decide("approve") || pressed("keep"), reject: () => decide("reject"), spam: () => decide("spam"), trash: () => decide("trash"),
    undo: () => done.length > 0 && (undo(done.at(-1)), true),
    next: () => move(1), prev: () => move(-1),
    pick: () => tick(false), range: () => tick(true),
    reason: (digit) => {
      const one = document.querySelectorAll('#decide input[name=reason]:not([value=""])')[digit - 1];
      if (one) one.checked = true;
      return Boolean(one);
    },
    note: () => {
      const more = document.querySelector("#decide details.more");
      if (!more) return false;
      more.open = true;
      more.querySelector("#note").focus();
      return true;
    },
    close: () => {
      const boxes = list.querySelectorAll(".row-pick :checked");
      for (const box of boxes) box.checked = false;
      if (boxes.length) picked();
      else if (toasts.contains(document.activeElement)) toasts.replaceChildren();
      else return false;
      return true;
    },
  };
  const pressed = (action) => {
    const one = document.querySelector(`#decide button[value="${action}"]`);
    one?.click();
    return Boolean(one);
  };
  const move = (step) => {
    const row = rowOf(current), to = row ? beside(row, step) : rows().find(open);
    if (to) void show(to);
    else if (row && !open(row) && !rows().some(open)) void nothingLeft();
    return Boolean(row || to);
  };
  const tick = (range) => {
    const row = rowOf(current), box = row?.querySelector(".row-pick input");
    if (!box || !open(row)) return false;
    if (range && anchor && rowOf(anchor)) {
      const all = rows().filter(open), [a, b] = [all.indexOf(rowOf(anchor)), all.indexOf(row)].sort((x, y) => x - y);
      for (const one of all.slice(Math.max(a, 0), b + 1)) one.querySelector(".row-pick input").checked = true;
    } else {
      box.checked = !box.checked;
      anchor = current;
    }
    picked();
    return true;
  };
  const picked = () => document.dispatchEvent(new CustomEvent("desk:picked", { detail: { n: ticked().length } }));

  document.addEventListener("desk:command", (event) => {
    const run = commands[event.detail.command];
    if (run && run(event.detail.digit)) event.preventDefault();
  });

  main.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      const box = event.target.closest?.(".row-pick input");
      if (box && event.shiftKey && anchor && rowOf(anchor)) {
        const all = rows().filter(open), [a, b] = [all.indexOf(rowOf(anchor)), all.indexOf(box.closest(".row"))].sort((x, y) => x - y);
        for (const one of all.slice(a, b + 1)) one.querySelector(".row-pick input").checked = box.checked;
        picked();
      }
      return;
    }
    const box = event.target.closest(".row-pick input");
    if (box) {
      anchor = box.closest(".row").dataset.id;
      picked();
      return;
    }
    const to = event.target.closest(".row-link");
    if (to && getComputedStyle(proof()).display !== "none") { // on a phone a comment is a page of its own
      const row = to.closest(".row");
      if (!open(row) && row.dataset.state !== "lost" && row.dataset.state !== "vouched") return;
      event.preventDefault();
      void show(row);
      return;
    }
    const step = event.target.closest(".step a");
    if (step && rowOf(current) && move(step.rel === "prev" ? -1 : 1)) event.preventDefault();
  });

  document.addEventListener("submit", (event) => {
    const action = event.submitter?.value;
    if (!(action in results)) return;
    if (event.target.id === "decide" && rowOf(current) && open(rowOf(current))) {
      event.preventDefault();
      const boxes = ticked();
      for (const box of boxes) box.querySelector("input").checked = false; // this form is about one comment
      decide(action);
      for (const box of boxes) if (open(box)) box.querySelector("input").checked = true;
    } else if (event.target.matches("form.selection") && ticked().length) {
      event.preventDefault();
      decide(action);
    }
  });

  window.duyetDesk = { main, list, rows, rowOf, open, merge, page, adopt, count, outbox, say, part, number, stand, shown, note, alarm, ready, show, after, gone, proof, titleOf, listURL, site, queue, current: () => current };
  // What a reload interrupted is out of sight until it is answered.
  for (const entry of outbox.entries()) {
    if (entry.action === "undo") continue;
    for (const one of entry.picks) {
      const row = rowOf(one.id);
      if (row) { row.dataset.state = "sent"; row.hidden = true; }
    }
    done.push(entry);
  }
  if (outbox.entries().length) {
    outbox.pump();
    const row = rowOf(current);
    if (row && !open(row)) { const next = after(row); if (next) void show(next, { focus: false }); }
  }
  count();
  const row = rowOf(current);
  if (row) ahead(row);
})();
