// <duyet-comments site page lang theme>: a thread of comments inside somebody else's page.
//
// It shows the same HTML that the server renders for servers, and works where the page's
// policy forbids inline styles, eval and every Trusted Types policy: HTML is parsed by
// XMLHttpRequest (responseType "document"), styles are adopted. It sets no cookie and talks
// to its own service alone. What only some readers need is in later.js, what only writers
// need in form.js; members without # are for the other parts.
//
// The words come from the catalogues; the server puts them and the addresses of the other
// files in.
const WORDS = '@words';
const FILES = '@files';
const BASE = new URL('../../', import.meta.url);

const first = new CSSStyleSheet();
first.replaceSync(':host{display:block;min-height:100vh;position:relative}[part=thread]{display:flow-root}:host([hidden]),.dy-down,.dy-is-down .dy-wait{display:none}.dy-is-down .dy-down{display:block}');

const at = (name) => new URL(FILES[name], import.meta.url).href;
const styles = {};
const style = (url) => styles[url] ??= fetch(url).then((r) => (r.ok ? r.text() : Promise.reject(r.status))).then((text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}).catch((e) => {
  delete styles[url];
  throw e;
});

// get is the thread at an address, its own addresses made absolute. A server that is busy
// or away makes it fail.
const get = (url) => new Promise((ok, no) => {
  const x = new XMLHttpRequest();
  x.open('GET', url);
  x.responseType = 'document';
  x.timeout = 20000;
  x.onerror = x.ontimeout = no;
  x.onload = () => {
    const thread = x.status === 200 && x.response && x.response.querySelector('.dy');
    if (!thread) return no();
    if (thread.dataset.dyLive) thread.dataset.dySeq = x.getResponseHeader('Duyet-Seq');
    thread.stale = /store-unreachable/.test(x.getAllResponseHeaders());
    const inert = thread.querySelector('template');
    for (const part of [thread, inert && inert.content]) {
      for (const name of part ? ['href', 'src', 'action'] : []) {
        for (const el of part.querySelectorAll(`[${name}]`)) {
          const value = el.getAttribute(name);
          const to = new URL(value, x.responseURL);
          // A comment's own address is the page's around it.
          if (value[0] !== '#') el.setAttribute(name, to.searchParams.has('comment') && !el.dataset.dyLike ? to.hash : to.href);
        }
      }
    }
    ok(thread);
  };
  x.send();
});

const make = (name, props, ...children) => {
  const el = document.createElement(name);
  for (const key in props) {
    if (key in el) el[key] = props[key];
    else el.setAttribute(key, props[key]);
  }
  el.append(...children);
  return el;
};

// say fills the {places} of a message; one that counts has a form for each kind of number.
const say = (message, values, lang) => {
  const text = message[new Intl.PluralRules(lang).select(values.n || 0)] || message.other || message;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key].toLocaleString(lang));
};

// dress makes times of the last week relative; the full one stays in the title.
const dress = (root, lang) => {
  const words = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });
  for (const time of root.querySelectorAll('time')) {
    time.title ||= time.textContent;
    let n = (Date.now() - Date.parse(time.dateTime)) / 60000;
    let text = n < 1 && words.format(0, 'second');
    for (const [most, unit] of [[60, 'minute'], [24, 'hour'], [7, 'day']]) {
      if (!text && n < most) text = words.format(-Math.floor(n), unit);
      n /= most;
    }
    time.textContent = text || time.title;
  }
};

'@live';

class Comments extends HTMLElement {
  static observedAttributes = ['site', 'page', 'lang'];

  #shadow = this.attachShadow({ mode: 'open' });
  #root = make('div', { part: 'thread' });
  #held = new CSSStyleSheet();
  #near = new IntersectionObserver((seen) => this.#see(seen[seen.length - 1].isIntersecting), { rootMargin: '100% 0px' });
  #over = null; // ends what runs while the element is in a document
  #key = '';
  #turn = 0;
  #tries = 0;
  #soonTimer = 0;
  #retryTimer = 0;
  #tick = 0;
  #seen = false;
  #shown = '';
  #live = new Live(this);
  #parts = {};
  #writer = null;
  thread = null;
  form = null;
  sort = '';
  count = 0; // of the comments that stand
  fresh = 0; // of those that came since
  shownAt = 0;

