// What reads on in a thread: its order, what follows, what is new, and what one likes. It is
// fetched when first needed.
const WORDS = '@words';

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
    else if (el.dataset.dyLike) this.#like(el);
    else if (query.has('root')) this.#branch(el, query.get('root'), query.get('after'));
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
      if (next) next.querySelector('span').textContent = this.#say(this.#words.showing, { n: list.querySelectorAll('.dy-c:not(.dy-again,.dy-own *)').length, all: el.count });
      row.replaceWith(...(next ? [next] : []));
      await this.#own();
      const fresh = this.#know();
      if (fresh) el.show(fresh);
    } catch {
      row.classList.remove('dy-busy');
      const line = row.querySelector('span');
      line.role = 'alert';
      line.textContent = el.words.down;
    }
  }

  // #own has one's own comments stand where they belong, now that there is more of the thread.
  async #own() {
    const el = this.#el;
    if (el.kept('localStorage', 'wrote', '')) await (await el.part('own')).place(el.thread);
  }

  // #branch reads on in one tree: what follows its replies shown, or all from its beginning.
  async #branch(link, root, after) {
    const el = this.#el;
    const li = link.closest('li');
    const row = link.closest('.dy-rest');
    if (!li || !row) return;
    this.#busy(row);
    try {
      const rest = await this.#tools.get(el.url({ root, after }));
      if (!row.isConnected) return;
      this.#tools.dress(rest, el.speaks);
      this.#mark(rest);
      const top = rest.querySelector('.dy-thread>li');
      if (after) {
        const fresh = [...top.querySelectorAll(':scope>.dy-replies>li'), ...rest.querySelectorAll('.dy-thread>li+li')];
        const list = li.querySelector(':scope>.dy-replies');
        if (list) list.append(...fresh.filter((one) => !el.find(one.querySelector('[id]').id)));
        else row.before(top.querySelector(':scope>.dy-replies'));
        const next = top.querySelector(':scope>.dy-rest [href*="after="]');
        row.replaceWith(...(next ? [next.closest('.dy-rest')] : []));
      } else {
        li.replaceWith(top);
      }
      await this.#own();
      const first = this.#know();
      if (first) el.show(first);
    } catch {
      row.classList.remove('dy-busy');
      row.role = 'alert';
      row.textContent = el.words.down;
    }
  }

  // tell says above a thread that the service can't hear of what was decided since, or that
  // the comment asked for is gone. On a page of several threads, another may have it.
  tell(thread, gone) {
    const tell = ({ title, help }, name) => {
      const notice = this.#tools.notice('look', title, [help]);
      notice.classList.add(name);
      notice.role = null; // it stands from the start
      thread.querySelector('.dy-news').after(notice);
      return notice;
    };
    if (thread.stale) tell(this.#words.stale, 'dy-stale');
    if (!gone || document.querySelectorAll('duyet-comments').length > 1) return;
    const notice = tell(this.#words.gone, 'dy-not-here');
    setTimeout(() => this.#el.show(notice));
  }

  // Likes. The service holds one for each reader and comment; which ones are the reader's,
  // the page around remembers.
  #likes() { return this.#el.kept('localStorage', 'likes') || []; }

  mark(thread) { this.#mark(thread); }

  #mark(part) {
    const mine = this.#likes();
    for (const link of part.querySelectorAll('[data-dy-like]')) this.#press(link, mine.includes(link.dataset.dyLike));
  }

  #press(link, on) {
    link.role = 'button';
    link.ariaPressed = String(on);
  }

  async #like(link) {
    const id = link.dataset.dyLike;
    const mine = this.#likes();
    const liked = !mine.includes(id);
    this.#press(link, liked);
    let answer;
    try {
      answer = await this.#tools.post('likes', { comment: id, author: this.#tools.author(), liked });
    } catch {
      answer = {};
    }
    if (!answer.body) {
      this.#press(link, !liked);
      this.#el.news(this.#tools.make('span', {}, answer.problem ? answer.problem.detail || answer.problem.title : this.#el.words.down));
      return;
    }
    this.#el.keep('localStorage', 'likes', liked ? [...mine, id] : mine.filter((one) => one !== id));
    const { likes } = answer.body;
    let count = link.querySelector('[itemprop=upvoteCount]');
    if (!count) link.querySelector('.icon').nextSibling.after(' ', count = this.#tools.make('span', { itemprop: 'upvoteCount' }));
    count.textContent = likes ? likes.toLocaleString(this.#el.speaks) : '';
  }
}
