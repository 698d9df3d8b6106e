// One's own comments: what has become of each, by the word of the service, and what its
// author may still do. What others don't see stands where it will be. It is fetched by those
// who wrote something on the site within a month.
const WORDS = '@words';

const MONTH = 30 * 864e5;
const WAIT = 4000; // for the service's word, before what is remembered is shown
const FOLLOW = 30000; // between questions, while a decision is awaited

// paragraphs sets plain text as the server does.
const paragraphs = (make, text) => text.split(/\n[\t ]*\n\s*/).map((part) => {
  const p = make('p');
  part.split('\n').forEach((line, i) => p.append(...(i ? [make('br'), line] : [line])));
  return p;
});

// An id's last part is a UUID; anything else names no element.
const uuid = (id) => (/~([0-9a-f-]{36})$/.exec(id) || ['', ''])[1];

const element = (make, name, className, children) => make(name, { className }, ...children);

const open = (own) => Date.parse(own.until) > Date.now();

export class Part {
  #el;
  #tools;
  #asked = null;
  #next = 0;
  #look = () => {
    if (!this.#el.isConnected) document.removeEventListener('visibilitychange', this.#look);
    else if (document.visibilityState === 'visible') this.#follow(0);
  };

  constructor(el, tools) {
    this.#el = el;
    this.#tools = tools;
  }

  get #words() { return WORDS[this.#el.speaks] || WORDS.vi; }

  get #lookUp() { return new URL(`s/${this.#el.site}/receipt?lang=${this.#el.speaks}`, this.#tools.base).href; }

  // all are those worth showing: what waits or was rejected, and what may be edited.
  all() {
    return this.#kept().filter((own) => Date.now() - Date.parse(own.at) < MONTH && (own.status !== 'approved' || own.changed || open(own)));
  }

  #kept() { return this.#el.kept('localStorage', 'own') || []; }

  #remember(list) { this.#el.keep('localStorage', 'own', list.length && list); }

  // ask begins to ask the service about them. Should it not answer, what is remembered does.
  ask() {
    const late = new Promise((ok) => { setTimeout(ok, WAIT); });
    this.#asked = Promise.race([this.#hear().catch(() => {}), late]);
    this.#asked.then(() => this.#follow());
    document.addEventListener('visibilitychange', this.#look);
    return this;
  }

  // #follow asks again, while the page is in view, as long as the newsroom has to decide.
  #follow(wait = FOLLOW) {
    clearTimeout(this.#next);
    const before = this.all();
    if (!this.#el.isConnected || !before.some((own) => own.status === 'pending' || own.changed || own.appeal === 'open')) return;
    this.#next = setTimeout(async () => {
      if (document.visibilityState !== 'visible') return; // coming back asks
      await this.#hear().catch(() => {});
      for (const own of this.#kept()) {
        const was = before.find((one) => one.id === own.id);
        const same = was && ['status', 'changed', 'appeal', 'content', 'title'].every((key) => was[key] === own[key]);
        const box = was && !same && this.#renew(own.id, own);
        if (box) box.querySelector('.dy-state').role = 'alert';
      }
      this.#follow();
    }, wait);
  }

