// The desk beside colleagues: the counts as they change, what others have open or have
// decided, and how much is new. New comments wait behind a link; nothing in the list moves
// until somebody asks.
(() => {
  "use strict";
  const desk = window.duyetDesk;
  if (!desk) return;
  const { main, site, queue } = desk;
  const status = queue === "suspect" ? "pending" : queue;
  const address = (extra) => `${main.dataset.live}?${new URLSearchParams({ site, ...extra })}`;

  // --- what is new ---
  const fresh = new Set();
  const bar = desk.list.querySelector(".new-bar");
  const tellNew = () => {
    // In an order where they come after pages that aren't loaded, the count alone tells.
    const later = main.dataset.order === "oldest" && desk.list.querySelector(".list-end a.btn");
    const n = later ? 0 : fresh.size;
    if (!n) return void bar.replaceChildren();
    let link = bar.querySelector("a");
    if (!link) {
      link = desk.part("new");
      link.href = desk.listURL;
      bar.append(link);
    }
    link.querySelector("span").textContent = n === 1 ? desk.say("new-one") : desk.say("new", { n: desk.number.format(n) });
  };
  bar.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || !event.target.closest("a")) return;
    event.preventDefault();
    const doc = await desk.page(desk.listURL).catch(() => null);
    if (!doc) return desk.note(desk.say("unreachable"));
    const rows = desk.merge(doc);
    fresh.clear();
    tellNew();
    if (!rows.length) return;
    if (!desk.current()) return desk.show(rows[0]);
    rows[0].scrollIntoView({ block: "nearest" });
    rows[0].querySelector(".row-link").focus({ preventScroll: true });
  });

  // --- what happened ---
  const happened = (event) => {
    const { id, from, to, mine, say } = event, row = desk.rowOf(id);
    if (mine) {
      for (const entry of desk.outbox.entries()) {
        const one = entry.picks.find((pick) => pick.id === id && !pick.seen);
        if (one && (entry.action === "undo" || to !== from)) {
          one.seen = true;
          break;
        }
      }
    } else if (id !== desk.current()) desk.ready.delete(id);
    const ours = desk.outbox.entries().some((entry) => entry.picks.some((one) => one.id === id));
    const enters = to === status && from !== status && queue !== "suspect";
    if (to && to !== status && from === status) {
      fresh.delete(id);
      if (row && !mine && desk.open(row)) desk.gone(row, say);
    } else if (enters && !row) fresh.add(id);
    else if (enters && row && !mine && !ours && row.dataset.state) desk.stand(row);
  };

  // --- who has what open ---
  const duty = document.getElementById("duty");
  const reading = (list) => {
    const by = new Map(list.map((one) => [one.id, one]));
    for (const row of desk.rows()) {
      const one = by.get(row.dataset.id), line = row.querySelector(":scope > p.row-by");
      if (!one) {
        delete row.dataset.by;
        line?.remove();
      } else if (row.dataset.by !== one.who || !line) {
        row.dataset.by = one.who;
        line?.remove();
        const fresh = desk.part("by");
        fresh.querySelector(".who").textContent = one.initials;
        fresh.querySelector(".by").textContent = one.say;
        row.append(fresh);
      }
    }
    const people = [...new Map(list.map((one) => [one.who, one])).values()];
    duty.hidden = !people.length;
    duty.querySelector("ul").replaceChildren(...people.map((one) => {
      const item = desk.part("duty");
      const [who, name] = item.querySelectorAll("span");
      who.textContent = one.initials;
      name.textContent = one.who;
      return item;
    }));
  };

  let seq = Number(main.dataset.seq) || 0;
  const told = (news) => {
    if (news.seq < seq) return;
    for (const event of news.events || []) if (event.seq > seq) happened(event);
    if (news.stale && news.seq !== seq) void catchUp();
    seq = news.seq;
    desk.adopt(news);
    desk.count();
    reading(news.open);
    tellNew();
  };
  // catchUp asks which of the list's first comments aren't here yet, when too much happened.
  let catching = null;
  const catchUp = () => {
    catching ||= desk.page(desk.listURL).catch(() => null).then((doc) => {
      catching = null;
      for (const row of doc?.querySelectorAll(".row[data-id]") || []) if (!desk.rowOf(row.dataset.id)) fresh.add(row.dataset.id);
      tellNew();
    });
    return catching;
  };

  // --- the stream; where there is none, a look now and then ---
  let stream = null, looking = 0;
  const look = async () => {
    try {
      const answer = await fetch(address({ after: seq }), { headers: { Accept: "application/json" } });
      if (answer.ok) told(await answer.json());
      if (answer.status === 401) return signedOut();
      if (!stream) listen();
    } catch { /* the next look will tell */ }
  };
  const signedOut = () => {
    stream?.close();
    clearInterval(looking);
    const one = desk.part("signed-out");
    one.querySelector("span").textContent = desk.say("signed-out", { n: desk.number.format(desk.outbox.entries().length) });
    desk.alarm(one);
  };
  const listen = () => {
    stream = new EventSource(address({ after: seq }));
    stream.addEventListener("news", (event) => {
      clearInterval(looking);
      looking = 0;
      told(JSON.parse(event.data));
      desk.outbox.pump();
    });
    stream.addEventListener("bye", signedOut);
    stream.addEventListener("poll", () => fall());
    stream.addEventListener("error", () => stream?.readyState === EventSource.CLOSED && fall());
  };
  const fall = () => {
    stream?.close();
    stream = null;
    if (!looking) looking = setInterval(look, 10000);
  };
  listen();

  // --- what this tab has open ---
  const tab = crypto.randomUUID?.() || String(Math.random()).slice(2);
  let open = "", timer = 0, at = "";
  const tell = (where, comment, keepalive) => fetch(main.dataset.presence, {
    method: "POST", keepalive, body: new URLSearchParams({ site: where, tab, comment }),
  }).catch(() => {});
  // Over all sites a comment is open on its own.
  const present = (id, keepalive = false) => {
    const where = site === "*" ? id.slice(0, id.indexOf("~")) : site;
    if (at && at !== where) void tell(at, "", keepalive);
    at = where;
    return where ? tell(where, id, keepalive) : Promise.resolve();
  };
  document.addEventListener("desk:open", (event) => {
    open = event.detail.id;
    clearTimeout(timer);
    timer = setTimeout(() => present(open)); // one for all that a key does
  });
  setInterval(() => document.visibilityState === "visible" && open && present(open), 25000);
  addEventListener("pagehide", () => present("", true));
  addEventListener("pageshow", () => { open = desk.current(); if (open) present(open); });
  window.duyetLive = { close: () => stream?.close() };
})();
