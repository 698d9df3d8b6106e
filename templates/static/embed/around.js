// What stands around an article: <duyet-views>, <duyet-visitors>, <duyet-latest>,
// <duyet-discussed>, and numbers in elements of the page's own by data-duyet-count and
// data-duyet-views.
//
// Like the thread it works under the strictest policy of a page, sets no cookie and talks to
// its own service alone; lists are the HTML that servers include. What an element holds
// shows until there is more to show, and again when the service is away.
const WORDS = '@words';
const FILES = '@files';
const BASE = new URL('../../', import.meta.url);
const MOST = 100; // pages in one request

const first = new CSSStyleSheet();
first.replaceSync(':host{display:block}:host(duyet-views){display:inline}:host([hidden]){display:none}');
let styles;
const style = () => styles ??= fetch(new URL(FILES.css, import.meta.url)).then((r) => (r.ok ? r.text() : Promise.reject(r.status))).then((text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}).catch((e) => {
  styles = undefined;
  throw e;
});

// get is the part of a page at an address, its links made absolute.
const get = (url) => new Promise((ok, no) => {
  const x = new XMLHttpRequest();
  x.open('GET', url);
  x.responseType = 'document';
  x.timeout = 20000;
  x.onerror = x.ontimeout = no;
  x.onload = () => {
    const part = x.status === 200 && x.response && x.response.querySelector('.dy');
    if (!part) return no(x.status);
    for (const a of part.querySelectorAll('a[href]')) a.href = new URL(a.getAttribute('href'), x.responseURL).href;
    ok(part);
  };
  x.send();
});

const json = (url, body) => fetch(url, body && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  .then((r) => (r.ok ? r.json() : Promise.reject(r.status)));

const inherited = (el, name) => {
  const said = el.closest(`[${name}]`);
  return said ? said.getAttribute(name) : '';
};
const siteOf = (el) => el.getAttribute('site') || inherited(el, 'data-duyet-site');
const langOf = (el) => {
  const lang = inherited(el, 'lang').split('-')[0].toLowerCase();
  return lang in WORDS ? lang : '';
};
const pageOf = (el) => {
  const canonical = document.querySelector('link[rel=canonical]');
  return el.getAttribute('page') || (canonical && canonical.href) || location.href.split('#')[0];
};
const api = (site, path) => new URL(`api/v1/sites/${encodeURIComponent(site)}/${path}`, BASE);
const words = (lang) => WORDS[lang || 'vi'];
const number = (n, lang) => n.toLocaleString(lang || 'vi');
const counted = (n, lang) => {
  const w = words(lang).count;
  return (w[new Intl.PluralRules(lang || 'vi').select(n)] || w.other || w).replace('{n}', number(n, lang));
};

// read waits until a person looks at the page: one that is prepared for a reader who never
// comes is not read.
const read = () => new Promise((ok) => {
  const look = () => {
    if (document.prerendering || document.visibilityState !== 'visible') return;
    document.removeEventListener('visibilitychange', look);
    document.removeEventListener('prerenderingchange', look);
    ok();
  };
  document.addEventListener('visibilitychange', look);
  document.addEventListener('prerenderingchange', look);
  look();
});

// relative makes times of the last week relative; the full one stays in the title.
const relative = (root, lang) => {
  const says = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });
  for (const time of root.querySelectorAll('time')) {
    time.title ||= time.textContent;
    let n = (Date.now() - Date.parse(time.dateTime)) / 60000;
    let text = n < 1 && says.format(0, 'second');
    for (const [most, unit] of [[60, 'minute'], [24, 'hour'], [7, 'day']]) {
      if (!text && n < most) text = says.format(-Math.floor(n), unit);
      n /= most;
    }
    time.textContent = text || time.title;
  }
};

class Around extends HTMLElement {
  static observedAttributes = ['site', 'page', 'lang', 'limit', 'days', 'heading', 'count'];

  #shadow = this.attachShadow({ mode: 'open' });
  #soonTimer = 0;
  #key = '';
  #turn = 0;
  #tick = 0;
  #again = 0;

  constructor() {
    super();
    this.#shadow.adoptedStyleSheets = [first];
    this.#shadow.append(document.createElement('slot'));
  }