  async #hear() {
    const before = this.all();
    const { body } = await this.#tools.post('mine', {
      page: this.#el.page, receipts: before.map((own) => own.receipt).filter(Boolean).slice(-50), author: this.#tools.author(),
    });
    if (!body) return;
    const said = body.comments.filter((c) => !c.withdrawn).map((c) => this.#read(c, before)).reverse();
    const asked = [...before, ...said].map((own) => own.id);
    this.#remember([...said, ...this.all().filter((own) => !asked.includes(own.id))]); // and what was sent meanwhile
  }

  // #read is a comment as the service tells of it, with the receipt that one has.
  #read(c, before) {
    const { receipt } = before.find((own) => own.id === c.id) || {};
    return {
      id: c.id, parent: c.parent || '', name: c.name, title: c.title || '', content: c.text, at: c.created_at, receipt, code: c.receipt_code || '',
      status: c.status, changed: !!c.changed, reason: c.reason ? c.reason.text : '', until: c.editable_until || '', appeals: c.may_appeal, appeal: c.appeal || '',
    };
  }

  // sent remembers a comment that was just sent, and gives the box that shows it.
  sent(own) {
    this.#tools.mine('wrote', Date.now());
    this.#remember([...this.all(), own]);
    const box = this.#box(own);
    this.ask().#asked.then(() => this.#renew(own.id));
    return box;
  }

  #boxOf(id) { return [...this.#el.shadowRoot.querySelectorAll('.dy-own')].find((box) => box.dataset.dyOwn === id); }

  // #renew puts a comment's box as it is now in the place of the one that stands.
  #renew(id, own = this.all().find((one) => one.id === id)) {
    const old = this.#boxOf(id);
    if (!old || !own || old.querySelector('.dy-deed')) return null;
    const box = this.#box(own);
    old.replaceWith(box);
    return box;
  }

  async show(thread) {
    await this.#asked;
    await this.place(thread);
  }

  // place puts each where it belongs in a thread: beside what is public of it, below whom it
  // answers, or at the top. What is being edited stays as it is.
  async place(thread) {
    if (thread.querySelector('.dy-deed')) return;
    for (const old of thread.querySelectorAll('.dy-mine,.dy-own,.dy-yours')) if (!old.closest('.dy-form')) old.remove();
    const alone = [];
    const find = (id) => id && thread.querySelector(`[id="bl-${uuid(id)}"]`);
    for (const own of this.all()) {
      const c = find(own.id);
      const form = this.#el.form;
      if (form && [...form.querySelectorAll('.dy-own')].some((box) => box.dataset.dyOwn === own.id)) continue;
      if (c && own.status !== 'rejected' && !own.changed) {
        if (!open(own)) continue;
        for (const link of c.querySelectorAll('.dy-acts [href*="/report"]')) link.remove();
        c.append(element(this.#tools.make, 'div', 'dy-yours', this.#acts(own)));
        continue;
      }
      const parent = find(own.parent);
      if (c) c.after(this.#box(own));
      else if (parent) parent.closest('li').append(this.#box(own));
      else alone.push(this.#box(own));
    }
    if (alone.length) thread.querySelector('.dy-news').after(this.#tools.make('div', { className: 'dy-mine' }, ...alone));
    await this.#resume(thread);
  }

  #state(own) {
    const w = this.#words;
    if (own.changed) return ['clock', w.changed];
    if (own.status === 'rejected') return ['cross', w.rejected];
    return own.status === 'approved' ? ['check', w.public] : ['clock', w.pending];
  }

  #box(own) {
    const { make, icon, dress } = this.#tools;
    const w = this.#words;
    const [sign, state] = this.#state(own);
    const hint = (...text) => element(make, 'p', 'dy-hint', text);
    const box = make('div', { className: 'dy-own', part: 'own' },
      make('p', { className: 'dy-state' }, icon(sign), state, ...(own.status === 'approved' ? [] : [' ', make('span', {}, w.alone)])),
      make('article', { className: 'dy-c', part: 'comment' },
        ...(own.title ? [make('h3', { className: 'dy-title', part: 'title', dir: 'auto' }, own.title)] : []),
        make('p', { className: 'dy-by', part: 'byline' }, make('b', {}, make('bdi', {}, own.name)), ' ', make('time', { dateTime: own.at }, new Date(own.at).toLocaleString(this.#el.speaks))),
        make('div', { className: 'dy-text', part: 'text', dir: 'auto' }, ...paragraphs(make, own.content))));
    if (own.reason) box.append(hint(w.why, ' ', own.reason));
    if (own.appeal === 'open') box.append(hint(w.appeal_open));
    if (own.appeal === 'upheld') box.append(hint(w.appeal_upheld));
    box.append(...this.#acts(own));
    if (own.code) box.append(hint(w.receipt, ' ', make('span', { className: 'dy-receipt' }, own.code), ' ', w.receipt_help, ' ', make('a', { href: this.#lookUp }, w.look_up)));
    box.dataset.dyOwn = own.id;
    dress(box, this.#el.speaks);
    return box;
  }

  // #acts are the buttons for what may be done with a comment, and until when.
  #acts(own) {
    const { make, icon, say } = this.#tools;
    const w = this.#words;
    const act = (kind, sign, label) => {
      const button = make('button', { type: 'button', className: 'dy-act' }, icon(sign), label, make('span', { className: 'dy-out' }, ` ${own.title}`));
      button.addEventListener('click', () => this.#do(kind, own, button));
      button.dataset.dyDeed = kind;
      return button;
    };
    const acts = [
      ...(open(own) ? [act('edit', 'pencil', w.edit), act('withdraw', 'undo', w.withdraw)] : []),
      ...(own.appeals ? [act('appeal', 'flag', w.appeal)] : []),
    ];
    if (!acts.length) return [];
    const row = [element(make, 'div', 'dy-acts', acts)];
    if (open(own)) {
      const until = new Date(own.until);
      const day = until.toDateString() === new Date().toDateString() ? {} : { day: 'numeric', month: 'numeric', year: 'numeric' };
      const time = until.toLocaleString(this.#el.speaks, { hour: '2-digit', minute: '2-digit', ...day });
      row.push(element(make, 'p', 'dy-hint', [say(w.until, { time }, this.#el.speaks)]));
    }
    return row;
  }

  #do(kind, own, button) {
    this.#el.part('deed').then((deed) => deed[kind](own, button, (c) => this.#done(kind, own, c)), () => this.#el.down());
  }

  // #done is told what a deed has made of a comment.
  async #done(kind, own, c) {
    const stood = own.status === 'approved' || own.changed;
    const now = this.#read(c, [own]);
    this.#remember([...this.all().filter((one) => one.id !== own.id), ...(kind === 'withdraw' ? [] : [now])]);
    const old = this.#boxOf(own.id);
    const published = kind === 'edit' && now.status === 'approved';
    const [title, ...lines] = this.#words.done[published ? 'published' : kind];
    const notice = this.#tools.notice('good', title, lines);
    let box = null;
    if (stood || !old) {
      await this.#el.load();
      box = this.#boxOf(own.id);
    } else if (kind !== 'withdraw') {
      box = this.#renew(own.id);
    }
    const stands = this.#el.find(`bl-${uuid(own.id)}`);
    if (box) box.prepend(notice);
    else if (stands) stands.append(notice);
    else if (old && old.isConnected) old.replaceWith(notice);
    else this.#el.thread.querySelector('.dy-news').after(this.#tools.make('div', { className: 'dy-mine' }, notice));
    notice.focus({ preventScroll: true });
    notice.scrollIntoView({ block: 'nearest' });
  }

  // #resume opens again what was being written when the page was left.
  async #resume(thread) {
    const drafts = this.#el.kept('sessionStorage', 'deeds');
    const deed = drafts && await this.#el.part('deed').catch(() => null);
    for (const own of deed ? this.all() : []) {
      const places = [...thread.querySelectorAll('.dy-own,.dy-c')].filter((el) => el.dataset.dyOwn === own.id || el.id === `bl-${uuid(own.id)}`);
      for (const kind of ['edit', 'appeal']) {
        const button = places.map((el) => el.querySelector(`[data-dy-deed=${kind}]`)).find(Boolean);
        if (button && drafts[`${kind}:${own.id}`]) deed[kind](own, button, (c) => this.#done(kind, own, c));
      }
    }
  }
}
