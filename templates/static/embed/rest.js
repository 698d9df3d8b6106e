// What every part needs that comes after the reader's first act: icons, notices, and talking
// to the service.
const ICONS = '@icons';

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

// tools are made for one element.
export const tools = (el, make, base) => {
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

  return { icon, post, notice };
};
