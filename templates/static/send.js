// What happens between the button and the post: a proof of work where the page asks for
// one, and a kind word about what the newsroom would hold. Without this script, without a
// secure context, or when anything here fails, the form is posted as it is.
(() => {
  'use strict';
  const form = document.querySelector('[data-dy-form]');
  if (!form) return;
  const page = () => form.elements.page.value;

  // A proof of work, as ALTCHA sets it (PBKDF2/SHA-256). The browser derives keys beside
  // this thread, so nothing stands still; no worker is needed, which strict pages forbid.
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('');
  const derive = async (p, counter) => {
    const nonce = bytes(p.nonce);
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    return hex(await crypto.subtle.deriveBits(
      { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(p.salt), iterations: p.cost }, key, p.keyLength * 8));
  };
  const solve = async (challenge) => {
    const atOnce = Math.min(Math.max((navigator.hardwareConcurrency || 2) - 1, 1), 4);
    for (let counter = 0; counter < 1e6; counter += atOnce) {
      const keys = await Promise.all(Array.from({ length: atOnce }, (_, i) => derive(challenge.parameters, counter + i)));
      const found = keys.findIndex((key) => key.startsWith(challenge.parameters.keyPrefix));
      if (found >= 0) return btoa(JSON.stringify({ challenge, solution: { counter: counter + found, derivedKey: keys[found] } }));
    }
    throw new Error('no solution');
  };
  const status = form.querySelector('[data-dy-effort]');
  const field = form.elements.work;
  const able = Boolean(field && status && window.isSecureContext && window.crypto && crypto.subtle);
  const instead = able && 'dyInstead' in form.dataset;
  const code = form.querySelector('.dy-code');
  let proof = null; // a promise
  let until = 0;
  const work = () => {
    if (proof && Date.now() < until) return proof;
    until = Date.now() + 10000; // should asking fail, ask again soon
    status.textContent = form.dataset.dyWorking;
    proof = (async () => {
      const answer = await fetch(form.dataset.dyWork + '?page=' + encodeURIComponent(page()), { credentials: 'omit', cache: 'no-store' });
      if (!answer.ok) throw new Error(String(answer.status));
      const challenge = await answer.json();
      until = challenge.parameters.expiresAt * 1000 - 60000;
      field.value = await solve(challenge);
      status.textContent = form.dataset.dyWorked;
    })();
    proof.catch(() => {
      field.value = '';
      status.textContent = form.dataset.dyUnworked;
      if (instead) code.hidden = false;
    });
    return proof;
  };
  if (able) {
    if (instead && !form.querySelector('.dy-err')) code.hidden = true;
    form.addEventListener('focusin', () => { work().catch(() => {}); }, { once: true });
  }

  // A kind word, once for the same words.
  const kind = form.querySelector('[data-dy-nudge]');
  let nudged = '';
  const look = async () => {
    const words = { page: page(), name: form.elements.name.value, title: form.elements.title ? form.elements.title.value : '', content: form.elements.content.value };
    const said = JSON.stringify(words);
    if (!kind || said === nudged) return true;
    const answer = await fetch(form.dataset.dyCheck, {
      method: 'POST', headers: { 'Content-Type': 'application/json', 'Accept-Language': document.documentElement.lang },
      body: said, credentials: 'omit', signal: AbortSignal.timeout(3000),
    });
    if (!answer.ok) return true;
    const { nudges } = await answer.json();
    kind.hidden = nudges.length === 0;
    if (nudges.length === 0) return true;
    nudged = said;
    kind.querySelector('ul').replaceChildren(...nudges.map((one) => {
      const li = document.createElement('li');
      li.textContent = one.message;
      return li;
    }));
    kind.focus();
    return false;
  };
  if (kind) {
    kind.querySelector('[data-dy-mend]').addEventListener('click', () => { kind.hidden = true; form.elements.content.focus(); });
  }

  let passed = false;
  form.addEventListener('submit', async (e) => {
    if (passed || (e.submitter && e.submitter.name === 'another')) return;
    if (!able && !kind) return;
    e.preventDefault();
    const by = e.submitter;
    try {
      if (!(await look())) return;
    } catch { /* then without */ }
    if (able) await Promise.race([work().catch(() => {}), new Promise((done) => { setTimeout(done, 60000); })]);
    if (instead && !field.value && !form.elements.code.value) { form.elements.code.focus(); return; }
    passed = true;
    form.requestSubmit(by || undefined);
    passed = false;
  });
})();
