// What every part needs that comes after the reader's first act: icons, notices, and talking
// to the service.
const ICONS = '@icons';
const FILES = '@files';

const SVG = 'http://www.w3.org/2000/svg';

// icon draws one of the service's icons; a word always stands beside it.
const icon = (name) => {
  const svg = document.createElementNS(SVG, 'svg');
  const set = (el, values) => { for (const key in values) el.setAttribute(key, values[key]); };
  set(svg, { class: 'icon', 'aria-hidden': 'true', focusable: 'false', viewBox: '0 0 20 20', width: 20, height: 20, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
  for (const [tag, values] of ICONS[name]) {
    const part = document.createElementNS(SVG, tag);
    set(part, values);
    svg.append(part);
  }
  return svg;
};

const unkept = {}; // what is kept where the browser keeps nothing

// kept is what the page around keeps under a name, after putting a value there if one is
// given; null takes it away.
const kept = (slot, value) => {
  if (value !== undefined) unkept[slot] = value;
  try {
    if (value) localStorage.setItem(slot, value);
    else if (value === null) localStorage.removeItem(slot);
    return localStorage.getItem(slot);
  } catch {
    return unkept[slot];
  }
};

const random = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(24)))).replace(/\+/g, '-').replace(/\//g, '_');

const at = (name) => new URL(FILES[name], import.meta.url).href;

// tools are made for one element.
const tools = (el, make, base) => {
  // post sends JSON, and gives {body}, or {problem, status, after}; it throws when nobody
  // answers.
  const post = async (what, body) => {
    const url = new URL(`api/v1/sites/${el.site}/${what}`, base);
    url.searchParams.set('lang', el.speaks);
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), 30000);
    try {
      const answer = await fetch(url, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'omit', signal: over.signal,
      });
      const json = answer.status === 204 ? {} : await answer.json();
      return answer.ok ? { body: json } : { problem: json, status: answer.status, after: Number(answer.headers.get('Retry-After')) };
    } finally {
      clearTimeout(timer);
    }
  };

  // notice is a box that says what happened and what to do.
  const notice = (kind, title, lines = [], more = null) => make('div', {
    className: `dy-say dy-${kind}`, role: kind === 'good' ? 'status' : 'alert', tabIndex: -1,
  }, icon({ good: 'check', bad: 'warn', look: 'clock' }[kind]),
  make('div', {}, make('strong', {}, title), ...(more ? [more] : []), ...lines.filter(Boolean).map((line) => make('p', {}, line))));

  // mine is what is kept of a reader for all pages of a site; author the key by which the
  // service knows one again, random and made when it is first needed.
  const mine = (kind, value) => kept(`duyet:${kind}:${base.host}:${el.site}`, value);
  const author = () => mine('author') || mine('author', random());

  return { icon, post, notice, mine, author, base };
};

// part is one of an element's parts, with the styles of what only parts show; made holds
// those that are there, or on their way.
export const part = (el, made, name, given) => made[name] ??= Promise.all([import(at(name)), given.style(at('css'))]).then(([{ Part }, sheet]) => {
  el.adopt(sheet);
  return new Part(el, { ...given, ...tools(el, given.make, given.base) });
}).catch((e) => {
  delete made[name];
  throw e;
});
