// What reads on in a thread: its order, what follows, what is new, and one's own comments
// that nobody else sees yet. It is fetched when first needed.
const WORDS = '@words';

// paragraphs sets plain text as the server does.
const paragraphs = (make, text) => text.split(/\n[\t ]*\n\s*/).map((part) => {
  const p = make('p');
  part.split('\n').forEach((line, i) => p.append(...(i ? [make('br'), line] : [line])));
  return p;
});

// An id's last part is a UUID; anything else names no element.
const uuid = (id) => (/~([0-9a-f-]{36})$/.exec(id) || ['', ''])[1];

export class Part {
  #el;
  #tools;
  #known = new Set();

  constructor(el, tools) {
    this.#el = el;
    this.#tools = tools;
    this.#know();
  }

  get #words() { return WORDS[this.#el.speaks] || WORDS.vi; }

  #say(text, values) { return this.#tools.say(text, values, this.#el.speaks); }

  // #know remembers which comments were shown, and returns the first that was not.
  #know() {
    let fresh = null;
    for (const c of this.#el.thread.querySelectorAll('.dy-thread .dy-c')) {
      if (!this.#known.has(c.id)) fresh ||= c;
      this.#known.add(c.id);
    }
    return fresh;
  }

  click(el, news, query) {
    if (news) this.#showNew();
    else if (query.has('after')) this.#more(el, query.get('after'));
    else this.#swap(query.get('sort') || 'oldest');
  }

  // #busy takes the room that what comes will need, while the reader's press still excuses
  // that things move.
  #busy(el) {
    if (!el) return;
    el.classList.add('dy-busy');
    el.ariaBusy = 'true';
  }

  #reload(sort) {
    this.#busy(this.#el.thread.querySelector('.dy-thread,.dy-none'));
    return this.#el.load(sort);
  }

  async #swap(sort) {
    if (!await this.#reload(sort)) return;
    this.#know();
    const now = this.#el.thread.querySelector('.dy-sort [aria-current]');
    if (now) now.focus();
  }

  // New ones at the end of a thread that isn't shown whole are shown newest first.
  async #showNew() {
    const all = !this.#el.thread.querySelector('.dy-more');
    if (!await this.#reload(all ? this.#el.sort : 'newest')) return;
    const fresh = this.#know();
    if (fresh) this.#el.show(fresh);
  }

  async #more(link, after) {
    const el = this.#el;
    const row = link.closest('.dy-more');
    const list = el.thread.querySelector('.dy-thread');
    if (!row || !list) return;
    this.#busy(row);
    try {
      const rest = await this.#tools.get(el.url({ sort: el.sort, after }));
      if (!row.isConnected) return;
      this.#tools.dress(rest, el.speaks);
      const items = [...rest.querySelectorAll('.dy-thread>li')].filter((li) => !el.find(li.querySelector('[id]').id));
      list.append(...items);
      const next = rest.querySelector('.dy-more');
      if (next) next.querySelector('span').textContent = this.#say(this.#words.showing, { n: list.children.length, all: el.count });
      row.replaceWith(...(next ? [next] : []));
      const fresh = this.#know();
      if (fresh) el.show(fresh);
    } catch {
      row.classList.remove('dy-busy');
      const line = row.querySelector('span');
      line.role = 'alert';
      line.textContent = el.words.down;
    }
  }

  // keepOwn remembers a comment that waits, for this reader; ownBox shows it.
  keepOwn(own) { this.#el.keep('localStorage', 'own', [...(this.#el.kept('localStorage', 'own') || []), own]); }

  ownBox(own) {
    const { make, dress } = this.#tools;
    const w = this.#words;
    const box = make('div', { className: 'dy-own' },
      make('p', { className: 'dy-state' }, this.#tools.icon('clock'), w.pending, ' ', make('span', {}, w.alone)),
      make('article', { className: 'dy-c' },
        own.title && make('h3', { className: 'dy-title', dir: 'auto' }, own.title),
        make('p', { className: 'dy-by' }, make('b', {}, make('bdi', {}, own.name)), ' ', make('time', { dateTime: own.at }, new Date(own.at).toLocaleString(this.#el.speaks))),
        make('div', { className: 'dy-text', dir: 'auto' }, ...paragraphs(make, own.content))));
    if (own.code) box.append(make('p', { className: 'dy-hint' }, w.receipt, ' ', make('span', { className: 'dy-receipt' }, own.code)));
    dress(box, this.#el.speaks);
    return box;
  }

  // addOwn shows those that wait. What became public, or was sent a month ago, waits no more.
  addOwn(thread) {
    const el = this.#el;
    const waiting = (el.kept('localStorage', 'own') || []).filter((own) => Date.now() - Date.parse(own.at) < 30 * 864e5 && !thread.querySelector(`[id="bl-${uuid(own.id)}"]`));
    el.keep('localStorage', 'own', waiting.length && waiting);
    if (!waiting.length || (el.form && el.form.querySelector('.dy-own'))) return;
    thread.querySelector('.dy-news').after(this.#tools.make('div', { className: 'dy-mine' }, ...waiting.map((own) => this.ownBox(own))));
  }
}
