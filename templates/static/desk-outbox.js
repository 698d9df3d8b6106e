// Decisions on their way to the server: in the order made, one at a time, each until it is
// answered. What the network kept from arriving waits in the tab's storage, survives a reload,
// and goes when the network is back; sending the same decision twice counts once.
(() => {
  "use strict";
  window.duyetOutbox = (url, site, told) => {
    const place = "duyet-outbox:" + url + ":" + site;
    const waits = [1000, 2000, 4000, 8000, 15000];
    let entries = [], busy = false, failed = 0, timer = 0, awaited = [];
    try {
      entries = JSON.parse(sessionStorage.getItem(place)) || [];
    } catch { entries = []; }

    const keep = () => {
      try {
        if (entries.length) sessionStorage.setItem(place, JSON.stringify(entries));
        else sessionStorage.removeItem(place);
      } catch { /* then the tab's memory has to do */ }
    };

    const send = async (entry) => {
      const body = new URLSearchParams([...entry.fields, ["action", entry.action], ...entry.picks.map((one) => ["pick", one.pick])]);
      const answer = await fetch(url, {
        method: "POST", headers: { Accept: "application/json" }, body, redirect: "error", signal: AbortSignal.timeout(20000),
      });
      if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
      return { status: answer.status, said: await answer.json() };
    };

    // follow gives an undo that waits the versions that its decision has made.
    const follow = (entry, { status, said }) => {
      const made = status === 200 ? said.results.filter((one) => !one.error) : [];
      for (const undo of entries) {
        if (undo.of === entry.key) undo.picks = undo.picks.flatMap((one) => made.filter((m) => m.id === one.id).map((m) => ({ ...one, pick: m.pick })));
      }
    };

    const pump = async () => {
      if (busy) return;
      busy = true;
      clearTimeout(timer);
      while (entries.length) {
        if (!entries[0].picks.length) { // an undo of what was refused: there is nothing to undo
          told.done(entries.shift(), { results: [] });
          keep();
          continue;
        }
        let answer;
        try {
          answer = await send(entries[0]);
        } catch {
          failed++;
          timer = setTimeout(pump, waits[Math.min(failed, waits.length) - 1]);
          told.waiting(entries.length);
          break;
        }
        if (answer.status === 401) { // signed out: nothing is lost, it goes after signing in again
          told.signedOut(entries.length);
          break;
        }
        const entry = entries.shift();
        follow(entry, answer);
        keep();
        if (failed) told.back();
        failed = 0;
        if (answer.status === 200) told.done(entry, answer.said);
        else told.refused(entry, answer.said);
      }
      busy = false;
      if (!entries.length) {
        for (const resolve of awaited) resolve();
        awaited = [];
      }
    };

    addEventListener("online", pump);
    addEventListener("visibilitychange", () => document.visibilityState === "visible" && pump());
    addEventListener("beforeunload", (event) => {
      if (failed && entries.length) event.preventDefault(); // closing the tab would lose them
    });

    return {
      entries: () => entries,
      // add sends an entry {key, action, picks: [{id, pick, …}], fields}.
      add(entry) {
        entries.push(entry);
        keep();
        pump();
      },
      // drop takes back an entry that hasn't begun to be sent.
      drop(key) {
        const at = entries.findIndex((one) => one.key === key);
        if (at < 0 || (at === 0 && busy) || (at === 0 && failed)) return false;
        entries.splice(at, 1);
        keep();
        pump();
        return true;
      },
      // empty waits until nothing is on its way.
      empty: () => entries.length ? new Promise((resolve) => { awaited.push(resolve); }) : Promise.resolve(),
      keep, pump,
    };
  };
})();
