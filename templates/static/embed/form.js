// What somebody who writes needs: the code, instant checks, sending. It is fetched when the
// form is first touched. The server's words and limits stand in the form it rendered; the
// checks here only spare a wait, the server judges.
const WORDS = '@words';

const BYTES = { name: 4096, title: 8192, content: 49152 };
const TARGET = { name: 'ten', title: 'tieude', content: 'noidung', code: 'ma' };
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;
const BIDI = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;
const UNSEEN = /[\s\p{Cf}\p{Cc}\p{Z}\p{Variation_Selector}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu;

export class Part {
  #host;
  #section;
  #form;
  #tools;
  #words;
  #lang;
  #busy = false; // being sent
  #getting = null; // a code on its way
  #renewAt = 0; // when the code nears its end
  #timer = 0;
  #tried = false; // a code was asked for; if none came, the reader asks again
  #sound = null; // {url, context, source}
  #to = null;
  #wants = {}; // what a comment should bring, as the service said with the code
  #nudged = ''; // the words of which it was said that they would be held
  #segments;
  #untold = ''; // what the counter says of an empty field

  constructor(host, tools) {
    const section = host.form;
    this.#host = host;
    this.#section = section;
    this.#tools = tools;
    this.#form = section.querySelector('form');
    this.#lang = host.speaks;
    this.#words = WORDS[this.#lang] || WORDS.vi;
    this.#segments = window.Intl && Intl.Segmenter ? new Intl.Segmenter(this.#lang, { granularity: 'grapheme' }) : null;
    const form = this.#form;
    form.addEventListener('input', (e) => { if (!e.isComposing) this.#input(e.target); });
    form.addEventListener('compositionend', (e) => this.#input(e.target));
    form.addEventListener('focusout', (e) => { if (e.target.name in TARGET) this.#check(e.target, false); });
    this.#addSound();
    const mend = form.querySelector('[data-dy-mend]');
    if (mend) {
      mend.addEventListener('click', () => {
        mend.closest('[data-dy-nudge]').hidden = true;
        form.elements.content.focus();
      });
    }
    this.#restore();
    this.#remembered();
    this.#keep(); // what was typed before all this was here
    this.#count();
  }

  // touch gets the first code, and another one when that nears its end.
  touch() {
    if (this.#form.hidden) return;
    if (!this.#form.elements.ticket.value && !this.#tried) this.code();
    this.freshen();
  }

  // The words.
  #values() {
    const { name, title, content } = this.#form.elements;
    return { name: name.value, title: title ? title.value : '', content: content.value };
  }

  #restore() {
    const draft = this.#host.kept('sessionStorage', 'draft');
    if (!draft) return;
    for (const key of ['name', 'title', 'content']) {
      const field = this.#form.elements[key];
      if (field && !field.value) field.value = draft[key] || '';
    }
    this.reply(draft.to || null);
  }

  // A name is remembered when its owner asks for that.
  #remembered() {
    const { name, remember } = this.#form.elements;
    const kept = remember && this.#tools.mine('name');
    if (!kept) return;
    remember.checked = true;
    name.value ||= kept;
  }

  #keep() {
    const words = this.#values();
    this.#host.keep('sessionStorage', 'draft', (words.name || words.title || words.content) && { ...words, to: this.#to });
  }

  #input(field) {
    this.#keep();
    if (field.name === 'content') this.#count();
    if (field.getAttribute('aria-invalid') || this.#wrong(field) === 'too_long') this.#check(field, false);
  }

  // length counts what a reader sees as one character.
  #length(text) {
    if (!this.#segments) return [...text].length;
    let n = 0;
    for (const _ of this.#segments.segment(text)) n++;
    return n;
  }

  #most(field) {
    const from = field.name === 'content' ? this.#form.querySelector('[data-dy-count]') : field;
    return Number(from && from.dataset.dyMax) || 0;
  }

  #count() {
    const count = this.#form.querySelector('[data-dy-count]');
    const left = this.#form.querySelector('[data-dy-left]');
    if (!count) return;
    const most = Number(count.dataset.dyMax);
    const n = this.#length(this.#form.elements.content.value.trim().normalize('NFC'));
    this.#untold ||= count.textContent;
    count.textContent = n ? this.#say(count.dataset.dyCount, { n, max: most }) : this.#untold;
    const rest = most - n;
    if (left) left.textContent = rest > 100 ? '' : this.#say(rest < 0 ? left.dataset.dyOver : left.dataset.dyLeft, { n: Math.abs(rest) });
  }

  #say(text, values) { return this.#tools.say(text, values, this.#lang); }

  // What is wrong with a field, as the server would see it; '' for nothing that shows here.
  #wrong(field, required = false) {
    const text = field.value.trim().normalize('NFC');
    if (field.name === 'code') {
      const digits = text.normalize('NFKC').replace(/\s/g, '');
      if (!digits) return required ? 'required' : '';
      return !required || /^\d{6}$/.test(digits) ? '' : 'digits';
    }
    if (CONTROL.test(text)) return 'control_character';
    if (field.name !== 'content' && BIDI.test(text)) return 'bidi';
    if (!text.replace(UNSEEN, '')) return required && field.required ? 'required' : '';
    const most = this.#most(field);
    if (new TextEncoder().encode(text).length > BYTES[field.name] || (most && this.#length(text) > most)) return 'too_long';
    return '';
  }

  #message(field, code) {
    const words = this.#words.field;
    const text = (words[field.name] && words[field.name][code]) || words.any[code] || '';
    return this.#say(text, { max: this.#most(field) });
  }

  // #check shows or clears what is wrong with a field, and returns it.
  #check(field, required) {
    const code = this.#wrong(field, required);
    this.#mark(field, code && this.#message(field, code));
    return code && { field, short: this.#say(this.#words.slip[code] || '', { max: this.#most(field) }) };
  }

  #mark(field, text) {
    const id = `${TARGET[field.name]}-loi`;
    const old = this.#section.querySelector(`#${id}`);
    if (old && old.textContent === text) return;
    if (old) old.remove();
    const others = (field.getAttribute('aria-describedby') || '').split(' ').filter((one) => one && one !== id);
    if (text) {
      others.push(id);
      field.setAttribute('aria-invalid', 'true');
      field.after(this.#tools.make('p', { className: 'dy-err', id }, this.#tools.icon('warn'), this.#tools.make('span', {}, text)));
    } else {
      field.removeAttribute('aria-invalid');
    }
    if (others.length) field.setAttribute('aria-describedby', others.join(' '));
    else field.removeAttribute('aria-describedby');
  }

  // Whom one answers.
  reply(to) {
    const make = this.#tools.make;
    const line = this.#section.querySelector('.dy-to');
    if (line) line.remove();
    this.#to = to;
    this.#form.elements.parent.value = to ? to.id : '';
    this.#host.place(to && this.#host.find(`bl-${to.id.split('~')[1]}`));
    if (!to) return;
    const stop = make('button', { type: 'button', className: 'dy-act' }, this.#tools.icon('cross'), this.#words.cancel);
    stop.addEventListener('click', () => {
      this.reply(null);
      this.#keep();
      this.#form.elements.name.focus();
    });
    this.#form.before(make('p', { className: 'dy-to' },
      make('span', {}, this.#words.to, ' ', make('b', {}, make('bdi', {}, to.name)), ...(to.title ? [': ', make('bdi', {}, to.title)] : [])), stop));
    this.#keep();
  }

  // The code.
  code(why = '') {
    this.#getting ||= this.#code(why).finally(() => { this.#getting = null; });
    return this.#getting;
  }

  async #code(why) {
    const { make } = this.#tools;
    const form = this.#form;
    const box = form.querySelector('.dy-code-img');
    const status = form.querySelector('[data-dy-status]');
    const empty = (text) => {
      box.classList.add('is-empty');
      box.replaceChildren(make('span', {}, text));
    };
    this.#tried = true;
    this.#silence();
    if (!box.querySelector('img')) empty(this.#words.getting);
    let answer;
    try {
      answer = await this.#tools.post('captcha', { page: this.#host.page });
    } catch {
      answer = { problem: { title: this.#words.no_code } };
    }
    if (answer.problem) {
      form.elements.ticket.value = form.elements.code.value = '';
      this.#renewAt = 0;
      return empty([answer.problem.title, answer.problem.detail].filter(Boolean).join('. '));
    }
    const { ticket, image, audio, expires_at, wants = {} } = answer.body;
    form.elements.ticket.value = ticket;
    form.elements.code.value = '';
    const img = make('img', { src: new URL(image, this.#tools.base).href, width: 240, height: 80, alt: this.#words.alt });
    img.addEventListener('error', () => empty(this.#words.no_code));
    box.classList.remove('is-empty');
    box.replaceChildren(img);
    this.#sound = { url: new URL(audio, this.#tools.base).href };
    if (status) status.textContent = why;
    this.#work(wants);
    this.#mark(form.elements.code, '');
    // A minute before its end, or a quarter of a short life. A clock that is far off says
    // nothing of that.
    let lasts = Date.parse(expires_at) - Date.now();
    if (!(lasts > 0 && lasts < 864e5)) lasts = 20 * 60000;
    this.#renewAt = Date.now() + Math.max(lasts - 60000, lasts * 0.75);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.freshen(), this.#renewAt - Date.now() + 50);
  }

  // #work begins what a comment should bring beside its words. Where a proof stands for the
  // code, the code's room says so, and shows the image again should no proof be found.
  #work(wants) {
    this.#wants = wants;
    if (!wants.work || !window.isSecureContext || !crypto.subtle) return this.#instead(false);
    const form = this.#form;
    const status = form.querySelector('[data-dy-status]');
    const say = (text) => { (form.querySelector('.dy-works .dy-code-img span') || status).textContent = text; };
    const instead = wants.code === false;
    this.#instead(instead);
    say(this.#words.working);
    this.#proof().then(() => say(this.#words.worked), () => {
      this.#instead(false);
      say(this.#words.unworked);
    });
  }

  #instead(yes) {
    const end = this.#form.querySelector('.dy-end');
    const box = end.querySelector('.dy-code-img');
    const note = box.querySelector('span');
    end.classList.toggle('dy-works', yes);
    if (yes && !note) box.append(this.#tools.make('span', {}));
    else if (!yes && note && box.querySelector('img')) note.remove();
  }

  get #coded() { return !this.#form.querySelector('.dy-works'); }

  #proof() { return this.#host.part('work').then((part) => part.proof()); }

  // freshen changes a code that nears its end, while somebody is there to see.
  freshen() {
    if (!this.#renewAt || Date.now() < this.#renewAt || this.#busy) return;
    if (document.visibilityState === 'visible' && this.#section.isConnected) this.code(this.#words.expired);
  }

  // The code, spoken. Keys work from inside the field, where the reader's hands are.
  #addSound() {
    const { make } = this.#tools;
    const field = this.#form.elements.code;
    let button = this.#form.querySelector('.dy-sound');
    if (!button) {
      button = make('button', { type: 'button', className: 'dy-act dy-sound' }, this.#tools.icon('sound'), make('span', {}, this.#words.listen));
      field.after(button);
    }
    button.addEventListener('click', (e) => {
      e.preventDefault();
      this.#listen();
    });
    field.setAttribute('aria-keyshortcuts', 'Alt+P');
    field.addEventListener('keydown', (e) => {
      if (e.code !== 'KeyP' || !e.altKey || e.ctrlKey || e.metaKey || e.isComposing) return;
      e.preventDefault();
      this.#listen();
    });
    const keys = this.#form.querySelector('[data-dy-keys]');
    if (keys) keys.textContent = ` ${keys.dataset.dyKeys}`;
  }

  #label(playing) {
    const button = this.#form.querySelector('.dy-sound');
    (button.querySelector('span') || button).textContent = playing ? this.#words.pause : this.#words.listen;
  }

  async #listen() {
    if (!this.#sound) await this.code();
    const sound = this.#sound;
    if (!sound || sound.loading) return;
    if (sound.context) {
      const playing = sound.context.state === 'running' && !sound.over;
      if (sound.over) this.#play(sound);
      await (playing ? sound.context.suspend() : sound.context.resume());
      return this.#label(!playing);
    }
    sound.loading = true;
    try {
      const context = new AudioContext();
      const answer = await fetch(sound.url, { credentials: 'omit' });
      if (!answer.ok) throw new Error(String(answer.status));
      sound.buffer = await context.decodeAudioData(await answer.arrayBuffer());
      if (sound !== this.#sound) return context.close();
      sound.context = context;
      this.#play(sound);
      this.#label(true);
    } catch {
      this.#form.querySelector('[data-dy-status]').textContent = this.#words.no_sound;
    } finally {
      sound.loading = false;
    }
  }

  #play(sound) {
    const source = sound.context.createBufferSource();
    source.buffer = sound.buffer;
    source.connect(sound.context.destination);
    source.onended = () => {
      sound.over = true;
      if (sound === this.#sound) this.#label(false);
    };
    sound.over = false;
    source.start();
  }

  #silence() {
    if (this.#sound && this.#sound.context) this.#sound.context.close();
    this.#sound = null;
    this.#label(false);
  }

  // Sending.
  async send(button) {
    const form = this.#form;
    if (button && button.name === 'another') {
      await this.code(this.#words.another);
      form.elements.code.focus();
      return;
    }
    if (this.#busy) return;
    if (this.#getting) await this.#getting;
    const wrong = ['name', 'title', 'content', ...(this.#coded ? ['code'] : [])].map((name) => form.elements[name] && this.#check(form.elements[name], true)).filter(Boolean);
    if (wrong.length) return this.#summary(wrong);
    this.#busy = true;
    if (!await this.#looked()) {
      this.#busy = false;
      return;
    }
    const main = form.querySelector('.dy-btn-main');
    const label = main.textContent;
    main.textContent = this.#words.sending;
    const words = this.#values();
    const work = await this.#brought();
    let answer;
    try {
      answer = await this.#tools.post('comments', {
        ...words, page: this.#host.page, page_title: this.#host.getAttribute('page-title') || document.title,
        parent: form.elements.parent.value, author: this.#tools.author(), ticket: form.elements.ticket.value, code: form.elements.code.value, ...work,
      });
    } catch {
      answer = { problem: { title: this.#words.unsent, detail: this.#words.unsent_help } };
    }
    main.textContent = label;
    this.#busy = false;
    if (answer.body) await this.#sent(words, answer.body);
    else this.#refused(answer);
  }

  // #brought is the proof of work, if the page wants one and there is one in a minute.
  async #brought() {
    if (!this.#wants.work) return {};
    try {
      const late = new Promise((_, no) => { setTimeout(no, 60000); });
      const work = await Promise.race([this.#proof(), late]);
      this.#host.part('work').then((part) => part.spent());
      return { work };
    } catch {
      return {};
    }
  }

  // #looked says kindly, once for the same words, what the newsroom would hold; it reports
  // whether to go on. Where nobody answers, it does.
  async #looked() {
    const kind = this.#form.querySelector('[data-dy-nudge]');
    const words = { page: this.#host.page, ...this.#values() };
    const said = JSON.stringify(words);
    if (!kind || said === this.#nudged) return true;
    const late = new Promise((ok) => { setTimeout(ok, 3000, {}); });
    const { body } = await Promise.race([this.#tools.post('comments/check', words), late]).catch(() => ({}));
    const nudges = (body && body.nudges) || [];
    kind.hidden = !nudges.length;
    if (!nudges.length) return true;
    this.#nudged = said;
    kind.querySelector('ul').replaceChildren(...nudges.map((one) => this.#tools.make('li', {}, one.message)));
    kind.focus({ preventScroll: true });
    kind.scrollIntoView({ block: 'nearest' });
    return false;
  }

  #refused({ problem, after }) {
    const wrong = [];
    let spent = false;
    for (const { location = '', code = '', message = '' } of problem.errors || []) {
      const name = location.replace(/^body\./, '').replace('ticket', 'code');
      spent ||= code.startsWith('captcha_') && code !== 'captcha_wrong_page' || code === 'ticket_spent';
      if (code === 'unknown_parent') this.reply(null);
      const field = name in TARGET && this.#form.elements[name];
      if (field && wrong.some((w) => w.field === field)) continue;
      wrong.push({ field, text: message, short: this.#words.slip[code] ? this.#say(this.#words.slip[code], { max: field ? this.#most(field) : 0 }) : message });
    }
    const until = after > 0 && new Date(Date.now() + after * 1000).toLocaleTimeString(this.#lang, { hour: '2-digit', minute: '2-digit' });
    const mark = () => { for (const w of wrong) if (w.field) this.#mark(w.field, w.text); };
    if (wrong.length) this.#summary(wrong);
    else this.#notice(until ? 'look' : 'bad', problem.title, [problem.detail, until && this.#say(this.#words.until, { until }), this.#words.intact]);
    if (spent) this.code(this.#words.renewed).then(mark);
    mark();
  }

  // A box above the form that takes the focus.
  #notice(kind, title, lines, more) {
    this.#clear();
    const box = this.#tools.notice(kind, title, lines, more);
    this.#form.before(box);
    box.focus({ preventScroll: true });
    box.scrollIntoView({ block: 'nearest' });
    return box;
  }

  #clear() { for (const box of this.#section.querySelectorAll('.dy-say')) box.remove(); }

  #summary(wrong) {
    const { make } = this.#tools;
    const list = make('ul', {}, ...wrong.map(({ field, short, text }) => {
      if (!field) return make('li', {}, text);
      const link = make('a', { href: `#${TARGET[field.name]}` }, `${this.#words.label[field.name]}: ${short}`);
      link.addEventListener('click', (e) => {
        e.preventDefault();
        field.focus();
      });
      return make('li', {}, link);
    }));
    this.#notice('bad', this.#say(this.#words.errors, { n: wrong.length }), [this.#words.intact], list);
  }

  // The reader sees the comment at once, where the form was and in its room.
  async #sent(words, { comment, receipt, receipt_code }) {
    const { make } = this.#tools;
    const form = this.#form;
    const mine = await this.#host.part('own').catch(() => null);
    clearTimeout(this.#timer);
    this.#renewAt = 0;
    this.#silence();
    this.#section.style.minHeight = `${this.#section.offsetHeight}px`;
    for (const name of ['title', 'content', 'code', 'ticket']) if (form.elements[name]) form.elements[name].value = '';
    this.reply(null);
    this.#host.keep('sessionStorage', 'draft', null);
    if (form.elements.remember) this.#tools.mine('name', form.elements.remember.checked ? words.name.trim() : null);
    this.#count();
    form.hidden = true;
    const own = {
      id: comment.id, name: words.name.trim(), title: words.title.trim(), content: words.content.trim().replace(/\r\n?/g, '\n'),
      at: comment.created_at || new Date().toISOString(), receipt, code: receipt_code || '', parent: comment.parent || '', status: comment.status,
    };
    const waits = comment.status !== 'approved';
    const notice = this.#notice('good', waits ? this.#words.sent : this.#words.published, [waits ? this.#words.sent_help : this.#words.published_help]);
    const another = make('button', { type: 'button', className: 'dy-btn dy-write-more' }, this.#words.more);
    const box = mine && mine.sent(own);
    another.addEventListener('click', () => {
      for (const el of [notice, another, ...this.#section.querySelectorAll('.dy-own')]) el.remove();
      if (mine) mine.place(this.#host.thread);
      form.hidden = false;
      this.#section.style.minHeight = '';
      form.elements.content.focus();
      this.code();
    });
    form.before(...(waits && box ? [box] : []), another);
    if (!waits) this.#host.load();
  }
}
