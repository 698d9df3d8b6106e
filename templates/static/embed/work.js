// A proof of work, as ALTCHA sets it (version 2, PBKDF2/SHA-256), where a page asks for one.
// The browser derives keys beside this thread, so nothing stands still; no worker is needed,
// which strict pages forbid.
const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, '0')).join('');

const derive = async (p, counter) => {
  const nonce = bytes(p.nonce);
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  new DataView(password.buffer).setUint32(nonce.length, counter);
  const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
  return hex(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes(p.salt), iterations: p.cost }, key, p.keyLength * 8));
};

export class Part {
  #el;
  #base;
  #proof = null; // a promise
  #until = 0;

  constructor(el, { base }) {
    this.#el = el;
    this.#base = base;
  }

  // proof is one that is good for another minute at least, sought when there is none. Where
  // the browser can't find one, it fails.
  proof() {
    if (this.#proof && Date.now() < this.#until) return this.#proof;
    this.#until = Date.now() + 10000; // should asking fail, ask again soon
    this.#proof = this.#solve();
    return this.#proof;
  }

  // spent is told that a proof was sent.
  spent() { this.#proof = null; }

  async #solve() {
    const url = new URL(`api/v1/sites/${this.#el.site}/work`, this.#base);
    url.searchParams.set('page', this.#el.page);
    const answer = await fetch(url, { credentials: 'omit', cache: 'no-store' });
    if (!answer.ok) throw new Error(String(answer.status));
    const challenge = await answer.json();
    const { expiresAt, keyPrefix } = challenge.parameters;
    this.#until = expiresAt * 1000 - 60000;
    const atOnce = Math.min(Math.max((navigator.hardwareConcurrency || 2) - 1, 1), 4);
    for (let counter = 0; counter < 1e6; counter += atOnce) {
      const keys = await Promise.all(Array.from({ length: atOnce }, (_, i) => derive(challenge.parameters, counter + i)));
      const found = keys.findIndex((key) => key.startsWith(keyPrefix));
      if (found >= 0) return btoa(JSON.stringify({ challenge, solution: { counter: counter + found, derivedKey: keys[found] } }));
    }
    throw new Error('no solution');
  }
}