  constructor() {
    super();
    this.adopt(first, this.#held);
    this.#shadow.append(this.#root);
    const on = (type, fn) => this.#root.addEventListener(type, fn);
    on('click', (e) => this.#click(e));
    on('focusin', () => this.release(true));
    for (const type of ['focusin', 'pointerdown', 'submit']) on(type, (e) => this.#touch(e));
  }

  get #lang() {
    const said = this.closest('[lang]');
    const lang = said ? said.getAttribute('lang').split('-')[0].toLowerCase() : '';
    return lang in WORDS ? lang : '';
  }

  // speaks is the language of what is shown.
  get speaks() { return (this.thread && this.thread.lang) || this.#lang || 'vi'; }

  get words() { return WORDS[this.speaks] || WORDS.vi; }

  connectedCallback() { this.#soon(); }

  disconnectedCallback() { this.#soon(); }

  attributeChangedCallback(name, before, now) { if (before !== now) this.#soon(); }

  // An element that is moved leaves and comes at once, and attributes change together.
  #soon() {
    clearTimeout(this.#soonTimer);
    this.#soonTimer = setTimeout(() => (this.isConnected ? this.#start() : this.#end()));
  }

  #start() {
    const canonical = document.querySelector('link[rel=canonical]');
    const site = this.getAttribute('site');
    const page = this.getAttribute('page') || (canonical && canonical.href) || location.href.split('#')[0];
    const key = [site, page, this.#lang].join('\n');
    if (this.#over && key === this.#key) return;
    this.#end();
    this.#over = new AbortController();
    const on = (target, type, fn) => target.addEventListener(type, fn, { signal: this.#over.signal, passive: true });
    on(document, 'visibilitychange', () => this.#see(this.#seen));
    on(window, 'online', () => this.#see(this.#seen));
    on(window, 'hashchange', () => {
      this.#shown = '';
      this.#target(true);
    });
    for (const type of ['scroll', 'resize']) on(window, type, () => this.release());
    if (key !== this.#key || !this.thread) {
      this.#key = key;
      this.site = site;
      this.page = page;
      this.thread = this.form = this.#writer = null;
      this.#parts = {};
      this.sort = '';
      this.#wait();
    }
    if (site) this.#near.observe(this);
  }

  #end() {
    if (this.#over) this.#over.abort();
    this.#over = null;
    this.#turn++;
    this.#tries = 0;
    this.#near.disconnect();
    this.#see(false);
    clearTimeout(this.#retryTimer);
  }

  // #see is told whether the reader is near. Only then is anything asked.
  #see(near) {
    this.#seen = near;
    const awake = near && document.visibilityState === 'visible';
    clearInterval(this.#tick);
    this.#live.awake(awake && !!this.thread);
    if (!awake) return;
    if (!this.thread) {
      this.load('', this.#asked && `${this.site}~${this.#asked}`);
      return;
    }
    if (this.#writer) this.#writer.freshen();
    this.#tick = setInterval(() => dress(this.thread, this.speaks), 60000);
  }

  url(query) {
    const url = new URL(`s/${this.site}/fragment`, BASE);
    for (const [key, value] of Object.entries({ page: this.page, lang: this.#lang, ...query })) {
      if (value) url.searchParams.set(key, value);
    }
    return url.href;
  }

  // asked is the comment that the page's address names.
  get #asked() { return (/^#bl-([\da-f-]{36})$/.exec(location.hash) || [])[1]; }

  async load(sort = this.sort, comment = '') {
    clearTimeout(this.#retryTimer);
    const turn = ++this.#turn;
    try {
      const wrote = this.kept('localStorage', 'wrote', '') > Date.now() - 2592e6;
      const [sheet, thread, own] = await Promise.all([style(at('css')), get(this.url({ sort, comment })), wrote && this.part('own').then((own) => own.ask())]);
      if (turn !== this.#turn) return false;
      this.sort = sort;
      this.#tries = this.fresh = 0;
      await this.#show(thread, sheet, own, comment);
      return true;
    } catch {
      if (turn === this.#turn) this.down();
      return false;
    }
  }

  #wait() {
    const w = this.words;
    this.#held.replaceSync('');
    this.#root.className = '';
    const retry = make('button', { type: 'button', className: 'dy-btn dy-retry' }, w.retry);
    this.#root.replaceChildren(make('div', { className: 'dy', lang: this.speaks },
      make('div', { className: 'dy-wait', ariaBusy: 'true' }, make('p', { role: 'status' }, w.loading)),
      make('div', { className: 'dy-down', role: 'status' }, make('strong', {}, w.down), make('p', {}, w.down_help), retry, make('slot'))));
  }

  // down says that the service can't be reached, leads to the link inside the element, and
  // tries again by itself, ever more rarely. What already stands stays.
  down() {
    if (this.thread) {
      for (const el of this.#root.querySelectorAll('.dy-busy')) el.classList.remove('dy-busy');
      this.news(make('span', {}, this.words.down));
      return;
    }
    this.#retryTimer = setTimeout(() => this.#see(this.#seen), Math.min(5000 * 3 ** this.#tries++, 300000));
    this.#root.className = 'dy-is-down';
    style(at('css')).then((sheet) => this.adopt(sheet), () => {});
  }

  async #show(thread, sheet, own, comment) {
    const inert = thread.querySelector('template');
    const form = (inert ? inert.content : thread).querySelector('.dy-form');
    for (const el of [inert, form]) if (el) el.remove();
    const again = this.thread;
    this.thread = thread;
    if (!again || !form) this.form = form && document.importNode(form, true);
    this.shownAt = Date.now();
    const count = thread.querySelector('.dy-h small');
    this.count = Number(count ? count.firstChild.data.replace(/\D/g, '') : 0);
    (thread.querySelector('.dy-bar') || thread.querySelector('.dy-head')).after(make('div', { className: 'dy-news', role: 'status' }));
    if (this.form) this.place();
    if (own) await own.show(thread);
    for (const [kind, part] of [['likes', 'later'], ['reported', 'deed']]) if (this.kept('localStorage', kind)) (await this.part(part)).mark(thread);
    const gone = comment && !thread.querySelector(`[id="bl-${comment.split('~')[1]}"]`);
    if (gone || thread.stale) (await this.part('later')).tell(thread, gone);
    dress(thread, this.speaks);
    this.#grow(thread, sheet);
    this.#target();
    if (!again) {
      if (this.form && this.kept('sessionStorage', 'draft')) this.write(false).catch(() => {});
    }
    this.#see(this.#seen);
  }

  // #pushes reports whether something below the element is in view, which would jump if the
  // element grew.
  #pushes() {
    const { bottom } = this.getBoundingClientRect();
    for (let el = this; el; el = el.parentElement) {
      for (let next = el; (next = next.nextElementSibling);) {
        const r = next.getBoundingClientRect();
        if (r.height && r.top >= bottom - 1 && r.top < innerHeight && r.bottom > 0) return true;
      }
    }
    return false;
  }

  // #grow lets a thread in. Where that would make the page jump the element keeps its height,
  // and a button, the focus or the reader's scrolling opens it.
  #grow(thread, sheet) {
    const { height } = this.getBoundingClientRect();
    const pushes = this.#pushes();
    this.#shadow.adoptedStyleSheets = [...new Set([sheet, ...this.#shadow.adoptedStyleSheets])]; // before those of parts
    this.#root.className = '';
    this.#root.replaceChildren(thread);
    if (!pushes || this.offsetHeight <= height + 1) return;
    this.#held.replaceSync(`:host{height:${height}px!important;min-height:0!important;overflow:clip!important}`);
    this.#root.append(make('div', { className: 'dy-hold' }, make('button', { type: 'button', className: 'dy-btn dy-open' }, this.words.open)));
  }

  release(now) {
    const hold = this.#root.querySelector('.dy-hold');
    if (!hold || (!now && this.#pushes())) return;
    this.#held.replaceSync('');
    hold.remove();
  }

  find(id) { return this.#shadow.getElementById(id); }

  // #target marks and shows the comment that the page's address names, once; it is fetched
  // where it isn't shown.
  #target(moved) {
    const id = this.#asked;
    const c = id && this.find(`bl-${id}`);
    const old = this.#root.querySelector('.is-target');
    if (old) old.classList.remove('is-target');
    if (c) {
      c.classList.add('is-target');
      if (id !== this.#shown) this.show(c);
      this.#shown = id;
    } else if (id && moved && this.thread) this.load(this.sort, `${this.site}~${id}`);
  }

  show(el) {
    this.release(true);
    el.tabIndex = -1;
    el.focus({ preventScroll: true });
    el.scrollIntoView();
  }

  #click(e) {
    const el = e.target.closest('a[href],button');
    if (!el || el.closest('.dy-text') || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    if (el.matches('.dy-open')) this.release(true);
    if (el.matches('.dy-retry')) {
      el.textContent = this.words.loading;
      this.load().then(() => { el.textContent = this.words.retry; });
    }
    const news = el.matches('.dy-new');
    const url = new URL(el.href || BASE);
    const reports = url.pathname.endsWith('/report');
    if (!news && !reports && !url.pathname.endsWith(`/s/${this.site}/thread`)) return;
    const writes = url.hash === '#viet';
    if (writes && !this.form) return; // the service's own page has one
    e.preventDefault();
    if (writes) this.#reply(url.searchParams.get('parent'), el);
    else this.part(reports ? 'deed' : 'later').then((part) => (reports ? part.report(el) : part.click(el, news, url.searchParams)), () => this.down());
  }

  // news puts one line in the place of the bar above the thread.
  news(line) { this.thread.querySelector('.dy-news').replaceChildren(...(line ? [line] : [])); }

  // kept and keep are the page's own storage: words wait in it until they are sent.
  kept(storage, kind, page) {
    try {
      return JSON.parse(window[storage].getItem(this.#slot(kind, page)));
    } catch {
      return null;
    }
  }

  keep(storage, kind, value) {
    try {
      if (value) window[storage].setItem(this.#slot(kind), JSON.stringify(value));
      else window[storage].removeItem(this.#slot(kind));
    } catch {
      // a browser that keeps nothing
    }
  }

  #slot(kind, page = `:${this.page}`) { return `duyet:${kind}:${BASE.host}:${this.site}${page}`; }

  // part is a file that comes when it is needed: rest.js knows which there are.
  part(name) {
    return import(at('rest')).then(({ part }) => part(this, this.#parts, name, { make, say, get, dress, style, base: BASE }));
  }

  adopt(...sheets) { this.#shadow.adoptedStyleSheets = [...new Set([...this.#shadow.adoptedStyleSheets, ...sheets])]; }

  // write is the form come to life; with a code, unless it only brings words back.
  write(touched = true) {
    return this.part('form').then((w) => {
      this.#writer = w;
      if (touched) w.touch();
      return w;
    });
  }

  #touch(e) {
    if (!this.form || !this.form.contains(e.target)) return;
    const sends = e.type === 'submit';
    if (sends) e.preventDefault();
    if (!this.#writer) this.write().then((w) => sends && w.send(e.submitter), () => sends && this.down());
    else if (sends) this.#writer.send(e.submitter);
    else this.#writer.touch();
  }

  // #reply takes the form to whom one answers, or back to the end.
  #reply(parent, link) {
    const c = parent && link.closest('.dy-c');
    const text = (part) => (c.querySelector(part) || '').textContent || '';
    this.release(true);
    this.place(c);
    this.form.querySelector('.dy-in').focus();
    this.write().then((w) => w.reply(c && { id: parent, name: text('.dy-by b'), title: text('.dy-title') }), () => this.down());
  }

  // place puts the form after a comment, or at the end. One that is there stays, and with it
  // the focus.
  place(c) {
    const before = c || this.thread.lastElementChild;
    if (before !== this.form && before.nextElementSibling !== this.form) before.after(this.form);
  }
}

if (!customElements.get('duyet-comments')) customElements.define('duyet-comments', Comments);
