// What a reader does with a comment that was sent: report it or, if it is one's own, edit,
// withdraw or appeal. Each is a small form in its place. It is fetched when first needed.
const WORDS = '@words';

export class Part {
  #el;
  #tools;
  #forms = {};
  #count = 0;

  constructor(el, tools) {
    this.#el = el;
    this.#tools = tools;
  }

  get #words() { return WORDS[this.#el.speaks] || WORDS.vi; }

  edit(own, button, done) {
    const w = this.#words;
    const box = button.closest('.dy-own,.dy-c');
    const form = this.#el.form;
    const asksTitle = own.title || (form && form.querySelector('[name=title]'));
    const title = form && form.querySelector('[name=title]');
    this.#open({
      kind: 'edit', own, send: w.edit_send, help: w.edit_help, done,
      fields: [
        { name: 'name', value: own.name, required: true, autocomplete: 'name' },
        ...(asksTitle ? [{ name: 'title', value: own.title, required: title ? title.required : !!own.title }] : []),
        { name: 'content', value: own.content, required: true, rows: 6 },
      ],
    }, button, box.classList.contains('dy-own') ? box.querySelector('.dy-c') : null);
  }

  appeal(own, button, done) {
    const w = this.#words;
    this.#open({ kind: 'appeal', own, send: w.appeal_send, help: w.appeal_help, done, fields: [{ name: 'text', label: w.appeal_label, required: true, rows: 3 }] }, button);
  }

  withdraw(own, button, done) {
    const w = this.#words;
    this.#open({ kind: 'withdraw', own, send: w.withdraw_send, help: w.withdraw_help, done, fields: [] }, button);
  }

  report(link) {
    const w = this.#words;
    const id = decodeURIComponent(new URL(link.href).pathname.split('/').slice(-2)[0]);
    const c = link.closest('.dy-c');
    this.#open({
      kind: 'report', own: { id }, send: w.report_send, help: w.report_help,
      fields: [{ name: 'reason', required: true, reasons: w.reasons }, { name: 'text', label: w.report_text, rows: 3 }],
      done: () => {
        this.#el.keep('localStorage', 'reported', [...(this.#el.kept('localStorage', 'reported') || []), id]);
        this.mark(this.#el.thread);
        const [title, ...lines] = w.reported;
        const notice = this.#tools.notice('good', title, lines);
        c.append(notice);
        notice.focus({ preventScroll: true });
        notice.scrollIntoView({ block: 'nearest' });
      },
    }, link);
  }

  // mark shows which comments one has reported.
  mark(part) {
    const { make, icon } = this.#tools;
    const mine = this.#el.kept('localStorage', 'reported') || [];
    for (const link of part.querySelectorAll('a.dy-act[href*="/report"]')) {
      if (mine.some((id) => link.href.includes(`/comments/${id}/report`))) {
        link.replaceWith(make('span', { className: 'dy-act dy-reported' }, icon('flag'), this.#words.flagged));
      }
    }
  }

  // #open puts a form below the buttons that hold its opener, which it hides, and what it
  // stands for.
  #open(spec, opener, instead) {
    const { make, icon } = this.#tools;
    const w = this.#words;
    const slot = `${spec.kind}:${spec.own.id}`;
    const there = this.#forms[slot];
    if (there && there.isConnected) return this.#first(there);
    const typed = (this.#el.kept('sessionStorage', 'deeds') || {})[slot] || {};
    const cancel = make('button', { type: 'button', className: 'dy-act' }, icon('cross'), w.cancel);
    const form = make('form', { className: 'dy-deed', noValidate: true, ariaLabel: w.deed[spec.kind], tabIndex: -1 },
      make('p', { className: 'dy-hint' }, spec.help),
      ...spec.fields.map((field) => this.#field(field, typed[field.name] ?? field.value ?? '')),
      make('div', { className: 'dy-send' }, make('button', { className: `dy-btn${spec.fields.length ? ' dy-btn-main' : ''}` }, spec.send), cancel));
    const row = opener.closest('.dy-acts');
    const hidden = [row, instead].filter(Boolean);
    const close = () => {
      this.#draft(slot, null);
      form.remove();
      for (const el of hidden) el.hidden = false;
    };
    form.addEventListener('input', (e) => {
      this.#draft(slot, this.#values(form));
      if (e.target.value.trim()) this.#mark(e.target, '');
    });
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      e.stopPropagation();
      this.#send(spec, form, close);
    });
    cancel.addEventListener('click', () => {
      close();
      opener.focus();
    });
    this.#forms[slot] = form;
    for (const el of hidden) el.hidden = true;
    row.after(form);
    this.#first(form);
  }

  #first(form) {
    const field = form.querySelector('.dy-in,[type=radio]');
    (field || form).focus();
  }

  #draft(slot, values) {
    const all = { ...this.#el.kept('sessionStorage', 'deeds'), [slot]: values || undefined };
    this.#el.keep('sessionStorage', 'deeds', Object.values(all).some(Boolean) && all);
  }

  #values(form) {
    const values = {};
    for (const field of form.elements) if (field.name && (field.type !== 'radio' || field.checked)) values[field.name] = field.value;
    return values;
  }

  #field({ name, label = this.#words.field[name], required, reasons, rows, autocomplete = 'off' }, value) {
    const { make } = this.#tools;
    const star = required ? make('span', { className: 'dy-req', ariaHidden: 'true' }, ' *') : make('span', { className: 'dy-count' }, ` ${this.#words.optional}`);
    if (reasons) {
      return make('fieldset', { className: 'dy-field' }, make('legend', { className: 'dy-label' }, make('span', {}, label, star)),
        ...reasons.map(([code, text]) => make('label', { className: 'dy-pick' }, make('input', { type: 'radio', name, value: code, checked: code === value }), text)));
    }
    const id = `dy-${name}-${++this.#count}`;
    const field = make(rows ? 'textarea' : 'input', { className: 'dy-in', part: 'field', id, name, required, autocomplete, ...(rows && { rows }) });
    field.value = value;
    return make('div', { className: 'dy-field' }, make('label', { className: 'dy-label', htmlFor: id }, make('span', {}, label, star)), field);
  }

  // #mark puts what is wrong at a field, or takes it away.
  #mark(field, text) {
    const { make, icon } = this.#tools;
    const box = field.closest('.dy-field');
    const old = box.querySelector('.dy-err');
    if (old) old.remove();
    const target = field.type === 'radio' ? box : field;
    target.removeAttribute('aria-describedby');
    field.removeAttribute('aria-invalid');
    if (!text) return;
    const id = `dy-loi-${++this.#count}`;
    target.setAttribute('aria-describedby', id);
    if (field.type !== 'radio') field.setAttribute('aria-invalid', 'true');
    box.append(make('p', { className: 'dy-err', id }, icon('warn'), make('span', {}, text)));
  }

  async #send(spec, form, close) {
    const w = this.#words;
    const main = form.querySelector('.dy-send .dy-btn');
    if (main.textContent === w.sending) return;
    const field = (name) => form.querySelector(`[name="${name}"]`);
    for (const el of form.querySelectorAll('.dy-say')) el.remove();
    const values = this.#values(form);
    const wrong = {};
    for (const { name, required } of spec.fields) if (required && !(values[name] || '').trim()) wrong[name] = w.required[name];
    if (field('code') && !values.code.trim()) wrong.code = w.required.code;
    let problem = null;
    if (!Object.keys(wrong).length) {
      main.textContent = w.sending;
      const receipt = spec.own.receipt ? { receipt: spec.own.receipt } : {};
      const answer = await this.#tools.post(`comments/${encodeURIComponent(spec.own.id)}/${spec.kind}`, { ...values, ...receipt, author: this.#tools.author() })
        .catch(() => ({ problem: { title: w.unsent, detail: w.unsent_help } }));
      main.textContent = spec.send;
      if (answer.body) {
        close();
        return spec.done(answer.body.comment);
      }
      problem = answer.problem;
      for (const { location = '', message } of problem.errors || []) wrong[location.replace(/^body\./, '').replace('ticket', 'code')] ??= message;
      if (wrong.code) await this.#code(form);
    }
    for (const name of new Set([...Object.keys(values), ...Object.keys(wrong)])) if (field(name) && name !== 'ticket') this.#mark(field(name), wrong[name]);
    const first = Object.keys(wrong).map(field).find(Boolean);
    if (first) return first.focus();
    const notice = this.#tools.notice('look', problem.title, [problem.detail, w.intact]);
    form.prepend(notice);
    notice.focus({ preventScroll: true });
    notice.scrollIntoView({ block: 'nearest' });
  }

  // #code puts a fresh code into the form of a report: asked for once reports are many.
  async #code(form) {
    const { make, icon, base } = this.#tools;
    const w = this.#words;
    const { body } = await this.#tools.post('captcha', { page: this.#el.page }).catch(() => ({}));
    if (!body) return;
    const old = form.querySelector('.dy-ask');
    if (old) old.remove();
    const box = this.#field({ name: 'code', required: true }, '');
    const code = box.querySelector('input');
    code.inputMode = 'numeric';
    code.classList.add('dy-code-in');
    const sound = make('button', { type: 'button', className: 'dy-act dy-sound' }, icon('sound'), make('span', { role: 'status' }, w.listen));
    sound.addEventListener('click', () => this.#play(new URL(body.audio, base)).catch(() => { sound.querySelector('span').textContent = w.no_sound; }));
    const image = make('img', { src: new URL(body.image, base).href, width: 240, height: 80, alt: w.alt });
    code.before(make('div', { className: 'dy-code-img' }, image));
    box.classList.add('dy-ask');
    box.append(sound, make('input', { type: 'hidden', name: 'ticket', value: body.ticket }));
    form.querySelector('.dy-send').before(box);
  }

  async #play(url) {
    const context = new AudioContext();
    const answer = await fetch(url, { credentials: 'omit' });
    if (!answer.ok) throw new Error(String(answer.status));
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(await answer.arrayBuffer());
    source.connect(context.destination);
    source.onended = () => context.close();
    source.start();
  }
}
