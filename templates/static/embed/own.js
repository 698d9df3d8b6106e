// One's own comments that nobody else sees yet, each where it will stand. It is fetched when
// there are any.
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

  constructor(el, tools) {
    this.#el = el;
    this.#tools = tools;
  }

  get #words() { return WORDS[this.#el.speaks] || WORDS.vi; }

  // keep remembers a comment that waits, for this reader; box shows it.
  keep(own) { this.#el.keep('localStorage', 'own', [...(this.#el.kept('localStorage', 'own') || []), own]); }

  box(own) {
    const { make, dress } = this.#tools;
    const w = this.#words;
    const box = make('div', { className: 'dy-own', part: 'own' },
      make('p', { className: 'dy-state' }, this.#tools.icon('clock'), w.pending, ' ', make('span', {}, w.alone)),
      make('article', { className: 'dy-c' },
        own.title && make('h3', { className: 'dy-title', dir: 'auto' }, own.title),
        make('p', { className: 'dy-by' }, make('b', {}, make('bdi', {}, own.name)), ' ', make('time', { dateTime: own.at }, new Date(own.at).toLocaleString(this.#el.speaks))),
        make('div', { className: 'dy-text', dir: 'auto' }, ...paragraphs(make, own.content))));
    if (own.code) box.append(make('p', { className: 'dy-hint' }, w.receipt, ' ', make('span', { className: 'dy-receipt' }, own.code)));
    dress(box, this.#el.speaks);
    return box;
  }

  // show shows those that wait. What became public, or was sent a month ago, waits no more.
  show(thread) {
    const el = this.#el;
    const waiting = (el.kept('localStorage', 'own') || []).filter((own) => Date.now() - Date.parse(own.at) < 30 * 864e5 && !thread.querySelector(`[id="bl-${uuid(own.id)}"]`));
    el.keep('localStorage', 'own', waiting.length && waiting);
    if (!waiting.length || (el.form && el.form.querySelector('.dy-own'))) return;
    const alone = [];
    for (const own of waiting) {
      const c = own.parent && thread.querySelector(`[id="bl-${uuid(own.parent)}"]`);
      if (c) c.closest('li').append(this.box(own)); // below whom it answers
      else alone.push(this.box(own));
    }
    if (alone.length) thread.querySelector('.dy-news').after(this.#tools.make('div', { className: 'dy-mine' }, ...alone));
  }
}