  connectedCallback() { this.#soon(); }

  disconnectedCallback() { this.#soon(); }

  attributeChangedCallback(name, before, now) { if (before !== now) this.#soon(); }

  // An element that is moved leaves and comes at once, and attributes change together.
  #soon() {
    clearTimeout(this.#soonTimer);
    this.#soonTimer = setTimeout(() => {
      clearInterval(this.#tick);
      if (!this.isConnected) return clearTimeout(this.#again);
      if (this.every) this.#tick = setInterval(() => document.visibilityState === 'visible' && this.#load(), this.every);
      const key = [siteOf(this), pageOf(this), langOf(this), ...['limit', 'days', 'heading', 'count'].map((a) => this.getAttribute(a))].join('\n');
      if (key === this.#key) return;
      this.#key = key;
      this.#load();
      // What was answered at first may be some seconds old, and not know of this reader yet.
      if (this.every) this.#again = setTimeout(() => this.isConnected && this.#load(), 6000);
    });
  }

  async #load() {
    const turn = ++this.#turn;
    if (!siteOf(this)) return;
    try {
      const [part, sheet] = await Promise.all([this.part(siteOf(this), langOf(this)), style()]);
      if (turn !== this.#turn) return;
      part.part.add('content');
      relative(part, part.lang || 'vi');
      this.#shadow.adoptedStyleSheets = [first, sheet];
      this.#shadow.replaceChildren(part);
    } catch {
      // what is there stays
    }
  }

  // fragment is what the server makes of a list, under the element's own attributes.
  fragment(site, kind, lang, names) {
    const url = new URL(`s/${encodeURIComponent(site)}/${kind}`, BASE);
    for (const name of names) if (this.hasAttribute(name)) url.searchParams.set(name, this.getAttribute(name));
    if (lang) url.searchParams.set('lang', lang);
    return get(url);
  }
}

class Latest extends Around {
  part(site, lang) { return this.fragment(site, 'latest', lang, ['limit', 'heading']); }
}

class Discussed extends Around {
  part(site, lang) { return this.fragment(site, 'discussed', lang, ['limit', 'days', 'heading']); }
}

class Visitors extends Around {
  every = 60000;

  // The reader is among those who are here: their view is counted first, wherever in the page
  // the element that counts it stands.
  async part(site, lang) {
    await whole;
    await new Promise((ok) => { setTimeout(ok); }); // elements begin one after the other
    await counting;
    return this.fragment(site, 'visitors', lang, ['heading']);
  }
}

const whole = document.readyState === 'loading' ? new Promise((ok) => { document.addEventListener('DOMContentLoaded', ok); }) : null;
let counting = null; // the view under way
const opened = new Set(); // pages that this document has counted a view of

class Views extends Around {
  async part(site, lang) {
    const page = pageOf(this);
    const ask = api(site, 'audience');
    ask.searchParams.set('page', page);
    const key = `${site}\n${page}`;
    let counts;
    if (this.getAttribute('count') === 'off' || opened.has(key)) counts = await json(ask);
    else {
      opened.add(key);
      const sent = read().then(() => json(api(site, 'views'), { page }));
      counting = sent.catch(() => {});
      counts = await sent.catch(() => json(ask));
    }
    const all = document.createElement('span');
    const n = document.createElement('b');
    all.className = 'dy dy-views';
    all.lang = lang || 'vi';
    n.textContent = number(counts.page_views, lang);
    all.append(`${words(lang).views} `, n);
    return all;
  }
}

// Numbers in elements of the page's own: every page of a list in one request.
const NUMBERS = {
  'data-duyet-count': ['counts', (a) => a.count, counted],
  'data-duyet-views': ['views', (a) => a.views, number],
};
const filled = new WeakMap(); // element → what it was filled for

const fill = (attribute) => {
  const [path, of, text] = NUMBERS[attribute];
  const bySite = new Map();
  for (const el of document.querySelectorAll(`[${attribute}]`)) {
    const page = el.getAttribute(attribute) || pageOf(el);
    const site = siteOf(el);
    const key = `${site}\n${page}`;
    if (!site || filled.get(el) === key) continue;
    filled.set(el, key);
    if (!bySite.has(site)) bySite.set(site, new Map());
    const pages = bySite.get(site);
    pages.set(page, [...(pages.get(page) || []), el]);
  }
  for (const [site, pages] of bySite) {
    const all = [...pages.keys()];
    for (let i = 0; i < all.length; i += MOST) {
      const some = all.slice(i, i + MOST);
      const url = api(site, path);
      for (const page of some) url.searchParams.append('page', page);
      json(url).then((answer) => {
        for (const one of answer[path]) {
          for (const el of pages.get(one.page) || []) {
            const lang = langOf(el);
            el.textContent = el.dataset.duyetForm === 'number' ? number(of(one), lang) : text(of(one), lang);
          }
        }
      }, () => { for (const page of some) for (const el of pages.get(page)) filled.delete(el); });
    }
  }
};

let fillTimer = 0;
const fillSoon = () => {
  clearTimeout(fillTimer);
  fillTimer = setTimeout(() => { for (const attribute in NUMBERS) fill(attribute); }, 50);
};

for (const [name, element] of Object.entries({ 'duyet-views': Views, 'duyet-latest': Latest, 'duyet-discussed': Discussed, 'duyet-visitors': Visitors })) {
  if (!customElements.get(name)) customElements.define(name, element);
}
fillSoon();
new MutationObserver(fillSoon).observe(document.documentElement, {
  childList: true, subtree: true, attributes: true, attributeFilter: Object.keys(NUMBERS),
});
