// What is new in a thread while somebody reads it: a stream of the server's where there is
// room for one, else a question now and then. It is a part of element.js, put in there when
// the files are put together.
const POLL = 60000;
const REST = 600000; // before a stream is tried again that was refused

// One stream a document: browsers allow few connections to a server.
let streaming;

class Live {
  #el;
  #source = null;
  #awake = false;
  #asked = 0;
  #poll = 0;
  #rest = 0;
  #fails = 0;
  #saying = 0;

  constructor(el) { this.#el = el; }

  // awake is told whether the reader is near and the page in view: only then it listens.
  awake(now) {
    if (now === this.#awake) return;
    this.#awake = now;
    clearTimeout(this.#poll);
    if (now) this.#listen();
    else this.#close();
  }

  #close() {
    if (!this.#source) return;
    this.#source.close();
    this.#source = streaming = null;
  }

  #listen() {
    const { dyLive, dySeq } = this.#el.thread.dataset;
    if (!dyLive || streaming || Date.now() < this.#rest) {
      this.#wait();
      return;
    }
    const url = new URL(dyLive, BASE);
    if (dySeq) url.searchParams.set('after', dySeq);
    const source = this.#source = streaming = new EventSource(url);
    const on = (type, fn) => source.addEventListener(type, (e) => {
      const { dataset } = this.#el.thread;
      if (Number(e.lastEventId) <= Number(dataset.dySeq)) return; // the thread was fetched since
      if (e.lastEventId) dataset.dySeq = e.lastEventId;
      fn(e);
    });
    const give = () => {
      if (this.#source !== source) return;
      this.#close();
      this.#rest = Date.now() + REST;
      this.#wait();
    };
    on('news', (e) => {
      const { added, removed } = JSON.parse(e.data);
      this.#tell(this.#el.fresh + added - removed);
    });
    on('stale', () => this.#ask());
    source.addEventListener('poll', give);
    source.onopen = () => { this.#fails = 0; };
    source.onerror = () => { if (source.readyState === 2 || ++this.#fails > 5) give(); };
  }

  #wait() {
    clearTimeout(this.#poll);
    this.#poll = setTimeout(() => this.#ask().then(() => this.#awake && this.#listen()),
      Math.max(1000, Math.max(this.#asked, this.#el.shownAt) + POLL - Date.now()));
  }

  // #ask asks how many comments there are; the browser sends the last answer's ETag along.
  async #ask() {
    const el = this.#el;
    this.#asked = Date.now();
    try {
      const url = new URL(`api/v1/sites/${el.site}/counts`, BASE);
      url.searchParams.set('page', el.page);
      const answer = await fetch(url, { cache: 'no-cache', credentials: 'omit' });
      if (answer.ok) this.#tell((await answer.json()).counts[0].count - el.count);
    } catch {
      // the next time will do
    }
  }

  // What is new gathers behind one line, announced at most once a minute.
  #tell(fresh) {
    const el = this.#el;
    el.fresh = Math.max(0, fresh);
    if (!el.fresh) {
      el.news();
      return;
    }
    const text = say(el.words.new, { n: el.fresh }, el.speaks);
    const link = el.thread.querySelector('.dy-new');
    clearTimeout(this.#saying);
    if (link) this.#saying = setTimeout(() => { link.textContent = text; }, POLL);
    else el.news(make('a', { className: 'dy-new', href: '#' }, text));
  }
}
